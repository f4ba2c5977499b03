"""The user execution context: one user, one thread, one run, one request, and what belongs to them."""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import inspect
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any, Optional

from compat.canonical.core.logged import get_logger

from ..ids import formats, generator, id_manager
from . import isolation
from .dependencies import Dependencies
from .isolation import ContextIsolationError, InvalidContextError
from .memory import remembered
from .otherwise import MadeOtherwise
from .views import ContextViews

if TYPE_CHECKING:
    from .execution import ExecutionContext

logger = get_logger(__name__)

MAX_DEPTH = 10

__all__ = ["ContextIsolationError", "InvalidContextError", "UserExecutionContext", "logger"]


def _new_id(prefix: str) -> str:
    return generator.UnifiedIdGenerator.generate_base_id(prefix)


@dataclass(frozen=True)
class UserExecutionContext(ContextViews, Dependencies, MadeOtherwise):
    """Whose work is done: frozen, checked when made, with deep copies of what it is given.

    Raises InvalidContextError for empty or placeholder identifiers, for mappings with reserved keys, and for a depth
    beyond 10; ContextIsolationError for objects of another user.
    """

    user_id: str
    thread_id: str
    run_id: str
    request_id: str = field(default_factory=lambda: _new_id("user_request"))
    db_session: Optional[Any] = field(default=None, repr=False, compare=False)
    websocket_client_id: Optional[str] = field(default=None)
    created_at: datetime = field(default_factory=lambda: datetime.now(timezone.utc))
    agent_context: dict[str, Any] = field(default_factory=dict)
    audit_metadata: dict[str, Any] = field(default_factory=dict)
    operation_depth: int = field(default=0)
    parent_request_id: Optional[str] = field(default=None)
    cleanup_callbacks: list[Callable[..., Any]] = field(default_factory=list, repr=False, compare=False)
    _isolation_token: str = field(default_factory=lambda: _new_id("isolation_token"), repr=False, compare=False)
    _memory_refs: list[Any] = field(default_factory=list, repr=False, compare=False)
    _validation_fingerprint: Optional[str] = field(default=None, repr=False, compare=False)

    def __post_init__(self) -> None:
        for name in isolation.IDENTIFIERS:
            isolation.require_identifier(name, getattr(self, name))
        for name in isolation.IDENTIFIERS:
            isolation.refuse_placeholder(name, getattr(self, name))
        named = formats.thread_of_run(self.run_id)
        parsed = formats.parse(self.run_id)
        if named and named != self.thread_id and not (parsed and parsed.format in ("context", "generated")):
            logger.warning("run_id %r was made for thread %r, the context is for thread %r", self.run_id, named, self.thread_id)
        for name in ("agent_context", "audit_metadata"):
            isolation.refuse_foreign_objects(self.user_id, name, getattr(self, name))
            object.__setattr__(self, name, isolation.own_mapping(name, getattr(self, name)))
        self.audit_metadata.update(
            context_created_at=self.created_at.isoformat(),
            context_version="1.0",
            isolation_verified=True,
            operation_depth=self.operation_depth,
            **({"parent_request_id": self.parent_request_id} if self.parent_request_id else {}),
        )
        object.__setattr__(self, "_validation_fingerprint", self._fingerprint())
        object.__setattr__(self, "_made_for", self._identity())
        object.__setattr__(self, "_memory_refs", [remembered(self, self._validation_fingerprint)])
        self._warn_of_foreign_client()

    def __hash__(self) -> int:
        return hash(self._identity())

    def __getstate__(self) -> dict[str, Any]:
        # Weak references cannot be pickled; a copy gets one of its own.
        return {**self.__dict__, "_memory_refs": []}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        object.__setattr__(self, "_memory_refs", [remembered(self, self._validation_fingerprint)])

    def _identity(self) -> tuple[str, ...]:
        return self.user_id, self.thread_id, self.run_id, self.request_id

    def _fingerprint(self) -> str:
        text = ":".join((self.user_id, self.thread_id, self.request_id, self._isolation_token))
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def _warn_of_foreign_client(self) -> None:
        client = self.websocket_client_id
        if not isinstance(client, str) or self.user_id in client:
            return
        foreign = [part for part in client.split("_") if part.startswith("user") or part.endswith("user")]
        # A generated id names the first eight characters of its user.
        if foreign and formats.owner_of(client) != self.user_id[:8]:
            logger.warning(
                f"POTENTIAL ISOLATION ISSUE: websocket_client_id {client!r} names {foreign[0]!r}, "
                f"the context is of user {self.user_id!r}"
            )

    # -- made from what is at hand ------------------------------------------------------------------------------------

    @classmethod
    def from_request(
        cls,
        user_id: str,
        thread_id: str,
        run_id: str,
        request_id: Optional[str] = None,
        db_session: Optional[Any] = None,
        websocket_client_id: Optional[str] = None,
        agent_context: Optional[dict[str, Any]] = None,
        audit_metadata: Optional[dict[str, Any]] = None,
    ) -> UserExecutionContext:
        """Return the context of one request; a request id is made where none is given."""
        return cls(
            user_id=user_id,
            thread_id=thread_id,
            run_id=run_id,
            request_id=request_id or _new_id("user_request"),
            db_session=db_session,
            websocket_client_id=websocket_client_id,
            agent_context={} if agent_context is None else agent_context,
            audit_metadata={} if audit_metadata is None else audit_metadata,
        )

    @classmethod
    def create_for_user(cls, user_id: str, thread_id: str, run_id: str, **kwargs: Any) -> UserExecutionContext:
        """Return a context for a user; further keywords are fields, or ``metadata`` and ``websocket_connection_id``."""
        if "metadata" in kwargs or "websocket_connection_id" in kwargs:
            return cls.from_request_supervisor(user_id, thread_id, run_id, **kwargs)
        given = {name: value for name, value in kwargs.items() if value is not None}
        return cls(user_id=user_id, thread_id=thread_id, run_id=run_id, **given)

    # -- made from this one -------------------------------------------------------------------------------------------

    def create_child_context(
        self,
        operation_name: str,
        additional_agent_context: Optional[dict[str, Any]] = None,
        additional_audit_metadata: Optional[dict[str, Any]] = None,
    ) -> UserExecutionContext:
        """Return the context of a part of this work: same user, thread and run, a new request one level deeper.

        Raises InvalidContextError without a name, and beyond the greatest depth, 10.
        """
        depth = self._depth_of_child(operation_name)
        agent_context = {
            **self.agent_context,
            "parent_operation": self.agent_context.get("operation_name", "root"),
            "operation_name": operation_name,
            "operation_depth": depth,
            **(additional_agent_context or {}),
        }
        audit_metadata = {
            **self.audit_metadata,
            "operation_name": operation_name,
            "child_created_at": datetime.now(timezone.utc).isoformat(),
            **(additional_audit_metadata or {}),
        }
        return self._child(depth, agent_context, audit_metadata)

    def create_child_context_supervisor(
        self, operation_name: str, additional_metadata: Optional[dict[str, Any]] = None
    ) -> UserExecutionContext:
        """Return the context of a part of this work whose agent context is the operation's name and what is given."""
        depth = self._depth_of_child(operation_name)
        agent_context = {"isolation_verified": True, "operation_name": operation_name, **(additional_metadata or {})}
        return self._child(depth, agent_context, {})

    def _depth_of_child(self, operation_name: str) -> int:
        if not isinstance(operation_name, str) or not operation_name.strip():
            raise InvalidContextError("operation_name must be a non-empty string")
        if self.operation_depth >= MAX_DEPTH:
            raise InvalidContextError(f"Maximum operation depth ({MAX_DEPTH}) exceeded. Current depth: {self.operation_depth}")
        return self.operation_depth + 1

    def _child(self, depth: int, agent_context: dict[str, Any], audit_metadata: dict[str, Any]) -> UserExecutionContext:
        return self._changed(
            request_id=_new_id("user_request"),
            created_at=datetime.now(timezone.utc),
            agent_context=agent_context,
            audit_metadata=audit_metadata,
            operation_depth=depth,
            parent_request_id=self.request_id,
            cleanup_callbacks=[],
        )

    def with_db_session(self, db_session: Any) -> UserExecutionContext:
        """Return this context with a database session; InvalidContextError for None."""
        if db_session is None:
            raise InvalidContextError("db_session cannot be None")
        return self._changed(db_session=db_session)

    def with_websocket_connection(self, connection_id: str) -> UserExecutionContext:
        """Return this context with a websocket client; InvalidContextError for an empty id."""
        if not isinstance(connection_id, str) or not connection_id.strip():
            raise InvalidContextError("connection_id must be a non-empty string")
        return self._changed(websocket_client_id=connection_id)

    def with_websocket_connection_supervisor(self, connection_id: str) -> UserExecutionContext:
        """Return :meth:`with_websocket_connection`."""
        return self.with_websocket_connection(connection_id)

    def _changed(self, **changes: Any) -> UserExecutionContext:
        changed = dataclasses.replace(self, **{"_isolation_token": _new_id("isolation_token"), **changes})
        object.__setattr__(changed, "_dependencies", dict(self._held()))
        return changed

    # -- asked ----------------------------------------------------------------------------------------------------------

    def verify_isolation(self) -> bool:
        """Return True if nothing here is shared or another user's; ContextIsolationError otherwise."""
        if self.db_session is not None and id(self.db_session) in isolation._SHARED_OBJECT_REGISTRY:
            raise ContextIsolationError("Database session is shared between contexts")
        for name in ("agent_context", "audit_metadata"):
            value = getattr(self, name)
            isolation.refuse_shared_objects(name, value)
            isolation.refuse_foreign_objects(self.user_id, name, value)
        if self.__dict__["_made_for"] != self._identity() or self._validation_fingerprint != self._fingerprint():
            raise ContextIsolationError("the identifiers of this context were changed after it was made")
        return True

    async def cleanup(self) -> None:
        """Run the cleanup callbacks, last added first; one that fails is logged and does not stop the others."""
        while self.cleanup_callbacks:
            callback = self.cleanup_callbacks.pop()
            try:
                result = callback()
                if inspect.isawaitable(result):
                    await result
            except Exception as error:
                logger.error("Error in cleanup callback of request %s: %s", self.request_id, error)

    def to_execution_context(self) -> ExecutionContext:
        """Return the form in which agents take their context."""
        from .execution import ExecutionContext

        return ExecutionContext.of(self)


def _with_session_labels(init: Callable[..., None]) -> Callable[..., None]:
    """Let the constructor take ``session_id`` and ``workspace_id``, kept in the agent context.

    A context that names a session may leave out thread and run: the session is the thread, the run is new.
    """

    @functools.wraps(init)
    def __init__(self: UserExecutionContext, *args: Any, **kwargs: Any) -> None:
        labels = {name: kwargs.pop(name) for name in ("session_id", "workspace_id") if name in kwargs}
        if labels:
            given = {name: value for name, value in labels.items() if value is not None}
            kwargs["agent_context"] = {**given, **(kwargs.get("agent_context") or {})}
            if labels.get("session_id"):
                if len(args) < 2:
                    kwargs.setdefault("thread_id", labels["session_id"])
                if len(args) < 3:
                    thread_id = kwargs.get("thread_id") or args[1]
                    kwargs.setdefault("run_id", id_manager.UnifiedIDManager.generate_run_id(thread_id))
        init(self, *args, **kwargs)

    return __init__


UserExecutionContext.__init__ = _with_session_labels(UserExecutionContext.__init__)  # type: ignore[method-assign]
