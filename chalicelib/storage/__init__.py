"""The only shared room that touches state on AWS: tables as data, one way to write, outbox, audit, objects."""
