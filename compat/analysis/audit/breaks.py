"""What of a package's public surface is gone or different, by griffe, with the paths that rows name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Optional

from . import surface
from .surface import row_path

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


def find(old: Any, new: Any) -> list[Break]:
    """What differs between two versions of a package, in order of its place, each once."""
    found = _Comparison(old, new).found
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


class _Comparison:
    """All that differs between two versions: what griffe finds, and what it does not compare because it moved."""

    def __init__(self, old: Any, new: Any) -> None:
        import griffe

        self.old, self.new = old, new
        self.tests = surface.test_packages(old)
        self.found: dict[tuple[str, str, str], Break] = {}
        for item in griffe.find_breaking_changes(old, new):
            self._add(item)
        for path, before, after in surface.moved(old, new):
            for item in griffe.find_breaking_changes(surface.alone(before), surface.alone(after)):
                self._add(item, path, (row_path(before), row_path(after)))

    def _add(self, item: Any, path: str = "", homes: tuple[str, ...] = ()) -> None:
        kind, named = _KINDS.get(item.kind.name), self._path(item)
        for home in homes:
            if named == home or named.startswith((f"{home}.", f"{home}:")):
                named = path + named[len(home) :]
                break
        if kind is None or not named or not surface.is_meant(named, self.tests):
            return
        if kind != REMOVED and not self._was(item, kind, named):
            return  # of something that is there since; what it stands for is compared by its own path
        made = _read(item, kind, named)
        if made is not None:
            self.found.setdefault((made.kind, made.path, made.parameter), made)

    def _was(self, item: Any, kind: str, path: str) -> bool:
        """Whether the old version has what a break speaks of, with the parameter that is gone, or without that which is new."""
        before = surface.final(surface.at(self.old, path))
        if before is None or not kind.startswith("parameter") or before.is_alias or not before.is_function:
            return before is not None
        given = item.old_value if item.old_value is not None else item.new_value
        return (given.name in [parameter.name for parameter in before.parameters]) != (kind == PARAMETER_ADDED)

    def _path(self, item: Any) -> str:
        """The path that rows would name: of an inherited member that of its base, unless there it is as it was."""
        thing = item.obj
        own = row_path(thing)
        if item.kind.name == "OBJECT_REMOVED" and "." in own.partition(":")[2]:
            owner = surface.at(self.new, own.rpartition(".")[0])
            if owner is not None and surface.inherits(owner, thing.name):
                return ""
        if not (thing.is_alias and thing.inherited):
            return own
        home = row_path(_home(thing))
        if item.kind.name == "OBJECT_REMOVED":
            return own if surface.at(self.new, home) is not None else home
        before = surface.final(surface.at(self.old, own))
        return home if before is not None and row_path(before) == home else own


def _read(item: Any, kind: str, path: str) -> Optional[Break]:
    thing = item.obj
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


def _home(thing: Any) -> Any:
    """The member of a base class of the package that a class inherits, or the inherited one where the base is another's."""
    target = thing.final_target
    return target if target.path.partition(".")[0] == thing.path.partition(".")[0] else thing


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
