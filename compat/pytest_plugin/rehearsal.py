"""A later version in force, and the list of tests that are expected to fail there."""

from __future__ import annotations

import os

import pytest

from compat._writing import whole_file
from compat.errors import CompatError, LegacyExpiredError, RemovedAttribute, RemovedImport
from compat.ledger import versions
from compat.shim.installation import judge_anew

from .ledgers import concerned, in_reach

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Generator, Iterable
    from typing import Any

    from compat.ledger import Ledger

    from .marks import Marks

NEXT = "next"
_EXPIRED = (LegacyExpiredError, RemovedAttribute, RemovedImport)
HEAD = (
    "# Tests that may fail in a rehearsal: ids of tests, classes or files; strike what fails no longer.\n"
    "# `pytest --compat-as-of VERSION --compat-record` writes this file anew.\n"
)


def resolve(asked: str, root: str) -> str:
    """The value of ``COMPAT_AS_OF`` for a version asked for; raise ``pytest.UsageError`` for one that nobody knows."""
    try:
        reached = concerned(root) if asked == NEXT else in_reach(root)
    except CompatError as error:
        raise pytest.UsageError(f"--compat-as-of {asked}: {error}") from None
    origins = {origin.name: origin for ledger in reached for origin in ledger.origins}
    if asked == NEXT:
        found = {name: version for ledger in reached for name, version in _following(ledger).items()}
        if not found:
            raise pytest.UsageError(f"--compat-as-of next: no ledger removes anything later than now ({_names(origins)})")
        return ",".join(f"{name}={version}" for name, version in sorted(found.items()))
    for part in asked.split(",") if "=" in asked else [f"={asked}"]:
        name, _, version = (piece.strip() for piece in part.partition("="))
        if name and name not in origins:
            raise pytest.UsageError(f"--compat-as-of {asked}: no ledger is named {name!r}; in reach: {_names(origins)}")
        try:
            versions.parse(version)
        except ValueError as error:
            raise pytest.UsageError(f"--compat-as-of {asked}: {error}, or 'next'") from None
    return asked


def _names(origins: Iterable[str]) -> str:
    return ", ".join(sorted(origins)) or "none"


def _following(ledger: Ledger) -> dict[str, str]:
    """By origin of rows: the first version after the one in force that removes something."""
    found: dict[str, str] = {}
    for move in ledger:
        origin = ledger.origin(move)
        now = origin.own_version
        if move.is_tombstone or not move.removal or (now and versions.parse(move.removal) <= versions.parse(now)):
            continue
        known = found.get(origin.name)
        if known is None or versions.parse(move.removal) < versions.parse(known):
            found[origin.name] = move.removal
    return found


class Expected:
    """The list, and what became of it: an entry is the id of a test, or of a class or file that holds it."""

    def __init__(self, path: str, entries: dict[str, None] | None = None) -> None:
        self.path, self.entries = path, {} if entries is None else entries
        self.failed: dict[str, None] = {}
        self._ran: set[str] = set()
        self._met: set[str] = set()

    @classmethod
    def load(cls, path: str, *, is_made: bool = False) -> Expected:
        """Read a list; raise ``pytest.UsageError`` for one that cannot be, or that is missing and not made by this run."""
        if not path:
            return cls("")
        try:
            with open(path, encoding="utf-8") as file:
                lines = [line.strip() for line in file if not line.startswith("#")]
        except FileNotFoundError:
            if is_made:
                return cls(path)
            said = "make it with pytest --compat-as-of VERSION --compat-record"
            raise pytest.UsageError(f"the list of expected failures {path} does not exist; {said}") from None
        except (OSError, UnicodeDecodeError) as error:
            raise pytest.UsageError(f"the list of expected failures {path} cannot be read: {error}") from None
        for line in lines:
            if line.startswith(("<<<<<<<", "=======", ">>>>>>>", "|||||||")):
                raise pytest.UsageError(f"{path} has the marks of a merge; settle it, keeping the lines of both sides")
        return cls(path, dict.fromkeys(filter(None, lines)))

    def of(self, nodeid: str) -> list[str]:
        """The entries that mean a test or a file."""
        return [entry for entry in _heads(nodeid) if entry in self.entries]

    def note(self, nodeid: str, *, failed: bool) -> None:
        """Take the outcome of a test, or of the collection of a file that failed."""
        entries = self.of(nodeid)
        self._ran.update(entries)
        if failed:
            self._met.update(entries)
            self.failed[nodeid] = None

    def skip(self, nodeid: str) -> None:
        """Take note of a test that was skipped: nobody knows whether it would fail."""
        entries = self.of(nodeid)
        self._ran.update(entries)
        self._met.update(entries)

    def faults(self, version: str, *, is_whole: bool) -> list[str]:
        """A sentence for each entry that is not true any more."""
        name = os.path.basename(self.path)
        found = []
        for entry in self.entries:
            if entry in self._ran and entry not in self._met:
                # A file may hold the failing test among those that did not run.
                if is_whole or "::" in entry:
                    found.append(f"{entry} does not fail as of {version}: strike it from {name}")
            elif entry not in self._ran and is_whole:
                found.append(f"{entry} stands in {name}, and no such test ran: strike it")
        return found

    def record(self, *, is_whole: bool) -> None:
        """Write the tests that failed; a run that was not whole strikes only what it saw pass."""
        kept = [] if is_whole else [entry for entry in self.entries if entry not in self._ran or entry in self._met]
        lines = sorted({*self.failed, *kept})
        with whole_file(self.path) as stream:
            stream.write("".join([HEAD, *(f"{line}\n" for line in lines)]).encode("utf-8", "surrogateescape"))


def _heads(nodeid: str) -> list[str]:
    plain = nodeid.partition("[")[0]
    parts = plain.split("::")
    found = ["::".join(parts[:count]) for count in range(1, len(parts) + 1)]
    return [*found, nodeid] if nodeid != plain else found


class Hooks:
    """Takes the failures that are expected for what they are."""

    def __init__(self, expected: Expected, marks: Marks, version: str) -> None:
        self._expected, self._marks, self._version = expected, marks, version

    @pytest.hookimpl(hookwrapper=True)
    def pytest_runtest_makereport(self, item: pytest.Item, call: Any) -> Generator[None, Any, None]:
        """A listed test that fails is an expected failure; so is one marked ``legacy`` that meets what has expired."""
        report = (yield).get_result()
        if report.failed and (self._expected.of(item.nodeid) or self._is_meant(item.nodeid, call)):
            report.outcome = "skipped"
            report.wasxfail = f"as of {self._version}"
            report.compat_expected = True

    @pytest.hookimpl(hookwrapper=True)
    def pytest_make_collect_report(self, collector: pytest.Collector) -> Generator[None, Any, None]:
        """A listed file that cannot be imported is skipped."""
        report = (yield).get_result()
        if report.failed and self._expected.of(collector.nodeid):
            report.outcome = "skipped"
            report.longrepr = (str(collector.path), 0, f"expected failure as of {self._version}")
            report.result = []
            report.compat_expected = True

    def _is_meant(self, nodeid: str, call: Any) -> bool:
        return self._marks.names_of(nodeid) is not None and call.excinfo is not None and call.excinfo.errisinstance(_EXPIRED)


def put_in_force(value: str) -> None:
    """Set ``COMPAT_AS_OF`` for this process and its children, also for what is installed already."""
    os.environ["COMPAT_AS_OF"] = value
    judge_anew()
