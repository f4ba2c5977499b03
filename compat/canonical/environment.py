"""Environment variables through one door: isolated for tests, with protection, sources and change callbacks.

Everything in the core asks ``environment.get_env()``, through this module at the time of the call, so that what replaces
it here is asked everywhere.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any, Optional, Union

from . import environment_files, environment_names
from .environment_names import detect_environment
from .environment_validation import EnvironmentValidator, ValidationResult, staging_database_faults

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
    "is_testing",
    "load_secrets",
    "setenv",
]

ChangeCallback = Callable[[str, Optional[str], str], None]

_HISTORY_LIMIT = 100
_TEST_DEFAULTS = {
    "GOOGLE_OAUTH_CLIENT_ID_TEST": "test-oauth-client-id-for-automated-testing",
    "GOOGLE_OAUTH_CLIENT_SECRET_TEST": "test-oauth-client-secret-for-automated-testing",
    "E2E_OAUTH_SIMULATION_KEY": "test-e2e-oauth-bypass-key-for-testing-only",
    "JWT_SECRET_KEY": "test-jwt-secret-key-32-characters-long-for-testing-only",
    "SERVICE_SECRET": "test-service-secret-32-characters-long-for-testing-only",
}
# What the process said when it began counts: a test that empties os.environ stays a test.
_began_as_test = os.environ.get("COMPAT_TESTING") == "1" or environment_names.says_testing(os.environ)


def is_testing() -> bool:
    """Whether this process says that it runs tests: ``COMPAT_TESTING=1``, ``TESTING``, a test environment, or pytest's mark."""
    said = os.environ.get("COMPAT_TESTING")
    if said is not None:
        return said == "1"
    return _began_as_test or environment_names.says_testing(os.environ)


