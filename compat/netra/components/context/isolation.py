"""What a context may not hold: placeholder identifiers, reserved keys, other users' objects, shared objects."""

from __future__ import annotations

import copy
import threading
from collections.abc import Iterator, Mapping
from typing import Any

from .. import environment


class InvalidContextError(ValueError):
    """A context's values are missing, placeholders, or of the wrong type."""


class ContextIsolationError(Exception):
    """A context holds what belongs to another user or is shared between contexts."""


IDENTIFIERS = ("user_id", "thread_id", "run_id", "request_id")
RESERVED_KEYS = frozenset({*IDENTIFIERS, "created_at", "db_session", "websocket_client_id"})

_PLACEHOLDERS = frozenset(
    [
        "registry",
        "placeholder",
        "default",
        "temp",
        "none",
        "null",
        "undefined",
        "0",
        "1",
        "xxx",
        "yyy",
        "example",
        "test",
        "demo",
        "sample",
        "template",
        "mock",
        "fake",
        "dummy",
    ]
)
_PLACEHOLDER_PREFIXES = tuple(
    f"{word}_" for word in ["placeholder", "registry", "temp", "example", "demo", "sample", "template", "mock", "fake", "default"]
)
_NAMED_DEFAULTS = frozenset(f"default_{word}" for word in ["user", "admin", "system", "account", "service", "client", "guest"])
_PLACEHOLDER_DEFAULTS = frozenset(
    f"default_{word}" for word in ["placeholder", "temp", "registry", "example", "demo", "sample", "template", "mock", "fake"]
)
_PREVENTS = "This prevents proper request isolation."
_INDICATES = "This indicates improper context initialization."
_SHORT = 20

_SHARED_OBJECT_REGISTRY: set[int] = set()
_registered: list[Any] = []
_registry_lock = threading.Lock()


def register_shared_object(obj: Any) -> None:
    """Declare an object as shared: a context that holds it fails ``verify_isolation()``."""
    with _registry_lock:
        if id(obj) not in _SHARED_OBJECT_REGISTRY:
            _SHARED_OBJECT_REGISTRY.add(id(obj))
            # Kept alive: the id of a collected object may be given to a new, innocent one.
            _registered.append(obj)


def clear_shared_object_registry() -> None:
    """Forget every object declared as shared."""
    with _registry_lock:
        _SHARED_OBJECT_REGISTRY.clear()
        _registered.clear()


def require_identifier(field: str, value: Any) -> None:
    """Raise InvalidContextError unless ``value`` is a non-empty string."""
    if not isinstance(value, str) or not value.strip():
        raise InvalidContextError(f"Required field '{field}' must be a non-empty string, got: {value!r}")


def refuse_placeholder(field: str, value: str) -> None:
    """Raise InvalidContextError for values that stand in for a real identifier."""
    lowered = value.lower()
    if lowered in _PLACEHOLDER_DEFAULTS:
        raise InvalidContextError(f"Field '{field}' contains forbidden default placeholder pattern: {value!r}. {_PREVENTS}")
    if lowered in _PLACEHOLDERS:
        raise InvalidContextError(f"Field '{field}' contains forbidden placeholder value: {value!r}. {_PREVENTS}")
    if len(value) >= _SHORT or lowered in _NAMED_DEFAULTS:
        return
    prefixes = _PLACEHOLDER_PREFIXES
    if lowered.startswith("test_") and not environment.IsolatedEnvironment().is_test():
        prefixes = ("test_",)
    found = next((prefix for prefix in prefixes if lowered.startswith(prefix)), None)
    if found:
        raise InvalidContextError(f"Field '{field}' appears to contain placeholder pattern: {value!r}. {_INDICATES}")


def own_mapping(field: str, value: Any) -> dict[str, Any]:
    """Return a deep copy of a context's mapping; InvalidContextError if it is no dict or has reserved keys."""
    if not isinstance(value, dict):
        raise InvalidContextError(f"{field} must be a dictionary, got: {type(value)}")
    reserved = sorted(RESERVED_KEYS.intersection(value))
    if reserved:
        listed = ", ".join(map(repr, reserved))
        raise InvalidContextError(f"{field} contains reserved keys: {{{listed}}}. These are fields of the context itself.")
    return detached(value)


def detached(value: dict[str, Any]) -> dict[str, Any]:
    """A deep copy; values that cannot be copied (locks, sockets, open sessions) are kept as they are."""
    try:
        return copy.deepcopy(value)
    except Exception:
        return {key: _copied(item) for key, item in value.items()}


def _copied(item: Any) -> Any:
    try:
        return copy.deepcopy(item)
    except Exception:
        return item


def refuse_foreign_objects(user_id: str, where: str, value: Any) -> None:
    """Raise ContextIsolationError for an object, at any depth, whose ``user_id`` attribute names another user."""
    for path, item in _walk(value, where, set()):
        owner = None if isinstance(item, (Mapping, list, tuple, set, str, int, float)) else getattr(item, "user_id", None)
        if isinstance(owner, str) and owner != user_id:
            raise ContextIsolationError(f"Cross-user contamination detected in {path}: expected user_id {user_id}, found {owner}")


def refuse_shared_objects(where: str, value: Any) -> None:
    """Raise ContextIsolationError for an object, at any depth, that was declared as shared."""
    if not _SHARED_OBJECT_REGISTRY:
        return
    for path, item in _walk(value, where, set()):
        if id(item) in _SHARED_OBJECT_REGISTRY:
            raise ContextIsolationError(f"{path} is shared between contexts - isolation violated")


def _walk(value: Any, path: str, seen: set[int]) -> Iterator[tuple[str, Any]]:
    if id(value) in seen:
        return
    yield path, value
    if isinstance(value, Mapping):
        children = [(f"{path}[{key!r}]", item) for key, item in value.items()]
    elif isinstance(value, (list, tuple, set)):
        children = [(f"{path}[{index}]", item) for index, item in enumerate(value)]
    else:
        return
    seen.add(id(value))
    for where, item in children:
        yield from _walk(item, where, seen)
