"""``compat init``: what a project needs first, as texts of files, and the step after them."""

from __future__ import annotations

import json
import os
import re
import sys
from typing import Any, NamedTuple

from compat import configuration
from compat.boot.entry_points import entry_points
from compat.errors import CompatError
from compat.ledger import discovery

from . import first, insertion
from .survey import Survey, normal

BASELINE = "compat-baseline.json"


class Beginning(NamedTuple):
    """What is to be written, what was found, and what to do next."""

    texts: dict[str, str]
    notes: list[str]
    steps: list[str]


class _Foreign(NamedTuple):
    reference: str
    distribution: str
    uses: int
    files: int


def begin(survey: Survey) -> Beginning:
    """Say what a project needs; raise :class:`compat.CompatError` where there is none, or one that cannot be understood."""
    if survey.pyproject is None and not survey.package:
        hint = "run compat init in the directory of the project"
        raise CompatError(f"{survey.root} holds no project: no pyproject.toml, no package, no module; {hint}")
    table = survey.table()
    if table is not None:
        wrong = configuration.faults(table)
        if wrong:
            raise CompatError(f"{os.path.join(survey.root, 'pyproject.toml')}: {wrong[0]}")
        if table.get("ledgers"):
            return Beginning({}, [f"[tool.compat] names its ledgers already: {', '.join(table['ledgers'])}"], ["compat doctor"])
    notes = _seen(survey)
    foreign = [] if survey.ledgers else _foreign(survey, notes)
    found = [] if survey.ledgers else first.deprecations(survey) if survey.package else []
    settings: dict[str, Any] = {"ledgers": list(survey.ledgers)}
    texts: dict[str, str] = {}
    points: dict[str, str] = {}
    if foreign:
        settings["ledgers"] += [each.reference for each in foreign]
        notes += [f"uses of {each.distribution}'s legacy names: {each.uses} in {each.files} files" for each in foreign]
    if survey.package and not survey.ledgers and (found or not foreign):
        place, module = _place(survey)
        texts[place] = first.ledger_text(survey, found)
        settings["ledgers"].append(f"{module}:LEDGER")
        points = _points(survey, f"{module}:LEDGER")
        certain = sum(each.is_certain for each in found)
        notes.append(f"deprecations in the source: {certain} always, {len(found) - certain} under a condition")
    if any(each.uses for each in foreign):
        settings["baseline"] = BASELINE
    if "pytest" in configuration.KEYS and survey.tests:
        settings["pytest"] = True
    settings = {name: value for name, value in settings.items() if name not in (table or {})}
    texts["pyproject.toml"] = _pyproject(survey, settings, points)
    return Beginning(texts, notes, _steps(survey, foreign, bool(found), place=next(iter(texts))))


def _seen(survey: Survey) -> list[str]:
    there = [
        f"package {survey.package} in {survey.place}" if survey.package else "no package",
        f"tests in {', '.join(survey.tests)}" if survey.tests else "no tests",
        f"tools: {', '.join(survey.tools)}" if survey.tools else "no CI that is known here",
        f"ledgers: {', '.join(survey.ledgers)}" if survey.ledgers else "no ledger of its own",
    ]
    return ["; ".join(there)]


def _foreign(survey: Survey, notes: list[str]) -> list[_Foreign]:
    """The ledgers of others that concern the project: of what it depends on, or whose legacy names it uses."""
    from compat.analysis import scan

    found = []
    sources = [os.path.join(survey.root, path) for path in survey.sources]
    for entry in entry_points(sys.path):
        distribution = entry.distribution.rpartition("-")[0] or entry.distribution
        if normal(distribution) == normal(survey.name):
            continue
        is_needed = normal(distribution) in survey.dependencies
        try:
            ledger = discovery.load(entry.value)
        except CompatError as error:
            if is_needed:
                raise
            notes.append(f"passed over: {error}")
            continue
        findings = scan(sources, ledger).findings if len(ledger) else []
        if findings or is_needed:
            files = len({finding.path for finding in findings})
            found.append(_Foreign(entry.value, distribution, len(findings), files))
    return found


def _place(survey: Survey) -> tuple[str, str]:
    """Where the first ledger goes: into the package, so that it is installed with it; beside a single module."""
    if not survey.is_package:
        folder = survey.place.rpartition("/")[0]
        name = f"{survey.package}_moves"
        return f"{folder}/{name}.py".lstrip("/"), name
    name = "moves"
    if os.path.exists(os.path.join(survey.root, survey.place, f"{name}.py")):
        name = "legacy_moves"
    if os.path.exists(os.path.join(survey.root, survey.place, f"{name}.py")):
        raise CompatError(
            f"{survey.place} holds moves.py and legacy_moves.py, and neither binds a Ledger; name a ledger in [tool.compat]"
        )
    return f"{survey.place}/{name}.py", f"{survey.package}.{name}"


def _points(survey: Survey, reference: str) -> dict[str, str]:
    """The entry point by which the ledger is found wherever the package is installed."""
    project = survey.project()
    points = project.get("entry-points", {})
    if "name" not in project or "entry-points" in project.get("dynamic", ()) or "compat.ledgers" in points:
        return {}
    return {re.sub(r"\W", "_", survey.name): reference}


def _pyproject(survey: Survey, settings: dict[str, Any], points: dict[str, str]) -> str:
    file = os.path.join(survey.root, "pyproject.toml")
    text = insertion.read(file)
    if points:
        name = 'project.entry-points."compat.ledgers"'
        text = insertion.with_tables(text, {name: points}, f"[{name}]\n{_lines(points)}", file="pyproject.toml")
    if survey.table() is None:
        return insertion.with_tables(text, {"tool.compat": settings}, f"[tool.compat]\n{_lines(settings)}", file="pyproject.toml")
    return insertion.with_keys(text, "tool.compat", settings, _lines(settings), file="pyproject.toml")


def _lines(table: dict[str, Any]) -> str:
    return "\n".join(f"{name} = {json.dumps(value, ensure_ascii=False)}" for name, value in table.items())


def _steps(survey: Survey, foreign: list[_Foreign], has_own: bool, *, place: str) -> list[str]:
    sources = " ".join(survey.sources)
    steps = []
    if any(each.uses for each in foreign):
        steps += [f"compat fix {sources}", f"compat scan {sources} --update-baseline --accept-new"]
    elif place != "pyproject.toml":
        steps.append(f"read {place}{'' if has_own else ', and write its first row'}")
        steps.append("python -m pip install -e ." if survey.project() else f"compat scan {sources}")
    else:
        steps.append(f"compat scan {sources}")
    return [*steps, "compat ci", "compat doctor"]
