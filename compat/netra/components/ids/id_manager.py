"""The manager of registered identifiers: makes them by kind, remembers them, and knows which are in use."""

from __future__ import annotations

import functools
import threading
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Optional, Union

from compat.canonical.core.logged import get_logger

from . import formats
from .formats import IDType, is_valid_id_format
from .generator import UnifiedIdGenerator

logger = get_logger(__name__)

_RELEASED = "released_at"
_BRIDGED = "dual_ssot_bridge"


@dataclass
class IDMetadata:
    """What is known of a registered identifier; ``created_at`` is in seconds since the epoch."""

    id_value: str
    id_type: IDType
    created_at: float
    prefix: Optional[str] = None
    context: dict[str, Any] = None  # type: ignore[assignment]

    def __post_init__(self) -> None:
        if self.context is None:
            self.context = {}


class _OnTheClassToo:
    """A method that, read from the class, is that of the process's one manager, with the first argument optional."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self._function = function
        functools.update_wrapper(self, function)  # type: ignore[arg-type]

    def __get__(self, instance: Any, owner: type) -> Callable[..., Any]:
        if instance is not None:
            return self._function.__get__(instance, owner)  # type: ignore[no-any-return]

        @functools.wraps(self._function)
        def of_the_class(*args: Any, **kwargs: Any) -> Any:
            if args and isinstance(args[0], owner):
                return self._function(*args, **kwargs)
            if not args and not kwargs:
                return str(uuid.uuid4())
            return self._function(get_id_manager(), *args, **kwargs)

        return of_the_class


class UnifiedIDManager:
    """Makes ``[prefix_]<type>_<counter>_<8hex>`` identifiers, and keeps account of those in use. Safe between threads."""

    def __init__(self, *_: object, **__: object) -> None:
        self._id_registry: dict[str, IDMetadata] = {}
        self._active_ids: dict[IDType, set[str]] = {kind: set() for kind in IDType}
        self._id_counters: dict[IDType, int] = dict.fromkeys(IDType, 0)
        self._by_user: dict[str, set[str]] = {}
        self._lock = threading.RLock()

    # -- made and registered ------------------------------------------------------------------------------------------

    @_OnTheClassToo
    def generate_id(
        self,
        id_type_or_prefix: Union[IDType, str],
        prefix: Optional[str] = None,
        context: Optional[dict[str, Any]] = None,
    ) -> str:
        """Make and register an identifier: by kind ``[prefix_]user_1_9c666592``, by a word ``word_53b34623``."""
        if isinstance(id_type_or_prefix, str):
            words = id_type_or_prefix.lower().split("_")
            kind = next((one for one in IDType if one.value in words), IDType.REQUEST)
            made = "_".join([*([prefix] if prefix else []), id_type_or_prefix, uuid.uuid4().hex[:8]])
            with self._lock:
                self._add(made, kind, prefix or id_type_or_prefix, dict(context or {}))
            return made
        with self._lock:
            self._id_counters[id_type_or_prefix] += 1
            counter = self._id_counters[id_type_or_prefix]
            parts = [*([prefix] if prefix else []), id_type_or_prefix.value, str(counter), uuid.uuid4().hex[:8]]
            made = "_".join(parts)
            self._add(made, id_type_or_prefix, prefix, dict(context or {}))
        return made

    def register_existing_id(self, id_value: str, id_type: IDType, context: Optional[dict[str, Any]] = None) -> bool:
        """Register an identifier made elsewhere; False if it is known already."""
        with self._lock:
            if id_value in self._id_registry:
                logger.warning("ID already registered: %s", id_value)
                return False
            self._add(id_value, id_type, None, dict(context or {}))
            return True

    def _add(self, id_value: str, kind: IDType, prefix: Optional[str], context: dict[str, Any]) -> None:
        self._id_registry[id_value] = IDMetadata(id_value, kind, time.time(), prefix, context)
        self._active_ids[kind].add(id_value)
        if isinstance(context.get("user_id"), str):
            self._by_user.setdefault(context["user_id"], set()).add(id_value)

    def get_id_metadata(self, id_value: str) -> Optional[IDMetadata]:
        """Return what is known of an identifier, None if it was never registered here."""
        return self._id_registry.get(id_value)

    def is_valid_id(self, id_value: str, id_type: Optional[IDType] = None) -> bool:
        """True if the identifier is registered here, and of ``id_type`` where one is given."""
        known = self._id_registry.get(id_value) if isinstance(id_value, str) else None
        return known is not None and (id_type is None or known.id_type is id_type)

    def is_valid_id_format_compatible(self, id_value: str, id_type: Optional[IDType] = None) -> bool:
        """True if the identifier is registered here or well formed, and does not say that it is of another kind."""
        if self.is_valid_id(id_value, id_type):
            return True
        if not is_valid_id_format(id_value):
            return False
        if id_type is None:
            return True
        return formats.may_be_of_kind(id_value.strip(), id_type)

    def release_id(self, id_value: str) -> bool:
        """Mark an identifier as no longer in use; False if it is unknown. Its metadata stays until it is cleaned up."""
        with self._lock:
            known = self._id_registry.get(id_value)
            if known is None:
                return False
            self._active_ids[known.id_type].discard(id_value)
            known.context[_RELEASED] = time.time()
            return True

    def get_active_ids(self, id_type: IDType) -> set[str]:
        """A copy of the identifiers of a kind that are in use."""
        with self._lock:
            return set(self._active_ids[id_type])

    def count_active_ids(self, id_type: IDType) -> int:
        """How many identifiers of a kind are in use."""
        return len(self._active_ids[id_type])

    def cleanup_released_ids(self, max_age_seconds: int = 3600) -> int:
        """Forget identifiers released longer than ``max_age_seconds`` ago; return how many."""
        oldest = time.time() - max_age_seconds
        with self._lock:
            old = [key for key, one in self._id_registry.items() if one.context.get(_RELEASED, oldest) < oldest]
            for key in old:
                self._forget(key)
        return len(old)

    def _forget(self, id_value: str) -> None:
        known = self._id_registry.pop(id_value)
        self._active_ids[known.id_type].discard(id_value)
        owned = self._by_user.get(known.context.get("user_id", ""))
        if owned is not None:
            owned.discard(id_value)
            if not owned:
                del self._by_user[known.context["user_id"]]

    def get_stats(self) -> dict[str, Any]:
        """Counts: ``total_registered``, ``total_active``, and by kind ``active_by_type`` and ``counters_by_type``."""
        with self._lock:
            return {
                "total_registered": len(self._id_registry),
                "total_active": sum(map(len, self._active_ids.values())),
                "active_by_type": {kind.value: len(ids) for kind, ids in self._active_ids.items()},
                "counters_by_type": {kind.value: count for kind, count in self._id_counters.items()},
            }

    def reset_counters(self) -> None:
        """Start every counter at 1 again; registered identifiers stay."""
        with self._lock:
            self._id_counters = dict.fromkeys(IDType, 0)

    def clear_all(self) -> None:
        """Forget every identifier and start every counter at 1 again."""
        with self._lock:
            self._id_registry.clear()
            self._by_user.clear()
            for ids in self._active_ids.values():
                ids.clear()
            self.reset_counters()

    # -- threads and runs ---------------------------------------------------------------------------------------------

    @classmethod
    def generate_run_id(cls, thread_id: str) -> str:
        """Return ``run_<thread id>_<ms mod 100000>_<8hex>``."""
        return f"run_{thread_id}_{_short_ms()}_{uuid.uuid4().hex[:8]}"

    @classmethod
    def extract_thread_id(cls, run_id: str) -> str:
        """Return the thread that a run id names: its middle, ``thread_`` before an id of a context or an agent, or the id."""
        if not isinstance(run_id, str) or not run_id:
            return ""
        if run_id.startswith(("websocket_factory_", "context_", "agent_")):
            return f"thread_{run_id}"
        parts = run_id.split("_")
        if parts[0] == "run" and len(parts) > 2:
            return "_".join(parts[1:-2])
        parsed = formats.parse(run_id)
        return parsed.thread if parsed is not None and parsed.format == "early run" else run_id

    @classmethod
    def validate_run_id(cls, run_id: str) -> bool:
        """True for ``run_`` followed by at least a thread, a time and a random part."""
        return isinstance(run_id, str) and run_id.startswith("run_") and len(run_id.split("_")) >= 4

    @classmethod
    def parse_run_id(cls, run_id: str) -> dict[str, str]:
        """Return ``{"prefix", "thread_id", "timestamp", "uuid_part", "uuid"}``, or ``{}`` for anything but a run id."""
        if not cls.validate_run_id(run_id):
            return {}
        parts = run_id.split("_")
        return {
            "prefix": parts[0],
            "thread_id": "_".join(parts[1:-2]),
            "timestamp": parts[-2],
            "uuid_part": parts[-1],
            "uuid": parts[-1],
        }

    @classmethod
    def generate_thread_id(cls) -> str:
        """Return ``session_<ms mod 100000>_<8hex>``: no ``thread_`` in front, callers put that there themselves."""
        return f"session_{_short_ms()}_{uuid.uuid4().hex[:8]}"

    # -- UUIDs and structured identifiers -----------------------------------------------------------------------------

    @classmethod
    def convert_uuid_to_structured(cls, uuid_id: str, id_type: IDType, prefix: Optional[str] = None) -> str:
        """Return the structured identifier of a UUID, always the same one for the same UUID.

        Raises ValueError if ``uuid_id`` is not a UUID.
        """
        try:
            digits = uuid.UUID(uuid_id).hex
        except (ValueError, AttributeError, TypeError):
            raise ValueError(f"Invalid UUID format: {uuid_id}") from None
        counter = int(digits[8:16], 16) % 1_000_000
        return "_".join([*([prefix] if prefix else []), id_type.value, str(counter), digits[:8]])

    @classmethod
    def convert_structured_to_uuid(cls, structured_id: str) -> Optional[str]:
        """Return a UUID for a structured identifier, always the same one; None if it is not structured.

        The UUID begins with the identifier's eight hex digits. It is not the UUID the identifier may have been made
        from: the structured form does not hold enough of that.
        """
        if not is_valid_id_format(structured_id):
            return None
        text = structured_id.strip()
        if formats.is_uuid(text):
            return str(uuid.UUID(text))
        tail = text.rpartition("_")[2].lower()
        if len(tail) != 8 or any(digit not in "0123456789abcdef" for digit in tail):
            return None
        rest = uuid.uuid5(uuid.NAMESPACE_OID, text).hex
        return str(uuid.UUID(hex=tail + rest[:24], version=4))

    def register_uuid_as_structured(self, uuid_id: str, id_type: IDType, context: Optional[dict[str, Any]] = None) -> str:
        """Register a UUID under its structured form and return that; the metadata's context keeps ``original_uuid``."""
        structured = self.convert_uuid_to_structured(uuid_id, id_type)
        origin = {"original_uuid": uuid_id, "migration_source": "uuid_conversion", "converted_at": time.time()}
        self.register_existing_id(structured, id_type, {**(context or {}), **origin})
        return structured

    def validate_and_normalize_id(self, id_value: str, id_type: Optional[IDType] = None) -> tuple[bool, Optional[str]]:
        """Return (True, the identifier, a UUID of known kind in its structured form), or (False, None)."""
        if not self.is_valid_id_format_compatible(id_value, id_type):
            return False, None
        if id_type is not None and formats.is_uuid(id_value) and not self.is_valid_id(id_value):
            return True, self.convert_uuid_to_structured(id_value, id_type)
        return True, id_value

    # -- the bridge to the generator's identifiers --------------------------------------------------------------------

    def generate_websocket_id_with_user_context(self, user_id: str, connection_timestamp: Optional[float] = None) -> str:
        """Make the generator's ``ws_conn_…`` identifier and register it here, owned by ``user_id``."""
        made = UnifiedIdGenerator.generate_websocket_connection_id(user_id, connection_timestamp)
        self._register_bridged(made, IDType.WEBSOCKET, user_id)
        return made

    def generate_user_context_ids_compatible(self, user_id: str, operation: str = "context") -> tuple[str, str, str]:
        """Make the generator's (thread id, run id, request id) and register them here, owned by ``user_id``."""
        ids = UnifiedIdGenerator.generate_user_context_ids(user_id, operation)
        for made, kind in zip(ids, (IDType.THREAD, IDType.RUN, IDType.REQUEST)):
            self._register_bridged(made, kind, user_id, operation=operation)
        return ids

    def _register_bridged(self, made: str, kind: IDType, user_id: str, **more: Any) -> None:
        self.register_existing_id(made, kind, {"user_id": user_id, _BRIDGED: True, **more})

    def find_resources_by_user_pattern_safe(self, user_id: str, id_patterns: Optional[list[str]] = None) -> list[str]:
        """The identifiers in use that belong to exactly this user; with ``id_patterns`` those that contain one of them."""
        with self._lock:
            owned = sorted(one for one in self._by_user.get(user_id, ()) if _RELEASED not in self._id_registry[one].context)
        if id_patterns is None:
            return owned
        return [one for one in owned if any(pattern in one for pattern in id_patterns)]

    def cleanup_websocket_resources_secure(self, user_id: str, target_ids: Optional[list[str]] = None) -> int:
        """Release this user's websocket identifiers (of ``target_ids`` where given); nobody else's. Return how many."""
        owned = set(self.get_websocket_cleanup_ids_fast(user_id))
        chosen = owned if target_ids is None else owned.intersection(target_ids)
        return sum(self.release_id(one) for one in chosen)

    def get_websocket_cleanup_ids_fast(self, user_id: str) -> list[str]:
        """This user's websocket identifiers in use, found without looking at other users' identifiers."""
        found = self.find_resources_by_user_pattern_safe(user_id)
        return [one for one in found if self._id_registry[one].id_type is IDType.WEBSOCKET]

    def get_dual_ssot_performance_stats(self) -> dict[str, Any]:
        """Counts of the identifiers that came from the generator, beside all."""
        with self._lock:
            bridged = [one for one in self._id_registry.values() if one.context.get(_BRIDGED)]
            return {
                "total_ids": len(self._id_registry),
                "dual_ssot_ids": len(bridged),
                "websocket_ids": sum(one.id_type is IDType.WEBSOCKET for one in bridged),
                "active_users": len(self._by_user),
                "bridge_ratio": len(bridged) / len(self._id_registry) if self._id_registry else 0.0,
            }

    def optimize_for_websocket_performance(self) -> None:
        """Forget what was released, so that the registry holds identifiers in use only."""
        self.cleanup_released_ids(0)

    generate_websocket_connection_id = generate_websocket_id_with_user_context
    generate_compatible_context_ids = generate_user_context_ids_compatible

    def cleanup_user_resources(self, user_id: str) -> int:
        """Release every identifier of this user; return how many."""
        return sum(self.release_id(one) for one in self.find_resources_by_user_pattern_safe(user_id))


