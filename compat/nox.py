"""Rehearsals under nox: each Python that is present, by each version of each ledger at which something is removed.

    # noxfile.py
    import compat.nox

    compat.nox.rehearsals("-e", ".", "pytest")

registers a session ``rehearse`` for each Python. It installs the arguments, runs pytest once as things are and once for each
version, and goes on where one run fails; at the end of nox stands a table of which tests use what, at which version, on which
Python. A session of one's own takes :func:`rehearse` instead, or :func:`run` for a single version.

nox itself is needed when a session is made, and not to import this module.
"""

from __future__ import annotations

import atexit
import json
import os
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import TextIO

__all__ = ["present", "rehearsals", "rehearse", "run", "versions"]

#: Where the ledgers stand, nothing being rehearsed.
TODAY = ""


class _Cell(NamedTuple):
    """One run of pytest: on which Python, as of which version, how it ended, and the uses by test and move."""

    python: str
    as_of: str
    has_passed: bool
    uses: frozenset[tuple[str, str]]


_cells: list[_Cell] = []


def present(names: Iterable[str] = ()) -> list[str]:
    """Those of some Pythons that are on this machine and start: ``["3.9", "pypy3"]``.

    Unless given, those that the classifiers of pyproject.toml name, or that of nox where they name none.
    """
    wanted = list(names) or _classified() or [f"{sys.version_info[0]}.{sys.version_info[1]}"]
    found = []
    for name in wanted:
        program = shutil.which(name if not name[:1].isdigit() else f"python{name}")
        # A version manager's shim for a version that is not selected is there, and does not start.
        try:
            starts = program is not None and subprocess.run([program, "-c", ""], capture_output=True, timeout=60).returncode == 0
        except (OSError, subprocess.TimeoutExpired):
            starts = False
        if starts:
            found.append(name)
    return found


def _classified() -> list[str]:
    import nox

    try:
        return list(nox.project.python_versions(nox.project.load_toml("pyproject.toml")))
    except (OSError, ValueError, KeyError):
        return []


def rehearsals(
    *install: str,
    pythons: Iterable[str] = (),
    versions: Sequence[str] = (),
    tests: Sequence[str] = (),
    name: str = "rehearse",
) -> Any:
    """Register a session that rehearses, for each Python that is present.

    Parameters
    ----------
    install:
        What ``session.install`` takes; ``netra-compat`` is installed beside it, unless one of them brings it.
    pythons:
        As :func:`present` takes them.
    versions:
        ``["shop=3.0"]``, in addition to today; unless given, each at which a ledger of the session's environment removes
        something.
    tests:
        Arguments of pytest; those after ``--`` on nox's command line come in their place.
    """
    import nox

    for version in versions:
        _check(version)

    def rehearsing(session: Any) -> None:
        session.install(*(install or ("-e", ".", "pytest")))
        if not _has_compat(session):
            session.install("netra-compat")
        rehearse(session, *(session.posargs or tests), versions=versions)

    rehearsing.__doc__ = "The tests as things are, and as if what is deprecated were removed."
    return nox.session(python=present(pythons), name=name)(rehearsing)


def _has_compat(session: Any) -> bool:
    try:
        session.run("python", "-c", "import compat.pytest_plugin", silent=True, log=False)
    except Exception as error:
        _unless_failed(error)
        return False
    return True


def rehearse(session: Any, *arguments: str, versions: Sequence[str] = ()) -> None:
    """Run pytest in a session as things are and for each version, all of them though one fails; then fail if one did."""
    wanted = [TODAY, *(versions or _versions_in(session))]
    failed = [version or "today" for version in wanted if not _run(session, version, arguments)]
    if failed:
        session.error(f"the tests fail: {', '.join(failed)}")


def run(session: Any, as_of: str = TODAY, *arguments: str) -> None:
    """Run pytest in a session as of one version (``""`` is today), and take what it used into the table."""
    if not _run(session, as_of, arguments):
        session.error(f"the tests fail: {as_of or 'today'}")


def _run(session: Any, as_of: str, arguments: Sequence[str]) -> bool:
    report = os.path.join(session.create_tmp(), "compat-report.json")
    if os.path.exists(report):
        os.unlink(report)
    command = ["pytest", "--compat-report", report, *(["--compat-as-of", as_of] if as_of else []), *arguments]
    has_passed = True
    try:
        session.run(*command)
    except Exception as error:
        _unless_failed(error)
        has_passed = False
    if not _cells:
        atexit.register(_end)
    _cells.append(_Cell(str(session.python or "this Python"), as_of, has_passed, _used(report)))
    return has_passed


