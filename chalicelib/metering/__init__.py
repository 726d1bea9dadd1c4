"""Metering: readings from files of many shapes, kept packed by meter and day, every revision."""
