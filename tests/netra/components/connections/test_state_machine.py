"""A connection changes its state only as its life goes."""

from __future__ import annotations

import pytest

from compat.netra.components.connections import state_machine
from compat.netra.components.connections.state_machine import ApplicationConnectionState as State
from compat.netra.components.connections.state_machine import (
    ConnectionStateMachine,
    ConnectionStateMachineRegistry,
    ConnectionStateTransition,
    ConnectionStateValidator,
    StateTransitionError,
    StateTransitionInfo,
)

SETUP = (State.ACCEPTED, State.AUTHENTICATED, State.SERVICES_READY, State.PROCESSING_READY)


@pytest.fixture
def machine() -> ConnectionStateMachine:
    return ConnectionStateMachine("conn_1", "user_1")


def test_the_way_through_set_up(machine: ConnectionStateMachine) -> None:
    seen: list[StateTransitionInfo] = []
    machine.add_state_change_callback(seen.append)
    for state in SETUP:
        assert not machine.can_process_messages()
        assert machine.transition_to(state, reason=f"to {state.value}", metadata={"step": state.value})
    assert machine.can_process_messages() and machine.is_operational and machine.is_ready_for_messages
    assert [info.to_state for info in seen] == list(SETUP)
    assert [info.from_state for info in machine.get_state_history()] == [State.CONNECTING, *SETUP[:-1]]
    assert (seen[0].reason, seen[0].metadata) == ("to accepted", {"step": "accepted"})
    metrics = machine.get_metrics()
    assert (metrics["current_state"], metrics["total_transitions"], metrics["transition_failures"]) == (
        "processing_ready",
        4,
        0,
    )
    before = machine.setup_duration
    assert machine.setup_duration == before >= 0


ALLOWED = """
connecting: accepted
accepted: authenticated
authenticated: services_ready degraded
services_ready: processing_ready degraded
processing_ready: processing idle degraded closing
processing: idle processing_ready degraded closing
idle: processing processing_ready degraded closing
degraded: processing_ready processing idle reconnecting closing
reconnecting: services_ready processing_ready degraded
closing: -
closed: -
failed: connecting"""


@pytest.mark.parametrize("line", ALLOWED.strip().split("\n"))
def test_what_may_follow_a_state(line: str) -> None:
    before, _, after = line.partition(": ")
    ends = {"closing": {"closed"}, "closed": set(), "failed": set()}.get(before, {"failed", "closed"})
    allowed = {state.value for state in State if ConnectionStateValidator.is_valid_transition(State(before), state)}
    assert allowed == (set(after.split()) - {"-"}) | ends


def test_a_step_left_out_and_no_step_are_refused(machine: ConnectionStateMachine, caplog) -> None:
    assert not machine.transition_to(State.PROCESSING_READY)
    assert not machine.transition_to(State.CONNECTING)
    assert machine.get_current_state() is State.CONNECTING and machine.get_state_history() == []
    metrics = machine.get_metrics()
    assert (metrics["transition_failures"], metrics["failed_transitions"]) == (2, 2)
    assert caplog.messages[0] == "Invalid state transition for conn_1: connecting -> processing_ready"
    assert machine.transition_to(State.ACCEPTED)
    metrics = machine.get_metrics()
    assert (metrics["transition_failures"], metrics["failed_transitions"]) == (0, 2)


def test_after_a_row_of_refusals_an_allowed_step_leads_to_failed(machine: ConnectionStateMachine) -> None:
    for _ in range(5):
        assert not machine.transition_to(State.IDLE)
    assert machine.current_state is State.CONNECTING
    assert not machine.transition_to(State.ACCEPTED)
    assert machine.current_state is State.FAILED
    last = machine.get_state_history()[-1]
    assert (last.from_state, last.reason) == (State.FAILED, "EMERGENCY: Too many invalid state transitions")


def test_what_is_measured(machine: ConnectionStateMachine) -> None:
    assert machine.setup_duration > 0 and machine.get_metrics()["setup_duration_seconds"] == 0.0
    machine.transition_to(State.ACCEPTED)
    assert machine.setup_duration == 0.0
    machine.transition_to(State.AUTHENTICATED)
    machine.transition_to(State.DEGRADED)
    metrics = machine.get_metrics()
    assert list(metrics) == [
        "total_transitions", "failed_transitions", "setup_duration_seconds", "last_activity", "current_state",
        "setup_phases_completed", "transition_failures", "is_operational", "is_ready_for_messages", "setup_duration",
    ]  # fmt: skip
    assert metrics["setup_phases_completed"] == ["accepted", "authenticated"]
    assert metrics["setup_duration"] == metrics["setup_duration_seconds"] > 0 and isinstance(metrics["last_activity"], float)


