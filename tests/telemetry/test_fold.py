from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

import compat
from compat.telemetry import collect
from compat.telemetry.history.database import HistoryError, open_history
from compat.telemetry.history.fold import fold
from compat.telemetry.record.cells import INDEX
from compat.telemetry.record.directory import history_in
from compat.telemetry.record.identity import describe_process
from compat.telemetry.record.layout import DAY
from compat.telemetry.record.observed import append_record
from compat.telemetry.record.segments import Segment
from compat.telemetry.record.sites import Site

TODAY = 20_000
NOON = TODAY * DAY + DAY / 2
FOLD = "import sys; from compat.telemetry.history.fold import fold; print(*fold(sys.argv[1], patience=float(sys.argv[2]))[:3])"


def rows(directory: str, query: str) -> list[tuple[object, ...]]:
    with open_history(directory) as history:
        return history.connection.execute(query).fetchall()


def start_fold(directory: str, patience: float = 30.0) -> subprocess.Popen[str]:
    environ = {**os.environ, "PYTHONPATH": str(Path(compat.__file__).parents[1])}
    command = [sys.executable, "-c", FOLD, directory, str(patience)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environ)


def test_a_fold_adds_sites_days_groups_and_processes(directory, write_segment, site):
    write_segment({site(1): 3, site(2): 4}, version="1.0", ended=NOON + 30)
    write_segment({site(1): 5}, now=NOON + DAY, version="1.0")
    assert fold(directory) == (2, 12, 0, ())
    assert os.listdir(os.path.join(directory, "segments")) == []
    assert rows(directory, "SELECT line, day, count, first, last, service, version FROM sites JOIN uses ON site = id") == [
        (1, TODAY, 3, NOON, NOON, "chat", "1.0"),
        (1, TODAY + 1, 5, NOON + DAY, NOON + DAY, "chat", "1.0"),
        (2, TODAY, 4, NOON, NOON, "chat", "1.0"),
    ]
    assert rows(directory, "SELECT move, caller, service, day, count FROM groups JOIN daily ON grp = id") == [
        ("old.a", "app", "chat", TODAY, 7),
        ("old.a", "app", "chat", TODAY + 1, 5),
    ]
    ends = rows(directory, "SELECT started, ended, uses FROM processes ORDER BY started")
    assert ends == [(NOON - 60, NOON + 30, 7), (NOON + DAY - 60, NOON + DAY + 1, 5)]


def test_many_segments_of_one_service_add_up_slot_by_slot(directory, write_segment, site):
    for number in range(1, 31):
        uses = {site(line): line * number for line in range(1, 101)}
        if number % 3 == 0:  # met in another order
            uses = dict(reversed(uses.items()))
        write_segment(uses, now=NOON + number)
    assert fold(directory) == (30, 5050 * 465, 0, ())
    found = rows(directory, "SELECT line, count, first, last FROM sites JOIN uses ON site = id ORDER BY line")
    assert found == [(line, line * 465, NOON + 1, NOON + 30) for line in range(1, 101)]


def test_nothing_to_fold_makes_no_history(directory):
    assert fold(directory) == (0, 0, 0, ())
    assert not os.path.exists(directory)
    with pytest.raises(HistoryError, match="there is no usage history"):
        open_history(directory)


def test_a_segment_that_is_in_the_history_is_only_removed(directory, write_segment, site):
    path = write_segment({site(): 3})
    whole = Path(path).read_bytes()
    assert fold(directory) == (1, 3, 0, ())
    Path(path).write_bytes(whole)  # killed between commit and removal
    assert fold(directory) == (1, 0, 0, ())
    assert not os.path.exists(path)
    assert rows(directory, "SELECT sum(count) FROM uses") == [(3,)]


def test_two_folds_at_once_count_each_segment_once(directory, write_segment, site):
    for number in range(300):
        write_segment({site(number % 7): number, site(100): 1})
    folds = [start_fold(directory) for _ in range(2)]
    done = [tuple(map(int, process.communicate(timeout=60)[0].split())) for process in folds]
    fold(directory)
    truth = sum(range(300)) + 300
    assert sum(uses for _, uses, _ in done) <= truth
    assert rows(directory, "SELECT sum(count) FROM uses") == [(truth,)]
    assert rows(directory, "SELECT sum(count) FROM daily") == [(truth,)]
    assert rows(directory, "SELECT count(*), sum(uses) FROM processes") == [(300, truth)]
    assert os.listdir(os.path.join(directory, "segments")) == []


