"""What stays where it is: it works as before, and each use is warned at the user's line and counted."""

from __future__ import annotations

import copy
import functools
import importlib
import inspect
import pickle
import sys
import warnings

import pytest

import compat
from compat import Argument, Deprecated, LegacyExpiredError, Method, Name

V = {"since": "1.0", "removal": "2.0", "instead": None}

SHOP = '''
import abc
import dataclasses
import enum
import functools
from typing import NamedTuple

LIMIT = 10
TABLE = functools.partial(int, base=2)


def total(prices, tax=0, *, rounded=True):
    """Sum up."""
    return sum(prices) + tax, rounded


def both():
    return total([1]), LIMIT


async def fetch(x):
    return x


def count(n):
    yield from range(n)


@functools.lru_cache(maxsize=None)
def cached(x):
    return x


class Basket:
    """A basket."""

    SIZE = 3

    def __init__(self, owner, size=1):
        self.owner, self.size = owner, size

    def add(self, item):
        return item

    @classmethod
    def of(cls, owner):
        return cls(owner)

    @staticmethod
    def kinds():
        return ["plain"]

    @property
    def weight(self):
        return self.size

    @weight.setter
    def weight(self, value):
        self.size = value

    @functools.cached_property
    def label(self):
        return f"of {self.owner}"


class Bare:
    pass


class Slim:
    __slots__ = ("x",)


class Failure(Exception):
    pass


@dataclasses.dataclass(frozen=True)
class Point:
    x: int = 0


class Pair(NamedTuple):
    a: int
    b: int = 2


class Shape(abc.ABC):
    @abc.abstractmethod
    def area(self): ...


class Meta(type):
    def __call__(cls, *args):
        return super().__call__(*args)

    def __new__(mcs, *args):
        return super().__new__(mcs, *args)


class Odd(metaclass=Meta):
    pass


class Color(enum.Enum):
    RED = 1
    BLUE = 2


class Mode(enum.Enum):
    A = 1
'''


@pytest.fixture
def shop(world, installed):
    """A package with a module of everything; its rows are installed before it is imported."""
    world.write("live/shop.py", SHOP)
    world.write("live/past/__init__.py", "def go():\n    return 'gone'\n")
    world.write("live/past/deep.py", "VALUE = 1\n")

    def install(*rows, **options):
        return installed(*rows, **options)

    yield install
    sys.modules.pop("live.shop", None)


def row(path, **more):
    return Deprecated(f"live.shop:{path}", **{**V, **more})


def test_a_function_works_and_each_call_is_seen_at_its_line(world, shop):
    shop(row("total", instead="grand_total()"))
    seen = world.ok("from live.shop import total\nresult = total([1, 2], tax=1)\n")
    assert seen.once(("live.shop:total", "call", 2))["result"] == (4, True)
    assert seen.warned == [
        (
            2,
            "Calling total() of 'live.shop' is deprecated since kit 1.0 and will be removed in 2.0. Use grand_total() instead."
            " See MIGRATION.md.",
        )
    ]


def test_a_function_keeps_what_can_be_asked_of_it(world, shop):
    shop(row("total"), row("fetch"), row("count"))
    found = importlib.import_module("live.shop")
    assert str(inspect.signature(found.total)) == "(prices, tax=0, *, rounded=True)"
    assert (found.total.__name__, found.total.__doc__, found.total.__module__) == ("total", "Sum up.", "live.shop")
    assert inspect.getsource(found.total).startswith("def total(prices")
    assert inspect.iscoroutinefunction(found.fetch) and inspect.isgeneratorfunction(found.count)
    assert pickle.loads(pickle.dumps(found.total)) is found.total


@pytest.mark.parametrize("filters", ["ignore", "default", "always", "once", "module"])
def test_each_call_counts_under_every_filter(world, shop, filters):
    shop(row("total"))
    seen = world.ok("import live.shop\nfor _ in range(50):\n    live.shop.total([1])\n", filters=filters)
    assert seen.counted() == {("live.shop:total", "call", 3): 50}


def test_a_call_by_the_library_itself_is_one_too(world, shop):
    shop(row("total"))
    seen = world.ok("import live.shop\nresult = live.shop.both()\n", elsewhere=True)
    assert [warning.filename for warning in seen.recorded] == [str(world.root / "live" / "shop.py")]


