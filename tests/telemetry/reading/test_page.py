"""The page as text: whole without script, closed to the outside, readable in both themes."""

from __future__ import annotations

import io
import re
from datetime import datetime, timezone
from html.parser import HTMLParser
from importlib.resources import files

import pytest

from compat.telemetry.history.queries import Selection
from compat.telemetry.page.chart import SHADES, bucket_days, burn_down
from compat.telemetry.page.html import PLACES, page_values, policy, write_page
from compat.telemetry.report.usage_report import build_report

NOW = datetime(2026, 11, 21, 12, tzinfo=timezone.utc)
TODAY = 20778
VOID = {"meta", "link", "input", "wbr"}


@pytest.fixture
def page(history, facts):
    """Write the page of a history."""

    def page(sites=None, processes=2, since="90d", about=facts, problems=("x.seg: no segment",), **options):
        connection = history(processes=processes) if sites is None else history(sites, processes)
        report = build_report(connection, since=since, facts=about, now=NOW, problems=problems)
        stream = io.StringIO()
        write_page(report, connection, stream, "/state", **options)
        return stream.getvalue()

    return page


class Checked(HTMLParser):
    """Collects ids, links and attributes, and fails on tags that are not closed in order."""

    def __init__(self, text):
        super().__init__()
        self.open, self.ids, self.links, self.attributes = [], [], [], set()
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        if tag not in VOID:
            self.open.append(tag)
        given = dict(attrs)
        self.attributes |= set(given)
        self.ids += [given["id"]] if "id" in given else []
        self.links += [given[name] for name in ("href", "src") if name in given]

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()


def test_the_markup_is_closed_and_its_ids_are_unique(page):
    checked = Checked(page())
    assert sorted(checked.ids) == sorted(set(checked.ids))


def test_nothing_is_loaded_from_elsewhere_and_nothing_needs_an_unsafe_policy(page):
    text = page()
    checked = Checked(text)
    assert {link for link in checked.links if not link.startswith("#")} == {"data:,"}
    assert {link[1:] for link in checked.links if link.startswith("#")} <= set(checked.ids)
    assert not {name for name in checked.attributes if name.startswith("on") or name == "style"}
    assert "http:" not in text and "https:" not in text
    assert "unsafe" not in policy()


def test_names_from_code_are_text_and_never_markup(page):
    text = page()
    assert "chat/<wbr>&lt;b&gt;&amp;&#34;&#39;.<wbr>py" in text
    assert "<b>" not in text


def test_the_page_leads_from_move_to_caller_to_place_and_the_fix(page):
    text = re.sub(r"<wbr>", "", page())
    move = text[text.index('<details class="move" id="m1">') : text.index('<details class="move" id="m2">')]
    assert "<strong>Fix:</strong> Use new.core.Manager instead." in move
    assert re.findall(r"<h4>(.*?)</h4> <span class=\"sum\">(.*?)</span>", move) == [
        ("chat", "23 uses at 2 places"),
        ("jobs", "5 uses at 1 place"),
    ]
    assert re.findall(r"<code>(\S+:\d+)</code>", move) == ["chat/app.py:3", "chat/app.py:20", "jobs/run.py:1"]


def test_what_could_not_be_read_and_what_is_not_used_is_said(page):
    text = page()
    assert '<p class="problem">Not read: x.seg: no segment</p>' in text
    assert "<summary>1 move</summary>" in text
    assert "0 uses in 2 processes over 20 hours since 11 November 2026." in text


@pytest.mark.parametrize(
    ("stage", "said"),
    [
        ("announced", "Name; to be deprecated in 1.0, to go in 3.0."),
        ("deprecated", "Name; deprecated since 1.0, goes in 3.0."),
        ("expired", "Name; deprecated in 1.0, expired in 3.0."),
    ],
)
def test_the_promise_is_worded_by_stage(page, facts, stage, said):
    about = facts["old.core:Manager"]._replace(stage=stage)
    assert said in page(about={"old.core:Manager": about})


def test_a_move_without_a_row_says_so(page):
    assert "No row of a known ledger has this id." in page(about={})


def test_the_empty_page_says_what_to_do_next(page):
    text = page((), 0, about={})
    Checked(text)
    assert "No usage could be read in /state: nothing is known of any use." in text
    assert "<table" not in text


def test_the_empty_page_of_what_was_read_says_so(page):
    assert "Nothing has been recorded in /state yet." in page((), 0, about={}, problems=())


def test_places_are_bounded_and_the_rest_is_pointed_to(page):
    sites = [("old:X", "import", "a.py", number, f"f{number}", "a", "api", {0: 1}) for number in range(PLACES + 5)]
    text = page(sites)
    assert f"{PLACES + 5} uses at {PLACES + 5} places" in text
    assert text.count("<code>a.<wbr>py:<wbr>") == PLACES
    assert "compat report --by file --match 'old:X'" in text


