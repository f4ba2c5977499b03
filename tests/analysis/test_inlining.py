"""Replacements as code: rows, bodies of thin wrappers, and methods of adapters; what is inlined, and what is left and why."""

from __future__ import annotations

import sys
from textwrap import dedent

import pytest

from compat.analysis import fixer, scan
from compat.analysis.documents import explain
from compat.analysis.rewriting import rewriter
from compat.analysis.scanning.scanner import scan_one
from compat.ledger import Class, Deprecated, Ledger, Method, Name, Removed, replacement, templates

TOLD = {"since": "1.0", "removal": "3.0", "instead": None}

LIBRARY = """
import json as js
from inl._parts import hidden
from inl.other import elsewhere

class Cart:
    def __init__(self, user=None): self.user = user
    def add(self, item, qty=1): return (item, qty)
    @property
    def total(self): return self.sum()
    def sum(self): return 0

def make_cart(user): return Cart(user)
async def fetch_cart(user): return Cart(user)
def thin(a, b=2, *rest, c="x", **more): return elsewhere(a, b, *rest, c=c, **more)
def dumped(value): return js.dumps(value)
def thick(a):
    b = a + 1
    return elsewhere(b)
def listed(values): return [value for value in values]
def _inner(a): return a
def private(a): return _inner(a)
def private_module(a): return hidden(a)
def private_attribute(a): return js._default(a)
def unknown(a): return nowhere(a)
try:
    from fast import twofold
except ImportError:
    from inl.other import twofold
def either(a): return twofold(a)
LIMIT = 3
def limited(a, b=LIMIT, c=(LIMIT, 1)): return elsewhere(a, b, c)
def sized(a): return len(a)

class Tray:
    def __init__(self, canonical=None): self.canonical = canonical
    def put(self, item): return self.canonical.add(item)
    def lay(self, item): return self.put(item)
    def leave(self, item): return self.put(item)
class Shelf(Tray):
    def lay(self, item): return ("shelf", item)
"""
ADAPTERS = """
from compat.shim import Adapter, legacy_method
from inl.core import make_cart
def helped(cart, item): return cart.add(item)
class OldCart(Adapter, of="inl.core:Cart", built_by="inl.core:make_cart"):
    @legacy_method(instead="Cart.add(item, qty=n)")
    def addItem(self, item, n=1):
        return self.canonical.add(item, qty=n)
    @legacy_method(instead="two calls of Cart.add")
    def addTwice(self, item):
        self.canonical.add(item)
        return self.canonical.add(item)
    @legacy_method(instead="Cart.add(item)")
    def addHelped(self, item):
        return helped(self.canonical, item)
    @legacy_method(instead="make_cart(cart)")
    def copied(self):
        return make_cart(self)
    @legacy_method(instead="make_cart(None)")
    def fresh(self):
        return make_cart(None)
"""
OLD_CART = Class("inl_old:Cart", "inl.core:Cart", adapter="inl_adapters:OldCart", **TOLD)


@pytest.fixture
def library(tmp_path, monkeypatch):
    (tmp_path / "inl").mkdir()
    (tmp_path / "inl" / "__init__.py").write_text("")
    (tmp_path / "inl" / "core.py").write_text(LIBRARY)
    (tmp_path / "inl" / "_parts.py").write_text("def hidden(a): return a\n")
    (tmp_path / "inl" / "other.py").write_text("def elsewhere(*a, **k): return a, k\ndef twofold(a): return a\n")
    (tmp_path / "inl_adapters.py").write_text(ADAPTERS)
    monkeypatch.syspath_prepend(str(tmp_path))
    yield tmp_path
    for name in [name for name in sys.modules if name.partition(".")[0] in ("inl", "inl_adapters")]:
        del sys.modules[name]


def ledger(*rows) -> Ledger:
    made = Ledger("inl", version="1.5", docs="")
    made += rows
    return made


def fixed(rows, text, module="user"):
    outcome = rewriter.fix_text(dedent(text), ledger(*rows), module=module)
    return outcome.after.decode(), [skip.reason for skip in outcome.skips], outcome.status


IN1D = Name("nump:in1d", "nump:isin", replacement="np.isin({a}, {b}).ravel()", imports="import nump as np", **TOLD)

