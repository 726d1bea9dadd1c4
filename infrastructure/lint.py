"""`python -m infrastructure.lint STAGE`: every template of a synthesized stage passes cfn-lint."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from infrastructure.bundles import BUILD
from infrastructure.stage import Stage, stage_named

IGNORED = {
    "W3005": "CDK lets a function wait for its role by name as well as by reference; twice does no harm.",
}


def main() -> int:
    stage = stage_named(sys.argv[1] if len(sys.argv) > 1 else "dev")
    return lint(stage, BUILD / stage.name / "cdk")


def lint(stage: Stage, folder: Path) -> int:
    """Zero when nothing is found but what is ignored with a reason; findings are printed."""
    templates = sorted(str(path) for path in folder.glob("*.template.json"))
    cfn_lint = str(Path(sys.executable).with_name("cfn-lint"))
    command = [cfn_lint, "--regions", stage.region, "--ignore-checks", *IGNORED, "--template"]
    return subprocess.run([*command, *templates], check=False).returncode


if __name__ == "__main__":
    raise SystemExit(main())
