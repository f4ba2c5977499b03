"""The base install, without any extra: legacy names work, and what needs an extra says which."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys

import pytest

HAS_EXTRAS = any(importlib.util.find_spec(name) for name in ("starlette", "click"))
pytestmark = pytest.mark.skipif(HAS_EXTRAS, reason="this environment has extras installed")


def run(*arguments):
    return subprocess.run(
        [sys.executable, "-W", "ignore", *arguments],
        capture_output=True,
        text=True,
        timeout=120,
        env={**os.environ, "COMPAT_TELEMETRY": "memory"},
    )


def test_identifiers_contexts_and_managers_work():
    code = (
        "import asyncio\n"
        "from netra_backend.app.services.user_execution_context import UserExecutionContext\n"
        "from netra_backend.app.websocket_core.websocket_manager import get_websocket_manager\n"
        "from uuid import uuid4\n"
        "class Socket:\n"
        "    def __init__(self): self.got = []\n"
        "    async def send_json(self, message): self.got.append(message)\n"
        "async def main():\n"
        "    user, ws = str(uuid4()), Socket()\n"
        "    ctx = UserExecutionContext(user_id=user, thread_id=str(uuid4()), run_id=str(uuid4()), request_id=str(uuid4()))\n"
        "    m = await get_websocket_manager(ctx)\n"
        "    await m.connect_user(user, ws)\n"
        "    await m.emit_critical_event(user, 'agent_started', {'agent_name': 'a'})\n"
        "    return [message['type'] for message in ws.got]\n"
        "print(asyncio.run(main()))\n"
    )
    done = run("-c", code)
    assert "'agent_started'" in done.stdout, done.stderr


def test_the_demo_names_the_extra_it_needs():
    done = run("-m", "compat", "demo")
    assert done.returncode == 2 and "pip install 'netra-compat[server]'" in done.stderr


def test_the_doctor_runs():
    done = run("-m", "compat", "doctor")
    assert done.returncode == 0 and "the drop-in is active, started by .pth" in done.stdout


def test_commands_name_the_extra_they_need():
    done = run("-m", "compat", "report")
    assert done.returncode == 2 and "netra-compat[tools]" in done.stderr


def test_a_model_says_which_extra_to_install():
    done = run("-c", "from netra_backend.app.websocket_core.types import WebSocketMessage")
    assert done.returncode == 1 and "netra-compat[server]" in done.stderr


def test_a_tree_is_scanned_without_any_extra(tmp_path):
    (tmp_path / "old.py").write_text("from netra_backend.app.websocket_core.manager import WebSocketManager\n")
    done = run("-m", "compat", "scan", "--ledger", "compat.netra.ledger:LEDGER", str(tmp_path))
    assert done.returncode == 1 and "old.py:1:54: class:" in done.stdout, done.stderr
