"""The page in a real browser: sorting, filtering, drill-down, keyboard, themes, print, and nothing leaves it."""

from __future__ import annotations

import base64
import os

import pytest

if not os.environ.get("CI"):
    pytest.importorskip("selenium", reason="needs selenium")

from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.select import Select

MOVES = ["old.core:Manager", "old.core:Session", "old.auth:AuthHandler", "old.lost"]


@pytest.fixture
def opened(browser, page):
    """The page, freshly loaded; afterwards it must not have complained nor have asked for anything else."""
    browser.open(page)
    yield browser
    assert browser.complaints() == []
    assert {address.partition("#")[0] for address in browser.requests()} <= {page, "data:,"}


def rows(browser):
    return browser.texts("#table tbody th")


def column(browser, number):
    return browser.texts(f"#table tbody td:nth-of-type({number})")


def heads(browser):
    return browser.driver.find_elements(By.CSS_SELECTOR, "#table thead button")


def test_the_page_shows_moves_and_their_burn_down(opened):
    assert rows(opened) == MOVES
    assert opened.texts("h1") == ["Legacy use"]
    assert opened.one("figure svg").size["height"] > 100
    assert "3 of 4" in opened.texts(".tiles dd")[3]
    opened.shoot("page-light")


def test_a_head_sorts_numbers_down_first_then_up(opened):
    assert opened.run("document.querySelector('[aria-sort]')") is None
    today, week = heads(opened)[1:3]
    week.click()
    down = column(opened, 2)
    assert [int(text.replace(",", "")) for text in down] == sorted((int(text.replace(",", "")) for text in down), reverse=True)
    assert opened.run("document.querySelector('[aria-sort]').textContent") == "7 days"
    assert opened.run("document.querySelector('[aria-sort]').getAttribute('aria-sort')") == "descending"
    week.click()
    assert column(opened, 2) == list(reversed(down))
    assert opened.run("document.querySelector('[aria-sort]').getAttribute('aria-sort')") == "ascending"
    today.click()
    assert opened.run("document.querySelectorAll('[aria-sort]').length") == 1


def test_a_head_sorts_text_up_first(opened):
    heads(opened)[0].click()
    assert rows(opened) == sorted(MOVES)
    heads(opened)[0].click()
    assert rows(opened) == sorted(MOVES, reverse=True)


def test_the_places_of_a_caller_sort_too(opened):
    opened.one("#table tbody a").click()
    opened.one("#m1 details.caller:last-of-type summary").click()
    last = "#m1 details.caller:last-of-type"
    assert opened.texts(f"{last} tbody code") == ["search/views.py:3", "search/queries.py:8"]
    opened.one(f"{last} thead button").click()
    assert opened.texts(f"{last} tbody code") == ["search/queries.py:8", "search/views.py:3"]
    assert opened.run("document.querySelectorAll('[aria-sort]').length") == 1


def test_the_filter_looks_at_names_callers_and_files_and_hides_the_details_too(opened):
    opened.one("#filter").send_keys("LOGIN.py")
    assert rows(opened) == ["old.auth:AuthHandler"]
    assert opened.texts("details.move h3") == ["old.auth:AuthHandler"]
    assert opened.texts("#shown") == ["1 of 4 moves"]
    opened.shoot("page-filtered")
    opened.one("#filter").send_keys(" nowhere")
    assert rows(opened) == []
    assert opened.texts("#none") == ["No move matches the filter."]
    opened.one("#filter").clear()
    opened.one("#filter").send_keys("old core")
    assert rows(opened) == MOVES[:2]


def test_stage_and_service_narrow_the_table(opened):
    Select(opened.one("#stage")).select_by_visible_text("expired")
    assert rows(opened) == ["old.auth:AuthHandler"]
    Select(opened.one("#stage")).select_by_visible_text("all")
    Select(opened.one("#service")).select_by_visible_text("worker")
    assert rows(opened) == ["old.core:Session"]


def test_the_service_filter_changes_the_numbers_and_gives_them_back(opened):
    def numbers():
        cells = (
            "[...document.querySelectorAll('#table tbody tr')].filter(row => !row.hidden).map(row => row.cells[3].textContent)"
        )
        return opened.texts(".tiles dd")[:4], opened.run(f"({cells}).join('|')"), opened.texts("details.move .sum")

    whole = numbers()
    Select(opened.one("#service")).select_by_visible_text("worker")
    tiles, months, _ = numbers()
    assert (tiles, months) != whole[:2]
    assert (tiles[2], tiles[3]) == (months.split("|")[0], "1")
    Select(opened.one("#service")).select_by_visible_text("api")
    of_api = numbers()
    add = lambda texts: sum(int(text.replace(",", "")) for text in texts)  # noqa: E731
    assert add([tiles[2], of_api[0][2]]) == add([whole[0][2]])
    assert opened.one("#of-service").is_displayed()
    Select(opened.one("#service")).select_by_visible_text("all")
    assert numbers() == whole


