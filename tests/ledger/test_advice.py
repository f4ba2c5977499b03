"""The advice of a row leads to a place to go: neither to a legacy path nor to what exists for old code only."""

from __future__ import annotations

import pytest

import compat
from compat.ledger import Class, Ledger, Method, Module, Move, Name, Removed, advice

WHEN = {"since": "1.0", "removal": "2.0"}
OLD_PATH = "shop_old.things.Widget is a legacy path itself ('shop_old.things:Widget')"
REMEDY = "say in instead= what to write: the new place, another library, or that nothing takes its place"


def ledger(*rows: Move, stopgaps: tuple[str, ...] = ("shop.kept",)) -> Ledger:
    moved = Name("shop_old.things:Widget", "shop.core:Widget", instead=None, **WHEN)
    return Ledger("shop", version="1.0", stopgaps=stopgaps, rows=[moved, *rows])


def faults(*rows: Move, stopgaps: tuple[str, ...] = ("shop.kept",)) -> list[tuple[str, str, str]]:
    return list(advice.find_faults(ledger(*rows, stopgaps=stopgaps)))


@pytest.mark.parametrize(
    "words",
    [
        "from shop_old.things import Widget",
        "make_widget(), with 'from shop_old.things import Gear, Widget as W'",
        "import shop_old.things.Widget",
        "`shop_old.things:Widget`",
        "shop_old.things:Widget.size",
        "what 'shop_old.things.Widget' is for",
        "shop_old.things.Widget(size=1), made once.",
    ],
)
def test_an_advice_that_names_a_legacy_path_is_a_fault_in_every_spelling(words: str) -> None:
    found = faults(Removed("shop_old.gone:make", since="1.0", instead=words))
    ((row, reason, remedy),) = found
    assert row == "Removed('shop_old.gone:make')"
    named = "shop_old.things.Widget.size" if ".size" in words else "shop_old.things.Widget"
    assert reason == f"instead names {named!r}; {OLD_PATH.replace('shop_old.things.Widget is', f'{named} is')}"
    assert remedy == "name 'shop.core:Widget' in instead="


@pytest.mark.parametrize(
    "words",
    ["from shop.kept.env import env", "import shop.kept", "'shop.kept:env'", "shop.kept.env.get(name)", "env of `shop.kept.env`"],
)
def test_an_advice_that_names_a_stopgap_is_a_fault_in_every_spelling(words: str) -> None:
    ((row, reason, remedy),) = faults(Name("shop_old.env:env", "shop.kept.env:env", instead=words, **WHEN))
    (path,) = advice.named_paths(words)
    assert row == "Name('shop_old.env:env')"
    assert reason == f"instead names {path!r}; {path} exists for old code only"
    assert remedy == REMEDY


@pytest.mark.parametrize(
    ("imports", "reason"),
    [
        ("from shop.kept.env import env", "shop.kept.env.env exists for old code only"),
        (("import os", "import shop.kept.env as e"), "shop.kept.env exists for old code only"),
        ("from shop_old.things import Widget", OLD_PATH),
    ],
)
def test_a_replacement_that_imports_what_is_no_place_to_go_is_a_fault(imports: str, reason: str) -> None:
    told = {"replacement": "env({a})", "imports": imports, "instead": None, **WHEN}
    ((row, said, remedy),) = faults(Name("shop_old.env:env", "shop.core:env", **told))
    assert row == "Name('shop_old.env:env')"
    assert said == f"imports names {said.split()[2][1:-2]!r}; {reason}"
    assert remedy == "let the replacement import what stays, or give none and say in instead= what to write"


@pytest.mark.parametrize(
    "row",
    [
        Name("shop_old.env:env", "shop.kept.env:env", instead=None, **WHEN),
        Module("shop_old.env", "shop.kept.env", instead=None, **WHEN),
    ],
)
def test_a_stopgap_needs_words_of_its_own(row: Move) -> None:
    path = row.canonical.replace(":", ".")
    assert faults(row) == [
        (
            f"{type(row).__name__}({row.legacy!r})",
            f"the advice is worded from the canonical path, and {path} exists for old code only",
            REMEDY,
        )
    ]
    assert faults(row.replace(instead="os.environ")) == []