def test_a_history_appears_whole(directory, write_segment, site):
    stop = threading.Event()
    seen: list[str] = []

    def watch() -> None:
        while not stop.is_set():
            try:
                open_history(directory).close()
            except HistoryError as error:
                if "there is no usage history" not in str(error):
                    seen.append(str(error))

    for attempt in range(10):
        write_segment.directory = directory = f"{directory}{attempt}"
        write_segment({site(): 1})
        stop.clear()
        watcher = threading.Thread(target=watch)
        watcher.start()
        folded = [fold(directory) for _ in range(2)]
        stop.set()
        watcher.join()
        assert folded == [(1, 1, 0, ()), (0, 0, 0, ())]
        assert [path.name for path in Path(directory).glob("usage.db*.new*")] == []
    assert seen == []


@pytest.mark.slow
def test_folds_killed_at_any_moment_lose_and_double_nothing(directory, write_segment, site):
    truth = 0
    for attempt in range(12):
        for number in range(120):
            write_segment({site(number % 50): number + 1})
            truth += number + 1
        process = start_fold(directory)
        segments = os.path.join(directory, "segments")
        left = len(os.listdir(segments))
        deadline = time.monotonic() + 30
        # Some die before their first commit, some between commit and removal, some in between.
        while len(os.listdir(segments)) > left - attempt * 8 and process.poll() is None and time.monotonic() < deadline:
            pass
        process.send_signal(signal.SIGKILL)
        process.communicate()
    fold(directory)
    assert rows(directory, "SELECT sum(count) FROM uses") == [(truth,)]
    assert rows(directory, "SELECT count(*) FROM processes") == [(12 * 120,)]


def test_a_living_process_is_folded_as_far_as_it_is(directory, site):
    segment = Segment(directory)
    view = segment.allot(site(1), 0, 5, NOON).view
    assert fold(directory) == (0, 5, 1, ())
    assert fold(directory) == (0, 0, 1, ())
    view[INDEX] = 9
    segment.allot(site(2), 100, 101, NOON + DAY)
    assert fold(directory) == (0, 5, 1, ())
    assert rows(directory, "SELECT day, count FROM uses ORDER BY day") == [(TODAY, 9), (TODAY + 1, 1)]
    assert rows(directory, "SELECT uses FROM processes") == [(10,)]
    assert os.path.exists(segment.path)
    segment.release()


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (lambda raw: raw[:500], "500 bytes are too few for a header of 1024"),
        (lambda raw: raw[:5000], "5000 bytes are too few for a first block of 16384"),
        (lambda raw: raw + raw[:100], "16484 bytes are no whole number of blocks of 16384: it is truncated"),
        (lambda raw: bytes(len(raw)), "it does not begin like a segment"),
        (lambda raw: b"SQLite format 3\0" + raw[16:], "it does not begin like a segment"),
        (lambda raw: raw[:70] + b"?" + raw[71:], "the checksum of its header is wrong"),
        (lambda raw: raw[:1046] + b"\xff" + raw[1047:], "the slot of b'old.a\\x00call\\x00app/main.py"),
        (lambda raw: raw[:2320] + b"\0" * 6 + b"\xf8\x7f" + raw[2328:], "the block of slot 0 has times that are none"),
        (lambda raw: raw[:1028] + b"\xff\0\0\0" + raw[1032:], "the block at byte 0 claims 255 slots"),
    ],
    ids=["short", "truncated", "longer", "zeros", "foreign", "header", "count", "nan", "block"],
)
def test_a_bad_file_is_named_and_set_aside_and_stops_nothing(directory, write_segment, site, damage, reason):
    path = Path(write_segment({site(): 3}))
    good = write_segment({site(): 4})
    path.write_bytes(damage(path.read_bytes()))
    os.utime(path, (NOON, NOON))
    folded = fold(directory)
    assert folded[:3] == (1, 4, 0)
    aside = os.path.join(directory, "damaged", path.name)
    assert len(folded.problems) == 1
    assert folded.problems[0].startswith(f"{path}: {reason}")
    assert folded.problems[0].endswith(f"; set aside in {aside}")
    assert os.path.exists(aside) and not path.exists() and not os.path.exists(good)
    assert fold(directory).problems == ()


