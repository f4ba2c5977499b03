"""Logging: no secrets, the request in hand on every record, times of calls."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Iterator

import pytest

from compat.netra.components import logs


@pytest.fixture(autouse=True)
def fresh() -> Iterator[None]:
    logs.reset_logging()
    yield
    logs.reset_logging()


@pytest.mark.parametrize(
    ("text", "hidden"),
    [
        ("Authorization: Bearer abc.def", "abc.def"),
        ("password=hunter2 user=x", "hunter2"),
        ('{"api_key": "k-123"}', "k-123"),
        ("token eyJhbGciOi.eyJzdWIi.c2ln end", "eyJhbGciOi.eyJzdWIi.c2ln"),
        ("postgresql://user:pw12@host/db", "pw12"),
    ],
)
def test_secrets_are_taken_out_of_texts(text: str, hidden: str) -> None:
    clean = logs.SensitiveDataFilter.filter_message(text)
    assert hidden not in clean
    assert "***REDACTED***" in clean


TOKEN = "eyJhbGciOi.eyJzdWIi.c2ln"


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        (f"jwt {TOKEN} came", "jwt *** came"),
        (f"jwt-{TOKEN}", "jwt-***"),
        (f"a-b.c {TOKEN}", "a-b.c ***"),
        (f"x{TOKEN}", f"x{TOKEN}"),
        ("my-token = abc, next", "my-token = ***, next"),
        ('{"db_password": "a b", "x": 1}', '{"db_password": ***, "x": 1}'),
        ("key: api_key=abc", "key: api_key=***"),
        ("Tokens: 3; name=x", "Tokens: ***; name=x"),
        ("a redis://ann:pw@host b", "a redis://ann:***@host b"),
        ("a_token", "a_token"),
    ],
)
def test_what_is_hidden_and_what_is_not(text: str, clean: str) -> None:
    assert logs.SensitiveDataFilter.filter_message(text) == clean.replace("***", "***REDACTED***")


@pytest.mark.parametrize("piece", ["a", "a-", "eyJ-", "token-", "token ", '"', "a://", "a://b:", "bearer ", "a.", "token:'", "-"])
def test_the_time_that_redaction_takes_grows_with_the_text_and_not_with_its_square(piece: str) -> None:
    def cost(length: int) -> float:
        text, best = piece * (length // len(piece)), float("inf")
        for _ in range(3):
            begin = time.process_time()
            logs.SensitiveDataFilter.filter_message(text)
            best = min(best, time.process_time() - begin)
        return best

    # A square would be 64 times; what takes next to nothing at the greater length cannot be one.
    if cost(16_000) > 0.02:
        assert cost(16_000) < 24 * cost(2_000)


def test_ordinary_text_stays() -> None:
    assert logs.SensitiveDataFilter.filter_message("user_1 connected in 3 ms") == "user_1 connected in 3 ms"


def test_secrets_are_taken_out_of_mappings_at_every_depth() -> None:
    given = {"user": "a", "password": "b", "list": [{"access_token": "c"}], "text": "password=d"}
    assert logs.SensitiveDataFilter.filter_dict(given) == {
        "user": "a",
        "password": "***REDACTED***",
        "list": [{"access_token": "***REDACTED***"}],
        "text": "password=***REDACTED***",
    }
    assert given["password"] == "b"


def test_records_are_redacted_and_carry_the_request(caplog: pytest.LogCaptureFixture) -> None:
    logger = logs.get_logger("compat.test.logs")
    assert logger is logs.get_logger("compat.test.logs")
    with caplog.at_level(logging.INFO), logs.request_context(request_id="req_1", user_id="user_1"):
        logger.info("password=%s", "hunter2")
    record = caplog.records[-1]
    assert record.getMessage() == "password=***REDACTED***"
    assert (record.request_id, record.user_id) == ("req_1", "user_1")
    assert logs.central_logger.get_context() == {}


def test_the_request_in_hand_is_each_tasks_own() -> None:
    context = logs.UnifiedLoggingContext()

    async def work(number: int) -> object:
        context.set_context(request_id=f"req_{number}")
        await asyncio.sleep(0)
        return context.get_context()["request_id"]

    async def run() -> list[object]:
        return await asyncio.gather(*(work(number) for number in range(20)))

    assert asyncio.run(run()) == [f"req_{number}" for number in range(20)]
    assert context.get_context_safe() == dict.fromkeys(("request_id", "user_id", "trace_id", "event_type"))


def test_blocks_nest() -> None:
    context = logs.UnifiedLoggingContext()
    with context.request_context("req_1", user_id="user_1"):
        with context.request_context("req_2"):
            assert context.get_context() == {"request_id": "req_2", "user_id": "user_1"}
        assert context.get_context()["request_id"] == "req_1"


def test_the_central_logger_logs_with_fields_and_exceptions(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        logs.get_central_logger().info("done", token="abc", name="reserved")
        logs.central_logger.debug("detail")
        logs.central_logger.warning("careful")
        try:
            raise ValueError("broken")
        except ValueError as error:
            logs.central_logger.error("failed")
            logs.central_logger.critical("failed", exception=error)
        logs.central_logger.log_api_call("GET", "/x", 500, 0.25)
        logs.central_logger.log_performance("sort", 1.5)
    texts = [record.getMessage() for record in caplog.records]
    assert texts == ["done", "detail", "careful", "failed", "failed", "GET /x 500 in 0.250s", "sort took 1.500s"]
    assert caplog.records[0].token == "***REDACTED***"
    assert caplog.records[0].funcName == "test_the_central_logger_logs_with_fields_and_exceptions"
    assert caplog.records[3].exc_info is not None
    assert caplog.records[5].levelname == "ERROR"


def test_loggers_take_fields_as_keywords_and_name_the_callers_line(caplog: pytest.LogCaptureFixture) -> None:
    logger = logs.get_logger("compat.test.fields")
    assert isinstance(logger, logging.Logger)
    with caplog.at_level(logging.INFO):
        logger.info("sent %s", "it", user_id="user_1", password="x", extra={"more": 1})
        logger.success("done")
        logger.warning("plain", stacklevel=1)

        def helper() -> None:
            logger.warning("from a helper", stacklevel=2)

        helper()
    first = caplog.records[0]
    assert (first.getMessage(), first.user_id, first.password, first.more) == ("sent it", "user_1", "***REDACTED***", 1)
    names = [record.funcName for record in caplog.records]
    assert names[0] == names[2] == names[3] == "test_loggers_take_fields_as_keywords_and_name_the_callers_line"


def test_arguments_that_do_not_fit_stop_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logging, "raiseExceptions", False)
    logger = logging.Logger("unconnected")
    logger.addHandler(logging.StreamHandler())
    logger.addFilter(logs._REDACTING)
    logger.warning("%d", "no number")


def test_there_is_one_central_logger() -> None:
    assert logs.get_ssot_logger() is logs.UnifiedLoggingSSOT() is logs.get_central_logger()
    asyncio.run(logs.get_ssot_logger().shutdown())


def test_times_of_calls_are_logged(caplog: pytest.LogCaptureFixture) -> None:
    @logs.log_execution_time("adding")
    def add(a: int, b: int) -> int:
        return a + b

    @logs.log_performance("waiting")
    async def wait() -> str:
        return "waited"

    with caplog.at_level(logging.INFO):
        assert add(1, 2) == 3
        assert asyncio.run(wait()) == "waited"
    assert [record.operation for record in caplog.records if hasattr(record, "operation")] == ["adding", "waiting"]