def test_an_async_function_and_a_generator_are_counted_where_they_are_called(world, shop):
    shop(row("fetch"), row("count"))
    seen = world.ok("import asyncio\nfrom live.shop import fetch, count\na = asyncio.run(fetch(3))\nb = list(count(2))\n")
    names = seen.once(("live.shop:fetch", "call", 3), ("live.shop:count", "call", 4))
    assert (names["a"], names["b"]) == (3, [0, 1])


@pytest.mark.skipif(sys.implementation.name == "pypy", reason="what `lru_cache` makes is a function in Python")
def test_what_is_called_but_is_no_function_stays_the_object_itself_and_is_seen_where_it_is_read(world, shop):
    shop(row("cached"), row("TABLE"))
    seen = world.ok("import live.shop\na = live.shop.cached(1)\nlive.shop.cached.cache_clear()\nfrom live.shop import TABLE\n")
    names = seen.once(
        ("live.shop:cached", "attribute", 2), ("live.shop:cached", "attribute", 3), ("live.shop:TABLE", "import", 4)
    )
    assert type(names["TABLE"]) is functools.partial


def test_a_constant_is_seen_from_outside_and_its_module_reads_it_as_before(world, shop):
    shop(row("LIMIT"))
    seen = world.ok("import live.shop\nfrom live.shop import LIMIT\nlimit = live.shop.LIMIT\nresult = live.shop.both()[1]\n")
    names = seen.once(("live.shop:LIMIT", "import", 2), ("live.shop:LIMIT", "attribute", 3))
    assert (names["LIMIT"], names["limit"], names["result"]) == (10, 10, 10)


def test_each_read_of_a_constant_in_code_that_the_interpreter_has_specialised_is_seen(world, shop):
    world.write("live/shop.py", SHOP + "def __getattr__(name):\n    return f'own {name}'\n")
    world.write("live/plain/__init__.py", "LIMIT, OTHER = 10, 1\n")
    shop(row("LIMIT"), Deprecated("live.plain:LIMIT", **V), Name("live.plain.gone:X", "live.shop:LIMIT", **V))
    seen = world.ok(
        """\
        import live.plain, live.shop
        def read():
            return live.shop.LIMIT, live.plain.LIMIT, live.plain.OTHER, live.shop.what, live.plain.gone.X
        results = {read() for _ in range(20)}
        """
    )
    assert seen.namespace["results"] == {(10, 10, 1, "own what", 10)}
    assert seen.counted("attribute") == {
        ("live.shop:LIMIT", "attribute", 3): 20,
        ("live.plain:LIMIT", "attribute", 3): 20,
        ("live.plain.gone:X", "attribute", 3): 20,
    }


@pytest.mark.parametrize("source", ["live.shop.LIMIT", "getattr(live.shop, 'LIMIT')", "live.shop.LIMIT + 1"])
def test_each_read_of_an_expired_constant_raises(world, shop, source):
    shop(row("LIMIT"), version="2.0")
    seen = world.ok(
        f"""\
        import live.shop
        def read():
            try:
                return {source}
            except AttributeError as error:
                return "has expired" in str(error)
        results = [read() for _ in range(5)]
        """
    )
    assert seen.namespace["results"] == [True] * 5
    assert seen.counted("attribute") == {("live.shop:LIMIT", "attribute", 4): 5}


def test_a_constant_can_be_set_patched_and_deleted(world, shop):
    shop(row("LIMIT"))
    seen = world.ok(
        """\
        import live.shop
        from unittest import mock
        live.shop.LIMIT = 11
        own = live.shop.both()[1]
        with mock.patch("live.shop.LIMIT", 12):
            patched = live.shop.both()[1]
        after = live.shop.both()[1]
        del live.shop.LIMIT
        missing = not hasattr(live.shop, "LIMIT")
        """
    )
    assert [seen.namespace[name] for name in ("own", "patched", "after", "missing")] == [11, 12, 11, True]
    assert seen.counted("set") == {("live.shop:LIMIT", "set", 3): 1}


CONSTRUCTED = [
    ("Basket", "('ann', size=2)"),
    ("Bare", "()"),
    ("Slim", "()"),
    ("Failure", "('no', 1)"),
    ("Point", "(3)"),
    ("Pair", "(1)"),
    ("Odd", "()"),
    ("Mode", "(1)"),
]


