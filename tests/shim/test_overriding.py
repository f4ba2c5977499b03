"""Subclasses that override what was renamed or changed: seen at the class statement, and reached by canonical callers."""

from __future__ import annotations

import itertools

import pytest

import compat
from compat import Argument, Method

V = {"since": "1.0", "removal": "2.0", "instead": None}

ZOO = """
class Base:
    LIMIT = 1

    def handle(self, event="e", count=1):
        return ("base", event, count)

    async def ahandle(self, event):
        return ("base", event)

    @property
    def title(self):
        return "base"

    @classmethod
    def make(cls):
        return ("base", cls.__name__)

    @property
    def ready(self):
        return True

    def size(self):
        return 1

    def run(self, event="e"):
        return self.handle(event)

    def run_counted(self):
        return self.handle(count=3)

    def all(self):
        return [self.title, self.make(), self.LIMIT, self.ready, self.size()]
"""

ROWS = [
    Method("zoo:Base.on_event", "zoo:Base.handle", **V),
    Method("zoo:Base.on_async", "zoo:Base.ahandle", **V),
    Method("zoo:Base.name", "zoo:Base.title", **V),
    Method("zoo:Base.build", "zoo:Base.make", **V),
    Method("zoo:Base.MOST", "zoo:Base.LIMIT", **V),
    Method("zoo:Base.is_ready", "zoo:Base.ready", was="method", **V),
    Method("zoo:Base.length", "zoo:Base.size", was="property", **V),
]


@pytest.fixture
def zoo(world):
    world.write("zoo.py", ZOO)
    return world


def test_an_overriding_definition_is_warned_at_its_class_statement_and_reached(zoo, installed):
    installed(*ROWS)
    seen = zoo.ok(
        """
        from zoo import Base

        class Old(Base):
            def on_event(self, event="e"):
                return ("old", event)

        got = Old().run(), Old().on_event("x")
        """
    )
    assert seen.once(("zoo:Base.on_event", "override", 4))["got"] == (("old", "e"), ("old", "x"))
    assert seen.warned[0][1] == (
        "Overriding Base.on_event of 'zoo' is deprecated since kit 1.0 and will be removed in 2.0."
        " Use Base.handle instead. See MIGRATION.md."
    )


def test_every_kind_of_member_is_reached(zoo, installed):
    installed(*ROWS)
    seen = zoo.ok(
        """
        from zoo import Base
        class Old(Base):
            name = property(lambda self: "old")
            MOST = 7
            length = property(lambda self: 9)
            @classmethod
            def build(cls):
                return ("old", cls.__name__)
            def is_ready(self):
                return False
        got = Old().all()
        """
    )
    assert seen.namespace["got"] == ["old", ("old", "Old"), 7, False, 9]
    assert seen.counted() == {(f"zoo:Base.{name}", "override", 3): 1 for name in ("name", "MOST", "length", "build", "is_ready")}


@pytest.mark.parametrize(
    "own", ["super().on_event(event)", "super(Old, self).on_event(event=event)", "Base.on_event(self, event)"]
)
def test_what_the_override_asks_of_its_base_is_what_the_base_has(zoo, installed, own):
    installed(*ROWS)
    seen = zoo.ok(
        f"""
        from zoo import Base
        class Old(Base):
            def on_event(self, event="e"):
                return ("old", {own})
        class Deeper(Old):
            def on_event(self, event="e"):
                return ("deeper", super().on_event(event))
        class Newer(Old):
            def handle(self, event="e", count=1):
                return ("newer", super().handle(event))
        got = [kind().run("x") for kind in (Base, Old, Deeper, Newer)] + [Old().on_event("y"), Base().on_event("z")]
        """
    )
    old = ("old", ("base", "x", 1))
    assert seen.namespace["got"] == [
        ("base", "x", 1),
        old,
        ("deeper", old),
        ("newer", old),
        ("old", ("base", "y", 1)),
        ("base", "z", 1),
    ]
    counted = seen.counted()
    assert [counted[("zoo:Base.on_event", "override", line)] for line in (3, 6)] == [1, 1]
    assert counted[("zoo:Base.on_event", "call", 5)] == 4 and counted[("zoo:Base.on_event", "call", 12)] == 1
    assert len(counted) == 4


