"""The variables of a staging environment, checked before it is deployed."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from ..environment import get_env

_SECRETS = ("JWT_SECRET_KEY", "SERVICE_SECRET")
_SHORTEST_SECRET = 32


@dataclass
class StagingValidationResult:
    """What was found; ``placeholders_found`` names the pattern that each variable matches."""

    is_valid: bool
    errors: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    missing_critical: list[str] = field(default_factory=list)
    placeholders_found: dict[str, str] = field(default_factory=dict)


class StagingConfigurationValidator:
    """Checks the variables of a staging environment."""

    #: Without these there is no staging.
    CRITICAL_VARIABLES = [
        "JWT_SECRET_KEY",
        "SERVICE_SECRET",
        "FERNET_KEY",
        "POSTGRES_HOST",
        "POSTGRES_USER",
        "POSTGRES_PASSWORD",
        "GCP_PROJECT_ID",
        "CLICKHOUSE_URL",
    ]
    #: Without these parts of it do not work.
    IMPORTANT_VARIABLES = ["REDIS_URL", "FRONTEND_URL", "AUTH_SERVICE_URL", "GEMINI_API_KEY"]
    #: What a value of staging never contains, as regular expressions, in any case.
    PLACEHOLDER_PATTERNS = [r"localhost", r"127\.0\.0\.1", r"placeholder", r"change-?me", r"your-", r"example\.com", r"^test-"]

    def __init__(self) -> None:
        self.errors: list[str] = []
        self.warnings: list[str] = []

    def validate(self) -> StagingValidationResult:
        """Check every variable."""
        values = {name: get_env().get(name) or "" for name in (*self.CRITICAL_VARIABLES, *self.IMPORTANT_VARIABLES)}
        missing = [name for name in self.CRITICAL_VARIABLES if not values[name]]
        placeholders = {name: pattern for name, value in values.items() for pattern in [self._placeholder(value)] if pattern}
        self.errors = [f"Critical variable {name} is missing" for name in missing]
        self.errors += [f"{name} contains placeholder value: {pattern}" for name, pattern in placeholders.items()]
        self.errors += self._further_errors(values)
        self.warnings = [f"Important variable {name} is missing" for name in self.IMPORTANT_VARIABLES if not values[name]]
        if not get_env().get("POSTGRES_DB"):
            self.warnings.append("POSTGRES_DB not specified, will use default database name")
        return StagingValidationResult(not self.errors, list(self.errors), list(self.warnings), missing, placeholders)

    validate_all = validate

    def _placeholder(self, value: str) -> str:
        return next((pattern for pattern in self.PLACEHOLDER_PATTERNS if re.search(pattern, value, re.IGNORECASE)), "")

    def _further_errors(self, values: dict[str, str]) -> list[str]:
        environment = get_env().get("ENVIRONMENT") or "staging"
        errors = [] if values["GCP_PROJECT_ID"] else ["GCP_PROJECT_ID is required for staging deployment"]
        if environment.strip().lower() != "staging":
            errors.append(f"ENVIRONMENT is {environment!r}, not 'staging'")
        short = [name for name in _SECRETS if 0 < len(values[name]) < _SHORTEST_SECRET]
        return errors + [f"{name} has fewer than {_SHORTEST_SECRET} characters" for name in short]


def validate_staging_config() -> tuple[bool, StagingValidationResult]:
    """Whether the variables can be deployed to staging, and what was found."""
    result = StagingConfigurationValidator().validate()
    return result.is_valid, result
