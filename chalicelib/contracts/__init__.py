"""Contracts: one obligation per accepted bid, its assets and its variations of availability, in a file for both sides."""
