"""What importing the core costs, and that its face is whole."""

from __future__ import annotations

import subprocess
import sys

import pytest

import compat.canonical


def loaded_by(statement: str) -> set[str]:
    """Return the modules that a new interpreter holds after ``statement``."""
    program = f"{statement}\nimport sys\nprint(*sys.modules)"
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    return set(result.stdout.split())


def test_no_framework_is_imported_until_a_server_is_asked_for() -> None:
    loaded = loaded_by("from compat.canonical import UnifiedWebSocketManager, get_websocket_manager")
    assert not loaded & {"starlette", "uvicorn", "websockets", "redis", "jwt", "pydantic", "anyio", "prometheus_client"}


def test_the_core_imports_nothing_else_of_the_package() -> None:
    loaded = loaded_by("import compat.canonical.server.app, compat.canonical.settings") - loaded_by("import compat")
    ours = {name for name in loaded if name.startswith("compat.") and not name.startswith("compat.canonical")}
    assert ours == set()


def test_the_face_loads_one_part_at_a_time() -> None:
    assert "compat.canonical.factory" not in loaded_by("from compat.canonical import FactoryBypassDetected")


def test_every_name_of_the_face_resolves() -> None:
    pytest.importorskip("starlette", reason="starlette is in the server extra")
    assert sorted(compat.canonical.__all__) == sorted(set(compat.canonical.__all__))
    for name in compat.canonical.__all__:
        assert getattr(compat.canonical, name) is not None
        assert name in dir(compat.canonical)
    with pytest.raises(AttributeError, match=r"module 'compat.canonical' has no attribute 'nothing'"):
        compat.canonical.nothing
