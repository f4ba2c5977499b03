"""State that an earlier version of compat left is read, and brought up to this one where it may be written."""

from __future__ import annotations

import os
import shutil
import sqlite3
import zipfile
from pathlib import Path

import pytest

from compat.telemetry import collect, open_history
from compat.telemetry.history.schema import VERSION

USES = "SELECT service, version, environment, sum(count) FROM sites JOIN uses ON site = id GROUP BY 1, 2, 3"
DAILY = "SELECT service, environment, sum(count) FROM groups JOIN daily ON grp = id GROUP BY 1, 2"
PROCESSES = "SELECT id, service, environment, uses FROM processes ORDER BY id"


@pytest.fixture
def old(tmp_path):
    """A state directory as version 1 of all three formats left it: a history, a segment beside it, and a record."""
    with zipfile.ZipFile(Path(__file__).with_name("state_of_version_1.zip")) as archive:
        archive.extractall(tmp_path / "state")
    return str(tmp_path / "state")


def asked(history):
    return [history.connection.execute(question).fetchall() for question in (USES, DAILY, PROCESSES)]


def test_state_of_version_1_is_read_whole_and_its_tests_are_told_apart(old):
    with collect([old]) as history:
        assert history.problems == []
        assert asked(history) == [
            [("api", "1.0", "production", 8), ("pytest", "1.0", "test", 400)],
            [("api", "production", 8), ("pytest", "test", 400)],
            [("four", "api", "production", 5), ("one", "api", "production", 3)]
            + [("three", "api", "production", 0), ("two", "pytest", "test", 400)],
        ]
    with open_history(old) as history:
        assert history.connection.execute("PRAGMA user_version").fetchone() == (VERSION,)
    assert os.listdir(os.path.join(old, "segments")) == []


def test_a_history_of_version_1_that_is_only_read_is_left_as_it_is(old):
    path = os.path.join(old, "usage.db")
    before = Path(path).read_bytes()
    with open_history(path) as history:
        assert asked(history)[0] == [("api", "1.0", "production", 3), ("pytest", "1.0", "test", 400)]
    assert Path(path).read_bytes() == before


def test_histories_of_both_versions_are_read_as_one(old, tmp_path, write_segment, site, directory):
    shutil.copytree(old, tmp_path / "other")
    with sqlite3.connect(os.path.join(old, "usage.db")) as connection:
        connection.execute("UPDATE identity SET id = 'another'")
        connection.execute("UPDATE folded SET id = 'x' || id")
    connection.close()
    os.unlink(os.path.join(old, "segments", "four.seg"))
    with collect([old, str(tmp_path / "other")]) as history:
        assert history.problems == []
        assert asked(history)[1] == [("api", "production", 11), ("pytest", "test", 800)]


def test_long_names_of_any_script_leave_a_segment_readable(directory, write_segment, site):
    write_segment({site(): 2}, service="\u540d" * 200, version="\u7248" * 200, host="\u4e3b" * 200, environment="\u5883" * 200)
    with collect([directory]) as history:
        assert history.problems == []
        assert history.connection.execute("SELECT uses FROM processes").fetchall() == [(2,)]
