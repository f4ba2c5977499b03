"""The formats of identifiers in use: tell them apart, validate them, name their kind and their owner.

uuid          12345678-1234-4234-8234-123456789abc
managed       [prefix_]<type>_<counter>_<8hex>             user_1_9c666592, conn_websocket_1_9e866ee7
generated     <prefix>_<ms>_<counter>[_<hex>]              req_1795228688830_2_84e02bcc, ws_conn_<user8>_...
context       <thread|run|req>_<operation>_<counter>_<8hex>   thread_chat_1_dcf1123d
run           run_<thread id>_<ms mod 100000>_<8hex>       run_thread_1_88830_1a14b873
early run     thread_<thread id>_run_<timestamp>_<8hex>; run_<thread id>_<8hex>
short         <prefix>_<8hex>                              user_test_53b34623
plain         user_1, test-user-123, 123456789012345       names of people, tests and OAuth accounts
"""

from __future__ import annotations

import re
import uuid
from enum import Enum
from typing import NamedTuple, Optional


class IDType(Enum):
    """What an identifier identifies."""

    USER = "user"
    SESSION = "session"
    REQUEST = "request"
    AGENT = "agent"
    TOOL = "tool"
    TRANSACTION = "transaction"
    WEBSOCKET = "websocket"
    EXECUTION = "execution"
    TRACE = "trace"
    METRIC = "metric"
    THREAD = "thread"
    RUN = "run"


class ParsedId(NamedTuple):
    """An identifier taken apart; what its format does not carry is None or empty."""

    text: str
    format: str
    kind: Optional[IDType] = None
    prefix: str = ""
    thread: str = ""
    owner: str = ""
    timestamp: Optional[int] = None
    counter: Optional[int] = None
    random: str = ""


_KIND_BY_WORD = {kind.value: kind for kind in IDType}
_KIND_BY_HEAD = {
    "req": IDType.REQUEST,
    "run": IDType.RUN,
    "thread": IDType.THREAD,
    "ws": IDType.WEBSOCKET,
}
_OWNED_HEADS = {"ws_conn": 2, "ws_client": 2, "agent": 2, "msg": 2, "session": 2, "error": 2}

#: Longer text is no identifier. Clients choose thread ids: what looks at them must not take long over any.
LONGEST_ID = 1000

_GENERATED = re.compile(r"^(?P<prefix>.+?)_(?P<ms>1\d{12})_(?P<counter>\d+)(?:_(?P<random>[0-9a-f]+))?$")
_STRUCTURED = re.compile(r"^(?P<prefix>.+)_(?P<counter>\d+)_(?P<random>[0-9a-fA-F]{8})$")
_CONTEXT = re.compile(
    r"^(?P<head>thread|run|req)_(?P<operation>(?:.*_)?(?=[^_]*[^\W\d_])[^_]+)_(?P<counter>\d+)_(?P<random>[0-9a-f]{8})$"
)
_EARLY_RUN = re.compile(r"^thread_(?P<thread>.+)_run_(?P<timestamp>\d+)_(?P<random>[0-9a-f]{8})$")
_SHORT = re.compile(r"^(?P<prefix>[A-Za-z][\w-]*)_(?P<random>[0-9a-f]{8})$")

_PENDING = re.compile(r"^(?:pending_auth|temp_auth_.+|awaiting_auth(?:_.+)?)$")
_PLAIN = tuple(
    re.compile(pattern)
    for pattern in (
        r"^[a-zA-Z]+_\d+$",
        r"^user_[0-9a-f]{8}$",
        r"^[a-zA-Z]+_[a-zA-Z]+_\d+$",
        r"^[a-zA-Z]+-[a-zA-Z0-9]+-[a-zA-Z0-9-]+$",
        r"^(?:non_existent|invalid|fake|dummy|sample)_\w+$",
        r"^(?:thread|run|request|conn|session)-\d+$",
        r"^test-(?:user|connection|session|request|thread|run|websocket|agent)-[0-9a-f][0-9a-f-]*$",
        r"^mock-[a-zA-Z]+-\w+$",
        r"^ssot-[a-zA-Z]+-\w+$",
        r"^e2e-[a-zA-Z0-9_-]+$",
        r"^staging-e2e-[a-zA-Z0-9_-]+$",
        r"^defensive_auth_(?=\w+$).+_.+$",
        r"^\d{15,21}$",
    )
)
_STRUCTURED_HEADS = frozenset({"req", "run", "thread", "test"})
_STRUCTURED_MARKS = ("websocket_factory", "websocket_manager", "agent_executor")


def is_uuid(text: str) -> bool:
    """True for every spelling that ``uuid.UUID`` reads."""
    try:
        uuid.UUID(text)
    except (ValueError, AttributeError, TypeError):
        return False
    return True