REWRITES = {
    "a function, by name and by module": (
        [IN1D],
        """
        import nump
        from nump import in1d

        print(in1d(x, [1]), nump.in1d(1, 2))
        """,
        """
        import nump

        print(nump.isin(x, [1]).ravel(), nump.isin(1, 2).ravel())
        """,
    ),
    "calls within calls": (
        [IN1D],
        """
        from nump import in1d
        print(in1d(in1d(f(1), 2), in1d(3, 4)))
        """,
        """
        import nump as np
        print(np.isin(np.isin(f(1), 2).ravel(), np.isin(3, 4).ravel()).ravel())
        """,
    ),
    "arguments over several lines": (
        [IN1D],
        """
        from nump import in1d
        print(
            in1d(
                first(),
                b=second(),
            )
        )
        """,
        """
        import nump as np
        print(
            np.isin(
                first(),
                second(),
            ).ravel()
        )
        """,
    ),
    "an expression over several lines": (
        [
            Deprecated(
                "inl.core:thick",
                replacement="""
                    elsewhere(
                        {a},
                        "b  c",
                    )
                """,
                imports="from inl.other import elsewhere",
                **TOLD,
            )
        ],
        """
        from inl.core import thick
        x = thick(1)
        """,
        """
        from inl.other import elsewhere
        x = elsewhere(1, "b  c")
        """,
    ),
    "within f-strings that it does not break": (
        [IN1D],
        """
        import nump
        print(f"{nump.in1d(x, 1)} and {nump.in1d(x, b=[1, 2])!r}")
        """,
        """
        import nump
        print(f"{nump.isin(x, 1).ravel()} and {nump.isin(x, [1, 2]).ravel()!r}")
        """,
    ),
    "an own attribute called canonical": (
        [Deprecated("inl.core:Tray.put", **TOLD)],
        """
        from inl.core import Tray
        Tray(cart).put(1)
        """,
        """
        from inl.core import Tray
        Tray(cart).canonical.add(1)
        """,
    ),
    "a method of an adapter that needs a public function": (
        [OLD_CART],
        """
        from inl_old import Cart
        def f():
            cart = Cart()
            return cart.fresh()
        """,
        """
        from inl.core import make_cart
        def f():
            cart = make_cart()
            return make_cart(None)
        """,
    ),
    "a method that a class beside it overrides, and one that none does": (
        [Deprecated("inl.core:Tray.leave", **TOLD)],
        """
        from inl.core import Tray
        def f(tray: Tray): return tray.leave(1)
        """,
        """
        from inl.core import Tray
        def f(tray: Tray): return tray.put(1)
        """,
    ),
    "an operator of lower rank": (
        [Deprecated("inl.core:thick", replacement="{a} + 1", **TOLD)],
        """
        from inl.core import thick
        x = thick(1) * thick(a or b)
        """,
        """
        x = (1 + 1) * ((a or b) + 1)
        """,
    ),
    "the body of a thin wrapper": (
        [Deprecated("inl.core:thin", **TOLD), Deprecated("inl.core:dumped", **TOLD)],
        """
        import json
        from inl.core import dumped, thin
        thin(1)
        thin(1, 2, 3, *more, c=5, **named)
        print(dumped([1]))
        """,
        """
        import json
        from inl.other import elsewhere
        elsewhere(1, 2, c='x')
        elsewhere(1, 2, 3, *more, c=5, **named)
        print(json.dumps([1]))
        """,
    ),
    "a property": (
        [Deprecated("inl.core:Cart.total", **TOLD)],
        """
        from inl.core import Cart
        cart = Cart()
        print(cart.total + Cart(1).total)
        """,
        """
        from inl.core import Cart
        cart = Cart()
        print(cart.sum() + Cart(1).sum())
        """,
    ),
    "a method that became a function": (
        [
            Method(
                "inl.core:Cart.wrap",
                "inl.core:Cart.add",
                replacement="wrap({self}, {n})",
                imports="from inl.other import wrap",
                **TOLD,
            )
        ],
        """
        from inl.core import Cart
        Cart().wrap(1).wrap
        def f(cart: Cart):
            return cart.wrap(n=2)
        """,
        """
        from inl.core import Cart
        from inl.other import wrap
        wrap(Cart(), 1).wrap
        def f(cart: Cart):
            return wrap(cart, 2)
        """,
    ),
    "what was removed": (
        [
            Removed(
                "inl.core:gone",
                since="1.0",
                instead=None,
                replacement="elsewhere({y}, {x})",
                imports="from inl.other import elsewhere",
                parameters="x, y=None",
            )
        ],
        """
        from inl.core import Cart, gone
        print(gone(1), Cart)
        """,
        """
        from inl.core import Cart
        from inl.other import elsewhere
        print(elsewhere(None, 1), Cart)
        """,
    ),
    "an async replacement in an async function": (
        [
            Name(
                "inl_old:send",
                "inl.core:fetch_cart",
                replacement="(await fetch_cart({user})).add({item})",
                parameters="user, item",
                **TOLD,
            )
        ],
        """
        from inl_old import send
        async def f(user):
            send(user, "x")
            y = send(user, item="z")
        """,
        """
        from inl.core import fetch_cart
        async def f(user):
            (await fetch_cart(user)).add("x")
            y = (await fetch_cart(user)).add("z")
        """,
    ),
    "a class, its construction and the methods of its adapter": (
        [
            Class(
                "inl_old:Cart",
                "inl.core:Cart",
                adapter="inl_adapters:OldCart",
                replacement="make_cart({user})",
                imports="from inl.core import make_cart",
                **TOLD,
            )
        ],
        """
        from inl_old import Cart
        def f(user) -> "Cart":
            cart = Cart(user)
            cart.addItem("x", 3)
            return cart
        """,
        """
        from inl.core import Cart, make_cart
        def f(user) -> "Cart":
            cart = make_cart(user)
            cart.add("x", qty=3)
            return cart
        """,
    ),
}

