"""The hooks of a run: uses are taken from the watch phase by phase, told to the one tally, and judged at the end.

In a worker of xdist, uses travel to the controller with the next report, so that a worker that crashes has told all but its last
test; see :mod:`.workers`.
"""

from __future__ import annotations

import os

import pytest

from compat.boot import active
from compat.errors import CompatError
from compat.ledger import replacement
from compat.shim import finders, installation
from compat.shim.installation import judge_anew
from compat.shim.recording.funnel import row_of
from compat.telemetry.record.watching import Watch

from . import ledgers, output, rehearsal, settings, summary, workers
from .marks import Marks
from .ratchet import Ratchet
from .state import State
from .verdict import judge

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Generator
    from typing import Any

    from compat.shim.installation import Installation

    from .settings import Settings
    from .tally import Record

NAME = "compat-run"
_VARIABLES = ("COMPAT_AS_OF", "COMPAT_ENVIRONMENT")


def begin(config: pytest.Config, table: Any) -> None:
    """Put in force what a run asks for, and count from now on. Raises ``pytest.UsageError``, and then leaves no trace."""
    if active.is_off():
        config.pluginmanager.register(Off(), NAME)
        return
    asked = settings.read(config, table)
    ratchet = Ratchet.load(asked.ratchet, is_made=asked.record and not asked.as_of) if asked.ratchet else None
    expected = rehearsal.Expected.load(asked.expected, is_made=asked.record and bool(asked.as_of))
    version = rehearsal.resolve(asked.as_of, asked.root) if asked.as_of else ""
    before = {name: os.environ.get(name) for name in _VARIABLES}
    run = Run(config, asked, ratchet, expected, version, before)
    try:
        run.start()
    except BaseException:
        run.pytest_unconfigure()
        raise
    config.pluginmanager.register(run, NAME)


class Off:
    """What stands in the place of a run where ``COMPAT=off`` is set."""

    def pytest_report_header(self) -> str:
        """Say why there will be no summary."""
        return "compat: COMPAT=off is set, nothing is counted"


