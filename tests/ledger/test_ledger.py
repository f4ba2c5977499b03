"""Rows are immutable values; ledgers index them, add up, and know the stage of each."""

from __future__ import annotations

import pathlib
import pickle
import subprocess
import sys

import pytest

from compat import check
from compat.errors import LedgerError
from compat.ledger import (
    KINDS,
    Argument,
    Behaviour,
    Class,
    Deprecated,
    Ledger,
    Method,
    Module,
    Move,
    Name,
    Removed,
    names,
    removed,
    replacement,
    sentence,
    versions,
)
from compat.ledger.versions import parse, stage

ROOT = pathlib.Path(__file__).parents[2]
DATES = {"since": "1.0", "removal": "2.0", "instead": None}


def rows():
    return [
        Module("old.mod", "json", **DATES),
        Name("old.x:A", "json:JSONDecoder", **DATES),
        Class("old.x:B", "json:JSONEncoder", adapter="json:JSONEncoder", **DATES),
        Method("json:JSONDecoder.old", "json:JSONDecoder.decode", **DATES),
        Argument("json:dumps", "old", became="indent", **DATES),
        Removed("old.x:Gone", since="1.0", instead="json.dumps"),
        Deprecated("json:load", **DATES),
        Behaviour("json.mode", "Mode 'old'", since="1.0", removal="2.0", instead="mode 'new'"),
    ]


def test_the_table_of_kinds_holds_every_kind():
    assert set(KINDS.values()) == set(Move.__subclasses__())
    assert {kind: row.kind for kind, row in zip(KINDS, rows())} == {kind: kind for kind in KINDS}


@pytest.mark.parametrize("row", rows(), ids=lambda row: row.kind)
def test_rows_are_immutable_values(row):
    with pytest.raises(AttributeError, match="rows are immutable; use .replace"):
        row.since = "9"
    with pytest.raises(AttributeError, match="immutable"):
        del row.since
    twin = pickle.loads(pickle.dumps(row))
    assert twin == row and hash(twin) == hash(row) and twin is not row
    changed = row.replace(note="why")
    assert changed.note == "why" and row.note == "" and changed != row and type(changed) is type(row)
    with pytest.raises(TypeError, match="has no field 'nope'"):
        row.replace(nope=1)
    assert row.legacy in repr(row) and type(row).__name__ in repr(row)


def test_kinds_with_the_same_fields_differ():
    assert Module("a", "b", **DATES) != Name("a", "b", **DATES)


def test_a_ledger_finds_rows_by_path_and_id():
    ledger = Ledger("kit", version="1.5") + rows()
    assert len(ledger) == 8 and "old.x:A" in ledger and "old.x:Z" not in ledger
    assert ledger["old.x:A"].canonical == "json:JSONDecoder" and ledger.get("old.x:Z") is None
    assert ledger.by_id("old.mod").kind == "module" and ledger["json:dumps(old)"].argument == "old"
    with pytest.raises(KeyError, match="ledger 'kit' has no row for 'nope'"):
        ledger["nope"]
    assert ledger.roots == {"old"} and ledger.modules == {"old.mod", "old.x"}
    assert ledger.is_declared("old") and ledger.is_declared("old.x") and not ledger.is_declared("old.y")
    assert ledger.has_children("old") and not ledger.has_children("old.x")
    assert {row.ledger for row in ledger} == {"kit"} and bool(Ledger("empty", version="1"))


def test_ledgers_add_up_and_keep_their_own_versions():
    one = Ledger("one", version="1.5", docs="ONE.md") + [Name("a:A", "json:loads", **DATES)]
    two = Ledger("two", version="3.0", docs="TWO.md") + [Name("b:B", "json:loads", **DATES)]
    both = one + two
    assert len(both) == 2 and len(one) == 1
    assert [both.stage(row) for row in both] == ["deprecated", "expired"]
    assert [both.origin(row).docs for row in both] == ["ONE.md", "TWO.md"]
    with pytest.raises(TypeError, match=r"takes rows such as Name\(...\), not 'text'"):
        one + ["text"]


def test_compact_forms_make_one_row_a_word():
    made = names("old.x", "new.x", "A B=C", **DATES)
    assert [(row.legacy, row.canonical) for row in made] == [("old.x:A", "new.x:A"), ("old.x:B", "new.x:C")]
    assert [row.legacy for row in removed("old.x", "D E", since="1.0", instead="nothing")] == ["old.x:D", "old.x:E"]


