"""Headroom: the open marketplace for local flexibility, one package per step of the market."""
