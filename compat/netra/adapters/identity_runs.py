"""Run identifiers as the oldest callers write them: ``thread_<thread id>_run_<milliseconds>_<8hex>``."""

from __future__ import annotations

import time
import uuid
from typing import NamedTuple, Optional

from compat.netra.components.ids import parse

RUN_ID_PREFIX = "thread_"
RUN_ID_SEPARATOR = "_run_"
UNIQUE_ID_LENGTH = 8


class IDPair(NamedTuple):
    """A conversation and one run in it."""

    thread_id: str
    run_id: str


def generate_run_id(thread_id: str, context: str = "") -> str:
    """Return ``thread_<thread id>_run_<milliseconds>_<8hex>``; ValueError without a thread id."""
    if not thread_id or RUN_ID_SEPARATOR in thread_id:
        raise ValueError(f"thread_id must be a non-empty string without {RUN_ID_SEPARATOR!r}, got: {thread_id!r}")
    return f"{RUN_ID_PREFIX}{thread_id}{RUN_ID_SEPARATOR}{int(time.time() * 1000)}_{uuid.uuid4().hex[:UNIQUE_ID_LENGTH]}"


def extract_thread_id_from_run_id(run_id: str) -> Optional[str]:
    """Return the thread a run id of any format was made for; None if it does not say."""
    parsed = parse(run_id)
    return (parsed.thread or None) if parsed else None


def validate_run_id_format(run_id: str, expected_thread_id: Optional[str] = None) -> bool:
    """True if a run id says which thread it was made for, and that is the expected one."""
    thread_id = extract_thread_id_from_run_id(run_id)
    return thread_id is not None and expected_thread_id in (None, thread_id)


def is_legacy_run_id(run_id: str) -> bool:
    """True for run ids of another form than :func:`generate_run_id` makes."""
    return bool(run_id) and not (run_id.startswith(RUN_ID_PREFIX) and RUN_ID_SEPARATOR in run_id)


def migrate_legacy_run_id_to_standard(legacy_run_id: str, thread_id: str) -> str:
    """Return a run id of the form that :func:`generate_run_id` makes; one that is of that form comes back as it is."""
    return generate_run_id(thread_id) if is_legacy_run_id(legacy_run_id) else legacy_run_id
