"""What fails a run: limits passed, uses that are new or gone, expected failures that are none, ledgers that are not served."""

from __future__ import annotations

import os
import shlex

import pytest

from . import limits
from .state import Fault, Verdict
from .tally import totals

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .state import State
    from .tally import Row


def judge(run: State, session: pytest.Session) -> Verdict:
    """Hold the uses of a run against what it was asked; with ``--compat-record`` write what it was asked to write."""
    made = Verdict()
    made.rows = run.tally.rows(run.owners)
    made.totals = totals(made.rows)
    made.faults = [Fault(text, kind="ledger") for text in run.failures.values()]
    made.notes += run.doubts
    if run.config.getoption("collectonly", False):
        return made
    why = _unfinished(run, session)
    if run.version:
        _rehearsed(run, made, why)
        return made
    made.faults += [Fault(f"{text}", kind="limit") for text in limits.faults(run.asked.limits, made.totals)]
    if run.ratchet is not None:
        held = [row for row in made.rows if run.asked.limits.get(row.category, 0) is not None]
        if run.asked.record:
            _record(run, made, held, session, why)
        else:
            _hold(run, made, held, why)
    return made


def _hold(run: State, made: Verdict, held: list[Row], why: str) -> None:
    assert run.ratchet is not None
    name = run.ratchet.name
    new, gone = run.ratchet.compare(held)
    for row, used, allowed in new:
        by = f"; used by {', '.join(list(row.by)[:3])}{f' and {len(row.by) - 3} more' if len(row.by) > 3 else ''}"
        many = f"{name} allows {allowed} of {used} places" if allowed else f"{name} does not allow it"
        made.faults.append(Fault(f"new: {row.move} at {row.file}:{row.line}, {many}{by}. {row.advice}".rstrip(), row, "new"))
    if gone and not why:
        for move, file, used, allowed in gone:
            now = f"now {used}" if used else "now none"
            text = f"gone: {move} in {file}, {name} allows {allowed} places, {now}: strike it, or run with --compat-record"
            made.faults.append(Fault(text, kind="gone"))


def _record(run: State, made: Verdict, held: list[Row], session: pytest.Session, why: str) -> None:
    assert run.ratchet is not None
    if _is_broken(session):
        made.notes.append(f"{run.ratchet.name} is not written: the run did not come to its end")
        return
    run.ratchet.record(held, is_whole=not why, command=_command(run.config))
    made.notes.append(f"{run.ratchet.name} is written" + (f"; nothing is struck from it, {why}" if why else ""))


def _rehearsed(run: State, made: Verdict, why: str) -> None:
    # Failures are what a rehearsal is about: they do not make it partial.
    is_whole = not why or why == _FAILED
    if not run.asked.record:
        made.faults += [Fault(text, kind="expected") for text in run.expected.faults(run.version, is_whole=is_whole)]
    elif run.expected.path:
        run.expected.record(is_whole=is_whole)
        made.notes.append(f"{os.path.basename(run.expected.path)} is written: {len(run.expected.failed)} expected failures")


_FAILED = "tests failed"


def _is_broken(session: pytest.Session) -> bool:
    return session.exitstatus in (pytest.ExitCode.INTERRUPTED, pytest.ExitCode.INTERNAL_ERROR, pytest.ExitCode.USAGE_ERROR)


def _unfinished(run: State, session: pytest.Session) -> str:
    """Why a run cannot say what is gone; ``""`` for one that ran every test, each of which passed."""
    config, option = run.config, run.config.option
    recorded = run.ratchet.whole if run.ratchet is not None else None
    if _is_broken(session):
        return "the run did not come to its end"
    if session.shouldstop or session.shouldfail:
        return "the run stopped early"
    for name in ("lf", "stepwise", "deselect"):
        if getattr(option, name, None):
            return "only some tests ran"
    is_as_recorded = _command(config) == recorded
    if not is_as_recorded and not _is_all(config):
        return "only some tests ran"
    if run.was_partial and not (is_as_recorded and (option.keyword or option.markexpr)):
        return run.was_partial
    if session.testsfailed:
        return _FAILED
    return "" if session.testscollected or run.has_workers or run.expected.failed else "no test ran"


def _is_all(config: pytest.Config) -> bool:
    option = config.option
    if option.keyword or option.markexpr or option.ignore or option.ignore_glob or option.pyargs:
        return False
    source = config.args_source.name
    if source == "TESTPATHS":
        return True
    base = config.invocation_params.dir
    given = {_resolved(base, argument) for argument in config.args}
    if str(config.rootpath) in given:
        return True
    wanted = {_resolved(config.rootpath, path) for path in config.getini("testpaths")}
    return bool(wanted) and wanted <= given


def _resolved(base: Any, argument: str) -> str:
    return os.path.normpath(os.path.join(str(base), argument))


def _command(config: pytest.Config) -> str:
    """The command of a run, as far as it says which tests run, with paths below the root."""
    option, words = config.option, ["pytest"]
    if config.args_source.name == "ARGS":
        base, root = config.invocation_params.dir, str(config.rootpath)
        words += sorted(os.path.relpath(_resolved(base, argument), root).replace(os.sep, "/") for argument in config.args)
    for flag, value in (("-k", option.keyword), ("-m", option.markexpr)):
        words += [flag, shlex.quote(value)] if value else []
    for flag, values in (("--ignore", option.ignore), ("--ignore-glob", option.ignore_glob)):
        words += [f"{flag}={shlex.quote(str(value))}" for value in values or ()]
    return " ".join(words)
