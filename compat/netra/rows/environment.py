"""The one environment of variables and the one place for logging, by every path they were ever imported by."""

from __future__ import annotations

from compat.ledger import Move, names

WHEN = {"since": "1.0", "removal": "3.0"}
HOME = "compat.netra.components.environment"
LOGS = "compat.netra.components.logs"

_ALL = (
    "get_env IsolatedEnvironment IsolatedEnv EnvironmentValidator ValidationResult SecretLoader get_env_var getenv setenv "
    "delenv get_subprocess_env load_secrets get_environment_manager _env_instance _global_env=_env_instance"
)

# Copies of the module from before there was one, and paths that only ever stood in imports.
_COPIES = """\
dev_launcher.isolated_environment
netra_backend.app.core.isolated_environment
auth_service.auth_core.isolated_environment
analytics_service.analytics_core.isolated_environment
shared.environment.isolated_environment
netra_backend.app.core.configuration.isolated_environment
netra_backend.app.core.environment.isolated_environment"""

_LOGGING = (
    "SensitiveDataFilter UnifiedLoggingContext UnifiedLoggingSSOT get_ssot_logger get_logger request_context reset_logging "
    "log_performance"
)

ROWS: list[Move] = [
    *names("shared.isolated_environment", HOME, _ALL, instead=None, **WHEN),
    *names(
        "shared.isolated_environment",
        "compat.netra.components.environment.files",
        "_mask_sensitive_value=mask_sensitive_value logger",
        instead=None,
        **WHEN,
    ),
    *names(
        "shared.isolated_environment",
        "compat.netra.adapters.replaceable",
        "subprocess",
        instead="Patch 'subprocess.run' itself; values are not expanded by a shell.",
        **WHEN,
    ),
    *(row for module in _COPIES.split("\n") for row in names(module, HOME, _ALL, instead=None, **WHEN)),
    *(
        row
        for module in _COPIES.split("\n")
        for row in names(module, HOME, "get_isolated_environment=get_env", instead=None, **WHEN)
    ),
    *names(
        "test_framework.fixtures.isolated_environment",
        "compat.netra.testing.environment_fixtures",
        "isolated_env",
        instead=None,
        **WHEN,
    ),
    *names(
        "test_framework.conftest_isolated_environment",
        "compat.netra.testing.environment_fixtures",
        "isolated_env test_env",
        instead=None,
        **WHEN,
    ),
    *names("shared.logging.unified_logging_ssot", LOGS, _LOGGING, instead=None, **WHEN),
    *names(
        "netra_backend.app.logging_config",
        LOGS,
        "central_logger get_central_logger log_execution_time get_logger",
        instead=None,
        **WHEN,
    ),
]
