"""For whom a legacy manager is made: the user of its context, a synthetic one in tests, or whoever each call names."""

from __future__ import annotations

import sys
import weakref
from types import SimpleNamespace
from typing import Any

from compat.canonical.errors import FactoryBypassDetected, UserIsolationViolation
from compat.canonical.factory import WebSocketManagerFactory, get_websocket_manager_factory

from ... import testing_mode
from .user_managers import isolated_factory

BYPASS = "Direct instantiation not allowed. Use get_websocket_manager() factory function."


def chosen(strict: bool, context: Any, token: Any) -> tuple[WebSocketManagerFactory, Any, str | None]:
    """Where the managers come from, for whom, and the only user that may be reached (None: each call names one)."""
    testing = testing_mode.is_testing()
    if token is not None and (not isinstance(token, str) or len(token) < 16):
        length = len(token) if isinstance(token, str) else 0
        raise FactoryBypassDetected(f"Invalid SSOT authorization token format (length: {length})")
    if context is not None:
        return (
            (factory_of(context), context, None) if testing else (get_websocket_manager_factory(), context, str(context.user_id))
        )
    if testing:
        synthetic = SimpleNamespace(
            user_id="test_user_824", thread_id="test_thread_824", request_id="test_request_824", is_test=True
        )
        return isolated_factory(), synthetic, None
    if not strict:
        return get_websocket_manager_factory(), None, None
    if token is not None:
        raise UserIsolationViolation("UserExecutionContext required for proper user isolation")
    raise FactoryBypassDetected(f"{BYPASS} Caller: {_caller()}")


_factories: dict[int, tuple[weakref.ref[Any], WebSocketManagerFactory]] = {}


def factory_of(context: Any) -> WebSocketManagerFactory:
    """In tests each context object has managers of its own, so that no test sees another's connections."""
    known = _factories.get(id(context))
    if known is not None and known[0]() is context:
        return known[1]
    made = isolated_factory()
    try:
        _factories[id(context)] = weakref.ref(context, lambda _: _factories.pop(id(context), None)), made
    except TypeError:
        pass  # an object without weak references: each manager for it is on its own
    return made


def _caller() -> str:
    """The function that called the class."""
    frame = sys._getframe(1)
    while frame.f_back is not None and str(frame.f_globals.get("__name__", "")).startswith("compat."):
        frame = frame.f_back
    return frame.f_code.co_name
