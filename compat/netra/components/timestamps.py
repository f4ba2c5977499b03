"""Timestamps of any accepted form to Unix seconds: numbers, numeric strings, ISO 8601, datetimes."""

from __future__ import annotations

import logging
import math
import re
import time
from datetime import datetime, timezone
from functools import lru_cache
from typing import Optional, Union

logger = logging.getLogger(__name__)

Timestamp = Union[str, int, float, datetime, None]

# Python 3.9 and 3.10 read neither "Z" nor fractions of other than 3 or 6 digits.
_ISO = re.compile(r"(?P<head>.+?[T ]\d\d:\d\d(?::\d\d)?)(?:[.,](?P<fraction>\d+))?(?P<zone>Z|z|[+-]\d\d:?\d\d)?")


class TimestampTypeError(TypeError, ValueError):
    """Something that is no timestamp at all was given."""


def convert_to_unix_timestamp(timestamp_input: Timestamp) -> float:
    """Return Unix seconds of a number, a numeric or ISO 8601 string, or a datetime; None is now.

    A datetime or ISO string without a zone is taken as UTC. ValueError for a string that is neither, and for
    infinities; TypeError (also a ValueError) for any other type.
    """
    if timestamp_input is None:
        return time.time()
    if isinstance(timestamp_input, datetime):
        return _seconds(timestamp_input)
    if isinstance(timestamp_input, (int, float)):
        return _finite(float(timestamp_input), timestamp_input)
    if isinstance(timestamp_input, str):
        return _parse_string_timestamp(timestamp_input)
    raise TimestampTypeError(
        f"Unsupported timestamp type: {type(timestamp_input)}. Give a number, an ISO 8601 string or a datetime."
    )


def safe_convert_timestamp(timestamp_input: Timestamp, fallback_to_current: bool = True) -> Optional[float]:
    """As :func:`convert_to_unix_timestamp`, but what cannot be converted is now, or None."""
    try:
        return convert_to_unix_timestamp(timestamp_input)
    except (ValueError, TypeError, OverflowError) as error:
        logger.warning(f"Timestamp conversion failed for {timestamp_input!r}: {error}")
        return time.time() if fallback_to_current else None


def validate_timestamp_format(timestamp_input: Timestamp) -> bool:
    """Whether :func:`convert_to_unix_timestamp` accepts it."""
    try:
        convert_to_unix_timestamp(timestamp_input)
    except (ValueError, TypeError, OverflowError):
        return False
    return True


def cached_convert_timestamp(timestamp_input: Timestamp) -> float:
    """As :func:`convert_to_unix_timestamp`, remembering the last strings converted."""
    if isinstance(timestamp_input, str):
        return _cached(timestamp_input)
    return convert_to_unix_timestamp(timestamp_input)


def _parse_string_timestamp(timestamp_str: str) -> float:
    text = timestamp_str.strip()
    if not text:
        raise ValueError("Empty timestamp string")
    try:
        number = float(text)
    except ValueError:
        return _parse_iso_datetime(text)
    return _finite(number, timestamp_str)


def _parse_iso_datetime(iso_string: str) -> float:
    match = _ISO.fullmatch(iso_string)
    text = iso_string
    if match:
        fraction = f".{match['fraction'][:6]:0<6}" if match["fraction"] else ""
        zone = match["zone"] or ""
        zone = "+00:00" if zone in ("Z", "z") else zone if ":" in zone or not zone else f"{zone[:3]}:{zone[3:]}"
        text = match["head"] + fraction + zone
    try:
        return _seconds(datetime.fromisoformat(text))
    except ValueError as error:
        raise ValueError(f"Invalid timestamp format: {iso_string}") from error


def _seconds(moment: datetime) -> float:
    return (moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)).timestamp()


def _finite(number: float, given: object) -> float:
    if not math.isfinite(number):
        raise ValueError(f"Invalid timestamp: {given!r} is not a finite number")
    return number


_cached = lru_cache(maxsize=1000)(_parse_string_timestamp)
cached_convert_timestamp.cache_info = _cached.cache_info  # type: ignore[attr-defined]
cached_convert_timestamp.cache_clear = _cached.cache_clear  # type: ignore[attr-defined]
