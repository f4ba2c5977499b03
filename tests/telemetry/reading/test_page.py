"""The page as text: whole without script, closed to the outside, readable in both themes."""

from __future__ import annotations

import io
import json
import re
from datetime import datetime, timezone
from html.parser import HTMLParser
from importlib.resources import files

import pytest

from compat.telemetry.history.queries import Selection
from compat.telemetry.page import html, numbers
from compat.telemetry.page.chart import SHADES, bucket_days, burn_down
from compat.telemetry.page.html import change_of, outlook, page_values, policy, write_page
from compat.telemetry.report.digest import Judged, JudgedUser
from compat.telemetry.report.usage_report import build_report

NOW = datetime(2026, 11, 21, 12, tzinfo=timezone.utc)
TODAY = 20778
VOID = {"meta", "link", "input"}


@pytest.fixture
def page(history, facts):
    """Write the page of a history."""

    def page(sites=None, processes=2, since="90d", about=facts, problems=("x.seg: no segment",), **options):
        connection = history(processes=processes) if sites is None else history(sites, processes)
        report = build_report(connection, since=since, facts=about, now=NOW, problems=problems, lines=False)
        stream = io.StringIO()
        write_page(report, connection, stream, "/state", **options)
        return stream.getvalue()

    return page


@pytest.fixture
def values(history):
    """What the template gets of a history."""

    def values(sites, about=None, since="90d", **options):
        connection = history(sites)
        report = build_report(connection, since=since, facts=about or {}, now=NOW, lines=False)
        return page_values(report, connection, **options)

    return values


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
    assert "chat/&lt;b&gt;&amp;&#34;&#39;.py" in text
    assert "<b>&" not in text


def test_no_name_ends_the_data_that_the_script_reads(page):
    text = page([("old:X", "import", "a.py", 1, "f", "</script><b>", "api", {0: 1})])
    Checked(text)
    (data,) = re.findall(r'id="data">(.*?)</script>', text)
    assert json.loads(data)["whos"] == ["</script><b>"]


def test_a_move_leads_to_its_callers_and_places_and_says_what_to_write_instead(page):
    text = page()
    move = text[text.index('<details class="move" id="m1">') :]
    move = move[: move.index("</details>")]
    assert "<h3>old.core:Manager</h3>" in move
    assert "<strong>Write instead:</strong> Use new.core.Manager instead." in move
    assert "<strong>Callers:</strong> chat 23, jobs 5<" in move
    assert re.findall(r"<li><code>(.*?)</code> in (.*?), (\w+): (\d+) uses by (.*?) \(1.0\)", move) == [
        ("chat/app.py:20", "connect", "call", "8", "worker"),
        ("jobs/run.py:1", "&lt;module&gt;", "import", "5", "worker"),
        ("chat/app.py:3", "&lt;module&gt;", "import", "15", "api"),
    ]


def test_the_numbers_of_the_first_screen_are_those_of_the_history(page):
    text = page()
    assert '<strong class="big" id="week">10</strong> uses in 7 days' in text
    assert "2 of 4 moves had no use." not in text
    assert "1 of 4 moves had no use." in text
    assert re.findall(r"<li><b>(\w+)</b> <small>(.*?), mostly <a href=\"#m\d\">(.*?)</a>", text) == [
        ("chat", "10 uses in 7 days, 3 moves", "old.core:Manager"),
        ("jobs", "0 uses in 7 days, 1 move", "old.core:Manager"),
    ]


def test_what_could_not_be_read_is_said(page):
    assert '<p class="problem">Not read: x.seg: no segment</p>' in page()


VERDICTS = (
    Judged("old.core:Manager", "in use", "6 uses in api", False),
    Judged("old.auth:AuthHandler", "in use", "4 uses in api", True),
    Judged(
        "old.never:X",
        "unproven",
        "no use seen",
        False,
        [JudgedUser("cron", "staging", "unproven", 20000 * 86400.0, "2026.9", "2026-10-01", "observe it")],
        ["nobody was observed: observe"],
    ),
)


