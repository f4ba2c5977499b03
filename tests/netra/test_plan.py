"""The plan at the head of the migration guide, walked through on a small tree: what answers, what warns, what is written."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

APP = """\
from netra_backend.app.websocket_core.canonical_imports import WebSocketManager
from netra_backend.app.services.user_execution_context import UserExecutionContext

def serve(context):
    return WebSocketManager(context)

print(WebSocketManager.__module__, UserExecutionContext.__module__)
"""
BY_HAND = (
    "it has no one-to-one replacement; rewrite it by hand: Use 'from compat.canonical import UserExecutionContext' instead: it has "
    "user_id, thread_id, run_id and request_id; pass sessions and agent data beside it."
)


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    core = tmp_path / "netra_backend" / "app" / "websocket_core"
    core.mkdir(parents=True)
    for package in (core, core.parent, core.parent.parent):
        (package / "__init__.py").touch()
    (core / "manager.py").write_text("class WebSocketManager: ...\n")
    (core / "canonical_imports.py").write_text("from netra_backend.app.websocket_core.manager import WebSocketManager\n")
    (tmp_path / "app.py").write_text(APP)
    return tmp_path


def run(tree: Path, *words: str, **variables: str) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "COMPAT_TELEMETRY": "memory", "PYTHONWARNINGS": "default", **variables}
    return subprocess.run([sys.executable, *words], cwd=tree, env=env, capture_output=True, text=True)


def app(tree: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    return run(tree, "-c", "import compat.auto, runpy; runpy.run_path('app.py', run_name='__main__')", **variables)


def test_what_is_in_the_tree_answers_until_it_is_deleted_and_then_the_drop_in_does(tree: Path) -> None:
    before = app(tree)
    assert before.stdout == "netra_backend.app.websocket_core.manager compat.netra.components.context.user\n"
    assert "canonical_imports" not in before.stderr
    (tree / "netra_backend" / "app" / "websocket_core" / "canonical_imports.py").unlink()
    after = app(tree)
    assert after.stdout == "compat.netra.adapters.managers.websocket_manager compat.netra.components.context.user\n"
    assert "app.py:1: LegacyUseWarning: Importing WebSocketManager from 'netra_backend.app.websocket_core.canon" in after.stderr


def test_the_core_may_go_whole(tree: Path) -> None:
    core = tree / "netra_backend" / "app" / "websocket_core"
    shutil.rmtree(core)
    assert app(tree).stdout.startswith("compat.netra.adapters.managers.websocket_manager ")


@pytest.mark.slow
def test_measured_rewritten_and_rehearsed(tree: Path) -> None:
    (tree / "netra_backend" / "app" / "websocket_core" / "canonical_imports.py").unlink()
    (tree / "app.py").write_text(APP.replace("WebSocketManager.__module__, ", ""))
    accept = ["-m", "compat", "scan", ".", "--baseline", "compat-baseline.json"]
    assert run(tree, *accept, "--update-baseline", "--accept-new").returncode == 0
    assert run(tree, *accept).returncode == 0

    done = run(tree, "-m", "compat", "fix", ".", "--write", "--verify")
    text = (tree / "app.py").read_text()
    assert "from compat.canonical import get_websocket_manager\n" in text
    assert "    return get_websocket_manager(context)\n" in text
    assert done.stderr.splitlines() == [
        f"app.py:2:63: skipped: netra_backend.app.services.user_execution_context:UserExecutionContext: {BY_HAND}",
        "1 of 5 files rewritten; 1 use skipped, 0 files failed.",
    ]

    rehearsed = app(tree, COMPAT_AS_OF="netra=3.0")
    assert rehearsed.returncode == 1
    assert "LegacyExpiredModule: Importing UserExecutionContext from " in rehearsed.stderr
    by_hand = text.replace("netra_backend.app.services.user_execution_context", "compat.canonical")
    (tree / "app.py").write_text(by_hand)
    for variables in ({"COMPAT_AS_OF": "netra=3.0"}, {"COMPAT": "off"}):
        last = app(tree, **variables)
        assert (last.returncode, last.stdout, last.stderr) == (0, "compat.canonical.context\n", "")
