"""The shipped ledger answers the whole legacy surface, and serves at least 95 percent of its use."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from compat.ledger import Ledger, Module, Name, Removed

SCRIPT = Path(__file__).with_name("coverage.py")
_HAS_EXTRAS = all(importlib.util.find_spec(name) for name in ("pydantic", "starlette", "jwt"))


@pytest.fixture(scope="module")
def coverage() -> Any:
    spec = importlib.util.spec_from_file_location("surface_coverage", SCRIPT)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    yield module
    del sys.modules[spec.name]


@pytest.mark.slow
@pytest.mark.skipif(not _HAS_EXTRAS, reason="the targets of some rows need the extras server and docker")
def test_at_least_95_percent_of_uses_are_covered_and_none_is_unanswered() -> None:
    done = subprocess.run([sys.executable, str(SCRIPT), "--missing", "40"], capture_output=True, text=True, check=False)
    last = done.stdout.splitlines()[-1]
    covered, total = int(last.split()[0]), int(last.split()[2])
    assert total == 18783
    assert last == f"{covered} of 18783 uses covered ({100 * covered / total:.1f} %)"
    assert covered / total >= 0.95, done.stdout
    assert done.returncode == 0, done.stdout


LEDGER = Ledger(
    "rows",
    version="1.0",
    rows=[
        Name("old.a:There", "json:dumps", since="1.0", removal="2.0", instead=None),
        Name("old.a:Broken", "json:no_such_name", since="1.0", removal="2.0", instead=None),
        Removed("old.a:Gone", since="1.0", instead="something else"),
        Module("old.b", "json", since="1.0", removal="2.0", instead=None),
    ],
)


@pytest.mark.parametrize(
    ("module", "name", "answer"),
    [
        ("old.a", "There", "covered"),
        ("old.a", "Broken", "unanswered"),
        ("old.a", "Gone", "tombstone"),
        ("old.a", "Undeclared", "unanswered"),
        ("old.a", "", "covered"),
        ("old", "a", "covered"),
        ("old.b", "loads", "covered"),
        ("old.b", "no_such_name", "unanswered"),
        ("old.b.decoder", "JSONDecoder", "covered"),
        ("other", "x", "unanswered"),
    ],
)
def test_each_use_is_judged(coverage: Any, module: str, name: str, answer: str) -> None:
    assert coverage.judge(LEDGER, coverage.Use("family", module, name, 1)) == answer


def test_the_surface_is_read_whole(coverage: Any) -> None:
    uses = coverage.read_surface()
    assert sum(use.uses for use in uses) == 18783
    assert len({use.family for use in uses}) == 9
