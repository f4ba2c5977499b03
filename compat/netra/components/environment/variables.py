"""Environment variables read, set and removed: in ``os.environ``, or in isolation on a copy of it."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any, Optional, Union

from compat.canonical import deployment

from . import files

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
_began_as_test = os.environ.get("COMPAT_TESTING") == "1" or deployment.says_testing(os.environ)


def is_testing() -> bool:
    """Whether this process says that it runs tests: ``COMPAT_TESTING=1``, ``TESTING``, a test environment, or pytest's mark."""
    said = os.environ.get("COMPAT_TESTING")
    if said is not None:
        return said == "1"
    return _began_as_test or deployment.says_testing(os.environ)


class EnvironmentVariables:
    """The part of an environment that holds the variables. Safe between threads."""

    PRESERVE_IN_OS_ENVIRON = {
        "PYTEST_CURRENT_TEST",
        "PYTEST_VERSION",
        "_PYTEST_RAISE",
        "PYTEST_PLUGINS",
        "PYTEST_TIMEOUT",
    }

    def __init__(self) -> None:
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
        needed = {key: os.environ[key] for key in files.NEEDED_BY_PROCESSES if key in os.environ}
        return {**needed, **self.get_all(), **(additional_vars or {})}

    # -- writing --------------------------------------------------------------------------------------------------------

    def set(self, key: str, value: str, source: str = "unknown", force: bool = False) -> bool:
        """Set a variable; False, and nothing changed, if it is protected and ``force`` is not given."""
        with self._internal_lock:
            if key in self._protected_vars and not force:
                return False
            clean = files.without_control_characters(str(value))
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
                variables, faults = files.parse(lines.read())
        except (OSError, UnicodeDecodeError) as error:
            return 0, [f"Error reading file {path}: {error}"]
        wanted = {key: value for key, value in variables.items() if override_existing or not self.exists(key)}
        done = self.update(wanted, source or f"file:{path}")
        faults += [f"{key} is protected and was not set" for key, was_set in done.items() if not was_set]
        return sum(done.values()), faults

    def _note(self, key: str, old: Optional[str], new: Optional[str], source: str) -> None:
        history = self._history.setdefault(key, [])
        history.append({"timestamp": time.time(), "old_value": old, "new_value": new, "source": source})
        del history[:-_HISTORY_LIMIT]


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
            files.logger.exception("change callback for %s failed", key)