NODE = Removed("inl.core:Cart.node", since="1.0", instead=None, replacement="{self}.nodes")
VALUES = ["{}[0]", "len(*{})", "[n for n in {}]", "3 in {}", "{} + 1", "{}.items()"]
for _value in VALUES:
    _text = f"from inl.core import Cart\ndef f(cart: Cart):\n    return {_value}\n"
    REWRITES[f"a removed attribute: {_value}"] = ([NODE], _text.format("cart.node"), _text.format("cart.nodes"))
    was = Name("inl.core:Cart.node", "inl.core:Cart.nodes", replacement="{self}.nodes", **TOLD)
    REWRITES[f"an attribute: {_value}"] = ([was], _text.format("cart.node"), _text.format("cart.nodes"))
REWRITES["an attribute that is handed on"] = (
    [was],
    "from inl.core import Cart\ndef f(cart: Cart):\n    return cart.node, str(cart.node), cart.node()\n",
    "from inl.core import Cart\ndef f(cart: Cart):\n    return cart.nodes, str(cart.nodes), cart.nodes()\n",
)


@pytest.mark.parametrize("rows, before, after", REWRITES.values(), ids=REWRITES)
def test_calls_become_the_code_of_their_replacement(library, rows, before, after):
    text, reasons, status = fixed(rows, before)
    assert text == dedent(after), reasons
    again, _reasons, status = fixed(rows, text)
    assert status != "fixed", again


