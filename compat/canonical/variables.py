"""One variable of the environment in force, as text."""

from __future__ import annotations

from . import environment


def read_variable(name: str, default: str = "") -> str:
    """Return a variable of :func:`environment.get_env`, stripped; the default where it is unset, empty or no text."""
    # Looked up on the module at each call: isolated environments take each other's place there.
    value = environment.get_env().get(name)
    return (value.strip() or default) if isinstance(value, str) else default
