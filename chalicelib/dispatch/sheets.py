"""Owns the availability and dispatch files as columns: what providers declare, and what operators instruct, by file."""

from __future__ import annotations

from chalicelib.files.columns import Column, DecimalNumber, LocalDateTime, Sheet, Template, Text, YesNo

AVAILABILITY = "Availability"
INSTRUCTIONS = "Instructions"
_MW = DecimalNumber(places=6)
_OBLIGATION = Column("Obligation ID", "obligation_id", "The obligation, as in the contracts workbook.", True, Text(80))

TEMPLATE = Template(
    kind="availability",
    title="Availability",
    version="1",
    sheets=(
        Sheet(
            AVAILABILITY,
            (
                _OBLIGATION,
                Column("From", "starts", "On the operator's clock.", True, LocalDateTime(), "2026-06-01 17:00"),
                Column("Until", "ends", "On the operator's clock.", True, LocalDateTime(), "2026-06-01 19:00"),
                Column("Available MW", "available_mw", "What is left; 0 is unavailable.", True, _MW, "0.5"),
                Column(
                    "Reason", "reason", "Why. A row without one is left as it is.", kind=Text(500), example="Repair"
                ),
                Column("Promised MW", "promised_mw", "What is promised.", kind=_MW, shown_only=True),
                Column("State", "state", "promised, varied, offered, accepted …", shown_only=True),
                Column("Competition Ref", "competition_reference", "Its competition.", shown_only=True),
                Column("Service Window", "window_name", "Its service window.", shown_only=True),
            ),
            unique=("obligation_id", "starts"),
            help="One row per span in which less is available, or in which what was taken back is given again.",
        ),
    ),
    how_to=(
        "A download holds every availability period of the next 31 days; change Available MW and give a reason.",
        "Times are on the system operator's clock. The row declared last holds for an instant.",
    ),
)

DISPATCH_TEMPLATE = Template(
    kind="dispatch",
    title="Dispatch instructions",
    version="1",
    sheets=(
        Sheet(
            INSTRUCTIONS,
            (
                _OBLIGATION,
                Column("Token", "client_token", "Your own mark; the same one never instructs twice.", True, Text(100)),
                Column("From", "starts", "On your clock.", kind=LocalDateTime(), example="2026-06-01 17:00"),
                Column("Until", "ends", "On your clock.", kind=LocalDateTime(), example="2026-06-01 18:00"),
                Column("MW", "mw", "What is to be delivered.", True, _MW, "1.5"),
                Column("Urgent", "urgent", "Needs no times: from now, as long as it may run.", kind=YesNo()),
            ),
            unique=("obligation_id", "client_token"),
            help="One row per instruction; each is issued or refused by itself.",
        ),
    ),
    how_to=("Rows are issued as the file arrives. Upload it again as often as you like: a token instructs once.",),
)
