"""Legacy methods attached to live canonical classes, and legacy arguments of functions that stay."""

from __future__ import annotations

import asyncio
import inspect
import pickle

import pytest

import compat
from compat import Argument, Method

DATES = {"since": "1.0", "removal": "2.0", "instead": None}

SOURCE = '''
class Real:
    def __init__(self, user="u"):
        self.user = user

    def open(self, a, b=2):
        """Open it."""
        return (self.user, a, b)

    async def aopen(self, a):
        return a

    @property
    def health(self):
        return "good"

    @classmethod
    def make(cls, user):
        return cls(user)

    def resize(self, width, height):
        return (width, height)


def call(new, other=1, *rest, flag=False, **more):
    return (new, other, rest, flag, more)


async def acall(new):
    return new


def spread(n):
    yield from range(n)


def seconds(ms):
    return ms / 1000


def context():
    return "made"


def needs(ctx, x=0):
    return (ctx, x)


def area(width, height):
    return (width, height)
'''


@pytest.fixture
def home(world, installed):
    world.write("canon/real.py", SOURCE)
    installed(
        Method("canon.real:Real.old_open", "canon.real:Real.open", **DATES),
        Method("canon.real:Real.old_aopen", "canon.real:Real.aopen", **DATES),
        Method("canon.real:Real.old_health", "canon.real:Real.health", **DATES),
        Method("canon.real:Real.old_make", "canon.real:Real.make", **DATES),
        Argument("canon.real:call", "old", became="new", **DATES),
        Argument("canon.real:call", "gone", became=None, **DATES),
        Argument("canon.real:call", "ms", became="other", convert="canon.real:seconds", **DATES),
        Argument("canon.real:acall", "old", became="new", **DATES),
        Argument("canon.real:needs", "ctx", default="canon.real:context", **DATES),
        Argument("canon.real:area", order=("height", "width"), **DATES),
        Argument("canon.real:Real.resize", "h", became="height", **DATES),
    )
    return world


def test_methods_under_their_old_names(home):
    seen = home.ok(
        """
        import asyncio
        from canon.real import Real
        r = Real("bob")
        a = r.old_open(1, b=3), r.old_health, Real.old_make("eve").user
        b = asyncio.run(r.old_aopen(5))
        class Sub(Real):
            def open(self, a, b=2):
                return "overridden"
        c = Sub().old_open(1)
        """
    )
    names = seen.namespace
    assert (names["a"], names["b"], names["c"]) == ((("bob", 1, 3), "good", "eve"), 5, "overridden")
    assert seen.counted() == {
        ("canon.real:Real.old_open", "call", 5): 1,
        ("canon.real:Real.old_health", "attribute", 5): 1,
        ("canon.real:Real.old_make", "call", 5): 1,
        ("canon.real:Real.old_aopen", "call", 6): 1,
        ("canon.real:Real.old_open", "call", 10): 1,
    }
    assert "Use Real.open instead." in seen.warned[0][1]


def test_forwarders_keep_signature_kind_and_failures(home):
    from canon.real import Real

    assert str(inspect.signature(Real.old_open)) == "(self, a, b=2)" and inspect.getdoc(Real.old_open) == "Open it."
    assert inspect.iscoroutinefunction(Real.old_aopen) and not inspect.iscoroutinefunction(Real.old_open)
    data = pickle.dumps(Real("z").old_open)
    assert b"old_open" not in data and pickle.loads(data)(1) == ("z", 1, 2)
    with pytest.raises(TypeError, match="missing 1 required positional argument: 'a'"):
        Real().old_open()


def test_an_error_inside_the_target_is_its_own_and_runs_once(world, installed):
    world.write(
        "canon/real.py", "CALLS = []\nclass Real:\n    def new(self):\n        CALLS.append(1)\n        raise KeyError('inner')\n"
    )
    installed(Method("canon.real:Real.old", "canon.real:Real.new", **DATES))
    seen = world.use(
        "from canon.real import Real\nfor _ in range(3):\n    try:\n        Real().old()\n    except KeyError as error:\n        said = error.args"
    )
    import canon.real

    assert seen.namespace["said"] == ("inner",) and canon.real.CALLS == [1, 1, 1]
    assert seen.counted() == {("canon.real:Real.old", "call", 4): 3}


