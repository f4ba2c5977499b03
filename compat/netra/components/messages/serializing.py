"""The form in which legacy managers send a message: as the core's, but for socket states of any library, and for keys."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, time
from enum import Enum
from typing import Any

from compat.canonical.core import serialization

_LIBRARIES = ("starlette.websockets", "fastapi.websockets", "websockets")
_STATES = ("CONNECTING", "OPEN", "CLOSING", "CLOSED", "CONNECTED", "DISCONNECTED")
_TEXT = (type(None), str, int, float, bytes, bytearray, date, datetime, time, type)


def _is_socket_state(member: Enum) -> bool:
    kind = type(member)
    if any(library in kind.__module__ for library in _LIBRARIES):
        return True
    name = kind.__name__.lower()
    return "websocket" in name and "state" in name and member.name in _STATES


def get_enum_key_representation(member: Any) -> str:
    """The text under which an enum member is a key: its number, or its name in lower case; a socket state's always its name."""
    if not isinstance(member, Enum):
        return str(member)
    if isinstance(member.value, int) and not _is_socket_state(member):
        return str(member.value)
    return str(member.name).lower()


def serialize_message_safely(message: Any) -> Any:
    """A message as data for JSON. Enums become their value, socket states their lower-case name; other keys stay as they are.

    Raises
    ------
    CyclicMessageError
        If a container holds itself.
    """
    return _convert(message, "message", ())


def _convert(value: Any, where: str, holders: tuple[int, ...]) -> Any:
    if isinstance(value, Enum):
        return member_value(value)
    if isinstance(value, _TEXT):
        return serialization.serialize_message(value)
    if id(value) in holders:
        raise serialization.CyclicMessageError(where)
    inside = (*holders, id(value))
    if isinstance(value, Mapping):
        return {
            get_enum_key_representation(key) if isinstance(key, Enum) else key: _convert(item, f"{where}[{key!r}]", inside)
            for key, item in value.items()
        }
    if isinstance(value, (set, frozenset)):
        return [_convert(item, f"{where}[{{}}]", inside) for item in value]
    if isinstance(value, (list, tuple)):
        return [_convert(item, f"{where}[{index}]", inside) for index, item in enumerate(value)]
    described, plain = serialization.plain_form(value)
    if described:
        return _convert(plain, where, inside)
    serialization.logger.warning(f"{type(value).__name__} at {where} has no JSON form: string fallback")
    return str(value)


def member_value(member: Enum) -> Any:
    """What an enum member is sent as."""
    return str(member.name).lower() if _is_socket_state(member) else _convert(member.value, repr(member), ())
