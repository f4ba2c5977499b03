"""What only running code knows is counted and warned at the line that called into the package which reports it."""

from __future__ import annotations

import os
import pathlib
import subprocess
import sys

import pytest

import compat
from compat import Behaviour, LegacyExpiredError

ROOT = pathlib.Path(compat.__file__).parents[1]
V = {"since": "1.0", "removal": "2.0"}
MODE = Behaviour("live.legacy-mode", "Loading in legacy mode", instead="mode='strict'", **V)
QTY = Behaviour("live.LIVE_QTY", "Environment variable LIVE_QTY", old="LIVE_QTY", new="LIVE_QUANTITY", instead=None, **V)
KEY = Behaviour("live.key", "Key 'qty'", old="qty", new="quantity", instead=None, **V)
OPTION = Behaviour("live.option", "Option --qty", old="--qty", new="--quantity", instead=None, **V)

LIBRARY = """
import compat
from live.inner import check


def load(mode):
    check(mode)
    return mode


def deeper(mode):
    return list(map(load, [mode]))[0]
"""
INNER = """
import compat


def check(mode):
    if mode == "legacy":
        compat.use("live.legacy-mode")
"""


@pytest.fixture
def live(world, installed):
    world.write("live/loading.py", LIBRARY)
    world.write("live/inner.py", INNER)
    yield installed
    for name in ("live.loading", "live.inner"):
        sys.modules.pop(name, None)


@pytest.mark.parametrize("filters", ["ignore", "default", "always"])
def test_a_use_stands_at_the_line_that_called_into_the_package(world, live, filters):
    live(MODE)
    seen = world.ok(
        "from live.loading import deeper, load\nfor _ in range(5):\n    load('legacy')\ndeeper('legacy')\nload('strict')\n",
        filters=filters,
    )
    assert seen.counted() == {("live.legacy-mode", "use", 3): 5, ("live.legacy-mode", "use", 4): 1}
    assert seen.lines == {"ignore": [], "default": [3, 4], "always": [3] * 5 + [4]}[filters]
    if seen.warned:
        assert seen.warned[0][1] == (
            "Loading in legacy mode is deprecated since kit 1.0 and will be removed in 2.0. Use mode='strict' instead."
            " See MIGRATION.md."
        )


ALONE = """\
import compat
from compat import Behaviour

MODE = Behaviour("alone.mode", "Legacy mode", since="1.0", removal="2.0", instead="mode='strict'")


def load():
    compat.use(MODE)


load()
compat.use(MODE)
"""


def test_where_no_other_package_calls_it_the_caller_of_the_reporting_function_is_named(tmp_path):
    (tmp_path / "alone.py").write_text(ALONE)
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "COMPAT_TELEMETRY": "memory", "COMPAT_SUMMARY": "1"}
    command = [sys.executable, "-W", "always", "alone.py"]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=60)
    words = "LegacyUseWarning: Legacy mode is deprecated since 1.0 and will be removed in 2.0. Use mode='strict' instead."
    told = [line.rpartition("alone.py:")[2] for line in done.stderr.splitlines() if "alone.py:" in line]
    assert told == [f"11: {words}", f"12: {words}", "11", "12"]


def test_a_row_is_counted_without_a_ledger_and_an_unknown_id_is_logged_once(world, caplog):
    seen = world.ok("import compat\ndef f(row):\n    compat.use(row)\n", name="rows")
    row = MODE.replace(id="live.uninstalled", legacy="live.uninstalled")
    with pytest.warns(compat.LegacyUseWarning, match=r"^Loading in legacy mode is deprecated since 1\.0"):
        seen.namespace["f"](row)
    for _ in range(2):
        seen.namespace["f"]("live.nothing")
    told = [record.getMessage() for record in caplog.records if record.name == "compat"]
    assert told == ["compat.use('live.nothing'): no installed ledger has a row of this id; nothing is counted"]


def test_once_expired_it_raises_and_is_counted(world, live):
    live(MODE, version="2.0")
    for _ in range(2):
        seen = world.use("from live.loading import load\nload('legacy')\n")
        assert type(seen.error) is LegacyExpiredError
        assert str(seen.error).startswith("Loading in legacy mode has expired: it was deprecated in kit 1.0 and removed in 2.0.")
        assert list(seen.counted().values()) == [1]


def test_under_an_error_filter_it_raises_and_is_counted(world, live):
    live(MODE)
    seen = world.use("from live.loading import load\nload('legacy')\n", filters="error")
    assert isinstance(seen.error, compat.LegacyUseWarning) and list(seen.counted().values()) == [1]


@pytest.mark.parametrize("value", ["off", "0", "False"])
def test_switched_off_nothing_is_counted_and_marks_do_nothing(world, monkeypatch, value):
    monkeypatch.setenv("COMPAT", value)
    row = MODE.replace(id="live.off", legacy="live.off")
    seen = world.ok("import compat\ndef f(row):\n    compat.use(row)\n", name="off")
    seen.namespace["f"](row)
    assert [use for use in compat.usage() if use.move == "live.off"] == []

    def f():
        """Nothing."""

    assert compat.deprecated(compat.Deprecated("m:f", instead=None, **V))(f) is f


