"""Wakes every hour and when a market starts: sends again what was lost on the way, and reminds of what is soon due."""

from __future__ import annotations

from datetime import timedelta

from chalicelib.dispatch.actions_gates import remind_of_gates
from chalicelib.edge.entrance import tick
from chalicelib.files import actions as files
from chalicelib.files.actions_exporting import prepare_templates
from chalicelib.kernel.call import Call
from chalicelib.storage import audit_sealing, outbox
from functions import on_file, templates

PATIENCE = timedelta(minutes=2)


def sweep(call: Call) -> None:
    outbox.publish(outbox.unpublished(before=call.now - PATIENCE))
    sweep_files(call, PATIENCE)
    prepare_templates(call, templates.fingerprint())
    audit_sealing.seal_waiting(call)
    audit_sealing.write_daily_roots(call)
    remind_of_gates(call)


def sweep_files(call: Call, patience: timedelta) -> None:
    """Open receipts that wait too long, objects without a receipt: at a market's start of any age."""
    files.sweep(call, patience)
    for drop in files.lost_drops(call, patience):
        on_file.receive(call, drop)


handler = tick(sweep)
