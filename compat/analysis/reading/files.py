"""Walk trees without following links, apply .gitignore and excludes, and derive module names from paths."""

from __future__ import annotations

import os
from functools import partial
from typing import TYPE_CHECKING, Any, Callable, NamedTuple, Optional

from compat.errors import CompatError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

PYTHON = (".py", ".pyi", ".pyw", ".ipynb")
DATA = (".toml", ".cfg", ".ini", ".yaml", ".yml", ".json")
_PRUNED = frozenset(
    [
        ".git",
        ".hg",
        ".svn",
        ".tox",
        ".nox",
        ".venv",
        "venv",
        "__pycache__",
        "node_modules",
        ".mypy_cache",
        ".ruff_cache",
        ".pytest_cache",
        ".eggs",
        ".compat-cache",
    ]
)


class MissingPath(CompatError):
    """A path that was named does not exist."""


class Found(NamedTuple):
    """One file: its path as it is shown, and the scan root it was found under."""

    path: str
    root: str
    is_data: bool


#: ``Found`` itself takes several times as long, which counts where there is nothing else to do for a file.
_found: Callable[[tuple[str, str, bool]], Found] = partial(tuple.__new__, Found)


class Trees:
    """The trees of one run.

    Parameters
    ----------
    paths:
        Files and directories; a file that is named is always taken, a directory is walked.
    exclude:
        Patterns as in .gitignore, relative to each root.
    gitignore:
        Whether .gitignore files inside the trees, and above them up to the repository, are respected.
    """

    def __init__(self, paths: Iterable[str], *, exclude: Iterable[str] = (), gitignore: bool = True, data: bool = True) -> None:
        self.roots = [os.fspath(path) for path in paths]
        for path in self.roots:
            if not os.path.exists(path):
                raise MissingPath(f"no such file or directory: {path!r}")
        self._exclude = _spec(exclude)
        self._gitignore = gitignore
        self._ignores: dict[str, Any] = {}
        self._above: set[str] = set()
        self.data = data
        self.errors: list[tuple[str, str]] = []

    def __iter__(self) -> Iterator[Found]:
        seen: set[str] = set()
        several = len(self.roots) > 1
        for root in self.roots:
            if not os.path.isdir(root):
                if root not in seen:
                    seen.add(root)
                    yield Found(root, os.path.dirname(root) or ".", root.endswith(DATA))
                continue
            for files in self._walk(root):
                if several:
                    files = [item for item in files if item.path not in seen]
                    seen.update(item.path for item in files)
                yield from files

    def _walk(self, root: str) -> Iterator[list[Found]]:
        """The files of each folder, in order."""
        data = DATA if self.data else ()
        pending = [root]
        while pending:
            at = pending.pop()
            files: list[tuple[str, bool]] = []
            folders: list[str] = []
            try:
                with os.scandir(at) as entries:
                    for entry in entries:
                        name = entry.name
                        if name.endswith(PYTHON):
                            if entry.is_file():
                                files.append((name, False))
                        elif name.endswith(data):
                            if entry.is_file() and not name.startswith("compat-baseline"):
                                files.append((name, True))
                        elif name == ".gitignore":
                            self._load_ignore(at)
                        elif name not in _PRUNED and entry.is_dir(follow_symlinks=False):
                            folders.append(entry.path)
            except OSError as error:
                self.errors.append((at, f"cannot be listed: {error.strerror or error}"))
            if files:
                files.sort()
                head = os.path.join(at, "")
                head = head[2:] if head.startswith(f".{os.sep}") else head
                found = [_found((head + name, root, is_data)) for name, is_data in files]
                if self._exclude is not None:
                    found = [item for item in found if not self._exclude.match_file(os.path.relpath(item.path, root))]
                yield found
            for folder in sorted(folders, reverse=True):
                if not self.is_ignored(folder, root, folder=True):
                    pending.append(folder)

    def is_ignored(self, path: str, root: str, *, folder: bool = False) -> bool:
        """Whether excludes or a .gitignore between the root's repository and the path leave it out."""
        if self._exclude is not None and self._exclude.match_file(os.path.relpath(path, root) + ("/" if folder else "")):
            return True
        if not self._gitignore or path == root:
            return False
        if root not in self._above:
            self._above.add(root)
            self._load_above(os.path.abspath(root))
        if not self._ignores:
            return False
        place = os.path.abspath(path)
        at = os.path.dirname(place)
        while True:
            spec = self._ignores.get(at)
            if spec is not None:
                verdict = spec.check_file(os.path.relpath(place, at).replace(os.sep, "/") + ("/" if folder else ""))
                if verdict.include is not None:
                    return bool(verdict.include)
            above = os.path.dirname(at)
            if above == at:
                return False
            at = above

    def _load_above(self, at: str) -> None:
        """Load the .gitignore files above a root, up to its repository; none where it lies in no repository."""
        found = []
        while not os.path.exists(os.path.join(at, ".git")):
            above = os.path.dirname(at)
            if above == at:
                return
            at = above
            found.append(at)
        for folder in found:
            self._load_ignore(folder)

    def _load_ignore(self, folder: str) -> None:
        folder = os.path.abspath(folder)
        try:
            with open(os.path.join(folder, ".gitignore"), encoding="utf-8", errors="replace") as file:
                lines = file.read().splitlines()
        except OSError:
            return
        spec = _spec(lines)
        if spec is not None:
            self._ignores[folder] = spec


