"""``compat serve`` in a real browser: live, behind its token, and talking to nobody else."""

from __future__ import annotations

import json
import subprocess
import sys
import urllib.error
import urllib.request

import pytest

COUNT = """
import sys
from compat.telemetry import Site, open_cell
use = open_cell(Site(sys.argv[1], "import", "shop/views.py", 7, "<module>", "shop.views"))
for _ in range(int(sys.argv[2])):
    use()
"""


@pytest.fixture
def state(tmp_path, environment):
    """A state directory of its own, and how to count in a process of its own."""
    surroundings = {**environment, "COMPAT_DIR": str(tmp_path), "COMPAT_SERVICE": "shop", "COMPAT_TELEMETRY": "on"}
    surroundings["COMPAT_ENVIRONMENT"] = "production"

    def count(move, uses):
        subprocess.run([sys.executable, "-c", COUNT, move, str(uses)], env=surroundings, check=True, timeout=60)

    return surroundings, count


@pytest.fixture
def served(state):
    """Start ``compat serve`` on a free port and return its address."""
    running = []

    def served(*options):
        command = [sys.executable, "-m", "compat", "serve", "--port", "0", "--refresh", "1", "--ledger", "shop_ledger:LEDGER"]
        process = subprocess.Popen([*command, *options], env=state[0], stdout=subprocess.PIPE, text=True)
        running.append(process)
        return process.stdout.readline().split(" on ")[1].split()[0]

    yield served
    for process in running:
        process.terminate()
        process.wait(30)
        process.stdout.close()


def rows(browser):
    return browser.texts("#table tbody th a")


def test_the_page_is_live_and_keeps_what_the_reader_chose(browser, state, served):
    _, count = state
    count("old.core:Manager", 3)
    count("old.auth:AuthHandler", 2)
    address = served()
    browser.open(address)
    assert rows(browser)[:2] == ["old.auth:AuthHandler", "old.core:Manager"]
    assert browser.texts("#table tbody tr:first-child .v") == ["in use", "overdue"]
    browser.one("#filter").send_keys("auth")
    browser.one("#table tbody a").click()
    browser.run("document.activeElement.blur()")
    count("old.auth:AuthHandler", 40)
    browser.until(lambda: browser.texts("#table tbody td:nth-child(6)") == ["42"])
    assert rows(browser) == ["old.auth:AuthHandler"]
    assert browser.texts("#shown") == ["1 of 4 moves"]
    assert browser.texts("tr:has(+ .opened) th a") == ["old.auth:AuthHandler"]
    assert "45 uses in 3 processes" in browser.texts("#evidence")[0]
    browser.shoot("serve-live")
    assert browser.complaints() == []
    assert {each for each in browser.requests() if not each.startswith((address, "data:,"))} == set()


def test_the_first_use_appears_on_an_empty_page(browser, state, served):
    _, count = state
    browser.open(served())
    assert "Nothing has been recorded" in browser.texts(".empty")[0]
    browser.shoot("serve-empty")
    count("old.core:Manager", 1)
    browser.until(lambda: "old.core:Manager" in rows(browser))
    assert browser.complaints() == []


def test_a_browser_gets_in_with_the_token_as_password_and_stays_live(browser, state, served):
    _, count = state
    count("old.core:Manager", 3)
    address = served("--token", "s3cret")
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(address, timeout=30)
    assert refused.value.code == 401
    refused.value.close()
    browser.open(address.replace("http://", "http://reader:s3cret@"))
    assert "old.core:Manager" in rows(browser)
    count("old.core:Session", 5)
    browser.until(lambda: browser.texts("#week") == ["8"])
    assert browser.complaints() == []


def test_the_api_and_the_metrics_answer_over_the_network(state, served):
    _, count = state
    count("old.core:Manager", 3)
    address = served("--token", "s3cret")

    def get(path):
        request = urllib.request.Request(address + path, headers={"Authorization": "Bearer s3cret"})
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.read().decode()

    assert [(row["key"], row["today"]) for row in json.loads(get("api/usage?by=service"))["rows"]] == [("shop", 3)]
    (line,) = [line for line in get("metrics").splitlines() if line.startswith("compat_legacy_uses_total{")]
    assert line.endswith(" 3.0")
    for label in ('move="old.core:Manager"', 'ledger="shop"', 'caller="shop"', 'since="1.0"', 'removal="3.0"'):
        assert label in line
