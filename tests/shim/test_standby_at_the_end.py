"""Rows of every kind that stand by, first used by a destructor while the interpreter goes down: nothing can be loaded any more."""

from __future__ import annotations

import sys

import pytest

from . import standing_by
from .test_standby_rows import site

LATE = """
import sys, kit.core
class Late:
    def __init__(self):
        self.itself = self  # found by the collector only, when all modules are gone
    def __del__(self, sys=sys, write=sys.stdout.write, core=kit.core):
        t = core.Shop(2)
        write(f"{sys.meta_path} {type(core.Bare()).__name__} {core.Failed(1).args} {core.Based(3).total()} {t.area} {t.cached} {t.slot}")
        write(f" {t.COLOUR} {t.surface} {t.breadth} {t.get_height()} {t.sum} {list(core.each(length=2))} {next(core.drip(3))}")
        t.surface = 5
        write(f" {t.width} {core.Colour.RED} {core.Colour(3)} {core.Colour['BLUE']} {core.Colour.CRIMSON} {core.Wide().grown(qty=3)}")
late = Late()
"""
GIVEN = "None Bare (1,) 4 4 [2] 3 red 2 2 12 3 [0, 1] 3 5 Colour.RED Colour.BLUE Colour.BLUE Colour.GREEN ('wide', 3, 'east')"


@pytest.mark.skipif(sys.implementation.name == "pypy", reason="no destructor runs as the process ends")
def test_what_stands_by_serves_a_destructor_at_the_end(tmp_path):
    root = site(tmp_path / "site")
    done = standing_by.run(
        root, LATE, COMPAT_TELEMETRY="", COMPAT_DIR="", COMPAT_SERVICE="", XDG_STATE_HOME=str(tmp_path / "home")
    )
    assert (done.stdout, done.stderr) == (GIVEN, "") and not (tmp_path / "home").exists()
    done = standing_by.run(root, LATE, "-W", "default")
    assert done.stdout == GIVEN and done.stderr.count("LegacyUseWarning") == 19
