"""The life of a library's deprecations, seen by an application that never changes: released, rehearsed, removed."""

from __future__ import annotations

import importlib.util
import json
import os
import pathlib
import shutil
import subprocess
import sys
import textwrap

import pytest

from ..shim.kinds.catalogue import KINDS
from .application import APPLICATION, DIFFER, MORE_PLACES, MORE_USES, NOT_IN_SOURCE, SERVED, SILENT_AT_THE_END, TOMBSTONES
from .library import MODULES, WITHOUT, wheel

pytest.importorskip("click", reason="the command line comes with the tools extra")


def pip():
    """How pip is run: as a module where the environment has it, else from the wheel that every Python carries."""
    if importlib.util.find_spec("pip") is not None:
        return ["-m", "pip"]
    ensurepip = pytest.importorskip("ensurepip", reason="pip installs the library", exc_type=ImportError)
    wheels = list(pathlib.Path(ensurepip.__file__).parent.glob("_bundled/pip-*.whl"))
    if not wheels:
        pytest.skip("no pip installs the library")
    return [f"{wheels[0]}/pip"]


class Place:
    """A directory index, a directory that the library is installed into, and the application."""

    def __init__(self, root):
        self.root, self.index, self.site = root, root / "index", root / "site"
        self.index.mkdir()
        (root / "app.py").write_text(APPLICATION, encoding="utf-8")
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith(("COMPAT", "PYTEST", "PIP_"))},
            "PYTHONPATH": str(self.site),
            "COMPAT_DIR": str(root / "state"),
            "COMPAT_SERVICE": "shop",
            "COMPAT_ENVIRONMENT": "production",
        }

    def publish(self, version, modules, **options):
        wheel(self.index, version, {name: textwrap.dedent(text).lstrip() for name, text in modules.items()}, **options)

    def install(self, version):
        shutil.rmtree(self.site, ignore_errors=True)  # pip leaves the metadata of earlier releases in a --target
        options = ["--quiet", "--no-index", "--no-deps", "--no-compile", "--upgrade", "--disable-pip-version-check"]
        self.run(*pip(), "install", *options, "--find-links", str(self.index), "--target", str(self.site), f"market=={version}")

    def run(self, *arguments, codes=(0,), **environment):
        done = subprocess.run(
            [sys.executable, *arguments],
            cwd=self.root,
            env={**self.environment, **environment},
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert done.returncode in codes, done.stdout + done.stderr
        return done

    def application(self, **environment):
        done = self.run("-W", "default", "app.py", **environment)
        return json.loads(done.stdout), done.stderr

    def compat(self, *arguments, codes=(0,)):
        return self.run("-m", "compat", *arguments, codes=codes).stdout


@pytest.fixture
def place(tmp_path):
    return Place(tmp_path)


@pytest.mark.slow
def test_an_application_lives_through_a_whole_deprecation(place):
    # Announced: the release before the deprecation tells those who ask of what is to come.
    place.publish("0.9", MODULES)
    place.install("0.9")
    results, told = place.application()
    assert results == SERVED and "LegacyAnnouncedWarning: " in told and "will be deprecated in market 1.0" in told

    # Deprecated: everything works, and is told of at the application's own lines.
    place.publish("1.5", MODULES)
    place.install("1.5")
    results, told = place.application()
    assert results == SERVED
    lines = [line for line in told.splitlines() if "is deprecated since market 1.0" in line]
    assert all(line.startswith(f"{place.root / 'app.py'}:") for line in lines)
    assert any("FutureWarning: " in line for line in lines)
    place.run("-c", "import compat, market.moves; compat.check(market.moves.LEDGER)")
    found = json.loads(place.compat("report", "--ledger", "market", "--format", "json", "--since", "all"))
    used = {row["key"]: row["total"] for row in found["rows"] if row["total"]}
    rows = place.run(
        "-c", "import market.moves; print(*(row.id for row in market.moves.LEDGER), sep=chr(10))"
    ).stdout.splitlines()
    runs = 2
    times = {row: count / runs for row, count in used.items()}
    assert times == {**dict.fromkeys(rows, 1), **MORE_USES}
    assert len(lines) == len(rows) + MORE_PLACES - len(TOMBSTONES)
    scanned = json.loads(place.compat("scan", "--ledger", "market", "--format", "json", "app.py", codes=(1,)))
    assert sorted({*rows} - {finding["move"] for finding in scanned["findings"]}) == sorted(NOT_IN_SOURCE.intersection(rows))
    assert "carts" in place.compat("ready", "--ledger", "market", codes=(0, 1))

    # Rehearsed: the next major version, before it is there.
    rehearsed, _told = place.application(COMPAT_AS_OF="market=3.0")
    still = SILENT_AT_THE_END | TOMBSTONES
    assert {title for title, result in rehearsed.items() if result == SERVED[title]} == still
    said = "has expired: it was deprecated in market 1.0 and removed in 3.0."
    assert [title for title in SERVED if title not in still and said not in str(rehearsed[title])] == []

    # Expired: the next major version still knows the rows, and says what to write.
    place.publish("3.0", MODULES)
    place.install("3.0")
    assert place.application()[0] == rehearsed

    # Removed: rows and ledger are gone; Python itself refuses what the rehearsal refused.
    modules = {name: text for name, text in {**MODULES, **WITHOUT}.items() if text}
    place.publish("4.0", modules, with_ledger=False)
    place.install("4.0")
    gone, told = place.application()
    assert "LegacyUseWarning" not in told
    works = {title for title, result in gone.items() if result == SERVED[title]}
    assert works == SILENT_AT_THE_END
    assert {title for title, result in gone.items() if "has expired" in str(result)} == set()
    # What a guard catches in the rehearsal, it catches after the removal: the errors are of the same kind.
    kinds = {title: (str(rehearsed[title]).partition(":")[0], str(gone[title]).partition(":")[0]) for title in {*SERVED} - still}
    assert {title: pair for title, pair in kinds.items() if pair[0] != pair[1]} == DIFFER


def test_the_application_has_a_part_for_each_kind():
    assert {int(title[1:3]) for title in SERVED} == {kind.number for kind in KINDS}
