"""Loggers whose lines stay lines: what a peer chose (user, thread, connection, error text) cannot begin a new one."""

from __future__ import annotations

import logging
import re
from typing import Any

# Line breaks of every kind, what terminals obey, and halves of characters, which no file takes.
_UNPRINTABLE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def escaped(text: str) -> str:
    """Return ``text`` with control characters as escapes, as in ``a\\nb``."""
    return _UNPRINTABLE.sub(lambda found: found.group().encode("unicode_escape").decode("ascii"), text)


def get_logger(name: str) -> logging.Logger:
    """Return the logger of this name; the arguments of its records are escaped when they become text."""
    logger = logging.getLogger(name)
    if _escaping not in logger.filters:
        logger.addFilter(_escaping)
    return logger


class _Escaping(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        arguments = record.args
        if isinstance(arguments, tuple) and arguments:
            record.args = tuple(map(_as_one_line, arguments))
        elif isinstance(arguments, dict):
            record.args = {name: _as_one_line(value) for name, value in arguments.items()}
        return True


class _OneLine:
    """An argument that is not text yet, and is escaped once it is."""

    __slots__ = ("_value",)

    def __init__(self, value: Any) -> None:
        self._value = value

    def __str__(self) -> str:
        return escaped(str(self._value))

    def __repr__(self) -> str:
        return escaped(repr(self._value))


def _as_one_line(value: Any) -> Any:
    if isinstance(value, str):
        return escaped(value)
    return value if value is None or isinstance(value, (int, float)) else _OneLine(value)


_escaping = _Escaping()
