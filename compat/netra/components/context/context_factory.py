"""Functions that make, check and hold user execution contexts."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Optional

from ..ids import generator, id_manager
from . import isolation, user
from .isolation import InvalidContextError
from .user import UserExecutionContext

_USERS_NAMED = "SELECT id, is_active FROM {} WHERE id = :user_id"
_USER_QUERY = " UNION ALL ".join(_USERS_NAMED.format(table) for table in ("auth.users", "users")) + " LIMIT 1"


class WrongContextType(InvalidContextError, TypeError):
    """Something else was given where a user execution context is needed."""


def validate_user_context(context: Any) -> UserExecutionContext:
    """Return ``context`` if it is an isolated user execution context.

    A strongly typed one becomes a plain one of its four identifiers. Raises TypeError for anything else,
    ContextIsolationError where it holds what is not its own.
    """
    if isinstance(context, UserExecutionContext):
        context.verify_isolation()
        return context
    from ..agents.execution_types import StronglyTypedUserExecutionContext

    if isinstance(context, StronglyTypedUserExecutionContext):
        user_id, thread_id, run_id, request_id = (str(getattr(context, name)) for name in isolation.IDENTIFIERS)
        return user.UserExecutionContext(user_id, thread_id, run_id, request_id)
    raise WrongContextType(f"Expected UserExecutionContext or StronglyTypedUserExecutionContext, got: {type(context)}")


@asynccontextmanager
async def managed_user_context(
    context: UserExecutionContext, cleanup_db_session: bool = True
) -> AsyncIterator[UserExecutionContext]:
    """Hold a context for a block: at its end the cleanup callbacks run and the database session is closed."""
    validate_user_context(context)
    try:
        yield context
    except Exception as error:
        user.logger.error("Error in managed context of request %s: %s", context.request_id, error)
        raise
    finally:
        await context.cleanup()
        if cleanup_db_session and context.db_session is not None:
            try:
                await context.db_session.close()
            except Exception as error:
                user.logger.error("Error closing the database session of request %s: %s", context.request_id, error)


class UserContextFactory:
    """Makes contexts with and without a database session."""

    @staticmethod
    def create_context(
        user_id: str,
        thread_id: str,
        run_id: str,
        request_id: Optional[str] = None,
        websocket_client_id: Optional[str] = None,
    ) -> UserExecutionContext:
        """Return a context without a database session."""
        return user.UserExecutionContext.from_request(
            user_id, thread_id, run_id, request_id, websocket_client_id=websocket_client_id
        )

    @staticmethod
    def create_with_session(
        user_id: str,
        thread_id: str,
        run_id: str,
        db_session: Any,
        request_id: Optional[str] = None,
        websocket_client_id: Optional[str] = None,
    ) -> UserExecutionContext:
        """Return a context with a database session."""
        return user.UserExecutionContext.from_request(
            user_id, thread_id, run_id, request_id, db_session=db_session, websocket_client_id=websocket_client_id
        )


async def create_isolated_execution_context(
    user_id: str,
    request_id: str,
    database_session: Optional[Any] = None,
    websocket_emitter: Optional[Any] = None,
    thread_id: Optional[str] = None,
    run_id: Optional[str] = None,
    validate_user: bool = True,
    isolation_level: str = "standard",
) -> UserExecutionContext:
    """Return a context of its own for one request; thread and run ids are made where none are given.

    With ``validate_user`` and a session the user is looked up. Raises InvalidContextError for bad identifiers, for a user
    who is unknown or not active, and, at the isolation level ``strict``, where that cannot be found out.
    """
    for name, value in (("user_id", user_id), ("request_id", request_id)):
        if not isinstance(value, str) or not value.strip():
            raise InvalidContextError(f"{name} must be a non-empty string")
    is_validated = bool(validate_user and database_session is not None)
    if is_validated:
        await _require_active_user(database_session, user_id, isolation_level)
    thread_id = thread_id or id_manager.UnifiedIDManager.generate_thread_id()
    context = user.UserExecutionContext(
        user_id=user_id,
        thread_id=thread_id,
        run_id=run_id or id_manager.UnifiedIDManager.generate_run_id(thread_id),
        request_id=request_id,
        db_session=database_session,
        websocket_client_id=_client_of(websocket_emitter, user_id),
        agent_context={
            "isolation_level": isolation_level,
            "created_via": "create_isolated_execution_context",
            "validated_user": is_validated,
            "has_websocket_emitter": websocket_emitter is not None,
            "has_database_session": database_session is not None,
        },
        audit_metadata={
            "context_source": "ssot_isolated_factory",
            "isolation_level": isolation_level,
            "validation_performed": is_validated,
            "factory_method": "create_isolated_execution_context",
        },
    )
    if websocket_emitter is not None:
        context.set_dependency("websocket_emitter", websocket_emitter)
    context.verify_isolation()
    return context


def _client_of(emitter: Any, user_id: str) -> Optional[str]:
    if emitter is None:
        return None
    owner = getattr(emitter, "user_id", None)
    return f"ws_{owner if isinstance(owner, str) and owner else user_id}"


async def _require_active_user(session: Any, user_id: str, isolation_level: str) -> None:
    try:
        row = (await session.execute(_query(), {"user_id": user_id})).fetchone()
        row = await row if inspect.isawaitable(row) else row
        is_active = row is not None and bool(row[1])
    except Exception as error:
        if isolation_level == "strict":
            raise InvalidContextError(f"User validation required in strict isolation mode but failed: {error}") from error
        user.logger.warning(f"User {user_id} could not be validated: {error}")
        return
    if row is None:
        raise InvalidContextError(f"User {user_id} not found in database")
    if not is_active:
        raise InvalidContextError(f"User {user_id} is not active")


def _query() -> Any:
    # A session that takes statements as text serves where SQLAlchemy is not installed.
    try:
        sqlalchemy = importlib.import_module("sqlalchemy")
    except ImportError:
        return _USER_QUERY
    return sqlalchemy.text(_USER_QUERY)


def create_user_execution_context(
    user_id: str,
    thread_id: Optional[str] = None,
    run_id: Optional[str] = None,
    db_session: Optional[Any] = None,
    websocket_client_id: Optional[str] = None,
    **kwargs: Any,
) -> UserExecutionContext:
    """Return a context for a user; thread and run ids are made where none are given."""
    made_thread, made_run, _ = generator.UnifiedIdGenerator.generate_user_context_ids(user_id, "context")
    fields = {"db_session": db_session, "websocket_client_id": websocket_client_id, **kwargs}
    return user.UserExecutionContext.create_for_user(user_id, thread_id or made_thread, run_id or made_run, **fields)


def create_defensive_user_execution_context(
    user_id: str, websocket_client_id: Optional[str] = None, fallback_context: Optional[dict[str, Any]] = None
) -> UserExecutionContext:
    """Return :meth:`UserExecutionContext.create_defensive_user_execution_context`."""
    return user.UserExecutionContext.create_defensive_user_execution_context(user_id, websocket_client_id, fallback_context)
