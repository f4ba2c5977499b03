"""Rows that cannot mean what they say: ``check`` names each in one sentence, with what is wrong and what to write."""

from __future__ import annotations

import sys

import pytest

import compat
from compat import Argument, Behaviour, Class, LedgerError, Method, Module, Name

V = {"since": "1.0", "removal": "2.0", "instead": None}

MALL = """
from compat import Adapter

class K:
    def m(self, quantity=1): return quantity

class Sub(K): pass
class Other: pass

def f(x=1, *, deep=0): return x
def get_k(): return K()

class Fits(Adapter, of="mall:K", built_by="mall:get_k"): pass
class OfNothing(Adapter, of="mall:Nobody"): pass
class BuiltByNobody(Adapter, of="mall:K", built_by="mall:nobody"): pass
class OfAnother(Adapter, of="mall:Other"): pass
"""


def old(adapter, canonical="mall:K"):
    return Class("old_mall:K", canonical, adapter=f"mall:{adapter}", **V)


WRONG = {
    "an adapter of a class that is not there": (old("OfNothing"), "is of='mall:Nobody', which is missing"),
    "an adapter built by a factory that is not there": (old("BuiltByNobody"), "is built_by='mall:nobody', which is missing"),
    "an adapter of another class": (old("OfAnother"), "is of='mall:Other', and the row leads to 'mall:K'"),
    "a function for a class": (old("Fits", "mall:f"), "'mall:f' is no class"),
    "a pattern without a package": (Module("mall.{x}_old", "nowhere.{x}", **V), "package 'nowhere' cannot be imported"),
    "a pattern that nothing matches": (Module("old.{x}_op", "email.{x}_nothing", **V), "no module of 'email' is one of"),
    "a pattern for a module that is no package": (Module("old.{x}_op", "mall.{x}", **V), "no module of 'mall' is one of"),
    "a member of no class": (Method("mall:Nobody.old", "mall:K.m", **V), "there is no class 'mall:Nobody'"),
    "a member of a function": (Method("mall:f.old", "mall:K.m", **V), "there is no class 'mall:f'"),
    "a member of another class": (Method("mall:Other.old", "mall:K.m", **V), "'mall:Other' is not 'mall:K'"),
    "a renamed argument with a default": (Argument("mall:f", "q", became="x", default="mall:get_k", **V), "became belongs to"),
    "a renamed argument with values": (Argument("mall:f", "x", became="x", values=("a",), **V), "became belongs to"),
    "a converted combination": (Argument("mall:f", together="x deep", convert="mall:f", **V), "convert belongs to"),
    "an argument that becomes itself": (Argument("mall:f", "x", became="x", **V), "'x' becomes itself"),
    "a place that there never was": (
        Argument("mall:f", "loud", position=2, **V),
        "position 2 is beyond the 2 that 'mall:f' took",
    ),
    "a place of a method": (Argument("mall:K.m", "q", became="quantity", position=1, **V), "position 1 is beyond the 1 that"),
    "a setting that becomes itself": (Behaviour("mall.x", "X", old="a", new="a", **V), "'a' becomes itself"),
}
RIGHT = {
    "an adapter": [old("Fits")],
    "an adapter of a base class": [old("Fits", "mall:Sub")],
    "a pattern": [Module("old.{x}_op", "email.{x}", **V)],
    "a pattern in a distribution that is not there": [Module("old.{x}_op", "no_such.{x}", requires="no-such", **V)],
    "a member of a class under its old name": [
        Name("old_mall:Person", "mall:K", **V),
        Method("old_mall:Person.old", "mall:K.m", **V),
    ],
    "a member of a class in a moved module": [Module("old_mall", "mall", **V), Method("old_mall:K.old", "mall:K.m", **V)],
    "a member of a subclass": [Method("mall:Sub.old", "mall:K.m", **V)],
    "a form of value that goes": [Argument("mall:f", "x", became="x", convert="mall:f", **V)],
    "the last place of several": [
        Argument("mall:f", "loud", position=1, **V),
        Argument("mall:f", keyword_only="deep", **V),
        Argument("mall:f", "late", position=3, **V),
    ],
}


@pytest.fixture
def mall(tmp_path, monkeypatch):
    (tmp_path / "mall.py").write_text(MALL)
    monkeypatch.syspath_prepend(str(tmp_path))
    yield
    sys.modules.pop("mall", None)


@pytest.mark.parametrize("title", WRONG)
def test_a_row_that_cannot_mean_what_it_says_is_named_once(mall, title):
    row, said = WRONG[title]
    with pytest.raises(LedgerError) as caught:
        compat.check(compat.Ledger("mall", version="1.0", rows=[row]))
    ((name, reason, remedy),) = caught.value.faults
    assert name == f"{type(row).__name__}({row.legacy!r})" and said in reason and remedy


@pytest.mark.parametrize("title", RIGHT)
def test_its_neighbours_are_sound(mall, title):
    compat.check(compat.Ledger("mall", version="1.0", rows=RIGHT[title]))


def test_arguments_that_become_each_other_are_named_with_the_circle(mall):
    rows = [Argument("mall:f", old, became=new, **V) for old, new in ("ab", "bc", "ca")]
    with pytest.raises(LedgerError) as caught:
        compat.check(compat.Ledger("mall", version="1.0", rows=rows))
    assert [reason for _, reason, _ in caught.value.faults] == [
        f"the argument leads back to itself: {' -> '.join(circle)}" for circle in ("abca", "bcab", "cabc")
    ]


def test_names_that_lead_to_each_other_are_told_of_the_circle_alone():
    rows = [Name("mall_a:f", "mall_b:f", **V), Name("mall_b:f", "mall_a:f", **V)]
    with pytest.raises(LedgerError) as caught:
        compat.check(compat.Ledger("mall", version="1.0", rows=rows))
    assert [reason.partition(":")[0] for _, reason, _ in caught.value.faults] == ["the move leads back to itself"] * 2


def test_one_string_is_one_value():
    assert Argument("mall:f", "x", values="ab", **V).values == (("ab", "ab"),)


@pytest.mark.parametrize(
    "make", [lambda: Name(3, "mall:f", **V), lambda: Module("mall", None, **V), lambda: Argument(len, "x", **V)]
)
def test_what_is_no_path_is_refused_as_the_row_is_made(make):
    with pytest.raises(TypeError, match=r"\(\) takes a path such as 'package.module:name', not "):
        make()
