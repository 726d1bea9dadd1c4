"""Dispatch: what is available, instructions and their answers, and the channels by which they reach a provider."""
