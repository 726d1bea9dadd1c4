"""The competition boundaries: areas with versions, zones without change, and which of them a place lies in."""
