"""Environment, logging, configuration, types, identifiers, contexts."""

from __future__ import annotations

CONTEXT = (
    "Use 'from compat.canonical import UserExecutionContext' instead: it has user_id, thread_id, run_id and request_id; pass "
    "sessions and agent data beside it."
)
CHECKED = "Leave it out: a UserExecutionContext of compat.canonical checks itself when it is made."
LOGGER = "logging.getLogger(__name__)"
OWN_MODEL = "Declare the fields you use in a dataclass or pydantic model of your own."
NEW_ID = (
    "Use uuid.uuid4().hex instead, with a prefix of your own where you want one: the core takes any non-empty string as an id."
)
ANY_ID = (
    "Leave it out: the core takes any non-empty string as an id. Where only UUIDs will do, uuid.UUID(text) raises ValueError."
)
BOTH_IDS = (
    "Pass thread_id beside run_id, as UserExecutionContext of compat.canonical does, rather than to read it out of the run's id."
)
ENVIRON = (
    "Read os.environ, or the fields of a pydantic-settings model; in tests, set variables with pytest's monkeypatch.setenv()."
)
SETTINGS = "Use a pydantic-settings model of your own instead; the server's own settings are compat.canonical.Settings."
PLAIN = "Annotate with str, or with a typing.NewType of your own."

_IDS = (
    "UserID SessionID TokenString ThreadID RunID RequestID ServiceName EnvironmentName WebSocketID ConnectionID AgentID "
    "ExecutionID ContextID MessageID DatabaseSessionID OrganizationID AuditID"
)
_CHECKS = (
    "ensure_user_id ensure_thread_id ensure_run_id ensure_request_id ensure_websocket_id ensure_session_id ensure_connection_id "
    "normalize_to_structured_id"
)
_CONTEXT_FUNCTIONS = "create_strongly_typed_execution_context create_execution_context_from_supervisor_style"
_MAKES_CONTEXTS = (
    "UserContextFactory create_isolated_execution_context create_defensive_user_execution_context create_user_execution_context"
)
_ID_CHECKS = (
    "is_valid_id is_valid_id_format is_valid_id_format_compatible validate_and_normalize_id convert_uuid_to_structured "
    "convert_structured_to_uuid"
)

