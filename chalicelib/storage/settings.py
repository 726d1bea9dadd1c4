"""Owns what differs between deployments: names and addresses from the environment, nothing else."""

from __future__ import annotations

import os


def stage() -> str:
    return os.environ.get("HEADROOM_STAGE", "local")


def table_name(name: str) -> str:
    """The deployed name of a table of `storage.schema`."""
    return f"headroom-{stage()}-{name}"


def bucket_name(name: str) -> str:
    """The deployed name of a bucket of `storage.schema`; all of AWS shares bucket names, so one may add to it."""
    suffix = os.environ.get("HEADROOM_BUCKET_SUFFIX", "")
    return f"headroom-{stage()}-{name}" + (f"-{suffix}" if suffix else "")


def queue_name(name: str) -> str:
    """The deployed name of a function's queue."""
    return f"headroom-{stage()}-{name}"


def function_name(name: str) -> str:
    """The deployed name of a function of `functions.wiring`."""
    return f"headroom-{stage()}-{name}"


def key_alias(name: str) -> str:
    """The alias of a KMS key of `storage.schema`."""
    return f"alias/headroom-{stage()}-{name}"


def bus_name() -> str:
    return f"headroom-{stage()}"


def endpoint_url() -> str | None:
    """The address of an embedded AWS, or None on AWS itself."""
    return os.environ.get("AWS_ENDPOINT_URL")


def region() -> str:
    return os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION") or "eu-west-2"


def user_pool_id() -> str:
    return os.environ["HEADROOM_USER_POOL_ID"]


def user_pool_client_id() -> str:
    return os.environ["HEADROOM_USER_POOL_CLIENT_ID"]


def web_origin() -> str:
    """Where people open the market, for links in mails."""
    return os.environ.get("HEADROOM_WEB_ORIGIN", "http://127.0.0.1:8000")


def allowed_origins() -> tuple[str, ...]:
    """Web origins that may call the API from a browser."""
    told = os.environ.get("HEADROOM_ALLOWED_ORIGINS", web_origin()).split(",")
    return tuple(origin for origin in (each.strip().rstrip("/") for each in told) if origin)


def rate_limits() -> float | None:
    """How generous the limits of `edge.limits` are: 1 as they are written, 2 twice as much; None where they are off."""
    told = os.environ.get("HEADROOM_RATE_LIMITS", "1")
    return None if told == "off" else float(told)


def mail_sender() -> str:
    return os.environ.get("HEADROOM_MAIL_SENDER", "market@headroom.example")


def most_seats() -> int | None:
    """How many people an organisation may have; no limit where none is set."""
    limit = os.environ.get("HEADROOM_MOST_SEATS")
    return int(limit) if limit else None


def operator_needs_authenticator() -> bool:
    """Whether people of the market operator with a powerful role must have an authenticator: yes, but on a laptop."""
    default = "off" if stage() == "local" else "required"
    return os.environ.get("HEADROOM_OPERATOR_AUTHENTICATOR", default) != "off"


def webhook_networks() -> tuple[str, ...]:
    """Networks besides the public internet that webhooks may be sent to ("127.0.0.0/8" on a laptop); else none."""
    told = os.environ.get("HEADROOM_WEBHOOK_NETWORKS", "")
    return tuple(network for network in (each.strip() for each in told.split(",")) if network)
