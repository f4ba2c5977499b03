"""Small tools around one WebSocket object: is it connected, send and close without raising, IDs, parsing."""

from __future__ import annotations

import asyncio
import gzip
import json
import time
from collections import OrderedDict, deque
from collections.abc import Iterable, Mapping
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from compat.canonical.core.logged import get_logger

from ..environment.reading import read_variable
from ..ids.bridge import validate_id_compatibility
from ..ids.generator import UnifiedIdGenerator
from ..messages.creation import create_error_message, create_server_message
from ..messages.message_types import MessageType
from ..types import ensure_user_id

if TYPE_CHECKING:
    from ..messages.message_models import ConnectionInfo

__all__ = [
    "MessageType",
    "broadcast_to_websockets",
    "check_rate_limit",
    "cleanup_resources_by_pattern",
    "compress",
    "create_connection_info",
    "create_error_message",
    "create_server_message",
    "decompress",
    "extract_user_info_from_message",
    "find_matching_resources",
    "format_websocket_error_response",
    "generate_connection_id",
    "generate_message_id",
    "get_cleanup_priority",
    "get_current_iso_timestamp",
    "get_current_timestamp",
    "get_progressive_delay",
    "is_websocket_connected",
    "is_websocket_connected_and_ready",
    "is_websocket_disconnected",
    "normalize_connection_id",
    "parse_websocket_message",
    "safe_websocket_close",
    "safe_websocket_send",
    "validate_connection_with_race_detection",
    "validate_message_structure",
    "validate_resource_compatibility",
    "validate_websocket_handshake_completion",
]

logger = get_logger(__name__)

#: Seconds before a send is tried again, doubled each time.
SEND_RETRY_DELAY = 0.1


def generate_connection_id(user_id: str, prefix: str = "ws_conn") -> str:
    """Return a new connection ID of the generator's form, ``ws_conn_...``, whatever ``prefix`` says."""
    return UnifiedIdGenerator.generate_websocket_connection_id(ensure_user_id(user_id))


def generate_message_id() -> str:
    """Return a new message ID of the generator's form, ``uid_...``."""
    return UnifiedIdGenerator.generate_base_id("uid", random_length=8)


def get_current_timestamp() -> float:
    """Return the seconds since the epoch."""
    return time.time()


def get_current_iso_timestamp() -> str:
    """Return the present time in UTC, ISO 8601."""
    return datetime.now(timezone.utc).isoformat()


def _safe_websocket_state_for_logging(state: Any) -> str:
    """Return a word for a connection state that JSON loggers can write: an enum member's name in lower case."""
    try:
        if hasattr(state, "name") and hasattr(state, "value"):
            return str(state.name).lower()
        return str(state)
    except Exception:
        return "<serialization_error>"


def is_websocket_connected(websocket: Any) -> bool:
    """Return whether messages can be sent, as far as the object says.

    ``client_state`` decides where the object has one, else ``application_state``: only Starlette's CONNECTED counts, so that
    a mock with a state of its own is not connected. An object with neither must have ``receive``, and in staging and
    production queues, a WebSocket's scope, or a ``send_json`` to call.
    """
    if websocket is None:
        return False
    try:
        for name in ("client_state", "application_state"):
            if hasattr(websocket, name):
                return _state_name(getattr(websocket, name)) == "CONNECTED"
        if not hasattr(websocket, "receive"):
            return False
        if read_variable("ENVIRONMENT").lower() not in ("staging", "production"):
            return True
        scope = getattr(websocket, "scope", None)
        return (
            hasattr(websocket, "_receive_queue")
            or hasattr(websocket, "_send_queue")
            or (isinstance(scope, Mapping) and scope.get("type") == "websocket")
            or callable(getattr(websocket, "send_json", None))
        )
    except Exception as error:
        logger.debug("state of %s cannot be read: %s", type(websocket).__name__, error)
        return False


def is_websocket_disconnected(websocket: Any) -> bool:
    """Return whether an end says that the connection is over; an object that does not say is not disconnected."""
    return "DISCONNECTED" in (_state_name(getattr(websocket, name, None)) for name in ("client_state", "application_state"))


