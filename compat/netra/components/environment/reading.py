"""Variables of the environment in force: one as text, or all as a mapping."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from .. import environment
from .defaults import test_defaults
from .isolated import IsolatedEnvironment

#: What verifies tokens: in a deployment the values that tests are given must never be among it.
_KEYS = ("JWT_SECRET_KEY", "JWT_SECRET_KEY_PREVIOUS", "JWT_JWKS")


def read_variable(name: str, default: str = "") -> str:
    """Return a variable of :func:`environment.get_env`, stripped; the default where it is unset, empty or no text."""
    # Looked up on the module at each call: isolated environments take each other's place there.
    value = environment.get_env().get(name)
    if not isinstance(value, str) or _opens_access(name, value):
        return default
    return value.strip() or default


def _opens_access(name: str, value: str) -> bool:
    env = environment.get_env()
    if name not in _KEYS or value != test_defaults().get(name) or not isinstance(env, IsolatedEnvironment):
        return False
    return not env.exists(name) and env.get_environment_name() != "test"


class Answers(Mapping[str, str]):
    """The variables that one environment answers with text, by name; a stand-in need only have ``get()`` or ``get_all()``."""

    def __init__(self, env: Any) -> None:
        self._env = env

    def __getitem__(self, name: str) -> str:
        value = self._env.get(name)
        if value is not None and not isinstance(value, str):
            value = self._listed().get(name)
        if not isinstance(value, str):
            raise KeyError(name)
        return value

    def _listed(self) -> Mapping[str, Any]:
        listed = self._env.get_all()
        return listed if isinstance(listed, Mapping) else {}

    def __iter__(self) -> Iterator[str]:
        return iter(self._listed())

    def __len__(self) -> int:
        return sum(1 for _ in self)


class Variables(Mapping[str, str]):
    """The variables of :func:`environment.get_env`, read at each look-up."""

    def __getitem__(self, name: str) -> str:
        value = environment.get_env().get(name)
        if not isinstance(value, str) or _opens_access(name, value):
            raise KeyError(name)
        return value

    def __iter__(self) -> Iterator[str]:
        return iter(environment.get_env().get_all())

    def __len__(self) -> int:
        return len(environment.get_env().get_all())
