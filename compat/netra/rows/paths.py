"""The central names in modules that only passed them on: whoever imported one from there finds it."""

from __future__ import annotations

from compat.ledger import Class, Move

from .managers import CALL, GET, MANAGER, REMOVAL, SINCE, moved

A = "netra_backend.app."
CORE = f"{A}websocket_core."

#: Name, then the modules below ``netra_backend.app`` that passed it on.
TABLE = """\
WebSocketManager websocket_core.unified_manager_compat websocket_core.unified_init websocket_core.unified
WebSocketManager websocket_core.recovery
WebSocketManager websocket_core.reconnection_handler websocket_core.migration_adapter websocket_core.batch_message_core
WebSocketManager websocket_core.__init___compat websocket.token_refresh_handler websocket services.websocket_event_router
WebSocketManager services.websocket_event_emitter routes.websocket_unified routes.websocket_ssot dependencies
WebSocketManager core.dependencies
WebSocketManager agents.supervisor.execution_engine agents.demo_service.triage agents.demo_service.reporting
WebSocketManager agents.demo_service.core
UnifiedWebSocketManager websocket_core.unified_manager_compat websocket_core.unified
UnifiedWebSocketManager websocket_core.state_synchronization_manager
UnifiedWebSocketManager websocket_core.recovery websocket_core.__init___compat websocket
get_websocket_manager websocket_core.supervisor_factory websocket_core.unified_init websocket_core.unified websocket.unified
get_websocket_manager websocket
get_websocket_manager websocket_core.__init___compat shutdown services.websocket.quality_report_handler
get_websocket_manager services.websocket.quality_manager
get_websocket_manager services.websocket.quality_metrics_handler services.websocket.quality_alert_handler
get_websocket_manager services.websocket.quality_message_router services.message_handler_utils services.message_handler_base
get_websocket_manager services.generation_job_manager services.corpus.document_manager services.corpus.corpus_manager
get_websocket_manager services.corpus.clickhouse_operations services.agent_service_factory routes.websocket_unified
get_websocket_manager routes.websocket_factory routes.utils.thread_title_generator core.dependencies
get_websocket_manager core.degradation_strategies
get_websocket_manager agents.synthetic_data_progress_tracker
create_websocket_manager websocket_core.factory websocket_core.supervisor_factory websocket_core.unified
create_websocket_manager websocket_core.reconnection_handler websocket services.thread_service services.message_processing
create_websocket_manager services.message_handlers services.agent_service_factory services.agent_service_core
create_websocket_manager core.dependencies
create_websocket_manager services.websocket_bridge_factory
WebSocketManagerFactory websocket_core.websocket_manager websocket_core.unified websocket services.websocket_factory
WebSocketConnection websocket_core_info websocket_core.unified_init websocket_core.unified websocket_core.interfaces
WebSocketConnection websocket_core.connection_validator websocket_core.connection websocket diagnostics.websocket_diagnostics
WebSocketConnection api.websocket.events"""

_FUNCTIONS = ("get_websocket_manager", "create_websocket_manager", "WebSocketManagerFactory")


def _row(name: str, module: str) -> list[Move]:
    if name in _FUNCTIONS:
        return moved(module, "compat.netra.adapters.manager_factory", name, GET)
    if name == "WebSocketConnection":
        return moved(module, "compat.netra.adapters.managers.manager_types", name, GET)
    adapter = f"compat.netra.adapters.managers.websocket_manager:{name}"
    return [Class(f"{module}:{name}", MANAGER, adapter=adapter, since=SINCE, removal=REMOVAL, instead=GET, note=CALL)]


ROWS: list[Move] = [
    row for line in TABLE.split("\n") for module in line.split()[1:] for row in _row(line.split()[0], A + module)
] + [
    row
    for module in ["core", "optimization", "reporting", "triage"]
    for row in _row("WebSocketManager", f"app.agents.demo_agent.{module}")
]
ROWS += _row("WebSocketManager", "app.agents.demo_agent")

_AUTH_USERS = ["websocket", "routes.websocket", "routes.websocket_unified", "routes.websocket_isolated", "auth.websocket_auth"]

PASSED_ON: list[tuple[str, str, str]] = [(A + module, f"{CORE}auth", "WebSocketAuthenticator") for module in _AUTH_USERS]
