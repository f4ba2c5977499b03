"""Whether the variables of a service are there and sound: results with errors, warnings, and what to do about them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Optional, Protocol


class Variables(Protocol):
    """What a validator needs of an environment."""

    def get(self, key: str, default: Optional[str] = None) -> Optional[str]:
        """Return a variable's value."""
        ...

    def set(self, key: str, value: str, source: str = "unknown", force: bool = False) -> bool:
        """Set a variable."""
        ...

    def get_environment_name(self) -> str:
        """Return development, test, staging or production."""
        ...


@dataclass
class ValidationResult:
    """What a validation found; ``is_valid`` is False if there are errors."""

    is_valid: bool
    errors: list[str]
    warnings: list[str]
    missing_optional: list[str]
    fallback_applied: list[str] = None  # type: ignore[assignment]
    suggestions: list[str] = None  # type: ignore[assignment]
    missing_optional_by_category: dict[str, list[str]] = None  # type: ignore[assignment]

    def __post_init__(self) -> None:
        self.fallback_applied = [] if self.fallback_applied is None else self.fallback_applied
        self.suggestions = [] if self.suggestions is None else self.suggestions
        if self.missing_optional_by_category is None:
            self.missing_optional_by_category = {}


_REQUIRED = ("DATABASE_URL", "JWT_SECRET_KEY", "SECRET_KEY")
_OPTIONAL = {
    "cache": ("REDIS_URL",),
    "analytics": ("CLICKHOUSE_URL",),
    "models": ("OPENAI_API_KEY", "ANTHROPIC_API_KEY", "GEMINI_API_KEY"),
    "oauth": ("GOOGLE_CLIENT_ID", "GOOGLE_CLIENT_SECRET"),
}
_FALLBACKS = {
    "DATABASE_URL": "sqlite:///./development.db",
    "JWT_SECRET_KEY": "development-only-jwt-secret-of-more-than-32-bytes",
    "SECRET_KEY": "development-only-secret-of-more-than-32-bytes",
}
_SERVICE_VARIABLES = {
    "auth": ("DATABASE_URL", "JWT_SECRET_KEY", "SERVICE_SECRET", "SERVICE_ID"),
    "backend": ("DATABASE_URL", "JWT_SECRET_KEY", "SECRET_KEY", "SERVICE_SECRET", "SERVICE_ID"),
    "frontend": ("NEXT_PUBLIC_API_URL", "NEXT_PUBLIC_AUTH_URL", "NEXT_PUBLIC_WS_URL", "NEXT_PUBLIC_ENVIRONMENT"),
}
_SHORTEST_SECRET = 32
_LOCAL_HOSTS = ("localhost", "127.0.0.1", "0.0.0.0", "::1")