def test_renamed_dropped_and_converted_arguments(home):
    seen = home.ok(
        """
        from canon.real import call
        results = [
            call(old=1),
            call(1, gone=2),
            call(1, ms=2500),
            call(1, 2, 3, flag=True, extra=4),
        ]
        """
    )
    assert seen.namespace["results"] == [
        (1, 1, (), False, {}),
        (1, 1, (), False, {}),
        (1, 2.5, (), False, {}),
        (1, 2, (3,), True, {"extra": 4}),
    ]
    assert seen.counted() == {
        ("canon.real:call(old)", "argument", 4): 1,
        ("canon.real:call(gone)", "argument", 5): 1,
        ("canon.real:call(ms)", "argument", 6): 1,
    }
    assert [text.partition(" is ")[0] for _, text in seen.warned] == [
        "Passing 'old' to canon.real.call()",
        "Passing 'gone' to canon.real.call()",
        "Passing 'ms' to canon.real.call()",
    ]
    assert [text.rpartition(". See")[0].rpartition(". ")[2] for _, text in seen.warned] == [
        "Pass 'new' instead",
        "Leave 'gone' out",
        "Pass 'other' instead",
    ]


@pytest.mark.parametrize("source", ["call(old=1, new=2)", "call(1, old=2)", "call(1, 2, ms=3)"])
def test_giving_an_argument_in_both_forms_fails_in_pythons_words(home, source):
    seen = home.use(f"from canon.real import call\n{source}")
    name = "other" if "ms" in source else "new"
    assert type(seen.error) is TypeError and str(seen.error) == f"call() got multiple values for argument {name!r}"


def test_async_functions_stay_async_and_count_at_the_call(home):
    seen = home.ok("import asyncio\nfrom canon.real import acall\nc = acall(old=3)\n\nr = asyncio.run(c)")
    assert seen.namespace["r"] == 3 and seen.counted() == {("canon.real:acall(old)", "argument", 3): 1}
    assert inspect.iscoroutinefunction(seen.namespace["acall"])


def test_a_newly_required_argument_is_supplied_and_counted(home):
    seen = home.ok("from canon.real import needs\nr = needs(x=4), needs('mine'), needs(ctx='k')")
    assert seen.namespace["r"] == (("made", 4), ("mine", 0), ("k", 0))
    assert seen.counted() == {("canon.real:needs(ctx)", "argument", 2): 1}
    assert "Calling canon.real.needs() without 'ctx' is deprecated" in seen.warned[0][1]


def test_reordered_positional_arguments(home):
    seen = home.ok("from canon.real import area\nr = area(1, 2), area(width=1, height=2), area(1, width=3)")
    assert seen.namespace["r"] == ((2, 1), (1, 2), (3, 1))
    assert seen.counted() == {("canon.real:area(height, width)", "argument", 2): 2}
    assert (
        str(home.use("from canon.real import area\narea(1, height=2)").error)
        == "area() got multiple values for argument 'height'"
    )
    assert (
        str(home.use("from canon.real import area\narea(1, 2, 3)").error)
        == "area() takes 2 positional arguments but 3 were given"
    )


def test_arguments_of_methods(home):
    seen = home.ok("from canon.real import Real\nr = Real().resize(1, h=2)")
    assert seen.namespace["r"] == (1, 2)
    assert seen.counted() == {("canon.real:Real.resize(h)", "argument", 2): 1}


def test_everything_is_taken_off_again(world, ledger_of):
    world.write("canon/real.py", SOURCE)
    import canon.real

    before = dict(vars(canon.real)), dict(vars(canon.real.Real))
    with compat.install(
        ledger_of(
            Method("canon.real:Real.old", "canon.real:Real.open", **DATES),
            Argument("canon.real:call", "old", became="new", **DATES),
        )
    ):
        assert hasattr(canon.real.Real, "old")
    assert (dict(vars(canon.real)), dict(vars(canon.real.Real))) == before


def test_expired_methods_and_arguments_raise_type_errors_that_name_the_replacement(world, ledger_of):
    world.write("canon/real.py", SOURCE)
    rows = (
        Method("canon.real:Real.old", "canon.real:Real.open", **DATES),
        Argument("canon.real:call", "old", became="new", **DATES),
    )
    with compat.install(ledger_of(*rows, version="2.0")):
        for source in ("Real().old(1)", "call(old=1)"):
            seen = world.use(f"from canon.real import Real, call\n{source}")
            assert isinstance(seen.error, compat.LegacyExpiredError) and isinstance(seen.error, TypeError)
            assert "instead." in str(seen.error)


def test_running_the_coroutine_is_not_another_use(home):
    async def main():
        from canon.real import Real

        return await Real().old_aopen(1)

    with pytest.warns(DeprecationWarning) as caught:
        assert asyncio.run(main()) == 1
    assert len(caught) == 1