def test_properties_class_methods_and_coroutines_ask_their_base_too(zoo, installed):
    installed(*ROWS)
    seen = zoo.ok(
        """
        import asyncio, inspect
        from zoo import Base
        class Old(Base):
            @property
            def name(self):
                return "old " + super().name
            @classmethod
            def build(cls):
                return ("old", super().build())
            async def on_async(self, event):
                return ("old", await super().on_async(event))
        got = Old().title, Old.make(), Base.build(), asyncio.run(Old().ahandle(1)), asyncio.run(Base().on_async(2))
        kept = inspect.iscoroutinefunction(Base.on_async)
        """
    )
    assert seen.namespace["got"] == (
        "old base",
        ("old", ("base", "Old")),
        ("base", "Base"),
        ("old", ("base", 1)),
        ("base", 2),
    )
    assert seen.namespace["kept"]


def test_a_subclass_that_defines_both_names_serves_both_versions_and_is_silent(zoo, installed):
    installed(*ROWS)
    seen = zoo.ok(
        """
        from zoo import Base
        class Both(Base):
            def handle(self, event="e", count=1):
                return ("new", event)
            def on_event(self, event="e"):
                return ("old", event)
        got = Both().run()
        """
    )
    assert seen.namespace["got"] == ("new", "e") and seen.counted() == {}


def test_subclasses_that_were_there_before_are_counted_at_their_definitions(zoo, installed):
    seen = zoo.ok(
        """
        from zoo import Base
        class Old(Base):
            def on_event(self, event="e"):
                return ("old", event)
        """
    )
    with pytest.warns(compat.LegacyUseWarning, match="Overriding Base.on_event") as caught:
        installation = installed(*ROWS)
    assert [warning.lineno for warning in caught] == [4]
    assert seen.namespace["Old"]().run() == ("old", "e")
    installation.remove()
    assert seen.namespace["Old"]().run() == ("base", "e", 1)
    assert "handle" not in vars(seen.namespace["Old"])


def test_at_the_removal_version_the_class_statement_is_an_error(zoo, installed):
    installed(*ROWS, version="2.0")
    seen = zoo.use("from zoo import Base\nclass Old(Base):\n    def on_event(self):\n        pass")
    assert isinstance(seen.error, compat.LegacyExpiredError) and "Use Base.handle instead." in str(seen.error)


def test_a_class_keeps_its_own_init_subclass_and_gets_it_back(zoo, installed):
    zoo.write(
        "zoo.py",
        "class Base:\n    seen = []\n    def new(self): return 'base'\n"
        "    def __init_subclass__(cls, mark=0, **more):\n        super().__init_subclass__(**more)\n        cls.seen.append((cls.__name__, mark))\n",
    )
    installation = installed(Method("zoo:Base.old", "zoo:Base.new", **V))
    seen = zoo.ok(
        "from zoo import Base\nclass Old(Base, mark=3):\n    def old(self): return 'old'\ngot = Old().new(), Base.seen\n"
    )
    assert seen.once(("zoo:Base.old", "override", 2))["got"] == ("old", [("Old", 3)])
    before = vars(seen.namespace["Base"])["__init_subclass__"]
    installation.remove()
    assert vars(seen.namespace["Base"])["__init_subclass__"] is not before


RENAMED = Argument("zoo:Base.handle", "what", became="event", **V)


ORDERS = list(itertools.permutations([ROWS[0], RENAMED, Argument("zoo:Base.on_event", "which", became="event", **V)]))


