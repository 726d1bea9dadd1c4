"""The whole line of the market, driven only through the API and file drops, as its users would."""
