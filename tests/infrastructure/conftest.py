"""The stacks as CloudFormation is told of them, synthesized once for the whole run."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

Resource = dict[str, Any]


class Templates:
    """Every template of one stage."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.by_stack: dict[str, dict[str, Any]] = {
            path.name.removesuffix(".template.json"): json.loads(path.read_text())
            for path in sorted(folder.glob("*.template.json"))
        }

    def all(self, kind: str) -> list[Resource]:
        """The properties of every resource of a kind."""
        return [resource["Properties"] for resource in self.resources(kind)]

    def resources(self, kind: str) -> list[Resource]:
        everything = [resource for template in self.by_stack.values() for resource in template["Resources"].values()]
        return [resource for resource in everything if resource["Type"] == kind]


@pytest.fixture(scope="session")
def prod() -> Iterator[Templates]:
    """The stacks of prod. Needs the `infra` group and node; where they are absent the tests say so."""
    pytest.importorskip("aws_cdk", reason="the infra group is not installed: make test-infrastructure")
    if shutil.which("node") is None:
        pytest.skip("CDK runs on node, which is not on this machine")
    from infrastructure.app import synthesize
    from infrastructure.stage import stage_named

    before = dict(os.environ)
    try:
        yield Templates(synthesize(stage_named("prod")))
    finally:
        os.environ.clear()
        os.environ.update(before)