def test_verdicts_decide_the_order_the_counts_and_the_lists(page):
    text = page(judged=VERDICTS)
    table = text[text.index('<table id="table"') : text.index("</table>")]
    assert re.findall(r'<a href="#m\d">(.*?)</a>', table) == [
        "old.auth:AuthHandler",
        "old.core:Manager",
        "old.never:X",
        "old.gone",
    ]
    assert '<b class="v in-use">in use</b> <b class="v overdue">overdue</b>' in table
    assert re.findall(r'<b class="v [\w-]+">(\d+)</b> ([\w ]+)', text) == [
        ("1", "overdue"),
        ("2", "in use"),
        ("1", "unproven"),
        ("1", "no row"),
    ]
    late = text[text.index('id="late"') : text.index("May go now")]
    assert "in use, 4 uses in 7 days: chat" in late
    assert '<ul class="list" id="gone"><li>Nothing yet.</li></ul>' in text
    assert "Nothing more is proven: 1 doubt</summary><ul><li>nobody was observed: observe</li>" in text
    assert "cron (staging) unproven, last use 2024-10-04 in 2026.9, observed until 2026-10-01" in text


def test_without_verdicts_the_stage_stands_in_their_place(page):
    text = page()
    assert '<b class="v expired">expired</b>' in text
    assert "<code>compat ready</code> gives the verdicts." in text


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


def test_what_is_counted_below_a_row_is_of_that_row(values, facts):
    sites = [("old.auth:AuthHandler.login", "call", "a.py", 1, "f", "a", "api", {0: 2})]
    (move,) = [move for move in values(sites, facts)["moves"] if move.total]
    assert (move.name, move.total) == ("old.auth:AuthHandler", 2)


def test_the_empty_page_says_what_to_do_next(page):
    text = page((), 0, about={})
    Checked(text)
    assert "No usage could be read in /state: nothing is known of any use." in text
    assert "<table" not in text


def test_the_empty_page_of_what_was_read_says_so(page):
    assert "Nothing has been recorded in /state yet." in page((), 0, about={}, problems=())


def test_places_are_bounded_and_the_rest_is_pointed_to(page):
    sites = [("old:X", "import", "a.py", number, f"f{number}", "a", "api", {0: 1}) for number in range(html.PLACES_OF_ONE + 5)]
    text = page(sites)
    assert text.count("<li><code>a.py:") == html.PLACES_OF_ONE
    assert "compat report --by file --match MOVE" in text
    assert '<a href="?match=old%3AX">All of this move</a>' in page(sites, live=5)


def test_a_caller_is_there_with_all_its_uses_however_busy_another_is(values):
    busy = [("old:X", "call", "a.py", number, f"f{number}", "a", "api", {0: 9}) for number in range(400)]
    quiet = [("old:X", "call", f"{name}.py", 1, "f", name, "api", {0: 1, 1: 1}) for name in ("b", "c")]
    (move,) = values([*busy, *quiet])["moves"]
    assert [(caller.name, caller.total) for caller in move.callers] == [("a", 3600), ("b", 2), ("c", 2)]
    assert sum(caller.total for caller in move.callers) == move.total
    assert {"b", "c"} < {spot.caller for spot in move.spots}
    assert move.hidden == 402 - html.PLACES_OF_ONE


def test_callers_beyond_those_that_are_named_keep_their_sum(values, monkeypatch):
    monkeypatch.setattr(html, "CALLERS", 5)
    sites = [("old:X", "call", "a.py", 1, "f", f"app{number}", "api", {0: 2}) for number in range(8)]
    (move,) = values(sites)["moves"]
    assert (len(move.callers), move.others.name, move.others.total) == (5, "3 others", 6)


