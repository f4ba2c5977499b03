"""The life of a connection as a state machine: which state may follow which, and who is told."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timezone
from enum import Enum
from typing import Any, Optional

from compat.canonical.core.logged import get_logger
from compat.netra.components.bounded import append
from compat.netra.components.process_wide import only

from ..types import ensure_user_id

logger = get_logger(__name__)


class ApplicationConnectionState(str, Enum):
    """Where a connection stands, from the handshake to its end."""

    CONNECTING = "connecting"
    ACCEPTED = "accepted"
    AUTHENTICATED = "authenticated"
    SERVICES_READY = "services_ready"
    PROCESSING_READY = "processing_ready"
    PROCESSING = "processing"
    IDLE = "idle"
    DEGRADED = "degraded"
    RECONNECTING = "reconnecting"
    CLOSING = "closing"
    CLOSED = "closed"
    FAILED = "failed"

    @classmethod
    def is_operational(cls, state: ApplicationConnectionState) -> bool:
        """Whether messages can be handled in this state."""
        return state in _OPERATIONAL

    @classmethod
    def is_setup_phase(cls, state: ApplicationConnectionState) -> bool:
        """Whether the connection is still being set up."""
        return state in _SETUP

    @classmethod
    def is_terminal(cls, state: ApplicationConnectionState) -> bool:
        """Whether the connection has ended."""
        return state in _TERMINAL


_S = ApplicationConnectionState
_OPERATIONAL = frozenset({_S.PROCESSING_READY, _S.PROCESSING, _S.IDLE, _S.DEGRADED})
_SETUP = frozenset({_S.CONNECTING, _S.ACCEPTED, _S.AUTHENTICATED, _S.SERVICES_READY})
_TERMINAL = frozenset({_S.CLOSED, _S.FAILED})
_ENDS = frozenset({_S.FAILED, _S.CLOSED})
_WORK = frozenset({_S.PROCESSING_READY, _S.PROCESSING, _S.IDLE})
# No state follows itself.
_TRANSITIONS: dict[ApplicationConnectionState, frozenset[ApplicationConnectionState]] = {
    _S.CONNECTING: _ENDS | {_S.ACCEPTED},
    _S.ACCEPTED: _ENDS | {_S.AUTHENTICATED},
    _S.AUTHENTICATED: _ENDS | {_S.SERVICES_READY, _S.DEGRADED},
    _S.SERVICES_READY: _ENDS | {_S.PROCESSING_READY, _S.DEGRADED},
    **{state: _ENDS | (_WORK - {state}) | {_S.DEGRADED, _S.CLOSING} for state in _WORK},
    _S.DEGRADED: _ENDS | _WORK | {_S.RECONNECTING, _S.CLOSING},
    _S.RECONNECTING: _ENDS | {_S.SERVICES_READY, _S.PROCESSING_READY, _S.DEGRADED},
    _S.CLOSING: frozenset({_S.CLOSED}),
    _S.CLOSED: frozenset(),
    _S.FAILED: frozenset({_S.CONNECTING}),
}

#: After so many refusals in a row the next transition that is allowed leads to FAILED instead.
MAX_TRANSITION_FAILURES = 5
# After so many no messages are taken.
_FAILURES_THAT_STOP_MESSAGES = 4


@dataclass
class StateTransitionInfo:
    """One change of state, as handed to callbacks."""

    from_state: ApplicationConnectionState
    to_state: ApplicationConnectionState
    timestamp: datetime
    reason: Optional[str] = None
    metadata: dict[str, Any] = field(default_factory=dict)


class StateTransitionError(RuntimeError):
    """A change of state that the machine does not allow."""

    def __init__(
        self,
        message: str,
        connection_id: Optional[str] = None,
        from_state: Optional[str] = None,
        to_state: Optional[str] = None,
    ) -> None:
        super().__init__(message)
        self.connection_id = connection_id
        self.from_state = from_state
        self.to_state = to_state


@dataclass
class ConnectionStateTransition:
    """A wanted change of state, checked when made: identifiers must be there."""

    connection_id: str
    from_state: ApplicationConnectionState
    to_state: ApplicationConnectionState
    user_id: str
    timestamp: datetime = field(default_factory=lambda: datetime.now(timezone.utc))
    reason: Optional[str] = None
    metadata: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not self.connection_id:
            raise ValueError("connection_id is required")
        for name in ("from_state", "to_state"):
            if not isinstance(getattr(self, name), ApplicationConnectionState):
                raise ValueError(f"{name} must be ApplicationConnectionState")
        self.user_id = ensure_user_id(self.user_id)
        if self.metadata is None:
            self.metadata = {}


class ConnectionStateValidator:
    """Says which changes of state are allowed."""

    @staticmethod
    def is_valid_transition(from_state: ApplicationConnectionState, to_state: ApplicationConnectionState) -> bool:
        """Whether the second state may follow the first."""
        return to_state in _TRANSITIONS.get(from_state, frozenset())

    @staticmethod
    def validate_transition(transition: ConnectionStateTransition) -> bool:
        """True for a change that is allowed; :class:`StateTransitionError` for another."""
        before, after = transition.from_state, transition.to_state
        if not ConnectionStateValidator.is_valid_transition(before, after):
            raise StateTransitionError(
                f"Invalid transition: {before.value} -> {after.value}", transition.connection_id, before.value, after.value
            )
        return True


Callback = Callable[[StateTransitionInfo], Any]


class ConnectionStateMachine:
    """The state of one connection. Thread-safe; callbacks run outside the lock, and what they raise is logged."""

    def __init__(self, connection_id: str, user_id: str, state_change_callbacks: Optional[set[Callback]] = None) -> None:
        self.connection_id = connection_id
        self.user_id = user_id
        self._current_state = ApplicationConnectionState.CONNECTING
        self._state_change_callbacks: set[Callback] = set(state_change_callbacks or ())
        self._state_history: list[StateTransitionInfo] = []
        self._transitions_made = 0
        self._lock = threading.RLock()
        self._transition_failures = 0
        self._max_transition_failures = MAX_TRANSITION_FAILURES
        self._started = time.monotonic()
        self._setup_seconds = 0.0
        self._setup_phases: list[str] = []
        self._failed_transitions = 0
        self._last_activity = time.time()

    @property
    def current_state(self) -> ApplicationConnectionState:
        """The state now."""
        with self._lock:
            return self._current_state

    @property
    def is_operational(self) -> bool:
        """Whether the connection can be used, be it with losses."""
        return self.current_state in _OPERATIONAL

    @property
    def is_ready_for_messages(self) -> bool:
        """Whether messages can be handled now."""
        return self.current_state in _OPERATIONAL

    @property
    def setup_duration(self) -> float:
        """Seconds until now while CONNECTING, else until the set-up states were left; 0.0 before that."""
        with self._lock:
            if self._current_state is ApplicationConnectionState.CONNECTING:
                return time.monotonic() - self._started
            return self._setup_seconds

    def add_state_change_callback(self, callback: Callback) -> None:
        """Have a callback called with every :class:`StateTransitionInfo`."""
        with self._lock:
            self._state_change_callbacks.add(callback)

    def remove_state_change_callback(self, callback: Callback) -> None:
        """Have a callback called no more; an unknown one is ignored."""
        with self._lock:
            self._state_change_callbacks.discard(callback)

    def transition_to(
        self,
        new_state: ApplicationConnectionState,
        reason: Optional[str] = None,
        metadata: Optional[dict[str, Any]] = None,
    ) -> bool:
        """Change the state. False, and nothing changed, if it may not follow the present one.

        An allowed change ends a row of refusals; after :data:`MAX_TRANSITION_FAILURES` of them it leads to FAILED instead.
        """
        with self._lock:
            before = self._current_state
            if not self._is_valid_transition(before, new_state):
                self._transition_failures += 1
                self._failed_transitions += 1
                wanted = getattr(new_state, "value", new_state)
                logger.warning(f"Invalid state transition for {self.connection_id}: {before.value} -> {wanted}")
                return False
            exhausted = self._transition_failures >= self._max_transition_failures
            if not exhausted:
                info = self._enter(before, new_state, reason, metadata)
                self._transition_failures = 0
        if exhausted:
            self.force_failed_state("Too many invalid state transitions")
            return False
        self._notify(info)
        return True

    def _is_valid_transition(self, from_state: ApplicationConnectionState, to_state: ApplicationConnectionState) -> bool:
        return ConnectionStateValidator.is_valid_transition(from_state, to_state)

    def _validate_transition(self, from_state: ApplicationConnectionState, to_state: ApplicationConnectionState) -> bool:
        transition = ConnectionStateTransition(self.connection_id, from_state, to_state, self.user_id)
        return ConnectionStateValidator.validate_transition(transition)

    def get_state_history(self) -> list[StateTransitionInfo]:
        """Every change so far, oldest first, in a list of the caller's own."""
        with self._lock:
            return self._state_history.copy()

    def get_metrics(self) -> dict[str, Any]:
        """State, counts and times (seconds) in one dictionary."""
        with self._lock:
            return {
                "total_transitions": self._transitions_made,
                "failed_transitions": self._failed_transitions,
                "setup_duration_seconds": self._setup_seconds,
                "last_activity": self._last_activity,
                "current_state": self._current_state.value,
                "setup_phases_completed": list(self._setup_phases),
                "transition_failures": self._transition_failures,
                "is_operational": self._current_state in _OPERATIONAL,
                "is_ready_for_messages": self._current_state in _OPERATIONAL,
                "setup_duration": self.setup_duration,
            }

    def force_failed_state(self, reason: str) -> None:
        """Enter FAILED from any state, allowed or not."""
        with self._lock:
            failed = ApplicationConnectionState.FAILED
            self._current_state = failed
            self._transition_failures = self._max_transition_failures
            info = self._enter(failed, failed, f"EMERGENCY: {reason}", {"emergency_transition": True})
        logger.error(f"Connection {self.connection_id} forced to failed: {reason}")
        self._notify(info)

    def can_process_messages(self) -> bool:
        """Whether messages are handled now: not after a row of refusals, nor in a degraded state reached too early."""
        with self._lock:
            if self._current_state not in _OPERATIONAL or self._transition_failures >= _FAILURES_THAT_STOP_MESSAGES:
                return False
            return self._current_state is not ApplicationConnectionState.DEGRADED or len(self._setup_phases) >= 2

    def get_current_state(self) -> ApplicationConnectionState:
        """The state now."""
        return self.current_state

    def execute_transition(self, transition: ConnectionStateTransition) -> bool:
        """Carry out a wanted change. False if it is not allowed, or speaks of another connection or another present state."""
        with self._lock:
            if str(transition.connection_id) != str(self.connection_id) or (transition.from_state != self._current_state):
                logger.warning(
                    f"Transition for {transition.connection_id} from {transition.from_state} does not fit "
                    f"{self.connection_id} in {self._current_state}"
                )
                return False
            return self.transition_to(transition.to_state, transition.reason, transition.metadata)

    def _enter(
        self,
        before: ApplicationConnectionState,
        state: ApplicationConnectionState,
        reason: Optional[str],
        metadata: Optional[dict[str, Any]],
    ) -> StateTransitionInfo:
        info = StateTransitionInfo(before, state, datetime.now(timezone.utc), reason, dict(metadata or {}))
        self._current_state = state
        append(self._state_history, info)
        self._transitions_made += 1
        self._last_activity = time.time()
        if state in _SETUP:
            self._setup_phases.append(state.value)
        elif before in _SETUP:
            self._setup_seconds = time.monotonic() - self._started
        return info

    def _notify(self, info: StateTransitionInfo) -> None:
        for callback in tuple(self._state_change_callbacks):
            try:
                callback(info)
            except Exception as error:
                logger.error(f"State change callback failed for {self.connection_id}: {error}")


