"""From the workers of xdist to the one summary: uses travel with reports, and those of a crash lie in the worker's segment."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile

import pytest

from compat.telemetry.history.segment_reader import Reader
from compat.telemetry.record import counters
from compat.telemetry.record.directory import SEGMENT, segments_in, state_directory
from compat.telemetry.record.identity import this_process
from compat.telemetry.record.layout import SegmentError, decode_key, rows_of
from compat.telemetry.record.sites import Site

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .state import State
    from .tally import Record

KEY = "compat"


class Worker:
    """What one worker sees to: its counts outlive it, and the controller knows where they lie."""

    def __init__(self, config: pytest.Config) -> None:
        given = config.workerinput.get(KEY)  # type: ignore[attr-defined]
        # A worker on another machine has no such directory: its uses travel with its reports only.
        if given and os.path.isdir(given):
            counters.ensure_counting()
            directory = state_directory() if counters.lasting() else given
            counters.keep_in(given)
            path = os.path.join(segments_in(directory), this_process().id + SEGMENT)
            with open(os.path.join(given, config.workerinput["workerid"]), "w", encoding="utf-8") as file:  # type: ignore[attr-defined]
                file.write(path)


class Controller:
    """Receives what the workers tell."""

    def __init__(self, run: State) -> None:
        self._run = run
        self._directory = tempfile.mkdtemp(prefix="compat-pytest-")
        #: Uses of workers that crashed, until it is known which test they ran.
        self._lost: dict[str, list[tuple[Site, int]]] = {}

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:
        """Tell a worker where its counts may lie."""
        node.workerinput[KEY] = self._directory

    def receive(self, report: Any) -> None:
        """Take what a report brings."""
        told = report.__dict__.pop("compat_uses", None)
        if told is not None:
            self._add(told, report.node.gateway.id)

    def _add(self, told: dict[str, Any], process: str) -> None:
        self._run.tally.facts.update({id: tuple(facts) for id, facts in told["facts"].items()})
        self._run.tally.add([(Site(*use[:6]), *use[6:]) for use in told["uses"]], process)

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any, error: object) -> None:
        """Take what a worker tells at its end, or look up what one that crashed had not told."""
        told = getattr(node, "workeroutput", {}).get(KEY)
        if told is not None:
            self._add(told, node.gateway.id)
            self._run.was_partial = self._run.was_partial or told["partial"]
            self._run.failures.update(told["failures"])
        elif error:
            self._lost[node.gateway.id] = self._untold(node.gateway.id)

    @pytest.hookimpl(optionalhook=True)
    def pytest_handlecrashitem(self, crashitem: str, report: Any) -> None:
        """The uses that a worker had not told belong to the test that it crashed in."""
        self._blame(report.node.gateway.id, crashitem)

    def finish(self) -> None:
        """Put down what no test is known for."""
        for process in list(self._lost):
            self._blame(process, f"crash of {process}")

    def close(self) -> None:
        """Remove the directory."""
        shutil.rmtree(self._directory, ignore_errors=True)

    def _blame(self, process: str, by: str) -> None:
        folders = [self._run.asked.root, os.path.dirname(os.path.join(self._run.asked.root, by.partition("::")[0])), *sys.path]
        lost = self._lost.pop(process, [])
        records: list[Record] = [(_found(site, folders), count, by, True, False) for site, count in lost]
        self._run.tally.add(records, process)

    def _untold(self, process: str) -> list[tuple[Site, int]]:
        try:
            with open(os.path.join(self._directory, process), encoding="utf-8") as file:
                path = file.read()
            if not os.path.exists(path):
                # Made at the first use; or folded into the history by a report that came meanwhile.
                if self._run.tally.told.get(process):
                    raise FileNotFoundError(path)
                return []
            with open(path, "rb") as segment:
                _, blocks = Reader().read(segment.fileno(), os.fstat(segment.fileno()).st_size)
        except (OSError, SegmentError) as error:
            self._run.doubts.append(f"worker {process} crashed, and what its last test used is not known: {error}")
            return []
        kept: dict[Site, int] = {}
        known = self._known()
        for block in blocks:
            for row in rows_of(block):
                site = Site(*decode_key(row.key))
                site = _whole(site, known.get(_but_file(site), ()))
                kept[site] = kept.get(site, 0) + row.uses
        told = self._run.tally.told.get(process, {})
        return [(site, count - told.get(site, 0)) for site, count in kept.items() if count > told.get(site, 0)]

    def _known(self) -> dict[Site, list[str]]:
        found: dict[Site, list[str]] = {}
        for site in self._run.tally.counted:
            found.setdefault(_but_file(site), []).append(site.file)
        return found


def _but_file(site: Site) -> Site:
    return Site(site.move, site.kind, "", site.line, site.function, site.module)


def _whole(site: Site, files: Any) -> Site:
    """A site of a segment, which has its file below ``sys.path``, as it is told in reports."""
    for file in files:
        if file.replace("\\", "/").endswith(f"/{site.file}") or file == site.file:
            return Site(site.move, site.kind, file, site.line, site.function, site.module)
    return site


def _found(site: Site, folders: list[str]) -> Site:
    """A site whose file no report has named, with the file where it lies."""
    for folder in folders:
        path = os.path.join(folder, site.file)
        if site.file and os.path.isfile(path):
            return Site(site.move, site.kind, path, site.line, site.function, site.module)
    return site
