"""What stands in the way of a start is told in a sentence."""

from __future__ import annotations

import io
import re
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from local import __main__ as supervisor
from local import install
from local.cloud import launch
from local.logins import Logins
from local.market import _check_port
from local.steps import Steps
from local.stopped import Stopped

ROOT = Path(__file__).resolve().parents[2]


def test_a_port_in_use_is_named_with_what_to_do() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(Stopped, match=rf"Port {port}, which the market listens on.*\n.*--port {port + 10}"):
            _check_port(port, "the market", "--port")


def test_a_free_port_is_no_obstacle() -> None:
    _check_port(launch.free_port(), "the market", "--port")


def test_a_second_market_on_the_same_state_is_refused(tmp_path: Path) -> None:
    held = supervisor._lock(tmp_path)
    with pytest.raises(Stopped, match=r"runs on .* already \(process \d+\)"):
        supervisor._lock(tmp_path)
    held.close()
    supervisor._lock(tmp_path).close()


def test_too_little_space_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervisor, "NEEDS_MB", 10**9)
    with pytest.raises(Stopped, match=r"needs about \d+ MB for its state.*MB free"):
        supervisor._check_space(tmp_path)


@pytest.mark.parametrize("module", [supervisor, install])
def test_an_old_python_is_told(module: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "OLDEST", (9, 9))
    with pytest.raises((Stopped, install.Stopped), match=r"needs Python"):
        module._check_python()  # type: ignore[attr-defined]


def test_no_network_is_told_apart_from_other_failures() -> None:
    offline = install._failed(["pip"], "WARNING: Retrying\nerror: Failed to fetch: https://example.org/simple/x")
    assert "The first start needs the network" in str(offline)
    assert "The disk of" in str(install._failed(["pip"], "OSError: [Errno 28] No space left on device"))
    assert "Installing stopped at: pip install x" in str(install._failed(["pip", "install", "x"], "boom"))


def test_the_lock_names_a_pip_with_hashes() -> None:
    version, hashes = install._locked_pip((ROOT / "requirements" / "local.txt").read_text())
    assert re.fullmatch(r"[\d.]+", version)
    assert hashes
    assert all(re.fullmatch(r"[0-9a-f]{64}", found) for found in hashes)


@pytest.mark.parametrize("lock", sorted((ROOT / "requirements").glob("*.txt")), ids=lambda path: path.stem)
def test_locks_pin_and_hash_every_package_and_name_no_host(lock: Path) -> None:
    text = lock.read_text()
    assert "://" not in text
    entries = re.findall(r"^\S.*(?:\n    .*)*", text, re.MULTILINE)
    assert entries
    for entry in entries:
        assert re.match(r"[\w.-]+(\[[\w,]+\])?==", entry), entry
        assert "--hash=sha256:" in entry, entry


def test_steps_are_numbered_and_timed() -> None:
    out = io.StringIO()
    steps = Steps(2, out)
    with steps.step("creating tables"):
        assert steps.current == "creating tables"
    with steps.step("opening"):
        steps.count(1, 2)  # nobody watches: nothing is told
    assert re.fullmatch(r"\[1/2\] creating tables  \d+\.\d s\n\[2/2\] opening  \d+\.\d s\n", out.getvalue())


def test_logins_are_remembered(tmp_path: Path) -> None:
    logins = Logins(tmp_path / "logins.json")
    assert logins.read() == []
    logins.write([{"who": "SO", "email": "a@example.org", "password": "p"}])
    assert Logins(tmp_path / "logins.json").read()[0]["who"] == "SO"


@pytest.mark.flow
def test_an_emulator_that_cannot_start_says_why(tmp_path: Path) -> None:
    state = tmp_path / "state"
    state.mkdir()
    (state / "snapshot-00000001").write_bytes(b"not a record\n")
    with pytest.raises(Stopped, match="snapshot-00000001 is damaged at line 1"):
        launch.start(state, launch.free_port(), tmp_path / "log")


@pytest.mark.flow
def test_the_emulator_ends_with_whoever_started_it(tmp_path: Path) -> None:
    port = launch.free_port()
    program = (
        "import os; from pathlib import Path; from local.cloud import launch;"
        f"r = launch.start(Path({str(tmp_path / 's')!r}), {port}, Path({str(tmp_path / 'log')!r}));"
        "print(r.process.pid, flush=True); os._exit(0)"
    )
    told = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert told.stdout.strip().isdigit(), told.stderr
    for _ in range(100):
        if launch.is_free(port):
            return
        subprocess.run(["sleep", "0.1"], check=True)
    raise AssertionError("the emulator outlived its parent")
