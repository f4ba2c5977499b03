"""A test class of these bases has an environment, metrics and assertions of its own, and leaves nothing behind."""

from __future__ import annotations

import asyncio
import logging
import os
import unittest
import warnings

import pytest

from compat.netra.components.environment import get_env
from compat.netra.testing.base_test_case import (
    BaseTestCase,
    SSotAsyncTestCase,
    SSotBaseTestCase,
    SsotTestContext,
    SsotTestMetrics,
)


@pytest.fixture
def case():
    case = SSotBaseTestCase()
    case.setup_method(test_the_environment_of_a_test_ends_with_it)
    yield case
    case.teardown_method()


def test_the_environment_of_a_test_ends_with_it() -> None:
    case = SSotBaseTestCase()
    before = (get_env().is_isolated(), get_env().get("COMPAT_CASE"), dict(os.environ))
    case.setup_method(test_the_environment_of_a_test_ends_with_it)
    assert get_env().is_isolated()
    case.set_env_var("COMPAT_CASE", "inside")
    assert case.get_env().get("COMPAT_CASE") == case.get_env_var("COMPAT_CASE") == "inside"
    assert "COMPAT_CASE" not in os.environ
    assert case.get_env_var("TESTING") == "true"
    case.teardown_method()
    assert (get_env().is_isolated(), get_env().get("COMPAT_CASE"), dict(os.environ)) == before


def test_who_the_test_is(case: SSotBaseTestCase) -> None:
    context = case.get_test_context()
    assert isinstance(context, SsotTestContext)
    assert context.test_name == "test_the_environment_of_a_test_ends_with_it"
    assert context.test_id == "SSotBaseTestCase::test_the_environment_of_a_test_ends_with_it"
    assert context.environment == case.get_env().get_environment_name()
    assert context.trace_id == case.get_env_var("TRACE_ID")


def test_metrics_and_counters(case: SSotBaseTestCase) -> None:
    case.record_metric("value", 42)
    case.increment_llm_requests()
    case.increment_redis_ops_count(3)
    with case.track_db_queries(), case.track_websocket_events():
        case.increment_db_query_count(2)
        case.increment_websocket_events(4)
    metrics = case.get_all_metrics()
    assert (metrics["value"], metrics["db_queries_in_context"], metrics["websocket_events_in_context"]) == (42, 2, 4)
    assert (case.get_db_query_count(), case.get_redis_ops_count()) == (2, 3)
    assert (case.get_websocket_events_count(), case.get_llm_requests_count()) == (4, 1)
    case.assert_metrics_recorded("value", "db_queries_in_context")
    with pytest.raises(AssertionError, match=r"^Metrics not recorded: database_queries, missing"):
        case.assert_metrics_recorded("value", "database_queries", "missing")
    assert "memory_usage" not in metrics
    assert case.get_metric("missing", "none") == "none"
    assert isinstance(case.get_metrics(), SsotTestMetrics)


def test_temporary_variables(case: SSotBaseTestCase) -> None:
    case.set_env_var("COMPAT_A", "1")
    with case.temp_env_vars(COMPAT_A="2", COMPAT_B="3"):
        case.assert_env_var_set("COMPAT_A", "2")
        case.assert_env_var_set("COMPAT_B")
        case.delete_env_var("COMPAT_B")
    case.assert_env_var_set("COMPAT_A", "1")
    case.assert_env_var_not_set("COMPAT_B")
    wrong = pytest.raises(AssertionError, match=r"^Environment variable 'COMPAT_A' is '4', expected '5'")
    with case.mock_environment_variables({"COMPAT_A": "4"}), wrong:
        case.assert_env_var_set("COMPAT_A", "5")
    case.delete_env_var("COMPAT_A")
    with pytest.raises(AssertionError, match=r"^Environment variable 'COMPAT_A' is not set"):
        case.assert_env_var_set("COMPAT_A")

    async def inside() -> None:
        async with case.async_temp_env_vars(COMPAT_A="6"):
            case.assert_env_var_set("COMPAT_A", "6")

    asyncio.run(inside())
    case.assert_env_var_not_set("COMPAT_A")


def test_clean_up_runs_last_in_first_out_whatever_fails(caplog) -> None:
    case, order = SSotBaseTestCase(), []

    def fail() -> None:
        raise RuntimeError("broken")

    case.setup_method()
    for step in (lambda: order.append("first"), fail, lambda: order.append("last")):
        case.add_cleanup(step)
    case.teardown_method()
    case.teardown_method()
    assert order == ["last", "first"]
    assert [(r.levelname, r.getMessage()) for r in caplog.records] == [("WARNING", "Cleanup callback failed: broken")]


def test_assertions_fail_as_unittest_says(case: SSotBaseTestCase) -> None:
    case.assertEqual([1], [1])
    case.assertIn(1, [1])
    case.assertAlmostEqual(1.0, 1.00000001)
    case.assertAlmostEqual(10, 12, delta=2)
    with pytest.raises(AssertionError):
        case.assertAlmostEqual(1.0, 1.00000014)  # unittest would round the difference to nothing
    with pytest.raises(AssertionError, match=r"1 != 2 : numbers"):
        case.assertEqual(1, 2, "numbers")
    with pytest.raises(AssertionError, match=r"2 not less than or equal to 1"):
        case.assertLessEqual(2, 1)
    with case.assertRaises(ValueError):
        int("x")
    with case.expect_exception(ValueError, "invalid literal"):
        int("x")


