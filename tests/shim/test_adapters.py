"""Class moves: construction through a factory, instances before canonical ones, every use counted at its line."""

from __future__ import annotations

import abc
import asyncio
import copy
import inspect
import pickle
import sys
import types
from unittest.mock import AsyncMock, Mock, create_autospec

import pytest

from compat import Adapter, Class, LedgerError, check, converted, legacy_method, renamed
from compat.shim import Part

DATES = {"since": "1.0", "removal": "2.0", "instead": None}

REAL = """
import asyncio

class Real:
    KIND = "real"

    def __init__(self, user, n=0):
        self.user, self.n, self.timeout, self.closed = user, n, 1.5, []

    def open(self, a, b=2):
        "Open it."
        return (self.user, a, b)

    async def close_session(self, session):
        self.closed.append(session)
        return session

    async def stream(self):
        yield self.user

    def __len__(self):
        return self.n

    @property
    def health(self):
        return "good"

    @staticmethod
    def double(x):
        return 2 * x

    @classmethod
    def named(cls):
        return cls.__name__

def get_real(user="nobody", n=0):
    return Real(user, n)
"""


@pytest.fixture
def home(world, installed):
    world.write("canon/real.py", REAL)
    adapters = types.ModuleType("kit_adapters")
    sys.modules["kit_adapters"] = adapters

    class Old(Adapter, of="canon.real:Real", built_by="canon.real:get_real"):
        """The old class."""

        @legacy_method(instead="Real.open")
        def connect(self, session, b=5):
            """Connect."""
            return self.canonical.open(session, b)

        @legacy_method(instead=None, note="It was async before.")
        async def aconnect(self, session):
            return self.canonical.open(session)

        @legacy_method(instead="Real.double")
        @staticmethod
        def twice(x):
            return 2 * x

        disconnect = renamed("close_session")
        start = renamed("open")
        state = renamed("health")
        timeout_ms = converted("timeout", to_legacy=lambda s: s * 1000, to_canonical=lambda ms: ms / 1000)

    class Pure(Adapter, of="canon.real:Real", built_by="canon.real:get_real"):
        """Adds nothing."""

    class Shared:
        """What several adapters share."""

        @legacy_method(instead="Real.open")
        def connect(self, session):
            return "part", session

        @legacy_method(instead="Real.health")
        def ask(self):
            return self.canonical.health

        @legacy_method(instead="Real.open")
        def plain(self):
            return "part"

    class Mixed(Shared, Adapter, of="canon.real:Real", built_by="canon.real:get_real"):
        """Takes one method from its part, and has the other itself."""

        @legacy_method(instead="Real.open")
        def connect(self, session):
            return "own", session

        def plain(self):
            return "own"

    class Door(Part):
        """A part with a state of its own."""

        def __init__(self, shop):
            self.shop, self.knocks = shop, 0

        @legacy_method(instead="Real.open")
        def knock(self, times=1):
            self.knocks += times
            return self.shop.user, self.knocks

        @legacy_method(instead="Real.open")
        async def aknock(self):
            return self.shop.knock(2)

        @legacy_method(instead="Real.health")
        @property
        def colour(self):
            return "red"

    class Composed(Adapter, of="canon.real:Real", built_by="canon.real:get_real", parts={"_door": Door}):
        """Made of a part."""

        def __init__(self, user):
            super().__init__(user)
            self._door = Door(self)

    for kind in (Old, Pure, Mixed, Composed):
        kind.__module__, kind.__qualname__ = "kit_adapters", kind.__name__
        setattr(adapters, kind.__name__, kind)
    installed(
        Class("old.kit:Old", "canon.real:Real", adapter="kit_adapters:Old", **DATES),
        Class("old.kit:Pure", "canon.real:Real", adapter="kit_adapters:Pure", **DATES),
        Class("old.kit:Mixed", "canon.real:Real", adapter="kit_adapters:Mixed", **DATES),
        Class("old.kit:Composed", "canon.real:Real", adapter="kit_adapters:Composed", **DATES),
    )
    yield world
    del sys.modules["kit_adapters"]


