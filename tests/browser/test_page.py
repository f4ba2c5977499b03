"""The page in a real browser: its first screen, filters, drill-down, keyboard, themes, print, and nothing leaves it."""

from __future__ import annotations

import base64
import os
import subprocess
import sys
import time
from contextlib import contextmanager

import pytest

if not os.environ.get("CI"):
    pytest.importorskip("selenium", reason="needs selenium")

from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.select import Select

MOVES = ["old.auth:AuthHandler", "old.core:Session", "old.core:Manager", "old.never:Unused", "old.lost"]
ANSWERS = ("#far", "#going", "#who-left")


@pytest.fixture
def opened(browser, page):
    """The page, freshly loaded; afterwards it must not have complained nor have asked for anything else."""
    browser.open(page)
    yield browser
    assert browser.complaints() == []
    assert {address.partition("#")[0] for address in browser.requests()} <= {page, "data:,"}


@contextmanager
def seen_as(browser, width, height, scheme="light"):
    metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
    browser.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    features = [{"name": "prefers-color-scheme", "value": scheme}]
    browser.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
    try:
        yield
    finally:
        browser.driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
        browser.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})


def rows(browser):
    return browser.texts("#table tbody th a")


def column(browser, number):
    return browser.texts(f"#table tbody td:nth-child({number})")


def heads(browser):
    return browser.driver.find_elements(By.CSS_SELECTOR, "#table thead button")


def choose(browser, id, text):
    Select(browser.one(f"#{id}")).select_by_visible_text(text)


def numbers(texts):
    return [int(text.replace(",", "")) for text in texts]


def test_the_first_screen_says_how_far_what_may_go_and_who_is_left(opened):
    assert rows(opened) == MOVES
    assert opened.texts("h1, h2") == ["Legacy use", "How far are we?", "What may go, what is overdue?", "Who is left?", "Moves"]
    assert opened.one("figure svg").size["height"] > 100
    assert opened.texts("#quiet") == ["2 of 5 moves had no use."]
    assert opened.texts("#late a") == ["old.auth:AuthHandler"]
    assert opened.texts("#left b")[0] == "chat"
    assert "write new.core:Connection" in opened.texts("#left li")[0]


def test_the_columns_that_decide_are_in_view(opened):
    with seen_as(opened, 1280, 800):
        right = "[...document.querySelectorAll('#table thead th')].map((head) => head.getBoundingClientRect().right)"
        assert max(opened.run(right)) <= 1280
    assert opened.texts("#table thead th")[:5] == ["Verdict", "Move", "Goes in", "Last use", "Who"]
    with seen_as(opened, 390, 844):
        first = opened.texts("#table tbody tr")[0]
        assert first.split("\n")[:2] == ["in use overdue", "old.auth:AuthHandler"]
        assert [
            css
            for css in ("goes in", "last use")
            if css
            in opened.run(
                "[3, 4].map((at) => getComputedStyle(document.querySelector(`#table td:nth-child(${at})`), '::before').content).join()"
            )
        ] == ["goes in", "last use"]


def test_a_head_sorts_numbers_down_first_then_up(opened):
    assert opened.run("document.querySelector('[aria-sort]')") is None
    heads(opened)[5].click()
    down = numbers(column(opened, 6))
    assert down == sorted(down, reverse=True)
    assert opened.run("document.querySelector('[aria-sort]').textContent") == "7 days"
    assert opened.run("document.querySelector('[aria-sort]').getAttribute('aria-sort')") == "descending"
    heads(opened)[5].click()
    assert numbers(column(opened, 6)) == sorted(down)
    heads(opened)[1].click()
    assert rows(opened) == sorted(MOVES)
    assert opened.run("document.querySelectorAll('[aria-sort]').length") == 1


def test_the_filter_looks_at_names_callers_and_files(opened):
    opened.one("#filter").send_keys("LOGIN.py")
    assert rows(opened) == ["old.auth:AuthHandler"]
    assert opened.texts("#shown") == ["1 of 5 moves"]
    opened.one("#filter").send_keys(" nowhere")
    assert rows(opened) == []
    assert opened.texts("#none") == ["No move matches the filter."]
    opened.one("#filter").clear()
    opened.one("#filter").send_keys("old core")
    assert rows(opened) == MOVES[1:3]


def test_a_verdict_narrows_the_table_and_the_answers(opened):
    choose(opened, "verdict", "overdue")
    assert rows(opened) == ["old.auth:AuthHandler"]
    assert opened.texts("#counts li") == ["1 overdue", "1 in use"]
    assert opened.texts("#left b") == ["web"]
    choose(opened, "verdict", "unproven")
    assert rows(opened) == ["old.never:Unused"]
    assert opened.texts("#late li") == ["Nothing is overdue."]


