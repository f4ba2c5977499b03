"""Decide whether a legacy module that has no ``Module`` row stays, from rows, the scanned tree and the environment.

A module *stays* where its import goes on working, and only the names of its rows are legacy. It is gone where

* its package is found in the tree or the environment, and does not hold it; or
* its top-level package is found nowhere, and no row leads into that package.

What cannot be known counts as staying: submodules of a package that is not installed though rows lead into it, of a module that
is no package, and of a package that sets ``__path__`` or ``sys.modules`` itself. How many of its names moved says nothing.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

#: What in the source of a package may provide submodules that are no files of it.
_DYNAMIC = (b"__path__", b"sys.modules", b"meta_path")


class _Place(NamedTuple):
    """Whether a module is there (``None``: unknown), and the folders in which its submodules are, if it is a package."""

    is_there: bool | None
    folders: tuple[str, ...] = ()
    is_open: bool = False  # other submodules than files may be there


class Presence:
    """Which modules stay. ``led_to`` are the modules that rows lead into, ``bases`` the folders of the scanned trees in which
    top-level packages may lie, ``beside`` those around the trees: there, a folder without ``__init__.py`` is no package."""

    def __init__(self, led_to: Iterable[str], bases: Iterable[str] = (), beside: Iterable[str] = ()) -> None:
        self._led_to: set[str] = set()
        for module in led_to:
            while module and module not in self._led_to:
                self._led_to.add(module)
                module = module.rpartition(".")[0]
        self._bases, self._beside = tuple(bases), tuple(beside)
        self._places: dict[str, _Place] = {}

    def stays(self, module: str) -> bool:
        """Whether importing a module goes on working, as far as can be known."""
        return self._place(module).is_there is not False

    def _place(self, module: str) -> _Place:
        made = self._places.get(module)
        if made is None:
            made = self._places[module] = self._find(module)
        return made

    def _find(self, module: str) -> _Place:
        parent, _, last = module.rpartition(".")
        if not parent:
            found = _within(self._bases, last, spread=module in self._led_to)
            found = _join(found, _join(_within(self._beside, last, namespaces=False), _in_environment(last)))
        else:
            above = self._place(parent)
            found = _within(above.folders, last, spread=module in self._led_to)
            if found.is_there is False and (above.is_open or (above.is_there is not False and not above.folders)):
                found = _Place(None)
        if found.is_there is False and module in self._led_to:
            return _Place(True, (), True)
        return found


def _join(one: _Place, other: _Place) -> _Place:
    return _Place(bool(one.is_there or other.is_there), one.folders + other.folders, one.is_open or other.is_open)


def _within(folders: Iterable[str], name: str, *, namespaces: bool = True, spread: bool = False) -> _Place:
    """The module of a name among the files of some folders; with ``spread``, a namespace package may have parts elsewhere."""
    from importlib.machinery import all_suffixes

    is_there, is_open, packages = False, False, []
    for folder in folders:
        stem = os.path.join(folder, name)
        if os.path.isdir(stem):
            start = os.path.join(stem, "__init__.py")
            if os.path.isfile(start):
                is_open = is_open or _is_dynamic(start)
            elif not namespaces or not any(entry != "__pycache__" for entry in _listed(stem)):
                continue  # `__pycache__` is what a removed package leaves behind
            else:
                is_open = is_open or spread
            is_there = True
            packages.append(stem)
        elif any(os.path.isfile(stem + suffix) for suffix in all_suffixes()):
            is_there = True
    return _Place(is_there, tuple(packages), is_open)


def _in_environment(name: str) -> _Place:
    """A top-level module as the interpreter finds it, without importing it; finders of this package are not asked."""
    from importlib.machinery import BuiltinImporter, FrozenImporter, PathFinder

    editable = [finder for finder in sys.meta_path if getattr(finder, "__module__", "").startswith("__editable__")]
    for finder in (BuiltinImporter, FrozenImporter, PathFinder, *editable):
        try:
            spec = finder.find_spec(name, None)  # type: ignore[attr-defined]
        except Exception:  # a finder of somebody else's
            return _Place(True, (), True)
        if spec is not None:
            folders = tuple(spec.submodule_search_locations or ())
            is_open = bool(spec.origin and folders and _is_dynamic(spec.origin)) or not all(map(os.path.isdir, folders))
            return _Place(True, folders, is_open)
    return _Place(False)


def _is_dynamic(path: str) -> bool:
    try:
        with open(path, "rb") as file:
            source = file.read()
    except OSError:
        return True
    return any(word in source for word in _DYNAMIC)


def _listed(folder: str) -> list[str]:
    try:
        return os.listdir(folder)
    except OSError:
        return []