def test_a_move_leads_to_its_callers_and_these_to_file_and_line(opened):
    assert opened.texts("details.move .fix") == []
    opened.one("#table tbody a").click()
    opened.until(lambda: opened.texts("details.move .fix"))
    assert opened.texts("details.move .fix") == ["Fix: Use canonical path 'from new.core import Manager' instead."]
    assert opened.run("document.activeElement.closest('details').id") == "m1"
    assert opened.texts("details.move h4")[:2] == ["chat", "billing"]
    assert opened.texts("details.caller code") == []
    opened.one("#m1 details.caller summary").click()
    assert opened.texts("details.caller code") == ["chat/views.py:3"]
    opened.shoot("page-drill-down")


def test_the_same_link_opens_again_what_was_closed(opened):
    link = opened.one("#table tbody a")
    link.click()
    opened.until(lambda: opened.run("document.getElementById('m1').open"))
    opened.driver.execute_script("document.getElementById('m1').open = false")
    link.click()
    opened.until(lambda: opened.run("document.getElementById('m1').open"))


def test_all_is_reached_by_keyboard(opened):
    body = opened.one("body")
    body.send_keys(Keys.TAB)
    assert opened.run("document.activeElement.textContent") == "Skip to the table"
    body.send_keys("/")
    assert opened.run("document.activeElement.id") == "filter"
    opened.driver.switch_to.active_element.send_keys("auth", Keys.TAB, Keys.NULL)
    assert rows(opened) == ["old.auth:AuthHandler"]
    for _ in range(20):
        if opened.run("document.activeElement.closest('thead') !== null"):
            break
        opened.driver.switch_to.active_element.send_keys(Keys.TAB)
    opened.driver.switch_to.active_element.send_keys(Keys.ENTER)
    assert opened.run("document.querySelector('[aria-sort]').textContent") == "Move"
    for _ in range(20):
        if opened.run("document.activeElement.closest('tbody a') !== null"):
            break
        opened.driver.switch_to.active_element.send_keys(Keys.TAB)
    opened.driver.switch_to.active_element.send_keys(Keys.ENTER)
    opened.until(lambda: opened.run("document.activeElement.tagName") == "SUMMARY")
    assert opened.run("document.activeElement.closest('details').open")
    outline = "getComputedStyle(document.activeElement)"
    assert opened.run(f"{outline}.outlineStyle + {outline}.outlineWidth") == "solid3px"


def ground(browser):
    return browser.run("getComputedStyle(document.body).backgroundColor")


def test_dark_and_light_follow_the_reader_and_the_button(opened):
    white, night = "rgb(255, 255, 255)", "rgb(13, 17, 23)"
    feature = {"name": "prefers-color-scheme", "value": "dark"}
    opened.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [feature]})
    try:
        assert ground(opened) == night
        opened.shoot("page-dark")
        opened.one("#theme").click()
        assert ground(opened) == white
        opened.one("#theme").click()
        assert ground(opened) == night
    finally:
        opened.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})
    assert ground(opened) == night
    opened.one("#theme").click()
    assert ground(opened) == white


def test_without_javascript_everything_can_be_read(browser, page):
    browser.driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    try:
        browser.open(page)
        assert rows(browser) == MOVES
        assert browser.texts("form, #theme, #open") == []
        browser.one("#m3 > summary").click()
        assert browser.texts("#m3 .fix") == ["Fix: Use canonical path 'from new.auth import Authenticator' instead."]
        browser.one("#m3 details.caller > summary").click()
        assert browser.texts("#m3 code")[-1] == "web/login.py:12"
        browser.shoot("page-without-javascript")
    finally:
        browser.driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})


def test_print_opens_every_detail_and_leaves_controls_out(opened, artefacts):
    opened.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    try:
        assert opened.texts("form, #theme, #open, .skip") == []
        printed = opened.driver.execute_cdp_cmd("Page.printToPDF", {"printBackground": True})
        assert len(opened.texts("details.caller code")) == 12
    finally:
        opened.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})
    pdf = base64.b64decode(printed["data"])
    assert pdf.startswith(b"%PDF-")
    (artefacts / "page.pdf").write_bytes(pdf)


@pytest.mark.parametrize("width", [390, 800, 1920])
def test_the_page_never_scrolls_sideways(opened, width):
    metrics = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
    opened.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    try:
        opened.one("#open").click()
        assert opened.run("document.documentElement.scrollWidth") <= width
        opened.shoot(f"page-{width}")
    finally:
        opened.driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
