"""What marks a connection as an end-to-end test's; a mark says whose traffic it is, and opens nothing."""

from __future__ import annotations

from typing import Any

from compat.canonical.core.logged import get_logger

from ..environment.reading import read_variable
from .handshakes import header_pairs

logger = get_logger(__name__)

_YES = ("1", "true", "yes")
_SWITCHES = ("E2E_TESTING", "STAGING_E2E_TEST")
_PRESENT = ("PYTEST_XDIST_WORKER", "PYTEST_CURRENT_TEST", "RACE_CONDITION_TEST_MODE", "CONCURRENT_E2E_SESSION_ID")
_MARKED = ("e2e", "staging", "test", "true", "1")


def extract_e2e_context_from_websocket(websocket: Any) -> dict[str, Any] | None:
    """Return what marks a connection as an end-to-end test's, by its headers or by variables; None for all others.

    In production there is no such thing: the answer is None whatever the headers say. The mark does not
    authenticate; it only says whose traffic this is.
    """
    try:
        found = dict(header_pairs(getattr(websocket, "headers", None)))
    except Exception as error:
        logger.warning("no test context can be read: %s", error)
        return None
    named = {name: value for name, value in found.items() if "test" in name.lower() or "e2e" in name.lower()}
    marked = any(word in value.lower() for value in named.values() for word in _MARKED)
    return _e2e_context(named if marked else {})


def extract_e2e_context_from_variables() -> dict[str, Any] | None:
    """Return what the variables alone mark as an end-to-end test's traffic; None without such a mark."""
    return _e2e_context({})


def _e2e_context(headers: dict[str, str]) -> dict[str, Any] | None:
    environment = read_variable("ENVIRONMENT", "unknown").lower()
    project = read_variable("GOOGLE_CLOUD_PROJECT")
    service = read_variable("K_SERVICE")
    if any("prod" in where.lower() for where in (environment, project, service)):
        return None
    variables = _signs()
    if not headers and not variables:
        return None
    return {
        "is_e2e_testing": True,
        "demo_mode_enabled": read_variable("DEMO_MODE") == "1",
        "detection_method": {
            "via_headers": bool(headers),
            "via_environment": variables,
            "via_env_vars": variables,
            # A demonstration is no test.
            "via_demo_mode": False,
        },
        "security_mode": "development_permissive",
        "e2e_headers": headers,
        "environment": environment,
        "google_cloud_project": project,
        "k_service": service,
        "e2e_oauth_key": read_variable("E2E_OAUTH_SIMULATION_KEY") or None,
        "test_environment": read_variable("E2E_TEST_ENV") or None,
        "bypass_enabled": True,
        "enhanced_detection": True,
        "fix_version": "websocket_e2e_context",
    }


def _signs() -> bool:
    """Whether the environment is that of an end-to-end test."""
    if any(read_variable(name).lower() in _YES for name in _SWITCHES) or any(map(read_variable, _PRESENT)):
        return True
    running = read_variable("PYTEST_RUNNING").lower() in _YES and read_variable("E2E_TEST_ALLOW_BYPASS").lower() in _YES
    return running or bool(read_variable("E2E_OAUTH_SIMULATION_KEY")) or read_variable("E2E_TEST_ENV").lower() == "staging"
