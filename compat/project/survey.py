"""What lies in a project's directory, found without importing or running anything of it."""

from __future__ import annotations

import ast
import os
import re
import sys
from collections.abc import Iterator
from typing import Any, NamedTuple

from compat import configuration
from compat.configuration import ConfigError

#: Where each tool is known by; a name that ends with a slash is a directory.
_SIGNS = {
    "github": (".github/",),
    "gitlab": (".gitlab-ci.yml", ".gitlab/"),
    "pre-commit": (".pre-commit-config.yaml",),
    "nox": ("noxfile.py",),
    "tox": ("tox.ini", "tox.toml"),
}
_NOT_PACKAGES = {
    "tests",
    "test",
    "testing",
    "docs",
    "doc",
    "examples",
    "scripts",
    "tools",
    "build",
    "dist",
    "benchmarks",
    "node_modules",
}
_VERSION = re.compile(r"""^__version__\s*(?::\s*\w+)?=\s*["']([^"']+)["']""", flags=re.M)


class Survey(NamedTuple):
    """What is there. Paths are relative to ``root``, with slashes."""

    root: str
    #: All of pyproject.toml; ``None`` where there is no such file.
    pyproject: dict[str, Any] | None
    name: str
    version: str
    #: The import package or module of the project's name, else the first; ``""`` where there is none.
    package: str
    #: Where that package's directory, or the module's file, lies.
    place: str
    #: Further packages and modules.
    others: tuple[str, ...]
    tests: tuple[str, ...]
    #: Of github, gitlab, pre-commit, nox and tox those that the project uses.
    tools: tuple[str, ...]
    #: ``package.module:LEDGER`` of the ledgers that its own files define.
    ledgers: tuple[str, ...]
    dependencies: frozenset[str]

    @property
    def is_package(self) -> bool:
        return bool(self.package) and not self.place.endswith(".py")

    @property
    def sources(self) -> list[str]:
        """The arguments of a scan: the directories of the packages and of the tests, or all there is where modules lie open."""
        head = self.place.rpartition("/")[0]
        if head:
            return [head, *self.tests]
        if not self.is_package or any(other.endswith(".py") for other in self.others):
            return ["."]
        return [self.place, *self.others, *self.tests]

    def table(self) -> dict[str, Any] | None:
        """The ``[tool.compat]`` table as it stands; raises :class:`compat.CompatError` where that is no table."""
        return configuration.table_in(self.pyproject or {}, os.path.join(self.root, "pyproject.toml"))

    def project(self) -> dict[str, Any]:
        """The ``[project]`` table as it stands."""
        found = (self.pyproject or {}).get("project", {})
        return found if isinstance(found, dict) else {}


def survey(root: str = ".") -> Survey:
    """Look around in a directory; raise :class:`compat.CompatError` where its pyproject.toml cannot be read."""
    root = os.path.abspath(root)
    pyproject = _pyproject(os.path.join(root, "pyproject.toml"))
    project = (pyproject or {}).get("project", {})
    project = project if isinstance(project, dict) else {}
    name = str(project.get("name") or os.path.basename(root))
    places = dict(_packages(root))
    own = re.sub(r"[-.]+", "_", name).lower()
    package = own if own in places else next(iter(places), "")
    place = places.get(package, "")
    version = project.get("version") or _version_in(root, place)
    return Survey(
        root=root,
        pyproject=pyproject,
        name=name,
        version=version if isinstance(version, str) else "",
        package=package,
        place=place,
        others=tuple(each for other, each in places.items() if other != package),
        tests=tuple(each for each in ("tests", "test") if os.path.isdir(os.path.join(root, each))) or tuple(_test_files(root)),
        tools=tuple(_tools(root, pyproject)),
        ledgers=tuple(_ledgers(root, places)),
        dependencies=frozenset(_dependencies(project)),
    )