def test_the_filters_change_the_numbers_and_give_them_back(opened):
    def state():
        return [opened.texts(each) for each in ("#week", "#legend li", "#left li", "#counts li", "#table tbody td")]

    whole = state()
    shown = {}
    for service in ("api", "worker"):
        choose(opened, "service", service)
        shown[service] = numbers(opened.texts("#week"))[0]
        assert shown[service] == sum(numbers(column(opened, 6)))
        assert opened.texts("#by") == ["caller"]
    assert rows(opened) == ["old.core:Session", "old.lost"]
    assert sum(shown.values()) == numbers(whole[0])[0]
    choose(opened, "who", "chat")
    assert rows(opened) == ["old.core:Session"]
    assert opened.texts("#by") == ["service"]
    assert opened.texts("#left b") == ["chat"]
    choose(opened, "service", "All services")
    choose(opened, "who", "All callers")
    assert state() == whole


def test_a_chart_that_the_script_draws_is_that_of_the_server(opened):
    def drawn():
        return opened.run("[...document.querySelectorAll('.bars path')].map((path) => path.getAttribute('class')).join()"), [
            text.partition("(")[0]
            for text in opened.run("[...document.querySelectorAll('.hit title')].map((each) => each.textContent)")
        ]

    served = drawn()
    opened.one("#filter").send_keys("old")
    opened.until(lambda: opened.run("document.querySelector('#outlook').textContent") == "")
    assert drawn() == served


def test_a_move_opens_below_its_row_with_its_callers_places_and_what_to_write(opened):
    assert opened.texts(".opened .fix") == []
    opened.driver.find_elements(By.CSS_SELECTOR, "#table tbody a")[2].click()
    assert opened.texts(".opened .fix") == ["Write instead: Use canonical path 'from new.core import Manager' instead."]
    assert opened.run("document.activeElement.getAttribute('aria-expanded')") == "true"
    assert "chat/views.py:3" in opened.texts(".opened code")
    assert opened.texts(".opened p")[-2].startswith("Callers: chat ")
    opened.shoot("page-opened")
    opened.one("#filter").send_keys("login")
    assert opened.texts(".opened .fix") == []
    opened.one("#filter").clear()
    opened.one("#filter").send_keys("old")
    opened.driver.find_elements(By.CSS_SELECTOR, "#table tbody a")[2].click()
    assert opened.texts(".opened") == []


def test_a_link_of_the_first_screen_leads_to_the_row(opened, page):
    opened.one("#late a").click()
    assert opened.run("document.activeElement.closest('tr').nextElementSibling.className") == "opened"
    opened.open("about:blank")
    opened.driver.get(f"{page}#m3")
    opened.until(lambda: opened.texts(".opened .fix"))
    assert opened.run("document.activeElement.textContent") == "old.core:Manager"


def test_all_is_reached_by_keyboard(opened):
    body = opened.one("body")
    body.send_keys(Keys.TAB)
    assert opened.run("document.activeElement.textContent") == "Skip to the moves"
    body.send_keys("/")
    assert opened.run("document.activeElement.id") == "filter"
    opened.driver.switch_to.active_element.send_keys("auth", Keys.TAB, Keys.NULL)
    assert rows(opened) == ["old.auth:AuthHandler"]
    for wanted in ("thead button", "tbody a"):
        for _ in range(30):
            if opened.run(f"document.activeElement.matches('#table {wanted}')"):
                break
            opened.driver.switch_to.active_element.send_keys(Keys.TAB)
        opened.driver.switch_to.active_element.send_keys(Keys.ENTER)
    assert opened.run("document.querySelector('[aria-sort]').textContent") == "Verdict"
    assert opened.run("document.activeElement.getAttribute('aria-expanded')") == "true"
    outline = "getComputedStyle(document.activeElement)"
    assert opened.run(f"{outline}.outlineStyle + {outline}.outlineWidth") == "solid3px"


def ground(browser):
    return browser.run("getComputedStyle(document.body).backgroundColor")


def test_dark_and_light_follow_the_reader_and_the_button(opened):
    white, night = "rgb(255, 255, 255)", "rgb(13, 17, 23)"
    with seen_as(opened, 1280, 800, "dark"):
        assert ground(opened) == night
        opened.one("#theme").click()
        assert ground(opened) == white
        opened.one("#theme").click()
        assert ground(opened) == night
    assert ground(opened) == night
    opened.one("#theme").click()
    assert ground(opened) == white