class ConnectionStateMachineRegistry:
    """The machines of many connections, by connection ID. Thread-safe."""

    def __init__(self) -> None:
        self._machines: dict[str, ConnectionStateMachine] = {}
        self._lock = threading.RLock()

    def register_connection(
        self, connection_id: str, user_id: str, state_change_callbacks: Optional[set[Callback]] = None
    ) -> ConnectionStateMachine:
        """Make the machine of a connection, or return the one it has."""
        key = str(connection_id)
        with self._lock:
            machine = self._machines.get(key)
            if machine is None:
                machine = self._machines[key] = ConnectionStateMachine(connection_id, user_id, state_change_callbacks)
            else:
                logger.critical(
                    f"DUPLICATE CONNECTION REGISTRATION DETECTED: {connection_id} of user {user_id} has a state machine already"
                )
            return machine

    def get_connection_state_machine(self, connection_id: str) -> Optional[ConnectionStateMachine]:
        """The machine of a connection, or None."""
        with self._lock:
            return self._machines.get(str(connection_id))

    def unregister_connection(self, connection_id: str) -> bool:
        """Forget a connection. False if it is unknown."""
        with self._lock:
            return self._machines.pop(str(connection_id), None) is not None

    def get_all_operational_connections(self) -> dict[str, ConnectionStateMachine]:
        """Machines that can handle messages."""
        with self._lock:
            return {key: machine for key, machine in self._machines.items() if machine.is_operational}

    def get_connections_by_state(self, state: ApplicationConnectionState) -> dict[str, ConnectionStateMachine]:
        """Machines in one state."""
        with self._lock:
            return {key: machine for key, machine in self._machines.items() if machine.current_state == state}

    def cleanup_closed_connections(self) -> int:
        """Forget the machines that have ended and return how many."""
        with self._lock:
            ended = [
                key for key, machine in self._machines.items() if ApplicationConnectionState.is_terminal(machine.current_state)
            ]
            for key in ended:
                del self._machines[key]
        return len(ended)

    def get_registry_stats(self) -> dict[str, Any]:
        """Counts: all, operational, and per state."""
        with self._lock:
            states = [machine.current_state for machine in self._machines.values()]
        distribution: dict[str, int] = {}
        for state in states:
            distribution[state.value] = distribution.get(state.value, 0) + 1
        return {
            "total_connections": len(states),
            "operational_connections": sum(state in _OPERATIONAL for state in states),
            "state_distribution": distribution,
            "registry_size": len(states),
        }


_connection_state_registry: Optional[ConnectionStateMachineRegistry] = None


def get_connection_state_registry() -> ConnectionStateMachineRegistry:
    """The process's registry, made at first use."""
    return only(globals(), "_connection_state_registry", ConnectionStateMachineRegistry)


def get_connection_state_machine(connection_id: str) -> Optional[ConnectionStateMachine]:
    """The machine of a connection in the process's registry, or None."""
    return get_connection_state_registry().get_connection_state_machine(connection_id)


def is_connection_ready_for_messages(connection_id: str) -> bool:
    """Whether a registered connection can handle messages now; an unknown one cannot."""
    machine = get_connection_state_machine(connection_id)
    return machine is not None and machine.can_process_messages()


WebSocketConnectionStateMachine = ConnectionStateMachine
ApplicationConnectionStateMachine = ConnectionStateMachine