@pytest.mark.parametrize("name, arguments", CONSTRUCTED)
def test_a_construction_is_seen_and_gives_what_it_gave(world, shop, name, arguments):
    shop(row(name))
    seen = world.ok(f"from live.shop import {name}\nmade = {name}{arguments}\n")
    names = seen.once((f"live.shop:{name}", "construct", 2))
    assert type(names["made"]) is names[name]


def test_a_class_keeps_identity_type_signature_pickles_and_except(world, shop):
    world.write("live/shop.py", SHOP)
    plain = importlib.import_module("live.shop")
    kinds = {name: getattr(plain, name) for name, _ in CONSTRUCTED}
    shown = {name: str(inspect.signature(kind)) for name, kind in kinds.items() if name not in ("Mode", "Failure")}
    basket = plain.Basket("ann")
    dumped = pickle.dumps(basket)
    shop(*(row(name) for name in kinds))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert all(getattr(plain, name) is kind for name, kind in kinds.items())
        assert {name: str(inspect.signature(kind)) for name, kind in kinds.items() if name in shown} == shown
        assert isinstance(basket, plain.Basket) and type(plain.Basket) is type
        assert vars(pickle.loads(dumped)) == vars(basket) == vars(copy.copy(basket))
    with pytest.warns(compat.LegacyUseWarning, match=r"^Constructing Failure from 'live\.shop'"), pytest.raises(plain.Failure):
        raise plain.Failure("no")
    with pytest.warns(compat.LegacyUseWarning), pytest.raises(TypeError, match=r"^Bare\(\) takes no arguments$"):
        plain.Bare(1)


def test_subclassing_is_seen_at_the_class_statement_and_instances_of_a_subclass_are_its_own(world, shop):
    shop(row("Basket"), row("Shape"), row("Odd"))
    seen = world.ok(
        """\
        from live.shop import Basket, Odd, Shape
        class Mine(Basket):
            def __init__(self):
                super().__init__("me")
        class Square(Shape):
            def area(self): return 1
        class Odder(Odd): pass
        class Again(Mine): pass
        mine, again, square, odd = Mine(), Again(), Square(), Odder()
        """
    )
    uses = [("live.shop:Basket", 2), ("live.shop:Shape", 5), ("live.shop:Odd", 7)]
    names = seen.once(*((path, "subclass", line) for path, line in uses))
    assert (names["mine"].owner, names["square"].area()) == ("me", 1)


@pytest.mark.parametrize(
    "on, uses",
    [
        ("construct", {("live.shop:Basket", "construct", 2)}),
        ("subclass", {("live.shop:Basket", "subclass", 3)}),
        (("construct", "subclass"), {("live.shop:Basket", "construct", 2), ("live.shop:Basket", "subclass", 3)}),
    ],
)
def test_the_row_says_which_use_of_a_class_is_meant(world, shop, on, uses):
    shop(row("Basket", on=on))
    seen = world.ok("from live.shop import Basket\nBasket('ann')\nclass Mine(Basket): pass\n")
    seen.once(*uses)


def test_a_subclass_that_a_decorator_makes_again_counts_once(world, shop):
    shop(row("Bare"))
    slots = "slots=True" if sys.version_info >= (3, 10) else ""
    seen = world.ok(
        f"import dataclasses\nfrom live.shop import Bare\n@dataclasses.dataclass({slots})\nclass Mine(Bare):\n    x: int = 1\n"
    )
    assert list(seen.counted().values()) == [1]


def test_a_class_method_and_an_init_subclass_of_the_class_go_on_working(world, shop):
    world.write(
        "live/shop.py",
        "class Base:\n    made = []\n    def __init_subclass__(cls, *, tag='', **more):\n        Base.made.append((cls.__name__, tag))\n",
    )
    shop(row("Base"))
    seen = world.ok("from live.shop import Base\nclass Mine(Base, tag='t'): pass\n")
    assert seen.once(("live.shop:Base", "subclass", 2))["Base"].made == [("Mine", "t")]


MEMBERS = [
    ("add", "basket.add(1)", "call", 1),
    ("of", "Basket.of('bob').owner", "call", "bob"),
    ("kinds", "Basket.kinds()", "call", ["plain"]),
    ("weight", "basket.weight", "attribute", 1),
    ("label", "basket.label", "attribute", "of ann"),
    ("SIZE", "Basket.SIZE", "attribute", 3),
    ("SIZE", "basket.SIZE", "attribute", 3),
]


