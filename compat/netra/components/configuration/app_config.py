"""The configuration of one process as an object, read from variables; a class for each environment."""

from __future__ import annotations

import copy
import dataclasses
import json
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar, Optional
from urllib.parse import quote

from ..environment.defaults import test_defaults
from .config_fields import PUBLIC_FERNET_KEY, ConfigFields, ConfigGroup

_TRUE = frozenset({"1", "true", "yes", "on"})
_MODEL = "gemini-2.5-pro"


def is_true(text: Optional[str]) -> bool:
    """Whether a variable says yes."""
    return (text or "").strip().lower() in _TRUE


def _urls(domain: str) -> dict[str, str]:
    names = {"frontend_url": "app", "api_base_url": "api", "auth_service_url": "auth"}
    return {field: f"https://{name}.{domain}" for field, name in names.items()}


#: What differs from the defaults of the fields, by environment.
_BY_ENVIRONMENT: dict[str, dict[str, Any]] = {
    "testing": {"fernet_key": PUBLIC_FERNET_KEY, "fast_startup_mode": "true"},
    "development": {"fernet_key": PUBLIC_FERNET_KEY, "auth_service_url": "http://127.0.0.1:8081"},
    "staging": _urls("staging.netrasystems.ai"),
    "production": _urls("netrasystems.ai"),
}


class AppConfig(ConfigFields):
    """What the application is told. Only its fields can be set; unknown keywords are left out."""

    #: The fields by name.
    model_fields: ClassVar[dict[str, Any]] = {one.name: one for one in dataclasses.fields(ConfigFields)}
    OWN_ENVIRONMENT: ClassVar[Optional[str]] = None
    OWN_DEFAULTS: ClassVar[dict[str, Any]] = {}

    def __init__(self, **values: Any) -> None:
        environment = values.get("environment") or self.OWN_ENVIRONMENT or "development"
        defaults = {**_BY_ENVIRONMENT.get(environment, {}), **self.OWN_DEFAULTS, "environment": environment}
        known = {name: value for name, value in values.items() if name in self.model_fields}
        super().__init__(**{**defaults, **known})
        if not self.llm_configs:
            self.llm_configs = {"default": ConfigGroup(provider="google", model_name=_MODEL, api_key=self.gemini_api_key)}

    def __setattr__(self, name: str, value: Any) -> None:
        if name not in self.model_fields:
            raise ValueError(f'"{type(self).__name__}" object has no field "{name}"')
        super().__setattr__(name, value)

    @classmethod
    def from_variables(cls, variables: Mapping[str, str], environment: str) -> AppConfig:
        """Read every field. ValueError, naming the variable, for a number that is none."""
        values: dict[str, Any] = {"environment": environment}
        for each in dataclasses.fields(cls):
            for name in each.metadata.get("variables", ()):
                text = variables.get(name)
                if text:
                    values[each.name] = _convert(name, text, each.default)
                    break
        values.setdefault("database_url", _postgres_url(variables))
        given = {name: value for name, value in values.items() if value is not None}
        return _class_for(environment, given)(**given)

    @property
    def is_testing(self) -> bool:
        """Whether this is a test run."""
        return self.environment == "testing"

    @property
    def is_production(self) -> bool:
        """Whether this is production."""
        return self.environment == "production"

    def get(self, key: str, default: Any = None) -> Any:
        """A field, or the default."""
        return getattr(self, key, default)

    def model_dump(
        self,
        *,
        mode: str = "python",
        include: Optional[Iterable[str]] = None,
        exclude: Optional[Iterable[str]] = None,
        exclude_none: bool = False,
    ) -> dict[str, Any]:
        """Every field, or those that are asked for; every ``mode`` gives what JSON can carry."""
        names = [name for name in self.model_fields if (include is None or name in include) and name not in (exclude or ())]
        found = {name: _plain(getattr(self, name)) for name in names}
        return {name: value for name, value in found.items() if value is not None or not exclude_none}

    dict = model_dump

    def model_dump_json(self, **options: Any) -> str:
        """:meth:`model_dump` as JSON."""
        return json.dumps(self.model_dump(**options))

    @classmethod
    def model_validate(cls, values: Mapping[str, Any]) -> AppConfig:
        """A configuration of a mapping's values; keys that are no fields are left out."""
        return cls(**values)

    def model_copy(self, *, update: Optional[Mapping[str, Any]] = None, deep: bool = False) -> AppConfig:
        """A copy, some of its fields changed."""
        copied = copy.deepcopy(self) if deep else copy.copy(self)
        for name, value in (update or {}).items():
            setattr(copied, name, value)
        return copied

    def __repr__(self) -> str:
        return f"{type(self).__name__}(environment={self.environment!r}, ...)"  # Secrets stay out of logs.


class NetraTestingConfig(AppConfig):
    """The configuration of a test run; its secrets are those that the environment answers tests with."""

    OWN_ENVIRONMENT = "testing"
    OWN_DEFAULTS = {
        "database_url": "sqlite+aiosqlite:///:memory:",
        **{name: test_defaults()[name.upper()] for name in ("jwt_secret_key", "secret_key", "service_secret")},
    }


class DevelopmentConfig(AppConfig):
    """The configuration of a developer's machine; its secrets are known to everybody."""

    OWN_ENVIRONMENT = "development"
    OWN_DEFAULTS = {
        "debug": True,
        "database_url": "postgresql+asyncpg://postgres:postgres@localhost:5432/netra_dev",
        "jwt_secret_key": "development_secret_key_for_jwt_do_not_use_in_production",
        "secret_key": "default_secret_key",
    }


class StagingConfig(AppConfig):
    """The configuration of staging, with its secrets."""

    OWN_ENVIRONMENT = "staging"


class ProductionConfig(AppConfig):
    """The configuration of production, with its secrets."""

    OWN_ENVIRONMENT = "production"


_CLASSES = {one.OWN_ENVIRONMENT: one for one in (NetraTestingConfig, DevelopmentConfig, StagingConfig, ProductionConfig)}

#: What must be set, by environment, before the configuration counts as whole.
REQUIRED = {
    "production": ("jwt_secret_key", "service_secret", "database_url"),
    "staging": ("jwt_secret_key", "service_secret", "database_url"),
}


def _class_for(environment: str, values: Mapping[str, Any]) -> type[AppConfig]:
    is_whole = all(values.get(name) for name in REQUIRED.get(environment, ()))
    return _CLASSES.get(environment, AppConfig) if is_whole else AppConfig


def _plain(value: Any) -> Any:
    if isinstance(value, ConfigGroup):
        return value.model_dump()
    return {key: _plain(one) for key, one in value.items()} if isinstance(value, dict) else value


def _convert(name: str, text: str, default: Any) -> Any:
    if isinstance(default, bool):
        return is_true(text)
    for kind, word in ((int, "a whole number"), (float, "a number")):
        if isinstance(default, kind):
            try:
                return kind(text)
            except ValueError:
                raise ValueError(f"{name} must be {word}, not {text!r}") from None
    return text


def _postgres_url(variables: Mapping[str, str]) -> Optional[str]:
    host = variables.get("POSTGRES_HOST")
    if not host:
        return None
    user, password = variables.get("POSTGRES_USER", "postgres"), variables.get("POSTGRES_PASSWORD", "")
    port, name = variables.get("POSTGRES_PORT", "5432"), variables.get("POSTGRES_DB", "netra")
    return f"postgresql+asyncpg://{quote(user)}:{quote(password, safe='')}@{host}:{port}/{name}"
