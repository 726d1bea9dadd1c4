"""The command `headroom`: each word is a program of ours, and a wrong one is told with the list of words."""

from __future__ import annotations

import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from local import command, install


@pytest.mark.parametrize("word", command.WORDS)
def test_every_word_is_a_program(word: str) -> None:
    assert find_spec(command.WORDS[word][0]) is not None


def test_a_wrong_word_is_told_with_the_list(capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(["adit"]) == 2
    told = capsys.readouterr().err
    assert "there is no 'adit'" in told
    assert all(f"headroom {word}" in told for word in command.WORDS)


def test_without_a_word_it_says_what_there_is(capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(["--help"]) == 0
    assert "headroom audit" in capsys.readouterr().out


def test_setting_up_places_it_where_it_works_from_any_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    python = tmp_path / "bin" / "python"
    python.parent.mkdir()
    python.symlink_to(sys.executable)
    monkeypatch.setattr(install, "VENV", tmp_path)
    install._place_command()
    trail = tmp_path / "trail.jsonl"
    trail.write_text("nonsense\n")
    asked = [str(tmp_path / "bin" / "headroom"), "audit", "verify", str(trail)]
    done = subprocess.run(asked, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 1, done.stderr
    assert done.stdout == "BROKEN: line 1: it is not a line of an export\n"
