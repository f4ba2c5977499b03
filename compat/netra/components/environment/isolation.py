"""Environment variables in isolation: a copy of ``os.environ`` that changes by itself."""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping
from typing import Any, Optional

_TRUE = ("true", "1", "yes", "on")
# Marks a removed variable in the copy. Made at run time: a caller's own text of that wording must be another object.
UNSET = "".join(("__UNSET", "__"))


class Isolation:
    """The variables in force: those of ``os.environ``, or in isolation those of a copy. Safe between threads.

    In isolation a variable that was set or removed here keeps what was done here. One that was only copied is the
    copy's outside of tests; in a test it follows ``os.environ``, so that ``patch.dict`` and ``monkeypatch.setenv`` reach it.
    """

    PRESERVE_IN_OS_ENVIRON = {
        "PYTEST_CURRENT_TEST",
        "PYTEST_VERSION",
        "_PYTEST_RAISE",
        "PYTEST_PLUGINS",
        "PYTEST_TIMEOUT",
    }

    def __init__(self) -> None:
        self._internal_lock = threading.RLock()
        self._original_state: Optional[dict[str, str]] = None
        self._original_environ_backup: dict[str, str] = {}
        self._isolation_enabled = False
        self._isolated_vars: dict[str, str] = {}
        #: What was set here, as opposed to copied, of the variables in :attr:`_isolated_vars`.
        self._explicit: set[str] = set()
        #: ``os.environ`` at the last copy; empty until there was one, so that everything shows through.
        self._copied: dict[str, str] = {}
        self._is_copied = False

    def _is_test_context(self) -> bool:
        """Whether the variables say now that tests run; what was set here counts before ``os.environ``."""
        if self._said("PYTEST_CURRENT_TEST"):
            return True
        if self._said("TESTING").lower() in _TRUE or self._said("TEST_MODE").lower() in _TRUE:
            return True
        return self._said("ENVIRONMENT").lower() in ("test", "testing")

    def _said(self, key: str) -> str:
        own = self._isolated_vars.get(key) if self._isolation_enabled else None
        if own is UNSET:
            return ""
        return own or os.environ.get(key) or ""

    # -- on and off -----------------------------------------------------------------------------------------------------

    def enable_isolation(self, backup_original: bool = True, refresh_vars: bool = True) -> None:
        """Work on a copy of ``os.environ`` from now on.

        Isolated already, the copy is made anew, and what was set before is gone, unless ``refresh_vars`` is False.
        """
        with self._internal_lock:
            if self._isolation_enabled and not refresh_vars:
                return
            if not self._isolation_enabled and backup_original:
                self._original_environ_backup = dict(os.environ)
            if self._original_state is None:
                self._original_state = dict(os.environ)
            self._isolation_enabled = True
            self._copy(os.environ)

    def enable_isolation_mode(self, backup_original: bool = True, refresh_vars: bool = True) -> None:
        """The same as :meth:`enable_isolation`."""
        self.enable_isolation(backup_original, refresh_vars)

    enable = enable_isolation_mode

    def disable_isolation(self, restore_original: bool = False) -> None:
        """Read and write ``os.environ`` again, and put into it what was set and removed in isolation.

        With ``restore_original``, ``os.environ`` becomes what it was when isolation began, and what was set is gone.
        """
        with self._internal_lock:
            if not self._isolation_enabled:
                return
            if restore_original:
                if self._original_environ_backup:
                    _become(self._original_environ_backup, keep=self.PRESERVE_IN_OS_ENVIRON)
            else:
                self._write_back()
            self._isolation_enabled = False
            self._forget_copy()

    def is_isolated(self) -> bool:
        """Whether this works on a copy."""
        return self._isolation_enabled

    def is_isolation_enabled(self) -> bool:
        """The same as :meth:`is_isolated`."""
        return self._isolation_enabled

    # -- the copy -------------------------------------------------------------------------------------------------------

    def _copy(self, variables: Mapping[str, str]) -> None:
        self._copied = dict(os.environ)
        self._isolated_vars = dict(variables)
        self._explicit = set()
        self._is_copied = True

    def _forget_copy(self) -> None:
        self._copied = {}
        self._isolated_vars = {}
        self._explicit = set()
        self._is_copied = False

    def _write_back(self) -> None:
        for key, value in self._isolated_vars.items():
            now = self._value(key)
            if value is UNSET:
                os.environ.pop(key, None)
            elif now is not None:
                os.environ[key] = now

    def _follows_process(self) -> bool:
        return not self._is_copied or self._is_test_context()

    def _is_own(self, key: str) -> bool:
        """Whether a variable of the copy was set or removed here rather than copied."""
        return key in self._isolated_vars and (key in self._explicit or self._isolated_vars[key] != self._copied.get(key))

    def _value(self, key: str) -> Optional[str]:
        """A variable in force, None where there is none."""
        if not self._isolation_enabled:
            return os.environ.get(key)
        own = self._isolated_vars.get(key)
        if own is UNSET:
            return None
        if self._is_own(key) or not self._follows_process():
            return own
        now = os.environ.get(key)
        return now if own is not None or now != self._copied.get(key) else None

    def _variables(self) -> Mapping[str, str]:
        """Every variable in force."""
        if not self._isolation_enabled:
            return os.environ
        if not self._follows_process():
            return {key: value for key, value in self._isolated_vars.items() if value is not UNSET}
        now = dict(os.environ)
        found = {key: value for key, value in now.items() if key in self._isolated_vars or value != self._copied.get(key)}
        for key, value in self._isolated_vars.items():
            if value is UNSET:
                found.pop(key, None)
            elif self._is_own(key):
                found[key] = value
        return found

    def snapshot(self) -> tuple[Any, ...]:
        """Isolation and the copy as they are now, for :meth:`restore`."""
        with self._internal_lock:
            copy = (dict(self._isolated_vars), set(self._explicit), self._copied, self._is_copied)
            return self._isolation_enabled, copy, self._original_environ_backup

    def restore(self, snapshot: tuple[Any, ...]) -> None:
        """Go back to a :meth:`snapshot`: what was set and removed in isolation since then is forgotten."""
        with self._internal_lock:
            self._isolation_enabled, copy, self._original_environ_backup = snapshot
            self._isolated_vars, self._explicit, self._copied, self._is_copied = copy

    def _sync_with_os_environ(self) -> None:
        """Copy what changed in ``os.environ``; what was set or removed here stays."""
        with self._internal_lock:
            if self._isolation_enabled and self._is_copied:
                own = {key: value for key, value in self._isolated_vars.items() if self._is_own(key)}
                found = dict(self._variables())
                self._copy({**found, **own})
                self._explicit = set(own)


def runs_under_pytest() -> bool:
    """Whether pytest runs in or above this process, between tests too."""
    return bool(os.environ.get("PYTEST_VERSION") or os.environ.get("PYTEST_CURRENT_TEST"))


def _become(variables: Mapping[str, str], keep: set[str]) -> None:
    for key in os.environ.keys() - variables.keys() - keep:
        del os.environ[key]
    os.environ.update({key: value for key, value in variables.items() if key not in keep})