LEFT = {
    "handed on": ([IN1D], "from nump import in1d\nmap(in1d, x)\n", "handed on here, and not called"),
    **{
        f"what may be a method: {use}": (
            [NODE],
            f"from inl.core import Cart\ndef f(cart: Cart):\n    return {use}\n",
            "handed on here, and not called",
        )
        for use in ("cart.node", "map(cart.node, x)", "cart.node == f", "not cart.node", "cart.node.__name__", "'%s' % cart.node")
    },
    "a removed attribute that is assigned": (
        [NODE],
        "from inl.core import Cart\ndef f(cart: Cart):\n    cart.node = 3\n",
        "handed on here, and not called",
    ),
    "unpacked": ([IN1D], "from nump import in1d\nin1d(*x)\n", "its arguments are unpacked"),
    "too many": ([IN1D], "from nump import in1d\nin1d(1, 2, 3)\n", "takes 2 positional arguments, and 3 are given"),
    "too few": ([IN1D], "from nump import in1d\nin1d(1)\n", "b is not given"),
    "an unknown keyword": ([IN1D], "from nump import in1d\nin1d(1, 2, invert=True)\n", "has no parameter invert"),
    "another order": ([IN1D], "from nump import in1d\nin1d(b=f(), a=g())\n", "computed in another order"),
    "an assignment": ([IN1D], "from nump import in1d\nin1d((x := 1), x)\n", "assigns or yields"),
    "a comment": ([IN1D], "from nump import in1d\nin1d(1,  # one\n     2)\n", "a comment stands within the call"),
    "a captured name": ([IN1D], "from nump import in1d\ndef f(np):\n    return in1d(np, 1)\n", "np means something else here"),
    "a captured builtin": (
        [Deprecated("inl.core:sized", **TOLD)],
        "from inl.core import sized\ndef f(len):\n    return sized(len)\n",
        "len means something else here",
    ),
    "a builtin of a row that is captured": (
        [Deprecated("inl.core:sized", replacement="sum({a})", **TOLD)],
        "from inl.core import sized\nsum = 1\nsized([sum])\n",
        "sum means something else here",
    ),
    "quotes in an f-string": (
        [Deprecated("inl.core:thin", **TOLD)],
        "from inl.core import thin\nprint(f'{thin(1)}')\n",
        "within an f-string, which its replacement would break",
    ),
    "an f-string that shows its text": ([IN1D], "from nump import in1d\nprint(f'{in1d(1, 2)=}')\n", "that shows its text"),
    "an f-string over several lines": (
        [IN1D],
        "from nump import in1d\nprint(f'''{x}\n {in1d(\n1, 2)}''')\n",
        "within an f-string",
    ),
    "a default that is a name": (
        [Deprecated("inl.core:limited", **TOLD)],
        "from inl.core import limited\nlimited(1, c=2)\n",
        "the default of b is no literal",
    ),
    "a default that holds a name": (
        [Deprecated("inl.core:limited", **TOLD)],
        "from inl.core import limited\nlimited(1, 2)\n",
        "the default of c is no literal",
    ),
    "an override in the library": (
        [Deprecated("inl.core:Tray.lay", **TOLD)],
        "from inl.core import Tray\ndef f(tray: Tray):\n    return tray.lay(1)\n",
        "inl.core.Shelf overrides it",
    ),
    "an override in the file": (
        [Deprecated("inl.core:Tray.leave", **TOLD)],
        "from inl.core import Tray\nclass Box(Tray):\n    def leave(self, item): return 0\n"
        "def f(tray: Tray):\n    return tray.leave(1)\n",
        "a method of a subclass that overrides it",
    ),
    "a helper beside the adapter": ([OLD_CART], "from inl_old import Cart\nCart(c).addHelped(1)\n", ".addHelped is used here"),
    "an adapter that is handed on": ([OLD_CART], "from inl_old import Cart\nCart(c).copied()\n", ".copied is used here"),
    "a private module": (
        [Deprecated("inl.core:private_module", **TOLD)],
        "from inl.core import private_module\nprivate_module(1)\n",
        "by hand",
    ),
    "a private attribute": (
        [Deprecated("inl.core:private_attribute", **TOLD)],
        "from inl.core import private_attribute\nprivate_attribute(1)\n",
        "by hand",
    ),
    "a name that nothing binds": (
        [Deprecated("inl.core:unknown", **TOLD)],
        "from inl.core import unknown\nunknown(1)\n",
        "by hand",
    ),
    "a name of two imports": ([Deprecated("inl.core:either", **TOLD)], "from inl.core import either\neither(1)\n", "by hand"),
    "a guarded use": (
        [IN1D],
        "import nump\nif hasattr(nump, 'in1d'):\n    nump.in1d(1, 2)\n",
        "is tested before it",
    ),
    "a patch": (
        [IN1D],
        "import nump\nfrom unittest import mock\nwith mock.patch('nump.in1d'):\n    nump.in1d(1, 2)\n",
        "a patch of it",
    ),
    "a star import": ([IN1D], "from nump import *\nin1d(1, 2)\n", ""),
    "a body of two statements": ([Deprecated("inl.core:thick", **TOLD)], "from inl.core import thick\nthick(1)\n", "by hand"),
    "a body that is no call": ([Deprecated("inl.core:listed", **TOLD)], "from inl.core import listed\nlisted(1)\n", "by hand"),
    "a private helper": ([Deprecated("inl.core:private", **TOLD)], "from inl.core import private\nprivate(1)\n", "by hand"),
    "a method of an adapter with two statements": (
        [Class("inl_old:Cart", "inl.core:Cart", adapter="inl_adapters:OldCart", **TOLD)],
        "from inl_old import Cart\nCart(ctx).addTwice(1)\n",
        ".addTwice is used here",
    ),
    "await in a plain function": (
        [Name("inl_old:send", "inl.core:fetch_cart", replacement="await fetch_cart({user})", **TOLD)],
        "from inl_old import send\ndef f(u):\n    send(u)\n",
        "this is no async function",
    ),
    "an awaited call whose replacement is plain": (
        [Name("inl_old:send", "inl.core:make_cart", replacement="make_cart({user})", **TOLD)],
        "from inl_old import send\nasync def f(u):\n    await send(u)\n",
        "that of its replacement is not",
    ),
    "an expression that is none": (
        [Name("inl_old:send", "inl.core:make_cart", replacement="make_cart({user}", **TOLD)],
        "from inl_old import send\nsend(1)\n",
        "cannot be inlined",
    ),
}