def test_without_javascript_everything_can_be_read(browser, page):
    browser.driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    try:
        browser.open(page)
        assert rows(browser) == MOVES
        assert browser.texts("form, #theme, #more") == []
        assert browser.texts("#late a") == ["old.auth:AuthHandler"]
        browser.one("#m1 > summary").click()
        assert browser.texts("#m1 .fix") == ["Write instead: Use canonical path 'from new.auth import Authenticator' instead."]
        assert browser.texts("#m1 code") == ["web/login.py:12"]
        browser.shoot("page-without-javascript")
    finally:
        browser.driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})


def printed_pages(browser, place):
    browser.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    try:
        assert browser.texts("form, #theme, #more, .skip") == []
        printed = browser.driver.execute_cdp_cmd("Page.printToPDF", {"printBackground": True})
    finally:
        browser.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})
    pdf = base64.b64decode(printed["data"])
    place.write_bytes(pdf)
    return pdf.count(b"/Type /Page\n")


def test_print_takes_two_pages_at_most_and_leaves_controls_out(opened, artefacts):
    assert printed_pages(opened, artefacts / "page.pdf") in (1, 2)


@pytest.fixture(scope="module")
def made(tmp_path_factory, histories, environment):
    """Make the page of so many moves, of up to 200 callers in four services over twelve weeks; return its address."""
    services, today = ("api", "worker", "cron", "admin"), int(time.time() // 86400)

    def made(many):
        place = tmp_path_factory.mktemp(f"page{many}")
        names = [f"old.part{number % 7}.module:Name{number}" for number in range(many)]
        callers = 200 if many > 100 else 7
        falling = {ago: ago + 6 for ago in range(0, 84, 4)}
        sites = [
            (name, "call", f"app{at % callers}/views.py", 3, "f", f"app{at % callers}.x", services[at % 4],
             falling if number % 2 else {ago: uses for ago, uses in falling.items() if ago > 40})
            for number, name in enumerate(names) if number % 5 for at in range(number, number + (12 if many > 100 else 3))
        ]  # fmt: skip
        histories.write_history(place / "usage.db", sites, processes=4, today=today)
        ledger = ["from compat.ledger import Ledger, names", "LEDGER = Ledger('big', version='2.0')"]
        for part in range(7):
            for removal in ("2.0", "3.0"):
                mine = [
                    name.partition(":")[2] for at, name in enumerate(names) if at % 7 == part and removal == f"{2 + at % 3 % 2}.0"
                ]
                if mine:
                    row = f"'old.part{part}.module', 'new.part{part}', {' '.join(mine)!r}, since='1.0', removal='{removal}', instead=None"
                    ledger.append(f"LEDGER += names({row})")
        (place / f"big{many}.py").write_text("\n".join(ledger), encoding="utf-8")
        command = [sys.executable, "-m", "compat", "report", "--format", "html", "--ledger", f"big{many}:LEDGER"]
        path = f"{environment['PYTHONPATH']}{os.pathsep}{place}"
        surroundings = {**environment, "COMPAT_DIR": str(place), "PYTHONPATH": path}
        subprocess.run([*command, "--output", str(place / "page.html")], env=surroundings, check=True, timeout=120)
        return place / "page.html"

    return made


@pytest.mark.parametrize("many", [3, 20, 1300])
def test_it_can_be_read_on_every_screen_in_light_and_dark_with_few_moves_and_many(browser, made, many, axe, artefacts):
    file = made(many)
    assert file.stat().st_size < 2_000_000
    browser.open(file.as_uri())
    nodes = "const walker = document.createTreeWalker(document, NodeFilter.SHOW_ALL); let n = 0; while (walker.nextNode()) n++; return n"
    assert browser.driver.execute_script(nodes) < 20_000
    for width, height in ((1280, 800), (390, 844)):
        for scheme in ("light", "dark"):
            with seen_as(browser, width, height, scheme):
                browser.shoot(f"page-{many}-{width}-{scheme}")
                assert browser.run("document.documentElement.scrollWidth") <= width
                for answer in ANSWERS:
                    assert browser.run(f"document.querySelector('{answer}').getBoundingClientRect().bottom") < height
                assert axe(browser) == []
    assert printed_pages(browser, artefacts / f"page-{many}.pdf") <= 6
    if many > 200:
        assert len(rows(browser)) == 200
        browser.one("#more").click()
        assert len(rows(browser)) == many
        browser.one("#filter").send_keys("Name1299")
        assert browser.texts("#shown") == ["1 of 1,300 moves"]
    else:
        browser.driver.find_elements(By.CSS_SELECTOR, "#table tbody a")[0].click()
        assert axe(browser) == []
    assert browser.complaints() == []