@pytest.mark.parametrize("name, use, kind, value", MEMBERS)
def test_a_member_works_and_each_use_of_it_is_seen(world, shop, name, use, kind, value):
    shop(row(f"Basket.{name}"))
    seen = world.ok(f"from live.shop import Basket\nbasket = Basket('ann')\nfirst = {use}\nsecond = {use}\n")
    path = f"live.shop:Basket.{name}"
    names = seen.once((path, kind, 3), (path, kind, 4))
    assert (names["first"], names["second"]) == (value, value)


def test_a_property_can_be_set_and_a_constant_overridden_by_an_instance(world, shop):
    shop(row("Basket.weight"), row("Basket.SIZE"))
    seen = world.ok(
        "from live.shop import Basket\nbasket = Basket('ann')\nbasket.weight = 5\nbasket.SIZE = 4\nsize = basket.SIZE\n"
        "del basket.SIZE\nagain = basket.SIZE\n"
    )
    names = seen.once(
        ("live.shop:Basket.weight", "set", 3),
        ("live.shop:Basket.SIZE", "attribute", 5),
        ("live.shop:Basket.SIZE", "attribute", 7),
    )
    assert (names["size"], names["again"], names["basket"].size) == (4, 3, 5)


def test_a_member_of_an_enumeration_is_seen_by_attribute_by_name_and_by_value(world, shop):
    shop(row("Color.RED"))
    seen = world.ok(
        """\
        from live.shop import Color
        a = Color.RED
        b = Color["RED"]
        c = Color(1)
        quiet = [Color.BLUE, Color["BLUE"], Color(2), list(Color), len(Color), Color.BLUE in Color, repr(Color)]
        names = list(Color.__members__)
        """
    )
    names = seen.once(*(("live.shop:Color.RED", "attribute", line) for line in (2, 3, 4)))
    assert names["a"] is names["b"] is names["c"] and names["names"] == ["RED", "BLUE"]
    assert names["quiet"][3] == [names["a"], names["Color"](2)]
    assert copy.deepcopy(names["a"]) is names["a"]
    dumped = pickle.dumps(names["a"])
    with pytest.warns(compat.LegacyUseWarning, match=r"^Using Color\.RED from 'live\.shop'"):
        assert pickle.loads(dumped) is names["a"]


IMPORTS = [
    ("import live.past", True),
    ("import live.past as p", True),
    ("from live import past", True),
    ("from live.past import go", True),
    ("import importlib; importlib.import_module('live.past')", True),
    ("import live.past.deep", True),
    ("from live.past.deep import VALUE", True),
]


@pytest.mark.parametrize("statement, is_seen", IMPORTS)
def test_every_import_of_a_module_is_seen_loaded_or_not(world, shop, statement, is_seen):
    shop(Deprecated("live.past", **V))
    first = world.ok(statement + "\n")
    assert list(first.counted().values()) == [1], "as it is loaded"
    for _ in range(2):
        seen = world.ok(f"def again():\n    {statement}\nfor _ in range(3):\n    again()\n")
        if is_seen:
            assert list(seen.counted().items()) == [(("live.past", "import", 2), 3)]
            assert set(seen.lines) == {2}


def test_a_module_stays_itself(world, shop):
    shop(Deprecated("live.past", **V))
    seen = world.ok("import live.past\nresult = live.past.go()\n")
    assert seen.once(("live.past", "import", 1))["result"] == "gone"
    found = sys.modules["live.past"]
    assert type(found).__name__ == "module" and found.__spec__.name == "live.past"
    assert importlib.reload(found) is found