@pytest.mark.parametrize(
    ("version", "expected"),
    [
        ("0.9", "announced"),
        ("1.0rc1", "announced"),
        ("1.0", "deprecated"),
        ("1.0.0", "deprecated"),
        ("1.99", "deprecated"),
        ("2.0rc1", "deprecated"),
        ("2.0", "expired"),
        ("2.0.post1", "expired"),
        ("10", "expired"),
    ],
)
def test_stages(version, expected):
    assert stage("1.0", "2.0", version) == expected


def test_versions_order_as_packaging_orders_them():
    ordered = ["0.9", "1.0.dev1", "1.0a1", "1.0", "1.0.1", "1.9", "1.10", "2"]
    assert sorted(reversed(ordered), key=parse) == ordered
    assert parse("1.0") == parse("1.0.0") and hash(parse("1.0")) == hash(parse("1")) and parse("1") <= parse("1.0")
    with pytest.raises(ValueError, match="'soon' is no version; write one such as '1.4'"):
        parse("soon")


def test_the_version_may_be_read_late_and_rehearsed(monkeypatch):
    calls = []
    ledger = Ledger("kit", version=lambda: calls.append(1) or "1.5") + [Name("a:A", "json:loads", **DATES)]
    assert not calls and ledger.stage(ledger["a:A"]) == "deprecated" and calls
    monkeypatch.setenv("COMPAT_AS_OF", "2.0")
    assert ledger.stage(ledger["a:A"]) == "expired"
    monkeypatch.setenv("COMPAT_AS_OF", "other=2.0")
    assert ledger.stage(ledger["a:A"]) == "deprecated"


@pytest.mark.parametrize(
    ("value", "in_force", "misread"),
    [("soon", "1.5", "soon"), ("other=2.0,kit=?", "1.5", "kit=?"), ("kit=2.0,other=", "2.0", "other=")],
)
def test_a_rehearsed_version_that_is_none_is_left_out_with_one_log_line(monkeypatch, caplog, value, in_force, misread):
    ledger = Ledger("kit", version="1.5") + [Name("a:A", "json:loads", **DATES)]
    monkeypatch.setenv("COMPAT_AS_OF", value)
    monkeypatch.setattr(versions, "_said", set())
    assert [ledger.origin(ledger["a:A"]).version for _ in range(3)] == [in_force] * 3
    assert caplog.messages == [f"COMPAT_AS_OF={value!r} is not understood at {misread!r}: write 3.0, or shop=3.0,other=2.1"]


def test_check_passes_a_sound_ledger():
    sound = [row for row in rows() if row.kind != "class"]
    assert check(Ledger("kit", version="1.5") + sound) is None


def test_check_raises_all_faults_at_once_each_with_row_reason_and_remedy():
    ledger = (
        Ledger("bad", version="now")
        + Ledger("late", version=lambda: {}["version"])
        + [
            Name("a:A", "json:loads", **DATES),
            Name("a:A", "json:dumps", **DATES),
            Removed("a:B", since="1.0", instead="json.loads"),
            Name("a:B", "json:loads", **DATES),
            Name("c:X", "c:Y", **DATES),
            Name("c:Y", "c:X", **DATES),
            Name("a:Missing", "json:nope", **DATES),
            Module("a.gone", "no.such.module", **DATES),
            Name("a:Late", "json:loads", since="2.0", removal="2.0", instead=None),
            Name("a:When", "json:loads", since="soon", removal="2.0", instead=None),
            Removed("a:Silent", since="1.0", instead=None),
            Name("a:Empty", "json:loads", since="1.0", removal="2.0", instead=" "),
            Class("a:Err", "json:JSONDecodeError", adapter="json:JSONEncoder", **DATES),
            Class("a:NoAdapter", "json:JSONEncoder", adapter="json:JSONEncoder", **DATES),
            Name("a b:Odd", "json:loads", **DATES),
            Argument("json:dumps", "x", default="json:loads", order=("a",), **DATES),
        ]
    )
    with pytest.raises(LedgerError) as caught:
        check(ledger)
    said = {(row, reason) for row, reason, _ in caught.value.faults}
    assert all(remedy for _, _, remedy in caught.value.faults)
    for expected in (
        ("Ledger('bad')", "its version cannot be used: 'now' is no version; write one such as '1.4' or '2.0rc1'"),
        ("Ledger('late')", "its version cannot be used: KeyError: 'version'"),
        ("Name('a:A')", "legacy path 'a:A' has another row already"),
        ("Name('a:B')", "the name is both removed and moved"),
        ("Name('c:X')", "the move leads back to itself: c:X -> c:Y -> c:X"),
        ("Name('a:Missing')", "canonical target 'json:nope' is missing: 'json' has no 'nope'"),
        ("Module('a.gone')", "canonical target 'no.such.module' cannot be imported (ModuleNotFoundError: No module named 'no')"),
        ("Name('a:Late')", "removal 2.0 is not after since 2.0"),
        ("Name('a:When')", "since='soon' is no version"),
        ("Removed('a:Silent')", "instead is missing: there is no canonical path to word it from"),
        ("Name('a:Empty')", "instead is empty"),
        ("Class('a:Err')", "an exception cannot be moved as Class: except does not see adapters"),
        ("Class('a:NoAdapter')", "adapter 'json:JSONEncoder' is no Adapter"),
        ("Name('a b:Odd')", "'a b:Odd' is no legacy path"),
        (
            "Argument('json:dumps(x)')",
            "it must be exactly one of renamed, dropped, of other values, several in one, a combination, newly required, "
            "of another default, keyword-only, reordered",
        ),
    ):
        assert expected in said, (expected, sorted(said))
    assert str(caught.value).startswith(f"ledger 'bad' has {len(caught.value.faults)} faults:\n  ")