_STATES = ("CONNECTING", "CONNECTED", "DISCONNECTED")


def _state_name(state: Any) -> str:
    """Return one of Starlette's state names, "" for anything else."""
    if isinstance(state, int) and not isinstance(state, bool):
        return _STATES[state] if 0 <= state < len(_STATES) else ""
    name = state if isinstance(state, str) else getattr(state, "name", "")
    return name.upper() if isinstance(name, str) and name.upper() in (*_STATES, "RESPONSE") else ""


def is_websocket_connected_and_ready(websocket: Any, connection_id: str | None = None) -> bool:
    """Return whether the socket is connected and, where its connection has a state machine, ready for messages."""
    if not is_websocket_connected(websocket):
        return False
    if connection_id is None:
        return True
    from .state_machine import get_connection_state_machine

    machine = get_connection_state_machine(connection_id)
    return machine is None or bool(machine.can_process_messages())


async def validate_websocket_handshake_completion(websocket: Any, timeout_seconds: float = 1.0) -> bool:
    """Wait until the socket is connected, at most ``timeout_seconds``; return whether it is."""
    deadline = time.monotonic() + timeout_seconds
    while not is_websocket_connected(websocket):
        if _state_name(getattr(websocket, "client_state", None)) == "DISCONNECTED" or time.monotonic() >= deadline:
            return False
        await asyncio.sleep(min(0.01, max(0.0, deadline - time.monotonic())))
    return True


async def validate_connection_with_race_detection(websocket: Any, connection_id: str | None = None) -> bool:
    """Return whether the handshake is complete and the connection ready; waits a second at most."""
    return await validate_websocket_handshake_completion(websocket) and is_websocket_connected_and_ready(websocket, connection_id)


async def safe_websocket_send(websocket: Any, data: Mapping[str, Any] | str, retry_count: int = 2) -> bool:
    """Send a dict as JSON or a text; return whether it went out. Never raises; tries again ``retry_count`` times."""
    for attempt in range(max(0, retry_count) + 1):
        if not is_websocket_connected(websocket):
            return False
        try:
            await (websocket.send_text(data) if isinstance(data, str) else websocket.send_json(data))
            return True
        except Exception as error:
            logger.warning("send failed, attempt %d of %d: %s", attempt + 1, retry_count + 1, error)
            if attempt < retry_count:
                await asyncio.sleep(SEND_RETRY_DELAY * 2**attempt)
    return False


async def safe_websocket_close(websocket: Any, code: int = 1000, reason: str = "Normal closure") -> None:
    """Close the socket if it is connected; what goes wrong is logged, not raised."""
    if not is_websocket_connected(websocket):
        return
    try:
        await websocket.close(code=code, reason=reason)
    except Exception as error:
        logger.debug("close failed: %s", error)


def parse_websocket_message(raw_data: str | bytes) -> dict[str, Any] | None:
    """Return the JSON object in a received frame, None if it holds none."""
    try:
        parsed = json.loads(raw_data)
    except (ValueError, TypeError, RecursionError):
        return None
    return parsed if isinstance(parsed, dict) else None


def validate_message_structure(message: Any) -> bool:
    """Return whether the message is a dict with a non-empty text under ``type``."""
    return isinstance(message, dict) and isinstance(message.get("type"), str) and bool(message["type"])


def extract_user_info_from_message(message: Mapping[str, Any]) -> dict[str, str] | None:
    """Return ``user_id`` and ``thread_id`` as the message or its payload has them; None if it has neither."""
    if not isinstance(message, Mapping):
        return None
    payload = message.get("payload")
    places = (message, payload) if isinstance(payload, Mapping) else (message,)
    found = {}
    for key in ("user_id", "thread_id"):
        for place in places:
            if place.get(key):
                found[key] = place[key]
                break
    return found or None