def test_a_note_is_advice_too() -> None:
    row = Name("shop_old:A", "shop.core:A", instead=None, note="Or import shop.kept.env.", **WHEN)
    assert [reason for _row, reason, _remedy in faults(row)] == [
        "note names 'shop.kept.env'; shop.kept.env exists for old code only"
    ]


def test_a_move_to_a_place_that_moved_on_is_a_fault() -> None:
    rows = [Name("shop_older:Widget", "shop_old.things:Widget", instead=None, **WHEN)]
    assert faults(*rows) == [
        (
            "Name('shop_older:Widget')",
            f"the advice is worded from the canonical path, and {OLD_PATH}",
            "name 'shop.core:Widget' in instead=",
        )
    ]
    assert faults(rows[0].replace(instead="from shop.core import Widget")) == []


def test_what_lies_in_a_module_that_moved_whole_is_legacy_but_not_the_new_home_inside_of_it() -> None:
    whole = Module("shop_old.pricing", "shop_old.pricing.v2", instead=None, **WHEN)
    assert [
        reason for _row, reason, _remedy in faults(whole, Removed("x:y", since="1.0", instead="shop_old.pricing.rates.low()"))
    ] == ["instead names 'shop_old.pricing.rates.low'; shop_old.pricing.rates.low is a legacy path itself ('shop_old.pricing')"]
    assert faults(whole, Removed("x:y", since="1.0", instead="shop_old.pricing.v2.low()")) == []


def test_a_method_is_advised_by_its_new_name() -> None:
    row = Method("shop.core:Widget.old", "shop.core:Widget.new", instead=None, **WHEN)
    assert faults(row) == []
    assert len(faults(row.replace(instead="shop.core:Widget.old(1)"))) == 1


@pytest.mark.parametrize(
    "words",
    [
        "from shop.core import Widget",
        "names of shop_old.things that did not move, such as shop_old.things.Gear",
        "a widget of your own",
        "pydantic.BaseModel, asyncio.Queue or https://shop_old.things/Widget",
        "my_shop_old.things.Widget",
    ],
)
def test_other_words_are_no_fault(words: str) -> None:
    assert faults(Removed("shop_old.gone:make", since="1.0", instead=words)) == []


def test_where_the_adapters_lie_is_a_stopgap_without_a_word() -> None:
    adapted = Class("shop_old:Db", "shop.store:Db", adapter="shop.legacy.db:Db", instead=None, **WHEN)
    beside = Name("shop_old:get_db", "shop.legacy.get:get_db", instead=None, **WHEN)
    assert advice.stopgaps(ledger(adapted, stopgaps=())) == {"shop.legacy", "shop.legacy.db"}
    assert [row for row, _reason, _remedy in faults(adapted, beside, stopgaps=())] == ["Name('shop_old:get_db')"]
    together = Class("shop_old:Db", "shop.store:Db", adapter="shop.store:OldDb", instead=None, **WHEN)
    assert advice.stopgaps(ledger(together, stopgaps=())) == frozenset()


def test_check_raises_every_one_at_once() -> None:
    rows = [Name(f"shop_old.env:{word}", f"shop.kept:{word}", instead="shop.kept." + word, **WHEN) for word in ("a", "b")]
    with pytest.raises(compat.LedgerError) as caught:
        compat.check(ledger(*rows))
    told = [reason for _row, reason, _remedy in caught.value.faults if "old code" in reason]
    assert told == [
        "instead names 'shop.kept.a'; shop.kept.a exists for old code only",
        "instead names 'shop.kept.b'; shop.kept.b exists for old code only",
    ]


def test_ledgers_that_are_added_share_their_stopgaps() -> None:
    both = Ledger("a", version="1.0", stopgaps=("a.kept",)) + Ledger("b", version="1.0", stopgaps=("b.kept",))
    assert (both + []).stopgaps == {"a.kept", "b.kept"}


def test_one_package_must_be_given_as_a_list() -> None:
    with pytest.raises(TypeError, match=r"ledger 'a': stopgaps takes a list of packages; write stopgaps=\('a.kept',\)"):
        Ledger("a", version="1.0", stopgaps="a.kept")