def test_a_plain_class_has_every_assertion_of_unittest(case: SSotBaseTestCase) -> None:
    case.assertDictEqual({"a": 1}, {"a": 1})
    with case.assertRaises(AssertionError):
        case.assertSetEqual({1}, {2})
    with case.assertWarns(UserWarning):
        warnings.warn("x", UserWarning, stacklevel=1)
    with pytest.raises(unittest.SkipTest), case.subTest(number=1):
        case.skipTest("because")
    assert not hasattr(case, "doCleanups")


def test_logged_errors_are_found(case: SSotBaseTestCase) -> None:
    case.assert_no_exceptions_logged()
    logging.getLogger("compat.case.part").error("broken")
    case.assert_no_exceptions_logged("compat.other")
    with pytest.raises(AssertionError, match=r"^Errors were logged: compat.case.part: broken"):
        case.assert_no_exceptions_logged("compat.case")


def test_execution_time(case: SSotBaseTestCase) -> None:
    case.assert_execution_time_under(60)
    with pytest.raises(AssertionError, match=r"more than 0 s"):
        case.assert_execution_time_under(0)


def test_a_class_that_forgets_its_base_still_works() -> None:
    class Forgetful(SSotBaseTestCase):
        def setup_method(self, method=None) -> None:
            pass

    case = Forgetful()
    case.setup_method()
    case.record_metric("value", 1)
    assert case.get_metric("value") == 1 and case.get_env() is get_env() and case.get_test_context() is None
    assert case.logger.name == "Forgetful"


def test_it_serves_as_a_unittest_class() -> None:
    class Case(BaseTestCase, unittest.TestCase):
        def test_it(self) -> None:
            self.assertIn(self.get_test_context().test_name, ("test_it", "test_it_serves_as_a_unittest_class"))

    result = unittest.TestResult()
    unittest.defaultTestLoader.loadTestsFromTestCase(Case).run(result)
    assert (result.testsRun, result.errors, result.failures) == (1, [], [])


@pytest.mark.parametrize("base", [SSotBaseTestCase, SSotAsyncTestCase])
def test_an_override_without_a_default_is_given_the_test(base) -> None:
    class Case(base, unittest.TestCase):
        def setup_method(self, method) -> None:
            super().setup_method(method)
            self.asked = method.__name__

        def teardown_method(self, method) -> None:
            super().teardown_method(method)

        def test_it(self) -> None:
            pass

    def ask() -> str:
        case = Case("test_it")
        case.setUp()
        case.tearDown()
        return case.asked

    assert ask() == "test_an_override_without_a_default_is_given_the_test"


def test_an_async_override_is_called_and_thrown_away() -> None:
    class Case(SSotBaseTestCase):
        async def setup_method(self, method=None) -> None:
            raise AssertionError("never awaited")

        teardown_method = setup_method

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        case = Case()
        case.setUp()
        case.tearDown()


def test_both_protocols_may_prepare_the_same_test() -> None:
    case, ran = SSotBaseTestCase(), []
    before = get_env().get("COMPAT_CASE")
    case.setup_method(test_both_protocols_may_prepare_the_same_test)
    case.set_env_var("COMPAT_CASE", "inside")
    case.setUp()
    case.add_cleanup(lambda: ran.append(1))
    assert case.get_test_context().test_name == "test_both_protocols_may_prepare_the_same_test"
    case.tearDown()
    case.teardown_method()
    assert (ran, get_env().get("COMPAT_CASE")) == ([1], before)


def test_what_a_test_case_holds_before_in_and_after_a_test() -> None:
    case = SSotBaseTestCase()

    def state() -> tuple:
        return case._test_started, case._test_completed, case._test_context is None, case._original_env_state is None

    assert state() == (False, False, True, True)
    case.setup_method()
    assert state() == (True, False, False, False)
    assert (case.get_test_context().test_name, case._original_env_state.get("TEST_ID")) == ("unknown_test", None)
    assert case.get_env().get_variable_source("TEST_ID") == "ssot_base_test_case"
    case.teardown_method()
    assert state() == (True, True, True, True)
    assert {"TESTING", "TEST_ID", "TRACE_ID"}.isdisjoint(case.get_env().get_all())


def test_waiting_for_a_condition() -> None:
    case = SSotAsyncTestCase()
    answers = iter([False, True])

    async def holds() -> bool:
        return next(answers)

    async def scenario() -> None:
        await case.wait_for_condition(holds, interval=0.001)
        assert await case.run_with_timeout(asyncio.sleep(0, "done")) == "done"
        with pytest.raises(TimeoutError, match=r"^Never$"):
            await case.wait_for_condition(lambda: False, timeout=0.01, interval=0.001, error_message="Never")
        with pytest.raises(TimeoutError, match=r"^Coroutine timed out after 0.001 seconds$"):
            await case.run_with_timeout(asyncio.sleep(10), 0.001)
        await case.async_setup_method()
        assert case.get_test_context() is not None
        await case.async_teardown_method()

    asyncio.run(scenario())


def test_a_user_with_a_token() -> None:
    jwt = pytest.importorskip("jwt", reason="PyJWT is not installed")
    user = asyncio.run(SSotBaseTestCase().create_authenticated_test_user(user_id="user_1", permissions=["read"]))
    claims = jwt.decode(user.jwt_token, options={"verify_signature": False})
    assert (claims["sub"], claims["email"], claims["permissions"]) == ("user_1", "user_1@example.com", ["read"])
    assert (user["user_id"], user.get("missing"), user.token) == ("user_1", None, user.jwt_token)