def test_a_segment_of_a_later_version_is_named_and_left_to_that_version(directory, write_segment, site):
    path = Path(write_segment({site(): 3}))
    path.write_bytes(path.read_bytes()[:8] + b"\7\0" + path.read_bytes()[10:])
    for _ in range(2):
        problems = (f"{path}: it has format version 7; this version of compat reads up to 2, and leaves it",)
        assert fold(directory).problems == problems
        with collect([directory]) as history:
            assert history.problems == list(problems)
    assert path.exists()


def test_a_segment_of_the_other_byte_order_is_read(directory, write_segment, site, tmp_path):
    import struct

    from compat.telemetry.record.layout import read_segment

    raw = Path(write_segment({site(): 3})).read_bytes()
    process, found = read_segment(raw)
    swapped = bytearray(raw)
    for start, letters in ((8, "HHIIIQddQI"), (1024, "QQ")):
        values = struct.unpack_from("<" + letters, raw, start)
        struct.pack_into(">" + letters, swapped, start, *values)
    from binascii import crc32

    length = struct.unpack_from("<I", raw, 56)[0]
    struct.pack_into(">I", swapped, 60, crc32(swapped[:40] + swapped[48:60] + swapped[64 : 64 + length]))
    for at, letter in ((0, "Q"), (640, "Q"), (1280, "d"), (1920, "d")):
        value = struct.unpack_from("<" + letter, raw, 1040 + at)
        struct.pack_into(">" + letter, swapped, 1040 + at, *value)
    key = 1040 + 80 * 32
    struct.pack_into(">H", swapped, key, struct.unpack_from("<H", raw, key)[0])
    assert read_segment(bytes(swapped)) == (process, found)


def test_a_locked_history_leaves_the_segments(directory, write_segment, site):
    write_segment({site(1): 1})
    fold(directory)
    path = write_segment({site(2): 2})
    with open_history(directory, readonly=False) as history:
        history.begin()
        folded = fold(directory, patience=0.05)
        history.roll_back()
    assert folded.problems == (f"the history in {directory!r} was not written, its segments stay: database is locked",)
    assert os.path.exists(path)
    assert fold(directory) == (1, 2, 0, ())


def test_a_full_disk_leaves_the_segments(directory, write_segment, site, monkeypatch):
    path = write_segment({site(line): 1 for line in range(2000)})
    opened = open_history

    def open_small(*arguments: object, **options: object) -> object:
        history = opened(*arguments, **options)
        history.connection.execute("PRAGMA max_page_count = 20")  # SQLite's own way to say that there is no more room
        return history

    with monkeypatch.context() as patch:
        patch.setattr("compat.telemetry.history.fold.open_history", open_small)
        problems = fold(directory).problems
    assert problems == (f"the history in {directory!r} was not written, its segments stay: database or disk is full",)
    assert os.path.exists(path)
    assert fold(directory) == (1, 2000, 0, ())


def test_a_damaged_history_leaves_the_segments(directory, write_segment, site):
    path = write_segment({site(): 1})
    Path(directory, "usage.db").write_bytes(b"no database at all, but long enough to look at" * 100)
    (problem,) = fold(directory).problems
    assert "file is not a database" in problem
    assert os.path.exists(path)


def test_a_later_history_is_refused(directory, write_segment, site):
    write_segment({site(): 1})
    fold(directory)
    with sqlite3.connect(os.path.join(directory, "usage.db")) as connection:
        connection.execute("PRAGMA user_version = 9")
    connection.close()
    with pytest.raises(HistoryError, match="has schema version 9; this version of compat reads up to 2"):
        open_history(directory)


def test_records_of_idle_processes_are_there_once(directory):
    process = describe_process()._replace(service="api", tick=1, started=NOON)
    append_record(directory, process)
    append_record(directory, process._replace(ended=NOON + 3600))
    append_record(directory, process._replace(id="other", ended=NOON + 60))
    log = next(Path(directory, "observed").iterdir())
    log.write_bytes(log.read_bytes() + b"1\thalf a line")
    why = "are damaged or of a later version, and are passed over; remove the file when that is settled"
    for _ in range(2):
        assert fold(directory).problems == (f"{log}: 1 lines {why}",)
    found = rows(directory, "SELECT id, service, ended - started, uses FROM processes ORDER BY ended")
    assert found == [("other", "api", 60.0, 0), (process.id, "api", 3600.0, 0)]


