"""The generator of time-ordered identifiers, and the sessions that keep one conversation's identifiers together."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from threading import Lock
from typing import Any, Optional

from . import formats

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


def _now_ms() -> int:
    return int(time.time() * 1000)


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


class UnifiedIdGenerator:
    """Identifiers of the form ``<prefix>_<milliseconds>_<counter>_<8 hex>``, and sessions of them.

    The counter is one per process, so that two identifiers of one millisecond differ and sort as they were made.
    """

    _active_sessions: dict[str, dict[str, Any]] = {}
    _session_lock = Lock()

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
        """Return ``tool_<name>[_<agent8>]_<ms>_<counter>_<8hex>``."""
        return UnifiedIdGenerator.generate_base_id(_joined("tool", tool_name, agent_id and agent_id[:8]))

    @staticmethod
    def generate_message_id(message_type: str, user_id: str, thread_id: Optional[str] = None) -> str:
        """Return ``msg_<type>_<user8>[_<thread8>]_<ms>_<counter>_<8hex>``."""
        return UnifiedIdGenerator.generate_base_id(_joined("msg", message_type, user_id[:8], thread_id and thread_id[:8]))

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
        """Take ``<prefix>_<ms>_<counter>[_<hex>]`` apart; None for anything else."""
        if not isinstance(id_string, str):
            return None
        parts = id_string.split("_")
        # An all-digit random part or a number in the prefix makes both readings possible: milliseconds decide.
        readings = [
            (parts[:-3], parts[-3], parts[-2], parts[-1]) if len(parts) >= 4 else None,
            (parts[:-2], parts[-2], parts[-1], "") if len(parts) >= 3 else None,
        ]
        valid = [one for one in readings if one and "".join(one[0]) and one[1].isdecimal() and one[2].isdecimal()]
        if not valid:
            return None
        prefix, timestamp, counter, random = next((one for one in valid if len(one[1]) == 13), valid[0])
        return IdComponents("_".join(prefix), int(timestamp), int(counter), random, id_string)

    @staticmethod
    def is_valid_id(id_string: str, expected_prefix: Optional[str] = None) -> bool:
        """True if this generator could have made ``id_string``, with ``expected_prefix`` where one is given."""
        components = UnifiedIdGenerator.parse_id(id_string)
        if components is not None:
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
    def get_or_create_user_session(
        cls,
        user_id: str,
        thread_id: Optional[str] = None,
        run_id: Optional[str] = None,
        operation: str = "session",
    ) -> dict[str, str]:
        """Return ``{"thread_id", "run_id", "request_id"}`` of the user's session on a thread; the request id is always new.

        A known thread keeps its run unless ``run_id`` names another; without ``thread_id`` a new thread begins.
        """
        new_thread, new_run, request_id = cls.generate_user_context_ids(user_id, operation)
        key = f"{user_id}:{thread_id or new_thread}"
        now = time.time()
        with cls._session_lock:
            session = cls._active_sessions.get(key)
            if session is None:
                session = cls._active_sessions[key] = {
                    "user_id": user_id,
                    "thread_id": thread_id or new_thread,
                    "run_id": run_id or new_run,
                    "created_at": now,
                    "operation": operation,
                }
            elif run_id:
                session["run_id"] = run_id
            session["request_id"] = request_id
            session["last_activity"] = now
            return {name: session[name] for name in ("thread_id", "run_id", "request_id")}

    @classmethod
    def get_existing_session(cls, user_id: str, thread_id: str) -> Optional[dict[str, str]]:
        """Return the session's ids, or None if the user has none on that thread."""
        with cls._session_lock:
            session = cls._active_sessions.get(f"{user_id}:{thread_id}")
            return {name: session[name] for name in ("thread_id", "run_id", "request_id")} if session else None

    @classmethod
    def cleanup_expired_sessions(cls, max_age_hours: int = 24) -> int:
        """Forget sessions idle for longer than ``max_age_hours``; return how many."""
        oldest = time.time() - max_age_hours * 3600
        with cls._session_lock:
            expired = [key for key, one in cls._active_sessions.items() if one.get("last_activity", one["created_at"]) < oldest]
            for key in expired:
                del cls._active_sessions[key]
        return len(expired)

    @classmethod
    def get_active_sessions_count(cls) -> int:
        """How many sessions are remembered."""
        with cls._session_lock:
            return len(cls._active_sessions)

    @classmethod
    def invalidate_user_sessions(cls, user_id: str) -> int:
        """Forget every session of one user; return how many."""
        with cls._session_lock:
            owned = [key for key, one in cls._active_sessions.items() if one["user_id"] == user_id]
            for key in owned:
                del cls._active_sessions[key]
        return len(owned)

    @classmethod
    def reset_global_counter(cls) -> None:
        """Start counting at 1 again and forget all sessions; for tests."""
        reset_global_counter()
        with cls._session_lock:
            cls._active_sessions.clear()

    @staticmethod
    def normalize_id_format(id_string: str) -> str:
        """Return the identifier with a time in it: one without gets the present milliseconds after its second part."""
        if not id_string or UnifiedIdGenerator.parse_id(id_string) is not None:
            return id_string
        parts = id_string.split("_")
        if len(parts) < 3:
            return id_string
        return "_".join([*parts[:2], str(_now_ms()), *parts[2:]])

    @staticmethod
    def extract_pattern_info(id_string: str) -> dict[str, str]:
        """Return what matching needs of an identifier: format, prefix, time, counter and random part, as strings."""
        if not id_string:
            return {}
        components = UnifiedIdGenerator.parse_id(id_string)
        parsed = formats.parse(id_string)
        parts = id_string.split("_")
        info = {
            "full_id": id_string,
            "prefix": components.prefix if components else (parsed.prefix if parsed and parsed.prefix else parts[0]),
            "base_prefix": parts[0],
            "operation": "_".join(parts[1:-2]) if not components and len(parts) > 3 else "_".join(parts[1:2]),
            "timestamp": str(components.timestamp) if components else "",
            "counter": str(components.counter) if components else "",
            "random": components.random if components else "",
            "format": "ssot" if components else "legacy",
        }
        if not components and parsed:
            info["counter"] = "" if parsed.counter is None else str(parsed.counter)
            info["random"] = parsed.random
        return info

    @staticmethod
    def ids_match_for_cleanup(id1: str, id2: str) -> bool:
        """True if two identifiers were made for the same kind and operation: their first two words are equal.

        Users and times are not compared; :func:`compat.netra.components.ids.belong_together` is the strict question.
        """
        if not id1 or not id2:
            return False
        return id1 == id2 or _prefix_words(id1)[:2] == _prefix_words(id2)[:2]

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
        return f"{prefix}_1640995200000_{sequence}_{sequence:08x}"

    @staticmethod
    def validate_uniqueness_in_list(ids: list[str]) -> bool:
        """True if no identifier occurs twice."""
        return len(ids) == len(set(ids))

    @staticmethod
    def create_test_context_ids(user_id: str, sequence: int) -> dict[str, str]:
        """Return the ids of a context that depend on the arguments alone."""
        made = TestIdUtils.create_test_id
        return {
            "thread_id": made(f"thread_{user_id}", sequence),
            "run_id": made(f"run_{user_id}", sequence),
            "request_id": made(f"req_{user_id}", sequence),
        }


def _joined(*words: Optional[str]) -> str:
    return "_".join(word for word in words if word)


def _websocket_id(prefix: str, user_id: str, timestamp: Optional[float]) -> str:
    when = _now_ms() if timestamp is None else int(timestamp * 1000)
    return f"{prefix}_{user_id[:8]}_{when}_{_get_next_counter()}_{_random_hex()}"


def _prefix_words(text: str) -> list[str]:
    components = UnifiedIdGenerator.parse_id(text)
    if components is not None:
        return components.prefix.split("_")
    parts = text.split("_")
    return parts[:-2] if len(parts) > 2 else parts