def _spec(lines: Iterable[str]) -> Optional[Any]:
    kept = [line for line in lines if line.strip() and not line.lstrip().startswith("#")]
    if not kept:
        return None
    try:
        from pathspec import GitIgnoreSpec
    except ImportError:
        raise CompatError(".gitignore and excludes need pathspec; install it with: pip install 'netra-compat[tools]'") from None
    return GitIgnoreSpec.from_lines(kept)


def matches(patterns: Iterable[str], path: str) -> bool:
    """Whether a path matches patterns written as in .gitignore."""
    spec = _spec(patterns)
    return spec is not None and bool(spec.match_file(path.replace(os.sep, "/").lstrip("/")))


class ModuleNames:
    """Dotted module names of files: by the packages the ledger knows, else by ``__init__.py`` files."""

    def __init__(self, roots: Iterable[str]) -> None:
        self._roots = frozenset(roots)
        self._packages: dict[str, str] = {}
        self._folders: dict[tuple[str, str], str] = {}
        self._inside: dict[str, bool] = {}

    def is_inside(self, path: str) -> bool:
        """Whether a file lies in a directory named like a top-level package of the ledger."""
        folder = path[: path.rfind(os.sep) + 1]
        inside = self._inside.get(folder)
        if inside is None:
            inside = self._inside[folder] = not self._roots.isdisjoint(folder.split(os.sep))
        return inside

    def of(self, found: Found) -> tuple[str, bool]:
        """The module name of a file (empty where unknown), and whether it is a package's ``__init__``."""
        stem, name = os.path.split(os.path.splitext(found.path)[0])
        key = stem, found.root
        if key not in self._folders:
            self._folders[key] = self._of_folder(*key)
        package = self._folders[key]
        if name == "__init__":
            return package, True
        return (f"{package}.{name}" if package else name), False

    def _of_folder(self, folder: str, root: str) -> str:
        for base in (os.path.relpath(folder or ".", root), os.path.abspath(folder)):
            parts = [part for part in base.split(os.sep) if part not in (".", "")]
            for index, part in enumerate(parts):
                if part in self._roots:
                    return ".".join(parts[index:])
        return self._package(os.path.abspath(folder))

    def _package(self, folder: str) -> str:
        if folder not in self._packages:
            above, name = os.path.split(folder)
            inside = name and os.path.isfile(os.path.join(folder, "__init__.py"))
            outer = self._package(above) if inside else ""
            self._packages[folder] = (f"{outer}.{name}" if outer else name) if inside else ""
        return self._packages[folder]