def test_an_old_log_of_records_is_removed_once_it_is_folded(directory):
    append_record(directory, describe_process()._replace(tick=1, ended=NOON))
    log = next(Path(directory, "observed").iterdir())
    old = log.rename(log.with_name("2024-10-01.log"))
    fold(directory)
    assert not old.exists()
    assert rows(directory, "SELECT count(*) FROM processes") == [(1,)]


def test_unfinished_segments_are_removed_when_they_are_old(directory, write_segment, site):
    path = Path(write_segment({site(): 1}))
    fresh, old = path.with_suffix(".new"), path.with_name("x.new")
    fresh.touch()
    old.touch()
    os.utime(old, (1, 1))
    fold(directory)
    assert fresh.exists() and not old.exists()


@pytest.mark.skipif(not hasattr(os, "link"), reason="there are no second names")
def test_the_first_name_of_a_history_is_removed_where_its_maker_could_not(directory, write_segment, site):
    write_segment({site(): 1})
    fold(directory)
    history = Path(history_in(directory))
    left = history.with_name("usage.db.0.new")
    os.link(history, left)
    write_segment({site(): 2})
    fold(directory)
    assert not left.exists() and history.exists()
    with open_history(directory) as kept:
        assert kept.connection.execute("SELECT sum(count) FROM uses").fetchone()[0] == 3


def test_vacuum_forgets_what_is_older(directory, write_segment, site):
    now = time.time()
    write_segment({site(1): 1}, now=now - 500 * DAY)
    write_segment({site(2, "old.b"): 2}, now=now - 399 * DAY)
    fold(directory)
    with open_history(directory, readonly=False) as history:
        assert history.vacuum(400) == 4
        assert history.vacuum(400) == 0
    assert rows(directory, "SELECT move, count FROM sites JOIN uses ON site = id") == [("old.b", 2)]
    assert rows(directory, "SELECT count FROM daily") == [(2,)]
    assert rows(directory, "SELECT uses FROM processes") == [(2,)]


def test_keys_of_any_length_and_text_survive(directory, write_segment):
    odd = Site("old." + "ü" * 500, "call", "a/\udcff.py", 7, "f\0g", "app.\n")
    write_segment({odd: 2})
    assert fold(directory) == (1, 2, 0, ())
    assert rows(directory, "SELECT length(move), file, function, module FROM sites") == [(300, "a/\\udcff.py", "fg", "app.\n")]


@pytest.mark.skipif(os.name == "nt", reason="modes and links of this kind are POSIX's")
def test_the_history_and_its_files_are_as_private_as_the_segments(directory, write_segment, site):
    before = os.umask(0o022)
    try:
        write_segment({site(): 1})
        fold(directory)
        with open_history(directory, readonly=False) as history:
            history.connection.execute("SELECT count(*) FROM sites").fetchall()
            modes = {path.name: path.stat().st_mode & 0o777 for path in Path(directory).iterdir() if path.is_file()}
    finally:
        os.umask(before)
    assert modes["usage.db"] == 0o600 and set(modes.values()) == {0o600}


@pytest.mark.skipif(not hasattr(os, "O_NOFOLLOW"), reason="links of this kind are POSIX's")
def test_links_that_somebody_has_put_in_the_state_directory_lead_nowhere(directory, write_segment, site, tmp_path):
    mine = tmp_path / "profile"
    mine.write_text("mine\n")
    append_record(directory, describe_process())
    (log,) = Path(directory, "observed").iterdir()
    log.unlink()
    log.symlink_to(mine)
    with pytest.raises(OSError):
        append_record(directory, describe_process())
    write_segment({site(): 1})
    Path(directory, "usage.db").symlink_to(tmp_path / "elsewhere.db")
    with pytest.raises(HistoryError, match="is a link to a file that does not exist"):
        open_history(directory, readonly=False)
    assert (mine.read_text(), (tmp_path / "elsewhere.db").exists()) == ("mine\n", False)