def is_valid_id_format(id_value: object) -> bool:
    """True if ``id_value`` is written in one of the accepted formats; nothing is looked up."""
    if not isinstance(id_value, str):
        return False
    text = id_value.strip()
    if not text or len(text) > LONGEST_ID:
        return False
    if is_uuid(text) or _PENDING.match(text) or any(pattern.match(text) for pattern in _PLAIN):
        return True
    if _GENERATED.match(text):
        return True
    if not _STRUCTURED.match(text):
        return False
    parts = text.split("_")
    if len(parts) < 3:
        return False
    words = [word.lower() for word in parts[:-2]]
    return (
        any(word in _KIND_BY_WORD for word in words)
        or words[0] in _STRUCTURED_HEADS
        or any(mark in text for mark in _STRUCTURED_MARKS)
    )


def kind_of(text: str) -> IDType | None:
    """What ``text`` identifies, read from its words; None for UUIDs and plain names, which carry no kind."""
    if not isinstance(text, str) or len(text) > LONGEST_ID or is_uuid(text):
        return None
    generated = _GENERATED.match(text)
    if not generated and not _STRUCTURED.match(text):
        return None
    words = (generated["prefix"] if generated else text).lower().split("_")
    if words[0] in _KIND_BY_HEAD:
        return _KIND_BY_HEAD[words[0]]
    if generated and words[:2] == ["user", "request"]:
        return IDType.REQUEST
    return next((_KIND_BY_WORD[word] for word in words if word in _KIND_BY_WORD), None)


def may_be_of_kind(text: str, kind: IDType) -> bool:
    """Whether a well-formed ``text`` does not name another kind; ``req`` in front names none, the words behind it do."""
    words = text.lower().split("_")
    if words[0] != "req" or kind is IDType.REQUEST:
        return kind_of(text) in (None, kind)
    return next((_KIND_BY_WORD[word] for word in words if word in _KIND_BY_WORD), kind) is kind


def parse(text: str) -> ParsedId | None:
    """Take an identifier of any format apart; None where it is in none of them."""
    if not isinstance(text, str):
        return None
    text = text.strip()
    if not text or len(text) > LONGEST_ID:
        return None
    if is_uuid(text):
        return ParsedId(text, "uuid")
    kind = kind_of(text)
    # First: eight hexadecimal digits that happen to be decimal look like the counter of a generated id.
    if found := _EARLY_RUN.match(text):
        return ParsedId(
            text,
            "early run",
            IDType.RUN,
            prefix="run",
            thread=found["thread"],
            timestamp=int(found["timestamp"]),
            random=found["random"],
        )
    if found := _GENERATED.match(text):
        return ParsedId(
            text,
            "generated",
            kind,
            prefix=found["prefix"],
            owner=_owner_in(found["prefix"]),
            timestamp=int(found["ms"]),
            counter=int(found["counter"]),
            random=found["random"] or "",
        )
    if found := _CONTEXT.match(text):
        head, counter, random = found["head"], int(found["counter"]), found["random"]
        if (head == "run" and len(found["counter"]) >= 5) or (head == "run" and thread_of_run(text).startswith("thread_")):
            return ParsedId(text, "run", IDType.RUN, "run", thread=thread_of_run(text), timestamp=counter, random=random)
        return ParsedId(text, "context", kind, prefix=f"{head}_{found['operation']}", counter=counter, random=random)
    if text.startswith("run_") and thread_of_run(text) and _STRUCTURED.match(text):
        parts = text.split("_")
        return ParsedId(text, "run", IDType.RUN, "run", thread=thread_of_run(text), timestamp=int(parts[-2]), random=parts[-1])
    if found := _STRUCTURED.match(text):
        return ParsedId(text, "managed", kind, prefix=found["prefix"], counter=int(found["counter"]), random=found["random"])
    if found := _SHORT.match(text):
        if found["prefix"].startswith("run_"):
            return ParsedId(text, "early run", IDType.RUN, prefix="run", thread=found["prefix"][4:], random=found["random"])
        return ParsedId(text, "short", prefix=found["prefix"], random=found["random"])
    return ParsedId(text, "plain") if is_valid_id_format(text) else None


def thread_of_run(run_id: str) -> str:
    """The thread that ``run_<thread>_<timestamp>_<8hex>`` was made for; ``""`` if it is not of that form."""
    if not isinstance(run_id, str) or not run_id.startswith("run_"):
        return ""
    return "_".join(run_id[4:].split("_")[:-2])


def owner_of(text: str) -> str:
    """The first eight characters of the user for whom ``text`` was generated; ``""`` where the format carries none."""
    parsed = parse(text)
    return parsed.owner if parsed else ""


def belong_together(one: str, other: str) -> bool:
    """True if two identifiers were made for the same thread or operation, whichever formats they are in.

    Equal ids belong together; a run belongs to the thread it names; context ids made in one call share operation,
    counter and random part.
    """
    if one == other:
        return bool(one)
    first, second = parse(one), parse(other)
    if first is None or second is None:
        return False
    if first.thread and first.thread in (other, second.thread):
        return True
    if second.thread == one:
        return True
    return (
        first.format == second.format == "context"
        and first.random == second.random
        and first.counter == second.counter
        and first.prefix.partition("_")[2] == second.prefix.partition("_")[2]
    )


def _owner_in(prefix: str) -> str:
    words = prefix.split("_")
    head = "_".join(words[:2]) if words[0] == "ws" else words[0]
    start = _OWNED_HEADS.get(head)
    return "_".join(words[start:]) if start is not None and len(words) > start else ""
