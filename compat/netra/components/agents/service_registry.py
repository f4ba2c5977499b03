"""What message handlers need of the application around them: database sessions, agents, contexts.

The application names its factories once with :func:`configure`; a handler asks for what one request needs.
"""

from __future__ import annotations

import inspect
from collections.abc import AsyncIterator, Callable
from typing import Any

__all__ = [
    "ServiceNotConfigured",
    "configure",
    "create_supervisor_core",
    "get_request_scoped_db_session",
    "get_user_execution_context",
    "get_websocket_scoped_supervisor",
    "get_websocket_supervisor_components",
    "is_configured",
]


class ServiceNotConfigured(RuntimeError):
    """A handler asked for something that the application has not named."""


_factories: dict[str, Callable[..., Any]] = {}


def configure(**factories: Callable[..., Any] | None) -> None:
    """Name how requests get what they need; None takes a factory away.

    ``db_session()`` returns a session, or an async context manager of one; ``supervisor(context, db_session)`` returns
    the agent supervisor of one request. Either may be a coroutine function.
    """
    unknown = set(factories) - {"db_session", "supervisor"}
    if unknown:
        raise TypeError(f"unknown service {sorted(unknown)[0]!r}; services are db_session and supervisor")
    for name, factory in factories.items():
        if factory is None:
            _factories.pop(name, None)
        else:
            _factories[name] = factory


def is_configured(name: str) -> bool:
    """Return whether the application has named this service."""
    return name in _factories


def _factory(name: str) -> Callable[..., Any]:
    try:
        return _factories[name]
    except KeyError:
        raise ServiceNotConfigured(
            f"no {name} is configured; call compat.netra.components.agents.service_registry.configure({name}=...) at start-up"
        ) from None


async def _resolved(value: Any) -> Any:
    return await value if inspect.isawaitable(value) else value


async def get_request_scoped_db_session() -> AsyncIterator[Any]:
    """Yield a database session for one request, and release it when the request is over; None without a database."""
    if not is_configured("db_session"):
        yield None
        return
    session = await _resolved(_factory("db_session")())
    if hasattr(session, "__aenter__"):
        async with session as entered:
            yield entered
        return
    try:
        yield session
    finally:
        close = getattr(session, "close", None)
        if close is not None:
            await _resolved(close())


async def get_websocket_scoped_supervisor(context: Any, db_session: Any = None, app_state: Any = None) -> Any:
    """Return the agent supervisor of one request."""
    return await create_supervisor_core(context, db_session, **await get_websocket_supervisor_components(app_state))


async def get_websocket_supervisor_components(app_state: Any = None) -> dict[str, Any]:
    """Return what a supervisor is made of beside its request: nothing, the application's factory knows its own."""
    return {}


async def create_supervisor_core(context: Any, db_session: Any = None, **components: Any) -> Any:
    """Return a supervisor from the application's factory."""
    return await _resolved(_factory("supervisor")(context, db_session))


def get_user_execution_context(user_id: str, thread_id: str | None = None, run_id: str | None = None, **fields: Any) -> Any:
    """Return an execution context of a user; the IDs that are not given are made."""
    from ..context import UserExecutionContext
    from ..ids.generator import UnifiedIdGenerator

    thread, run, request = UnifiedIdGenerator.generate_user_context_ids(user_id, "websocket")
    fields.setdefault("request_id", request)
    return UserExecutionContext(user_id=user_id, thread_id=thread_id or thread, run_id=run_id or run, **fields)
