"""Secrets by name: from the environment, or set for this process; never in logs."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Optional

from compat.netra.components.process_wide import only

from ..environment import get_env
from ..environment.reading import Answers
from .environment_detector import name_environment

logger = logging.getLogger(__name__)


@dataclass
class SecretConfig:
    """How secrets are looked up."""

    use_gcp_secrets: bool = False
    fallback_to_env: bool = True
    cache_secrets: bool = True
    required: tuple[str, ...] = field(default=("JWT_SECRET_KEY", "SERVICE_SECRET"))


class UnifiedSecretsManager:
    """Looks secrets up and remembers those that were set here."""

    def __init__(self, config: Optional[SecretConfig] = None) -> None:
        self.config = config or SecretConfig()
        self._set: dict[str, str] = {}

    def get_secret(self, key: str, default: Optional[str] = None) -> Optional[str]:
        """A secret, or the default."""
        value = self._set.get(key)
        if value is None and self.config.fallback_to_env:
            value = get_env().get(key)
        return value if value is not None else default

    def set_secret(self, key: str, value: str) -> None:
        """Set a secret for this process."""
        self._set[key] = value

    def has_secret(self, key: str) -> bool:
        """Whether there is a secret."""
        return self.get_secret(key) is not None

    def get_all_secrets(self) -> dict[str, str]:
        """The secrets set here."""
        return dict(self._set)

    def load_all_secrets(self) -> dict[str, Optional[str]]:
        """The required secrets; None where one is missing."""
        return {name: self.get_secret(name) for name in self.config.required}

    def validate_required_secrets(self) -> tuple[bool, list[str]]:
        """Whether the required secrets are there, and which are missing."""
        missing = [name for name, value in self.load_all_secrets().items() if not value]
        return not missing, missing

    def get_jwt_secret(self) -> str:
        """The secret that signs tokens. ValueError where none is set, naming the variables."""
        return get_jwt_secret()

    def clear_cache(self) -> None:
        """Forget the secrets set here."""
        self._set.clear()

    def __repr__(self) -> str:
        return f"UnifiedSecretsManager({len(self._set)} set)"


UnifiedSecretManager = UnifiedSecretsManager
SecretManager = UnifiedSecretsManager

_secrets_manager: Optional[UnifiedSecretsManager] = None


def get_secrets_manager() -> UnifiedSecretsManager:
    """The process's manager, made at first use."""
    return only(globals(), "_secrets_manager", UnifiedSecretsManager)


def get_secret(key: str, default: Optional[str] = None) -> Optional[str]:
    """A secret of the process's manager, or the default."""
    return get_secrets_manager().get_secret(key, default)


def set_secret(key: str, value: str) -> None:
    """Set a secret of the process's manager."""
    get_secrets_manager().set_secret(key, value)


def get_jwt_secret(variables: Optional[Mapping[str, Any]] = None) -> str:
    """The secret that signs tokens: of this environment (``JWT_SECRET_STAGING``), else ``JWT_SECRET_KEY``, else ``JWT_SECRET``.

    ValueError where none is set, and for one of fewer than 32 characters outside of development and tests.
    """
    env = variables if variables is not None else get_env()
    environment = name_environment(Answers(env))
    names = (f"JWT_SECRET_{environment.upper()}", "JWT_SECRET_KEY", "JWT_SECRET")
    secret = next((str(value).strip() for value in map(env.get, names) if value), None)
    secret = secret or get_secrets_manager()._set.get("JWT_SECRET_KEY")
    if not secret:
        raise ValueError(f"JWT secret not configured for {environment}: set {' or '.join(names)}")
    if len(secret) < 32 and environment in ("staging", "production"):
        raise ValueError(f"JWT secret for {environment} must have at least 32 characters, not {len(secret)}")
    return secret
