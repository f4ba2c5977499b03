"""The stubs of the shipped ledger as users' type checkers read them, and packages of the users' own that have the same names."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import venv

import pytest

pytest.importorskip("starlette", reason="the stubs name classes of the server extra")

OWN = {
    "app/agents.py": "def hello() -> int:\n    return 1\n",
    "app/core.py": "def f() -> int:\n    return 1\n",
    "shared/types.py": "def parse(x: str) -> int:\n    return 1\n\n\nclass UserID(int):\n    pass\n",
}
USES_OWN = """\
from app.agents import hello
from app.core import f
from shared.types import UserID, parse
a: str = hello()
b: str = f()
c: str = parse("1")
d: str = UserID(1)
"""
USES_LEGACY = """\
from netra_backend.app.websocket_core import WebSocketManager, create_websocket_manager
from netra_backend.app.websocket_core.auth import AuthHandler
from shared.types.core_types import UserID
from test_framework.ssot.base_test_case import SSotBaseTestCase
from app.core import f

task = AuthHandler().connect("a")
a: str = f()
"""
DEPRECATED = {1, 2, 3, 4, 7}


@pytest.fixture(scope="module")
def environment(tmp_path_factory):
    """The interpreter of an environment with this one's packages and typed packages ``app`` and ``shared`` of the user's own."""
    folder = tmp_path_factory.mktemp("environment")
    venv.create(folder, with_pip=False, symlinks=True)
    site = next((folder / "lib").glob("python*/site-packages"))
    for path, text in OWN.items():
        place = site / path
        place.parent.mkdir(exist_ok=True)
        (place.parent / "__init__.py").write_text("")
        (place.parent / "py.typed").write_text("")
        place.write_text(text)
    (site / "installed.pth").write_text("".join(f"{entry}\n" for entry in sys.path if os.path.isdir(entry)))
    return str(folder / "bin" / "python")


@pytest.fixture
def project(tmp_path):
    (tmp_path / "own.py").write_text(USES_OWN)
    (tmp_path / "legacy.py").write_text(USES_LEGACY)
    return tmp_path


@pytest.fixture
def stubs(project):
    """The project's directory of stubs, as the command line writes it."""
    command = [sys.executable, "-m", "compat", "stubs", "--ledger", "netra", "--out", "typings"]
    subprocess.run(command, cwd=project, check=True, env={**os.environ, "COMPAT_TELEMETRY": "memory"}, timeout=300)
    return project / "typings"


def mypy(project, environment, file):
    """The line and the code of every error."""
    command = [sys.executable, "-m", "mypy", "--python-executable", environment, "--cache-dir", str(project / ".cache"), file]
    done = subprocess.run(command, cwd=project, capture_output=True, text=True, timeout=300)
    assert done.stderr == ""
    return re.findall(r"^(\S+?):(\d+): error: .*\[([\w-]+)\]$", done.stdout, flags=re.M)


def pyright(project, environment):
    """The file, the line and the rule of every diagnostic of the whole project."""
    pytest.importorskip("pyright")
    command = [sys.executable, "-m", "pyright", "--outputjson", "--pythonpath", environment]
    done = subprocess.run(command, cwd=project, capture_output=True, text=True, timeout=300)
    if not done.stdout.startswith("{"):
        pytest.skip(f"pyright does not run here: {done.stderr.strip()[-200:]}")
    told = json.loads(done.stdout)["generalDiagnostics"]
    return [(os.path.relpath(item["file"], project), item["range"]["start"]["line"] + 1, item["rule"]) for item in told]


@pytest.mark.slow
def test_packages_of_the_users_own_are_typed_as_if_this_one_were_not_installed(project, environment):
    assert mypy(project, environment, "own.py") == [("own.py", str(line), "assignment") for line in (4, 5, 6, 7)]
    (project / "legacy.py").unlink()
    assert pyright(project, environment) == [("own.py", line, "reportAssignmentType") for line in (4, 5, 6, 7)]


@pytest.mark.slow
def test_mypy_reports_legacy_names_by_the_stubs_and_keeps_what_they_do_not_name(project, environment, stubs):
    (project / "mypy.ini").write_text("[mypy]\nmypy_path = typings\nenable_error_code = deprecated\n")
    found = mypy(project, environment, "legacy.py")
    assert {int(line) for _, line, code in found if code == "deprecated"} == DEPRECATED
    assert [found for found in found if found[2] != "deprecated"] == [("legacy.py", "8", "assignment")]


@pytest.mark.slow
def test_pyright_reports_legacy_names_by_the_stubs_and_keeps_what_they_do_not_name(project, environment, stubs):
    (project / "own.py").unlink()
    (project / "pyrightconfig.json").write_text('{"stubPath": "typings", "reportDeprecated": "error"}')
    found = pyright(project, environment)
    assert {file for file, _, _ in found} == {"legacy.py"}
    assert {line for _, line, rule in found if rule == "reportDeprecated"} == DEPRECATED
    others = [item for item in found if item[2] not in ("reportDeprecated", "reportMissingModuleSource")]
    assert others == [("legacy.py", 8, "reportAssignmentType")]
