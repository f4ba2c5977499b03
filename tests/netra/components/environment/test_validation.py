"""What the validators of variables say, word by word."""

from __future__ import annotations

import os
from collections.abc import Iterator
from unittest import mock

import pytest

from compat.netra.components.environment import EnvironmentValidator, IsolatedEnvironment, ValidationResult

IN_STAGING = {"ENVIRONMENT": "staging", "POSTGRES_HOST": "10.1.2.3", "POSTGRES_DB": "netra"}
IN_STAGING.update({"POSTGRES_USER": "postgres", "POSTGRES_PASSWORD": "long-and-strange-4711"})


@pytest.fixture
def bare(isolated: IsolatedEnvironment) -> Iterator[IsolatedEnvironment]:
    """An environment with nothing in it but what a test sets."""
    with mock.patch.dict(os.environ, {"PYTEST_CURRENT_TEST": "test_validation.py (call)"}, clear=True):
        isolated.clear()
        yield isolated


@pytest.fixture
def check(bare: IsolatedEnvironment) -> EnvironmentValidator:
    return EnvironmentValidator(bare)


def test_only_three_variables_are_required(bare: IsolatedEnvironment, check: EnvironmentValidator) -> None:
    names = ("DATABASE_URL", "JWT_SECRET_KEY", "SECRET_KEY")
    for result in (bare.validate_all(), check.validate_all()):
        assert result == ValidationResult(False, [f"Missing required variable: {name}" for name in names], [], [])
        assert (result.suggestions, result.fallback_applied, result.missing_optional_by_category) == ([], [], {})
    bare.update(dict.fromkeys(names, "short"))
    assert bare.validate_all() == ValidationResult(True, [], [], [])


def test_fallbacks_are_for_development_and_tests(bare: IsolatedEnvironment, check: EnvironmentValidator) -> None:
    bare.set("ENVIRONMENT", "production")
    assert check.validate_with_fallbacks().fallback_applied == []
    bare.set("ENVIRONMENT", "development")
    fixed = check.validate_with_fallbacks()
    assert fixed.is_valid
    assert fixed.fallback_applied == ["DATABASE_URL", "JWT_SECRET_KEY", "SECRET_KEY"]


def test_credentials_of_other_environments_are_not_validated(bare: IsolatedEnvironment) -> None:
    bare.set("ENVIRONMENT", "development")
    assert bare.validate_staging_database_credentials() == {
        "valid": True,
        "issues": [],
        "warnings": ["Not in staging environment (current: development)"],
    }


def test_staging_needs_four_database_variables(bare: IsolatedEnvironment) -> None:
    bare.set("ENVIRONMENT", "staging")
    result = bare.validate_staging_database_credentials()
    assert result["valid"] is False
    assert result["issues"] == [
        "Missing required staging database variable: POSTGRES_HOST",
        "Missing required staging database variable: POSTGRES_USER",
        "Missing required staging database variable: POSTGRES_PASSWORD",
        "Missing required staging database variable: POSTGRES_DB",
        "POSTGRES_USER is not set",
        "POSTGRES_PASSWORD is not set",
    ]


def test_sound_credentials_of_staging_pass(bare: IsolatedEnvironment) -> None:
    bare.update(IN_STAGING)
    assert bare.validate_staging_database_credentials() == {"valid": True, "issues": [], "warnings": []}


@pytest.mark.parametrize(
    ("key", "value", "issue"),
    [
        ("POSTGRES_HOST", "localhost", "POSTGRES_HOST cannot be 'localhost' in staging - should be Cloud SQL connection"),
        ("POSTGRES_HOST", "127.0.0.1", "POSTGRES_HOST cannot be '127.0.0.1' in staging - should be Cloud SQL connection"),
        ("POSTGRES_USER", "user_pr-4", "Invalid POSTGRES_USER 'user_pr-4' - this will cause authentication failures"),
        ("POSTGRES_USER", "user_pr-17", "Invalid POSTGRES_USER pattern 'user_pr-17' - appears to be misconfigured"),
        *(
            ("POSTGRES_PASSWORD", word, "POSTGRES_PASSWORD is using insecure default - must be secure for staging")
            for word in ("password", "123456", "admin", "test", "wrong_password")
        ),
        ("POSTGRES_PASSWORD", "a1b2c3d", "POSTGRES_PASSWORD is too short (< 8 characters) for staging"),
        ("POSTGRES_PASSWORD", "12345678", "POSTGRES_PASSWORD is only numbers and too short - needs complexity"),
    ],
)
def test_unsound_credentials_of_staging(bare: IsolatedEnvironment, key: str, value: str, issue: str) -> None:
    bare.update({**IN_STAGING, key: value})
    assert bare.validate_staging_database_credentials() == {"valid": False, "issues": [issue], "warnings": []}


