"""The demo: an untouched legacy service on the canonical core, with real sockets, as a user runs it."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from importlib import metadata
from pathlib import Path

import pytest

import compat

PACKAGE = Path(compat.__file__).parent
SOURCE = (PACKAGE / "netra" / "demo" / "chat.py").read_text(encoding="utf-8")


def demo(*arguments, path=PACKAGE.parent, **environment):
    return subprocess.run(
        [sys.executable, "-m", "compat", "demo", *arguments],
        capture_output=True,
        encoding="utf-8",
        timeout=120,
        env={**os.environ, "PYTHONPATH": str(path), "COMPAT_TELEMETRY": "memory", **environment},
    )


@pytest.fixture
def server():
    """What the demo serves with."""
    for name in ("starlette", "uvicorn", "websockets", "jwt", "pydantic"):
        pytest.importorskip(name, reason="needs the extra: server")


@pytest.mark.usefixtures("server")
def test_all_checks_hold_and_every_use_of_the_service_is_shown_with_its_replacement():
    done = demo()
    assert (done.returncode, done.stderr) == (0, "")
    warned, counted, checks = (part.strip("\n").splitlines() for part in _sections(done.stdout))
    assert checks[-1] == "10 checks held, 0 failed"
    assert [line for line in checks if "FAILED" in line] == []
    imports = [number for number, line in enumerate(SOURCE.splitlines(), 1) if line.startswith("from netra_backend")]
    assert imports and all(
        any(line.startswith(f"  chat.py:{number}: LegacyUseWarning: ") for line in warned) for number in imports
    )
    # Each question of each user is one pass through answer(): 3 x 2.
    calls = [number for number, line in enumerate(SOURCE.splitlines(), 1) if ".emit_critical_event(" in line]
    for number in calls:
        assert any(line.startswith(f"     6 call       chat.py:{number}") for line in counted)
    assert "        -> Use await get_websocket_manager(context).connect(websocket) instead." in counted
    assert [line for line in counted + checks if len(line) > 80] == []


def _sections(text):
    first, rest = text.split("\n2. What was counted, where, and what to write instead:\n")
    second, third = rest.split("\n3. Checks:\n")
    assert first.startswith("1. The legacy service ran untouched. What its owner saw:\n")
    return first, second, third


@pytest.mark.usefixtures("server")
@pytest.mark.parametrize(
    ("variable", "value", "said"),
    [
        ("COMPAT", "off", "ModuleNotFoundError: No module named 'netra_backend'"),
        ("COMPAT_ROOTS", "shared", "ModuleNotFoundError: No module named 'netra_backend'"),
        ("COMPAT_AS_OF", "3.0", "LegacyExpiredModule: Importing UserExecutionContext from "),
    ],
)
def test_what_keeps_the_service_from_running_is_said_in_one_line(variable, value, said):
    done = demo(**{variable: value})
    assert done.returncode == 1
    assert done.stderr.startswith(f"compat demo: with {variable}={value} the legacy service does not run: {said}")
    assert done.stderr.count("\n") == 1


@pytest.mark.usefixtures("server")
def test_a_rehearsed_removal_names_the_replacement():
    done = demo(COMPAT_AS_OF="3.0")
    assert "Use 'from compat.canonical import UserExecutionContext' instead: it has user_id," in done.stderr


@pytest.mark.usefixtures("server")
def test_without_counts_there_is_nothing_to_show():
    done = demo(COMPAT_TELEMETRY="off")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("compat demo: COMPAT_TELEMETRY=off keeps no counts")


def test_the_source_is_the_file_that_runs():
    done = demo("--source")
    assert (done.returncode, done.stdout, done.stderr) == (0, SOURCE, "")


def test_the_source_is_printed_out_of_a_zip_file_too(tmp_path):
    packed = tmp_path / "compat.zip"
    with zipfile.ZipFile(packed, "w") as target:
        for file in PACKAGE.rglob("*.py"):
            target.write(file, Path("compat") / file.relative_to(PACKAGE))
        installed = metadata.distribution("netra-compat")
        target.writestr("netra_compat-1.0.0.dist-info/entry_points.txt", installed.read_text("entry_points.txt"))
    # Isolated from the site: an installed drop-in would have loaded compat before the path is looked at.
    code = f"import sys; sys.path.insert(0, {str(packed)!r}); from compat.__main__ import main; raise SystemExit(main(['demo', '--source']))"
    done = subprocess.run([sys.executable, "-I", "-S", "-c", code], capture_output=True, encoding="utf-8", timeout=60)
    assert (done.returncode, done.stdout, done.stderr) == (0, SOURCE, "")


def test_an_argument_that_is_none_is_named():
    done = demo("--source", "--sauce")
    assert done.returncode == 2
    assert done.stderr.startswith(
        "compat demo: unknown argument '--sauce'\nusage: compat demo [--source | --browser [--port PORT]]\n"
    )
