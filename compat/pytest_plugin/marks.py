"""``@pytest.mark.legacy(...)``: uses that a test makes on purpose, and that it must make."""

from __future__ import annotations

import pytest

from compat.shim.recording.funnel import row_of
from compat.testing.uses import is_meant

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable
    from typing import Any

    from compat.telemetry.record.sites import Site

    from .tally import Record

MARK = "legacy"


class Marks:
    """The marked tests, and whether each uses what it is marked with."""

    def __init__(self, version: str) -> None:
        self._version = version
        self._names: dict[str, tuple[str, ...]] = {}
        self._modules: dict[str, tuple[str, ...]] = {}
        #: By file, the moves that were used while it was imported: a marked test may use a name that its file imports.
        self._imported: dict[str, set[str]] = {}
        self._test = ""
        self._used: set[str] = set()
        self.take: Callable[[str], object] = lambda by: None

    def __bool__(self) -> bool:
        return bool(self._names)

    def learn(self, items: Iterable[pytest.Item]) -> None:
        """Read the marks of tests, and of the files that they stand in."""
        for item in items:
            names = [name for mark in item.iter_markers(MARK) for name in mark.args or ("*",)]
            if names:
                self._names[item.nodeid] = tuple(names)
                module = item.getparent(pytest.Module)
                if module is not None:
                    own = [name for mark in module.own_markers if mark.name == MARK for name in mark.args or ("*",)]
                    self._modules[f"collection of {module.nodeid}"] = tuple(own)

    def names_of(self, nodeid: str) -> tuple[str, ...] | None:
        """What a test is marked with; ``None`` for no mark."""
        return self._names.get(nodeid)

    def allowing_imports(self, records: Iterable[Record]) -> list[Record]:
        """Records of collection, with those allowed that a mark of their file allows."""
        found: list[Record] = []
        for site, count, by, in_test, expected in records:
            self._imported.setdefault(site.file, set()).add(site.move)
            meant = is_meant(site.move, self._modules.get(by, ()), row_of(site.move))
            found.append((site, count, by, in_test, expected or meant))
        return found

    def allows(self, nodeid: str, site: Site) -> bool:
        """Whether a use by a test is one of those that it is marked with; noted as made."""
        names = self._names.get(nodeid)
        if names is None:
            return False
        if nodeid != self._test:
            self._test, self._used = nodeid, set()
        self._used.add(site.move)
        return is_meant(site.move, names, row_of(site.move))

    @pytest.hookimpl(hookwrapper=True)
    def pytest_runtest_makereport(self, item: pytest.Item, call: Any) -> Generator[None, Any, None]:
        """Fail a marked test that used nothing of what it is marked with."""
        report = (yield).get_result()
        names = self._names.get(item.nodeid)
        if names is None or call.when != "call" or not report.passed:
            return
        self.take(item.nodeid)
        used = set(self._imported.get(str(item.path), ()))
        if self._test == item.nodeid:
            used |= self._used
        for name in names:
            if not any(is_meant(move, (name,), row_of(move)) for move in used):
                said = "" if name == "*" else repr(name)
                others = f"it used {', '.join(sorted(used))}" if used else "it used nothing legacy"
                report.outcome = "failed"
                report.longrepr = f"@pytest.mark.legacy({said}): {others}; remove the mark, or correct the name"
                return