@pytest.mark.parametrize("rows", ORDERS)
def test_an_override_with_the_old_argument_is_counted_and_reached(zoo, installed, rows):
    installed(*rows)
    seen = zoo.ok(
        """
        from zoo import Base
        class Old(Base):
            def handle(self, what="w", count=1):
                return ("old", what, count)
        class Older(Base):
            def on_event(self, what="w", count=1):
                return ("older", what, super().on_event(what))
        got = Old().run("x"), Old().handle(event="y"), Old().handle(what="z"), Older().run("x"), Older().handle(event="y")
        more = Base().on_event(which="v")
        """
    )
    assert seen.namespace["got"] == (
        ("old", "x", 1),
        ("old", "y", 1),
        ("old", "z", 1),
        ("older", "x", ("base", "x", 1)),
        ("older", "y", ("base", "y", 1)),
    )
    assert seen.namespace["more"] == ("base", "v", 1)
    assert seen.counted("override") == {
        ("zoo:Base.handle(what)", "override", 3): 1,
        ("zoo:Base.on_event", "override", 6): 1,
        ("zoo:Base.handle(what)", "override", 6): 1,
    }
    assert "Overriding zoo.Base.handle() with 'what' among its parameters is deprecated" in seen.warned[0][1]


def test_an_override_in_the_present_form_takes_the_old_arguments_of_its_base(zoo, installed):
    installed(RENAMED, Argument("zoo:Base.handle", "colour", **V))
    seen = zoo.ok(
        """
        from zoo import Base
        class New(Base):
            def handle(self, event="e", count=1):
                return ("new", event, count)
        got = New().handle(what="x", colour="red"), New().run("y")
        """
    )
    assert seen.namespace["got"] == (("new", "x", 1), ("new", "y", 1))
    assert seen.counted() == {
        ("zoo:Base.handle(what)", "argument", 6): 1,
        ("zoo:Base.handle(colour)", "argument", 6): 1,
    }


SILENT = "def __init_subclass__(cls, **given): pass"
HIDING = {
    "a base of its own": "class Middle(Base):\n    {0}\nclass Old(Middle):\n    {1}\n",
    "two of them": "class First(Base):\n    {0}\nclass Middle(First):\n    {0}\nclass Old(Middle):\n    {1}\n",
    "one that tells its base": (
        "class Middle(Base):\n    def __init_subclass__(cls, **given): super().__init_subclass__(**given)\nclass Old(Middle):\n    {1}\n"
    ),
    "one with a mixin": "class Middle(Base):\n    {0}\nclass Mixin: pass\nclass Old(Mixin, Middle, wide=True):\n    {1}\n",
}
DEFINED = "def on_event(self, event='e'): return ('old', event)"


@pytest.mark.parametrize("source", HIDING.values(), ids=HIDING)
@pytest.mark.parametrize("late", [False, True], ids=["installed before", "installed between"])
def test_a_class_that_keeps_its_subclasses_to_itself_hides_no_override(zoo, installed, source, late):
    source = source.format(SILENT, DEFINED)
    base, head = "from zoo import Base\n", source.partition("class Old")[0]
    if late:
        middle = zoo.ok(base + head).namespace
        installed(*ROWS)
        kept = {name: value for name, value in vars(middle["Middle"]).items() if name == "__init_subclass__"}
        zoo.write("middle.py", "")
        __import__("middle").__dict__.update({name: middle[name] for name in ("Base", "Middle", "Mixin") if name in middle})
        base, source = "from middle import *\n", source.replace(head, "")
        assert kept
    else:
        installed(*ROWS)
    seen = zoo.ok(base + source + "got = Old().run('x')\n")
    line = (base + source).partition("class Old")[0].count("\n") + 1
    assert seen.once(("zoo:Base.on_event", "override", line))["got"] == ("old", "x")


def test_classes_that_keep_their_subclasses_to_themselves_get_their_own_back(zoo, installed):
    installation = installed(*ROWS)
    middle = zoo.ok(f"from zoo import Base\nclass Middle(Base):\n    {SILENT}\n").namespace["Middle"]
    hooked = vars(middle)["__init_subclass__"]
    installation.remove()
    assert vars(middle)["__init_subclass__"] is not hooked
    assert vars(middle)["__init_subclass__"].__func__.__qualname__ == "Middle.__init_subclass__"
