"""What stays where it is and is deprecated there: its sentences and its faults."""

from __future__ import annotations

import sys

import pytest

from compat.ledger import Deprecated, Ledger, Name, sentence
from compat.ledger.checking import find_faults

DATES = {"since": "1.0", "removal": "2.0", "instead": None}
SHOP = """
import dataclasses
from typing import Protocol

def total(x=1): return x
class Basket:
    LIMIT = 1
    def add(self): pass
@dataclasses.dataclass
class Point:
    z: int = 0
class Shape(Protocol):
    def area(self): ...
"""


@pytest.mark.parametrize(
    ("path", "use", "text"),
    [
        ("shop:total", "call", "Calling total() of 'shop'"),
        ("shop:total", "import", "Importing total from 'shop'"),
        ("shop:Basket", "construct", "Constructing Basket from 'shop'"),
        ("shop:Basket", "subclass", "Subclassing Basket from 'shop'"),
        ("shop:Basket.add", "call", "Calling Basket.add() of 'shop'"),
        ("shop:LIMIT", "attribute", "Using LIMIT from 'shop'"),
        ("shop.old", "import", "Importing 'shop.old'"),
    ],
)
def test_its_sentences(path, use, text):
    row = Deprecated(path, since="1.0", removal="2.0", instead="grand_total()")
    assert sentence(row, use) == f"{text} is deprecated since 1.0 and will be removed in 2.0. Use grand_total() instead."


def test_nothing_is_advised_where_nothing_replaces_it():
    said = sentence(Deprecated("shop:total", **DATES), "call")
    assert said == "Calling total() of 'shop' is deprecated since 1.0 and will be removed in 2.0."


@pytest.fixture
def reasons(tmp_path, monkeypatch):
    (tmp_path / "shop.py").write_text(SHOP)
    monkeypatch.syspath_prepend(str(tmp_path))
    yield lambda *rows: [f"{reason}. {remedy}" for _row, reason, remedy in find_faults(Ledger("t", version="1.0") + list(rows))]
    sys.modules.pop("shop", None)


@pytest.mark.parametrize("path", ["shop", "shop:total", "shop:Basket", "shop:Basket.add", "shop:Basket.LIMIT"])
def test_what_can_be_observed_has_no_fault(reasons, path):
    assert reasons(Deprecated(path, **DATES)) == []


def test_no_other_row_advises_it(reasons):
    assert reasons(Deprecated("shop:total", **DATES), Name("shop_old:total", "shop:total", **DATES)) == [
        "the advice is worded from the canonical path, and shop.total is a legacy path itself ('shop:total')."
        " name 'shop:total' in instead="
    ]


def test_it_must_be_there(reasons):
    assert reasons(Deprecated("shop:nothing", **DATES)) == [
        "canonical target 'shop:nothing' is missing: 'shop' has no 'nothing'. correct the path, or ship the target"
    ]


def test_on_names_a_way_to_use_a_class(reasons):
    assert reasons(Deprecated("shop:Basket", on="read", **DATES)) == [
        "on='read' is no way to use a class. write on='construct' or on='subclass', or leave it out"
    ]
    assert reasons(Deprecated("shop:total", on="construct", **DATES)) == [
        "on says how a class is used, and this is none. leave on out"
    ]
    assert reasons(Deprecated("shop:Basket", on=("construct", "subclass"), **DATES)) == []


# On PyPy, these types of the standard library are written in Python.
OF_C = ["datetime:datetime.utcnow", "collections:OrderedDict"] if sys.implementation.name == "cpython" else []


@pytest.mark.parametrize("path", ["builtins:int", *OF_C])
def test_types_of_the_interpreter_cannot_be_observed(reasons, path):
    dotted = path.replace(":", ".")
    assert reasons(Deprecated(path, **DATES)) == [
        f"{dotted} belongs to a type that cannot be changed. deprecate a function that uses it"
    ]


def test_fields_of_instances_cannot_be_observed(reasons):
    assert reasons(Deprecated("shop:Point.z", **DATES)) == [
        "z is a field of instances, whose uses are not seen. deprecate an argument, or make it a property"
    ]


@pytest.mark.skipif(sys.version_info >= (3, 12), reason="protocols keep their attributes since 3.12")
def test_subclassing_of_a_protocol_is_seen_since_3_12_only(reasons):
    assert reasons(Deprecated("shop:Shape", **DATES)) == [
        "subclassing of a protocol is not seen before Python 3.12. write on='construct', or move the protocol"
    ]


def test_rows_are_values():
    row = Deprecated("shop:Basket", on="subclass", **DATES)
    assert row == Deprecated("shop:Basket", on=("subclass",), **DATES)
    assert row != Deprecated("shop:Basket", **DATES)
    assert (row.canonical, row.on, row.replace(note="n").on) == ("shop:Basket", ("subclass",), ("subclass",))