def _short_ms() -> str:
    """Five digits always: fewer would read as the counter of a context id."""
    return f"{int(time.time() * 1000) % 100000:05d}"


_id_manager: Optional[UnifiedIDManager] = None
_id_manager_lock = threading.Lock()


def get_id_manager() -> UnifiedIDManager:
    """The process's one manager, made on first use."""
    global _id_manager
    with _id_manager_lock:
        if _id_manager is None:
            _id_manager = UnifiedIDManager()
        return _id_manager


def generate_id(id_type: IDType, **kwargs: Any) -> str:
    """Make and register an identifier of a kind with the process's manager."""
    made: str = get_id_manager().generate_id(id_type, **kwargs)
    return made


def generate_user_id() -> str:
    """Make and register a user id."""
    return generate_id(IDType.USER)


def generate_session_id() -> str:
    """Make and register a session id."""
    return generate_id(IDType.SESSION)


def generate_request_id() -> str:
    """Make and register a request id."""
    return generate_id(IDType.REQUEST)


def generate_agent_id() -> str:
    """Make and register an agent id."""
    return generate_id(IDType.AGENT)


def generate_websocket_id() -> str:
    """Make and register a websocket id."""
    return generate_id(IDType.WEBSOCKET)


def generate_execution_id() -> str:
    """Make and register an execution id."""
    return generate_id(IDType.EXECUTION)