@pytest.mark.parametrize(
    ("key", "value", "warning"),
    [
        ("POSTGRES_USER", "netra", "POSTGRES_USER is 'netra' - verify this is correct for staging"),
        ("POSTGRES_PASSWORD", "my-dev-password", "POSTGRES_PASSWORD contains 'dev' - verify this is not development password"),
    ],
)
def test_doubtful_credentials_of_staging(bare: IsolatedEnvironment, key: str, value: str, warning: str) -> None:
    bare.update({**IN_STAGING, key: value})
    assert bare.validate_staging_database_credentials() == {"valid": True, "issues": [], "warnings": [warning]}


def test_what_the_backend_cannot_start_without(bare: IsolatedEnvironment, check: EnvironmentValidator) -> None:
    assert check.validate_critical_service_variables("backend").errors == [
        "CRITICAL: Missing SERVICE_SECRET - this will cause complete authentication failure and circuit breaker permanent open",
        "CRITICAL: Missing SERVICE_ID - this will cause authentication mismatches and service communication failures",
        "CRITICAL: Missing DATABASE_URL - this will cause complete backend failure with no data access",
        "CRITICAL: Missing JWT_SECRET_KEY - this will cause token validation failures and authentication breakdown",
    ]
    bare.update({"SERVICE_SECRET": "short", "SERVICE_ID": "x", "DATABASE_URL": "x", "JWT_SECRET_KEY": "x"})
    assert check.validate_critical_service_variables("backend").errors == [
        "SERVICE_SECRET too short - must be at least 8 characters to prevent auth failures"
    ]
    assert check._get_cascade_impact("OTHER") == "service functionality degradation"


def test_what_other_services_cannot_start_without(check: EnvironmentValidator) -> None:
    assert check.validate_critical_service_variables("auth").errors == [
        "CRITICAL: Missing JWT_SECRET_KEY for auth service",
        "CRITICAL: Missing SERVICE_SECRET for auth service",
        "CRITICAL: Missing DATABASE_URL for auth service",
    ]
    frontend = [
        "CRITICAL: Missing NEXT_PUBLIC_API_URL - No API calls work, no agents run, no data fetched",
        "CRITICAL: Missing NEXT_PUBLIC_WS_URL - No real-time updates, no agent thinking messages, chat appears frozen",
        "CRITICAL: Missing NEXT_PUBLIC_AUTH_URL - No login, no authentication, users cannot access system",
        "CRITICAL: Missing NEXT_PUBLIC_ENVIRONMENT - Wrong URLs used, staging/production confusion, data corruption",
    ]
    assert check.validate_frontend_critical_variables().errors == frontend
    assert check.validate_critical_service_variables("frontend").errors == frontend
    assert check._get_frontend_cascade_impact("OTHER") == "frontend functionality failure"
    unknown = check.validate_critical_service_variables("moon")
    assert unknown.errors == ["Unknown service: moon; known are auth, backend, frontend"]


