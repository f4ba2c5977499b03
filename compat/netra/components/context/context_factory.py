"""Functions that make, check and hold user execution contexts."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timezone
from typing import Any, Optional

from ..ids import generator
from . import isolation, user
from .isolation import InvalidContextError
from .user import UserExecutionContext


class WrongContextType(InvalidContextError, TypeError):
    """Something else was given where a user execution context is needed."""


def validate_user_context(context: Any) -> UserExecutionContext:
    """Return ``context`` if it is an isolated user execution context.

    Raises TypeError for anything else, ContextIsolationError where it holds what is not its own.
    """
    if not isinstance(context, UserExecutionContext):
        raise WrongContextType(f"Expected UserExecutionContext, got: {type(context)}")
    context.verify_isolation()
    return context


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

    With ``validate_user`` the identifiers are checked before anything is made. Raises InvalidContextError.
    """
    if validate_user:
        isolation.require_identifier("user_id", user_id)
        isolation.require_identifier("request_id", request_id)
    made_thread, made_run, _ = generator.UnifiedIdGenerator.generate_user_context_ids(user_id, "isolated")
    client_id = getattr(websocket_emitter, "websocket_client_id", None)
    context = user.UserExecutionContext(
        user_id=user_id,
        thread_id=thread_id or made_thread,
        run_id=run_id or made_run,
        request_id=request_id,
        db_session=database_session,
        websocket_client_id=client_id if isinstance(client_id, str) else None,
        agent_context={"isolation_level": isolation_level, "has_websocket_emitter": websocket_emitter is not None},
        audit_metadata={
            "isolation_level": isolation_level,
            "validation_performed": validate_user,
            "factory_method": "create_isolated_execution_context",
            "creation_timestamp": datetime.now(timezone.utc).isoformat(),
            "has_database_session": database_session is not None,
            "has_websocket_emitter": websocket_emitter is not None,
        },
    )
    if websocket_emitter is not None:
        context.set_dependency("websocket_emitter", websocket_emitter)
    context.verify_isolation()
    return context


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
