"""Bring a version of a package into a directory: one that is there, a revision of git, a release of a package index."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tarfile
import zipfile
from contextlib import contextmanager
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from compat.errors import CompatError

if TYPE_CHECKING:
    from collections.abc import Iterator

_RELEASE = re.compile(r"([A-Za-z0-9][\w.-]*)==([\w.!+-]+)\Z")
_NO_PACKAGES = frozenset(
    ("tests", "test", "docs", "doc", "examples", "example", "benchmarks", "scripts", "tools", "build", "dist")
)
_SOURCES = ("src", "lib", "python")


@contextmanager
def brought(version: str) -> Iterator[str]:
    """Yield a directory that holds a version: ``"DIRECTORY"``, ``"DISTRIBUTION==1.2"``, or a revision of the repository here.

    Raises :class:`CompatError` where there is none of that name.
    """
    if os.path.isdir(version):
        yield os.path.abspath(version)
        return
    with TemporaryDirectory(prefix="compat-audit-") as folder:
        release = _RELEASE.match(version)
        if release is not None:
            _download(version, folder)
        else:
            _check_out(version, folder)
        yield folder


def packages(root: str) -> list[str]:
    """The top-level packages of a directory: a project's own (below ``src``, too), or the directory itself as the only one."""
    for base in (*(os.path.join(root, name) for name in _SOURCES), root):
        names = sorted(os.listdir(base)) if os.path.isdir(base) else []
        found = [
            name
            for name in names
            if name.isidentifier() and name not in _NO_PACKAGES and os.path.isfile(os.path.join(base, name, "__init__.py"))
        ]
        if found:
            return found
    modules = [name[:-3] for name in os.listdir(root) if name.endswith(".py") and name[:-3].isidentifier() and name != "setup.py"]
    return sorted(modules)


def search_path(root: str, package: str, version: str) -> str:
    """The directory to import a package of a version from."""
    for base in (*(os.path.join(root, name) for name in _SOURCES), root):
        if os.path.isfile(os.path.join(base, package, "__init__.py")) or os.path.isfile(os.path.join(base, f"{package}.py")):
            return base
    if os.path.basename(root) == package and os.path.isfile(os.path.join(root, "__init__.py")):
        return os.path.dirname(root)
    there = ", ".join(packages(root)) or "none"
    raise CompatError(f"{version!r} holds no package {package!r} (found: {there}); name it with --package")


def _check_out(revision: str, folder: str) -> None:
    asked = ["git", "rev-parse", "--verify", "--quiet", f"{revision}^{{commit}}"]
    try:
        found = subprocess.run(asked, capture_output=True, text=True)
        top = subprocess.run(["git", "rev-parse", "--show-toplevel"], capture_output=True, text=True)
    except FileNotFoundError:
        raise CompatError(f"{revision!r} is no directory, and git is not installed, so that it is no revision either") from None
    if top.returncode:
        remedy = "name a directory, DISTRIBUTION==VERSION, or a revision within a git repository"
        raise CompatError(f"{revision!r} is no directory, and this is no git repository; {remedy}")
    if found.returncode:
        remedy = "name one that `git rev-parse` knows, a directory, or DISTRIBUTION==VERSION"
        raise CompatError(f"{revision!r} is neither a directory nor a revision of this git repository; {remedy}")
    archive = os.path.join(folder, "archive.tar")
    # Of the whole repository, wherever in it the command runs.
    made = subprocess.run(
        ["git", "-C", top.stdout.strip(), "archive", "--format=tar", "-o", archive, found.stdout.strip()],
        capture_output=True,
        text=True,
    )
    if made.returncode:
        raise CompatError(f"revision {revision!r} cannot be had: {made.stderr.strip() or 'git archive failed'}")
    with tarfile.open(archive) as tar:
        _extract(tar, folder)
    os.remove(archive)


def _download(release: str, folder: str) -> None:
    """A wheel if there is one, else the source; nothing of it is run."""
    for asked in (["--only-binary=:all:"], ["--no-binary=:all:", "--no-build-isolation"]):
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", *asked, "--dest", folder, release]
        made = subprocess.run(command, capture_output=True, text=True)
        if "No module named pip" in made.stderr:
            raise CompatError(f"release {release} cannot be had: pip is not installed here; name a directory instead")
        if made.returncode == 0:
            break
    else:
        said = next((line for line in made.stderr.splitlines() if line.startswith("ERROR")), "pip download failed")
        raise CompatError(f"release {release} cannot be had: {said.partition(': ')[2] or said}")
    for name in os.listdir(folder):
        place = os.path.join(folder, name)
        if name.endswith((".whl", ".zip")):
            with zipfile.ZipFile(place) as archive:
                archive.extractall(folder)
        elif name.endswith((".tar.gz", ".tgz")):
            with tarfile.open(place) as tar:
                _extract(tar, folder)
            _lift(folder)
        os.remove(place)


def _lift(folder: str) -> None:
    """Bring what the only directory of a source archive holds to the top."""
    for inner in [name for name in os.listdir(folder) if os.path.isdir(os.path.join(folder, name))]:
        for name in os.listdir(os.path.join(folder, inner)):
            if not os.path.exists(os.path.join(folder, name)):
                os.replace(os.path.join(folder, inner, name), os.path.join(folder, name))


def _extract(tar: tarfile.TarFile, folder: str) -> None:
    if hasattr(tarfile, "data_filter"):
        tar.extractall(folder, filter="data")
    else:
        inside = os.path.join(os.path.realpath(folder), "")
        members = [item for item in tar if os.path.realpath(os.path.join(folder, item.name)).startswith(inside)]
        tar.extractall(folder, members=[item for item in members if item.isfile() or item.isdir()])