def generate_thread_id() -> str:
    """Return :meth:`UnifiedIDManager.generate_thread_id`."""
    return UnifiedIDManager.generate_thread_id()


def is_valid_id(id_value: str, id_type: Optional[IDType] = None) -> bool:
    """True if the identifier is registered with the process's manager."""
    return get_id_manager().is_valid_id(id_value, id_type)


def is_valid_id_format_compatible(id_value: str, id_type: Optional[IDType] = None) -> bool:
    """True if the identifier is registered with the process's manager, or well formed and of no other kind."""
    return get_id_manager().is_valid_id_format_compatible(id_value, id_type)


def convert_uuid_to_structured(uuid_id: str, id_type: IDType, prefix: Optional[str] = None) -> str:
    """Return :meth:`UnifiedIDManager.convert_uuid_to_structured`."""
    return UnifiedIDManager.convert_uuid_to_structured(uuid_id, id_type, prefix)


def convert_structured_to_uuid(structured_id: str) -> Optional[str]:
    """Return :meth:`UnifiedIDManager.convert_structured_to_uuid`."""
    return UnifiedIDManager.convert_structured_to_uuid(structured_id)


def validate_and_normalize_id(id_value: str, id_type: Optional[IDType] = None) -> tuple[bool, Optional[str]]:
    """Return :meth:`UnifiedIDManager.validate_and_normalize_id` of the process's manager."""
    return get_id_manager().validate_and_normalize_id(id_value, id_type)
