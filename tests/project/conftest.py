"""Real little projects in directories of their own, and the command line run in them."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import compat

#: Run by the sessions of the example, not by those of this project.
collect_ignore = ["pipelines/example"]
ROOT = Path(compat.__file__).resolve().parents[1]
Run = Callable[..., "subprocess.CompletedProcess[str]"]


def environment(project: Path, **more: str) -> dict[str, str]:
    """The environment of a command in a project, which nothing outside of it speaks into."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("COMPAT", "PYTEST_", "PRE_COMMIT"))}
    places = [str(ROOT), str(project), str(project / "src"), str(project.parent / "site")]
    return {
        **kept,
        "PYTHONPATH": os.pathsep.join(places),
        "PYTHONDONTWRITEBYTECODE": "1",
        "COMPAT_DIR": str(project.parent / "state"),
        **more,
    }


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """An empty directory for a project."""
    made = tmp_path / "project"
    made.mkdir()
    return made


@pytest.fixture
def compat_in(project: Path) -> Run:
    """Run ``compat ...`` in the project, with the drop-in started."""

    def run(*arguments: str, cwd: Path | None = None, **more: str) -> subprocess.CompletedProcess[str]:
        code = "import sys, compat.auto; sys.path.remove(''); from compat.__main__ import main; raise SystemExit(main())"
        return subprocess.run(
            [sys.executable, "-X", "utf8", "-W", "ignore", "-c", code, *arguments],
            cwd=cwd or project,
            env=environment(project, **more),
            capture_output=True,
            encoding="utf-8",
            timeout=120,
        )

    return run


@pytest.fixture
def files(project: Path) -> Callable[[dict[str, str]], None]:
    """Write files of the project."""

    def write(texts: dict[str, str]) -> None:
        for name, text in texts.items():
            path = project / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")

    return write


@pytest.fixture
def install(project: Path) -> Callable[..., None]:
    """Make a distribution known, and a module of it; ``here`` for one of the project itself, as an editable install does."""

    def make(name: str, version: str, points: str, *, module: tuple[str, str] = ("", ""), here: bool = False) -> None:
        place = project if here else project.parent / "site"
        info = place / f"{name}-{version}.dist-info"
        info.mkdir(exist_ok=True, parents=True)
        if module[0]:
            (place / module[0]).write_text(module[1], encoding="utf-8")
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n", encoding="utf-8")
        (info / "entry_points.txt").write_text(points, encoding="utf-8")

    return make


TREE = Path(__file__).resolve().parents[2]


@pytest.fixture
def needed(in_ci: bool) -> Callable[[str, bool], None]:
    """Skip a test without a part, and say which; in CI there is every part."""

    def need(what: str, is_there: bool) -> None:
        if not is_there and in_ci:
            pytest.fail(f"CI must have {what}")
        if not is_there:
            pytest.skip(f"{what} is not installed")

    return need


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of this tree."""
    if importlib.util.find_spec("hatchling") is None:
        (pytest.fail if os.environ.get("CI", "").lower() == "true" else pytest.skip)("hatchling is not installed")
    target = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-W", "ignore", "-m", "build", "--wheel", "--no-isolation", "--outdir", str(target), str(TREE)]
    subprocess.run(command, check=True, capture_output=True, timeout=120, env={**os.environ, "COMPAT_TELEMETRY": "off"})
    return next(target.glob("*.whl"))
