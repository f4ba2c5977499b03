"""One record is one line, whatever peers call themselves and whatever errors quote of them."""

from __future__ import annotations

import asyncio
import io
import logging
import pickle
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from compat.canonical.core.logged import escaped, get_logger
from compat.canonical.factory import WebSocketManagerFactory

FORGED = "user_1\nCRITICAL root: all is lost"


@pytest.fixture
def log() -> Iterator[Any]:
    """The lines that a log file would have."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(logging.Formatter("%(levelname)s %(name)s: %(message)s"))
    root = logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield lambda: stream.getvalue().split("\n")[:-1]
    root.removeHandler(handler)
    root.setLevel(level)


def test_a_user_whose_id_has_a_newline_forges_no_line_when_a_connection_is_evicted(log: Any, new_socket: Any) -> None:
    async def run() -> None:
        manager = WebSocketManagerFactory().get(SimpleNamespace(user_id=FORGED, thread_id=None))
        connection = await manager.connect(new_socket(), connection_id="conn\r\n_1")
        connection.evict(1013, "peer has not read")

    asyncio.run(run())
    evicted = [line for line in log() if "evicted" in line]
    assert evicted == [
        "WARNING compat.canonical.core.connection: connection conn\\r\\n_1 of user "
        "user_1\\nCRITICAL root: all is lost evicted: peer has not read"
    ]
    assert not [line for line in log() if line.startswith("CRITICAL")]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("a\nb", "a\\nb"),
        ("a\r\x0b\x0c\x1c\x85b", "a\\r\\x0b\\x0c\\x1c\\x85b"),
        ("a\u2028\u2029b", "a\\u2028\\u2029b"),
        ("\x1b[31mred", "\\x1b[31mred"),
        ("a\x00\x7f", "a\\x00\\x7f"),
        ("\ud800", "\\ud800"),
        ("left\u202eright", "left\\u202eright"),
        ("J\u00fcrgen \u738b \U0001f600\t", "J\u00fcrgen \u738b \U0001f600\\t"),
    ],
)
def test_what_is_escaped_and_what_is_not(text: str, line: str, log: Any) -> None:
    logger = get_logger("compat.test.logged")
    assert get_logger("compat.test.logged") is logger and len(logger.filters) == 1
    logger.info("%s", text)
    logger.info("%(name)s", {"name": text})
    logger.info("%s", ValueError(text))
    logger.info("%d of %.1f, %s, %r", 3, 0.5, None, "x")
    assert escaped(text) == line
    assert [one.partition(": ")[2] for one in log()] == [line] * 3 + ["3 of 0.5, None, 'x'"]


def test_records_with_escaped_arguments_can_be_sent_to_other_processes(caplog: pytest.LogCaptureFixture) -> None:
    get_logger("compat.test.logged").warning("%s", ValueError("a\nb"))
    record = caplog.records[-1]
    record.msg, record.args = record.getMessage(), None  # as QueueHandler.prepare() does
    assert pickle.loads(pickle.dumps(record)).getMessage() == "a\\nb"
