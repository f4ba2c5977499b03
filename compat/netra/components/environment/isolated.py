"""The one environment of a process: its variables with protection, sources and change callbacks, and what they say of it."""

from __future__ import annotations

import os
import threading
from typing import Any, Optional

from compat.canonical import deployment

from .validation import EnvironmentValidator, ValidationResult, staging_database_faults
from .variables import ChangeCallback, EnvironmentVariables, is_testing


class IsolatedEnvironment(EnvironmentVariables):
    """The environment variables of this process, one instance for all.

    Without isolation it reads and writes ``os.environ``. With isolation it works on a copy: what is set here stays out of
    ``os.environ``; in a test a later change of ``os.environ`` (``patch.dict``, ``monkeypatch.setenv``) is seen, and the
    latest change of a variable wins. Safe between threads.
    """

    _instance: Optional[IsolatedEnvironment] = None
    _lock = threading.RLock()
    _initialized: bool

    def __new__(cls) -> IsolatedEnvironment:
        with IsolatedEnvironment._lock:
            if cls._instance is None:
                cls._instance = super().__new__(cls)
                cls._instance._initialized = False
            return cls._instance

    def __init__(self) -> None:
        with IsolatedEnvironment._lock:
            if self._initialized:
                return
            super().__init__()
            self._initialized = True

    @classmethod
    def get_instance(cls) -> IsolatedEnvironment:
        """The one instance."""
        return cls()

    # -- protection, sources, changes -----------------------------------------------------------------------------------

    def protect_variable(self, key: str) -> None:
        """Refuse changes of a variable unless they are forced."""
        self._protected_vars.add(key)

    protect = protect_variable

    def unprotect_variable(self, key: str) -> None:
        """Allow changes of a variable again."""
        self._protected_vars.discard(key)

    def is_protected(self, key: str) -> bool:
        """Whether changes of a variable are refused."""
        return key in self._protected_vars

    def get_variable_source(self, key: str) -> Optional[str]:
        """Who set a variable through this object; None if nobody did."""
        return self._variable_sources.get(key)

    def get_sources(self) -> dict[str, list[str]]:
        """The variables by who set them."""
        with self._internal_lock:
            sources: dict[str, list[str]] = {}
            for key, source in self._variable_sources.items():
                sources.setdefault(source, []).append(key)
            return sources

    def add_change_callback(self, callback: ChangeCallback) -> None:
        """Call ``callback(key, old, new)`` after each change made here; ``new`` is ``""`` for a removal."""
        self._change_callbacks.append(callback)

    def remove_change_callback(self, callback: ChangeCallback) -> None:
        """Call it no more."""
        if callback in self._change_callbacks:
            self._change_callbacks.remove(callback)

    def get_change_history(self, key: str) -> list[dict[str, Any]]:
        """The last hundred changes of a variable made here, oldest first."""
        return [dict(entry) for entry in self._history.get(key, ())]

    def get_changes_since_init(self) -> dict[str, tuple[Optional[str], Optional[str]]]:
        """(value at the start, value now) of each variable whose value is another one now."""
        with self._internal_lock:
            now = self._variables()
            keys = self._original_state.keys() | now.keys()
            pairs = {key: (self._original_state.get(key), now.get(key)) for key in keys}
            return {key: pair for key, pair in pairs.items() if pair[0] != pair[1]}

    # -- back to the beginning ------------------------------------------------------------------------------------------

    def clear(self, force_reset: bool = False) -> None:
        """Remove every variable of the isolated copy; with ``force_reset`` start over altogether, isolated or not."""
        with self._internal_lock:
            if force_reset:
                self.reset()
            elif self._isolation_enabled:
                self._seen = dict(os.environ)
                self._isolated_vars = {}
                self._explicit = {}
                self._variable_sources = {}

    def reset_to_original(self) -> None:
        """Undo every change made here; isolation stays as it is."""
        with self._internal_lock:
            if self._isolation_enabled:
                self._seen = dict(os.environ)
                self._isolated_vars = dict(os.environ)
                self._explicit = {}
            else:
                for key, old in self._before_change.items():
                    if old is None:
                        os.environ.pop(key, None)
                    else:
                        os.environ[key] = old
                self._before_change = {}
            self._variable_sources = {}
            self._protected_vars = set()

    def reset(self) -> None:
        """Undo every change made here and end isolation; callbacks, protection and history are forgotten."""
        with self._internal_lock:
            self.disable_isolation()
            self.reset_to_original()
            self._change_callbacks = []
            self._history = {}

    def complete_reset_for_testing(self) -> None:
        """:meth:`reset`, and test defaults are served again."""
        self.reset()
        self._test_defaults_bypassed = False

    def clear_cache(self) -> None:
        """Look at ``os.environ`` anew."""
        with self._internal_lock:
            if self._isolation_enabled:
                self._sync()

    def enable_test_defaults_bypass(self) -> None:
        """Serve no default values in tests."""
        self._test_defaults_bypassed = True

    def disable_test_defaults_bypass(self) -> None:
        """Serve default values in tests again."""
        self._test_defaults_bypassed = False

    # -- where this runs ------------------------------------------------------------------------------------------------

    def get_environment_name(self) -> str:
        """Return development, test, staging or production: from the cloud project, ``ENVIRONMENT``, a test; else staging."""
        return deployment.name_of(self.get_all(), testing=is_testing())

    def is_production(self) -> bool:
        """Whether this runs in production."""
        return self.get_environment_name() == "production"

    def is_staging(self) -> bool:
        """Whether this runs in staging."""
        return self.get_environment_name() == "staging"

    def is_development(self) -> bool:
        """Whether this runs in development."""
        return self.get_environment_name() == "development"

    def is_test(self) -> bool:
        """Whether this runs tests."""
        return self.get_environment_name() == "test"

    def validate_staging_database_credentials(self) -> dict[str, Any]:
        """Return ``{"valid", "issues", "warnings"}`` of the database variables of a staging environment."""
        return staging_database_faults(self)

    def validate_all(self) -> ValidationResult:
        """Say whether the variables that every service needs are set and sound."""
        return EnvironmentValidator(self).validate_all()

    def get_debug_info(self) -> dict[str, Any]:
        """Counts and names, no values."""
        with self._internal_lock:
            return {
                "isolation_enabled": self._isolation_enabled,
                "isolated_vars_count": len(self._isolated_vars),
                "os_environ_count": len(os.environ),
                "protected_vars": sorted(self._protected_vars),
                "tracked_sources": sorted(set(self._variable_sources.values())),
                "variable_sources": dict(self._variable_sources),
                "change_callbacks_count": len(self._change_callbacks),
                "environment_name": self.get_environment_name(),
                "is_test_context": is_testing(),
            }

    def __enter__(self) -> IsolatedEnvironment:
        self.enable_isolation()
        return self

    def __exit__(self, *_: object) -> None:
        self.disable_isolation()