def test_construction_goes_through_the_factory_and_is_counted(home):
    seen = home.ok("from old.kit import Old\n\no = Old('bob', n=3)\nuser = o.user, len(o)")
    assert seen.namespace["user"] == ("bob", 3)
    assert seen.counted() == {("old.kit:Old", "import", 1): 1, ("old.kit:Old", "construct", 3): 1}


def test_legacy_methods_count_and_warn_at_the_call(home):
    seen = home.ok(
        """
        from old.kit import Old
        o = Old("bob")
        for _ in range(3):
            r = o.connect("s")
        t = Old.twice(4)
        """
    )
    assert seen.namespace["r"] == ("bob", "s", 5) and seen.namespace["t"] == 8
    assert seen.counted("call") == {("old.kit:Old.connect", "call", 5): 3, ("old.kit:Old.twice", "call", 6): 1}
    assert seen.warned[2] == (
        5,
        "Calling Old.connect() of 'old.kit' is deprecated since kit 1.0 and will be removed in 2.0. Use Real.open instead. See MIGRATION.md.",
    )


def test_legacy_methods_of_a_plain_base_are_counted_as_the_adapters_own(home):
    seen = home.ok(
        """
        from old.kit import Mixed
        class Mine(Mixed):
            def connect(self, session):
                return super().connect(session)
        r = Mixed("bob").connect("s"), Mixed("bob").ask(), Mine("ann").ask(), Mine("ann").connect("s"), Mine("ann").plain()
        """
    )
    assert seen.namespace["r"] == (("own", "s"), "good", "good", ("own", "s"), "own")
    assert seen.counted("call") == {
        ("old.kit:Mixed.connect", "call", 5): 1,
        ("old.kit:Mixed.connect", "call", 6): 1,
        ("old.kit:Mixed.ask", "call", 6): 2,
    }


def test_legacy_methods_of_a_part_are_counted_as_the_adapters_own_and_answered_by_the_instances_part(home):
    seen = home.ok(
        """
        import asyncio, inspect
        from old.kit import Composed
        class Mine(Composed):
            def knock(self, times=1):
                return ("mine", *super().knock(times))
        one, two, mine = Composed("ann"), Composed("bob"), Mine("eve")
        r = one.knock(), one.knock(times=3), two.knock(), mine.knock(), one.colour
        a = asyncio.run(mine.aknock())
        c = inspect.iscoroutinefunction(Composed.aknock), str(inspect.signature(Composed.knock))
        """
    )
    assert seen.namespace["r"] == (("ann", 1), ("ann", 4), ("bob", 1), ("mine", "eve", 1), "red")
    assert seen.namespace["a"] == ("mine", "eve", 3)
    assert seen.namespace["c"] == (True, "(self, times=1)")
    counted = {(name, kind): n for (name, kind, line), n in seen.counted("call").items() if line != 6}
    assert counted == {("old.kit:Composed.knock", "call"): 3, ("old.kit:Composed.aknock", "call"): 1}
    assert seen.counted("attribute") == {("old.kit:Composed.colour", "attribute", 8): 1}


def test_a_part_answers_for_an_instance_and_so_has_no_static_legacy_methods():
    with pytest.raises(TypeError, match=r"Wrong\.one: a part answers for one instance"):

        class Wrong(Part):
            @legacy_method(instead=None)
            @staticmethod
            def one():
                pass


def test_async_legacy_methods_stay_coroutine_functions_and_count_at_the_call(home):
    seen = home.ok(
        """
        import asyncio
        from old.kit import Old
        async def main():
            o = Old("bob")
            task = asyncio.create_task(o.aconnect("x"))
            again = o.disconnect("y")
            return await task, await again, o.closed
        result = asyncio.run(main())
        """
    )
    assert seen.namespace["result"] == (("bob", "x", 2), "y", ["y"])
    assert seen.counted("call") == {("old.kit:Old.aconnect", "call", 6): 1, ("old.kit:Old.disconnect", "call", 7): 1}
    old = sys.modules["kit_adapters"].Old
    for name in ("aconnect", "disconnect", "close_session"):
        assert inspect.iscoroutinefunction(getattr(old, name)), name
    with pytest.warns(DeprecationWarning):
        assert inspect.iscoroutinefunction(old("u").close_session)
    assert inspect.isasyncgenfunction(old.stream) and not inspect.iscoroutinefunction(old.open)


