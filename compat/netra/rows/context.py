"""The user execution context by every path it was ever imported by, and the arguments its constructors used to take."""

from __future__ import annotations

from compat.ledger import Argument, Method, Move, names

from ..advice.people import CHECKED
from ..advice.people import CONTEXT as CONTEXT_ADVICE

WHEN = {"since": "1.0", "removal": "3.0"}
HOME = "compat.netra.components.context"
CONTEXT = f"{HOME}.user:UserExecutionContext"
SERVICES = "netra_backend.app.services.user_execution_context"
SUPERVISOR = "netra_backend.app.agents.supervisor.user_execution_context"

_PARTS = {
    "user": "UserExecutionContext logger",
    "isolation": (
        "InvalidContextError ContextIsolationError register_shared_object clear_shared_object_registry _SHARED_OBJECT_REGISTRY"
    ),
    "context_factory": (
        "validate_user_context managed_user_context UserContextFactory UserExecutionContextFactory=UserContextFactory "
        "create_isolated_execution_context create_defensive_user_execution_context create_user_execution_context"
    ),
    "context_manager": "UserContextManager UserExecutionContextManager=UserContextManager",
}
_OLD_NAMES = {
    "isolation": "clear_shared_objects=clear_shared_object_registry _SHARED_OBJECTS=_SHARED_OBJECT_REGISTRY",
    "context_factory": "create_test_user_context=create_user_execution_context",
}

# Modules that stood for the one in services, and paths that only ever stood in imports.
_OTHER_PATHS = """\
netra_backend.app.models.user_execution_context
netra_backend.app.core.user_execution_context
netra_backend.app.agents.user_execution_context
netra_backend.app.execution.user_execution_context"""


def _part(module: str, part: str, words: str) -> list[Move]:
    return names(module, f"{HOME}.{part}", words, instead=None, **WHEN)


def _whole(module: str) -> list[Move]:
    return [row for part, words in _PARTS.items() for row in _part(module, part, words)]


ROWS: list[Move] = [
    *_whole(SERVICES),
    *_whole(SUPERVISOR),
    *(row for part, words in _OLD_NAMES.items() for row in _part(SUPERVISOR, part, words)),
    *(row for module in _OTHER_PATHS.split("\n") for row in _whole(module)),
    *names(SERVICES, "compat.netra.components.environment", "IsolatedEnvironment get_env", instead=None, **WHEN),
    *names(SERVICES, "compat.netra.components.logs", "central_logger", instead=None, **WHEN),
    *names(SERVICES, "compat.netra.components.types", "AgentExecutionContext", instead=None, **WHEN),
    # Replaced and imported though never defined there: one meaning each.
    *names(SERVICES, "compat.netra.adapters.replaceable", "DEEP_AGENT_STATE_SECURITY_CHECK", instead=CHECKED, **WHEN),
    *names(
        SERVICES,
        "compat.netra.components.agents.service_registry",
        "get_user_execution_context get_user_session_context=get_user_execution_context",
        instead=CONTEXT_ADVICE,
        **WHEN,
    ),
    *(
        Argument(
            f"{CONTEXT}.{function}",
            old,
            became=new,
            since=WHEN["since"],
            removal=WHEN["removal"],
            instead=None,
            note="Read it as context.agent_context; context.metadata has audit data too." if old == "metadata" else "",
        )
        for function in ("__init__", "from_request")
        for old, new in (("websocket_connection_id", "websocket_client_id"), ("metadata", "agent_context"))
    ),
    Method(
        f"{CONTEXT}.create_for_request",
        f"{CONTEXT}.from_request",
        instead="UserExecutionContext.from_request(user_id, thread_id, run_id)",
        **WHEN,
    ),
]
