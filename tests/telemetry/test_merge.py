from __future__ import annotations

import itertools
import os
import shutil
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from compat.telemetry.history.database import History, open_history
from compat.telemetry.history.fold import fold
from compat.telemetry.history.tally import Tally
from compat.telemetry.read.merge import collect
from compat.telemetry.record.cells import INDEX
from compat.telemetry.record.identity import describe_process
from compat.telemetry.record.layout import DAY, Row
from compat.telemetry.record.observed import append_record
from compat.telemetry.record.segments import Segment

TODAY = 20_000
NOON = TODAY * DAY + DAY / 2


def uses_of(history: History) -> list[tuple[object, ...]]:
    query = (
        "SELECT move, line, service, day, sum(count) FROM sites JOIN uses ON site = id GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4"
    )
    rows = history.connection.execute(query).fetchall()
    daily = history.connection.execute("SELECT sum(count) FROM daily").fetchone()
    assert daily == (sum(row[-1] for row in rows) or None,)
    return rows


def merged(*sources: object) -> list[tuple[object, ...]]:
    with collect(sources) as history:
        assert history.problems == []
        return uses_of(history)


def other_host(tmp_path, write_segment, name: str) -> str:
    write_segment.directory = str(tmp_path / name)
    return write_segment.directory


def test_directories_and_databases_mix_in_any_order_and_number(tmp_path, write_segment, site):
    one = other_host(tmp_path, write_segment, "one")
    write_segment({site(1): 1, site(2): 2})
    fold(one)
    write_segment({site(2): 4}, now=NOON + DAY)
    two = other_host(tmp_path, write_segment, "two")
    write_segment({site(1): 8, site(3, "old.b"): 16}, service="api")
    three = other_host(tmp_path, write_segment, "three")
    write_segment({site(1): 32})
    fold(three)
    database = str(Path(three) / "usage.db")
    expected = [
        ("old.a", 1, "api", TODAY, 8),
        ("old.a", 1, "chat", TODAY, 33),
        ("old.a", 2, "chat", TODAY, 2),
        ("old.a", 2, "chat", TODAY + 1, 4),
        ("old.b", 3, "api", TODAY, 16),
    ]
    for order in itertools.permutations([one, two, database]):
        assert merged(*order) == expected
    assert merged(one, two, three, one, database, f"{two}/") == expected
    assert len(list(Path(one, "segments").iterdir())) == 1  # of several sources, nothing is changed
    assert not Path(two, "usage.db").exists()


def test_a_copied_directory_counts_once(tmp_path, directory, write_segment, site):
    write_segment({site(1): 3})
    copy = str(tmp_path / "copy")
    shutil.copytree(directory, copy)
    assert merged(directory, copy) == [("old.a", 1, "chat", TODAY, 3)]
    fold(directory)
    assert merged(directory, copy) == merged(copy, directory) == [("old.a", 1, "chat", TODAY, 3)]


def test_of_two_copies_of_a_history_the_fuller_one_counts(tmp_path, directory, write_segment, site):
    write_segment({site(1): 3})
    fold(directory)
    copy = str(tmp_path / "copy.db")
    with open_history(directory) as history:
        history.connection.execute("VACUUM INTO ?", (copy,))
    write_segment({site(1): 4})
    fold(directory)
    for sources in ([directory, copy], [copy, directory]):
        with collect(sources) as history:
            assert uses_of(history) == [("old.a", 1, "chat", TODAY, 7)]
            assert history.problems == [
                f"{copy} is a copy of the history {directory}/usage.db, which has more: it is passed over"
            ]


def test_one_directory_is_folded_and_read_without_copying(directory, write_segment, site):
    write_segment({site(1): 3})
    living = Segment(directory)
    living.allot(site(2), 0, 5, NOON)
    with collect([directory]) as history:
        assert history.path == f"{directory}/usage.db"
        assert [row[-1] for row in uses_of(history)] == [3, 5]
    assert os.listdir(os.path.join(directory, "segments")) == [os.path.basename(living.path)]
    living.release()


def test_living_segments_of_several_directories_are_counted_as_far_as_they_are(tmp_path, directory, write_segment, site):
    living = Segment(directory)
    view = living.allot(site(2), 0, 5, NOON).view
    fold(directory)
    view[INDEX] = 9
    other = other_host(tmp_path, write_segment, "other")
    write_segment({site(2): 1}, service=living.header.service)
    for _ in range(2):
        assert [row[-1] for row in merged(directory, other)] == [10]
    with open_history(directory) as history:
        assert [row[-1] for row in uses_of(history)] == [5]
    living.release()


def test_idle_processes_of_all_sources_are_there_once(tmp_path, directory):
    process = describe_process()._replace(tick=1, started=NOON, ended=NOON + 60)
    append_record(directory, process)
    copy = str(tmp_path / "copy")
    shutil.copytree(directory, copy)
    append_record(copy, process._replace(id="other"))
    fold(directory)
    with collect([directory, copy]) as history:
        assert history.connection.execute("SELECT count(*), sum(uses) FROM processes").fetchone() == (2, 0)


def test_bad_sources_are_named_and_passed_over(tmp_path, directory, write_segment, site):
    write_segment({site(1): 3})
    bad = Path(write_segment({site(1): 4}))
    bad.write_bytes(b"nothing")
    text = tmp_path / "usage.txt"
    text.write_text("no database, though somebody said so; " * 50)
    with collect([directory, text, tmp_path / "gone"]) as history:
        assert history.problems == [
            f"{tmp_path / 'gone'}: there is no such file or directory",
            f"{bad}: 7 bytes are too few for a header of 1024",
            f"the usage history {str(text)!r} cannot be read: file is not a database",
        ]
        assert uses_of(history) == [("old.a", 1, "chat", TODAY, 3)]
    assert bad.exists()


def test_nothing_is_an_empty_history(tmp_path):
    with collect([tmp_path]) as history:
        assert uses_of(history) == []


rows = st.lists(
    st.builds(
        Row, st.just(0), st.sampled_from([b"a", b"b"]), st.integers(0, 2), st.integers(1, 9), st.floats(0, 9), st.floats(10, 19)
    )
)
tallies = st.dictionaries(st.tuples(st.sampled_from("xy"), st.just("")), rows)


def tally_of(parts: dict[tuple[str, str], list[Row]]) -> Tally:
    tally = Tally()
    for owner, found in parts.items():
        tally.add(owner, found)
    return tally


@given(tallies, tallies, tallies)
def test_adding_tallies_is_associative_and_commutative(one, two, three):
    a, b, c = map(tally_of, (one, two, three))
    assert a + b == b + a
    assert (a + b) + c == a + (b + c)
    assert a + Tally() == a