@pytest.mark.parametrize(
    ("service_id", "errors", "warnings"),
    [
        ("", ["SERVICE_ID is missing"], []),
        ("netra-backend", [], []),
        ("backend", [], ["SERVICE_ID is 'backend' - verify this matches expected stable value"]),
        ("my-backend", [], ["SERVICE_ID is 'my-backend' - verify this matches expected stable value"]),
        ("a-b-c", [], []),
        (
            "netra-backend-20250914",
            ["SERVICE_ID 'netra-backend-20250914' appears to have timestamp suffix - must be stable value 'netra-backend'"],
            [],
        ),
    ],
)
def test_service_ids_are_stable(
    bare: IsolatedEnvironment, check: EnvironmentValidator, service_id: str, errors: list[str], warnings: list[str]
) -> None:
    bare.set("SERVICE_ID", service_id)
    result = check.validate_service_id_stability()
    assert (result.is_valid, result.errors, result.warnings) == (not errors, errors, warnings)


def test_public_urls_of_staging(bare: IsolatedEnvironment, check: EnvironmentValidator) -> None:
    bare.update(
        {
            "NEXT_PUBLIC_API_URL": "http://localhost:8000",
            "NEXT_PUBLIC_WS_URL": "wss://staging.netrasystems.ai/ws",
            "NEXT_PUBLIC_AUTH_URL": "https://auth.staging.netrasystems.ai",
        }
    )
    assert check.validate_staging_domain_configuration().is_valid
    bare.set("ENVIRONMENT", "staging")
    assert check.validate_staging_domain_configuration().errors == [
        "API URL contains 'localhost': Localhost URLs not allowed in staging",
        "API URL contains 'http://': Should use HTTPS in staging",
        "WebSocket URL contains 'staging.netrasystems.ai': Should use api.staging.netrasystems.ai subdomain",
    ]
    bare.update({"NEXT_PUBLIC_API_URL": "https://127.0.0.1", "NEXT_PUBLIC_WS_URL": ""})
    assert check.validate_staging_domain_configuration().errors == [
        "API URL contains '127.0.0.1': Localhost URLs not allowed in staging"
    ]


def test_discovered_endpoints(bare: IsolatedEnvironment, check: EnvironmentValidator) -> None:
    found = {"ws": "ws://localhost:8000/ws", "six": "http://[::1]/", "api": "https://api.netrasystems.ai", "version": 1}
    assert check.validate_discovery_endpoint_configuration(found).is_valid
    bare.set("ENVIRONMENT", "production")
    assert check.validate_discovery_endpoint_configuration(found).errors == [
        "Discovery endpoint 'ws' contains localhost URL in production: ws://localhost:8000/ws",
        "Discovery endpoint 'six' contains localhost URL in production: http://[::1]/",
    ]


def test_what_an_environment_of_a_name_has(bare: IsolatedEnvironment, check: EnvironmentValidator) -> None:
    bare.update({"DEBUG": "false", "NEXT_PUBLIC_API_URL": "https://api.netrasystems.ai"})
    development = check.validate_environment_specific_behavior("development")
    assert development.is_valid
    assert development.warnings == ["DEBUG should be 'true' in development", "Development should typically use localhost URLs"]
    for name in ("staging", "production", "test"):
        assert check.validate_environment_specific_behavior(name) == ValidationResult(True, [], [], [])
    bare.update({"DEBUG": "true", "NEXT_PUBLIC_API_URL": "http://localhost:8000"})
    for name in ("staging", "production"):
        assert check.validate_environment_specific_behavior(name).errors == [
            f"DEBUG should be 'false' in {name}, not 'true'",
            f"Should not use localhost URLs in {name}",
        ]


def test_what_to_do_and_the_summary(check: EnvironmentValidator, capsys: pytest.CaptureFixture[str]) -> None:
    good, bad = ValidationResult(True, [], [], []), ValidationResult(False, ["one", "two"], ["three"], [])
    assert check.get_fix_suggestions(good) == []
    assert check.get_fix_suggestions(bad) == [
        "Fix the errors above before starting services",
        "Check your .env file for missing or incorrect values",
    ]
    check.print_validation_summary(good)
    check.print_validation_summary(bad)
    assert capsys.readouterr().out.split("\n") == [
        "ENVIRONMENT | All required variables validated successfully",
        "ENVIRONMENT | Validation failed",
        "ERRORS (2):",
        "  - one",
        "  - two",
        "WARNINGS (1):",
        "  - three",
        "",
    ]