def test_numbers_beyond_the_bound_keep_their_sum_for_every_user_and_who(values, monkeypatch):
    monkeypatch.setattr(numbers, "CELLS", 6)
    sites = [
        ("old:X", "call", "a.py", 1, "f", f"app{number}", service, {0: 9 - number}) for number in range(5) for service in "pq"
    ]
    data = json.loads(values(sites)["data"])
    assert data["whos"] == ["app0", "app1", "app2", "(all others)"]
    (flat,) = data["moves"]
    assert sum(flat[4::6]) == 2 * (9 + 8 + 7 + 6 + 5)
    assert [flat[at + 4] for at in range(0, len(flat), 6) if flat[at + 1] == 3] == [11, 11]
    assert [bars[-1] for bars in data["bars"] if bars[1] == 3] == [11, 11]


def test_the_line_of_the_latest_use_is_shown(values):
    sites = [("old:X", "call", "a.py", line, "run", "a", "api", {8 - line: 1}) for line in range(1, 8)]
    (move,) = values(sites)["moves"]
    (spot,) = move.spots
    assert (spot.line, spot.version, len(spot.ids)) == (7, "1.0", 7)


def test_uses_in_tests_count_only_where_they_are_asked_for(values):
    sites = [("old:X", "call", "a.py", 1, "f", "a", *rest) for rest in (("api", {0: 5}), ("pytest", {0: 4}, "test"))]
    made = values(sites)
    (move,) = made["moves"]
    assert (move.total, move.tested, [spot.services for spot in move.spots]) == (5, 4, [["api"]])
    data = json.loads(made["data"])
    assert [data["users"][number] for number in data["tests"]] == ["pytest (test)"]


def test_owners_take_the_place_of_callers_and_share_out_what_one_caller_has_of_several(values):
    sites = [
        ("old:X", "call", "shop/cart.py", 1, "f", "shop", "api", {0: 5, 10: 1}),
        ("old:X", "call", "shop/pay.py", 1, "f", "shop", "api", {0: 2}),
        ("old:X", "call", "crm/a.py", 1, "f", "crm", "api", {0: 1}),
    ]
    owned = {"shop/cart.py": "@cart", "shop/pay.py": "@pay", "crm/a.py": "@pay"}
    made = values(sites, owners=owned.__getitem__)
    assert made["whose"] == "owner"
    assert [(one.name, one.week, one.total) for one in made["left"]] == [("@cart", 5, 6), ("@pay", 3, 3)]
    assert made["moves"][0].who == "@cart, @pay"


def test_the_page_goes_by_move_alone(history):
    connection = history()
    with pytest.raises(ValueError, match="the page goes by move"):
        page_values(build_report(connection, by="file", now=NOW), connection)


def test_the_rows_beyond_the_first_are_kept_as_text_until_they_are_asked_for(page):
    sites = [("old:X" + str(number), "call", "a.py", 1, "f", "a", "api", {0: 1}) for number in range(html.ROWS + 3)]
    text = page(sites, about={})
    Checked(text)
    kept = re.findall(r'<noscript id="rest">(.*?)</noscript>', text, re.DOTALL)
    assert kept[0].count('<th scope="row">') == 3
    assert re.sub(r"<noscript.*?</noscript>", "", text, flags=re.DOTALL).count('<th scope="row">') == html.ROWS


def test_a_page_of_many_moves_and_callers_stays_small(page):
    sites = [
        (
            f"old.module{number % 9}:Name{number}",
            "call",
            f"app{at}/views.py",
            3,
            "f",
            f"app{at}.views",
            f"service{at % 4}",
            {0: 5, 9: 4},
        )
        for number in range(1300)
        for at in range(number % 200, number % 200 + 12)
    ]
    text = page(sites, about={})
    assert len(text.encode()) < 2_000_000
    assert len(re.findall(r"<[a-z]", re.sub(r"<noscript.*?</noscript>", "", text, flags=re.DOTALL))) < 10_000


