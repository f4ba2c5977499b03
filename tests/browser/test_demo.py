"""The demo's page: two users, a cable that is cut and mended, and how it looks."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import urllib.error
import urllib.request

import pytest

if not os.environ.get("CI"):
    for _module in ("starlette", "uvicorn", "websockets", "jwt", "pydantic"):
        pytest.importorskip(_module, reason=f"{_module} is in the server extra")

COMMAND = [sys.executable, "-m", "compat", "demo", "--browser"]


@pytest.fixture(scope="module")
def address():
    """Where the demo serves, for the tests of this file."""
    with subprocess.Popen([*COMMAND, "--port", "0"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as demo:
        try:
            line = demo.stdout.readline()
            yield line.partition(": ")[2].split()[0]
        finally:
            demo.send_signal(signal.SIGINT)
            _, complaints = demo.communicate(timeout=30)
        assert (demo.returncode, complaints) == (0, "")


def counts(browser, user):
    names = browser.run("[...document.querySelectorAll(`#${arguments[0]} [data-count]`)].map(one => one.dataset.count)", user)
    return dict(zip(names, map(int, browser.texts(f"#{user} [data-count]"))))


def numbers(browser, user):
    return [int(text) for text in browser.texts(f"#{user} .log .number")]


def test_what_a_user_misses_while_the_connection_is_cut_is_replayed_once_and_in_order(browser, address):
    browser.open(address)
    browser.until(lambda: len(numbers(browser, "ann")) >= 2 and len(numbers(browser, "ben")) >= 2)
    cable = browser.one("#ann .cable")
    cable.click()
    browser.until(lambda: "tries again in" in browser.texts("#ann .state")[0])
    before = numbers(browser, "ann")
    browser.until(lambda: browser.texts("#ben .log .done"))
    assert numbers(browser, "ann") == before
    browser.one("#ann .ask").click()
    browser.shoot("demo-cut")
    cable.click()
    browser.until(lambda: len(browser.texts("#ann .log .done")) == 2)
    first = before[0]
    assert numbers(browser, "ann") == list(range(first, first + 14))
    found = counts(browser, "ann")
    assert found["replayed"] >= 1 and found["received"] == 14
    for user in ("ann", "ben"):
        assert [counts(browser, user)[name] for name in ("lost", "twice", "foreign")] == [0, 0, 0]
    assert counts(browser, "ben")["replayed"] == 0
    badges = browser.texts("#ann .log .badge")
    assert badges == ["replayed"] * found["replayed"]
    assert [line for line in browser.complaints() if "WebSocket connection to" not in line] == []


@contextlib.contextmanager
def seen_as(browser, width, scheme):
    """The page as it is on a screen so wide, and as its reader likes it."""
    metrics = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
    features = [{"name": "prefers-color-scheme", "value": scheme}]
    browser.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    browser.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
    try:
        yield
    finally:
        browser.driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
        browser.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})


def test_it_can_be_read_on_every_screen_in_light_and_dark(browser, address, axe):
    browser.open(address)
    browser.until(lambda: len(numbers(browser, "ann")) >= 2)
    browser.one("#ann .cable").click()
    browser.until(lambda: browser.texts("#ben .log .done"))
    browser.one("#ann .cable").click()
    browser.until(lambda: browser.texts("#ann .log .done"))
    browser.one("#ben .cable").click()
    browser.until(lambda: "tries again in" in browser.texts("#ben .state")[0])
    try:
        for width in (1280, 390):
            for scheme in ("light", "dark"):
                with seen_as(browser, width, scheme):
                    browser.shoot(f"demo-{width}-{scheme}")
                    assert browser.run("document.documentElement.scrollWidth") <= width
                    assert axe(browser) == []
    finally:
        browser.one("#ben .cable").click()


def test_another_site_gets_neither_tokens_nor_a_connection(address):
    def status(path, **headers):
        request = urllib.request.Request(address + path, method="POST", headers=headers)
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(request, timeout=30)
        refused.value.close()
        return refused.value.code

    assert status("token/ann", Host="evil.example") == 400
    assert status("token/eve") == 404
    assert status("cable/ann/burnt") == 404


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["--port", "many"], "--port is 'many'; give a number from 0 to 65535"),
        (["--port"], "--port is ''; give a number from 0 to 65535"),
        (["--port", "65536"], "--port is '65536'; give a number from 0 to 65535"),
        (["--prot", "1"], "unknown argument '--prot'"),
    ],
)
def test_a_wrong_call_is_refused_in_one_line(arguments, complaint):
    done = subprocess.run([*COMMAND, *arguments], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.splitlines()[0] == f"compat demo: {complaint}"


def test_a_port_that_is_taken_is_named(address):
    port = address.rpartition(":")[2].strip("/")
    done = subprocess.run([*COMMAND, f"--port={port}"], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == f"compat demo: port {port} cannot be used (Address already in use); write --port 0 for a free one\n"
