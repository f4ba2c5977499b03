"""Lazy imports (3.15): each statement that is ever read is warned and counted once, at the reading line."""

from __future__ import annotations

import subprocess
import sys
import types

import pytest

from compat import LegacyExpiredError, Module, Name

pytestmark = pytest.mark.skipif(sys.version_info < (3, 15), reason="lazy imports came with 3.15")
DATES = {"since": "1.0", "removal": "2.0", "instead": None}


@pytest.fixture
def moved(world, installed):
    installed(
        Module("old.mod", "canon.core", **DATES),
        Module("old.sub", "canon.sub", **DATES),
        Name("live:Widget", "canon.core:Widget", **DATES),
        Name("oldns.names:Widget", "canon.core:Widget", **DATES),
    )
    return world


@pytest.mark.parametrize(
    ("source", "move"),
    [
        ("lazy import old.mod as m\n\nm", "old.mod"),
        ("lazy import old.mod\n\nold", "old.mod"),
        ("lazy from old.mod import CONST\n\nCONST\nCONST", "old.mod"),
        ("lazy import old.sub.deep as m\n\nm", "old.sub"),
        ("lazy from live import Widget\n\nWidget()", "live:Widget"),
        ("lazy from oldns.names import Widget\n\nWidget()", "oldns.names:Widget"),
        ("lazy import old.mod as m\ndef f():\n    m\nf(); f()", "old.mod"),
        ("__lazy_modules__ = ['old.mod']\nimport old.mod as m\nm", "old.mod"),
    ],
)
def test_loaded_or_not_each_statement_counts_once_where_it_is_read(moved, source, move):
    for _ in range(3):
        seen = moved.ok(source)
        assert seen.lines == [3]
        assert seen.counted() == {(move, "import", 3): 1}


def test_a_lazily_taken_submodule_counts_where_it_is_read(moved):
    # Its package keeps it in its dict from then on: a later lazy statement finds it there without asking anybody.
    assert moved.ok("lazy from old import mod\n\nmod").counted() == {("old.mod", "import", 3): 1}


def test_one_that_is_never_read_is_no_use(moved):
    seen = moved.ok("lazy import old.mod as m\nlazy from live import Widget\nlazy from old import mod")
    assert not seen.recorded and not seen.uses


def test_a_read_through_another_modules_attribute_counts_once(moved):
    carrier = types.ModuleType("carrier")
    exec(compile("lazy import old.mod as q\nlazy from old.mod import CONST", "carrier.py", "exec"), vars(carrier))
    sys.modules["carrier"] = carrier
    try:
        seen = moved.ok("import carrier\ncarrier.q\ncarrier.CONST\ncarrier.q")
    finally:
        del sys.modules["carrier"]
    assert seen.counted() == {("old.mod", "import", 2): 1, ("old.mod", "import", 3): 1}


def test_two_threads_that_read_one_lazy_name_count_once(moved):
    seen = moved.ok(
        "lazy import old.mod as m\nimport threading\nb = threading.Barrier(2)\ndef f():\n    b.wait()\n    m\n"
        "ts = [threading.Thread(target=f) for _ in range(2)]\nfor t in ts: t.start()\nfor t in ts: t.join()"
    )
    assert seen.counted() == {("old.mod", "import", 6): 1}


def test_filters_hold_as_always(moved):
    seen = moved.ok("lazy import old.mod as m\n\nm.CONST", filters="ignore")
    assert not seen.recorded and seen.counted("import") == {("old.mod", "import", 3): 1}
    seen = moved.use("lazy import old.mod as m\n\nm", filters="error")
    assert type(seen.error).__name__ == "LegacyUseWarning" and seen.counted() == {("old.mod", "import", 3): 1}


def test_an_expired_move_raises_where_it_is_read(world, installed):
    installed(Module("old.mod", "canon.core", **DATES), Name("live:Widget", "canon.core:Widget", **DATES), version="2.0")
    for source in ("lazy import old.mod as m\nx = 1\nm", "lazy from live import Widget\nx = 1\nWidget"):
        seen = world.use(source)
        assert isinstance(seen.error, LegacyExpiredError) and seen.namespace["x"] == 1
        assert {line for _, _, line in seen.counted()} == {3}


def test_a_users_own_filter_for_lazy_imports_stays_in_force(moved):
    before = sys.get_lazy_imports_filter()
    asked = []

    def refuse(importer, name, fromlist):
        asked.append(name)
        return False

    sys.set_lazy_imports_filter(refuse)
    try:
        seen = moved.ok("lazy import old.mod as m\nx = 1")
    finally:
        sys.set_lazy_imports_filter(before)
    assert "old.mod" in asked and seen.counted() == {("old.mod", "import", 1): 1}


def test_everything_lazy_by_option(moved):
    code = (
        "import sys; sys.path.insert(0, sys.argv[1])\nimport compat\nK = dict(since='1', removal='3', instead=None)\n"
        "compat.install(compat.Ledger('k', version='2') + [compat.Module('old.mod', 'canon.core', **K)])\n"
        "import old.mod as m\nfrom old.mod import CONST\nassert not compat.usage()\nm\nCONST\n"
        "print([(u.move, u.kind, u.line, u.count) for u in sorted(compat.usage(), key=lambda u: u.line)])\n"
    )
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-X", "lazy_imports=all", "-c", code, str(moved.root)],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.stdout == "[('old.mod', 'import', 8, 1), ('old.mod', 'import', 9, 1)]\n", done.stderr
