"""``compat doctor``: say what is wrong in the set-up, each with the remedy: the drop-in, telemetry, ledgers, the project."""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from importlib.machinery import ModuleSpec
    from typing import Any

    from compat.ledger import Ledger

USAGE = """usage: compat doctor

Says of this environment and of the project in this directory what is wrong in the set-up, and the remedy: whether the
drop-in is active and who answers for each legacy root, where telemetry goes, which ledgers are found, whether
[tool.compat], the baseline and the pytest plugin are as they should be.

Exit codes: 0 all is well, 1 something is wrong, 2 usage, 3 a defect.
"""


def run(argv: Sequence[str]) -> int:
    """Print the findings; 1 where one is wrong. What was turned off on purpose is not."""
    arguments = list(argv)
    if arguments in (["-h"], ["--help"]):
        sys.stdout.write(USAGE)
        return 0
    if arguments:
        sys.stderr.write(f"compat doctor: unknown argument {arguments[0]!r}\n{USAGE}")
        return 2
    healthy = True
    for line, fine in findings():
        sys.stdout.write(f"{'ok  ' if fine else 'WARN'}  {line}\n")
        healthy = healthy and fine
    return 0 if healthy else 1


def findings() -> list[tuple[str, bool]]:
    """Every line of the report, with whether it is as it should be."""
    from compat import boot
    from compat.project import health

    found = [(f"Python {sys.version.split()[0]} ({sys.implementation.name}) at {sys.prefix}", True), _started()]
    found.append(_telemetry())
    declared, lines = _declared()
    roots = {root: ledger for ledger in declared for root in ledger.roots}
    found += _narrowed(roots)
    found += _rehearsed()
    if not boot.active.is_off():
        found += [(_root(root, roots[root]), True) for root in sorted(roots)]
        found += lines
        found += health.findings()
    return found


def _narrowed(roots: dict[str, Ledger]) -> list[tuple[str, bool]]:
    from compat.shim import finders

    kept = finders.narrowing()
    if kept is None:
        return []
    served = ", ".join(sorted(kept.intersection(roots))) or "none"
    unknown = sorted(kept.difference(roots))
    lines = [(f"COMPAT_ROOTS={os.environ['COMPAT_ROOTS']!r} narrows the drop-in to: {served}", True)]
    if unknown:
        known = ", ".join(sorted(roots)) or "none"
        lines.append((f"COMPAT_ROOTS names {', '.join(unknown)}, which no declared ledger has; they have {known}", False))
    return lines


def _rehearsed() -> list[tuple[str, bool]]:
    from compat.ledger.versions import rehearsals

    told, faults = rehearsals()
    lines = [(f"COMPAT_AS_OF rehearses {version} for {name or 'every ledger'}", True) for name, version in told.items()]
    return lines + [(fault, False) for fault in faults]


def _started() -> tuple[str, bool]:
    from compat.boot import active

    if active.is_off():
        return f"the drop-in is turned off: COMPAT={os.environ['COMPAT']}", True
    if active.finder.started_by:
        return f"the drop-in is active, started by {active.finder.started_by}", True
    return (
        "the drop-in was not started: no netra_compat.pth was read. Reinstall netra-compat into this environment,"
        " or write 'import compat.auto' first thing in the program",
        False,
    )