def test_renamed_and_converted_attributes(home):
    seen = home.ok(
        "from old.kit import Old\no = Old('u')\nassert o.state == 'good'\nassert o.timeout_ms == 1500\no.timeout_ms = 3000\nassert o.canonical.timeout == 3\nassert o.start(1, b=3) == ('u', 1, 3)"
    )
    assert seen.counted("attribute") == {("old.kit:Old.state", "attribute", 3): 1, ("old.kit:Old.timeout_ms", "attribute", 4): 1}
    assert seen.counted("set") == {("old.kit:Old.timeout_ms", "set", 5): 1}
    assert "Using Old.state of 'old.kit' is deprecated" in seen.warned[2][1] and "Use Real.health instead." in seen.warned[2][1]


def test_a_method_given_itself_is_renamed_as_by_its_name(home):
    from canon.real import Real

    class Direct(Adapter, of="canon.real:Real", built_by="canon.real:get_real"):
        disconnect = renamed(Real.close_session)
        start = renamed(Real.open, instead="Real.open at once")

    Direct.__module__, Direct.__qualname__ = "kit_adapters", "Old"
    sys.modules["kit_adapters"].Old = Direct
    seen = home.ok(
        """
        import asyncio
        from old.kit import Old
        o = Old("u")
        assert asyncio.run(o.disconnect(session=7)) == 7
        assert o.start(1, b=3) == ("u", 1, 3)
        """
    )
    assert seen.counted("call") == {("old.kit:Old.disconnect", "call", 5): 1, ("old.kit:Old.start", "call", 6): 1}
    assert "Use Real.close_session instead." in seen.warned[-2][1] and "Use Real.open at once instead." in seen.warned[-1][1]
    assert inspect.iscoroutinefunction(Direct.disconnect)


def test_what_is_no_plain_method_is_renamed_by_its_name_alone(home):
    from canon.real import Real

    for wrong in (Real.health, Real.named, Real("u").open, 3):
        with pytest.raises(TypeError, match=r"renamed\(\) takes a plain method or a name, not .*: write renamed\('its name'\)"):
            renamed(wrong)


def test_what_the_canonical_instance_has_passes_through_uncounted(home):
    seen = home.ok(
        """
        from old.kit import Old
        o = Old("bob", 2)
        o.user = "eve"
        assert o.canonical.user == "eve" and o.health == "good" and o.open(1) == ("eve", 1, 2)
        o.extra = 1
        assert o.extra == 1
        del o.user
        assert not hasattr(o.canonical, "user")
        assert Old.KIND == "real" and Old.double(2) == 4 and Old.named() == "Real"
        try:
            o.nothing
        except AttributeError as error:
            said = str(error)
        """
    )
    assert {kind for _, kind, _ in seen.counted()} == {"import", "construct"}
    assert "nothing" in seen.namespace["said"]


def test_class_checks_take_canonical_instances(home):
    home.ok(
        """
        from old.kit import Old, Pure
        from canon.real import Real
        o = Old("u")
        assert isinstance(o, Old) and isinstance(o, Real) and isinstance(Real("u"), Old) and issubclass(Real, Old)
        assert not isinstance(1, Old) and not issubclass(int, Old)
        """
    )


def test_an_adapter_that_adds_nothing_hands_out_the_canonical_instance_itself(home):
    seen = home.ok(
        "from old.kit import Pure\nfrom canon.real import Real\np = Pure('u')\nassert type(p) is Real and isinstance(p, Pure)"
    )
    assert seen.counted("construct") == {("old.kit:Pure", "construct", 3): 1}


