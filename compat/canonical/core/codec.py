"""JSON text of messages: orjson where it is installed, the standard library where not."""

from __future__ import annotations

import json
import re
from typing import Any, Callable

try:
    import orjson
except ImportError:
    orjson = None  # type: ignore[assignment,unused-ignore]

_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode
_LONE_SURROGATE = re.compile("[\ud800-\udfff]")


def _dump_slowly(message: Any) -> str:
    text = _encode(message)
    # Half a character, as texts cut by UTF-16 units end in, is in no UTF-8: neither a socket nor Redis would take it.
    return text if text.isascii() else _LONE_SURROGATE.sub("\ufffd", text)


def _dump_with_orjson(message: Any) -> str:
    return orjson.dumps(message).decode()


_dump: Callable[[Any], str] = _dump_slowly if orjson is None else _dump_with_orjson
loads: Callable[[str | bytes], Any] = json.loads if orjson is None else orjson.loads  # type: ignore[assignment,unused-ignore]


def dumps(message: Any) -> str:
    """Return ``message`` as compact JSON; enums, models, dates and sets take their plain form.

    Raises
    ------
    CyclicMessageError (a ValueError)
        the message contains itself
    """
    try:
        return _dump(message)
    except (TypeError, ValueError, RecursionError):
        # Rare, and the walk costs ten times the encoding: only for what the encoder cannot take as it is.
        from .serialization import serialize_message

        return _dump_slowly(serialize_message(message))
