"""Contracts: one obligation per accepted bid, its assets and its availability variations, in a file for both sides."""
