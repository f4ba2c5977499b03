"""Every pair of kinds on one target, in both orders: each use works, counts for its own row, and is rewritten alike."""

from __future__ import annotations

import builtins
import itertools
import sys
import types
import warnings

import pytest

import compat
from compat import Argument, Behaviour, Class, Deprecated, Method, Module, Name, Removed
from compat.analysis.rewriting import rewriter
from compat.analysis.targets import Targets

V = {"since": "1.0", "removal": "2.0", "instead": None}
SHOP = """
import compat

LIMIT = 5


class C:
    COUNT = 1

    def __init__(self, user="u"):
        self.user = user

    def new(self, quantity=1):
        if quantity > 100:
            compat.use("shop:large")
        return (self.user, quantity)


def get_c(user="u"):
    return C(user)
"""
ADAPTERS = """
from compat import Adapter, renamed


class Old(Adapter, of="shop:C", built_by="shop:get_c"):
    start = renamed("new")
"""
# Of each row: a use of it, what that gives, and the rows that it uses.
FIRST, BOTH = ("x", 2), ("deprecated class", "deprecated method")
CASES = {
    "module": (Module("oldshop", "shop", **V), "import oldshop\nr = oldshop.C('x').new(2)", FIRST, BOTH),
    "name": (Name("legacy.shop:K", "shop:C", **V), "from legacy.shop import K\nr = K('x').new(2)", FIRST, BOTH),
    "class": (
        Class("legacy.shop:Old", "shop:C", adapter="shop_adapters:Old", **V),
        "from legacy.shop import Old\nr = Old('x').start(2)",
        FIRST,
        (),
    ),
    "method": (Method("shop:C.old", "shop:C.new", **V), "import shop\nr = shop.C('x').old(2)", FIRST, BOTH[:1]),
    "argument": (Argument("shop:C.new", "qty", became="quantity", **V), "import shop\nr = shop.C('x').new(qty=2)", FIRST, BOTH),
    "constructor": (Argument("shop:C", "name", became="user", **V), "import shop\nr = shop.C(name='x').new(2)", FIRST, BOTH),
    "removed member": (
        Removed("shop:C.gone", **V),
        "import shop\ntry:\n    shop.C.gone\nexcept AttributeError:\n    r = 'gone'",
        "gone",
        (),
    ),
    "removed name": (
        Removed("legacy.shop:gone", **V),
        "try:\n    from legacy.shop import gone\nexcept ImportError:\n    r = 'gone'",
        "gone",
        (),
    ),
    "moved member": (Name("shop:C.MOVED", "shop:LIMIT", **V), "import shop\nr = shop.C.MOVED", 5, ()),
    "class constant": (Method("shop:C.TOTAL", "shop:C.COUNT", **V), "import shop\nr = shop.C.TOTAL", 1, ()),
    "deprecated method": (Deprecated("shop:C.new", **V), "import shop\nr = shop.C('x').new(2)", FIRST, BOTH[:1]),
    "deprecated class": (Deprecated("shop:C", **V), "import shop\nr = shop.C('x').user", "x", ()),
    "deprecated module": (Deprecated("shop", **V), "import shop\nr = 1", 1, ()),
    "behaviour": (
        Behaviour("shop:large", what="a large quantity", **V),
        "import shop\nr = shop.C('x').new(200)[0]",
        "x",
        BOTH,
    ),
}


@pytest.fixture
def shop(world):
    world.write("shop.py", SHOP)
    world.write("shop_adapters.py", ADAPTERS)
    yield
    for name in ("shop", "shop_adapters"):
        sys.modules.pop(name, None)


def used(name, file, shown):
    """Run a use as a file of its own; the rows that it used, each once, with as many warnings."""
    _, code, result, _ = CASES[name]
    module = types.ModuleType(file)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        exec(compile(code, file, "exec", dont_inherit=True), vars(module))
    assert module.r == result
    uses = [use for use in compat.usage() if use.file == file]
    names = [shown[use.move.partition(".start")[0]] for use in uses]
    raised = [name for name in names if CASES[name][0].is_tombstone]
    # What the library's own code uses, a factory say, is warned there.
    here = [warning for warning in caught if warning.filename == file]
    assert all(use.count == 1 for use in uses) and len(here) == len(uses) - len(raised)
    return sorted(set(names))


@pytest.mark.parametrize("one", CASES)
def test_each_use_counts_for_its_own_row_whatever_other_row_is_there(shop, ledger_of, one):
    shown = {row.id: name for name, (row, *_) in CASES.items()}
    for other in CASES:
        for order in {(one, other), (other, one)} if other != one else ():
            with compat.install(ledger_of(*(CASES[name][0] for name in order))):
                touched = {one, *(name for name in CASES[one][3] if name == other)}
                if other == "deprecated module" and "import shop\n" in CASES[one][1]:
                    touched.add(other)
                file = f"{one}, beside {order}.py"
                assert used(one, file, shown) == sorted(touched), order


@pytest.mark.once
def test_two_uses_are_rewritten_alike_in_both_orders_and_once(shop, ledger_of):
    for one, other in itertools.combinations(CASES, 2):
        text = f"{CASES[one][1]}\n{CASES[other][1]}\n"
        written = set()
        for order in ((one, other), (other, one)):
            known = Targets(ledger_of(*(CASES[name][0] for name in order)))
            fixed = rewriter.fix_bytes("m.py", text.encode(), known)
            assert fixed.status in ("fixed", "unchanged", "skipped"), (one, other)
            assert rewriter.fix_bytes("m.py", fixed.after, known).after == fixed.after, (one, other)
            compile(fixed.after, "m.py", "exec")
            written.add(fixed.after)
        assert len(written) == 1, (one, other)


class Asked:
    """A finder that finds nothing and keeps what it is asked for."""

    def __init__(self):
        self.names = []

    def find_spec(self, name, path=None, target=None):
        self.names.append(name)


@pytest.mark.parametrize("name", CASES)
def test_a_use_after_the_first_asks_no_finder_for_anything(shop, ledger_of, monkeypatch, name):
    shown = {row.id: name for name, (row, *_) in CASES.items()}
    with compat.install(ledger_of(CASES[name][0])):
        used(name, f"{name}, first.py", shown)
        asked = Asked()
        monkeypatch.setattr(sys, "meta_path", [asked, *sys.meta_path])
        imported = []
        plain = builtins.__import__

        def imports(target, scope=None, *rest, **options):
            if str((scope or {}).get("__name__", "")).startswith("compat"):
                imported.append(target)
            return plain(target, scope, *rest, **options)

        monkeypatch.setattr(builtins, "__import__", imports)
        used(name, f"{name}, second.py", shown)
        monkeypatch.undo()
    # Since 3.14 what shows a warning asks for ``warnings``, which is loaded. ``shop`` imports us itself, and lazily.
    assert set(imported) <= {"warnings"} and not asked.names