async def broadcast_to_websockets(
    websockets: Iterable[Any],
    message: Mapping[str, Any] | str,
    exclude_websockets: Iterable[Any] | None = None,
) -> int:
    """Send one message to all sockets at once but the excluded; return how many it reached."""
    excluded = list(exclude_websockets or ())
    chosen = [websocket for websocket in websockets if not any(websocket is other for other in excluded)]
    return sum(await asyncio.gather(*(safe_websocket_send(websocket, message) for websocket in chosen)))


def format_websocket_error_response(error_code: str, error_message: str, request_id: str | None = None) -> dict[str, Any]:
    """Return an error as a plain dict: its code, message and time under ``error``, and request_id where given."""
    response: dict[str, Any] = {
        "type": "error",
        "error": {"code": error_code, "message": error_message, "timestamp": time.time()},
    }
    if request_id is not None:
        response["request_id"] = request_id
    return response


def create_connection_info(connection_id: str, user_id: str, thread_id: str | None = None) -> ConnectionInfo:
    """Return the model of a connection that opened now."""
    from ..messages.message_models import ConnectionInfo

    return ConnectionInfo(connection_id=str(connection_id), user_id=str(user_id), thread_id=thread_id)


def check_rate_limit(client_id: str, max_requests: int = 60, window_seconds: int = 60) -> bool:
    """Count one request of a client; return whether it is within ``max_requests`` per ``window_seconds``."""
    now = time.monotonic()
    times = _requests.setdefault(str(client_id), deque())
    _requests.move_to_end(str(client_id))
    while len(_requests) > _MAX_CLIENTS:
        _requests.popitem(last=False)
    while times and now - times[0] >= window_seconds:
        times.popleft()
    if len(times) >= max_requests:
        return False
    times.append(now)
    return True


_MAX_CLIENTS = 10_000
_requests: OrderedDict[str, deque[float]] = OrderedDict()


def compress(data: str | bytes) -> bytes:
    """Return the data gzipped."""
    return gzip.compress(data.encode() if isinstance(data, str) else data)


def decompress(data: bytes) -> str:
    """Return the text of gzipped data."""
    return gzip.decompress(data).decode()


def get_progressive_delay(attempt: int, environment: str | None = None) -> float:
    """Return the seconds to wait before attempt ``attempt`` (from 0) at a handshake in an environment."""
    name = (environment or read_variable("ENVIRONMENT", "development")).lower()
    if name in ("test", "testing"):
        return 0.005
    if name in ("staging", "production"):
        return 0.025 * (max(0, attempt) + 1)
    return 0.01


def find_matching_resources(target_id: str, resource_pool: Mapping[str, Any]) -> list[str]:
    """Return the keys of a pool that belong together with an ID: the same, or of the same request in another format."""
    return [key for key in resource_pool if key == target_id or validate_id_compatibility(target_id, key)]


def cleanup_resources_by_pattern(
    target_pattern: str, resource_pools: Mapping[str, dict[str, Any]], logger_context: str | None = None
) -> int:
    """Remove from every pool what belongs together with an ID; return how much that was."""
    removed = 0
    for name, pool in resource_pools.items():
        for key in find_matching_resources(target_pattern, pool):
            del pool[key]
            removed += 1
            logger.debug("%s: removed %s from %s", logger_context or "cleanup", key, name)
    return removed


def normalize_connection_id(connection_id: str, user_id: str) -> str:
    """Return the connection ID, or a new one of the user where it is empty."""
    return connection_id.strip() if connection_id and connection_id.strip() else generate_connection_id(user_id)


def validate_resource_compatibility(resource_id: str, context_ids: Iterable[str]) -> bool:
    """Return whether a resource's ID belongs together with one of a context's IDs."""
    return any(resource_id == item or validate_id_compatibility(resource_id, item) for item in context_ids)


def get_cleanup_priority(id_string: str) -> int:
    """Return when something is cleaned up, the lowest first: 1 connections, 2 runs, 3 threads, 4 anything else."""
    for priority, prefixes in enumerate((("ws_", "conn_", "websocket_"), ("run_",), ("thread_",)), 1):
        if id_string.startswith(prefixes):
            return priority
    return 4
