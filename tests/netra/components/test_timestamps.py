"""Every accepted form of a moment becomes the same Unix seconds."""

from __future__ import annotations

import time
from datetime import datetime, timedelta, timezone

import pytest

from compat.netra.components.timestamps import (
    cached_convert_timestamp,
    convert_to_unix_timestamp,
    safe_convert_timestamp,
    validate_timestamp_format,
)

MOMENT = 1757847600.5


@pytest.mark.parametrize(
    "form",
    [
        MOMENT,
        str(MOMENT),
        "2025-09-14T11:00:00.5Z",
        "2025-09-14T11:00:00.500000+00:00",
        "2025-09-14 13:00:00.5000001+0200",
        "2025-09-14T11:00:00.500",
        datetime(2025, 9, 14, 11, 0, 0, 500000),
        datetime(2025, 9, 14, 13, 0, 0, 500000, timezone(timedelta(hours=2))),
    ],
)
def test_forms_of_one_moment(form: object) -> None:
    assert convert_to_unix_timestamp(form) == MOMENT  # type: ignore[arg-type]
    assert cached_convert_timestamp(form) == MOMENT  # type: ignore[arg-type]
    assert validate_timestamp_format(form)  # type: ignore[arg-type]


def test_none_is_now() -> None:
    before = time.time()
    assert before <= convert_to_unix_timestamp(None) <= time.time()


@pytest.mark.parametrize("form", ["", "yesterday", "nan", float("inf"), "2025-13-01T00:00:00"])
def test_what_is_no_moment_is_a_value_error(form: object) -> None:
    with pytest.raises(ValueError, match=r"timestamp"):
        convert_to_unix_timestamp(form)  # type: ignore[arg-type]
    assert not validate_timestamp_format(form)  # type: ignore[arg-type]
    assert safe_convert_timestamp(form, fallback_to_current=False) is None  # type: ignore[arg-type]
    before = time.time()
    assert before <= (safe_convert_timestamp(form) or 0) <= time.time()  # type: ignore[arg-type]


def test_the_cache_can_be_looked_at_and_emptied() -> None:
    cached_convert_timestamp.cache_clear()
    for _ in range(2):
        cached_convert_timestamp("2025-09-14T11:00:00Z")
    assert cached_convert_timestamp.cache_info()[:2] == (1, 1)


def test_another_type_is_a_type_error() -> None:
    with pytest.raises(TypeError, match=r"Unsupported timestamp type: <class 'list'>"):
        convert_to_unix_timestamp([])  # type: ignore[arg-type]
