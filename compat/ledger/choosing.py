"""Canonical paths that depend on where a program runs: on the version of Python, the platform, or an installed distribution."""

from __future__ import annotations

import re
import sys

from . import metadata
from .versions import parse

_TERM = re.compile(r"([A-Za-z][\w.-]*)\s*(<=|>=|==|!=|<|>)\s*([\w.+!-]+)$")


class Choice(str):
    """A path that was chosen among several; ``depends`` says which, and when."""

    __slots__ = ("depends",)
    depends: str

    def __new__(cls, path: str, depends: str) -> Choice:
        made = super().__new__(cls, path)
        made.depends = depends
        return made

    def __getnewargs__(self) -> tuple[str, str]:  # type: ignore[override]
        return str(self), self.depends


def choose(*choices: tuple[str, str]) -> str:
    """The first path whose condition holds where the ledger is loaded: ``choose(("python < 3.11", "tomli"), ("", "tomllib"))``.

    A condition compares ``python``, ``platform`` (``sys.platform``) or a distribution with a version or a name, several of them
    joined by ``and``: ``"numpy >= 2 and platform != win32"``. A distribution that is not installed satisfies none but ``!=``. The
    last condition is empty, for everything else. Raises ValueError for a condition that is not understood.
    """
    if not choices or choices[-1][0]:
        raise ValueError("choose() ends with a path for everything else: choose(('python < 3.11', 'old'), ('', 'new'))")
    told = [f"{path.replace(':', '.')} where {condition}" for condition, path in choices[:-1]]
    told.append(f"else {choices[-1][1].replace(':', '.')}")
    path = next(path for condition, path in choices if _holds(condition))
    return Choice(path, f"depends on where it runs: {', '.join(told)}")


def _holds(condition: str) -> bool:
    return all(_compares(term.strip()) for term in condition.split(" and ")) if condition else True


def _compares(term: str) -> bool:
    match = _TERM.match(term)
    if match is None:
        raise ValueError(f"condition {term!r} is not understood: write one such as 'python < 3.11' or 'numpy >= 2'")
    name, sign, wanted = match.groups()
    if name == "platform":
        if sign not in ("==", "!="):
            raise ValueError(f"condition {term!r} is not understood: a platform is compared by == or !=")
        return sys.platform.startswith(wanted) == (sign == "==")
    found = "{}.{}.{}".format(*sys.version_info) if name == "python" else metadata.version_of(name)
    if not found:
        return sign == "!="
    one, other = parse(found), parse(wanted)
    results: dict[str, bool] = {
        "<": one < other,
        "<=": one <= other,
        ">": other < one,
        ">=": other <= one,
        "==": one == other,
        "!=": one != other,
    }
    return results[sign]
