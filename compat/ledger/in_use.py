"""Which declared ledgers the project at hand uses: those of the distributions that it depends on, and no others.

A distribution that something else has brought along is of no concern to whoever runs a command. What was asked for is known by
``pyproject.toml``, and by the file ``REQUESTED`` that pip and uv leave in the metadata of what they were told to install.
"""

from __future__ import annotations

import os
import re
import sys

from compat.boot.entry_points import ROOTS, EntryPoint, entry_points

from .discovery import configured

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Any

# Installers that mark what was asked for; of what others have installed nothing is known.
_MARKING = ("pip", "uv")


def in_use(directory: str = ".") -> tuple[list[EntryPoint], list[EntryPoint]]:
    """The declared ledgers that the project of a directory uses, and the others.

    The ledgers that ``[tool.compat]`` names are it, where it names any. A ledger of this package itself is one only where no
    other is, or where a package that it speaks of lies in the directory: whoever needs the tool need not be its case.
    """
    declared = list(entry_points(sys.path))
    named = configured(directory)
    if named:
        used = [entry for entry in declared if entry.value in named or entry.name in named]
    else:
        wanted = _wanted(directory)
        used = [entry for entry in declared if _normal(entry.distribution.rpartition("-")[0]) in wanted or _is_unmarked(entry)]
        others = [entry for entry in used if not _is_own(entry)]
        if others:
            used = [entry for entry in used if entry in others or _has_root_of(directory, entry)]
    return used, [entry for entry in declared if entry not in used]


def _is_own(entry: EntryPoint) -> bool:
    return entry.value.partition(".")[0] == "compat"


def _has_root_of(directory: str, entry: EntryPoint) -> bool:
    roots = (root.name for root in entry_points(sys.path, ROOTS) if root.value == entry.value and "." not in root.name)
    return any(os.path.isdir(os.path.join(directory, place, root)) for root in roots for place in ("", "src"))


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _infos() -> Iterator[str]:
    for folder in sys.path:
        try:
            found = sorted(os.listdir(folder or "."))
        except OSError:
            continue
        yield from (os.path.join(folder, name) for name in found if name.endswith(".dist-info"))


def _text(*path: str) -> str:
    try:
        with open(os.path.join(*path), encoding="utf-8") as file:
            return file.read()
    except (OSError, UnicodeDecodeError):
        return ""


def _is_unmarked(entry: EntryPoint) -> bool:
    """Whether nobody noted that a distribution came as a dependency of another."""
    for info in _infos():
        if os.path.basename(info) == f"{entry.distribution}.dist-info":
            is_marking = _text(info, "INSTALLER").strip().lower() in _MARKING
            return not is_marking or os.path.exists(os.path.join(info, "REQUESTED"))
    return True


def _wanted(directory: str) -> set[str]:
    """The project's own name and those of its dependencies; where no project is, what the requested distributions depend on."""
    project = _project(directory)
    if project is not None:
        return project
    requested = (info for info in _infos() if os.path.exists(os.path.join(info, "REQUESTED")))
    lines = (line for info in requested for line in _text(info, "METADATA").partition("\n\n")[0].split("\n"))
    return set(_names(line.partition(":")[2] for line in lines if line.startswith("Requires-Dist:")))


def _names(requirements: Iterable[object]) -> Iterator[str]:
    for requirement in requirements:
        found = re.match(r"\s*([A-Za-z0-9][\w.-]*)", requirement) if isinstance(requirement, str) else None
        if found:
            yield _normal(found[1])


def _project(directory: str) -> set[str] | None:
    at = os.path.abspath(directory)
    while not os.path.isfile(os.path.join(at, "pyproject.toml")):
        at, below = os.path.dirname(at), at
        if at == below:
            return None
    try:
        if sys.version_info >= (3, 11):
            import tomllib
        else:
            import tomli as tomllib
        document: dict[str, Any] = tomllib.loads(_text(at, "pyproject.toml"))
    except (ImportError, ValueError):
        return None
    project = _table(document, "project")
    poetry = _table(document, "tool", "poetry")
    if not project and not poetry:
        return None
    groups = [project.get("dependencies"), *_table(project, "optional-dependencies").values()]
    groups += _table(document, "dependency-groups").values()
    listed = [requirement for group in groups if isinstance(group, list) for requirement in group]
    listed += [project.get("name"), poetry.get("name"), *_table(poetry, "dependencies")]
    for group in _table(poetry, "group").values():
        listed += _table(group, "dependencies")
    return set(_names(listed))


def _table(table: Any, *keys: str) -> dict[str, Any]:
    for key in keys:
        table = table.get(key) if isinstance(table, dict) else None
    return table if isinstance(table, dict) else {}
