"""``compat.testing``: what a block used, with any test runner."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import unittest

import pytest

import compat
from compat import Behaviour, Ledger, Name
from compat.testing import Uses, legacy_uses, no_legacy_uses

LEDGER = Ledger("blocks", version="1.0") + [
    Behaviour("blocks.mode", "The old mode", since="1.0", removal="2.0", instead="the new mode"),
    Behaviour("blocks.other", "Another", since="1.0", removal="2.0", instead="nothing"),
    Name("blocks_old:Path", "os:path", since="1.0", removal="2.0", instead=None),
]


@pytest.fixture(autouse=True)
def served():
    with compat.install(LEDGER), pytest.warns(compat.LegacyUseWarning):
        compat.use("blocks.mode")  # before any block, at a place of its own
        yield


def use(times: int = 1, row: str = "blocks.mode") -> None:
    for _ in range(times):
        compat.use(row)


def test_a_block_has_its_own_uses_by_place():
    use()
    with legacy_uses() as uses:
        assert (len(uses), uses.count, uses.moves, list(uses)) == (0, 0, set(), [])
        use(3)
        use(2, "blocks.other")
        assert (len(uses), uses.count, uses.moves) == (2, 5, {"blocks.mode", "blocks.other"})
        use(1)
    use(7)
    assert [(one.move, one.kind, one.count) for one in uses] == [("blocks.mode", "use", 4), ("blocks.other", "use", 2)]
    assert {os.path.basename(one.file) for one in uses} <= {"test_asserting.py", "python.py"}


def test_blocks_may_hold_each_other():
    with legacy_uses() as outer:
        use(2)
        with legacy_uses() as inner:
            use(100)
        use(3)
    assert (inner.count, outer.count) == (100, 105)


def test_uses_of_all_threads_are_counted():
    with legacy_uses() as uses:
        threads = [threading.Thread(target=use, args=(1000,)) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert uses.count == 4000


def test_a_block_that_uses_nothing_is_fine_and_one_that_does_fails_with_place_and_advice():
    with no_legacy_uses():
        assert os.path
    with pytest.raises(AssertionError) as raised, no_legacy_uses():
        from blocks_old import Path

        assert Path
    with open(__file__, encoding="utf-8") as file:
        line = 1 + file.read().splitlines().index("        from blocks_old import Path")
    assert str(raised.value).splitlines() == [
        "1 legacy use where none is allowed:",
        f"   1  blocks_old:Path (import) at {__file__}:{line}: Use canonical path 'from os import path' instead.",
    ]


def test_some_may_be_allowed_by_id_or_pattern():
    with no_legacy_uses("blocks.mode", "other:*"):
        use(2)
    with no_legacy_uses("blocks.*"):
        use(1, "blocks.other")
    with pytest.raises(AssertionError, match="^2 legacy uses where none is allowed:\n"), no_legacy_uses("blocks.mode"):
        use(1)
        use(2, "blocks.other")


def test_an_error_of_the_block_goes_on_as_it_is():
    with pytest.raises(KeyError), no_legacy_uses():
        use()
        raise KeyError


def test_it_is_a_decorator_too():
    @no_legacy_uses()
    def run(times):
        use(times)

    run(0)
    with pytest.raises(AssertionError):
        run(1)
    run(0)


def test_it_serves_unittest():
    class Case(unittest.TestCase):
        def test_good(self):
            with no_legacy_uses():
                pass

        def test_bad(self):
            with no_legacy_uses():
                use()

    result = unittest.TestResult()
    unittest.defaultTestLoader.loadTestsFromTestCase(Case).run(result)
    assert (result.testsRun, len(result.failures), len(result.errors)) == (2, 1, 0)


def test_a_closed_one_keeps_what_it_has():
    uses = Uses()
    use(2)
    uses.close()
    use(3)
    uses.close()
    assert uses.count == 2 and repr(uses).startswith("<Uses:    2  blocks.mode (use) at ")


@pytest.mark.parametrize("telemetry", ["off", "memory", "on"])
def test_it_counts_whatever_telemetry_and_filters_are_told(tmp_path, telemetry):
    code = (
        "import compat, compat.testing, warnings\n"
        "row = compat.Behaviour('x.y', 'That', since='1', removal='2', instead='')\n"
        "compat.use(row)\n"
        "with compat.testing.legacy_uses() as uses:\n    compat.use(row); compat.use(row)\n"
        "print(uses.count)"
    )
    environment = {**os.environ, "COMPAT_TELEMETRY": telemetry, "COMPAT_DIR": str(tmp_path)}
    for filters in ("ignore", "always"):
        done = subprocess.run(
            [sys.executable, "-W", filters, "-c", code], env=environment, capture_output=True, text=True, timeout=120
        )
        assert done.stdout == "2\n", done.stderr