def test_messages_are_taken_after_enough_set_up_and_few_refusals(machine: ConnectionStateMachine) -> None:
    machine._current_state = State.DEGRADED
    assert machine.is_ready_for_messages and not machine.can_process_messages()
    machine._setup_phases += ["accepted", "authenticated"]
    assert machine.can_process_messages()
    for _ in range(4):
        machine.transition_to(State.CONNECTING)
    assert not machine.can_process_messages()


def test_a_failing_callback_harms_nobody(machine: ConnectionStateMachine, caplog) -> None:
    def fail(info: StateTransitionInfo) -> None:
        raise RuntimeError("broken")

    machine.add_state_change_callback(fail)
    assert machine.transition_to(State.ACCEPTED)
    assert caplog.messages == ["State change callback failed for conn_1: broken"]
    machine.remove_state_change_callback(fail)
    machine.force_failed_state("lost")
    assert (machine.current_state, machine.get_state_history()[-1].reason) == (State.FAILED, "EMERGENCY: lost")
    assert machine.get_state_history()[-1].metadata == {"emergency_transition": True}
    assert machine.get_metrics()["transition_failures"] == 5


def test_a_transition_must_fit_the_machine(machine: ConnectionStateMachine) -> None:
    def wanted(connection_id: str, before: State) -> ConnectionStateTransition:
        return ConnectionStateTransition(connection_id, before, State.ACCEPTED, "user_1")

    assert not machine.execute_transition(wanted("conn_2", State.CONNECTING))
    assert not machine.execute_transition(wanted("conn_1", State.IDLE))
    assert machine.execute_transition(wanted("conn_1", State.CONNECTING))
    assert ConnectionStateValidator.validate_transition(wanted("conn_1", State.CONNECTING))
    with pytest.raises(StateTransitionError, match=r"^Invalid transition: idle -> accepted$"):
        ConnectionStateValidator.validate_transition(wanted("conn_1", State.IDLE))
    assert machine._is_valid_transition(State.CONNECTING, State.ACCEPTED)
    assert machine._validate_transition(State.CONNECTING, State.ACCEPTED)
    with pytest.raises(StateTransitionError, match=r"^Invalid transition: closed -> accepted$"):
        machine._validate_transition(State.CLOSED, State.ACCEPTED)


@pytest.mark.parametrize(
    ("values", "text"),
    [
        (("", State.IDLE, State.CLOSED, "user_1"), "connection_id is required"),
        (("c", "idle", State.CLOSED, "user_1"), "from_state must be ApplicationConnectionState"),
        (("c", State.IDLE, "closed", "user_1"), "to_state must be ApplicationConnectionState"),
        (("c", State.IDLE, State.CLOSED, ""), "Invalid user_id: "),
    ],
)
def test_a_wanted_change_is_checked_when_made(values: tuple, text: str) -> None:
    with pytest.raises(ValueError, match=f"^{text}$"):
        ConnectionStateTransition(*values)


def test_the_registry_keeps_one_machine_per_connection(caplog) -> None:
    registry = ConnectionStateMachineRegistry()
    machine = registry.register_connection("conn_1", "user_1")
    assert registry.register_connection("conn_1", "user_1") is machine
    (line,) = caplog.records
    assert line.levelname == "CRITICAL" and line.getMessage().startswith("DUPLICATE CONNECTION REGISTRATION DETECTED")
    ready = registry.register_connection("conn_2", "user_2")
    for state in SETUP:
        ready.transition_to(state)
    assert registry.get_all_operational_connections() == {"conn_2": ready}
    assert registry.get_connections_by_state(State.CONNECTING) == {"conn_1": machine}
    assert registry.get_registry_stats() == {
        "total_connections": 2,
        "operational_connections": 1,
        "state_distribution": {"connecting": 1, "processing_ready": 1},
        "registry_size": 2,
    }
    machine.force_failed_state("lost")
    assert registry.cleanup_closed_connections() == 1
    assert registry.unregister_connection("conn_2") and not registry.unregister_connection("conn_2")
    assert ready.current_state is State.PROCESSING_READY


def test_the_registry_of_the_process(monkeypatch) -> None:
    monkeypatch.setattr(state_machine, "_connection_state_registry", None)
    registry = state_machine.get_connection_state_registry()
    assert state_machine.get_connection_state_registry() is registry
    assert state_machine.get_connection_state_machine("conn_1") is None
    assert not state_machine.is_connection_ready_for_messages("conn_1")
    machine = registry.register_connection("conn_1", "user_1")
    for state in SETUP:
        machine.transition_to(state)
    assert state_machine.is_connection_ready_for_messages("conn_1")
