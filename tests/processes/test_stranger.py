"""Harmless: whoever has the package only because a library that they use needs it, and uses nothing legacy, notices nothing."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import venv
from importlib import metadata
from pathlib import Path

import pytest

import compat

OWN = Path(compat.__file__).parent
LEDGER = """
from compat import Ledger, Name
LEDGER = Ledger("market", version="1.5") + [Name("market:Old", "market.new:New", since="1.0", removal="2.0", instead=None)]
"""
TESTS = """
import os, market, pytest, warnings
def test_passes(): assert market.stays() == 1 and "COMPAT_TESTING" not in os.environ
def test_fails(): assert market.stays() == 2
def test_warns(): warnings.warn("mine", DeprecationWarning)
@pytest.mark.skip(reason="later")
def test_skipped(): pass
"""


def declare(site: Path, name: str, entry_points: str, *, requires: str = "", requested: bool = False) -> None:
    """Write the metadata that pip leaves of a distribution."""
    info = site / f"{name}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n{requires}\n")
    (info / "entry_points.txt").write_text(entry_points)
    (info / "INSTALLER").write_text("pip\n")
    if requested:
        (info / "REQUESTED").write_text("")


def link(site: Path, name: str) -> None:
    """Have a distribution of this environment in another one, with those that it needs."""
    try:
        distribution = metadata.distribution(name)
    except metadata.PackageNotFoundError:
        return  # for another version or platform
    for top in {file.parts[0] for file in distribution.files or ()} - {"..", "__pycache__"}:
        if not (site / top).exists():
            (site / top).symlink_to(str(distribution.locate_file(top)))
    for requirement in distribution.requires or ():
        needed = re.match(r"[\w.-]+", requirement)
        if needed and "extra ==" not in requirement and not any(site.glob(f"{needed[0].replace('-', '_')}-*.dist-info")):
            link(site, needed[0])


class Stranger:
    """An environment, an empty home, and a project that uses a library which needs the package."""

    def __init__(self, root: Path) -> None:
        venv.create(root / "env", with_pip=False, symlinks=True)
        self.python = str(root / "env" / "bin" / "python")
        self.home, self.project = root / "home", root / "project"
        self.home.mkdir()
        self.project.mkdir()
        site = Path(self.run("-c", "import sysconfig; print(sysconfig.get_path('purelib'))").stdout.strip())
        for name in ("wrapt", "deprecation", "typing-extensions", "click", "rich", "pytest", "tomli"):
            link(site, name)
        installed = metadata.distribution("netra-compat")
        (site / "compat").symlink_to(OWN)
        for name in ("netra_compat.pth", "netra_compat_start.py"):
            (site / name).write_bytes(Path(str(installed.locate_file(name))).read_bytes())
        declare(site, "netra_compat", installed.read_text("entry_points.txt") or "")
        (site / "market").mkdir()
        (site / "market" / "__init__.py").write_text("def stays(): return 1\n")
        (site / "market" / "new.py").write_text("class New: pass\n")
        (site / "market" / "moves.py").write_text(LEDGER)
        declare(site, "market", "[compat.ledgers]\nmarket = market.moves:LEDGER\n", requires="Requires-Dist: netra-compat\n")
        declare(site, "between", "", requires="Requires-Dist: market\n")
        (self.project / "pyproject.toml").write_text("[project]\nname = 'mine'\nversion = '1'\ndependencies = ['between>=1']\n")
        (self.project / "test_mine.py").write_text(TESTS)

    def run(self, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("COMPAT", "PYTEST", "PYTHON", "XDG"))}
        environment = {**kept, "HOME": str(self.home), "PYTHONDONTWRITEBYTECODE": "1", "COLUMNS": "200", **more}
        return subprocess.run(
            [self.python, *arguments], cwd=self.project, env=environment, capture_output=True, text=True, timeout=120
        )

    def files(self) -> set[str]:
        found = {str(path.relative_to(self.home.parent)) for top in (self.home, self.project) for path in top.rglob("*")}
        return {path for path in found if ".pytest_cache" not in path}


@pytest.fixture(scope="module")
def stranger(tmp_path_factory):
    if sys.implementation.name == "pypy":
        pytest.skip("its environments are made of copies")
    return Stranger(tmp_path_factory.mktemp("stranger"))


def test_a_process_that_uses_nothing_legacy_writes_no_file_and_loads_nothing_of_the_package(stranger):
    before = stranger.files()
    told = "import sys, time, market, json; time.sleep(0.3); print(sorted(name for name in sys.modules if 'compat' in name))"
    done = stranger.run("-W", "error", "-c", told)
    loaded = done.stdout.strip()
    # The ledger of the library is not listed by roots: it is loaded with the library.
    assert (done.returncode, done.stderr) == (0, "") and "compat.netra" not in loaded and "wrapt" not in loaded
    assert stranger.files() == before


@pytest.mark.slow
def test_pytest_says_and_does_what_it_does_without_the_plugin(stranger):
    arguments = ("-m", "pytest", "-q", "-rA", "-p", "no:cacheprovider")
    done = stranger.run(*arguments)
    without = stranger.run(*arguments, "-p", "no:compat", "-p", "no:compat-netra", COMPAT="off")
    plain = [re.sub(r" in [\d.]+s|0x[0-9a-f]+", "", text.stdout) for text in (done, without)]
    assert plain[0] == plain[1] and "1 failed, 2 passed, 1 skipped" in plain[0]
    assert done.returncode == without.returncode == 1 and done.stderr == without.stderr
    assert not [path for path in stranger.files() if path.startswith("home/")]


@pytest.mark.parametrize("command", ["doctor", "ready", "check", "report"])
def test_commands_say_nothing_of_ledgers_that_others_brought(stranger, command):
    done = stranger.run("-m", "compat", command)
    said = done.stdout + done.stderr
    assert "netra_backend" not in said and "market:Old" not in said, said
    if command == "doctor":
        left_out = (
            "not of this project, and left out: market.moves:LEDGER of market-1.0, compat.netra.ledger:LEDGER of netra_compat"
        )
        assert left_out in said and "Traceback" not in said
        assert done.returncode == 0, said
    elif command != "report":
        assert done.returncode == 2 and "no ledger with rows was found that this project uses (there is market.moves" in said


def test_a_direct_dependency_is_spoken_of(stranger):
    (stranger.project / "sub").mkdir()
    text = "[project]\nname = 'mine'\nversion = '1'\ndependencies = ['market']\n"
    (stranger.project / "sub" / "pyproject.toml").write_text(text)
    code = "import os; os.chdir('sub'); from compat.__main__ import main; raise SystemExit(main(['check']))"
    done = stranger.run("-c", code)
    assert done.returncode == 0 and "market: 1 row; nothing is wrong." in done.stderr, done.stderr
