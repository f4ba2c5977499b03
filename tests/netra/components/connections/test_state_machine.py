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


def test_a_step_left_out_is_refused(machine: ConnectionStateMachine) -> None:
    assert not machine.transition_to(State.PROCESSING_READY)
    assert machine.get_current_state() is State.CONNECTING
    assert machine.get_metrics()["transition_failures"] == 1
    assert machine.transition_to(State.CONNECTING)
    assert machine.get_state_history() == []


def test_too_many_refusals_force_failed(machine: ConnectionStateMachine) -> None:
    for _ in range(5):
        assert not machine.transition_to(State.IDLE)
    assert machine.current_state is State.FAILED
    assert machine.get_state_history()[-1].reason == "Too many invalid state transitions"
    assert machine.transition_to(State.CONNECTING), "a failed connection may be tried again"


def test_a_failing_callback_harms_nobody(machine: ConnectionStateMachine, caplog) -> None:
    def fail(info: StateTransitionInfo) -> None:
        raise RuntimeError("broken")

    machine.add_state_change_callback(fail)
    assert machine.transition_to(State.ACCEPTED)
    assert caplog.messages == ["State change callback failed for conn_1: broken"]
    machine.remove_state_change_callback(fail)
    machine.force_failed_state("lost")
    assert (machine.current_state, machine.get_state_history()[-1].reason) == (State.FAILED, "lost")


def test_closed_is_the_end() -> None:
    assert not any(ConnectionStateValidator.is_valid_transition(State.CLOSED, s) for s in State if s != State.CLOSED)


def test_a_transition_must_fit_the_machine(machine: ConnectionStateMachine) -> None:
    def wanted(connection_id: str, before: State) -> ConnectionStateTransition:
        return ConnectionStateTransition(connection_id, before, State.ACCEPTED, "user_1")

    assert not machine.execute_transition(wanted("conn_2", State.CONNECTING))
    assert not machine.execute_transition(wanted("conn_1", State.IDLE))
    assert machine.execute_transition(wanted("conn_1", State.CONNECTING))
    assert ConnectionStateValidator.validate_transition(wanted("conn_1", State.CONNECTING))
    with pytest.raises(ValueError, match=r"connection_id is required"):
        wanted("", State.CONNECTING)


def test_the_registry_keeps_one_machine_per_connection() -> None:
    registry = ConnectionStateMachineRegistry()
    machine = registry.register_connection("conn_1", "user_1")
    assert registry.register_connection("conn_1", "user_1") is machine
    ready = registry.register_connection("conn_2", "user_2")
    for state in SETUP:
        ready.transition_to(state)
    assert registry.get_all_operational_connections() == {"conn_2": ready}
    assert registry.get_connections_by_state(State.CONNECTING) == {"conn_1": machine}
    assert registry.get_registry_stats() == {
        "total_connections": 2,
        "operational_connections": 1,
        "setup_connections": 1,
        "failed_connections": 0,
        "terminal_connections": 0,
        "state_distribution": {"connecting": 1, "processing_ready": 1},
    }
    machine.force_failed_state("lost")
    assert registry.cleanup_closed_connections() == 1
    assert registry.unregister_connection("conn_2") and not registry.unregister_connection("conn_2")
    assert ready.current_state is State.CLOSED


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
