"""Whether the database variables of a staging environment are there and fit for it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from .validation import LOCAL_HOSTS, Variables

_REQUIRED = ("POSTGRES_HOST", "POSTGRES_USER", "POSTGRES_PASSWORD", "POSTGRES_DB")
_INSECURE = ("password", "123456", "admin", "test", "wrong_password")


def staging_database_faults(env: Variables) -> dict[str, Any]:
    """Return ``{"valid", "issues", "warnings"}`` of the database variables of a staging environment."""
    name = env.get_environment_name()
    if name != "staging":
        return {"valid": True, "issues": [], "warnings": [f"Not in staging environment (current: {name})"]}
    host, user, password, _ = values = [env.get(key) or "" for key in _REQUIRED]
    issues = [f"Missing required staging database variable: {key}" for key, value in zip(_REQUIRED, values) if not value]
    if host.lower() in LOCAL_HOSTS:
        issues.append(f"POSTGRES_HOST cannot be '{host}' in staging - should be Cloud SQL connection")
    issues += _user_issues(user)
    issues += _password_issues(password)
    return {"valid": not issues, "issues": issues, "warnings": list(_warnings(user, password))}


def _user_issues(user: str) -> Iterator[str]:
    if not user:
        yield "POSTGRES_USER is not set"
    elif user == "user_pr-4":
        yield f"Invalid POSTGRES_USER '{user}' - this will cause authentication failures"
    elif user.startswith("user_pr-"):
        yield f"Invalid POSTGRES_USER pattern '{user}' - appears to be misconfigured"


def _password_issues(password: str) -> Iterator[str]:
    if not password:
        yield "POSTGRES_PASSWORD is not set"
    elif password.lower() in _INSECURE:
        yield "POSTGRES_PASSWORD is using insecure default - must be secure for staging"
    elif len(password) < 8:
        yield "POSTGRES_PASSWORD is too short (< 8 characters) for staging"
    elif password.isdigit() and len(password) < 12:
        yield "POSTGRES_PASSWORD is only numbers and too short - needs complexity"


def _warnings(user: str, password: str) -> Iterator[str]:
    if user and user != "postgres" and not user.startswith("user_pr-"):
        yield f"POSTGRES_USER is '{user}' - verify this is correct for staging"
    if "dev" in password.lower():
        yield "POSTGRES_PASSWORD contains 'dev' - verify this is not development password"