@pytest.mark.parametrize("rows, text, reason", LEFT.values(), ids=LEFT)
def test_what_cannot_be_inlined_is_left_with_the_reason(library, rows, text, reason):
    after, reasons, status = fixed(rows, text)
    assert after == text
    assert status == "skipped"
    assert any(reason in said for said in reasons), reasons
    if "import *" not in text:
        skips = fixer.fix_given("m.py", text.encode(), ledger(*rows)).outcomes[0].skips
        found = {(item.line, item.column, item.symbol) for item in scan_one("m.py", text.encode(), ledger(*rows)).findings}
        assert {(skip.line, skip.column, skip.symbol) for skip in skips if not skip.is_detail} == found


def test_accepted_debt_of_an_import_covers_what_is_read_by_its_name(library, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    text = "from nump import in1d\nin1d(1)\nin1d(2)\n"
    skips = fixer.fix_given("m.py", text.encode(), ledger(IN1D)).outcomes[0].skips
    assert [(skip.line, skip.is_detail) for skip in skips] == [(1, False), (2, True), (3, True)]


def test_a_name_that_others_take_from_here_stays(library, tmp_path):
    tree = tmp_path / "tree"
    tree.mkdir()
    (tree / "app.py").write_text("from nump import in1d\n\n\ndef f(x):\n    return in1d(x, 1)\n")
    (tree / "test_app.py").write_text("from unittest import mock\n\nimport app\n\nwith mock.patch('app.in1d'):\n    app.f(1)\n")
    result = fixer.fix([str(tree)], ledger(IN1D), write=True)
    assert not result.written
    assert any("by this name" in skip.reason for skip in result.skips)
    (tree / "app.py").write_text("import nump\nfrom nump import in1d\n\n\ndef f(x):\n    return in1d(x, 1), nump.in1d(x, 2)\n")
    result = fixer.fix([str(tree)], ledger(IN1D), verify=True)
    assert (result.problems, [outcome.status for outcome in result.outcomes]) == ([], ["fixed"])


def test_what_inlined_code_uses_is_rewritten_in_the_same_run(library):
    rows = ledger(
        Removed("nump:old", since="1.0", instead=None, replacement="nump.in1d({a}, {b})", imports="import nump"),
        Removed("nump:loop", since="1.0", instead=None, replacement="nump.loop({a} + 1)", imports="import nump"),
        IN1D,
    )
    made = rewriter.fix_text("import nump\nnump.old(1, 2)\n", rows)
    assert made.after == rewriter.fix_text("import nump\nnump.in1d(1, 2)\n", rows).after != made.before
    assert rewriter.fix_text(made.after.decode(), rows).status == "unchanged"
    assert rewriter.fix_text("import nump\nnump.loop(1)\n", rows).after == b"import nump\nnump.loop(1 + 1)\n"


def tree_of(tmp_path, **files):
    (tmp_path / "tree").mkdir()
    (tmp_path / "tree" / "__init__.py").touch()
    for name, text in files.items():
        (tmp_path / "tree" / f"{name}.py").write_text(text)
    return str(tmp_path / "tree")


def test_what_is_taken_from_a_module_that_keeps_the_name_is_left_with_the_reason(library, tmp_path):
    tree = tree_of(
        tmp_path,
        given="from nump import in1d\n__all__ = ['in1d']\n",
        further="from .given import in1d\nimport tree.given\nin1d(1, 2)\n",
        last="from tree.further import in1d as old, other\nold(1, 2)\n",
    )
    result = fixer.fix([tree], ledger(IN1D), write=True, verify=True)
    found = {(item.path, item.line, item.column) for item in scan([tree], ledger(IN1D)).findings}
    assert {(skip.path, skip.line, skip.column) for skip in result.skips} == found
    assert (len(found), result.written, result.problems) == (4, [], [])


def test_a_name_that_no_file_takes_once_all_are_rewritten_goes_in_the_first_run(library, tmp_path):
    code = "from nump import in1d\n\n\ndef f(x):\n    return in1d(x, 1)\n"
    tree = tree_of(tmp_path, one=code, two=f"from tree.one import f as g\n{code}", three=f"import tree.two\n{code}")
    result = fixer.fix([tree], ledger(IN1D), write=True, verify=True)
    assert (len(result.written), result.skips, result.problems) == (3, [], [])
    assert fixer.fix([tree], ledger(IN1D)).outcomes == []


def test_a_patch_in_another_file_keeps_the_name(library, tmp_path):
    tree = tmp_path / "tree"
    tree.mkdir()
    (tree / "app.py").write_text("import nump\n\n\ndef f(x):\n    return nump.in1d(x, 1)\n")
    (tree / "test_app.py").write_text("from unittest import mock\n\nwith mock.patch('nump.in1d'):\n    pass\n")
    assert not fixer.fix([str(tree)], ledger(IN1D), write=True).written


def test_a_subclass_in_another_file_keeps_the_calls_of_what_it_overrides(library, tmp_path):
    tree = tmp_path / "tree"
    tree.mkdir()
    (tree / "app.py").write_text("from inl.core import Tray\n\n\ndef f(tray: Tray):\n    return tray.leave(1)\n")
    rows = ledger(Deprecated("inl.core:Tray.leave", **TOLD))
    assert len(fixer.fix([str(tree)], rows).outcomes) == 1
    assert fixer.fix([str(tree)], rows).outcomes[0].status == "fixed"
    (tree / "box.py").write_text(
        "from inl.core import Tray\n\n\nclass Box(Tray):\n    def leave(self, item):\n        return 0\n"
    )
    result = fixer.fix([str(tree)], rows, write=True)
    assert not result.written
    assert any("a subclass that overrides it" in skip.reason for skip in result.skips)


FAULTS = {
    "no expression": ({"replacement": "new({a}"}, "it is no expression"),
    "a lambda": ({"replacement": "new(lambda: {a})"}, "a scope of its own"),
    "an assignment": ({"replacement": "(x := {a})"}, "it yields or assigns"),
    "an f-string": ({"replacement": "f'{{{a}}}'"}, "an f-string holds {a}"),
    "an odd place": ({"replacement": "new({a b})"}, "names no parameter"),
    "an f-string that reads a name": ({"replacement": "print(f'{{int}}', {a})"}, "an f-string holds int"),
    "lines that cannot be joined": ({"replacement": "int({a},\n  # one\n 2)"}, "over several lines"),
    "a default that is no literal": ({"replacement": "int({a})", "parameters": "a=int"}, "the default of a is no literal"),
    "a default that holds a name": (
        {"replacement": "int({a})", "parameters": "*, a=(1, -int)"},
        "the default of a is no literal",
    ),
    "no such parameter": ({"replacement": "int({z})", "parameters": "a"}, "{z} is no parameter"),
    "odd parameters": ({"replacement": "int({a})", "parameters": "a b"}, "are no parameters"),
    "an unbound name": ({"replacement": "new({a})"}, "nothing binds new"),
    "an odd import": ({"replacement": "new({a})", "imports": "new"}, "is no import statement"),
    "an import of nothing": ({"replacement": "new({a})", "imports": "from inl.core import new"}, "is missing"),
    "parameters alone": ({"parameters": "a"}, "without a replacement"),
}


@pytest.mark.parametrize("given, reason", FAULTS.values(), ids=FAULTS)
def test_check_says_what_cannot_be_inlined(library, given, reason):
    found = list(templates.faults(Name("inl_old:x", "inl.core:Cart", **given, **TOLD)))
    assert len(found) == 1 and reason in found[0][0] and found[0][1]


def test_a_sound_replacement_has_no_faults_and_words_the_advice(library):
    row = Name("inl_old:x", "inl.core:make_cart", replacement="make_cart({user}).add({{1: 2}})", **TOLD)
    assert not list(templates.faults(row))
    assert replacement(row) == "Write make_cart(user).add({1: 2}) instead."


@pytest.mark.parametrize(
    "row, call, after",
    [
        ({"replacement": "[{b}, {a}]", "parameters": "a, b=2"}, "gone(a, b)", "[b, a]"),
        ({"replacement": "sorted({a}, key={b})"}, "gone(a, b)", "sorted(a, key=b)"),
        ({"replacement": "wrap({a})", "imports": "from inl.other import wrap"}, "gone(a)", "wrap(a)"),
        ({"replacement": "str(1)"}, "gone()", "str(1)"),
    ],
)
def test_an_explanation_shows_what_a_call_becomes(row, call, after):
    ledger = Ledger("inl", version="1.5") + [Removed("inl.core:gone", since="1.0", instead=None, **row)]
    told = explain.explain(ledger, "inl.core:gone", [])
    assert told.before.splitlines()[-1] == call and told.after.splitlines()[-1] == after
