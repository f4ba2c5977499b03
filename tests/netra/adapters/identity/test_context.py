"""Contexts as legacy code makes, checks, mocks and patches them."""

from __future__ import annotations

import asyncio
import copy
import pickle
import warnings
from typing import Any, Callable
from unittest import mock

import pytest

import compat
from compat.errors import LegacyUseWarning
from compat.netra.components.context import UserExecutionContext as Canonical

SERVICES = "netra_backend.app.services.user_execution_context"
SUPERVISOR = "netra_backend.app.agents.supervisor.user_execution_context"
Read = Callable[[str], Any]


@pytest.fixture
def UserExecutionContext(old: Read) -> Any:
    return old(f"{SERVICES}:UserExecutionContext")


@pytest.mark.parametrize(
    "module",
    [
        SERVICES,
        SUPERVISOR,
        "netra_backend.app.models.user_execution_context",
        "netra_backend.app.core.user_execution_context",
        "netra_backend.app.agents.user_execution_context",
        "netra_backend.app.execution.user_execution_context",
    ],
)
def test_every_path_hands_out_the_one_class(old: Read, module: str) -> None:
    assert old(f"{module}:UserExecutionContext") is Canonical
    assert old(f"{module}:InvalidContextError") is old(f"{SERVICES}:InvalidContextError")


def test_former_arguments_are_taken(UserExecutionContext: Any) -> None:
    context = UserExecutionContext(
        user_id="user_1", thread_id="thread_1", run_id="run_1", metadata={"a": 1}, websocket_connection_id="ws_1"
    )
    assert context.agent_context == {"a": 1}
    assert context.metadata["a"] == 1
    assert context.websocket_client_id == context.websocket_connection_id == "ws_1"
    assert UserExecutionContext.from_request("user_1", "thread_1", "run_1", metadata={"a": 1}).metadata["a"] == 1


def test_former_arguments_are_warned_of_and_counted_at_the_callers_line(UserExecutionContext: Any) -> None:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        UserExecutionContext("user_1", "thread_1", "run_1", metadata={})
    said = [one for one in caught if issubclass(one.category, LegacyUseWarning)]
    assert len(said) == 1
    assert "Pass 'agent_context' instead." in str(said[0].message)
    assert said[0].filename == __file__
    moves = [use.move for use in compat.usage() if use.file == __file__ and use.line == said[0].lineno]
    assert moves == ["compat.netra.components.context.user:UserExecutionContext.__init__(metadata)"]


def test_an_argument_in_both_forms_is_a_type_error(UserExecutionContext: Any) -> None:
    with pytest.raises(TypeError, match="got multiple values for argument 'agent_context'"):
        UserExecutionContext("user_1", "thread_1", "run_1", metadata={}, agent_context={})


def test_sessions_and_workspaces_are_kept(UserExecutionContext: Any) -> None:
    context = UserExecutionContext(user_id="user_1", thread_id="thread_1", session_id="s", workspace_id="w")
    assert context.agent_context == {"session_id": "s", "workspace_id": "w"}
    assert context.run_id.startswith("run_thread_1_")


def test_contexts_by_a_name_that_never_was(UserExecutionContext: Any) -> None:
    assert UserExecutionContext.create_for_request("user_1", "thread_1", "run_1").user_id == "user_1"


def test_errors_are_caught_by_their_legacy_names(old: Read, UserExecutionContext: Any) -> None:
    with pytest.raises(old(f"{SUPERVISOR}:InvalidContextError")):
        UserExecutionContext("", "thread_1", "run_1")
    with pytest.raises(old(f"{SERVICES}:ContextIsolationError")):
        other = UserExecutionContext("user_2", "thread_1", "run_1")
        UserExecutionContext("user_1", "thread_1", "run_1", agent_context={"other": other})
    with pytest.raises(TypeError):
        old(f"{SERVICES}:validate_user_context")("no context")


def test_shared_objects_under_both_names(old: Read, UserExecutionContext: Any) -> None:
    context = UserExecutionContext("user_1", "thread_1", "run_1")
    old(f"{SERVICES}:register_shared_object")(context.agent_context)
    assert id(context.agent_context) in old(f"{SERVICES}:_SHARED_OBJECT_REGISTRY")
    with pytest.raises(old(f"{SERVICES}:ContextIsolationError")):
        context.verify_isolation()
    old(f"{SUPERVISOR}:clear_shared_objects")()
    assert context.verify_isolation()


def test_managed_and_isolated_contexts(old: Read) -> None:
    async def run() -> str:
        context = await old(f"{SERVICES}:create_isolated_execution_context")("user_1", "req_1")
        async with old(f"{SERVICES}:managed_user_context")(context) as held:
            return str(held.user_id)

    assert asyncio.run(run()) == "user_1"


def test_mocks_of_the_class_pass_for_it(UserExecutionContext: Any) -> None:
    double = mock.Mock(spec=UserExecutionContext)
    double.user_id = "user_1"
    double.get_correlation_id.return_value = "x"
    assert isinstance(double, UserExecutionContext)
    with pytest.raises(AttributeError):
        double.no_such_method()


def test_patches_reach_the_canonical_side(old: Read, UserExecutionContext: Any) -> None:
    with mock.patch(f"{SERVICES}.logger") as logger:
        UserExecutionContext("user_1", "thread_1", "run_thread_2_12345_abcdef12")
    logger.warning.assert_called_once()
    with mock.patch(f"{SERVICES}.UserExecutionContext") as double:
        old(f"{SERVICES}:UserContextFactory").create_context("user_1", "thread_1", "run_1")
    double.from_request.assert_called_once()
    with mock.patch(f"{SERVICES}.IsolatedEnvironment") as environment:
        environment.return_value.is_test.return_value = False
        with pytest.raises(old(f"{SERVICES}:InvalidContextError"), match="placeholder pattern: 'test_user'"):
            UserExecutionContext("test_user", "thread_1", "run_1")
    assert UserExecutionContext("test_user", "thread_1", "run_1").user_id == "test_user"


@pytest.mark.parametrize("name", ["get_user_session_context", "get_user_execution_context"])
def test_contexts_of_sessions_that_no_release_made_there(old: Read, UserExecutionContext: Any, name: str) -> None:
    made = old(f"{SERVICES}:{name}")("user_1", "thread_1")
    assert isinstance(made, UserExecutionContext) and (made.user_id, made.thread_id) == ("user_1", "thread_1")
    with mock.patch(f"{SERVICES}.{name}") as double, mock.patch(f"{SERVICES}.DEEP_AGENT_STATE_SECURITY_CHECK", False):
        assert old(f"{SERVICES}:{name}") is double


def test_copies_and_pickles_carry_the_canonical_path(UserExecutionContext: Any) -> None:
    context = UserExecutionContext("user_1", "thread_1", "run_1")
    data = pickle.dumps(context)
    assert b"compat.netra.components.context" in data
    assert pickle.loads(data) == copy.deepcopy(context) == context


def test_pickles_of_the_former_path_load(UserExecutionContext: Any) -> None:
    context = UserExecutionContext("user_1", "thread_1", "run_1")
    data = pickle.dumps(context, protocol=0).replace(b"compat.netra.components.context.user", SERVICES.encode())
    assert pickle.loads(data) == context
