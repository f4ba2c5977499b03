"""A handshake goes through its states in order, and what comes too early is found."""

from __future__ import annotations

import asyncio
from datetime import datetime, timezone
from unittest.mock import AsyncMock, patch

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
        assert list(summary) == [
            "current_state", "environment", "handshake_duration_ms", "total_transitions", "is_ready_for_messages",
            "state_sequence_valid", "handshake_start_time",
        ]  # fmt: skip
        assert list(summary.values())[:2] == ["ready_for_messages", "testing"] and summary["is_ready_for_messages"]
        assert summary["handshake_start_time"] == coordinator.handshake_start_time.isoformat()
        before, after, moment = coordinator.state_transitions[0]
        assert (before, after) == (State.INITIALIZING, State.HANDSHAKE_PENDING) and moment.tzinfo is not None
        assert list(coordinator.get_state_history()[0]) == ["from_state", "to_state", "timestamp", "transition_time_ms"]
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
        assert coordinator.get_state_history()[-1]["to_state"] == "error" and coordinator.validate_state_sequence()
        assert await coordinator.coordinate_handshake() is False
        coordinator.state_transitions.insert(0, (State.CONNECTED, State.CLOSED, datetime.now(timezone.utc)))
        assert not coordinator.validate_state_sequence()

    asyncio.run(scenario())


def test_a_cancelled_handshake_is_an_error_and_not_raised() -> None:
    async def scenario() -> None:
        coordinator = HandshakeCoordinator("staging")
        running = asyncio.ensure_future(coordinator.coordinate_handshake())
        await asyncio.sleep(0)
        running.cancel()
        assert await running is False and coordinator.state is State.ERROR

    asyncio.run(scenario())


@pytest.mark.parametrize(("environment", "pauses"), [("staging", [0.1, 0.025]), ("production", [0.1, 0.025]), ("test", [0.005])])
def test_the_pauses_of_a_handshake(environment: str, pauses: list) -> None:
    with patch("asyncio.sleep", AsyncMock()) as sleep:
        assert asyncio.run(HandshakeCoordinator(environment).coordinate_handshake())
    assert [one.args[0] for one in sleep.await_args_list] == pauses


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
