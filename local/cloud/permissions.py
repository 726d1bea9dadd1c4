"""Owns what the emulator leaves out where it enforces IAM, and the count of what roles were allowed and refused."""

from __future__ import annotations

import json
import threading
from collections import Counter
from typing import Any
from urllib.parse import parse_qs

from ministack.core import iam_actions, iam_evaluator
from ministack.services import kms, sts

_KNOWN_AS = {"sqs:SendMessageBatch": "sqs:SendMessage"}
"""Calls that AWS asks a role about by another name, and the emulator by their own."""


class Permissions:
    """`allowed` checks by role, and each check `refused`: role, action, resource, why."""

    def __init__(self) -> None:
        self.allowed: Counter[str] = Counter()
        self.refused: list[dict[str, str]] = []
        self._noting = threading.Lock()
        self._enforce, self._context = iam_evaluator.enforce, iam_actions.request_tag_context
        iam_evaluator.enforce = self._enforce_and_note
        iam_actions.request_tag_context = self._with_encryption_context
        self._condition = iam_evaluator._resolve_condition_key
        iam_evaluator._resolve_condition_key = self._with_role
        self._resource = iam_actions.extract_resource_arn
        iam_actions.extract_resource_arn = self._named_in_full

    def _enforce_and_note(
        self, access_key: str, asked: str, service: str, region: str, resource_arn: str = "*", **more: Any
    ) -> Any:
        action = _KNOWN_AS.get(asked, asked)
        denied = self._enforce(access_key, action, service, region, resource_arn=resource_arn, **more)
        role = _role(access_key)
        with self._noting:
            if denied is not None:
                self.refused.append(
                    {"role": role or access_key, "action": action, "resource": resource_arn, "why": _why(denied)}
                )
            elif role:
                self.allowed[role] += 1
        return denied

    def _named_in_full(self, service: str, method: str, path: str, headers: Any, body: bytes, *more: Any) -> str:
        """With the key behind an alias and the domain of a mail's sender, which the emulator asks IAM nothing about."""
        found: str = self._resource(service, method, path, headers, body, *more)
        if service == "kms" and ":alias/" in found:
            key = kms._resolve_key(found)
            return str(key["Arn"]) if key else found
        sender = parse_qs(body.decode()).get("Source") if service == "ses" else None
        if sender is None:
            return found
        *_, region, account = more
        return f"arn:aws:ses:{region}:{account}:identity/{sender[0].partition('@')[2]}"

    def _with_role(self, key: str, context: Any) -> Any:
        """AWS tells a condition the role that acts, the emulator its session (`core/iam_evaluator.py`)."""
        found = self._condition(key, context)
        if key.lower() != "aws:principalarn" or ":assumed-role/" not in str(found):
            return found
        account, role = found.split(":")[4], found.split("/")[1]
        return f"arn:aws:iam::{account}:role/{role}"

    def _with_encryption_context(self, service: str, action: str, body: bytes, params: dict[str, Any]) -> Any:
        """KMS tells IAM what a data key is asked for together with; the emulator does not (`core/iam_actions.py`)."""
        context = self._context(service, action, body, params)
        if service != "kms":
            return context
        told = json.loads(body or b"{}").get("EncryptionContext") or {}
        about = {f"kms:EncryptionContext:{name}": text for name, text in told.items()}
        return context | about | ({"kms:EncryptionContextKeys": list(told)} if told else {})


def _why(denied: Any) -> str:
    """What the policies decided, or what was wrong with the signature itself."""
    return str(getattr(denied, "decision", None) or f"{denied.code}: {denied.message}")


def _role(access_key: str) -> str | None:
    """The role behind a session's key; None for the account itself."""
    session = sts._sessions.get(access_key)
    return str(session["Arn"]).split("/")[1] if session else None
