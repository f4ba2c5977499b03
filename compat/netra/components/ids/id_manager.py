"""The manager of registered identifiers: makes them by kind, remembers them, and knows which are in use."""

from __future__ import annotations

import functools
import re
import threading
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Optional, Union

from compat.canonical.core.logged import get_logger
from compat.netra.components.process_wide import only

from . import formats
from .formats import IDType, is_valid_id_format
from .generator import UnifiedIdGenerator

logger = get_logger(__name__)

_HEX = re.compile(r"[0-9a-fA-F]{8}")
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

    #: How many identifiers are known; those that were registered longest ago are forgotten.
    LIMIT = 100_000

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
        """Make and register an identifier by kind, ``[prefix_]user_1_9c666592``; by a word ``word_53b34623``, not registered."""
        if isinstance(id_type_or_prefix, str):
            return f"{id_type_or_prefix}_{uuid.uuid4().hex[:8]}"
        if not isinstance(id_type_or_prefix, IDType):
            raise TypeError(f"id_type must be an IDType or a text, not {type(id_type_or_prefix).__name__}")
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
        if len(self._id_registry) > self.LIMIT:
            self._forget(next(iter(self._id_registry)))
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
        """Return the thread that a run id names: its middle, ``thread_`` before an id of a context or an agent, else the id."""
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
        """True for ``run_`` followed by at least a thread, a time and a random part of eight characters."""
        parts = run_id.split("_") if isinstance(run_id, str) else []
        return len(parts) >= 4 and parts[0] == "run" and len(parts[-1]) == 8

    @classmethod
    def parse_run_id(cls, run_id: str) -> dict[str, Any]:
        """Return ``{"thread_id", "timestamp", "uuid_part", "valid"}``; empty texts and False for anything but a run id."""
        if not cls.validate_run_id(run_id):
            return {"thread_id": "", "timestamp": "", "uuid_part": "", "valid": False}
        parts = run_id.split("_")
        return {"thread_id": "_".join(parts[1:-2]), "timestamp": parts[-2], "uuid_part": parts[-1], "valid": True}

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
        """Return ``<8hex>-0000-4000-8000-000000000000`` for a structured identifier, None for another form, UUIDs too.

        It is not the UUID the identifier may have been made from: the structured form does not hold enough of that.
        """
        if not isinstance(structured_id, str):
            return None
        text = structured_id.strip()
        tail = text.rpartition("_")[2].lower()
        if text.count("_") < 2 or not _HEX.fullmatch(tail):
            return None
        return f"{tail}-0000-4000-8000-000000000000"

    @classmethod
    def _is_uuid_format(cls, id_value: str) -> bool:
        return isinstance(id_value, str) and formats.is_uuid(id_value)

    @classmethod
    def _is_structured_id_format(cls, id_value: str) -> bool:
        return not cls._is_uuid_format(id_value) and cls._validate_structured_format(id_value)

    @classmethod
    def _validate_structured_format(cls, id_value: str) -> bool:
        parts = id_value.split("_") if isinstance(id_value, str) else []
        if len(parts) < 3 or not _HEX.fullmatch(parts[-1]) or not parts[-2].isdecimal():
            return False
        rest = "_".join(parts[:-2])
        known = cls._extract_id_type_from_structured(id_value) is not None or parts[0] in ("req", "run", "thread")
        return known or any(word in rest for word in ("websocket_factory", "websocket_manager", "agent_executor"))

    @classmethod
    def _extract_id_type_from_structured(cls, id_value: str) -> Optional[IDType]:
        kinds = {kind.value: kind for kind in IDType}
        return next((kinds[part] for part in id_value.split("_")[:-2] if part in kinds), None)

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
        for made, kind in zip(ids, (IDType.THREAD, IDType.EXECUTION, IDType.REQUEST)):
            self._register_bridged(made, kind, user_id, operation=operation)
        return ids

    def _register_bridged(self, made: str, kind: IDType, user_id: str, **more: Any) -> None:
        if self.register_existing_id(made, kind, {"user_id": user_id, _BRIDGED: True, **more}):
            self._id_registry[made].prefix = user_id[:8]

    def find_resources_by_user_pattern_safe(self, user_id: str, id_patterns: Optional[list[str]] = None) -> list[str]:
        """The identifiers in use that belong to exactly this user; with ``id_patterns`` those that contain one of them."""
        with self._lock:
            owned = sorted(one for one in self._by_user.get(user_id, ()) if _RELEASED not in self._id_registry[one].context)
        if id_patterns is None:
            return owned
        return [one for one in owned if any(pattern in one for pattern in id_patterns)]

    def cleanup_websocket_resources_secure(self, user_id: str, target_ids: Optional[list[str]] = None) -> int:
        """Release this user's identifiers of all kinds (of ``target_ids`` where given); nobody else's. Return how many."""
        owned = set(self.get_websocket_cleanup_ids_fast(user_id))
        for foreign in sorted(set(target_ids or ()) - owned):
            logger.warning("ID %s is not in use by user %s: it is left", foreign, user_id)
        chosen = owned if target_ids is None else owned.intersection(target_ids)
        return sum(self.release_id(one) for one in chosen)

    def get_websocket_cleanup_ids_fast(self, user_id: str) -> list[str]:
        """This user's identifiers in use, found without looking at other users' identifiers."""
        return self.find_resources_by_user_pattern_safe(user_id)

    def get_dual_ssot_performance_stats(self) -> dict[str, Any]:
        """Counts of the identifiers that came from the generator, beside all."""
        with self._lock:
            bridged = sum(1 for one in self._id_registry.values() if one.context.get(_BRIDGED))
            total = len(self._id_registry)
            return {
                "dual_ssot_bridge_ids": bridged,
                "total_bridge_ids": bridged,
                "bridge_usage_percent": bridged / total * 100 if total else 0.0,
                "total_registered_ids": total,
                "performance_mode": "compatibility_bridge",
            }

    def optimize_for_websocket_performance(self) -> None:
        """Forget what was released, so that the registry holds identifiers in use only."""
        self.cleanup_released_ids(0)

    generate_websocket_connection_id = generate_websocket_id_with_user_context
    generate_compatible_context_ids = generate_user_context_ids_compatible

    cleanup_user_resources = cleanup_websocket_resources_secure


def _short_ms() -> str:
    """Five digits always: fewer would read as the counter of a context id."""
    return f"{int(time.time() * 1000) % 100000:05d}"


_id_manager: Optional[UnifiedIDManager] = None


def get_id_manager() -> UnifiedIDManager:
    """The process's one manager, made on first use."""
    return only(globals(), "_id_manager", UnifiedIDManager)


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
    """Make and register a thread id; :meth:`UnifiedIDManager.generate_thread_id` makes others."""
    return generate_id(IDType.THREAD)


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
