"""Typed identifiers, shared records and models."""

from __future__ import annotations

from compat.ledger import Move, names, removed

from ..advice.people import OWN_MODEL
from ..advice.traffic import STATS

WHEN = {"since": "1.0", "removal": "3.0"}
TYPES = "compat.netra.components.types"
EXECUTION = "compat.netra.components.agents.execution_types"

_IDENTIFIERS = (
    "UserID SessionID TokenString ThreadID RunID RequestID ServiceName EnvironmentName WebSocketID ConnectionID AgentID "
    "ExecutionID ContextID MessageID DatabaseSessionID OrganizationID"
)
_CORE = (
    f"{_IDENTIFIERS} AuthValidationResult SessionValidationResult TokenResponse ConnectionState WebSocketConnectionInfo "
    "WebSocketEventType WebSocketMessage WebSocketAuthContext ExecutionContextState ExecutionMetrics AgentExecutionContext "
    "DatabaseConnectionInfo ensure_user_id ensure_thread_id ensure_run_id ensure_request_id ensure_websocket_id "
    "ensure_session_id ensure_connection_id normalize_to_structured_id create_strongly_typed_execution_context "
    "to_string_dict from_string_dict create_execution_context_from_supervisor_style"
)
_EXECUTION = (
    "ContextValidationError IsolationViolationError StronglyTypedUserExecutionContext AgentExecutionState "
    "ToolExecutionState AgentExecutionMetrics WebSocketEventPriority StronglyTypedWebSocketEvent ToolExecutionRequest "
    "ToolExecutionResult AgentCreationRequest AgentCreationResult upgrade_legacy_context downgrade_to_legacy_context"
)

# Plain records that only callers use.
_RECORDS = {
    "shared.types.agent_types": ("AgentExecutionResult AgentExecutionRequest AgentValidationResult", OWN_MODEL),
    "shared.types.user_types": ("TestUserData ExtendedUser", OWN_MODEL),
    "shared.types.performance_metrics": ("PerformanceMetrics", STATS),
}

# What the core never used, whose fields were each caller's own.
_GONE = {
    "shared.types.agent_types": ("TypedAgentResult", OWN_MODEL),
    "shared.types.user_types": ("UserBase UserCreate UserInfo UserUpdate", OWN_MODEL),
    "shared.types": (
        "EnvironmentType ServiceType",
        "Use compat.canonical.Settings.environment instead: local, test, staging or production.",
    ),
}

ROWS: list[Move] = [
    *names("shared.types.core_types", TYPES, f"{_CORE} AuditID", instead=None, **WHEN),
    *names("shared.types", TYPES, _CORE, instead=None, **WHEN),
    *names("shared.types.execution_types", EXECUTION, f"{_EXECUTION} UserID", instead=None, **WHEN),
    *names(
        "shared.types.execution_types", TYPES, "ThreadID RunID RequestID WebSocketID AgentID ExecutionID", instead=None, **WHEN
    ),
    *names("shared.types", EXECUTION, _EXECUTION, instead=None, **WHEN),
    *(
        row
        for module, (words, instead) in _RECORDS.items()
        for row in names(module, f"{TYPES}.records", words, instead=instead, **WHEN)
    ),
    *(row for module, (words, instead) in _GONE.items() for row in removed(module, words, instead=instead, **WHEN)),
]
