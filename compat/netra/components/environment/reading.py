"""Variables of the environment in force: one as text, or all as a mapping."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from .. import environment


def read_variable(name: str, default: str = "") -> str:
    """Return a variable of :func:`environment.get_env`, stripped; the default where it is unset, empty or no text."""
    # Looked up on the module at each call: isolated environments take each other's place there.
    value = environment.get_env().get(name)
    return (value.strip() or default) if isinstance(value, str) else default


class Variables(Mapping[str, str]):
    """The variables of :func:`environment.get_env`, read at each look-up."""

    def __getitem__(self, name: str) -> str:
        value = environment.get_env().get(name)
        if not isinstance(value, str):
            raise KeyError(name)
        return value

    def __iter__(self) -> Iterator[str]:
        return iter(environment.get_env().get_all())

    def __len__(self) -> int:
        return len(environment.get_env().get_all())
