"""Turn whatever callers hand over as a message into plain JSON data: enums, models, dataclasses, dates, sets, socket states."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from datetime import date, datetime, time
from enum import Enum
from typing import Any

from .logged import get_logger

logger = get_logger(__name__)

_PLAIN = (type(None), str, int, float, Mapping, list, tuple, set, frozenset, datetime, date)
_STATE_LIBRARIES = ("starlette", "fastapi", "websockets", "wsproto")


class CyclicMessageError(ValueError, RecursionError):
    """A message contains itself and so has no JSON form; names the key or index where the circle closes.

    Both bases on purpose: ``json.dumps`` raises ValueError for such data, a naive walk RecursionError, and callers catch
    either.
    """

    def __init__(self, where: str) -> None:
        self.where = where
        super().__init__(where)

    def __str__(self) -> str:
        remedy = "a message must not contain itself; send a copy without the back reference"
        return f"Circular reference detected at {self.where}: {remedy}"


def get_enum_key(member: Enum) -> str:
    """Return the text under which an enum member serves as a JSON key: its name in lower case."""
    return str(member.name).lower()


def serialize_message(message: Any) -> Any:
    """Return ``message`` as data that ``json.dumps`` accepts.

    A dict that is JSON already is handed back as it is, not copied. Enums become their value, socket-state enums their
    lower-case name, enum keys their lower-case name, pydantic models ``model_dump(mode="json")``, objects with ``to_dict``
    what that returns, dataclasses dicts, dates ISO text, sets and tuples lists; anything else its ``str()``.

    Raises
    ------
    CyclicMessageError
        If a container holds itself.
    """
    return _convert(message, "message", ())


def _convert(value: Any, where: str, holders: tuple[int, ...]) -> Any:
    if isinstance(value, Enum):
        return _enum_value(value)
    if value is None or isinstance(value, (str, int, float)):
        return value
    if id(value) in holders:
        raise CyclicMessageError(where)
    if isinstance(value, (Mapping, list, tuple, set, frozenset)):
        return _container(value, where, (*holders, id(value)))
    if isinstance(value, (datetime, date, time)):
        return value.isoformat()
    if isinstance(value, type):
        return str(value)
    if isinstance(value, (bytes, bytearray)):
        return bytes(value).decode("utf-8", "replace")
    described, plain = plain_form(value)
    if described:
        return _convert(plain, where, (*holders, id(value)))
    logger.warning("%s at %s has no JSON form; its text is sent", type(value).__name__, where)
    return str(value)


def _container(value: Any, where: str, holders: tuple[int, ...]) -> Any:
    if isinstance(value, Mapping):
        if isinstance(value, dict) and _is_json(value):
            return value
        return {_key(key): _convert(item, f"{where}[{_key(key)!r}]", holders) for key, item in value.items()}
    if isinstance(value, (set, frozenset)):
        return [_convert(item, f"{where}[{{}}]", holders) for item in value]
    return [_convert(item, f"{where}[{index}]", holders) for index, item in enumerate(value)]


def _is_json(value: dict[Any, Any]) -> bool:
    try:
        json.dumps(value)
    except (TypeError, ValueError, RecursionError):
        return False
    return True


def _key(key: Any) -> str:
    return get_enum_key(key) if isinstance(key, Enum) else str(key)


def _enum_value(member: Enum) -> Any:
    kind = type(member)
    library = kind.__module__.partition(".")[0]
    if kind.__name__ == "WebSocketState" or (library in _STATE_LIBRARIES and kind.__name__.endswith("State")):
        return get_enum_key(member)
    value = member.value
    return value if value is None or isinstance(value, (str, int, float, bool)) else _convert(value, repr(member), ())


def plain_form(value: Any) -> tuple[bool, Any]:
    """Return ``(True, its own plain form)`` for objects that describe themselves, else ``(False, None)``."""
    modes: tuple[dict[str, str], ...]
    for method, modes in (("model_dump", ({"mode": "json"}, {})), ("to_dict", ({},)), ("dict", ({},))):
        describe = getattr(value, method, None)
        if not callable(describe):
            continue
        for arguments in modes:
            try:
                plain = describe(**arguments)
            except Exception as error:
                logger.warning("%s.%s(%s) failed: %s", type(value).__name__, method, arguments, error)
            else:
                return True, plain if isinstance(plain, _PLAIN) else str(plain)
    if dataclasses.is_dataclass(value):
        return True, {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    return False, None
