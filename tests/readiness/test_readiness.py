"""Each verdict, its reasons, and their order."""

from __future__ import annotations

import json
from typing import NamedTuple

import pytest

from compat.readiness import Policy, as_dict, places_by_move

from .conftest import facts

EVIDENCE = "0 uses in 1 process over 707 hours since 23 October 2026; not found in source"


@pytest.fixture
def watched(fleet):
    """A fleet in which one service was watched without a break."""
    fleet.run("api", 60, 0)
    return fleet


def test_quiet_proven_unwritten_and_due_may_go(watched):
    assert watched.verdict() == ("may go", [EVIDENCE])


@pytest.mark.parametrize("stage", ["announced", "deprecated"])
def test_before_the_removal_version_the_promise_holds(watched, stage):
    assert watched.verdict(moves={"old:X": facts(stage)}) == ("later", [EVIDENCE, "promised until 3.0"])


def test_a_use_stands_in_the_way_and_source_is_named_too(watched):
    watched.run("web", 0, 0, {0: 7})
    assert watched.verdict(places={"old:X": ["a.py:1"]}) == (
        "in use",
        ["7 uses in web, last on 2026-11-21", "written at a.py:1"],
    )


def test_one_use_is_worded_as_one(watched):
    watched.run("web", 0, 0, {0: 1})
    assert watched.verdict()[1] == ["1 use in web, last on 2026-11-21"]


def test_uses_of_its_methods_are_uses_of_a_class(watched):
    watched.run("web", 60, 60)
    watched.run("job", 60, 60)
    watched.run("web", 1, 1, {1: 7}, move="old:X.connect")
    watched.run("job", 2, 2, {2: 3}, move="old:X.close")
    assert watched.verdict()[1] == ["10 uses in job, web, last on 2026-11-20"]
    assert watched.verdict(moves={"old:Xx": facts()}) == (
        "may go",
        [EVIDENCE.replace("1 process over 707", "3 processes over 708")],
    )


def test_what_is_written_in_a_class_of_the_row_stands_in_its_way(watched):
    assert watched.verdict(places={"old:X.connect": ["a.py:1"], "old:Xx": ["b.py:2"]}) == ("in source", ["written at a.py:1"])


def test_what_is_written_but_not_run_may_not_go(watched):
    places = {"old:X": [f"a.py:{number}" for number in range(1, 6)]}
    assert watched.verdict(places=places) == ("in source", ["written at a.py:1, a.py:2, a.py:3 and 2 more"])


def test_silence_proves_nothing_where_nobody_listened(fleet):
    assert fleet.verdict() == (
        "unproven",
        [
            "no process with the drop-in was observed: "
            "run the services with the drop-in and COMPAT_SERVICE or COMPAT_DIR set for 30 days, and read their state with --from"
        ],
    )


def test_silence_of_few_proves_nothing(watched):
    assert watched.verdict(policy=Policy(processes=10)) == (
        "unproven",
        ["only 1 of 10 processes were observed: read the other hosts with --from, or say --processes"],
    )
    assert watched.verdict(policy=Policy(hours=1000)) == (
        "unproven",
        ["only 707.0 of 1,000 hours were observed: let it run, or read the other hosts with --from"],
    )


def test_silence_of_a_few_days_proves_nothing(fleet):
    fleet.run("api", 4, 0)
    assert fleet.verdict() == ("unproven", ["observed for only 5 of 30 days: wait 25 more days, or say --days"])


def test_a_process_of_25_hours_a_month_ago_proves_nothing(fleet):
    fleet.run("api", 29, 28, hour=10)
    assert fleet.verdict() == ("unproven", ["nothing was observed after 2026-10-24: observe the services again"])


def test_a_hole_in_the_observation_is_no_silence(fleet):
    fleet.run("api", 60, 20)
    fleet.run("api", 9, 0)
    assert fleet.verdict() == (
        "unproven",
        ["observed for only 20 of 30 days, with 10 days unobserved: wait 10 more days, or say --days"],
    )


def test_a_job_of_an_hour_each_day_is_observed_each_day(fleet):
    for ago in range(33):
        fleet.run("job", ago, ago, hour=4)
    assert fleet.verdict()[0] == "may go"


def test_without_a_search_of_source_nothing_is_proven(watched):
    assert watched.verdict(places=None) == ("unproven", ["no source was searched: name the trees to search"])


def test_overdue_moves_come_first_then_what_is_in_use(watched):
    watched.run("web", 60, 1, {1: 9}, move="used")
    watched.run("web", 1, 1, {1: 1}, move="overdue")
    about = {"later": facts("deprecated"), "used": facts("deprecated"), "gone": facts(), "overdue": facts()}
    assert [(answer.move, answer.verdict.value, answer.is_overdue) for answer in watched.judge(about)] == [
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


def test_json(watched):
    watched.run("worker", 50, 45, {47: 3}, version="2.1", environment="staging")
    what = "worker (staging) used it last on 2026-10-05 (version 2.1) and was not observed after 2026-10-07"
    settle = "observe it again, or, if it runs no more, say --retired worker"
    assert json.loads(json.dumps(as_dict(watched.judge(), Policy()))) == {
        "format": "compat-readiness",
        "format_version": 2,
        "policy": {"days": 30, "processes": 1, "hours": 24.0},
        "moves": [
            {
                "move": "old:X",
                "verdict": "unproven",
                "due": True,
                "reasons": [f"{what}: {settle}"],
                "uses": 0,
                "places": [],
                "expected_end": None,
                "users": [
                    {
                        "service": "worker",
                        "environment": "staging",
                        "version": "2.1",
                        "verdict": "unproven",
                        "uses": 0,
                        "last_use": "2026-10-05T12:30:00Z",
                        "last_observed": "2026-10-07",
                    }
                ],
                "doubts": [{"what": what, "settle": settle}],
                "stage": "expired",
                "since": "1.0",
                "removal": "3.0",
                "instead": "Use new.X instead.",
            }
        ],
    }