def test_what_is_to_be_written_instead_is_worded_one_way():
    said = [
        replacement(Name("old:A", "new:B", since="1", removal="2", instead=words))
        for words in (None, "new.make()", "Write B.", "write B instead")
    ]
    assert said == ["Use canonical path 'from new import B' instead.", "Use new.make() instead.", "Write B.", "Write B instead."]


def test_the_advice_names_the_member_of_what_is_imported():
    said = [
        replacement(Name(old, new, since="1.0", removal="2.0", instead=None))
        for old, new in (("old:LIMIT", "new:Limits.MAX"), ("old:Color.RED", "new.core:Color.CRIMSON"), ("old:A.b.c", "new:B"))
    ]
    assert said == [
        "Use Limits.MAX of canonical path 'from new import Limits' instead.",
        "Use Color.CRIMSON of canonical path 'from new.core import Color' instead.",
        "Use canonical path 'from new import B' instead.",
    ]


def test_sentences_of_other_stages():
    row = (Ledger("kit", version="1") + [Name("old:A", "new:B", **DATES)])["old:A"]
    assert sentence(row, "import", "announced", docs="GUIDE.md") == (
        "Importing A from 'old' will be deprecated in kit 1.0 and removed in 2.0. Use canonical path 'from new import B' instead. See GUIDE.md."
    )
    assert sentence(row, "import", "expired").startswith(
        "Importing A from 'old' has expired: it was deprecated in kit 1.0 and removed in 2.0."
    )


def test_rows_at_no_place_of_their_own_are_held_and_not_served():
    from compat.ledger.move import Move

    class Behaviour(Move):
        kind = "behaviour"
        place = "code"
        __slots__ = ()

    row = Behaviour("environment:OLD_HOME", "", since="1.0", removal="2.0", instead="Set NEW_HOME.")
    made = Ledger("kit", version="1.5", rows=[row])
    assert list(made) == [row.replace(ledger="kit")] and made["environment:OLD_HOME"].place == "code"
    assert made.roots == frozenset() and not made.is_declared("environment") and not row.is_importable


ASKED = """
import sys
from compat.ledger import Argument, Ledger, Move, Name

V = {"since": "1.0", "removal": "2.0", "instead": None}

class Value(Argument):
    kind = "value"
    __slots__ = ()
    def advice(self):
        return f"{super().advice()} Or else."

class Constant(Move):
    kind = "constant"
    __slots__ = ()
    def advice(self):
        return f"{super().advice()} Or else."

rows = [Value("m:f", "old", became="new", **V), Constant("old:A", "new:A", **V), Name("old:B", "new:B", **V)]
ledger = Ledger("kit", version="1.5", rows=rows)
assert ledger.stage(ledger["old:A"]) == "deprecated" and "compat.ledger.kinds" not in sys.modules
"""


@pytest.mark.parametrize(
    "asked, said",
    [
        ("rows[0].advice()", "Pass 'new' instead. Or else."),
        ("rows[1].advice()", "Use canonical path 'from new import A' instead. Or else."),
        ("rows[2].advice()", "Use canonical path 'from new import B' instead."),
        ("Value.meaning", "An argument that was renamed, dropped, reordered or became required is passed the legacy way."),
    ],
)
def test_what_rows_say_is_loaded_with_the_first_question_whoever_asks_it(asked, said):
    code = f"{ASKED}print({asked})"
    done = subprocess.run([sys.executable, "-S", "-c", code], capture_output=True, text=True, cwd=ROOT)
    assert done.stdout == f"{said}\n", done.stderr