def test_subclassing_with_super_and_class_attributes(home):
    seen = home.ok(
        """
        import abc
        from old.kit import Old
        from canon.real import Real
        class Mine(Old, abc.ABC):
            LIMIT = 3
            def __init__(self, x):
                super().__init__("mine", n=4)
                self.x = x
            def connect(self, session):
                return ("mine", *super().connect(session))
        m = Mine(7)
        assert m.x == 7 and m.LIMIT == 3 and len(m) == 4 and m.KIND == "real"
        assert m.connect("s") == ("mine", "mine", "s", 5)
        assert isinstance(m, Old) and not isinstance(Real("u"), Mine)
        """
    )
    assert seen.counted("subclass") == {("old.kit:Old", "subclass", 5): 1}
    assert seen.counted("call") == {("old.kit:Old.connect", "call", 11): 1}


def test_generic_subscripts_work(home):
    assert home.ok("from old.kit import Old\nalias = Old[int]").namespace["alias"].__args__ == (int,)


def test_methods_can_be_replaced_on_the_instance(home):
    old = sys.modules["kit_adapters"].Old
    with pytest.warns(DeprecationWarning):
        o = old("u")
    o.connect = Mock(return_value=9)
    assert o.connect() == 9
    o.close_session = AsyncMock(return_value=5)
    assert asyncio.run(o.close_session("x")) == 5
    o.close_session.assert_awaited_once_with("x")


def test_mocks_take_the_legacy_class_as_their_spec(home):
    old = sys.modules["kit_adapters"].Old
    mock = Mock(spec=old)
    mock.connect("a")
    mock.open(1)
    with pytest.raises(AttributeError):
        mock.no_such_method()
    assert isinstance(mock.close_session, AsyncMock) and isinstance(mock.aconnect, AsyncMock)
    spec = create_autospec(old)
    spec("u").open(1)
    with pytest.raises(TypeError):
        spec("u").open(1, 2, 3, 4)


def test_signature_help_and_dir_are_those_of_the_old_class(home):
    old = sys.modules["kit_adapters"].Old
    assert str(inspect.signature(old)) == "(user='nobody', n=0)"
    assert {"connect", "open", "close_session", "KIND"} <= set(dir(old))
    assert inspect.getdoc(old.connect) == "Connect." and "session, b=5" in str(inspect.signature(old.connect))


def test_instances_copy_and_pickle(home):
    old = sys.modules["kit_adapters"].Old
    with pytest.warns(DeprecationWarning):
        o = old("u", 2)
    o.note = "kept"
    twin, deep = copy.copy(o), copy.deepcopy(o)
    assert twin.canonical is o.canonical and deep.canonical is not o.canonical and deep.user == "u" and deep.note == "kept"
    again = pickle.loads(pickle.dumps(o))
    assert type(again) is old and again.user == "u" and again.note == "kept"


def test_check_refuses_exceptions_and_things_that_are_no_adapters(world, ledger_of):
    ledger = ledger_of(
        Class("old.x:Err", "canon.core:Failure", adapter="canon.core:Widget", **DATES),
        Class("old.x:Gone", "canon.core:Widget", adapter="canon.core:NoAdapter", **DATES),
    )
    with pytest.raises(LedgerError) as caught:
        check(ledger)
    reasons = [reason for _, reason, _ in caught.value.faults]
    assert reasons == [
        "an exception cannot be moved as Class: except does not see adapters",
        "adapter 'canon.core:Widget' is no Adapter",
        "adapter 'canon.core:NoAdapter' is missing: 'canon.core' has no 'NoAdapter'",
    ]


def test_an_adapter_is_an_abc_so_that_mixins_of_both_sorts_fit():
    assert issubclass(type(Adapter), abc.ABCMeta)