def _telemetry() -> tuple[str, bool]:
    mode = os.environ.get("COMPAT_TELEMETRY", "on").strip().lower()
    named = next((name for name in ("COMPAT_DIR", "COMPAT_SERVICE") if os.environ.get(name)), "")
    if mode == "off":
        return (
            "telemetry goes nowhere: COMPAT_TELEMETRY=off, no use is counted; unset it, or say memory for exporters alone",
            False,
        )
    if mode == "memory" and named:
        return f"telemetry goes nowhere: {named} is set and COMPAT_TELEMETRY=memory keeps nothing; unset one of them", False
    if mode == "memory":
        return "telemetry: COMPAT_TELEMETRY=memory, nothing is kept after a process ends", True
    if mode != "on":
        return f"telemetry: COMPAT_TELEMETRY={mode!r} is none of off, memory, on: it is taken for on", False
    import tempfile

    from compat.telemetry.record.directory import state_directory

    directory = state_directory()
    at = directory
    while not os.path.exists(at) and os.path.dirname(at) != at:
        at = os.path.dirname(at)
    try:
        # Asked by doing it: root may write anywhere, by the mode of a directory, and still not on a read-only disk.
        with tempfile.TemporaryFile(dir=at):
            return f"telemetry: {_kept(directory)}", True
    except OSError as error:
        said = error.strerror or type(error).__name__
    return (
        f"telemetry: {directory} cannot be written ({said}), counts stay in memory; set COMPAT_DIR to a writable directory",
        False,
    )


def _kept(directory: str) -> str:
    from compat.telemetry.record.asked import is_asked

    if is_asked():
        return f"counts are kept in {directory}; `compat forget` removes them"
    return (
        f"uses of the shipped ledger are kept in {directory}, which `compat forget` removes; those of other ledgers nowhere:"
        " set COMPAT_TELEMETRY=on, COMPAT_DIR or COMPAT_SERVICE, or write telemetry = true under [tool.compat], to keep them"
    )


def _root(root: str, ledger: Ledger) -> str:
    from compat.shim import finders

    kept = finders.narrowing()
    if kept is not None and root not in kept:
        return f"{root}: not served, COMPAT_ROOTS leaves it out"
    found = _real(root)
    if found is not None:
        where = found.origin or ", ".join(list(found.submodule_search_locations or ())[:2])
        return f"{root}: a real package answers ({where}); compat serves declared modules that it does not have"
    is_generic = root in ledger.generic
    kind = "declared descendants only: other projects use this name too" if is_generic else "nothing real answers"
    return f"{root}: compat serves it ({kind})"


def _real(root: str) -> ModuleSpec | None:
    from importlib.machinery import PathFinder

    # Editable installs by setuptools have finders of their own.
    editable: list[Any] = [finder for finder in sys.meta_path if getattr(finder, "__module__", "").startswith("__editable__")]
    for finder in (PathFinder, *editable):
        found: ModuleSpec | None = finder.find_spec(root, None)
        if found is not None:
            return found
    return None


def _declared() -> tuple[list[Ledger], list[tuple[str, bool]]]:
    """The declared ledgers that the project uses, and a line for each; one more where its listed roots are not current."""
    from compat.boot import entry_points
    from compat.errors import CompatError
    from compat.ledger import discovery
    from compat.ledger.in_use import in_use

    ledgers: list[Ledger] = []
    lines: list[tuple[str, bool]] = []
    listed: dict[str, set[str]] = {}
    for entry in entry_points.entry_points(sys.path, entry_points.ROOTS):
        listed.setdefault(entry.value, set()).add(entry.name)
    try:
        used, others = in_use()
    except CompatError:
        used, others = list(entry_points.entry_points(sys.path)), []  # what is wrong in [tool.compat] has a line of its own
    for entry in {(one.distribution, one.value): one for one in used}.values():
        try:
            ledger = discovery.load(entry.value)
        except CompatError as error:
            lines.append((f"ledger {entry.value} of {entry.distribution}: {error}", False))
            continue
        ledgers.append(ledger)
        lines.append((f"ledger {entry.value} of {entry.distribution}: {len(ledger)} rows", True))
        roots = set(entry_points.root_names(ledger))
        if listed.get(entry.value, roots) != roots:
            wrong = ", ".join(sorted(listed[entry.value] ^ roots))
            stale = f"the roots that {entry.distribution} lists for {entry.value} are not current ({wrong})"
            lines.append((f"{stale}; `compat export roots --ledger {entry.value}` prints them", False))
    if others:
        told = ", ".join(f"{entry.value} of {entry.distribution}" for entry in others)
        lines.append((f"not of this project, and left out: {told}; [tool.compat] ledgers names what commands read", True))
    return ledgers, lines