@pytest.mark.parametrize(
    ("week", "before", "total", "ever", "said"),
    [(3, 5, 9, True, "-40%"), (3, 0, 3, True, "new"), (3, 0, 9, True, "back"), (0, 3, 9, True, "ended"), (0, 0, 0, False, "")],
)
def test_a_change_is_told_in_a_word(week, before, total, ever, said):
    assert change_of(week, before, total, ever) == said


@pytest.mark.parametrize(
    ("bars", "width", "said"),
    [
        ([100, 80, 62, 40, 20], 7, "None expected from 2026-11-28 on (between 2026-11-27 and 2026-11-29)."),
        ([5, 5, 5, 5], 7, "No end in sight: uses do not fall."),
        ([0, 5, 4], 7, "A forecast needs 4 weeks of uses."),
        ([9, 8, 4, 0], 7, "No use in the last 7 days."),
        ([9, 8, 4, 2], 28, ""),
        ([0, 0], 7, ""),
    ],
)
def test_the_outlook_is_a_sentence(bars, width, said):
    assert outlook(bars, width, TODAY) == said


@pytest.mark.parametrize(("days", "width"), [(1, 1), (35, 1), (36, 7), (371, 7), (372, 28)])
def test_a_bar_stands_for_more_days_in_a_longer_period(days, width):
    assert bucket_days(Selection(TODAY - days + 1, TODAY)) == width


@pytest.mark.parametrize("since", ["30d", "90d", "all"])
def test_the_last_weeks_are_the_same_in_every_period(values, since):
    sites = [("old:X", "call", "a.py", 1, "f", "a", "api", {0: 1, 6: 2, 7: 4, 13: 8, 14: 16})]
    sites += [("old:Y", "call", "a.py", 1, "f", "a", "api", {800: 1})] * (since == "all")
    move = values(sites, since=since)["moves"][0]
    assert (move.week, move.before, move.total) == (3, 12, 31)
    assert sum(move.trend) == 31


@pytest.mark.parametrize("days", [0, 800])
def test_uses_dated_after_today_are_of_today(values, days):
    uses = {-3: 4, 0: 1, days: 1}
    (move,) = values([("old:X", "call", "a.py", 1, "f", "a", "api", uses)], since="all")["moves"]
    assert (move.week, move.trend[-1], move.last) == (5, 5, "2026-11-21")


def test_a_chart_stacks_its_layers_and_sums_up_the_small_ones():
    stacks = {f"c{number}": [0] * 29 + [10 - number] for number in range(9)}
    chart = burn_down("x", "Uses", stacks, TODAY, 1)
    assert chart.legend == [*((shade, f"c{shade}", 10 - shade) for shade in range(SHADES - 1)), (SHADES, "4 others", 14)]
    assert sum(uses for _, _, uses in chart.legend) == 54
    assert chart.unit == "day"
    assert "54 (c0 10, c1 9, c2 8, c3 7, c4 6, 4 others 14)" in chart.svg


def test_the_last_bar_of_a_weekly_chart_is_a_whole_week_that_ends_today():
    chart = burn_down("x", "Uses", {"c": [0] * 11 + [4, 3]}, TODAY, 7)
    assert re.findall(r"<rect.*?<title>(.*?) \(", chart.svg) == ["2026-11-08: 4", "2026-11-15: 3"]
    assert "3 in the last (2026-11-15)." in chart.svg


def test_a_chart_escapes_what_it_is_told():
    chart = burn_down("x", "<b>", {"<i>": [1]}, TODAY, 1)
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
        for text in ("text", "soft", "link", "good", "warn", "bad"):
            assert contrast(theme[text], theme[ground]) >= 4.5, (text, ground)
    for graphic in ("control", "focus", *(f"s{shade}" for shade in range(SHADES + 1))):
        assert contrast(theme[graphic], theme["panel"]) >= 3, graphic


def test_the_own_script_and_style_are_a_few_kilobytes():
    page = files("compat.telemetry") / "data" / "page"
    assert len((page / "script.js").read_bytes()) < 20_000
    assert len((page / "style.css").read_bytes()) < 10_000