def _unless_failed(error: Exception) -> None:
    from nox.command import CommandFailed

    if not isinstance(error, CommandFailed):
        raise error


def _used(report: str) -> frozenset[tuple[str, str]]:
    try:
        with open(report, encoding="utf-8") as file:
            rows = json.load(file)["uses"]
    except (OSError, ValueError, KeyError):
        return frozenset()  # pytest did not come as far as that, and said why
    found = {(test, row["move"]) for row in rows for test in row["by"]}
    return frozenset(found | {("(outside of tests)", row["move"]) for row in rows if not row["by"]})


def _versions_in(session: Any) -> list[str]:
    """The versions that the ledgers of a session's environment name; a ledger that cannot be loaded ends the session."""
    environment = {"COMPAT_AS_OF": "", "COMPAT_TELEMETRY": "off"}
    said: str = session.run("python", "-m", "compat.nox", silent=True, log=False, env=environment)
    # What is said on stderr comes with it.
    (line,) = (line for line in said.splitlines() if line.startswith("["))
    return [str(version) for version in json.loads(line)]


def versions(start: str = ".") -> list[str]:
    """Every version later than that in force at which a ledger removes something, as ``--compat-as-of`` takes it: ``shop=3.0``.

    The ledgers are those that ``[tool.compat]`` names, else those that the project uses. Raises :class:`compat.CompatError`.
    """
    from compat.ledger import discovery
    from compat.ledger.in_use import in_use
    from compat.ledger.versions import parse

    references = discovery.configured(start) or [entry.value for entry in in_use(start)[0]]
    ledgers = [discovery.load(reference) for reference in references]
    found = set()
    for ledger in ledgers:
        for move in ledger:
            now = ledger.origin(move).own_version
            if move.removal and not move.is_tombstone and not (now and parse(move.removal) <= parse(now)):
                found.add((ledger.origin(move).name, move.removal))
    by_name: dict[str, list[str]] = {}
    for name, version in found:
        by_name.setdefault(name, []).append(version)
    return [f"{name}={version}" for name in sorted(by_name) for version in sorted(by_name[name], key=parse)]


def _check(version: str) -> None:
    from compat.ledger.versions import parse

    name, sign, number = version.partition("=")
    try:
        parse(number if sign else name)
    except ValueError as error:
        sys.stderr.write(f"compat.nox: {version!r} is no version to rehearse: {error}, or 'shop=3.0'\n")
        raise SystemExit(2) from None


def table(cells: Sequence[_Cell]) -> str:
    """Which tests use what, at which version, on which Python; and which runs failed."""
    as_ofs = list(dict.fromkeys(cell.as_of for cell in cells))
    rows = [["test", "uses", *(as_of or "today" for as_of in as_ofs)]]
    for test, move in sorted({use for cell in cells for use in cell.uses}):
        rows.append([test, move, *(_pythons(cells, as_of, (test, move)) for as_of in as_ofs)])
    if len(rows) == 1:
        rows.append(["no test uses anything legacy", "", *("" for _ in as_ofs)])
    rows.append(["", "failed on", *(_failed(cells, as_of) for as_of in as_ofs)])
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    rows.insert(1, ["-" * width for width in widths])
    return "".join("  ".join(text.ljust(width) for text, width in zip(row, widths)).rstrip() + "\n" for row in rows)


def _pythons(cells: Sequence[_Cell], as_of: str, use: tuple[str, str]) -> str:
    ran = [cell for cell in cells if cell.as_of == as_of]
    found = [cell.python for cell in ran if use in cell.uses]
    return "-" if not found else "all" if len(found) == len(ran) else ", ".join(found)


def _failed(cells: Sequence[_Cell], as_of: str) -> str:
    return ", ".join(cell.python for cell in cells if cell.as_of == as_of and not cell.has_passed) or "none"


def _end(stream: TextIO | None = None) -> None:
    (stream or sys.stdout).write(f"\nLegacy uses by test, version and Python:\n\n{table(_cells)}")


def main() -> int:
    """Print the versions to rehearse in this environment, as JSON; a ledger that cannot be loaded is exit code 2."""
    from compat.errors import CompatError

    try:
        found = versions()
    except (CompatError, ValueError) as error:
        sys.stderr.write(f"compat: {error}\n")
        return 2
    sys.stdout.write(f"{json.dumps(found)}\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
