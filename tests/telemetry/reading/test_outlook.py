"""What is new, what is gone, and when uses are expected to end."""

from __future__ import annotations

import pytest

from compat.telemetry.history.queries import Selection, Usage
from compat.telemetry.report.outlook import (
    Change,
    Forecast,
    Outlook,
    changes,
    forecast,
    forecasts,
    new_callers,
    outlooks,
    share,
    shares,
)

from .conftest import MANAGER, TODAY


def test_a_straight_fall_ends_where_the_line_does():
    assert forecast([40, 30, 20, 10], TODAY) == Forecast("2026-11-28", "2026-11-28", "2026-11-28")
    assert forecast([0, 0, 80, 70, 60, 50, 40], TODAY) == Forecast("2026-12-19", "2026-12-19", "2026-12-19")


def test_what_is_still_used_is_not_said_to_have_ended_by_a_line_that_fell_faster():
    halved = forecast([800, 400, 200, 100, 50], TODAY)
    assert (halved.earliest, halved.likely) == ("2026-11-21", "2026-11-28")
    assert forecast([800, 400, 90, 50, 60, 90], TODAY) is None  # it fell, and does so no more


def test_the_more_it_wavers_the_wider_is_the_window():
    steady, wavering = forecast([100, 91, 79, 71, 60, 49], TODAY), forecast([100, 60, 95, 40, 75, 45], TODAY)
    assert steady is not None and wavering is not None
    assert steady.earliest < steady.likely < steady.latest
    assert wavering.earliest <= steady.earliest
    assert wavering.latest is None, "it may as well not fall at all"


@pytest.mark.parametrize(
    "weekly", [[], [5, 4, 3], [10, 10, 10, 10], [1, 5, 9, 20], [9, 6, 3, 0], [10, 50, 5, 60, 9, 40]], ids=str
)
def test_what_does_not_fall_has_ended_or_is_too_short_has_no_forecast(weekly):
    assert forecast(weekly, TODAY) is None


def fall(history, weeks=6):
    """A history in which one move falls by ten a week, and another does not."""
    days = {7 * week: 10 * (week + 1) for week in range(weeks)}
    steady = {7 * week: 10 for week in range(weeks)}
    sites = [
        ("old:Falls", "call", "a.py", 1, "f", "a", "api", days),
        ("old:Stays", "call", "a.py", 1, "f", "a", "api", steady),
    ]
    return history(sites)


def test_the_forecasts_of_a_history(history):
    assert forecasts(fall(history), Selection(TODAY - 29, TODAY)) == {
        "old:Falls": Forecast("2026-11-28", "2026-11-28", "2026-11-28")
    }


def versioned(history, *starts):
    """A history with processes of versions of the service ``api`` that started so many days ago."""
    connection = history(
        [
            ("old:New", "call", "a.py", 1, "f", "a", "api", {2: 1}),
            ("old:Gone", "call", "b.py", 1, "f", "b", "api", {20: 5, 9: 1}),
            ("old:Long", "call", "c.py", 1, "f", "c", "api", {40: 5}),
            ("old:Stays", "call", "a.py", 1, "f", "d", "worker", {20: 1, 1: 1}),
        ],
        processes=0,
    )
    path = connection.execute("PRAGMA database_list").fetchone()[2]
    from compat.telemetry.history.database import open_history

    with open_history(path, readonly=False) as writing:
        for version, ago in starts:
            start = (TODAY - ago) * 86400.0
            writing.connection.execute(
                "INSERT INTO processes (id, service, version, host, pid, started, ended, python, uses, environment) "
                "VALUES (?, 'api', ?, 'h', 1, ?, ?, '3', ?, 'production')",
                (version, version, start, start + 86400, int(ago < 10)),
            )
    return connection


def test_new_and_gone_are_told_by_version(history):
    connection = versioned(history, ("2026.09", 50), ("2026.10", 8), ("2026.11", 3))
    new, gone = changes(connection, Selection(TODAY - 29, TODAY))
    assert new == [Change("old:New", "api", "2026.11", "2026-11-19")]
    assert gone == [Change("old:Gone", "api", "2026.10", "2026-11-12")]
    assert new_callers(connection, Selection(TODAY - 29, TODAY)) == [("old:New", "a", 1)]
    assert shares(connection, Selection(TODAY - 29, TODAY)) == {"api": (2, 2)}
    assert shares(connection, Selection(TODAY - 60, TODAY)) == {"api": (2, 3)}


def test_without_versions_they_are_told_by_day(history):
    new, gone = changes(versioned(history), Selection(TODAY - 29, TODAY))
    assert (new, gone) == ([Change("old:New", "api", "", "2026-11-19")], [Change("old:Gone", "api", "", "2026-11-12")])
    assert changes(versioned(history), Selection(TODAY - 29, TODAY, "Stays")) == ([], [])
    assert MANAGER not in {change.move for change in new}


@pytest.mark.parametrize(
    ("by", "key", "said"),
    [
        ("move", "old:New", "new since 2026.3"),
        ("move", "old:Gone", "gone since 2026.3"),
        ("move", "old:Long", "gone since 2026.2"),
        ("caller", "a", "new since 2026.3"),
        ("caller", "b", "gone since 2026.3"),
        ("file", "c.py", "gone since 2026.2"),
    ],
)
def test_every_row_says_since_when_it_is_new_or_gone(history, by, key, said):
    connection = versioned(history, ("2026.1", 50), ("2026.2", 30), ("2026.3", 5))
    selection = Selection(TODAY - 59, TODAY)
    lines = [line._replace(services=("api",)) for line in Usage(connection).lines(by, selection)]
    if (by, key) == ("caller", "a"):
        lines = [line for line in lines if line.key == key]
    assert str(outlooks(connection, lines, selection)[key]) == said


def test_a_history_that_has_just_begun_calls_nothing_new(history):
    connection = versioned(history, ("2026.3", 5))
    selection = Selection(TODAY - 59, TODAY)
    assert "old:New" not in outlooks(connection, Usage(connection).lines("move", selection), selection)


def test_a_row_whose_uses_fall_says_when_they_end(history):
    falling = {ago: 2 + ago for ago in range(28)}
    connection = history([("old:X", "call", "a.py", 1, "f", "a", "api", {**falling, 50: 1})])
    selection = Selection(TODAY - 29, TODAY)
    (found,) = outlooks(connection, Usage(connection).lines("caller", selection), selection).values()
    assert str(found) == f"ends {found.ahead.likely}"
    assert found.ahead.earliest <= found.ahead.likely <= (found.ahead.latest or "9")
    assert str(Outlook()) == ""


@pytest.mark.parametrize(("by", "keys"), [("service", {"api"}), ("environment", {"production"}), ("version", {"api 1", "api 2"})])
def test_the_share_of_processes_is_told_apart_by_what_processes_have(history, by, keys):
    found = shares(versioned(history, ("1", 9), ("2", 3)), Selection(TODAY - 29, TODAY), by)
    assert set(found) == keys
    assert share(found) == "2 of 2 processes (100%) used something legacy."
    assert share({}) == ""
