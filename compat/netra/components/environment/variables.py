"""Environment variables read, set and removed: in ``os.environ``, or in isolation on a copy of it."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import PurePath
from typing import Any, Optional, Union

from . import files
from .defaults import test_defaults
from .isolation import UNSET, Isolation

ChangeCallback = Callable[[str, Optional[str], Optional[str]], None]

_HISTORY_LIMIT = 100


class EnvironmentVariables(Isolation):
    """The part of an environment that reads and writes variables."""

    def __init__(self) -> None:
        super().__init__()
        self._before_change: dict[str, Optional[str]] = {}
        self._protected_vars: set[str] = set()
        self._variable_sources: dict[str, str] = {}
        self._change_callbacks: list[ChangeCallback] = []
        self._history: dict[str, list[dict[str, Any]]] = {}
        self._bypass_test_defaults = False
        self._explicitly_cleared_keys: set[str] = set()
        # The last answers outside of isolation. Legacy code looks at them; no answer comes from here: it would go stale.
        self._env_cache: dict[str, str] = {}

    def snapshot(self) -> tuple[Any, ...]:
        """What :meth:`Isolation.snapshot` has, and the sources."""
        with self._internal_lock:
            return (*super().snapshot(), dict(self._variable_sources))

    def restore(self, snapshot: tuple[Any, ...]) -> None:
        """Go back to a :meth:`snapshot`."""
        with self._internal_lock:
            super().restore(snapshot[:-1])
            self._variable_sources = snapshot[-1]

    # -- reading --------------------------------------------------------------------------------------------------------

    def get(self, key: str, default: Optional[str] = None) -> Optional[str]:
        """Return a variable's value, ``default`` where it is not set.

        In isolation an empty value counts as not set, and in a test a variable that is not set otherwise has the value
        that tests are given (:mod:`.defaults`), whatever ``default`` is; one that was removed has ``default``.
        """
        with self._internal_lock:
            value = self._value(key)
            if not self._isolation_enabled:
                if value is None:
                    return default
                self._env_cache[key] = value
                return value
            if value:
                return value
            if self._isolated_vars.get(key) is UNSET or not self._is_test_context():
                return default
            return os.environ.get(key) or self._test_default(key) or default

    def _test_default(self, key: str) -> Optional[str]:
        served = not self._bypass_test_defaults and key not in self._explicitly_cleared_keys
        return self._get_test_environment_defaults().get(key) if served else None

    def _get_test_environment_defaults(self) -> dict[str, str]:
        """The values of variables that are not set, in tests."""
        return dict(test_defaults())

    def _expand_shell_commands(self, value: str) -> str:
        """The value as it stands: no shell is asked for what it may contain."""
        return value

    def _sanitize_value(self, value: str) -> str:
        """The value without control characters."""
        return files.without_control_characters(value)

    def exists(self, key: str) -> bool:
        """Whether a variable is set."""
        with self._internal_lock:
            return self._value(key) is not None

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
        """Set a variable, without control characters; False, and nothing changed, if it is protected and not forced."""
        with self._internal_lock:
            if key in self._protected_vars and not force:
                return False
            clean = self._sanitize_value(str(value))
            old = self.get(key)
            self._env_cache.pop(key, None)
            if self._isolation_enabled:
                self._isolated_vars[key] = clean
                self._explicit.add(key)
            else:
                self._before_change.setdefault(key, os.environ.get(key))
            if not self._isolation_enabled or key in self.PRESERVE_IN_OS_ENVIRON:
                os.environ[key] = clean
            self._variable_sources[key] = source
            self._note(key, old, clean, source)
            callbacks = list(self._change_callbacks)
        _tell(callbacks, key, old, clean)
        return True

    def delete(self, key: str, source: str = "unknown") -> bool:
        """Remove a variable; False if it was not set or is protected."""
        with self._internal_lock:
            if key in self._protected_vars or self._value(key) is None:
                return False
            old = self.get(key)
            self._env_cache.pop(key, None)
            if self._isolation_enabled:
                self._isolated_vars[key] = UNSET
                self._explicit.add(key)
            else:
                self._before_change.setdefault(key, os.environ.get(key))
            if not self._isolation_enabled or key in self.PRESERVE_IN_OS_ENVIRON:
                os.environ.pop(key, None)
            self._variable_sources.pop(key, None)
            self._note(key, old, None, source)
            callbacks = list(self._change_callbacks)
        _tell(callbacks, key, old, None)
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
        """Set the variables of a ``KEY=value`` file; return how many were set, and a sentence for each fault.

        Only what came from a file is overridden, and nothing where ``override_existing`` is False.
        """
        path = os.fspath(filepath)
        if not os.path.exists(path):
            return 0, [f"File not found: {path}"]
        try:
            with open(path, encoding="utf-8") as lines:
                variables, faults = files.parse(lines.read())
        except (OSError, UnicodeDecodeError) as error:
            return 0, [f"Error reading file: {error}"]
        with self._internal_lock:
            wanted = {key: value for key, value in variables.items() if self._may_load(key, override_existing)}
            done = self.update(wanted, source or f"file:{PurePath(path).name}")
        faults += [f"{key} is protected and was not set" for key, was_set in done.items() if not was_set]
        return sum(done.values()), faults

    def _may_load(self, key: str, override_existing: bool) -> bool:
        if not override_existing:
            return not self.exists(key) and self.get(key) is None
        return not self.exists(key) or self._variable_sources.get(key, "").startswith("file:")

    def _note(self, key: str, old: Optional[str], new: Optional[str], source: str) -> None:
        history = self._history.setdefault(key, [])
        history.append({"value": new, "source": source, "timestamp": time.time(), "old_value": old, "new_value": new})
        del history[:-_HISTORY_LIMIT]


def _tell(callbacks: list[ChangeCallback], key: str, old: Optional[str], new: Optional[str]) -> None:
    # Outside of the lock, and one that fails must not undo a change that is made.
    for callback in callbacks:
        try:
            callback(key, old, new)
        except Exception as error:
            files.logger.warning(f"Environment change callback failed: {error}")
