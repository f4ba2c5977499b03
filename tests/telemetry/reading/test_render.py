"""The formats for terminals, spreadsheets and pull requests."""

from __future__ import annotations

import csv
import io
import json
from datetime import datetime, timezone

import pytest

from compat.telemetry.history.queries import Line
from compat.telemetry.report.render import direction, spark, write_csv, write_json, write_markdown, write_table
from compat.telemetry.report.usage_report import build_report

NOW = datetime(2026, 11, 21, 12, tzinfo=timezone.utc)


@pytest.fixture
def shown(history, facts):
    """Write a report in one format and return the text."""

    def shown(write, sites=None, processes=2, by="move", **more):
        connection = history(processes=processes) if sites is None else history(sites, processes)
        stream = io.StringIO()
        report = build_report(connection, by=by, facts=facts, now=NOW, problems=more.pop("problems", ()))
        write(report, stream, "/state", **more)
        return stream.getvalue()

    return shown


def line(**changes):
    blank = Line("x", 0, 0, 0, 0, 0, None, None, 0, 0, (), (0,) * 30)
    return blank._replace(**changes)


@pytest.mark.parametrize(
    ("counts", "drawn"),
    [
        ((0,) * 30, " " * 10),
        ((1,) * 30, "█" * 10),
        ((0,) * 27 + (4, 0, 0), " " * 9 + "█"),
        ((70,) * 3 + (1, 0, 0) + (0,) * 24, "█▁        "),
    ],
)
def test_a_spark_has_ten_characters_and_shows_the_least_use(counts, drawn):
    assert spark(counts) == drawn


@pytest.mark.parametrize(
    ("uses", "word"),
    [
        (line(week=6, week_before=10, last=1.0), "-40%"),
        (line(week=20, week_before=10, last=1.0), "+100%"),
        (line(week=4, month=4, last=1.0), "new"),
        (line(week=4, month=9, last=1.0), "back"),
        (line(month=9, last=1.0), "ended"),
        (line(), ""),
    ],
)
def test_a_change_is_one_word(uses, word):
    assert direction(uses) == word


def test_the_table_of_moves(shown):
    lines = [text.rstrip() for text in shown(write_table, width=160).splitlines()]
    heads = "move today 7 days 30 days trend change callers services last seen outlook stage removal"
    assert " ".join(lines[0].split()) == heads
    assert " ".join(lines[2].split()) == "old.core:Manager 3 6 21 ▄ █ ▅ -40% 2 api, worker 2026-11-21 deprecated 3.0"
    assert " ".join(lines[3].split()) == "old.auth:AuthHandler 0 4 4 █ new 1 api 2026-11-19 new since 2026-11-19 expired 2.0"
    assert " ".join(lines[4].split()) == "old.gone 0 0 0 ended 0 2026-09-22 gone since 2026-09-23"
    assert lines[5] == "2026-10-23 to 2026-11-21 (UTC): 25 uses in 2 processes over 20 hours since 11 November 2026."
    assert lines[6] == "0 of 2 processes (0%) used something legacy."
    assert lines[7] == "1 of 3 moves of the ledger had no use in this period."


@pytest.mark.parametrize(
    ("width", "heads"), [(60, "last seen removal"), (80, "services last seen"), (100, "7 days services last seen")]
)
def test_a_narrow_terminal_keeps_what_decides_and_drops_the_rest(shown, width, heads):
    lines = shown(write_table, width=width).splitlines()
    assert max(map(len, lines)) <= width
    assert any(text.startswith("old.auth:AuthHandler ") for text in lines)
    assert heads in " ".join(lines[0].split())
    (expired,) = [text for text in lines if "old.auth" in text]
    assert "expired" in expired and "2.0" in expired


def test_a_long_table_shows_the_top_and_counts_the_rest(shown):
    lines = shown(write_table, width=120, top=1).splitlines()
    assert lines[2].startswith("old.core:Manager ")
    assert lines[3] == "... and 2 more rows: --top 0 shows all"


def test_the_table_says_what_was_not_read(shown):
    assert "Not read: x.seg: no segment\n" in shown(write_table, problems=["x.seg: no segment"], width=120)


def test_the_table_of_nothing_says_what_to_do_next(shown):
    assert shown(write_table, (), 0, width=100).startswith("Nothing has been recorded in /state yet.\n")


def test_a_name_cannot_steer_the_terminal(shown):
    sites = (("old:X", "import", "a\x1b[2J\u202eb.py", 1, "<module>", "a", "api\x07", {0: 1}),)
    text = shown(write_table, sites, by="file", width=100)
    assert "a\ufffd[2J\ufffdb.py" in text and "api\ufffd" in text
    assert "\x1b" not in text and "\x07" not in text


def test_in_a_pipe_no_name_is_folded(shown, monkeypatch):
    monkeypatch.delenv("COLUMNS", raising=False)
    name = "old." + "package." * 30 + "module:Name"
    assert f"\n{name} " in shown(write_table, ((name, "import", "a.py", 1, "<module>", "a", "api", {0: 1}),))


def test_brackets_in_a_file_name_are_no_markup(shown):
    sites = (("old:X", "import", "a/[red]b[/red].py", 1, "<module>", "a", "api", {0: 1}),)
    assert "a/[red]b[/red].py" in shown(write_table, sites, by="file", width=100)


def test_csv_has_a_row_per_move_with_its_facts(shown):
    rows = list(csv.DictReader(io.StringIO(shown(write_csv))))
    assert rows[1] == {
        "move": "old.auth:AuthHandler",
        "today": "0",
        "last_7_days": "4",
        "previous_7_days": "0",
        "last_30_days": "4",
        "total": "4",
        "first_seen": "2026-11-19T00:01:00Z",
        "last_seen": "2026-11-19T01:00:00Z",
        "moves": "1",
        "callers": "1",
        "services": "api",
        "new_since": "2026-11-19",
        "gone_since": "",
        "expected_end": "",
        "processes_used": "",
        "processes_observed": "",
        "stage": "expired",
        "since": "1.0",
        "removal": "2.0",
        "instead": "Use new.auth.Auth instead.",
    }
    assert [row["stage"] for row in rows] == ["deprecated", "expired", ""]


def test_csv_runs_no_formula_of_a_file_name(shown):
    sites = (("old:X", "import", "=cmd()|x.py", 1, "<module>", "a", "api", {0: 1}),)
    assert shown(write_csv, sites, by="file").splitlines()[1].startswith("'=cmd()|x.py,1,1,0,1,1,")


def test_markdown_escapes_what_would_break_its_table(shown):
    sites = (("old:X", "import", "a|b`c.py", 1, "<module>", "a", "api", {0: 1}),)
    text = shown(write_markdown, sites, by="file")
    assert "| `a\\|b'c.py` | 1 | 1 | 1 |" in text


def test_markdown_of_moves(shown):
    lines = shown(write_markdown).splitlines()
    assert lines[0] == "## Legacy use by move"
    assert lines[2].startswith("| move | today | 7 days | 30 days | trend | change | callers | services | last seen |")
    assert (
        lines[5]
        == "| `old.auth:AuthHandler` | 0 | 4 | 4 |          █ | new | 1 | api | 2026-11-19 | new since 2026-11-19 | expired | 2.0 |"
    )
    assert lines[-1] == "1 of 3 moves of the ledger had no use in this period."


def test_json_is_one_document_that_ends_with_a_newline(shown):
    text = shown(write_json, by="service")
    assert text.endswith("}\n")
    assert [row["key"] for row in json.loads(text)["rows"]] == ["api", "worker"]
