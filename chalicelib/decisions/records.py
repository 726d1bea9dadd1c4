"""Keeps the records of proposals and reads them: sealed, since every bid's prices are in them.

All proposals of a competition are sealed under one key, which is not the ballots' own and is given out as theirs are.
"""

from __future__ import annotations

from chalicelib.decisions.models_proposals import Proposal, ProposalRecord
from chalicelib.files.keeping import Keeping
from chalicelib.files.models import LinkView
from chalicelib.kernel.call import Call
from chalicelib.storage.sealing_cipher import Scope

_PREFIX = "proposals"


def keep_record(call: Call, proposal: Proposal, record: ProposalRecord) -> str:
    """Keep a record; returns its key. The same record of the same competition gives the same key."""
    kept = _kept(call, proposal)
    key = kept.put_json(record.model_dump(mode="json"), _PREFIX)
    kept.put_file(_file_key(proposal, key), record.model_dump_json(indent=1).encode())
    return key


def read_record(call: Call, proposal: Proposal) -> ProposalRecord | None:
    """What a proposal was made from and came to; None until it is made."""
    if proposal.record_key is None:
        return None
    return ProposalRecord.model_validate(_kept(call, proposal).get_json(proposal.record_key))


def link_to_record(call: Call, proposal: Proposal) -> LinkView | None:
    """A short link to the record as a file; None until the proposal is made."""
    if proposal.record_key is None:
        return None
    name = f"proposal-{proposal.competition_id}-{proposal.number}.json"
    return _kept(call, proposal).link_to(_file_key(proposal, proposal.record_key), name)


def _kept(call: Call, proposal: Proposal) -> Keeping:
    return Keeping(call, Scope("proposals", proposal.competition_id), proposal.so, sealed=True)


def _file_key(proposal: Proposal, key: str) -> str:
    return f"{key}/{proposal.number}.json"
