"""The one environment of a process: its variables with protection, sources and change callbacks, and what they say of it."""

from __future__ import annotations

import os
import sys
import threading
from typing import Any, Callable, Optional

from compat.canonical.deployment import cloud_environment, stated_environment

from . import files
from .defaults import PERSISTENCE_DEFAULTS, PERSISTENCE_SOURCE
from .isolation import runs_under_pytest
from .staging import staging_database_faults
from .validation import EnvironmentValidator, ValidationResult
from .variables import ChangeCallback, EnvironmentVariables

_NAMING = ("GCP_PROJECT_ID", "GOOGLE_CLOUD_PROJECT", "K_SERVICE", "ENVIRONMENT")


class IsolatedEnvironment(EnvironmentVariables):
    """The environment variables of this process, one instance for all.

    Without isolation it reads and writes ``os.environ``. With isolation it works on a copy: what is set here stays out of
    ``os.environ``. In a test it is isolated from the start. Safe between threads.
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
            self._begin()
            package = sys.modules[__package__]
            if getattr(package, "_env_instance", self) is not self:
                files.logger.warning("a new environment takes the place of the one before")
            package._env_instance = self  # type: ignore[attr-defined]

    def _begin(self) -> None:
        for key, value in PERSISTENCE_DEFAULTS.items():
            self._set_where_absent(key, value, PERSISTENCE_SOURCE)
        path = self._file_to_load()
        if path is not None:
            try:
                with open(path, encoding="utf-8") as lines:
                    variables, faults = files.parse(lines.read())
            except (OSError, UnicodeDecodeError) as error:
                variables, faults = {}, [f"Error reading file: {error}"]
            for key, value in variables.items():
                self._set_where_absent(key, self._sanitize_value(value), f"file:{os.path.basename(path)}")
            for fault in faults:
                files.logger.warning(f"{path}: {fault}")
        self._at_start = dict(os.environ)
        self._isolation_enabled = self._is_test_context() or runs_under_pytest()

    def _set_where_absent(self, key: str, value: str, source: str) -> None:
        if key not in os.environ:
            os.environ[key] = value
            self._variable_sources[key] = source

    @staticmethod
    def _file_to_load() -> Optional[str]:
        """The file of variables that belongs to a start in the working directory; None for tests and deployments."""
        if "pytest" in sys.modules or os.environ.get("PYTEST_CURRENT_TEST"):
            return None
        if os.environ.get("DISABLE_SECRETS_LOADING", "").lower() == "true":
            return None
        environment = os.environ.get("ENVIRONMENT", "").strip().lower()
        names = [".env", ".secrets"]
        if environment in ("staging", "production"):
            local = os.environ.get("ENABLE_LOCAL_CONFIG_FILES", "").lower() == "true"
            names = [os.path.join("config", f"{environment}.env")] if local else []
        return next((name for name in names if os.path.isfile(name)), None)

    @classmethod
    def get_instance(cls) -> IsolatedEnvironment:
        """The one instance."""
        return cls()

    def __copy__(self) -> IsolatedEnvironment:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> IsolatedEnvironment:
        return self

    def __reduce__(self) -> tuple[Callable[[], IsolatedEnvironment], tuple[()]]:
        return IsolatedEnvironment.get_instance, ()

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
        """Call ``callback(key, old, new)`` after each change made here; ``new`` is None for a removal."""
        self._change_callbacks.append(callback)

    def remove_change_callback(self, callback: ChangeCallback) -> None:
        """Call it no more."""
        if callback in self._change_callbacks:
            self._change_callbacks.remove(callback)

    def get_change_history(self, key: str) -> list[dict[str, Any]]:
        """The last hundred changes of a variable made here, oldest first; one entry for what was set elsewhere."""
        with self._internal_lock:
            value = self._value(key)
            if key in self._history or value is None:
                return [dict(entry) for entry in self._history.get(key, ())]
            source = self._variable_sources.get(key, "unknown")
            return [{"value": value, "source": source, "timestamp": "current", "old_value": None, "new_value": value}]

    def get_changes_since_init(self) -> dict[str, tuple[Optional[str], Optional[str]]]:
        """(value at the start, value now) of each variable whose value is another one now."""
        with self._internal_lock:
            now = self._variables()
            pairs = {key: (self._at_start.get(key), now.get(key)) for key in self._at_start.keys() | now.keys()}
            return {key: pair for key, pair in pairs.items() if pair[0] != pair[1]}

    # -- back to the beginning ------------------------------------------------------------------------------------------

    def clear(self, force_reset: bool = False) -> None:
        """Remove every variable of the isolated copy, and protection; in a test sources and the values of tests, too.

        With ``force_reset`` as in a test, wherever this runs. RuntimeError outside of isolation.
        """
        with self._internal_lock:
            if not self._isolation_enabled:
                raise RuntimeError("Cannot clear environment variables outside isolation mode")
            if force_reset or self._is_test_context():
                self._variable_sources = {}
                self._explicitly_cleared_keys.update(self._isolated_vars, self._get_test_environment_defaults())
            self._copy({})
            self._protected_vars = set()
            self._env_cache.clear()

    def _serve_test_defaults(self) -> None:
        self._bypass_test_defaults = False
        self._explicitly_cleared_keys = set()

    def reset_to_original(self) -> None:
        """Undo every change made here; isolation and protection stay as they are.

        In isolation the copy becomes ``os.environ`` as it was when isolation began.
        """
        with self._internal_lock:
            if self._isolation_enabled:
                backup = self._original_environ_backup or dict(os.environ)
                kept = {key: os.environ[key] for key in self.PRESERVE_IN_OS_ENVIRON if key in os.environ}
                self._copy({**{key: backup[key] for key in backup.keys() - self.PRESERVE_IN_OS_ENVIRON}, **kept})
            else:
                self._undo()
            self._variable_sources = {}
            self._env_cache.clear()
            self._serve_test_defaults()

    def _undo(self) -> None:
        for key, old in self._before_change.items():
            if old is None:
                os.environ.pop(key, None)
            else:
                os.environ[key] = old
        self._before_change = {}

    def reset(self) -> None:
        """Undo every change made here, end isolation and forget protection; callbacks and sources stay."""
        with self._internal_lock:
            self._isolation_enabled = False
            self._forget_copy()
            self._undo()
            self._protected_vars = set()
            self._env_cache.clear()
            self._serve_test_defaults()

    def complete_reset_for_testing(self) -> None:
        """:meth:`reset`, and sources, callbacks, history and backups are forgotten."""
        with self._internal_lock:
            if not self._is_test_context():
                files.logger.warning("complete_reset_for_testing() called outside of a test")
            self.reset()
            self._variable_sources = {}
            self._change_callbacks = []
            self._history = {}
            self._original_environ_backup = {}
            self._original_state = None

    def clear_cache(self) -> None:
        """Look at ``os.environ`` anew."""
        with self._internal_lock:
            self._env_cache.clear()
            if self._is_test_context():
                self._sync_with_os_environ()

    def enable_test_defaults_bypass(self) -> None:
        """Serve no default values in tests."""
        self._bypass_test_defaults = True

    def disable_test_defaults_bypass(self) -> None:
        """Serve default values in tests again."""
        self._serve_test_defaults()

    # -- where this runs ------------------------------------------------------------------------------------------------

    def get_environment_name(self) -> str:
        """Return development, test, staging or production: from the cloud project, ``ENVIRONMENT``, a test; else staging."""
        variables = {key: self.get(key) or "" for key in _NAMING}
        # Staging where nothing says so: the strictest that harms nobody when it is wrong.
        fallback = "test" if self._is_test_context() else "staging"
        return cloud_environment(variables) or stated_environment(variables) or fallback

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
                "tracked_sources": dict(self._variable_sources),
                "change_callbacks_count": len(self._change_callbacks),
                "original_backup_count": len(self._original_environ_backup),
            }

    def __enter__(self) -> IsolatedEnvironment:
        self.enable_isolation()
        return self

    def __exit__(self, *_: object) -> None:
        self.disable_isolation(restore_original=True)
