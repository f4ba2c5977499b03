"""Whose code uses whose legacy name: self, direct or indirect."""

from __future__ import annotations

import os
import sys

from compat.telemetry.record.sites import portable_path

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

#: Your code uses your own legacy name; your code uses a dependency's; all other code uses any.
SELF, DIRECT, INDIRECT = CATEGORIES = ("self", "direct", "indirect")

_INSTALLED = ("site-packages", "dist-packages")
#: Folders of a project that are no packages of it.
_NO_PACKAGES = frozenset(("tests", "test", "testing", "docs", "doc", "examples", "scripts", "build", "dist"))


class Owners:
    """What belongs to the project in ``root``: its files and its top-level packages."""

    def __init__(self, root: str, packages: Iterable[str] = ()) -> None:
        self.root = os.path.realpath(root)
        self.packages = frozenset((*packages, *_packages_in(self.root), *_packages_in(os.path.join(self.root, "src"))))
        self._environment = os.path.realpath(sys.prefix)
        self._files: dict[str, tuple[str, bool]] = {}

    def category(self, file: str, move: str, canonical: str = "") -> str:
        """The category of a use in ``file`` (as in the code object) of the move with a legacy and a canonical path."""
        if not self.place(file)[1]:
            return INDIRECT
        roots = {path.partition(":")[0].partition(".")[0] for path in (move, canonical) if path}
        return SELF if roots & self.packages else DIRECT

    def place(self, file: str) -> tuple[str, bool]:
        """A file as it is shown, below the project or below ``sys.path``, and whether it is the project's."""
        known = self._files.get(file)
        if known is None:
            known = self._files[file] = self._place(file)
        return known

    def _place(self, file: str) -> tuple[str, bool]:
        if not file:
            return "-", True  # beyond the bound of sites, a use is counted without its place
        if not os.path.isabs(file) and not os.path.exists(os.path.join(self.root, file)):
            return file, file != "sys"
        path = os.path.realpath(os.path.join(self.root, file))
        inside = _below(path, self.root)
        parts = path.replace(os.sep, "/").split("/")
        at = max((len(parts) - 1 - parts[::-1].index(name) for name in _INSTALLED if name in parts), default=-1)
        if at >= 0:
            # What tox and nox install of the project is the project's, too.
            shown = "/".join(parts[at + 1 :])
            return shown, parts[at + 1].partition(".")[0] in self.packages
        if inside and not (_below(path, self._environment) and _below(self._environment, self.root)):
            return os.path.relpath(path, self.root).replace(os.sep, "/"), True
        return portable_path(file), False


def _below(path: str, folder: str) -> bool:
    return path.startswith(folder.rstrip(os.sep) + os.sep)


def _packages_in(folder: str) -> list[str]:
    try:
        names = os.listdir(folder)
    except OSError:
        return []
    found = [name for name in names if _holds_modules(os.path.join(folder, name))]
    found += [name[:-3] for name in names if name.endswith(".py") and name not in ("setup.py", "conftest.py", "noxfile.py")]
    return [name for name in found if name not in _NO_PACKAGES and not name.startswith("test_")]


def _holds_modules(folder: str) -> bool:
    # A namespace package has no __init__.py.
    try:
        return any(name.endswith(".py") for name in os.listdir(folder))
    except OSError:
        return False
