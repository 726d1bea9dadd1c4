"""Owns the command `headroom`: one name for what is run by hand, `headroom audit verify trail.jsonl` among it.

Setting up puts it into `.venv/bin`; it works from any folder.
"""

from __future__ import annotations

import runpy
import sys

WORDS = {
    "run": ("local", "start the whole market on this machine"),
    "demo": ("local.demo", "walk one competition from file to paid invoice through a running market"),
    "audit": ("local.audit", "an organisation's audit trail, and the proof that nothing in it was touched"),
    "backup": ("local.backup", "save and restore tables, objects, logins and keys, and compare them"),
    "replay-proposal": ("local.replay_proposal", "make a proposal of bids again from its record, and compare"),
    "invoke": ("local.invoke", "wake one function with a sample"),
    "openapi": ("local.openapi", "write the API's description"),
}


def main(arguments: list[str] | None = None) -> int:
    """Run a word's program with the arguments that follow it; 2 and the list of words where there is no such word."""
    word, *rest = arguments if arguments is not None else sys.argv[1:] or ["--help"]
    if word in ("-h", "--help", "help"):
        print(usage())
        return 0
    if word not in WORDS:
        print(f"headroom: there is no {word!r}\n\n{usage()}", file=sys.stderr)
        return 2
    sys.argv = [f"headroom {word}", *rest]
    runpy.run_module(WORDS[word][0], run_name="__main__", alter_sys=False)
    return 0


def usage() -> str:
    lines = [f"  headroom {word:<16} {about}" for word, (_, about) in WORDS.items()]
    return "\n".join(["The open marketplace for local flexibility. `headroom WORD --help` tells more.", *lines])


if __name__ == "__main__":
    sys.exit(main())
