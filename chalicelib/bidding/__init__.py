"""Ballots and bids: what an FSP offers in a competition, its limits, and the seal that keeps it until close."""
