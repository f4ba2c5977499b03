"""What ``compat doctor`` says of a project: its settings, the ledgers they name, the accepted debt, the plugin of pytest."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator
from typing import Any

from compat import configuration
from compat.boot.entry_points import entry_points
from compat.errors import CompatError
from compat.ledger import Ledger, discovery

from .survey import Survey, survey

Line = tuple[str, bool]


def findings(start: str = ".") -> list[Line]:
    """A line for everything that was looked at, with whether it is as it should be."""
    try:
        file = configuration.find(start)
    except CompatError as error:
        return [(str(error), False)]
    if file is None:
        said = "no [tool.compat] here: commands read the ledgers of what this project depends on; `compat init` writes the table"
        return [(said, True)]
    root = os.path.dirname(file)
    try:
        seen = survey(root)
    except CompatError as error:
        return [(str(error), False)]
    table = seen.table() or {}
    wrong = configuration.faults(table)
    if wrong:
        return [(f"{file}: {fault}", False) for fault in wrong]
    lines = [(f"settings: [tool.compat] of {file}", True)]
    ledgers: list[Ledger] = []
    for reference in configuration.value(table, "ledgers"):
        try:
            ledgers.append(discovery.load(reference))
            lines.append((f"ledger {reference} of [tool.compat]: {len(ledgers[-1])} rows", True))
        except CompatError as error:
            lines.append((f"ledger {reference} of [tool.compat]: {error}", False))
    is_whole = all(fine for _, fine in lines)
    lines += _declared(seen)
    if table.get("baseline"):
        lines += _baseline(seen, os.path.join(root, table["baseline"]), ledgers if is_whole else [])
    if "pytest" in configuration.KEYS:
        lines += _plugin(seen, table)
    return lines


def _declared(seen: Survey) -> Iterator[Line]:
    """The entry points that pyproject.toml declares and that the installed distribution does not have yet."""
    points = seen.project().get("entry-points", {})
    declared = points.get("compat.ledgers", {}) if isinstance(points, dict) else {}
    installed = {entry.value for entry in entry_points(sys.path)}
    for reference in declared.values() if isinstance(declared, dict) else ():
        if reference not in installed:
            remedy = "install the project again: python -m pip install -e ."
            yield f"ledger {reference} is declared in pyproject.toml and found in no installed distribution; {remedy}", False


def _baseline(seen: Survey, path: str, ledgers: list[Ledger]) -> list[Line]:
    from compat.analysis import config, scan
    from compat.analysis.debt.baseline import Baseline, BaselineError

    name = os.path.relpath(path, seen.root)
    sources = " ".join(seen.sources)
    if not os.path.exists(path):
        return [(f"baseline {name} does not exist; make it: compat scan {sources} --update-baseline --accept-new", False)]
    try:
        known = Baseline.load(path)
    except BaselineError as error:
        return [(str(error), False)]
    if not ledgers:
        return [(f"baseline {name}: {sum(known.entries.values())} uses", True)]
    whole = ledgers[0]
    for each in ledgers[1:]:
        whole = whole + each
    files = {os.path.join(known.root, key.path) for key in known.entries}
    there = sorted(each for each in files if os.path.isfile(each))
    settings = config.load(seen.root)
    result = scan(there, whole, settings=settings, policy=settings.rules) if there else None
    paid = known.compare(result.findings if result else (), [*there, *files.difference(there)]).paid
    if not paid:
        return [(f"baseline {name}: {sum(known.entries.values())} uses, all of them still there", True)]
    remedy = f"strike it: compat scan {sources} --update-baseline"
    old = sum(paid.values())
    return [(f"baseline {name} is old: {old} of its {sum(known.entries.values())} uses are gone; {remedy}", False)]


def _plugin(seen: Survey, table: dict[str, Any]) -> Iterator[Line]:
    """Whether a run of pytest counts legacy uses; said only where there are tests."""
    if not seen.tests:
        return
    options = _ini(seen)
    if table.get("pytest") is False:
        yield "pytest plugin: turned off, [tool.compat] pytest = false", True
        return
    is_asked = (
        "pytest" in table
        or re.search(r"(^|\s|['\"])--compat\b", options["addopts"])
        or any(name == "compat" or name.startswith("compat_") for name in options)
    )
    if not is_asked:
        yield "the pytest plugin is off: no test run counts legacy uses; set pytest = true in [tool.compat]", False
        return
    if re.search(r"-p\s*no:compat\b", options["addopts"]):
        yield "the pytest plugin is off: addopts has -p no:compat; take that out", False
    elif os.environ.get("PYTEST_DISABLE_PLUGIN_AUTOLOAD"):
        yield (
            "the pytest plugin is off: PYTEST_DISABLE_PLUGIN_AUTOLOAD is set; unset it, or run pytest -p compat.pytest_plugin",
            False,
        )
    else:
        yield "pytest plugin: on", True


def _ini(seen: Survey) -> dict[str, str]:
    """What the project's file for pytest says; ``addopts`` always, ``""`` where it says nothing."""
    import configparser

    tool = (seen.pyproject or {}).get("tool", {}).get("pytest", {})
    found: dict[str, Any] = dict(tool.get("ini_options", {})) if isinstance(tool, dict) else {}
    for name, section in (
        ("pytest.ini", "pytest"),
        (".pytest.ini", "pytest"),
        ("tox.ini", "pytest"),
        ("setup.cfg", "tool:pytest"),
    ):
        parser = configparser.RawConfigParser()
        try:
            if parser.read(os.path.join(seen.root, name), encoding="utf-8") and parser.has_section(section):
                found = dict(parser[section])
                break
        except (configparser.Error, UnicodeDecodeError):
            continue  # pytest says what is wrong with it
    found.setdefault("addopts", "")
    return {name: " ".join(value) if isinstance(value, list) else str(value) for name, value in found.items()}
