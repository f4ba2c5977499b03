"""The report as data: periods, evidence, what is unused, the published schema."""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

import compat.telemetry
from compat.telemetry.history.queries import KEYS, Observed
from compat.telemetry.report.render import footer
from compat.telemetry.report.usage_report import (
    FORMAT_VERSION,
    as_dict,
    build_report,
    day_of,
    evidence,
    iso_day,
    next_step,
    parse_since,
    row_of,
)

NOW = datetime(2026, 11, 21, 12, tzinfo=timezone.utc)
SCHEMA = Path(compat.telemetry.__file__).parent / "data" / "report.schema.json"


def test_days_are_those_of_utc():
    late = datetime(2026, 11, 21, 23, 30, tzinfo=timezone(timedelta(hours=-2)))
    assert (day_of(NOW), iso_day(day_of(NOW)), iso_day(day_of(late))) == (20778, "2026-11-21", "2026-11-22")


@pytest.mark.parametrize(
    ("text", "first"),
    [("1d", "2026-11-21"), ("30d", "2026-10-23"), ("2w", "2026-11-08"), ("2026-11-01", "2026-11-01"), ("all", "1970-01-01")],
)
def test_periods(text, first):
    assert iso_day(parse_since(text, 20778)) == first


@pytest.mark.parametrize("text", ["", "soon", "3y", "-3d", "0d", "0w", "2026-13-01"])
def test_a_period_that_is_none_says_which_forms_there_are(text):
    with pytest.raises(ValueError, match="write 30d, 12w, all, or a first day such as 2026-11-01"):
        parse_since(text, 20778)


def test_an_unknown_key_is_refused(history):
    with pytest.raises(
        ValueError, match="a report goes by move, caller, file, service, day, environment, version, owner; not by 'team'"
    ):
        build_report(history(), by="team")


def test_unused_are_the_moves_of_the_ledger_without_a_use_in_the_period(history, facts):
    connection = history()
    assert build_report(connection, facts=facts, now=NOW).unused == ["old.never:X"]
    assert build_report(connection, facts=facts, now=NOW, since="1d").unused == ["old.auth:AuthHandler", "old.never:X"]
    assert build_report(connection, facts=facts, now=NOW, match="auth").unused == []
    assert build_report(connection, by="day", facts=facts, now=NOW).unused == ["old.never:X"]


def test_a_class_whose_method_is_used_is_not_unused(history, facts):
    sites = (("old.core:Manager.send", "call", "a.py", 1, "f", "a", "api", {0: 1}),)
    report = build_report(history(sites), facts=facts, now=NOW)
    assert report.unused == ["old.auth:AuthHandler", "old.never:X"]
    assert as_dict(report)["rows"][0]["move"]["removal"] == "3.0"


@pytest.mark.parametrize(
    ("id", "row"),
    [
        ("a.b:C", "a.b:C"),
        ("a.b:C.method", "a.b:C"),
        ("a.b:C.Inner.method", "a.b:C"),
        ("a.b:Other", "a.b"),
        ("a.b.c.d:X.y", "a.b"),
        ("a.bc:X", None),
        ("a", None),
        ("", None),
    ],
)
def test_a_method_is_spoken_for_by_its_class_and_a_name_by_its_module(id, row):
    assert row_of(dict.fromkeys(["a.b:C", "a.b"]), id) == row


@pytest.mark.parametrize(
    ("uses", "observed", "sentence"),
    [
        (0, Observed(41, 912.2, 1793707200.0, ()), "0 uses in 41 processes over 912 hours since 3 November 2026"),
        (1, Observed(1, 1.0, 1793707200.0, ()), "1 use in 1 process over 1 hour since 3 November 2026"),
        (0, Observed(0, 0, None, ()), "0 uses, but no process was observed: this zero proves nothing"),
        (1200, Observed(0, 0, None, ()), "1,200 uses"),
    ],
)
def test_a_count_says_what_it_rests_on(uses, observed, sentence):
    assert evidence(uses, observed) == sentence


def test_nothing_recorded_says_what_to_do_next(history):
    report = build_report(history((), processes=0), now=NOW)
    assert report.is_empty
    assert next_step(report, "/state").splitlines() == [
        "Nothing has been recorded in /state yet.",
        "  See one at once:            python -m compat demo",
        "  Check the drop-in:          python -m compat doctor",
        "  Report another directory:   compat report DIR",
    ]


def test_where_nothing_was_read_no_move_is_said_to_be_unused(history, facts):
    report = build_report(history((), processes=0), now=NOW, facts=facts)
    assert report.is_empty and report.unused
    assert [line for line in footer(report) if "had no use" in line] == []


def test_no_use_in_observed_processes_is_said_as_evidence(history):
    report = build_report(history((), processes=3), now=NOW)
    assert not report.is_empty
    assert next_step(report) == (
        "No legacy use in this period: 0 uses in 3 processes over 30 hours since 11 November 2026.\nSee what may go: compat ready"
    )


def test_there_is_no_next_step_where_there_is_something_to_read(history):
    assert next_step(build_report(history(), now=NOW)) == ""


@pytest.mark.parametrize("by", KEYS)
def test_json_keeps_to_the_published_schema(history, facts, by):
    jsonschema = pytest.importorskip("jsonschema", reason="the schema is checked where jsonschema is installed")
    schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    shown = as_dict(build_report(history(), by=by, facts=facts, now=NOW, problems=["x.seg: not a segment"]))
    jsonschema.validate(shown, schema)
    assert (shown["format_version"], schema["properties"]["format_version"]["const"]) == (FORMAT_VERSION, FORMAT_VERSION)


def test_a_row_of_json(history, facts):
    row = as_dict(build_report(history(), facts=facts, now=NOW))["rows"][1]
    assert row.pop("trend") == [0] * 27 + [4, 0, 0]
    assert row == {
        "key": "old.auth:AuthHandler",
        "today": 0,
        "last_7_days": 4,
        "previous_7_days": 0,
        "last_30_days": 4,
        "total": 4,
        "first_seen": "2026-11-19T00:01:00Z",
        "last_seen": "2026-11-19T01:00:00Z",
        "moves": 1,
        "callers": 1,
        "services": ["api"],
        "new_since": "2026-11-19",
        "gone_since": None,
        "expected_end": None,
        "processes": None,
        "move": {
            "legacy": "old.auth:AuthHandler",
            "canonical": "new.auth:Auth",
            "since": "1.0",
            "removal": "2.0",
            "instead": "Use new.auth.Auth instead.",
            "stage": "expired",
            "kind": "class",
        },
    }
