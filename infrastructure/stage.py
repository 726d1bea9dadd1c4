"""Owns a deployment's choices: read from `stages.toml`, with the names `storage.settings` gives them."""

from __future__ import annotations

import os
import platform
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path

FILE = Path(__file__).with_name("stages.toml")
LOCAL = "local"
API_STAGE = "api"


@dataclass(frozen=True, slots=True)
class Stage:
    """A deployment: where it runs, how much it takes, and whether its state outlives it."""

    name: str
    region: str
    python: str
    architecture: str
    keep: bool
    mail_sender: str
    operations_email: str
    extra_origins: tuple[str, ...]
    requests_per_second: int
    request_burst: int
    requests_per_source: int
    log_days: int
    audit_lock_days: int
    monthly_budget: int

    @property
    def mail_domain(self) -> str:
        return self.mail_sender.partition("@")[2]

    @property
    def runtime(self) -> str:
        return f"python{self.python}"

    @property
    def is_local(self) -> bool:
        return self.name == LOCAL

    def stack(self, concern: str) -> str:
        return f"Headroom-{self.name}-{concern}"


def stage_named(name: str) -> Stage:
    """A stage of `stages.toml`, or `local`: dev on the embedded AWS, with this machine's Python. KeyError otherwise.

    From here on `storage.settings` gives names of this stage.
    """
    stages = tomllib.loads(FILE.read_text(encoding="utf-8"))
    told = stages["dev"] | _this_machine() if name == LOCAL else stages[name]
    os.environ["HEADROOM_STAGE"] = name
    os.environ.setdefault("AWS_DEFAULT_REGION", told["region"])
    return Stage(name=name, **{**told, "extra_origins": tuple(told["extra_origins"])})


def _this_machine() -> dict[str, str]:
    architecture = "arm64" if platform.machine() in ("aarch64", "arm64") else "x86_64"
    return {"python": f"{sys.version_info.major}.{sys.version_info.minor}", "architecture": architecture}
