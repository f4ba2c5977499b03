"""Demonstration mode: on by ``DEMO_MODE``, never in production."""

from __future__ import annotations

from typing import Any

from ..environment import get_env
from .app_config import is_true
from .environment_detector import current_environment_name


def is_demo_mode() -> bool:
    """Whether demonstration mode is on. It is off in production whatever the variable says."""
    return is_true(get_env().get("DEMO_MODE")) and current_environment_name() != "production"


def get_backend_demo_config() -> dict[str, Any]:
    """What demonstration mode changes; session lifetime in seconds."""
    env = get_env()
    return {
        "enabled": is_demo_mode(),
        "session_ttl": int(env.get("DEMO_SESSION_TTL") or 3600),
        "refresh_interval": int(env.get("DEMO_REFRESH_INTERVAL") or 300),
        "max_sessions": int(env.get("DEMO_MAX_SESSIONS") or 100),
        "auto_create_users": _allowed("DEMO_AUTO_CREATE_USERS"),
        "permissive_auth": _allowed("DEMO_PERMISSIVE_AUTH"),
    }


get_demo_config = get_backend_demo_config


def get_auth_config() -> dict[str, Any]:
    """Who is let in: demonstration mode alone opens nothing."""
    return {
        "require_authentication": not _allowed("DEMO_PERMISSIVE_AUTH"),
        "allow_demo_users": _allowed("DEMO_AUTO_CREATE_USERS"),
    }


def _allowed(name: str) -> bool:
    """What opens access needs a variable of its own, beside the mode."""
    return is_demo_mode() and is_true(get_env().get(name))


def get_demo_feature_flags() -> dict[str, bool]:
    """Which parts are on for a demonstration."""
    return dict.fromkeys(("synthetic_data", "guided_tour", "demo_banner"), is_demo_mode())


def validate_demo_mode() -> tuple[bool, list[str]]:
    """Whether the variables are sound, and which are not."""
    problems = []
    if is_true(get_env().get("DEMO_MODE")) and current_environment_name() == "production":
        problems.append("DEMO_MODE is set in production, where it has no effect")
    return not problems, problems