class Run(State):
    """The hooks."""

    def __init__(
        self,
        config: pytest.Config,
        asked: Settings,
        ratchet: Ratchet | None,
        expected: rehearsal.Expected,
        version: str,
        before: dict[str, str | None],
    ) -> None:
        super().__init__(config, asked, ratchet, expected, version)
        self.marks = Marks(version)
        self.worker: workers.Worker | None = None
        self.controller: workers.Controller | None = None
        self._before = before
        self._installed: list[Installation] = []
        self._watch: Watch | None = None
        self._pending: list[Record] = []
        self._told: set[str] = set()
        self._properties = output.Properties()

    def start(self) -> None:
        """Put the version in force, serve the project's ledgers, and count."""
        os.environ.setdefault("COMPAT_ENVIRONMENT", "test")
        active.boot("pytest")
        if self.version:
            rehearsal.put_in_force(self.version)
            # A file of tests that cannot be imported at that version must not keep the others from running.
            self.config.known_args_namespace.continue_on_collection_errors = True
        try:
            for ledger in ledgers.named(self.asked.root):
                known = [one.ledger for one in installation.installed()]
                if not any(ledger is one for one in known):
                    self._installed.append(installation.install(ledger))
        except CompatError as error:
            raise pytest.UsageError(str(error)) from None
        self._watch = Watch(whole=True)

    def pytest_configure(self, config: pytest.Config) -> None:
        """Find out which part this process has."""
        if self.version:
            config.option.continue_on_collection_errors = True
            config.pluginmanager.register(rehearsal.Hooks(self.expected, self.marks, self.version), f"{NAME}-rehearsal")
        if hasattr(config, "workerinput"):
            self.worker = workers.Worker(config)
        elif config.pluginmanager.has_plugin("dsession") or getattr(config.option, "dist", "no") != "no":
            self.has_workers = True
            self.controller = workers.Controller(self)
            config.pluginmanager.register(self.controller, f"{NAME}-controller")

    def pytest_report_header(self) -> str:
        """Say that uses are counted, and as of which version."""
        return f"compat: legacy uses are counted{f', as of {self.version}' if self.version else ''}"

    # What is used when.

    def take(self, by: str, *, in_test: bool) -> list[Record]:
        """Move what was used since the last time to what is to be told."""
        if self._watch is None:
            return []
        records = [(site, count, by, in_test, in_test and self.marks.allows(by, site)) for site, count in self._watch.take()]
        self._pending += records
        return records

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection(self) -> None:
        """What was used until now was used by plugins and conftest files."""
        self.take("start of the session", in_test=False)

    @pytest.hookimpl(hookwrapper=True)
    def pytest_make_collect_report(self, collector: pytest.Collector) -> Generator[None, Any, None]:
        """What a file uses as it is imported, and as its tests are found."""
        yield
        if self._watch:
            self.take(f"collection of {collector.nodeid or 'the tests'}", in_test=False)

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Learn which tests are marked."""
        self.marks.learn(items)
        if self.marks:
            self._pending = self.marks.allowing_imports(self._pending)
            self.config.pluginmanager.register(self.marks, f"{NAME}-marks")
            self.marks.take = lambda by: self.take(by, in_test=True)

    def pytest_deselected(self, items: list[pytest.Item]) -> None:
        """A run without all of its tests cannot say what is gone."""
        if items:
            self.was_partial = "tests were deselected"

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """What one phase of a test used."""
        if self.controller is not None:
            self.controller.receive(report)
        else:
            if self._watch:
                self.take(report.nodeid, in_test=True)
            if self.config.getoption("xmlpath", None):
                self._properties.note(report, self._pending)
            if self._pending:
                if self.worker is not None:
                    report.compat_uses = self.told()  # type: ignore[attr-defined]
                else:
                    self.tell()
        if self.version:
            self._note(report)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """In a rehearsal, a file that cannot be imported may be an expected failure."""
        if self.version and report.nodeid and (report.failed or hasattr(report, "compat_expected")):
            self.expected.note(report.nodeid, failed=True)

    def _note(self, report: pytest.TestReport) -> None:
        if report.failed or hasattr(report, "compat_expected"):
            self.expected.note(report.nodeid, failed=True)
        elif report.skipped:
            self.expected.skip(report.nodeid)
        elif report.when == "call":
            self.expected.note(report.nodeid, failed=False)

    def tell(self, process: str = "") -> None:
        """Put into the tally what this process has not told yet."""
        self._learn_facts()
        self.tally.add(self._pending, process)
        self._pending = []

    def told(self) -> dict[str, Any]:
        """What this process has not told yet, as plain data."""
        self._learn_facts()
        new = {id: list(facts) for id, facts in self.tally.facts.items() if id not in self._told}
        self._told.update(new)
        uses = [[*site, count, by, in_test, expected] for site, count, by, in_test, expected in self._pending]
        self._pending = []
        return {"uses": uses, "facts": new}

    def _learn_facts(self) -> None:
        for site, *_ in self._pending:
            if site.move not in self.tally.facts:
                row = row_of(site.move)
                if row is not None:
                    self.tally.facts[site.move] = (row.legacy, row.canonical, replacement(row))

    # The end.

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Judge the run, and fail it where it must."""
        self.take("end of the session", in_test=False)
        self.failures.update(finders.failures)
        if self.worker is not None:
            self.config.workeroutput["compat"] = {  # type: ignore[attr-defined]
                **self.told(),
                "partial": self.was_partial,
                "failures": dict(self.failures),
            }
            return
        self.tell("controller" if self.controller is not None else "")
        if self.controller is not None:
            self.controller.finish()
        if session.exitstatus == pytest.ExitCode.NO_TESTS_COLLECTED and self.version and self.expected.failed:
            # Each file is expected not to be imported: no test is left, and that is what the list says.
            session.exitstatus = pytest.ExitCode.OK
        self.verdict = judge(self, session)
        if not session.config.getoption("collectonly", False):
            output.write(self, session)
        if self.verdict.faults and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        """Show the uses, and what fails the run."""
        if self.worker is None:
            summary.show(self, terminalreporter)

    def pytest_unconfigure(self) -> None:
        """Leave the process as it was."""
        if self._watch is not None:
            self._watch.stop()
        while self._installed:
            self._installed.pop().remove()
        for name, value in self._before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
        if self.version:
            judge_anew()
        if self.controller is not None:
            self.controller.close()
