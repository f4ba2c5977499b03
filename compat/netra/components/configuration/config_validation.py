"""Checks of a configuration: what is missing, what is unsafe, what stops the start."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Optional

from .base import get_unified_config
from .database import check_database_url
from .environment_detector import EnvironmentDetector, current_environment_name
from .staging_config import StagingConfigurationValidator as StagingConfigurationValidator
from .staging_config import validate_staging_config as validate_staging_config

logger = logging.getLogger(__name__)

get_current_environment = current_environment_name


class ValidationMode(Enum):
    """What a fault is: only warned of, an error where it matters, or always an error."""

    WARN = "warn"
    ENFORCE_CRITICAL = "enforce_critical"
    ENFORCE_ALL = "enforce_all"


@dataclass
class ValidationResult:
    """What was found; ``score`` from 0 to 100."""

    is_valid: bool
    errors: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    score: int = 100


#: Secrets that everybody knows.
WEAK = ("changeme", "password", "secret", "test-secret", "dev-secret", "your-secret-key", "default")


class _Part:
    """One kind of check: ``errors`` of a configuration object."""

    def validate(self, config: Any) -> list[str]:
        """What is wrong."""
        raise NotImplementedError

    def is_valid(self, config: Any) -> bool:
        """Whether nothing is wrong."""
        return not self.validate(config)


class AuthValidator(_Part):
    """Checks the secrets that sign and encrypt."""

    def validate(self, config: Any) -> list[str]:
        """What is wrong with them."""
        strict = getattr(config, "environment", "") in ("staging", "production")
        problems = []
        for name in ("jwt_secret_key", "service_secret"):
            value = getattr(config, name, None)
            if not value:
                problems.extend([f"{name} is not set"] if strict else [])
            elif strict and (len(value) < 32 or any(value.lower().startswith(word) for word in WEAK)):
                problems.append(f"{name} is weak: use at least 32 random characters")
        if strict and "*" in str(getattr(config, "cors_origins", "")):
            problems.append("cors_origins allows every origin")
        return problems


class DatabaseValidator(_Part):
    """Checks the database's URL."""

    def validate(self, config: Any) -> list[str]:
        """What is wrong with it; it may be missing in development and tests."""
        url = getattr(config, "database_url", None)
        if not url and getattr(config, "environment", "") in ("development", "testing"):
            return []
        return check_database_url(url)


class EnvironmentValidator(_Part):
    """Checks that the variables fit the environment."""

    def validate(self, config: Any) -> list[str]:
        """What does not fit."""
        problems = EnvironmentDetector().validate_environment_consistency()[1]
        if getattr(config, "environment", "") == "production" and getattr(config, "debug", False):
            problems.append("debug is on in production")
        return problems


class LLMValidator(_Part):
    """Checks that a language model can be reached."""

    def validate(self, config: Any) -> list[str]:
        """What is missing."""
        if getattr(config, "environment", "") not in ("staging", "production"):
            return []
        disabled = getattr(config, "llm_mode", "") in ("disabled", "mock")
        return [] if disabled or getattr(config, "gemini_api_key", None) else ["gemini_api_key is not set"]


_CRITICAL = (AuthValidator, DatabaseValidator)


class ConfigurationValidator:
    """All checks together."""

    def __init__(self, mode: Optional[ValidationMode] = None) -> None:
        self._environment = get_current_environment()
        strict = self._environment in ("staging", "production")
        self._mode = mode or (ValidationMode.ENFORCE_CRITICAL if strict else ValidationMode.WARN)
        self.validators: list[_Part] = [AuthValidator(), DatabaseValidator(), EnvironmentValidator(), LLMValidator()]

    @property
    def mode(self) -> ValidationMode:
        """What a fault is."""
        return self._mode

    def validate_complete_config(self, config: Optional[Any] = None) -> ValidationResult:
        """Check a configuration object, the process's where none is given."""
        config = get_unified_config() if config is None else config
        errors: list[str] = []
        warnings: list[str] = []
        for part in self.validators:
            hard = self._mode is ValidationMode.ENFORCE_ALL or (
                self._mode is ValidationMode.ENFORCE_CRITICAL and isinstance(part, _CRITICAL)
            )
            (errors if hard else warnings).extend(part.validate(config))
        return ValidationResult(not errors, errors, warnings, max(0, 100 - 20 * len(errors) - 5 * len(warnings)))

    validate = validate_config = validate_complete_config

    def refresh_environment(self) -> None:
        """Take the environment that the variables speak of now."""
        self.__init__()  # type: ignore[misc]