def test_what_is_loaded_already_is_seen_from_now_on_and_left_as_it_was(world, shop):
    world.write("live/shop.py", SHOP)
    found = importlib.import_module("live.shop")
    past = importlib.import_module("live.past")
    importlib.import_module("live.past.deep")
    kept = {name: getattr(found, name) for name in ("total", "LIMIT", "Basket", "Bare", "Color", "Mode")}
    before = {name: dict(vars(getattr(found, name))) for name in ("Basket", "Bare", "Color", "Mode")}
    kind, spec = type(found), type(past.__spec__)
    rows = [
        "total",
        "LIMIT",
        "Bare",
        "Color.RED",
        "Mode",
        *(f"Basket.{name}" for name in ("add", "weight", "SIZE", "of")),
        "Basket",
    ]
    installation = shop(*(row(name) for name in rows), Deprecated("live.past", **V))
    source = """\
        import live.past, live.past.deep, live.shop as shop
        shop.total([1]), shop.LIMIT, shop.Bare(), shop.Color(1), shop.Mode(1), shop.Basket('a').add(1), shop.Basket.SIZE
        class Mine(shop.Bare): pass
        """
    seen = world.ok(source)
    assert {path for path, _kind, _line in seen.counted()} == {
        "live.past",
        *(f"live.shop:{name}" for name in ("total", "LIMIT", "Bare", "Color.RED", "Mode", "Basket", "Basket.add", "Basket.SIZE")),
    }
    installation.remove()
    assert world.ok(source).counted() == {}
    assert {name: getattr(found, name) for name in kept} == kept and type(past.__spec__) is spec
    for name, members in before.items():
        assert {key: value for key, value in vars(getattr(found, name)).items() if key != "__abstractmethods__"} == members
    assert issubclass(type(found), kind)


EXPIRED = [
    ("total([1])", AttributeError, "total"),
    ("LIMIT", AttributeError, "LIMIT"),
    ("Basket('ann')", AttributeError, "Basket"),
    ("Bare", AttributeError, "Bare"),
    ("Basket('ann').add", AttributeError, "Basket.add"),
    ("Basket('ann').weight", AttributeError, "Basket.weight"),
    ("Basket.of", AttributeError, "Basket.of"),
    ("Basket.SIZE", AttributeError, "Basket.SIZE"),
    ("Color.RED", AttributeError, "Color.RED"),
    ("Color['RED']", KeyError, "Color.RED"),
    ("Color.__members__['RED']", KeyError, "Color.RED"),
    ("Color(1)", ValueError, "Color.RED"),
    ("Color(value=1)", ValueError, "Color.RED"),
]


@pytest.mark.parametrize("use, kind, path", EXPIRED)
def test_at_its_removal_every_use_raises_and_is_counted(world, shop, use, kind, path):
    shop(row(path), version="2.0")
    seen = world.use(f"import live.shop\nlive.shop.{use}\n")
    assert isinstance(seen.error, LegacyExpiredError) and isinstance(seen.error, kind)
    assert "has expired: it was deprecated in kit 1.0 and removed in 2.0." in str(seen.error)
    assert [count for (_path, _kind, line), count in seen.counted().items() if line == 2] == [1]


def test_at_its_removal_a_module_cannot_be_imported(world, shop):
    shop(Deprecated("live.past", **V), version="2.0")
    for _ in range(2):
        seen = world.use("import live.past\n")
        assert isinstance(seen.error, ImportError) and isinstance(seen.error, LegacyExpiredError)


def test_under_an_error_filter_the_use_raises_at_its_line_and_is_counted(world, shop):
    shop(row("total"), row("Basket"), row("Color.RED"), Deprecated("live.past", **V))
    for use in ("live.shop.total([1])", "live.shop.Basket('a')", "live.shop.Color.RED", "import live.past"):
        for _ in range(2):
            seen = world.use(f"import live.shop\n{use}\n", filters="error")
            assert isinstance(seen.error, compat.LegacyUseWarning), use
            assert list(seen.counted().values()) == [1], use


def test_a_deprecated_function_keeps_old_arguments_and_old_names_of_its_own(world, shop):
    old = Argument("live.shop:total", "vat", became="tax", **V)
    renamed = Method("live.shop:Basket.put", "live.shop:Basket.add", **V)
    for rows in ([row("total"), old, renamed, row("Basket.add")], [row("Basket.add"), renamed, old, row("total")]):
        installation = shop(*rows)
        seen = world.ok("import live.shop\na = live.shop.total([1], vat=2)\nb = live.shop.Basket('a').put(3)\n")
        assert (seen.namespace["a"], seen.namespace["b"]) == ((3, True), 3)
        assert seen.counted() == {
            ("live.shop:total", "call", 2): 1,
            ("live.shop:total(vat)", "argument", 2): 1,
            ("live.shop:Basket.put", "call", 3): 1,
        }
        installation.remove()


def test_a_deprecated_class_keeps_old_arguments_of_its_constructor(world, shop):
    old = Argument("live.shop:Basket", "buyer", became="owner", **V)
    for rows in ([row("Basket"), old], [old, row("Basket")]):
        installation = shop(*rows)
        seen = world.ok("import live.shop\nbasket = live.shop.Basket(buyer='ann')\n")
        assert seen.namespace["basket"].owner == "ann"
        assert seen.counted() == {
            ("live.shop:Basket", "construct", 2): 1,
            ("live.shop:Basket(buyer)", "argument", 2): 1,
        }
        installation.remove()


