"""A class that is built by a factory now: old code gets its adapter."""

from __future__ import annotations

from compat import Class

ADAPTERS = """
import compat

class OldWidget(compat.Adapter, of="canon.core:Widget"):
    size = compat.renamed("x")
"""
USER = """
from live import OldWidget
import canon.core
made = OldWidget(3)
size = made.size
same = isinstance(made, canon.core.Widget)
"""


def test_the_adapter_is_handed_out_and_counted_where_it_is_imported_and_constructed(world, installed):
    world.write("adapters.py", ADAPTERS)
    dates = {"since": "1.0", "removal": "2.0", "instead": "canon.core.Widget"}
    installed(Class("live:OldWidget", "canon.core:Widget", adapter="adapters:OldWidget", **dates))
    seen = world.ok(USER)
    names = seen.once(
        ("live:OldWidget", "import", 2), ("live:OldWidget", "construct", 4), ("live:OldWidget.size", "attribute", 5)
    )
    assert (names["size"], names["same"]) == (3, True)
    assert seen.warned[1][1].startswith("Constructing OldWidget from 'live' is deprecated since kit 1.0")
