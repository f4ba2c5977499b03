"""Legacy methods attached to live canonical classes, beside legacy arguments."""

from __future__ import annotations

import asyncio
import dis
import inspect
import pickle
import sys

import pytest

import compat
from compat import Argument, Class, Deprecated, Method

DATES = {"since": "1.0", "removal": "2.0", "instead": None}


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


def test_methods_that_name_their_parameters_as_they_like_are_called_with_all_that_they_are_given(world, installed):
    world.write(
        "canon/free.py",
        """
        class Free:
            def rest(*given): return given[1:]
            def all(*given, **named): return given[1:], named
            def some(*given, flag=False): return given[1:], flag
            @classmethod
            def kind(*given, **named): return given, named
            def odd(self, KeyError=1, *, getattr=2): return KeyError, getattr
        """,
    )
    names = ("rest", "all", "some", "kind", "odd")
    installed(*(Method(f"canon.free:Free.old_{name}", f"canon.free:Free.{name}", **DATES) for name in names))
    seen = world.ok(
        """
        from canon.free import Free
        it = Free()
        for _ in range(2):
            got = it.old_rest(1), it.old_all(1, x=2), it.old_some(1, flag=3), Free.old_kind(1), it.old_odd(4, getattr=5)
        """
    )
    free = seen.namespace["Free"]
    assert seen.namespace["got"] == ((1,), ((1,), {"x": 2}), ((1,), 3), ((free, 1), {}), (4, 5))
    assert sorted(seen.counted().values()) == [2] * len(names)


def test_forwarders_of_one_shape_have_code_and_defaults_of_their_own(world, installed):
    world.write(
        "canon/shapes.py",
        """
        class Shapes:
            def one(self, a=1, *, b=2): return a, b
            def two(self, a=[3], *, b=...): return a, b
        """,
    )
    installed(*(Method(f"canon.shapes:Shapes.old_{name}", f"canon.shapes:Shapes.{name}", **DATES) for name in ("one", "two")))
    from canon.shapes import Shapes

    # The interpreter specialises code by what it calls: shared code would be slow wherever two of them take turns.
    assert Shapes.old_one.__code__ is not Shapes.old_two.__code__
    with pytest.warns(DeprecationWarning):
        assert (Shapes().old_one(), Shapes().old_two()) == ((1, 2), ([3], ...))
    assert Shapes.old_two.__defaults__[0] is Shapes.two.__defaults__[0]


@pytest.mark.skipif(sys.implementation.name != "cpython" or sys.version_info < (3, 11), reason="CPython alone specialises calls")
@pytest.mark.parametrize("call", ["thing.old_put(1, 2)", "thing.put(1, 2)", "hold(1, 2)", "stays(1, 2)", "front.put(1, 2)"])
def test_calls_of_what_stands_in_between_are_specialised(world, installed, call):
    world.write(
        "canon/quick.py",
        """
        class Thing:
            def put(self, item, count=1): return item
        def hold(item, count=1): return item
        def stays(item, count=1): return item
        """,
    )
    world.write(
        "canon/fronts.py",
        """
        from compat import Adapter
        class Front(Adapter, of="canon.quick:Thing"):
            pass
        """,
    )
    installed(
        Method("canon.quick:Thing.old_put", "canon.quick:Thing.put", **DATES),
        Argument("canon.quick:Thing.put", "number", became="count", **DATES),
        Argument("canon.quick:hold", "number", became="count", **DATES),
        Deprecated("canon.quick:stays", **DATES),
        Class("canon.old:Front", "canon.quick:Thing", adapter="canon.fronts:Front", **DATES),
    )
    seen = world.ok(
        f"""
        from canon.quick import Thing, hold, stays
        from canon.fronts import Front
        thing, front = Thing(), Front()
        def caller():
            for _ in range(200): {call}
        caller()
        """,
        filters="ignore",
    )
    found = [one.opname for one in dis.get_instructions(seen.namespace["caller"], adaptive=True) if "CALL" in one.opname]
    assert any("CALL_PY_" in name or "BOUND_METHOD_" in name for name in found), found


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


def test_everything_is_taken_off_again(world, ledger_of, source):
    world.write("canon/real.py", source)
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


def test_expired_methods_and_arguments_raise_as_after_their_removal_and_name_the_replacement(world, ledger_of, source):
    world.write("canon/real.py", source)
    rows = (
        Method("canon.real:Real.old", "canon.real:Real.open", **DATES),
        Argument("canon.real:call", "old", became="new", **DATES),
    )
    with compat.install(ledger_of(*rows, version="2.0")):
        for use, error in (("Real().old(1)", AttributeError), ("call(old=1)", TypeError)):
            seen = world.use(f"from canon.real import Real, call\n{use}")
            assert isinstance(seen.error, compat.LegacyExpiredError) and isinstance(seen.error, error)
            assert "instead." in str(seen.error)


def test_running_the_coroutine_is_not_another_use(home):
    async def main():
        from canon.real import Real

        return await Real().old_aopen(1)

    with pytest.warns(DeprecationWarning) as caught:
        assert asyncio.run(main()) == 1
    assert len(caught) == 1
