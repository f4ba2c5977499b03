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
_FALLBACKS = {
    "DATABASE_URL": "sqlite:///./development.db",
    "JWT_SECRET_KEY": "development-only-jwt-secret-of-more-than-32-bytes",
    "SECRET_KEY": "development-only-secret-of-more-than-32-bytes",
}
_BACKEND_IMPACTS = {
    "SERVICE_SECRET": "complete authentication failure and circuit breaker permanent open",
    "SERVICE_ID": "authentication mismatches and service communication failures",
    "DATABASE_URL": "complete backend failure with no data access",
    "JWT_SECRET_KEY": "token validation failures and authentication breakdown",
}
_AUTH_VARIABLES = ("JWT_SECRET_KEY", "SERVICE_SECRET", "DATABASE_URL")
_FRONTEND_IMPACTS = {
    "NEXT_PUBLIC_API_URL": "No API calls work, no agents run, no data fetched",
    "NEXT_PUBLIC_WS_URL": "No real-time updates, no agent thinking messages, chat appears frozen",
    "NEXT_PUBLIC_AUTH_URL": "No login, no authentication, users cannot access system",
    "NEXT_PUBLIC_ENVIRONMENT": "Wrong URLs used, staging/production confusion, data corruption",
}
_PUBLIC_URLS = {"API": "NEXT_PUBLIC_API_URL", "WebSocket": "NEXT_PUBLIC_WS_URL", "Auth": "NEXT_PUBLIC_AUTH_URL"}
_SERVICE_ID = "netra-backend"
LOCAL_HOSTS = ("localhost", "127.0.0.1", "0.0.0.0", "::1")


class EnvironmentValidator:
    """Validates the variables of the one environment, or of the one it is given."""

    def __init__(self, env: Optional[Variables] = None) -> None:
        if env is None:
            from .. import environment

            env = environment.get_env()
        self.env: Variables = env

    def validate_all(self) -> ValidationResult:
        """Say whether what every service needs is set."""
        return _result([f"Missing required variable: {key}" for key in _REQUIRED if not self.env.get(key)])

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
        if result.is_valid:
            print("ENVIRONMENT | All required variables validated successfully")
        else:
            print("ENVIRONMENT | Validation failed")
        for title, lines in (("ERRORS", result.errors), ("WARNINGS", result.warnings)):
            if lines:
                print(f"{title} ({len(lines)}):")
            for line in lines:
                print(f"  - {line}")

    def get_fix_suggestions(self, result: ValidationResult) -> list[str]:
        """Return what to do about the errors, nothing where there are none."""
        if not result.errors:
            return []
        return ["Fix the errors above before starting services", "Check your .env file for missing or incorrect values"]

    def validate_critical_service_variables(self, service_name: str) -> ValidationResult:
        """Say whether what one service (auth, backend, frontend) cannot start without is set."""
        service = service_name.lower().replace("_service", "")
        if service == "frontend":
            return self.validate_frontend_critical_variables()
        if service == "auth":
            missing = [key for key in _AUTH_VARIABLES if not self.env.get(key)]
            return _result([f"CRITICAL: Missing {key} for auth service" for key in missing])
        if service != "backend":
            return _result([f"Unknown service: {service_name}; known are auth, backend, frontend"])
        errors = []
        for key in _BACKEND_IMPACTS:
            value = self.env.get(key)
            if not value:
                errors.append(f"CRITICAL: Missing {key} - this will cause {self._get_cascade_impact(key)}")
            elif key == "SERVICE_SECRET" and len(value) < 8:
                errors.append("SERVICE_SECRET too short - must be at least 8 characters to prevent auth failures")
        return _result(errors)

    def _get_cascade_impact(self, var_name: str) -> str:
        return _BACKEND_IMPACTS.get(var_name, "service functionality degradation")

    def validate_service_id_stability(self) -> ValidationResult:
        """Say whether ``SERVICE_ID`` is set and has no time at its end, which would change with each start."""
        service_id = self.env.get("SERVICE_ID")
        if not service_id:
            return _result(["SERVICE_ID is missing"])
        last = service_id.rpartition("-")[2]
        if service_id.count("-") >= 2 and last.isdigit() and len(last) >= 8:
            appears = f"SERVICE_ID '{service_id}' appears to have timestamp suffix"
            return _result([f"{appears} - must be stable value '{_SERVICE_ID}'"])
        if service_id.count("-") <= 1 and service_id != _SERVICE_ID:
            return _result([], [f"SERVICE_ID is '{service_id}' - verify this matches expected stable value"])
        return _result([])

    def validate_frontend_critical_variables(self) -> ValidationResult:
        """Say whether what the frontend cannot start without is set."""
        missing = [key for key in _FRONTEND_IMPACTS if not self.env.get(key)]
        return _result([f"CRITICAL: Missing {key} - {self._get_frontend_cascade_impact(key)}" for key in missing])

    def _get_frontend_cascade_impact(self, var_name: str) -> str:
        return _FRONTEND_IMPACTS.get(var_name, "frontend functionality failure")

    def validate_staging_domain_configuration(self) -> ValidationResult:
        """Say whether the public URLs of a staging environment are those of its public hosts, encrypted."""
        if self.env.get_environment_name() != "staging":
            return _result([])
        return _result([fault for name, key in _PUBLIC_URLS.items() for fault in _url_faults(name, self.env.get(key) or "")])

    def validate_discovery_endpoint_configuration(self, discovery_data: dict[str, Any]) -> ValidationResult:
        """Say whether the endpoints that a discovery document names are reachable from where this environment is used."""
        name = self.env.get_environment_name()
        if name not in ("staging", "production"):
            return _result([])
        urls = {key: value for key, value in discovery_data.items() if isinstance(value, str)}
        local = {key: url for key, url in urls.items() if _local_host(url)}
        return _result([f"Discovery endpoint '{key}' contains localhost URL in {name}: {url}" for key, url in local.items()])

    def validate_environment_specific_behavior(self, env_name: str) -> ValidationResult:
        """Say whether ``DEBUG`` and the URL of the API are what an environment of that name has."""
        is_debug = (self.env.get("DEBUG") or "").lower() == "true"
        url = self.env.get("NEXT_PUBLIC_API_URL") or ""
        if env_name == "development":
            warnings = [] if is_debug else ["DEBUG should be 'true' in development"]
            if url and not _local_host(url):
                warnings.append("Development should typically use localhost URLs")
            return _result([], warnings)
        if env_name not in ("staging", "production"):
            return _result([])
        errors = [f"DEBUG should be 'false' in {env_name}, not 'true'"] if is_debug else []
        if _local_host(url):
            errors.append(f"Should not use localhost URLs in {env_name}")
        return _result(errors)


def _local_host(url: str) -> str:
    """This machine's name in a URL, "" where it has none."""
    return next((host for host in LOCAL_HOSTS if host in url.lower()), "")


def _url_faults(name: str, url: str) -> list[str]:
    from urllib.parse import urlsplit

    faults = []
    if _local_host(url):
        faults.append(f"{name} URL contains '{_local_host(url)}': Localhost URLs not allowed in staging")
    # The host alone: api.staging.netrasystems.ai contains it, too.
    if (urlsplit(url).hostname or "") == "staging.netrasystems.ai":
        faults.append(f"{name} URL contains 'staging.netrasystems.ai': Should use api.staging.netrasystems.ai subdomain")
    if "http://" in url:
        faults.append(f"{name} URL contains 'http://': Should use HTTPS in staging")
    return faults


def _result(errors: list[str], warnings: Optional[list[str]] = None) -> ValidationResult:
    return ValidationResult(not errors, errors, warnings or [], [])
