"""Events: encoded once, stamped per user."""

from __future__ import annotations

import json
from datetime import datetime, timezone
from enum import Enum

import pytest

from compat.canonical.core import codec
from compat.canonical.core.events import CRITICAL_EVENTS, Draft, Event, Position, make_message
from compat.canonical.errors import Undelivered


def test_the_five_critical_events() -> None:
    assert CRITICAL_EVENTS == (
        "agent_started",
        "agent_thinking",
        "tool_executing",
        "tool_completed",
        "agent_completed",
    )


@pytest.mark.parametrize("message", [{}, {"type": "x"}, {"type": "x", "seq": 99, "epoch": "own"}, {"text": 'a"}{\n'}])
def test_the_stamp_ends_the_text_and_wins(message: dict) -> None:
    event = Event(Draft(message), "e", 7)
    assert json.loads(event.text()) == {**message, "seq": 7, "epoch": "e"} == event.message()
    assert json.loads(event.text(stamped=False)) == message == event.message(stamped=False)
    assert event.position == Position("e", 7)


def test_each_receiver_gets_its_own_dict() -> None:
    event = Event(Draft({"type": "x", "data": {"n": 1}}), "e", 1)
    event.message()["data"]["n"] = 2
    assert event.message()["data"] == {"n": 1}


def test_the_type_decides_what_is_critical_unless_told() -> None:
    assert Draft({"type": "agent_started"}).critical
    assert not Draft({"type": "typing"}).critical
    assert Draft({"type": "typing"}, critical=True).critical


def test_enums_dates_and_sets_take_their_plain_form() -> None:
    class Kind(Enum):
        STARTED = "agent_started"

    draft = Draft({"type": Kind.STARTED, "at": datetime(2026, 1, 2, tzinfo=timezone.utc), "tags": {"a"}})
    assert draft.type == "agent_started" and draft.critical
    message = json.loads(draft.body)
    assert message["at"].startswith("2026-01-02T00:00:00")
    assert message["tags"] == ["a"]


def test_integers_beyond_64_bits_are_kept() -> None:
    assert json.loads(codec.dumps({"n": 2**80})) == {"n": 2**80}


def test_data_never_replaces_the_type() -> None:
    message = make_message("agent_started", {"type": "other", "agent_name": "a"}, thread_id=None, run_id="r")
    assert message["type"] == "agent_started"
    assert (message["agent_name"], message["run_id"], "thread_id" in message) == ("a", "r", False)
    assert datetime.fromisoformat(message["timestamp"]).tzinfo is not None


@pytest.mark.parametrize("dump", [codec.dumps, codec._dump_slowly])
def test_half_a_surrogate_pair_is_replaced_not_sent(dump) -> None:
    text = dump({"a": "x\ud800y", "b": "\U0001f600"})
    assert codec.loads(text.encode()) == {"a": "x\ufffdy", "b": "\U0001f600"}


def test_an_event_without_a_name_is_refused() -> None:
    with pytest.raises(ValueError, match="event_type is empty; name the event, such as 'agent_started'"):
        make_message("")


def test_the_sentence_of_undelivered() -> None:
    error = Undelivered("u", "agent_started", "no route")
    assert str(error) == "agent_started for user 'u' is neither delivered nor kept: no route. Send it again."


class Kind(str, Enum):
    STARTED = "agent_started"


@pytest.mark.parametrize("thread", [None, "one"])
@pytest.mark.parametrize("critical", [None, True, False])
@pytest.mark.parametrize("kind", ["note", "agent_started", "", Kind.STARTED, 7, None, "half \ud83d"])
def test_a_history_gives_back_the_draft_that_it_kept(kind, critical, thread) -> None:
    message = {"text": '","type":"other', "type": kind}
    draft = Draft(message, critical, thread)
    kept = Draft.from_record(draft.record)
    assert (kept.body, kept.critical, kept.thread_id, kept.record) == (draft.body, draft.critical, thread, draft.record)
    assert kept.type in (draft.type, "half \ufffd")  # half a character is in no text that is sent


def test_a_draft_whose_body_says_all_is_kept_as_its_body_alone() -> None:
    assert Draft({"type": "note"}).record == '{"type":"note"}'
    assert Draft({"type": "note"}, True).record == ('{"type":"note"}', "note", True, None)
    assert Draft({"n": 1}).record == ('{"n":1}', "", False, None)
