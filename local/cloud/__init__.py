"""The embedded AWS: one process on loopback whose state survives a crash. Nothing else imports ministack.

Every change of a table's row, a queue's message or the mail sent is appended to the journal in the turn of the event
loop that made it, so the journal's order is the order of the changes; no answer leaves before its changes are on disk.
Logins, keys and secrets, which cannot be made a second time, are kept as whole files; objects are files of their own.
Buses, rules and bucket settings are not kept: `local.provision` makes them at each start.
"""