READ = """\
import compat
from tests_rows import KEY, QTY
def read():
    return compat.getenv(QTY, "1")
def look(mapping):
    return compat.getkey(mapping, KEY, 1)
"""


@pytest.fixture
def reader(world, installed, monkeypatch):
    import types

    installed(QTY, KEY)
    rows = types.ModuleType("tests_rows")
    rows.KEY, rows.QTY = KEY, QTY
    monkeypatch.setitem(sys.modules, "tests_rows", rows)
    world.write("live/reading.py", READ)
    yield
    sys.modules.pop("live.reading", None)


@pytest.mark.parametrize(
    "environment, value, count",
    [
        ({}, "1", 0),
        ({"LIVE_QTY": "2"}, "2", 1),
        ({"LIVE_QUANTITY": "3"}, "3", 0),
        ({"LIVE_QTY": "2", "LIVE_QUANTITY": ""}, "", 0),
    ],
)
def test_an_environment_variable_is_read_by_its_new_name_then_by_its_old_one(
    world, reader, monkeypatch, environment, value, count
):
    for name, text in environment.items():
        monkeypatch.setenv(name, text)
    seen = world.ok("from live.reading import read\nresult = read()\n")
    assert seen.namespace["result"] == value
    assert seen.counted() == ({("live.LIVE_QTY", "use", 2): 1} if count else {})


@pytest.mark.parametrize(
    "mapping, value, count", [({}, 1, 0), ({"qty": 2}, 2, 1), ({"quantity": None, "qty": 2}, None, 0), ({"qty": None}, None, 1)]
)
def test_a_key_of_a_mapping_is_read_by_its_new_name_then_by_its_old_one(world, reader, mapping, value, count):
    seen = world.ok(f"from live.reading import look\nresult = look({mapping!r})\n")
    assert seen.namespace["result"] == value
    assert seen.counted() == ({("live.key", "use", 2): 1} if count else {})


ARGPARSE = """\
import argparse
import compat
def parse(words, row):
    parser = argparse.ArgumentParser()
    parser.add_argument("--quantity", "--qty", type=int, default=1)
    parser.add_argument("--loud", action="store_true")
    assert compat.count_option(parser, row) is parser
    return parser.parse_args(words)
"""


@pytest.mark.parametrize(
    "words, quantity, count",
    [
        ([], 1, 0),
        (["--quantity", "2"], 2, 0),
        (["--qty", "2"], 2, 1),
        (["--qty=2", "--loud"], 2, 1),
        (["--qty", "2", "--qty", "3"], 3, 2),
    ],
)
def test_an_option_of_argparse_is_counted_by_its_old_name(world, installed, words, quantity, count):
    installed(OPTION)
    namespace = world.ok(ARGPARSE).namespace
    before = total(OPTION)
    if count:
        with pytest.warns(compat.LegacyUseWarning, match=r"^Option --qty is deprecated since kit 1\.0"):
            assert namespace["parse"](words, OPTION).quantity == quantity
    else:
        assert namespace["parse"](words, OPTION).quantity == quantity
    assert total(OPTION) - before == count


def test_every_way_to_store_an_argparse_option_works(installed):
    import argparse

    installed(OPTION)
    for options, words, value in (
        ({"action": "store_true"}, ["--qty"], True),
        ({"action": "append"}, ["--qty", "1", "--qty", "2"], ["1", "2"]),
        ({"action": "count"}, ["--qty"], 1),
        ({"nargs": 2}, ["--qty", "1", "2"], ["1", "2"]),
    ):
        parser = argparse.ArgumentParser()
        parser.add_argument("--quantity", "--qty", **options)
        compat.count_option(parser, OPTION)
        before = total(OPTION)
        with pytest.warns(compat.LegacyUseWarning):
            assert parser.parse_args(words).quantity == value
        assert total(OPTION) - before == words.count("--qty")
        assert parser.parse_args([]).quantity in (None, False, 0)
        assert total(OPTION) - before == words.count("--qty")


def total(row):
    return sum(use.count for use in compat.usage() if use.move == row.id)


@pytest.mark.parametrize(
    "words, quantity, count", [([], 1, 0), (["--quantity", "2"], 2, 0), (["--qty", "2"], 2, 1), (["--qty=2"], 2, 1)]
)
def test_an_option_of_click_is_counted_by_its_old_name(installed, words, quantity, count):
    click = pytest.importorskip("click")
    installed(OPTION)

    @click.command()
    @click.option("--quantity", "--qty", type=int, default=1)
    def main(quantity):
        return quantity

    assert compat.count_option(main, OPTION) is main
    before = total(OPTION)
    if count:
        with pytest.warns(compat.LegacyUseWarning, match=r"^Option --qty is deprecated since kit 1\.0"):
            assert main(words, standalone_mode=False) == quantity
    else:
        assert main(words, standalone_mode=False) == quantity
    assert total(OPTION) - before == count


def test_an_option_that_is_not_there_is_a_fault_of_the_program(installed):
    import argparse

    with pytest.raises(LookupError, match=r"has no option '--qty'; add it as another name of the new one first$"):
        compat.count_option(argparse.ArgumentParser(), OPTION)
