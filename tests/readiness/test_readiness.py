"""Each verdict, its reasons, and their order."""

from __future__ import annotations

import json
from datetime import datetime, timezone
from typing import NamedTuple

import pytest

from compat.readiness import Policy, Verdict, as_dict, judge, places_by_move
from compat.telemetry.history.queries import Line, Observed
from compat.telemetry.report.usage_report import MoveFacts

NOW = datetime(2026, 11, 21, 12, tzinfo=timezone.utc)
POLICY = Policy()
WATCHED = Observed(41, 912.0, NOW.timestamp() - 29.5 * 86400, ("api",))
EVIDENCE = "0 uses in 41 processes over 912 hours since 23 October 2026; not found in source"


def facts(stage="expired"):
    return MoveFacts("old:X", "new:X", "1.0", "3.0", "Use new.X instead.", stage, "name")


def line(key="old:X", total=7):
    return Line(key, 0, total, 0, total, total, 1.0, NOW.timestamp(), 1, 2, ("api",), (0,) * 30)


def verdict(stage="expired", lines=(), observed=WATCHED, places=None, policy=POLICY):
    (answer,) = judge({"old:X": facts(stage)}, lines, observed, {} if places is None else places, NOW, policy)
    return answer.verdict, list(answer.reasons)


def test_quiet_proven_unwritten_and_due_may_go():
    assert verdict() == (Verdict.GO, [EVIDENCE])


@pytest.mark.parametrize("stage", ["announced", "deprecated"])
def test_before_the_removal_version_the_promise_holds(stage):
    assert verdict(stage) == (Verdict.WAIT, [EVIDENCE, "promised until 3.0"])


def test_a_use_stands_in_the_way_and_source_is_named_too():
    assert verdict(lines=[line()], places={"old:X": ["a.py:1"]}) == (
        Verdict.USED,
        ["7 uses in api, last on 2026-11-21", "written at a.py:1"],
    )


def test_one_use_is_worded_as_one():
    assert verdict(lines=[line(total=1)])[1] == ["1 use in api, last on 2026-11-21"]


def test_uses_of_its_methods_are_uses_of_a_class():
    assert verdict(lines=[line("old:X.connect"), line("old:X.close", 3)])[1] == ["10 uses in api, last on 2026-11-21"]
    assert verdict(places={"old:X.connect": ["a.py:1"], "old:Xx": ["b.py:2"]}) == (Verdict.WRITTEN, ["written at a.py:1"])
    assert verdict(lines=[line("old:Xx"), line("older:X")])[0] is Verdict.GO


def test_uses_before_the_period_do_not_count():
    assert verdict(lines=[line(total=0)])[0] is Verdict.GO


def test_what_is_written_but_not_run_may_not_go():
    places = {"old:X": [f"a.py:{number}" for number in range(1, 6)]}
    assert verdict(places=places) == (Verdict.WRITTEN, ["written at a.py:1, a.py:2, a.py:3 and 2 more"])


@pytest.mark.parametrize(
    ("observed", "reason"),
    [
        (Observed(0, 0.0, None, ()), "no process with the drop-in was observed"),
        (WATCHED._replace(processes=9), "only 9 of 10 processes were observed"),
        (WATCHED._replace(hours=3.25), "only 3.2 of 24 hours were observed"),
        (WATCHED._replace(since=NOW.timestamp() - 5 * 86400), "observed for only 5.0 of 30 days"),
    ],
)
def test_silence_proves_nothing_where_nobody_listened(observed, reason):
    assert verdict(observed=observed, policy=Policy(processes=10)) == (Verdict.UNPROVEN, [reason])


def test_without_a_search_of_source_nothing_is_proven():
    (answer,) = judge({"old:X": facts()}, [], WATCHED, None, NOW)
    assert answer.verdict is Verdict.UNPROVEN
    assert list(answer.reasons) == ["no source was searched: name the trees to search"]


def test_overdue_moves_come_first_then_what_is_in_use():
    about = {"later": facts("deprecated"), "used": facts("deprecated"), "gone": facts(), "overdue": facts()}
    answers = judge(about, [line("used", 9), line("overdue", 1)], WATCHED, {}, NOW)
    assert [(answer.move, answer.verdict.value, answer.is_overdue) for answer in answers] == [
        ("overdue", "in use", True),
        ("used", "in use", False),
        ("later", "later", False),
        ("gone", "may go", False),
    ]


def test_findings_are_grouped_by_move():
    class Finding(NamedTuple):
        move: str
        path: str
        line: int

    found = [Finding("a", "x.py", 3), Finding("b", "x.py", 4), Finding("a", "y.py", 1)]
    assert places_by_move(found) == {"a": ["x.py:3", "y.py:1"], "b": ["x.py:4"]}


def test_json():
    answers = judge({"old:X": facts()}, [], WATCHED, {}, NOW)
    assert json.loads(json.dumps(as_dict(answers, Policy()))) == {
        "format": "compat-readiness",
        "format_version": 1,
        "policy": {"days": 30, "processes": 1, "hours": 24.0},
        "moves": [
            {
                "move": "old:X",
                "verdict": "may go",
                "due": True,
                "reasons": [EVIDENCE],
                "uses": 0,
                "places": [],
                "stage": "expired",
                "since": "1.0",
                "removal": "3.0",
                "instead": "Use new.X instead.",
            }
        ],
    }