class EnvironmentValidator:
    """Validates the variables of the one environment, or of the one it is given."""

    def __init__(self, env: Optional[Variables] = None) -> None:
        if env is None:
            from .. import environment

            env = environment.get_env()
        self.env: Variables = env

    def validate_all(self) -> ValidationResult:
        """Say whether what every service needs is set, and what optional parts lack."""
        errors = [f"Missing required variable: {key}" for key in _REQUIRED if not self.env.get(key)]
        errors += self._staging_faults()
        warnings = [
            f"{key} is shorter than {_SHORTEST_SECRET} characters"
            for key in ("JWT_SECRET_KEY", "SECRET_KEY")
            if 0 < len(self.env.get(key) or "") < _SHORTEST_SECRET
        ]
        lacking = {name: [key for key in keys if not self.env.get(key)] for name, keys in _OPTIONAL.items()}
        lacking = {name: keys for name, keys in lacking.items() if keys}
        result = ValidationResult(
            not errors,
            errors,
            warnings,
            [key for keys in lacking.values() for key in keys],
            missing_optional_by_category=lacking,
        )
        result.suggestions = self.get_fix_suggestions(result)
        return result

    def _staging_faults(self) -> list[str]:
        if self.env.get_environment_name() != "staging" or not self.env.get("POSTGRES_HOST"):
            return []
        issues: list[str] = staging_database_faults(self.env)["issues"]
        return issues

    def validate_with_fallbacks(self) -> ValidationResult:
        """Validate, and outside staging and production set what is missing to values for development."""
        first = self.validate_all()
        if self.env.get_environment_name() not in ("development", "test"):
            return first
        applied = [key for key in _FALLBACKS if not self.env.get(key)]
        for key in applied:
            self.env.set(key, _FALLBACKS[key], "fallback")
        result = self.validate_all()
        result.fallback_applied = applied
        return result

    def print_validation_summary(self, result: ValidationResult) -> None:
        """Print a result for people."""
        print("Environment validation: " + ("passed" if result.is_valid else "failed"))
        for title, lines in (
            ("error", result.errors),
            ("warning", result.warnings),
            ("fallback", result.fallback_applied),
            ("not set", result.missing_optional),
            ("suggestion", result.suggestions),
        ):
            for line in lines:
                print(f"  {title}: {line}")

    def get_fix_suggestions(self, result: ValidationResult) -> list[str]:
        """Return what to do about each error, one sentence each."""
        missing = [text.rpartition(": ")[2] for text in result.errors if text.startswith("Missing required variable")]
        return [f"Set {key} in the environment or in the .env file" for key in missing]

    def validate_critical_service_variables(self, service_name: str) -> ValidationResult:
        """Say whether what one service (auth, backend, frontend) cannot start without is set."""
        keys = _SERVICE_VARIABLES.get(service_name.lower().replace("_service", ""))
        if keys is None:
            known = ", ".join(sorted(_SERVICE_VARIABLES))
            return _result([f"Unknown service: {service_name}; known are {known}"])
        return _result([f"Missing critical variable for {service_name}: {key}" for key in keys if not self.env.get(key)])

    def validate_service_id_stability(self) -> ValidationResult:
        """Say whether ``SERVICE_ID`` is set and free of times and random parts, which would change with each start."""
        service_id = self.env.get("SERVICE_ID") or ""
        if not service_id:
            return _result(["SERVICE_ID is not set"])
        if any(part.isdigit() and len(part) >= 8 for part in service_id.replace("_", "-").split("-")):
            return _result([f"SERVICE_ID {service_id!r} contains a time; it must stay the same over restarts"])
        return _result([])

    def validate_frontend_critical_variables(self) -> ValidationResult:
        """Say whether what the frontend cannot start without is set."""
        return self.validate_critical_service_variables("frontend")

    def validate_staging_domain_configuration(self) -> ValidationResult:
        """Say whether the public URLs of a staging environment point at hosts that strangers can reach, encrypted."""
        if self.env.get_environment_name() != "staging":
            return _result([])
        errors = []
        for key in ("NEXT_PUBLIC_API_URL", "NEXT_PUBLIC_AUTH_URL", "NEXT_PUBLIC_WS_URL"):
            value = self.env.get(key)
            if value:
                errors += _url_faults(key, value)
        return _result(errors)

    def validate_discovery_endpoint_configuration(self, discovery_data: dict[str, Any]) -> ValidationResult:
        """Say whether the endpoints that a discovery document names are reachable from where this environment is used."""
        urls = {key: value for key, value in discovery_data.items() if isinstance(value, str) and "://" in value}
        if self.env.get_environment_name() not in ("staging", "production"):
            return _result([])
        return _result([fault for key, value in urls.items() for fault in _url_faults(key, value)])

    def validate_environment_specific_behavior(self, env_name: str) -> ValidationResult:
        """Say whether this process takes itself for ``env_name``, and in staging and production for nothing unsafe."""
        actual = self.env.get_environment_name()
        errors = [] if actual == env_name else [f"Environment is {actual}, expected {env_name}"]
        if env_name in ("staging", "production") and (self.env.get("DEBUG") or "").lower() in ("1", "true", "yes", "on"):
            errors.append(f"DEBUG must not be set in {env_name}")
        return _result(errors)


def staging_database_faults(env: Variables) -> dict[str, Any]:
    """Return ``{"valid", "issues", "warnings"}`` of the database variables of a staging environment."""
    issues: list[str] = []
    warnings: list[str] = []
    if env.get_environment_name() != "staging":
        warnings.append("not a staging environment: database credentials were not validated")
        return {"valid": True, "issues": issues, "warnings": warnings}
    keys = ("POSTGRES_HOST", "POSTGRES_USER", "POSTGRES_PASSWORD", "POSTGRES_DB")
    issues += [f"Missing required variable: {key}" for key in keys if not env.get(key)]
    host, user, password = (env.get(key) or "" for key in keys[:3])
    if host.lower() in _LOCAL_HOSTS:
        issues.append(f"POSTGRES_HOST is {host!r}: staging needs the host of its database, not this machine")
    if user.startswith("user_pr-"):
        issues.append(f"POSTGRES_USER is {user!r}: that user belongs to a pull request's database")
    if password and (len(password) < 8 or password.lower() in ("password", "postgres", "changeme", "wrong_password")):
        issues.append("POSTGRES_PASSWORD is too weak: use at least 8 characters that are no common word")
    return {"valid": not issues, "issues": issues, "warnings": warnings}


def _url_faults(key: str, value: str) -> list[str]:
    from urllib.parse import urlsplit

    parts = urlsplit(value)
    faults = []
    if (parts.hostname or "").lower() in _LOCAL_HOSTS:
        faults.append(f"{key} points at this machine: {value}")
    if parts.scheme in ("http", "ws"):
        faults.append(f"{key} is not encrypted: {value}")
    return faults


def _result(errors: list[str]) -> ValidationResult:
    return ValidationResult(not errors, errors, [], [])
