"""Environment variables through one door: isolated for tests, with protection, sources and change callbacks.

Everything in the core asks ``environment.get_env()``, through this module at the time of the call, so that what replaces
it here is asked everywhere.
"""

from __future__ import annotations

import os
from typing import Any, Optional

from compat.canonical.deployment import detect_environment

from . import files
from .isolated import IsolatedEnvironment
from .validation import EnvironmentValidator, ValidationResult

__all__ = [
    "EnvironmentValidator",
    "IsolatedEnv",
    "IsolatedEnvironment",
    "SecretLoader",
    "ValidationResult",
    "delenv",
    "detect_environment",
    "get_env",
    "get_env_var",
    "get_environment_manager",
    "get_subprocess_env",
    "getenv",
    "load_secrets",
    "setenv",
]

IsolatedEnv = IsolatedEnvironment
#: The one environment. It follows where legacy code makes a new one by ``IsolatedEnvironment._instance = None``.
_env_instance = IsolatedEnvironment()


def get_env(key: Optional[str] = None, default: Any = None) -> Any:
    """The one environment; with ``key`` that variable's value, ``default`` where it is not set."""
    global _env_instance
    instance = IsolatedEnvironment()
    if _env_instance is not instance:
        files.logger.warning("_env_instance was not the one environment; it is now")
        _env_instance = instance
    return instance if key is None else instance.get(key, default)


def setenv(key: str, value: str, source: str = "unknown") -> bool:
    """Set a variable of the one environment."""
    return bool(get_env().set(key, value, source))


def getenv(key: str, default: Optional[str] = None) -> Optional[str]:
    """Return a variable of the one environment."""
    value: Optional[str] = get_env().get(key, default)
    return value


def get_env_var(key: str, default: Optional[str] = None) -> Optional[str]:
    """Return a variable of the one environment."""
    return getenv(key, default)


def delenv(key: str) -> bool:
    """Remove a variable of the one environment."""
    return bool(get_env().delete(key))


def get_subprocess_env(additional_vars: Optional[dict[str, str]] = None) -> dict[str, str]:
    """Return the one environment for a subprocess."""
    made: dict[str, str] = get_env().get_subprocess_env(additional_vars)
    return made


def get_environment_manager(isolation_mode: Optional[bool] = None) -> Any:
    """The one environment, isolated or not as ``isolation_mode`` says, as it is for None."""
    instance = get_env()
    if isolation_mode:
        instance.enable_isolation()
    elif isolation_mode is not None:
        instance.disable_isolation()
    return instance


def load_secrets() -> bool:
    """Load the secret files of the working directory into the one environment; True if there was nothing wrong with them."""
    return SecretLoader().load_secrets()


class SecretLoader:
    """Secrets among the variables: loaded from files, protected, shown masked."""

    FILES = (".secrets", ".env.secrets", ".env")

    def __init__(self, env_manager: Optional[IsolatedEnvironment] = None) -> None:
        self.env_manager = get_env() if env_manager is None else env_manager

    def load_secrets(self) -> bool:
        """Load each of :attr:`FILES` that is there, without overriding what is set."""
        present = [path for path in self.FILES if os.path.isfile(path)]
        results = [self.env_manager.load_from_file(path, source="secret_loader", override_existing=False) for path in present]
        return not any(faults for _, faults in results)

    def get_secret(self, key: str, default: Optional[str] = None) -> Optional[str]:
        """Return a secret's value."""
        return self.env_manager.get(key, default)

    def set_secret(self, key: str, value: str, source: str = "secret_loader") -> bool:
        """Set a secret and protect it; False if it is protected already."""
        done = self.env_manager.set(key, value, source)
        self.env_manager.protect_variable(key)
        return done

    def get_masked_value(self, key: str) -> str:
        """Return a secret fit for a log; ``""`` where there is none."""
        value = self.env_manager.get(key)
        return "" if value is None else files.mask_sensitive_value(key, value, always=True)