class IsolatedEnvironment:
    """The environment variables of this process, one instance for all.

    Without isolation it reads and writes ``os.environ``. With isolation it works on a copy: what is set here stays out of
    ``os.environ``; in a test a later change of ``os.environ`` (``patch.dict``, ``monkeypatch.setenv``) is seen, and the
    latest change of a variable wins. Safe between threads.
    """

    _instance: Optional[IsolatedEnvironment] = None
    _lock = threading.RLock()
    PRESERVE_IN_OS_ENVIRON = {
        "PYTEST_CURRENT_TEST",
        "PYTEST_VERSION",
        "_PYTEST_RAISE",
        "PYTEST_PLUGINS",
        "PYTEST_TIMEOUT",
    }
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
            self._internal_lock = threading.RLock()
            self._original_state = dict(os.environ)
            self._original_environ_backup: dict[str, str] = {}
            self._isolation_enabled = False
            self._isolated_vars: dict[str, str] = {}
            self._explicit: dict[str, str] = {}
            self._seen: dict[str, str] = {}
            self._before_change: dict[str, Optional[str]] = {}
            self._protected_vars: set[str] = set()
            self._variable_sources: dict[str, str] = {}
            self._change_callbacks: list[ChangeCallback] = []
            self._history: dict[str, list[dict[str, Any]]] = {}
            self._test_defaults_bypassed = False
            self._initialized = True

    @classmethod
    def get_instance(cls) -> IsolatedEnvironment:
        """The one instance."""
        return cls()

    # -- isolation ------------------------------------------------------------------------------------------------------

    def enable_isolation(self, backup_original: bool = True, refresh_vars: bool = True) -> None:
        """Work on a copy of ``os.environ`` from now on; on a fresh one unless ``refresh_vars`` is False."""
        with self._internal_lock:
            if self._isolation_enabled:
                return
            if backup_original:
                self._original_environ_backup = dict(os.environ)
            self._seen = dict(os.environ)
            self._isolated_vars = dict(os.environ) if refresh_vars else {}
            self._explicit = {}
            self._isolation_enabled = True

    def enable_isolation_mode(self, backup_original: bool = True, refresh_vars: bool = True) -> None:
        """The same as :meth:`enable_isolation`."""
        self.enable_isolation(backup_original, refresh_vars)

    enable = enable_isolation_mode

    def disable_isolation(self, restore_original: bool = False) -> None:
        """Read and write ``os.environ`` again; what was set in isolation is gone.

        With ``restore_original``, ``os.environ`` becomes what it was when isolation began.
        """
        with self._internal_lock:
            if not self._isolation_enabled:
                return
            self._isolation_enabled = False
            self._isolated_vars = {}
            for key in self._explicit:
                self._variable_sources.pop(key, None)
            self._explicit = {}
            if restore_original and self._original_environ_backup:
                _become(self._original_environ_backup, keep=self.PRESERVE_IN_OS_ENVIRON)

    def is_isolated(self) -> bool:
        """Whether this works on a copy."""
        return self._isolation_enabled

    def is_isolation_enabled(self) -> bool:
        """The same as :meth:`is_isolated`."""
        return self._isolation_enabled

    def _sync(self) -> None:
        """Take over what changed in ``os.environ`` since the last look; only tests change it behind the program's back."""
        if not is_testing():
            return
        now = dict(os.environ)
        if now == self._seen:
            return
        for key, value in now.items():
            if self._seen.get(key) != value:
                self._isolated_vars[key] = value
        for key in self._seen.keys() - now.keys():
            if self._isolated_vars.get(key) == self._seen[key]:
                del self._isolated_vars[key]
                if key in self._explicit:
                    self._isolated_vars[key] = self._explicit[key]
        self._seen = now

    def _variables(self) -> Mapping[str, str]:
        if not self._isolation_enabled:
            return os.environ
        self._sync()
        return self._isolated_vars

    # -- reading --------------------------------------------------------------------------------------------------------

    def get(self, key: str, default: Optional[str] = None) -> Optional[str]:
        """Return a variable's value, ``default`` where it is not set."""
        with self._internal_lock:
            value = self._variables().get(key)
            if value is not None:
                return value
            return self._test_default(key) if default is None else default

    def _test_default(self, key: str) -> Optional[str]:
        served = self._isolation_enabled and not self._test_defaults_bypassed and is_testing()
        return _TEST_DEFAULTS.get(key) if served else None

    def exists(self, key: str) -> bool:
        """Whether a variable is set."""
        with self._internal_lock:
            return key in self._variables()

    def is_set(self, key: str) -> bool:
        """The same as :meth:`exists`."""
        return self.exists(key)

    def get_all(self) -> dict[str, str]:
        """A copy of all variables."""
        with self._internal_lock:
            return dict(self._variables())

    def get_all_variables(self) -> dict[str, str]:
        """The same as :meth:`get_all`."""
        return self.get_all()

    def as_dict(self) -> dict[str, str]:
        """The same as :meth:`get_all`."""
        return self.get_all()

    def get_all_with_prefix(self, prefix: str) -> dict[str, str]:
        """The variables whose names begin with ``prefix``."""
        return {key: value for key, value in self.get_all().items() if key.startswith(prefix)}

    def get_subprocess_env(self, additional_vars: Optional[dict[str, str]] = None) -> dict[str, str]:
        """Return a subprocess's environment: the variables here, what no process can do without, ``additional_vars``."""
        needed = {key: os.environ[key] for key in environment_files.NEEDED_BY_PROCESSES if key in os.environ}
        return {**needed, **self.get_all(), **(additional_vars or {})}

    # -- writing --------------------------------------------------------------------------------------------------------

    def set(self, key: str, value: str, source: str = "unknown", force: bool = False) -> bool:
        """Set a variable; False, and nothing changed, if it is protected and ``force`` is not given."""
        with self._internal_lock:
            if key in self._protected_vars and not force:
                return False
            clean = environment_files.without_control_characters(str(value))
            old = self._variables().get(key)
            if self._isolation_enabled:
                self._isolated_vars[key] = self._explicit[key] = clean
                if key in self.PRESERVE_IN_OS_ENVIRON:
                    os.environ[key] = self._seen[key] = clean
            else:
                self._before_change.setdefault(key, old)
                os.environ[key] = clean
            self._variable_sources[key] = source
            self._note(key, old, clean, source)
            callbacks = list(self._change_callbacks)
        _tell(callbacks, key, old, clean)
        return True

    def delete(self, key: str, source: str = "unknown") -> bool:
        """Remove a variable; False if it was not set or is protected."""
        with self._internal_lock:
            old = self._variables().get(key)
            if old is None or key in self._protected_vars:
                return False
            if self._isolation_enabled:
                del self._isolated_vars[key]
                self._explicit.pop(key, None)
                if key in self.PRESERVE_IN_OS_ENVIRON:
                    os.environ.pop(key, None)
                    self._seen.pop(key, None)
            else:
                self._before_change.setdefault(key, old)
                del os.environ[key]
            self._variable_sources.pop(key, None)
            self._note(key, old, None, source)
            callbacks = list(self._change_callbacks)
        _tell(callbacks, key, old, "")
        return True

    def clear_env_var(self, key: str) -> bool:
        """The same as :meth:`delete`."""
        return self.delete(key)

    def unset(self, key: str) -> None:
        """Remove a variable if it is set."""
        self.delete(key)

    def update(self, variables: dict[str, str], source: str = "unknown", force: bool = False) -> dict[str, bool]:
        """Set several variables; the result says for each whether it was set."""
        return {key: self.set(key, value, source, force) for key, value in variables.items()}

    def load_from_file(
        self, filepath: Union[str, os.PathLike[str]], source: Optional[str] = None, override_existing: bool = True
    ) -> tuple[int, list[str]]:
        """Set the variables of a ``KEY=value`` file; return how many were set, and a sentence for each fault."""
        path = os.fspath(filepath)
        if not os.path.isfile(path):
            return 0, [f"File not found: {path}"]
        try:
            with open(path, encoding="utf-8") as lines:
                variables, faults = environment_files.parse(lines.read())
        except (OSError, UnicodeDecodeError) as error:
            return 0, [f"Error reading file {path}: {error}"]
        wanted = {key: value for key, value in variables.items() if override_existing or not self.exists(key)}
        done = self.update(wanted, source or f"file:{path}")
        faults += [f"{key} is protected and was not set" for key, was_set in done.items() if not was_set]
        return sum(done.values()), faults

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

    def _note(self, key: str, old: Optional[str], new: Optional[str], source: str) -> None:
        history = self._history.setdefault(key, [])
        history.append({"timestamp": time.time(), "old_value": old, "new_value": new, "source": source})
        del history[:-_HISTORY_LIMIT]

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
        return environment_names.name_of(self.get_all(), testing=is_testing())

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


def _become(variables: Mapping[str, str], keep: set[str]) -> None:
    for key in os.environ.keys() - variables.keys() - keep:
        del os.environ[key]
    os.environ.update({key: value for key, value in variables.items() if key not in keep})


def _tell(callbacks: list[ChangeCallback], key: str, old: Optional[str], new: str) -> None:
    # Outside of the lock, and one that fails must not undo a change that is made.
    for callback in callbacks:
        try:
            callback(key, old, new)
        except Exception:
            environment_files.logger.exception("change callback for %s failed", key)


IsolatedEnv = IsolatedEnvironment
_env_instance = IsolatedEnvironment()


def get_env(key: Optional[str] = None, default: Any = None) -> Any:
    """The one environment; with ``key`` that variable's value, ``default`` where it is not set."""
    instance = IsolatedEnvironment()
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
        """Return a secret fit for a log; ``<not set>`` where there is none."""
        value = self.env_manager.get(key)
        return "<not set>" if value is None else environment_files.mask_sensitive_value(key, value, always=True)
