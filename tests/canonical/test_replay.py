"""Bounded history: exactly what was missed, or why it cannot be told."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compat.canonical.core.events import Draft, Position
from compat.canonical.core.replay import History


def filled(count: int, limit: int) -> History:
    history = History("e")
    for number in range(count):
        history.append(Draft({"n": number}), limit)
    return history


@given(st.integers(0, 60), st.integers(0, 20), st.integers(0, 60))
def test_what_follows_a_position_is_complete_or_refused(count: int, limit: int, seen: int) -> None:
    replay = filled(count, limit).after(Position("e", seen))
    assert replay.position == Position("e", count)
    if seen > count:
        assert replay.resync == "unknown_position"
    elif count - seen > limit:
        assert replay.resync == "history_expired"
    else:
        assert replay.resync is None
        assert [e.seq for e in replay.events] == list(range(seen + 1, count + 1))
    if replay.resync is not None:
        assert replay.events == []


def test_another_epoch_is_never_continued() -> None:
    assert filled(5, 10).after(Position("other", 3)).resync == "epoch_changed"


def test_a_client_that_missed_nothing_gets_nothing_every_time() -> None:
    history = filled(3, 10)
    for _ in range(2):
        assert history.after(Position("e", 3)).events == []


def test_without_a_position_all_that_is_kept_is_returned() -> None:
    assert [e.seq for e in filled(15, 10).after(None).events] == list(range(6, 16))


@pytest.mark.parametrize("seq", [-1, -100])
def test_a_negative_position_is_unknown(seq: int) -> None:
    assert filled(3, 10).after(Position("e", seq)).resync == "unknown_position"
