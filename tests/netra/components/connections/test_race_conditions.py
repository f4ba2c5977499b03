"""A handshake goes through its states in order, and what comes too early is found."""

from __future__ import annotations

import asyncio

import pytest

from compat.netra.components.connections.race_conditions import ApplicationConnectionState as State
from compat.netra.components.connections.race_conditions import (
    HandshakeCoordinator,
    RaceConditionDetector,
    RaceConditionPattern,
)


def test_a_handshake_ends_ready() -> None:
    async def scenario() -> None:
        coordinator = HandshakeCoordinator("testing")
        assert coordinator.get_handshake_duration() is None and not coordinator.is_ready_for_messages()
        assert await asyncio.gather(coordinator.coordinate_handshake(), coordinator.coordinate_handshake()) == [True, True]
        assert coordinator.get_current_state() is State.READY_FOR_MESSAGES
        assert [entry["to_state"] for entry in coordinator.get_state_history()] == [
            "handshake_pending",
            "connected",
            "ready_for_messages",
        ]
        assert coordinator.validate_state_sequence() and (coordinator.get_handshake_duration() or 0) > 0
        summary = coordinator.get_coordination_summary()
        assert (summary["current_state"], summary["is_ready"], summary["environment"]) == (
            "ready_for_messages",
            True,
            "testing",
        )
        coordinator.reset()
        assert (coordinator.state, coordinator.state_transitions) == (State.INITIALIZING, [])

    asyncio.run(scenario())


def test_an_error_ends_a_handshake() -> None:
    async def scenario() -> None:
        coordinator = HandshakeCoordinator("testing")
        running = asyncio.ensure_future(coordinator.coordinate_handshake())
        await asyncio.sleep(0)
        coordinator.force_error_state("cut")
        assert await running is False
        assert coordinator.get_state_history()[-1]["reason"] == "cut" and coordinator.validate_state_sequence()
        assert await coordinator.coordinate_handshake() is False
        coordinator.state_transitions.insert(0, {"from_state": "connected", "to_state": "closed"})
        assert not coordinator.validate_state_sequence()

    asyncio.run(scenario())


def test_what_the_states_mean() -> None:
    assert [state for state in State if state.is_ready_for_messages()] == [State.READY_FOR_MESSAGES]
    assert [state for state in State if state.is_operational()] == [State.CONNECTED, State.READY_FOR_MESSAGES]
    assert [state for state in State if state.is_terminal()] == [State.ERROR, State.CLOSED]


def test_findings_are_kept_and_summed_up() -> None:
    detector = RaceConditionDetector("staging")
    assert detector.detect_timing_violation("handshake_completion", 0.5) is None
    found = detector.detect_timing_violation("handshake_completion", 4.0)
    assert isinstance(found, RaceConditionPattern) and found.is_critical() and found.age_seconds() >= 0
    assert not detector.validate_connection_readiness(State.CONNECTED)
    assert detector.validate_connection_readiness(State.READY_FOR_MESSAGES)
    assert detector.get_detection_summary() == {
        "environment": "staging",
        "total_patterns": 2,
        "critical_patterns": 1,
        "by_type": {"handshake_completion_timing_violation": 1, "premature_message_handling": 1},
        "by_severity": {"critical": 1, "warning": 1},
    }
    assert detector.get_patterns_by_severity("critical") == [found]
    assert found.to_dict()["details"] == {"duration": 4.0, "threshold": 1.0}
    assert detector.clear_old_patterns(3600) == 0 and detector.clear_old_patterns(-1) == 2


def test_delays_grow_to_a_limit() -> None:
    detector = RaceConditionDetector("production")
    delays = [detector.calculate_progressive_delay(attempt) for attempt in range(20)]
    assert delays == sorted(delays) and delays[0] == pytest.approx(0.1) and delays[-1] == 2.0