def test_a_caller_is_there_with_all_its_uses_however_busy_another_is(history):
    busy = [("old:X", "call", "a.py", number, f"f{number}", "a", "api", {0: 9}) for number in range(PLACES * 2)]
    quiet = [("old:X", "call", f"{name}.py", 1, "f", name, "api", {0: 1, 1: 1}) for name in ("b", "c")]
    connection = history([*busy, *quiet])
    (move,) = page_values(build_report(connection, since="90d", now=NOW), connection)["moves"]
    shown = [(caller.name, caller.total, caller.sites, len(caller.places)) for caller in move.callers]
    assert shown == [("a", PLACES * 2 * 9, PLACES * 2, PLACES - 2), ("b", 2, 1, 1), ("c", 2, 1, 1)]
    assert sum(caller.total for caller in move.callers) == move.line.total
    assert move.hidden


def test_callers_beyond_the_places_that_are_shown_keep_their_sums(history):
    sites = [("old:X", "call", "a.py", 1, "f", f"app{number}", "api", {0: 2}) for number in range(PLACES + 3)]
    connection = history(sites)
    (move,) = page_values(build_report(connection, since="90d", now=NOW), connection)["moves"]
    assert [caller.total for caller in move.callers] == [2] * (PLACES + 3)


def test_the_lines_of_the_latest_version_are_shown(history):
    sites = [("old:X", "call", "a.py", line, "run", "a", "api", {0: 1}) for line in range(1, 8)]
    connection = history(sites)
    (move,) = page_values(build_report(connection, since="90d", now=NOW), connection)["moves"]
    (place,) = move.callers[0].places
    assert (place.lines, place.total, place.version) == (tuple(range(1, 8)), 7, "1.0")


def test_the_page_goes_by_move_alone(history):
    connection = history()
    with pytest.raises(ValueError, match="the page goes by move"):
        page_values(build_report(connection, by="file", now=NOW), connection)


@pytest.mark.parametrize(("days", "width"), [(1, 1), (35, 1), (36, 7), (371, 7), (372, 28)])
def test_a_bar_stands_for_more_days_in_a_longer_period(days, width):
    assert bucket_days(Selection(TODAY - days + 1, TODAY)) == width


def test_a_chart_stacks_callers_and_sums_up_the_small_ones():
    series = {f"c{number}": {TODAY: 10 - number} for number in range(9)}
    chart = burn_down("x", "Uses", series, Selection(TODAY - 29, TODAY))
    assert chart.legend == [*((shade, f"c{shade}", 10 - shade) for shade in range(SHADES - 1)), (SHADES, "4 other callers", 14)]
    assert sum(uses for _, _, uses in chart.legend) == 54
    assert chart.unit == "day"
    assert "54 (c0 10, c1 9, c2 8, c3 7, c4 6, 4 other callers 14)" in chart.svg


def test_the_last_bar_of_a_weekly_chart_is_a_whole_week_that_ends_today():
    chart = burn_down("x", "Uses", {"c": {TODAY: 1, TODAY - 6: 2, TODAY - 7: 4}}, Selection(TODAY - 89, TODAY))
    assert re.findall(r"<rect.*?<title>(.*?) \(", chart.svg) == ["2026-11-08: 4", "2026-11-15: 3"]
    assert "3 in the last (2026-11-15)." in chart.svg


def test_a_chart_escapes_what_it_is_told():
    chart = burn_down("x", "<b>", {"<i>": {TODAY: 1}}, Selection(TODAY, TODAY))
    assert "<b>" not in chart.svg and "<i>" not in chart.svg and "&lt;i&gt;" in chart.svg


def themes():
    css = (files("compat.telemetry") / "data" / "page" / "style.css").read_text(encoding="utf-8")
    found = [dict(re.findall(r"--(\w+):(#[0-9a-f]{6})", rule)) for rule in re.findall(r"\{([^{}]*--bg:[^{}]*)\}", css)]
    assert len(found) == 3 and found[1] == found[2]
    return found[:2]


def luminance(colour):
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one, other):
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("theme", themes(), ids=["light", "dark"])
def test_contrast_is_that_of_wcag_aa(theme):
    for ground in ("bg", "panel"):
        for text in ("text", "soft", "link", "announced", "deprecated", "expired"):
            assert contrast(theme[text], theme[ground]) >= 4.5, (text, ground)
    for graphic in ("control", "focus", *(f"s{shade}" for shade in range(SHADES + 1))):
        assert contrast(theme[graphic], theme["bg"]) >= 3, graphic


def test_the_own_script_and_style_are_a_few_kilobytes():
    page = files("compat.telemetry") / "data" / "page"
    assert len((page / "script.js").read_bytes()) < 10_000
    assert len((page / "style.css").read_bytes()) < 10_000