def _pyproject(file: str) -> dict[str, Any] | None:
    try:
        with open(file, "rb") as stream:
            return parsed(stream.read().decode("utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise ConfigError(f"{file} cannot be read: {error}") from None


def parsed(text: str) -> dict[str, Any]:
    """A TOML document; raises ``ValueError``."""
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib
    document: dict[str, Any] = tomllib.loads(text)
    return document


def _packages(root: str) -> Iterator[tuple[str, str]]:
    """Import names and where they lie: below ``src`` where there is one, else in the directory itself."""
    for below in ("src", ""):
        folder = os.path.join(root, below) if below else root
        if not os.path.isdir(folder):
            continue
        found = False
        for entry in sorted(os.listdir(folder)):
            path = f"{below}/{entry}" if below else entry
            stem, suffix = os.path.splitext(entry)
            if os.path.isfile(os.path.join(folder, entry, "__init__.py")) and entry.isidentifier() and entry not in _NOT_PACKAGES:
                found = True
                yield entry, path
            elif (
                suffix == ".py"
                and stem.isidentifier()
                and not _is_no_module(stem)
                and os.path.isfile(os.path.join(folder, entry))
            ):
                found = True
                yield stem, path
        if found:
            return


def _is_no_module(stem: str) -> bool:
    return stem in ("setup", "conftest", "noxfile", "__init__", "__main__") or stem.startswith("test_") or stem.endswith("_test")


def _test_files(root: str) -> Iterator[str]:
    for entry in sorted(os.listdir(root)):
        if entry.startswith("test_") and entry.endswith(".py"):
            yield entry


def _version_in(root: str, place: str) -> str:
    if not place:
        return ""
    for name in (place,) if place.endswith(".py") else (f"{place}/__init__.py", f"{place}/_version.py", f"{place}/version.py"):
        found = _VERSION.search(_text(os.path.join(root, name)))
        if found:
            return found[1]
    return ""


def _text(file: str) -> str:
    try:
        with open(file, encoding="utf-8") as stream:
            return stream.read()
    except (OSError, UnicodeDecodeError):
        return ""


def _tools(root: str, pyproject: dict[str, Any] | None) -> Iterator[str]:
    tables = (pyproject or {}).get("tool", {})
    remotes = re.findall(r"^\s*url\s*=\s*(\S+)", _text(os.path.join(root, ".git", "config")), flags=re.M)
    for tool, signs in _SIGNS.items():
        is_there = any(os.path.exists(os.path.join(root, sign)) for sign in signs)
        is_remote = any(re.search(rf"[@/.]{tool}\b", remote) for remote in remotes)
        if is_there or is_remote or (isinstance(tables, dict) and tool in tables):
            yield tool


def _ledgers(root: str, places: dict[str, str]) -> Iterator[str]:
    for name, place in places.items():
        if place.endswith(".py"):
            yield from (f"{name}:{ledger}" for ledger in _ledgers_in(os.path.join(root, place)))
            continue
        top = os.path.join(root, place)
        for folder, folders, files in os.walk(top):
            folders[:] = sorted(each for each in folders if each != "__pycache__" and not each.startswith("."))
            for file in sorted(each for each in files if each.endswith(".py")):
                parts = [name, *os.path.relpath(os.path.join(folder, file[:-3]), top).split(os.sep)]
                module = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
                yield from (f"{module}:{ledger}" for ledger in _ledgers_in(os.path.join(folder, file)))


def _ledgers_in(file: str) -> Iterator[str]:
    """The names that a module binds to ``Ledger(...)``, with rows added or without."""
    text = _text(file)
    if "Ledger(" not in text or "compat" not in text:
        return
    try:
        body = ast.parse(text).body
    except (SyntaxError, ValueError):
        return
    for statement in body:
        if not isinstance(statement, (ast.Assign, ast.AnnAssign)) or statement.value is None:
            continue
        made: ast.expr = statement.value
        while isinstance(made, ast.BinOp):
            made = made.left
        function = made.func if isinstance(made, ast.Call) else None
        called = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
        targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
        if called == "Ledger":
            yield from (target.id for target in targets if isinstance(target, ast.Name))


def _dependencies(project: dict[str, Any]) -> Iterator[str]:
    optional = project.get("optional-dependencies", {})
    groups = [project.get("dependencies", []), *(optional.values() if isinstance(optional, dict) else ())]
    for group in groups:
        for requirement in group if isinstance(group, list) else ():
            found = re.match(r"\s*([A-Za-z0-9][\w.-]*)", str(requirement))
            if found:
                yield normal(found[1])


def normal(name: str) -> str:
    """The name of a distribution as it is compared."""
    return re.sub(r"[-_.]+", "-", name).lower()
