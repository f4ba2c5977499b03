"""What of a package's public surface is gone or different, by griffe, with the paths that rows name."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Optional

from compat.errors import CompatError

if TYPE_CHECKING:
    from collections.abc import Iterator

#: What a break is, in words, and by which word formats name it.
REMOVED, KIND, BASE, VALUE = "removed", "kind", "base", "value"
PARAMETER_REMOVED, PARAMETER_ADDED, PARAMETER_MOVED = "parameter-removed", "parameter-added", "parameter-moved"
PARAMETER_KIND, PARAMETER_DEFAULT, PARAMETER_REQUIRED = "parameter-kind", "parameter-default", "parameter-required"
RETURN = "return"

_KINDS = {
    "OBJECT_REMOVED": REMOVED,
    "OBJECT_CHANGED_KIND": KIND,
    "CLASS_REMOVED_BASE": BASE,
    "ATTRIBUTE_CHANGED_VALUE": VALUE,
    "PARAMETER_REMOVED": PARAMETER_REMOVED,
    "PARAMETER_ADDED_REQUIRED": PARAMETER_ADDED,
    "PARAMETER_MOVED": PARAMETER_MOVED,
    "PARAMETER_CHANGED_KIND": PARAMETER_KIND,
    "PARAMETER_CHANGED_DEFAULT": PARAMETER_DEFAULT,
    "PARAMETER_CHANGED_REQUIRED": PARAMETER_REQUIRED,
    "RETURN_CHANGED_TYPE": RETURN,
}
_SAID = {
    REMOVED: "is gone",
    KIND: "is another kind of thing: {old} became {new}",
    BASE: "has lost a base class: {old} became {new}",
    VALUE: "has another value: {old} became {new}",
    PARAMETER_REMOVED: "has lost its parameter {name}",
    PARAMETER_ADDED: "has a new parameter {name}, which is required",
    PARAMETER_MOVED: "takes its parameter {name} at another position",
    PARAMETER_KIND: "takes its parameter {name} in another way: {old} became {new}",
    PARAMETER_DEFAULT: "has another default of {name}: {old} became {new}",
    PARAMETER_REQUIRED: "requires its parameter {name} now",
    RETURN: "returns another type: {old} became {new}",
}


@dataclass(frozen=True)
class Break:
    """One public thing that is gone or different. ``path`` is as rows write it: ``"pkg.module:Class.method"``."""

    kind: str
    path: str
    file: str
    line: int
    parameter: str = ""
    old: str = ""
    new: str = ""
    #: What griffe knows of it in the old version, where it is gone.
    was: Any = None

    @property
    def message(self) -> str:
        """One line that says what is different."""
        said = _SAID[self.kind].format(name=self.parameter, old=self.old, new=self.new)
        return f"{self.path} {said}"

    def as_dict(self) -> dict[str, object]:
        """Plain data, as the JSON format holds it."""
        known = ("kind", "path", "file", "line", "parameter", "old", "new", "message")
        return {name: getattr(self, name) for name in known}


def load(package: str, search_path: str, version: str) -> Any:
    """A package as griffe reads it: from its source, nothing imported."""
    import griffe

    logging.getLogger("griffe").setLevel(logging.CRITICAL)
    try:
        return griffe.load(package, search_paths=[search_path], allow_inspection=False, resolve_aliases=True)
    except Exception as error:
        said = str(error).strip().partition("\n")[0] or type(error).__name__
        raise CompatError(f"package {package!r} of {version!r} cannot be read: {said}") from None


def find(old: Any, new: Any) -> list[Break]:
    """What differs between two versions of a package, in order of its place, each once."""
    import griffe

    found: dict[tuple[str, str, str], Break] = {}
    for item in griffe.find_breaking_changes(old, new):
        made = _read(item)
        if made is not None:
            found.setdefault((made.kind, made.path, made.parameter), made)
    gone = {made.path for made in found.values() if made.kind == REMOVED}
    return sorted(
        (made for made in found.values() if not any(outer in gone for outer in _around(made.path))),
        key=lambda made: (made.file, made.line, made.path, made.kind, made.parameter),
    )


def _around(path: str) -> Iterator[str]:
    """The paths of what holds a path."""
    module, colon, attribute = path.partition(":")
    while "." in attribute:
        attribute = attribute.rpartition(".")[0]
        yield f"{module}:{attribute}"
    if colon:
        yield module
    while "." in module:
        module = module.rpartition(".")[0]
        yield module


def _read(item: Any) -> Optional[Break]:
    kind = _KINDS.get(item.kind.name)
    thing = item.obj
    if thing.is_alias and thing.inherited:
        thing = _home(thing)
    path = row_path(thing)
    if kind is None or not path or not _is_meant(path):
        return None
    parameter, old, new = "", "", ""
    if kind.startswith("parameter"):
        given = item.old_value if item.old_value is not None else item.new_value
        parameter = given.name
        if parameter.startswith("_"):
            return None
        if kind == PARAMETER_DEFAULT:
            old, new = str(item.old_value.default), str(item.new_value.default)
        elif kind == PARAMETER_KIND:
            old, new = item.old_value.kind.value, item.new_value.kind.value
    elif kind == BASE:
        before, after = ([str(base) for base in bases if str(base) != "object"] for bases in (item.old_value, item.new_value))
        if set(before) <= set(after):
            return None
        old, new = ", ".join(before), ", ".join(after) or "none"
    elif kind != REMOVED:
        old, new = _short(item.old_value), _short(item.new_value)
    file, line = _place(thing)
    return Break(kind, path, file, line, parameter, old, new, thing if kind == REMOVED else None)


def row_path(thing: Any) -> str:
    """The path of something as rows write it; ``""`` where its module is not known."""
    words: list[str] = []
    at = thing
    while at is not None and not _is_module(at):
        words.append(at.name)
        at = at.parent
    if at is None:
        return ""
    module = at.path
    return f"{module}:{'.'.join(reversed(words))}" if words else module


def _is_meant(path: str) -> bool:
    """Whether users may rely on a path: no private name, no hook of a module, nothing of tests that are shipped."""
    module, _, attribute = path.partition(":")
    words = attribute.split(".")
    if {"tests", "test"} & set(module.split(".")) or (len(words) == 1 and attribute.startswith("__")):
        return False
    return not any(word.startswith("_") and not word.endswith("__") for word in words)


def _home(thing: Any) -> Any:
    """The member of a base class of the package that a class inherits, or the inherited one where the base is another's."""
    target = thing.final_target
    return target if target.path.partition(".")[0] == thing.path.partition(".")[0] else thing


def _is_module(thing: Any) -> bool:
    # What an import binds may lead out of the package; the name itself is no module of it.
    return not thing.is_alias and thing.is_module


def _place(thing: Any) -> tuple[str, int]:
    try:
        holder = thing.parent if thing.is_alias else thing
        file = str(holder.relative_package_filepath)
        package = thing.path.partition(".")[0]
        file = f"{package}/{file}" if not file.startswith(f"{package}/") else file
        line = thing.alias_lineno if thing.is_alias else thing.lineno
        return file, line or 1
    except Exception:
        return "", 1


def _short(value: Any) -> str:
    text = " ".join(str(getattr(value, "value", value)).split())
    return text if len(text) <= 60 else f"{text[:57]}..."