TABLE = {
    # Environment.
    "components.environment": ENVIRON,
    "components.environment:IsolatedEnvironment": ENVIRON,
    "components.environment:get_env_var": "os.environ.get(name, default)",
    "components.environment:getenv": "os.environ.get(name, default)",
    "components.environment:setenv": "Set os.environ[name]; in tests, use pytest's monkeypatch.setenv().",
    "components.environment:delenv": "Use os.environ.pop(name, None); in tests, pytest's monkeypatch.delenv().",
    "components.environment:get_subprocess_env": "subprocess.run(command, env={**os.environ, name: value})",
    "components.environment:load_secrets": "a pydantic-settings model with secrets_dir, or your secret store's own client",
    "components.environment:SecretLoader": "a pydantic-settings model with secrets_dir, or your secret store's own client",
    **dict.fromkeys(
        ("components.environment:EnvironmentValidator", "components.environment:ValidationResult"),
        "Declare the variables in a pydantic-settings model: at start-up it reports all that are missing or wrong.",
    ),
    "components.environment.files:mask_sensitive_value": "Use pydantic.SecretStr: it never shows its value.",
    "components.environment.files:logger": LOGGER,
    # Logging.
    "components.logs": LOGGER,
    "components.logs:SensitiveDataFilter": "Add a logging.Filter of your own to the handler.",
    "components.logs:UnifiedLoggingContext": "structlog.contextvars.bind_contextvars(), or a contextvars.ContextVar of your own",
    "components.logs:request_context": "structlog.contextvars.bind_contextvars(), or a contextvars.ContextVar of your own",
    "components.logs:reset_logging": "logging.basicConfig(force=True)",
    "components.logs:log_performance": "Measure with time.perf_counter(), or with a span of OpenTelemetry.",
    "components.logs:log_execution_time": "Measure with time.perf_counter(), or with a span of OpenTelemetry.",
    # Configuration.
    "components.configuration": SETTINGS,
    "components.configuration.config_validation": (
        "Declare types and validators in a pydantic-settings model: pydantic.ValidationError lists every fault."
    ),
    "components.configuration.database": "sqlalchemy.engine.make_url(url), or pydantic.PostgresDsn in a settings model",
    "components.configuration.secrets": (
        "pydantic.SecretStr fields of a pydantic-settings model, or your secret store's own client"
    ),
    "components.configuration.scopes": (
        "Use a pydantic-settings model for the process, and model.model_copy(update=values) for one user or service."
    ),
    "components.configuration.demo": "a boolean field of a pydantic-settings model of your own",
    "components.configuration.environment_constants": "compat.canonical.deployment.detect_environment(os.environ)",
    "components.configuration.environment_detector": "compat.canonical.deployment.detect_environment(os.environ)",
    # Types.
    "components.types": OWN_MODEL,
    **dict.fromkeys((f"components.types:{word}" for word in _IDS.split()), PLAIN),
    **dict.fromkeys((f"components.types:{word}" for word in _CHECKS.split()), ANY_ID),
    **dict.fromkeys((f"components.types:{word}" for word in _CONTEXT_FUNCTIONS.split()), CONTEXT),
    "components.types:AgentExecutionContext": CONTEXT,
    "components.types:WebSocketEventType": (
        "Write the event's name, such as 'agent_started'; compat.canonical.CRITICAL_EVENTS holds the five critical ones."
    ),
    "components.types:WebSocketMessage": "from compat.canonical.core.events import make_message",
    **dict.fromkeys(
        (
            "components.types:AuthValidationResult",
            "components.types:SessionValidationResult",
            "components.types:TokenResponse",
            "components.types:WebSocketAuthContext",
        ),
        "Use compat.canonical.auth.Identity, which Authenticator.authenticate() and verify() return.",
    ),
    **dict.fromkeys(
        ("components.types:ConnectionState", "components.types:WebSocketConnectionInfo"),
        "Use the compat.canonical.Connection objects that get_websocket_manager(context).connections holds.",
    ),
    "components.types:to_string_dict": "dataclasses.asdict(), or model_dump(mode='json') of a pydantic model",
    "components.types:from_string_dict": "Model(**values) of a dataclass or pydantic model of your own",
    # Identifiers.
    "components.ids": NEW_ID,
    "components.ids.bridge": "Leave it out once all ids are made in one way: nothing is left to be translated.",
    **dict.fromkeys((f"components.ids.id_manager:{word}" for word in _ID_CHECKS.split()), ANY_ID),
    "components.ids.id_manager:UnifiedIDManager.extract_thread_id": BOTH_IDS,
    "components.ids.id_manager:logger": LOGGER,
    "components.ids.generator:create_user_execution_context_factory": CONTEXT,
    "components.ids.generator:TestIdUtils": "Write ids out in tests, such as 'user-1'.",
    "components.ids.generator:reset_global_counter": "Leave it out: uuid.uuid4() keeps no counter.",
    "components.ids.generator:_get_next_counter": "itertools.count()",
    "components.ids.generator:_global_counter": "itertools.count()",
    "components.ids.generator:_global_counter_lock": "Leave it out: next() of itertools.count() needs no lock.",
    "adapters.identity_runs": NEW_ID,
    "adapters.identity_runs:extract_thread_id_from_run_id": BOTH_IDS,
    "adapters.identity_runs:validate_run_id_format": ANY_ID,
    "adapters.identity_runs:is_legacy_run_id": ANY_ID,
    "adapters.identity_runs:migrate_legacy_run_id_to_standard": ANY_ID,
    # Contexts.
    "components.context": CONTEXT,
    "components.context.user:logger": LOGGER,
    **dict.fromkeys((f"components.context.context_factory:{word}" for word in _MAKES_CONTEXTS.split()), CONTEXT),
    "components.context.context_factory:validate_user_context": CHECKED,
    "components.context.context_factory:managed_user_context": (
        "Use contextlib.AsyncExitStack for what must be closed; a UserExecutionContext of compat.canonical holds nothing open."
    ),
    "components.context.isolation": "from compat.canonical import UserIsolationViolation",
    **dict.fromkeys(
        (
            "components.context.isolation:register_shared_object",
            "components.context.isolation:clear_shared_object_registry",
            "components.context.isolation:_SHARED_OBJECT_REGISTRY",
        ),
        (
            "Leave it out: a UserExecutionContext of compat.canonical is frozen and holds identifiers only, so "
            "that nothing is shared."
        ),
    ),
    "components.context.context_manager": (
        "Pass the context on as an argument, or keep it in a contextvars.ContextVar; cachetools.TTLCache "
        "where contexts must wait."
    ),
    "components.context.handshake_contexts": (
        "Use identity = await get_authenticator().authenticate(Handshake.from_scope(websocket.scope)) of "
        "compat.canonical.auth, then "
        "compat.canonical.UserExecutionContext(identity.user_id)."
    ),
    "components.context.connection_context": (
        "Pass the UserExecutionContext of compat.canonical, and the Connection that its manager's connect(websocket) returns."
    ),
    "components.context.connection_context:logger": LOGGER,
}