def test_a_row_that_cannot_be_served_is_logged_and_the_others_are(world, shop, caplog):
    shop(row("total"), row("Basket.nothing"), Deprecated("builtins:int", **V))
    seen = world.ok("import live.shop\nlive.shop.total([1])\n")
    assert seen.counted() == {("live.shop:total", "call", 2): 1}
    told = [record.getMessage() for record in caplog.records if record.name == "compat"]
    assert [line.partition(":")[0] + line.partition(" is not served")[1] for line in told] == ["ledger 'kit' is not served"] * 2


def test_a_constant_of_a_module_that_cannot_be_observed_is_told_in_the_log(shop, caplog, monkeypatch):
    class Sealed(type(sys)):
        def __setattr__(self, name, value):
            raise TypeError(f"{name} is read-only")

    monkeypatch.setitem(sys.modules, "sealed", Sealed("sealed"))
    vars(sys.modules["sealed"])["LIMIT"] = 1
    shop(Deprecated("sealed:LIMIT", **V))
    told = [record.getMessage() for record in caplog.records if record.name == "compat"]
    assert told == [
        "ledger 'kit': Deprecated('sealed:LIMIT') is not served: it cannot be put in place (TypeError: reads of module 'sealed'"
        " cannot be seen: its type keeps its instances to itself); correct the row, or delete it"
    ]
    assert sys.modules["sealed"].LIMIT == 1


MARKED = """
import compat
from live.rows import ADD, BASKET, TOTAL, WEIGHT, KINDS


@compat.deprecated(TOTAL)
def total(prices):
    return sum(prices)


@compat.deprecated(BASKET)
class Basket:
    @compat.deprecated(ADD)
    def add(self, item):
        return item

    @compat.deprecated(WEIGHT)
    @property
    def weight(self):
        return 7

    @compat.deprecated(KINDS)
    @staticmethod
    def kinds():
        return []
"""
ROWS = """
from compat import Deprecated, Ledger

V = {"since": "1.0", "removal": "2.0", "instead": "something else"}
TOTAL = Deprecated("live.marked:total", **V)
BASKET = Deprecated("live.marked:Basket", on="construct", **V)
ADD = Deprecated("live.marked:Basket.add", **V)
WEIGHT = Deprecated("live.marked:Basket.weight", **V)
KINDS = Deprecated("live.marked:Basket.kinds", **V)
LEDGER = Ledger("kit", version="1.5", rows=[TOTAL, BASKET, ADD, WEIGHT, KINDS])
"""
USE_MARKED = """\
import live.marked as m
m.total([1])
basket = m.Basket()
basket.add(1), m.Basket.kinds()
basket.weight
"""


@pytest.mark.parametrize("is_installed", [True, False], ids=["installed", "alone"])
def test_the_decorator_marks_at_the_definition_from_the_same_row(world, is_installed):
    world.write("live/marked.py", MARKED)
    world.write("live/rows.py", ROWS)
    rows = importlib.import_module("live.rows")
    installation = compat.install(rows.LEDGER) if is_installed else None
    seen = world.ok(USE_MARKED)
    assert seen.counted() == {
        ("live.marked:total", "call", 2): 1,
        ("live.marked:Basket", "construct", 3): 1,
        ("live.marked:Basket.add", "call", 4): 1,
        ("live.marked:Basket.kinds", "call", 4): 1,
        ("live.marked:Basket.weight", "attribute", 5): 1,
    }
    since = "kit 1.0" if is_installed else "1.0"
    assert seen.warned[0] == (
        2,
        f"Calling total() of 'live.marked' is deprecated since {since} and will be removed in 2.0. Use something else instead.",
    )
    if installation is not None:
        installation.remove()


def test_the_decorator_takes_rows_of_what_stays_and_marks_what_can_be_marked():
    with pytest.raises(TypeError, match=r"^deprecated\(\) takes a Deprecated row, not 'use more'; write @deprecated\(Deprecated"):
        compat.deprecated("use more")
    with pytest.raises(TypeError, match=r"^deprecated\(\) marks functions, classes, methods and properties, not 3: a row alone"):
        compat.deprecated(Deprecated("m:three", **V))(3)
