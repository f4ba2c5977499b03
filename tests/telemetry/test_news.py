"""Who asked is told of each new call site once, and legacy code neither waits for it nor fails by it."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import threading
import time

import pytest

import compat
from compat.telemetry import Site, open_cell, reset
from compat.telemetry.record import news


def site(number):
    return Site("old:X", "call", "app.py", number, "run", "app")


@pytest.fixture(autouse=True)
def anew(monkeypatch):
    monkeypatch.setenv("COMPAT_TELEMETRY", "memory")
    reset()
    yield
    news.listeners.clear()
    reset()


def told(found, many):
    deadline = time.monotonic() + 10
    while len(found) < many:
        assert time.monotonic() < deadline, found
        time.sleep(0.001)
    news._wait()
    return found


def test_each_site_is_told_once_those_known_before_as_well():
    open_cell(site(1))()
    found = []
    compat.on_new_site(found.append)
    for _ in range(3):
        for number in (1, 2, 3):
            open_cell(site(number))()
    assert sorted(told(found, 3)) == [site(1), site(2), site(3)]


def test_a_site_is_told_once_whatever_threads_find_it_first():
    found, start = [], threading.Barrier(8)
    compat.on_new_site(found.append)

    def use():
        start.wait()
        for number in range(50):
            open_cell(site(number))()

    threads = [threading.Thread(target=use) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(told(found, 50)) == [site(number) for number in range(50)]


@pytest.mark.parametrize("error", [ValueError("no"), SystemExit(1), KeyboardInterrupt(), DeprecationWarning("old")])
def test_what_a_callback_raises_is_logged_and_goes_no_further(error, caplog):
    found = []

    def fail(site):
        raise error

    compat.on_new_site(fail)
    compat.on_new_site(found.append)
    with caplog.at_level(logging.WARNING, "compat"):
        open_cell(site(1))()
        open_cell(site(2))()
        assert told(found, 2) == [site(1), site(2)]
    assert [record.getMessage() for record in caplog.records] == ["a callback of compat.on_new_site failed"] * 2


def test_nobody_waits_for_a_slow_callback():
    go, found = threading.Event(), []
    compat.on_new_site(lambda site: (go.wait(10), found.append(site)))
    started = time.monotonic()
    for number in range(20):
        open_cell(site(number))()
    assert time.monotonic() - started < 5
    assert found == []
    go.set()
    assert told(found, 20) == [site(number) for number in range(20)]


def test_a_callback_may_use_something_legacy_and_may_be_ended():
    found = []

    def use(each):
        found.append(each)
        open_cell(site(each.line + 1 if each.line < 3 else 3))()

    end = compat.on_new_site(use)
    open_cell(site(1))()
    assert told(found, 3) == [site(1), site(2), site(3)]
    end()
    open_cell(site(9))()
    news._wait()
    assert len(found) == 3


PROGRAM = """
import gc, os, sys
import compat
from compat.telemetry import Site, open_cell
compat.on_new_site(lambda site: print(os.getpid() == parent, site.line, flush=True))
parent = os.getpid()
open_cell(Site("old:X", "call", "app.py", 1, "run", "app"))()
if sys.argv[1] == "fork":
    child = os.fork()
    if child:
        os.waitpid(child, 0)
    else:
        open_cell(Site("old:X", "call", "app.py", 2, "run", "app"))()
class Late:
    def __del__(self):
        open_cell(Site("old:X", "call", "app.py", 3, "run", "app"))()
late = Late()
if sys.argv[1] == "end":
    del late
    gc.collect()
"""


@pytest.mark.parametrize(
    ("how", "lines"),
    [
        ("end", {"True 1", "True 3"}),
        pytest.param("fork", {"True 1", "False 2"}, marks=pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")),
    ],
)
def test_the_end_of_a_process_waits_for_what_is_under_way_and_a_fork_tells_its_own(how, lines):
    command = [sys.executable, *(["-W", "error"] if how == "end" else []), "-c", PROGRAM, how]
    done = subprocess.run(command, env={**os.environ, "COMPAT_TELEMETRY": "memory"}, capture_output=True, text=True, timeout=60)
    if how == "end":  # a fork while a callback is under way may be warned of
        assert done.stderr == ""
    assert lines <= set(done.stdout.splitlines())


@pytest.mark.parametrize("callback", [None, 3, "print"])
def test_what_cannot_be_called_is_refused_at_once(callback):
    with pytest.raises(TypeError, match="takes a function of a site, not "):
        compat.on_new_site(callback)
    assert not news.listeners
