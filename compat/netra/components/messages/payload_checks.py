"""What the payload of a message may hold."""

from __future__ import annotations

import math
from typing import Any

from .message_types import MessageType

#: Payload keys that are refused wherever they stand.
REFUSED_PAYLOAD_KEYS = frozenset({"forbidden_field", "another_violation", "invalid_field"})
#: Types whose payload says what to do, so that an empty one is an error.
PAYLOAD_REQUIRED = frozenset({MessageType.AGENT_REQUEST, MessageType.START_AGENT})


def check_payload(kind: MessageType, payload: Any) -> None:
    """Raise for a payload that no message of this type may have, or that JSON cannot carry."""
    if not isinstance(payload, dict):
        raise TypeError(f"Payload must be a dictionary, got {type(payload)}")
    refused = ", ".join(map(repr, sorted(REFUSED_PAYLOAD_KEYS.intersection(payload))))
    if refused:
        raise ValueError(f"Payload contains forbidden fields that violate SSOT: {{{refused}}}")
    if kind in PAYLOAD_REQUIRED:
        if not payload:
            raise ValueError(f"Agent message type '{kind!s}' requires non-empty payload")
        if "request" in payload and not isinstance(payload["request"], (dict, str)):
            wrong = type(payload["request"]).__name__
            raise TypeError(f"Agent message 'request' field must be dict or string, got {wrong}")
    _refuse_what_json_cannot_write(payload)


def _refuse_what_json_cannot_write(payload: dict[str, Any]) -> None:
    """Raise for numbers, keys and circles below a payload. Iterative: payloads may be deep."""
    above: list[int] = []
    # The same as a set: a list is too slow to look through at every level of a deep payload.
    inside: set[int] = set()
    waiting: list[tuple[int, Any]] = [(0, payload)]
    while waiting:
        depth, item = waiting.pop()
        inside.difference_update(above[depth:])
        del above[depth:]
        if isinstance(item, float) and not math.isfinite(item):
            raise ValueError(f"Payload contains {'NaN' if math.isnan(item) else 'infinity'} values that violate SSOT")
        if not isinstance(item, (dict, list, tuple)):
            continue
        if id(item) in inside:
            raise RecursionError("Payload contains itself")
        above.append(id(item))
        inside.add(id(item))
        for key in item if isinstance(item, dict) else ():
            if not isinstance(key, (str, int, float, bool, type(None))):
                raise TypeError(f"keys must be str, int, float, bool or None, not {type(key).__name__}")
        waiting.extend((depth + 1, member) for member in (item.values() if isinstance(item, dict) else item))
