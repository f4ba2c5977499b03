"""How a user's stream lies in Redis: its keys, and an event as one text."""

from __future__ import annotations

from ..core.codec import dumps, loads
from ..core.events import Draft, Event


def keys_of(prefix: str, user_id: str) -> tuple[str, str, str]:
    """Return the keys of a user's hash and stream, and the user's channel. Raises ValueError for what UTF-8 cannot hold."""
    # The braces say where the user's ID ends, whatever it holds.
    base = f"{prefix}:{{{user_id}}}"
    try:
        base.encode()
    except UnicodeEncodeError as exc:
        raise ValueError(f"user ID {user_id!r} is not text that UTF-8 can hold: {exc.reason}") from exc
    return f"{base}:meta", f"{base}:stream", f"{base}:live"


def roster_of(prefix: str) -> str:
    """Return the key of the sorted set of users who are, or were lately, connected somewhere; scores say until when."""
    return f"{prefix}:users"


def user_of(prefix: str, channel: str) -> str:
    """Return whose channel it is."""
    return channel[len(prefix) + 2 : -len("}:live")]


def item_of(draft: Draft) -> str:
    """Return a draft as it is kept."""
    return f"{dumps([draft.type, draft.thread_id, draft.critical])}\n{draft.body}"


def event_of(item: str, epoch: str, seq: int) -> Event:
    """Return the event that was kept."""
    header, _, body = item.partition("\n")
    kind, thread_id, critical = loads(header)
    return Event(Draft.from_record((body, kind, critical, thread_id)), epoch, seq)
