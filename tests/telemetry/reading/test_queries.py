"""The questions, against a history whose answers are known."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from compat.telemetry import collect
from compat.telemetry.history.queries import KEYS, Observed, Selection, Usage
from compat.telemetry.page.numbers import read_numbers
from compat.telemetry.record.sites import Site

TODAY = 20778
MANAGER, AUTH, GONE = "old.core:Manager", "old.auth:AuthHandler", "old.gone"
MONTH = Selection(TODAY - 29, TODAY)


def figures(line):
    return line.key, line.today, line.week, line.week_before, line.month, line.total


def test_by_move_counts_today_the_weeks_the_month_and_the_period(history):
    lines = Usage(history()).lines("move", MONTH)
    assert [figures(line) for line in lines] == [
        (MANAGER, 3, 6, 10, 21, 21),
        (AUTH, 0, 4, 0, 4, 4),
        (GONE, 0, 0, 0, 0, 0),
    ]


def test_a_longer_period_adds_to_the_total_alone(history):
    lines = Usage(history()).lines("move", Selection(TODAY - 89, TODAY))
    assert [figures(line) for line in lines] == [
        (MANAGER, 3, 6, 10, 21, 28),
        (AUTH, 0, 4, 0, 4, 4),
        (GONE, 0, 0, 0, 0, 6),
    ]


def test_a_shorter_period_leaves_the_windows_as_they_are(history):
    line = Usage(history()).lines("move", Selection(TODAY - 1, TODAY))[0]
    assert figures(line) == (MANAGER, 3, 6, 10, 21, 6)
    assert (line.callers, line.services) == (1, ("api", "worker"))


def test_first_and_last_are_those_of_the_whole_history(history):
    manager, _, gone = Usage(history()).lines("move", MONTH)
    assert (manager.first, manager.last) == ((TODAY - 40) * 86400 + 60, TODAY * 86400 + 3600)
    assert (gone.first, gone.last) == ((TODAY - 60) * 86400 + 60, (TODAY - 60) * 86400 + 3600)
    assert (gone.callers, gone.services, gone.trend) == (0, (), (0,) * 30)


def test_the_trend_has_a_count_per_day_and_ends_today(history):
    trend = Usage(history()).lines("move", MONTH)[0].trend
    assert {29 - at: count for at, count in enumerate(trend) if count} == {0: 3, 1: 3, 8: 10, 20: 5}


def test_by_caller_the_top_level_module_is_the_caller(history):
    lines = Usage(history()).lines("caller", MONTH)
    assert [(*figures(line), line.moves) for line in lines] == [
        ("chat", 3, 10, 10, 20, 20, 2),
        ("jobs", 0, 0, 0, 5, 5, 1),
    ]


def test_by_service(history):
    lines = Usage(history()).lines("service", MONTH)
    assert [(*figures(line), line.callers) for line in lines] == [
        ("api", 2, 9, 10, 19, 19, 1),
        ("worker", 1, 1, 0, 6, 6, 2),
    ]


def test_by_file(history):
    lines = Usage(history()).lines("file", MONTH)
    assert [(*figures(line)[:2], line.total, line.moves) for line in lines] == [
        ("chat/app.py", 3, 16, 1),
        ("jobs/run.py", 0, 5, 1),
        ("chat/login.py", 0, 4, 1),
        ("chat/<b>&\"'.py", 0, 0, 0),
    ]


def test_by_day_the_newest_first_with_windows_that_end_on_that_day(history):
    lines = Usage(history()).lines("day", MONTH)
    assert [figures(line) for line in lines] == [
        ("2026-11-21", 3, 10, 10, 25, 3),
        ("2026-11-20", 3, 7, 10, 22, 3),
        ("2026-11-19", 4, 14, 0, 19, 4),
        ("2026-11-13", 10, 10, 5, 15, 10),
        ("2026-11-01", 5, 5, 0, 5, 5),
    ]


@pytest.mark.parametrize(("match", "found"), [("auth", [AUTH]), ("old.*:*", [MANAGER, AUTH]), ("AUTH", []), ("old.gone", [GONE])])
def test_match_is_a_glob_or_text_anywhere_in_the_id(history, match, found):
    assert [line.key for line in Usage(history()).lines("move", Selection(TODAY - 29, TODAY, match))] == found


def test_places_are_the_busiest_first(history):
    places = [place for place in Usage(history()).all_places(MONTH) if place.move == MANAGER]
    assert [(place.file, place.line, place.function, place.kind, place.total) for place in places] == [
        ("chat/app.py", 3, "<module>", "import", 15),
        ("jobs/run.py", 1, "<module>", "import", 5),
        ("chat/app.py", 20, "connect", "call", 1),
    ]


def test_a_call_site_whose_line_moves_with_each_version_is_one(directory, write_segment):
    for week in range(13):
        now = (TODAY - 7 * week) * 86400.0 + 60
        moved = [Site("old.a", "call", "app/main.py", 100 + 3 * week + more, "run", "app.main") for more in (0, 1)]
        write_segment(dict.fromkeys(moved, 2), now=now, version=f"2026.{50 - week}")
    with collect([directory]) as read:
        (place,) = Usage(read.connection).all_places(Selection(0, TODAY))
        (spot,) = read_numbers(read.connection, Selection(0, TODAY), 28, str, None).spots["old.a"]
    assert (place.version, place.total, place.file) == ("2026.50", 52, "app/main.py")
    assert place.line in (100, 101)
    assert (spot.line, spot.version, len(spot.ids)) == (101, "2026.50", 26)


def test_observed_counts_processes_and_their_hours_within_the_period(history):
    usage = Usage(history())
    start = (TODAY - 10) * 86400.0
    assert usage.observed(MONTH) == Observed(2, 20.0, start, ("api",))
    assert usage.observed(Selection(TODAY - 9, TODAY)) == Observed(0, 0.0, None, ())


PARTS = st.tuples(
    st.sampled_from(["old.a:A", "old.a:B", "old.b", "old.b:C.d"]),
    st.sampled_from(["import", "call"]),
    st.sampled_from(["x.py", "y/z.py"]),
    st.integers(1, 3),
    st.just("<module>"),
    st.sampled_from(["app.one", "app.two", "jobs", ""]),
    st.sampled_from(["api", "worker", "a,b"]),
)


@pytest.mark.slow
@settings(max_examples=40)
@given(
    sites=st.dictionaries(PARTS, st.dictionaries(st.integers(0, 70), st.integers(1, 10**12), max_size=6), max_size=8),
    days=st.integers(1, 75),
)
def test_whatever_a_row_is_the_uses_add_up_to_the_same(history, sites, days):
    usage = Usage(history([(*site, uses) for site, uses in sites.items()]))
    selection = Selection(TODAY - days + 1, TODAY)
    expected = sum(count for uses in sites.values() for ago, count in uses.items() if ago < days)
    month = sum(count for uses in sites.values() for ago, count in uses.items() if ago < 30)
    for by in ("move", "caller", "service", "file"):
        lines = usage.lines(by, selection)
        assert sum(line.total for line in lines) == expected
        assert sum(line.month for line in lines) == sum(sum(line.trend) for line in lines) == month
    assert sum(line.total for line in usage.lines("day", selection)) == expected
    assert usage.used(selection) == {line.key for line in usage.lines("move", selection) if line.total}
    assert sum(usage.totals(selection).values()) == expected
    assert sum(place.total for place in usage.all_places(selection)) == expected


def test_an_empty_history_answers_with_nothing(history):
    usage = Usage(history((), processes=0))
    assert [usage.lines(by, MONTH) for by in KEYS] == [[]] * len(KEYS)
    assert usage.first_day() is None
    assert usage.observed(MONTH) == Observed(0, 0.0, None, ())
