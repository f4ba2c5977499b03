"""A command line run as a user runs it: in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import compat

# Where the package under test lies: a checkout, or site-packages.
ROOT = Path(compat.__file__).resolve().parents[1]
Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def state(tmp_path: Path) -> Path:
    """An empty state directory."""
    directory = tmp_path / "state"
    directory.mkdir()
    return directory


@pytest.fixture
def run(state: Path) -> Run:
    """Run ``python -m compat`` on the state directory; ``without`` names packages that are not installed; ``code`` stands for it."""

    def run(
        *arguments: str, without: tuple[str, ...] = (), code: str = "", **environment: str
    ) -> subprocess.CompletedProcess[str]:
        hidden = "".join(f"sys.modules[{name!r}] = None; " for name in without)
        code = code or f"import sys; {hidden}from compat.__main__ import main; raise SystemExit(main())"
        return subprocess.run(
            [sys.executable, "-X", "utf8", "-c", code, *arguments],
            env={**os.environ, "PYTHONPATH": str(ROOT), "COMPAT_DIR": str(state), "COLUMNS": "120"}
            | {"COMPAT_ENVIRONMENT": "production", **environment},
            capture_output=True,
            encoding="utf-8",
            timeout=120,
        )

    return run
