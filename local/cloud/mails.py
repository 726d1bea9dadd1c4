"""Owns keeping the mail that was sent, which the emulator itself forgets at its end."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from ministack.core import responses
from ministack.services import ses, ses_v2

from local.cloud.recorder import Recorder
from local.journal import Record

Mail = dict[str, Any]


class Mails:
    """Gives the emulator a list of sent mail that tells of each, and brings back what was sent before."""

    def __init__(self, recorder: Recorder) -> None:
        self._tell = recorder.tell
        ses._sent_emails_list = ses_v2._sent_emails_list = self._list

    def restore(self, record: Record) -> None:
        if "mail" in record:
            with responses.request_scope(*record["scope"]):
                self._list().restore(record["mail"])

    def state(self) -> Iterator[Record]:
        for (account, region, _), mails in ses._sent_emails.all_items():
            yield from ({"scope": [account, region], "mail": mail} for mail in mails)

    def _list(self) -> _Sent:
        if ses._sent_emails.get("entries") is None:
            ses._sent_emails["entries"] = _Sent(self._tell)
        sent: _Sent = ses._sent_emails["entries"]
        return sent


class _Sent(list[Mail]):
    def __init__(self, tell: Callable[..., None]) -> None:
        super().__init__()
        self._tell = tell

    def append(self, mail: Mail) -> None:
        super().append(mail)
        self._tell(mail=mail)

    def restore(self, mail: Mail) -> None:
        super().append(mail)