class TestAFactoryThatReturnsOneObject:
    """What was a singleton: identity, equality, hash and state stay."""

    @pytest.fixture
    def one(self, world, ledger_of):
        world.write(
            "canon/one.py",
            "class One:\n    def __init__(self, key): self.key = key\n    def double(self): return self.key * 2\n"
            "MADE = {}\ndef get_one(key='a'): return MADE.setdefault(key, One(key))\n",
        )
        world.write(
            "canon/adapters.py",
            "from compat import Adapter, renamed, shared_instance\n"
            "class Manager(Adapter, of='canon.one:One', built_by='canon.one:get_one'):\n"
            "    twice = renamed('double')\n"
            "    @shared_instance(instead='get_one()')\n    @classmethod\n    def instance(cls):\n        'The one.'\n",
        )
        rows = [Class("old.one:Manager", "canon.one:One", adapter="canon.adapters:Manager", **DATES)]
        import compat

        with compat.install(ledger_of(*rows)):
            yield world

    def test_constructions_are_one_object_and_each_is_counted(self, one):
        seen = one.ok(
            "from old.one import Manager\na = Manager()\nb = Manager()\nc = Manager('z')\nd = Manager.instance()\n"
            "same = (a is b is d, a == b, hash(a) == hash(b), a is not c, len({a, b, c, d}))\n"
            "a.note = 5\nnoted = (b.note, Manager.instance('z') is c)\n"
        )
        assert seen.namespace["same"] == (True, True, True, True, 2)
        assert seen.namespace["noted"] == (5, True)
        counts = seen.counted()
        assert [counts["old.one:Manager", "construct", line] for line in (2, 3, 4)] == [1, 1, 1]
        assert counts["old.one:Manager.instance", "call", 5] == 1
        assert "Use get_one() instead." in next(text for line, text in seen.warned if line == 5)

    def test_one_that_nobody_holds_goes_and_another_may_have_its_address(self, one):
        import gc

        seen = one.ok(
            "from old.one import Manager\nfrom canon import one\nimport gc\nseen = set()\n"
            "for key in range(50):\n    m = Manager(key)\n    assert m.key == key and m.twice() == 2 * key\n"
            "    one.MADE.clear()\n    del m\n    if key % 10 == 9:\n        gc.collect()\nkept = len(vars(Manager)['__compat_fronts__'])\n",
            filters="ignore",
        )
        gc.collect()
        assert seen.namespace["kept"] <= 1

    def test_a_subclass_of_the_users_has_instances_of_its_own(self, one):
        seen = one.ok("from old.one import Manager\nclass Mine(Manager): pass\nsame = Mine() is Mine()\n")
        assert seen.namespace["same"] is False


USES = {
    "a moved name": "from old.things import make\n        return make(1)",
    "through a moved module": "import oldroot.core\n        return oldroot.core.make(1)",
    "a function in place": "import canon.core\n        return canon.core.use_make()",
    "import_module": "from importlib import import_module\n        return import_module('oldroot.core').make(1)",
}


@pytest.mark.parametrize("use", USES.values(), ids=USES)
def test_the_legacy_names_that_an_adapter_uses_itself_are_no_uses_of_its_librarys(world, ledger_of, use):
    import compat
    from compat import Deprecated, Module, Name

    world.write("canon/home.py", "class Home:\n    pass\n")
    world.write(
        "canon/adapters.py",
        "from compat import Adapter, legacy_method\n"
        f"class Old(Adapter, of='canon.home:Home'):\n    @legacy_method(instead=None)\n    def go(self):\n        {use}\n",
    )
    rows = [
        Class("old.home:Old", "canon.home:Home", adapter="canon.adapters:Old", **DATES),
        Name("old.things:make", "canon.core:make", **DATES),
        Module("oldroot", "canon", **DATES),
        Deprecated("canon.core:use_make", **DATES),
    ]
    with compat.install(ledger_of(*rows)):
        before = {(one.move, one.file) for one in compat.usage()}
        for _ in range(3):
            seen = world.ok("from old.home import Old\nfound = Old().go()\n")
            assert seen.namespace["found"] == 2
            assert set(seen.lines) == {1, 2}
        after = {(one.move, one.file) for one in compat.usage()} - before
        assert not [file for _, file in after if file.endswith("adapters.py")]
        own = world.ok("from old.things import make\nimport oldroot.core\n")
        assert own.counted() == {("old.things:make", "import", 1): 1, ("oldroot", "import", 2): 1}
