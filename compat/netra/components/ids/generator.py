"""The generator of time-ordered identifiers, and the sessions that keep one conversation's identifiers together."""

from __future__ import annotations

import os
from dataclasses import dataclass
from threading import Lock
from typing import Optional

from . import formats
from .sessions import HOUR_MS as _HOUR_MS
from .sessions import IdSessions
from .sessions import now_ms as _now_ms

_YEAR_MS = 365 * 24 * _HOUR_MS
_GREATEST_COUNTER = 1_000_000
_FACTORY = "websocket_factory"
_TEST_HEADS = {"thread": "thread", "run": "run", "request": "req"}

_global_counter_lock = Lock()
_global_counter = 0


def _get_next_counter() -> int:
    global _global_counter
    with _global_counter_lock:
        _global_counter += 1
        return _global_counter


def reset_global_counter() -> None:
    """Start counting at 1 again; for tests that compare whole identifiers."""
    global _global_counter
    with _global_counter_lock:
        _global_counter = 0


def _random_hex(length: int = 8) -> str:
    return os.urandom((length + 1) // 2).hex()[:length]


@dataclass
class IdComponents:
    """A generated identifier taken apart; ``timestamp`` is in milliseconds."""

    prefix: str
    timestamp: int
    counter: int
    random: str
    full_id: str


class UnifiedIdGenerator(IdSessions):
    """Identifiers of the form ``<prefix>_<milliseconds>_<counter>_<8 hex>``, and sessions of them.

    The counter is one per process, so that two identifiers of one millisecond differ and sort as they were made.
    """

    @staticmethod
    def generate_id(prefix: str) -> str:
        """Return ``<prefix>_<8 hex>``."""
        return f"{prefix}_{_random_hex()}"

    @staticmethod
    def generate_base_id(prefix: str = "id", include_random: bool = True, random_length: int = 8) -> str:
        """Return ``<prefix>_<ms>_<counter>``, followed by ``random_length`` hex digits unless told otherwise."""
        base = f"{prefix}_{_now_ms()}_{_get_next_counter()}"
        return f"{base}_{_random_hex(random_length)}" if include_random else base

    @staticmethod
    def generate_user_context_ids(user_id: str, operation: str = "context") -> tuple[str, str, str]:
        """Return (thread id, run id, request id) of one new operation.

        Thread and run share counter and random part, so that one finds the other when it is cleaned up.
        """
        counter, shared = _get_next_counter(), _random_hex()
        return (
            f"thread_{operation}_{counter}_{shared}",
            f"run_{operation}_{counter}_{shared}",
            f"req_{operation}_{_get_next_counter()}_{_random_hex()}",
        )

    @staticmethod
    def generate_websocket_connection_id(user_id: str, connection_timestamp: Optional[float] = None) -> str:
        """Return ``ws_conn_<user8>_<ms>_<counter>_<8hex>``; ``connection_timestamp`` is in seconds, now by default."""
        return _websocket_id("ws_conn", user_id, connection_timestamp)

    @staticmethod
    def generate_websocket_client_id(user_id: str, connection_timestamp: Optional[float] = None) -> str:
        """Return ``ws_client_<user8>_<ms>_<counter>_<8hex>``; ``connection_timestamp`` is in seconds, now by default."""
        return _websocket_id("ws_client", user_id, connection_timestamp)

    @staticmethod
    def generate_agent_execution_id(agent_type: str, user_id: str) -> str:
        """Return ``agent_<type>_<user8>_<ms>_<counter>_<8hex>``."""
        return UnifiedIdGenerator.generate_base_id(f"agent_{agent_type}_{user_id[:8]}")

    @staticmethod
    def generate_tool_execution_id(tool_name: str, agent_id: Optional[str] = None) -> str:
        """Return ``tool_<name>[_<agent8>]_<ms>_<counter>_<8hex>``, with the agent's last part."""
        return UnifiedIdGenerator.generate_base_id(_joined("tool", tool_name, _last_part(agent_id)))

    @staticmethod
    def generate_message_id(message_type: str, user_id: str, thread_id: Optional[str] = None) -> str:
        """Return ``msg_<type>_<user8>[_<thread8>]_<ms>_<counter>_<8hex>``, with the thread's last part."""
        return UnifiedIdGenerator.generate_base_id(_joined("msg", message_type, user_id[:8], _last_part(thread_id)))

    @staticmethod
    def generate_session_id(user_id: str, session_type: str = "web") -> str:
        """Return ``session_<type>_<user8>_<ms>_<counter>_<8hex>``."""
        return UnifiedIdGenerator.generate_base_id(f"session_{session_type}_{user_id[:8]}")

    @staticmethod
    def generate_error_context_id(error_type: str, user_id: str) -> str:
        """Return ``error_<type>_<user8>_<ms>_<counter>_<8hex>``."""
        return UnifiedIdGenerator.generate_base_id(f"error_{error_type}_{user_id[:8]}")

    @staticmethod
    def generate_user_id() -> str:
        """Return ``user_<ms>_<counter>_<8hex>``."""
        return UnifiedIdGenerator.generate_base_id("user")

    @staticmethod
    def generate_thread_id(user_id: Optional[str] = None) -> str:
        """Return ``thread[_<user8>]_<ms>_<counter>_<8hex>``."""
        return UnifiedIdGenerator.generate_base_id(_joined("thread", user_id and user_id[:8]))

    @staticmethod
    def generate_run_id(thread_id: Optional[str] = None) -> str:
        """Return ``run[_<thread id>]_<ms>_<counter>_<8hex>``."""
        return UnifiedIdGenerator.generate_base_id(_joined("run", thread_id))

    @staticmethod
    def generate_request_id() -> str:
        """Return ``req_<ms>_<counter>_<8hex>``."""
        return UnifiedIdGenerator.generate_base_id("req")

    @staticmethod
    def generate_batch_ids(prefix: str, count: int, include_random: bool = True) -> list[str]:
        """Return ``count`` identifiers with one time and rising counters."""
        now = _now_ms()
        batch = [f"{prefix}_{now}_{_get_next_counter()}" for _ in range(count)]
        return [f"{one}_{_random_hex()}" for one in batch] if include_random else batch

    @staticmethod
    def parse_id(id_string: str) -> Optional[IdComponents]:
        """Take ``<prefix>_<ms>_<counter>[_<hex>]`` apart; None for anything else.

        Without a random part the time must be one in milliseconds.
        """
        if not isinstance(id_string, str):
            return None
        parts = id_string.split("_")
        with_random = _read(parts[:-3], parts[-3:], id_string) if len(parts) >= 4 else None
        without = _read(parts[:-2], [*parts[-2:], ""], id_string) if len(parts) >= 3 and _is_ms(parts[-2]) else None
        # An all-digit random part or a number in the prefix makes both readings possible: milliseconds decide.
        return with_random if with_random and (without is None or _is_ms(parts[-3])) else without

    @staticmethod
    def is_valid_id(id_string: str, expected_prefix: Optional[str] = None) -> bool:
        """True if this generator could have made ``id_string``, with ``expected_prefix`` where one is given.

        A time that is over a year old or over an hour ahead is none of its own.
        """
        components = UnifiedIdGenerator.parse_id(id_string)
        if components is not None:
            if not -_HOUR_MS <= _now_ms() - components.timestamp <= _YEAR_MS:
                return False
            prefix = components.prefix
        else:
            parsed = formats.parse(id_string)
            if parsed is None or parsed.format != "context":
                return False
            prefix = parsed.prefix
        return not expected_prefix or prefix == expected_prefix or prefix.startswith(f"{expected_prefix}_")

    @staticmethod
    def get_id_age(id_string: str) -> int:
        """Milliseconds since the identifier was made; -1 where it carries no time."""
        components = UnifiedIdGenerator.parse_id(id_string)
        return _now_ms() - components.timestamp if components else -1

    @classmethod
    def reset_global_counter(cls) -> None:
        """Start counting at 1 again and forget all sessions; for tests."""
        reset_global_counter()
        with cls._session_lock:
            cls._active_sessions.clear()

    @staticmethod
    def normalize_id_format(id_string: str) -> str:
        """Return the identifier with a time in it: one whose third part is a counter gets the present milliseconds there."""
        if not isinstance(id_string, str) or UnifiedIdGenerator.parse_id(id_string) is not None:
            return id_string
        parts = id_string.split("_")
        if len(parts) < 3 or not parts[2].isdecimal() or int(parts[2]) >= _GREATEST_COUNTER:
            return id_string
        return "_".join([*parts[:2], str(_now_ms()), *parts[2:]])

    @staticmethod
    def extract_pattern_info(id_string: str) -> dict[str, str]:
        """Return what matching needs of an identifier: its kind, operation, context and time, and the form with a time."""
        if not isinstance(id_string, str) or not id_string:
            return {}
        normalized = UnifiedIdGenerator.normalize_id_format(id_string)
        parts = id_string.split("_")
        if len(parts) < 2:
            return {"format": "unknown", "normalized_id": normalized}
        components = UnifiedIdGenerator.parse_id(normalized)
        return {
            "id_type": parts[0],
            "operation": parts[1],
            "user_context": _FACTORY if _FACTORY in id_string else "_".join(parts[:2]),
            "timestamp": str(components.timestamp) if components else "",
            "format": "ssot" if UnifiedIdGenerator.parse_id(id_string) else "legacy",
            "normalized_id": normalized,
        }

    @staticmethod
    def ids_match_for_cleanup(id1: str, id2: str) -> bool:
        """True if two identifiers were made for the same kind and context: their first two words are equal.

        Users and times are not compared; :func:`compat.netra.components.ids.belong_together` is the strict question.
        """
        if not id1 or not id2:
            return False
        info = UnifiedIdGenerator.extract_pattern_info
        first, second = ((found.get("id_type"), found.get("user_context")) for found in (info(id1), info(id2)))
        return id1 == id2 or (first == second != (None, None))

    @staticmethod
    def translate_legacy_context_ids(
        user_id: str, thread_id: str, run_id: str, operation: str = "compatibility"
    ) -> tuple[str, str, str]:
        """Return (thread id, run id, new request id) with the first two in a form that carries a time."""
        normalized = UnifiedIdGenerator.normalize_id_format
        return normalized(thread_id), normalized(run_id), UnifiedIdGenerator.generate_base_id(f"req_{operation}")


def generate_uuid_replacement() -> str:
    """Return eight hex digits, for code that wrote ``uuid.uuid4().hex[:8]``."""
    return _random_hex()


def create_user_execution_context_factory(user_id: str, operation: str = "context") -> dict[str, str]:
    """Return the arguments of a new user execution context: its ids and a websocket client id."""
    thread_id, run_id, request_id = UnifiedIdGenerator.generate_user_context_ids(user_id, operation)
    return {
        "user_id": user_id,
        "thread_id": thread_id,
        "run_id": run_id,
        "request_id": request_id,
        "websocket_client_id": UnifiedIdGenerator.generate_websocket_client_id(user_id),
    }


class TestIdUtils:
    """Predictable identifiers for tests."""

    __test__ = False

    @staticmethod
    def reset() -> None:
        """Start the counter at 1 and forget all sessions."""
        UnifiedIdGenerator.reset_global_counter()

    @staticmethod
    def create_test_id(prefix: str, sequence: int) -> str:
        """Return an identifier that depends on its arguments alone."""
        return f"{prefix}_test_{sequence}"

    @staticmethod
    def validate_uniqueness_in_list(ids: list[str]) -> bool:
        """True if no identifier occurs twice."""
        return len(ids) == len(set(ids))

    @staticmethod
    def create_test_context_ids(user_id: str, sequence: int) -> dict[str, str]:
        """Return the ids of a context that depend on the arguments alone."""
        made = {f"{name}_id": TestIdUtils.create_test_id(head, sequence) for name, head in _TEST_HEADS.items()}
        return {"user_id": user_id, **made}


def _joined(*words: Optional[str]) -> str:
    return "_".join(word for word in words if word)


def _websocket_id(prefix: str, user_id: str, timestamp: Optional[float]) -> str:
    when = _now_ms() if timestamp is None else int(timestamp * 1000)
    return f"{prefix}_{user_id[:8]}_{when}_{_get_next_counter()}_{_random_hex()}"


def _last_part(text: Optional[str]) -> Optional[str]:
    return text and text.rpartition("_")[2][:8]


def _is_ms(text: str) -> bool:
    return len(text) == 13 and text.isdecimal()


def _read(prefix: list[str], tail: list[str], text: str) -> Optional[IdComponents]:
    try:
        timestamp, counter = int(tail[0]), int(tail[1])
    except ValueError:
        return None
    return IdComponents("_".join(prefix), timestamp, counter, tail[2], text) if "".join(prefix) else None
