"""Events: what is sent to a user, encoded once, stamped with the user's epoch and sequence number."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timezone
from typing import Any, NamedTuple, Optional, Union

from .codec import dumps, loads

CRITICAL_EVENTS: tuple[str, ...] = (
    "agent_started",
    "agent_thinking",
    "tool_executing",
    "tool_completed",
    "agent_completed",
)
_CRITICAL = frozenset(CRITICAL_EVENTS)


GREATEST_SEQ = 2**53 - 1  # what every JSON parser holds exactly


Record = Union[str, tuple[str, str, bool, Optional[str]]]
"""What a history keeps of a draft: its body (JSON text) where that says all, else body, type, whether critical, and thread.

No object of this package: an event costs what it must touch, and the garbage collector does not visit these.
"""


class Position(NamedTuple):
    """A place in one user's stream of events: ``seq`` counts from 1 within ``epoch``; 0 is before the first."""

    epoch: str
    seq: int


class Draft:
    """A message encoded once, before it has a place in anybody's stream; shared by all who receive it."""

    __slots__ = ("body", "critical", "record", "thread_id", "type")

    def __init__(self, message: Mapping[str, Any], critical: bool | None = None, thread_id: str | None = None) -> None:
        """Encode ``message`` (a JSON object); ``critical`` None asks its type; ``thread_id`` None is all threads."""
        kind: Any = message.get("type")
        said = type(kind) is str
        if not said:
            kind = kind if isinstance(kind, str) else str(getattr(kind, "value", kind or ""))
        if critical is None:
            critical = kind in _CRITICAL
        elif said:
            said = critical is (kind in _CRITICAL)
        self.type, self.critical, self.thread_id = kind, critical, thread_id
        body = self.body = dumps(message if isinstance(message, dict) else dict(message))
        self.record: Record = body if said and thread_id is None else (body, kind, critical, thread_id)

    @classmethod
    def from_record(cls, record: Record) -> Draft:
        """Return the draft of a record."""
        draft = cls.__new__(cls)
        draft.record = record
        if isinstance(record, str):
            draft.body, draft.type, draft.thread_id = record, loads(record)["type"], None
            draft.critical = draft.type in _CRITICAL
        else:
            draft.body, draft.type, draft.critical, draft.thread_id = record
        return draft


def stamp(body: str, seq: int, epoch: str) -> str:
    """Return the JSON text of an event: its place ends it, and wins over fields of these names."""
    comma = "," if len(body) > 2 else ""
    return f'{body[:-1]}{comma}"seq":{seq},"epoch":"{epoch}"}}'


class Event:
    """A draft with its place in one user's stream; immutable."""

    __slots__ = ("draft", "epoch", "seq")

    def __init__(self, draft: Draft, epoch: str, seq: int) -> None:
        self.draft, self.epoch, self.seq = draft, epoch, seq

    @property
    def type(self) -> str:
        """The message's ``type``."""
        kind: str = self.draft.type
        return kind

    @property
    def critical(self) -> bool:
        """Whether it must never be dropped silently."""
        return self.draft.critical

    @property
    def thread_id(self) -> str | None:
        """The thread it belongs to; None for all threads of the user."""
        return self.draft.thread_id

    @property
    def position(self) -> Position:
        """Its place in the user's stream."""
        return Position(self.epoch, self.seq)

    def text(self, stamped: bool = True) -> str:
        """Return the JSON text; stamped, ``seq`` and ``epoch`` end it."""
        body, seq = self.draft.body, self.seq
        return stamp(body, seq, self.epoch) if stamped and seq else body

    def message(self, *, stamped: bool = True) -> dict[str, Any]:
        """Return a fresh dict of the message: no receiver shares it with another."""
        message: dict[str, Any] = loads(self.draft.body)
        if stamped and self.seq:
            message["seq"], message["epoch"] = self.seq, self.epoch
        return message

    def __repr__(self) -> str:
        return f"<Event {self.type} {self.epoch}:{self.seq}>"


class Delivery(NamedTuple):
    """What became of one message: its place, how many connections took it, and whether it is kept for replay.

    With a shared backplane ``receivers`` counts the workers that hold connections of the user.
    """

    seq: int
    epoch: str
    receivers: int
    kept: bool


def make_message(event_type: str, data: Mapping[str, Any] | None = None, **fields: Any) -> dict[str, Any]:
    """Return the message of an event: its type, a UTC time stamp, the fields given that are not None, and ``data``.

    ``data`` never replaces the type.
    """
    if not event_type:
        raise ValueError("event_type is empty; name the event, such as 'agent_started'")
    message: dict[str, Any] = {"type": event_type, "timestamp": datetime.now(timezone.utc).isoformat()}
    for name, value in fields.items():
        if value is not None:
            message[name] = value
    if data:
        message.update(data)
        message["type"] = event_type
    return message


def resync_notice(reason: str, epoch: str, seq: int) -> Draft:
    """Return the message that tells a client to fetch its state anew and to go on from ``(epoch, seq)``."""
    return Draft({"type": "resync", "reason": reason, "epoch": epoch, "seq": seq})


__all__ = [
    "CRITICAL_EVENTS",
    "Delivery",
    "Draft",
    "Event",
    "Position",
    "make_message",
    "resync_notice",
]