class StartupValidationMode(Enum):
    """What a fault at start-up does: stop, warn, or stop only where it matters."""

    STRICT = "strict"
    PERMISSIVE = "permissive"
    EMERGENCY = "emergency"


class ConfigurationStartupValidator:
    """Checks the configuration when the application starts."""

    def __init__(self, mode: Optional[StartupValidationMode] = None) -> None:
        strict = get_current_environment() in ("staging", "production")
        self.mode = mode or (StartupValidationMode.STRICT if strict else StartupValidationMode.PERMISSIVE)

    def validate_startup_configuration(self) -> tuple[bool, list[str], list[str]]:
        """Whether the application may start, with errors and warnings."""
        wanted = ValidationMode.ENFORCE_CRITICAL if self.mode is StartupValidationMode.STRICT else ValidationMode.WARN
        result = ConfigurationValidator(wanted).validate_complete_config()
        for problem in result.errors:
            logger.error(f"Configuration: {problem}")
        return result.is_valid, result.errors, result.warnings

    def require_valid(self) -> None:
        """RuntimeError with everything that is wrong, unless the application may start."""
        valid, errors, _ = self.validate_startup_configuration()
        if not valid:
            raise RuntimeError(f"The application cannot start: {'; '.join(errors)}")


def get_critical_config_status() -> dict[str, Any]:
    """Which critical values are set; not what they are."""
    config = get_unified_config()
    values = {name: bool(getattr(config, name)) for name in ("jwt_secret_key", "service_secret", "database_url")}
    return {"environment": config.environment, "all_critical_set": all(values.values()), "configs": values}


class ConfigType(Enum):
    """The types of configured values."""

    STRING = "string"
    INTEGER = "integer"
    FLOAT = "float"
    BOOLEAN = "boolean"
    LIST = "list"
    DICT = "dict"


class ValidationSeverity(Enum):
    """How bad a broken rule is."""

    INFO = "info"
    WARNING = "warning"
    ERROR = "error"
    CRITICAL = "critical"


@dataclass
class ValidationRule:
    """One rule of a value: its type, whether it must be there, and what more must hold."""

    key: str
    config_type: ConfigType = ConfigType.STRING
    required: bool = False
    severity: ValidationSeverity = ValidationSeverity.ERROR
    check: Optional[Callable[[Any], bool]] = None
    description: str = ""


_TYPES: dict[ConfigType, tuple[type, ...]] = {
    ConfigType.STRING: (str,),
    ConfigType.INTEGER: (int,),
    ConfigType.FLOAT: (float, int),
    ConfigType.BOOLEAN: (bool,),
    ConfigType.LIST: (list, tuple),
    ConfigType.DICT: (dict,),
}


class RuleValidator:
    """Checks a dictionary against rules."""

    def __init__(self, rules: Optional[list[ValidationRule]] = None) -> None:
        self.rules: list[ValidationRule] = list(rules or ())

    def add_rule(self, rule: ValidationRule) -> None:
        """Add a rule."""
        self.rules.append(rule)

    def validate(self, config: dict[str, Any]) -> ValidationResult:
        """Check a dictionary; rules of severity info and warning only warn."""
        errors: list[str] = []
        warnings: list[str] = []
        for rule in self.rules:
            problem = self._problem(rule, config)
            if problem:
                soft = rule.severity in (ValidationSeverity.INFO, ValidationSeverity.WARNING)
                (warnings if soft else errors).append(problem)
        return ValidationResult(not errors, errors, warnings)

    validate_config = validate_configuration = validate

    @staticmethod
    def _problem(rule: ValidationRule, config: dict[str, Any]) -> Optional[str]:
        if rule.key not in config:
            return f"{rule.key} is missing" if rule.required else None
        value = config[rule.key]
        wrong_bool = isinstance(value, bool) and rule.config_type is not ConfigType.BOOLEAN
        if wrong_bool or not isinstance(value, _TYPES[rule.config_type]):
            return f"{rule.key} must be of type {rule.config_type.value}, not {type(value).__name__}"
        if rule.check is not None and not rule.check(value):
            return f"{rule.key} is not valid" + (f": {rule.description}" if rule.description else "")
        return None
