"""``compat doctor``: say whether the drop-in is active, how it was started, and who serves each legacy root and why."""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

USAGE = "usage: compat doctor\n\nSays whether the drop-in is active in this environment, and who answers for each legacy root.\n"


def run(argv: Sequence[str]) -> int:
    """Print the findings; 0 when the drop-in is active or was turned off on purpose, 1 when it is not started."""
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
    from compat import _boot

    found = [(f"Python {sys.version.split()[0]} ({sys.implementation.name}) at {sys.prefix}", True), _started()]
    found.append(_telemetry())
    found += _narrowed()
    found += _rehearsed()
    if not _boot.is_off():
        found += [(_root(root), True) for root in sorted(_boot.ROOTS)]
        found += _others()
    return found


def _narrowed() -> list[tuple[str, bool]]:
    from compat import _boot

    told = os.environ.get("COMPAT_ROOTS")
    if told is None:
        return []
    served = ", ".join(sorted(_boot._roots())) or "none"
    unknown = sorted({part.strip() for part in told.split(",")} - _boot.ROOTS - {""})
    lines = [(f"COMPAT_ROOTS={told!r} narrows the shipped ledger to: {served}", True)]
    if unknown:
        known = ", ".join(sorted(_boot.ROOTS))
        lines.append((f"COMPAT_ROOTS names {', '.join(unknown)}, which the shipped ledger does not have; it has {known}", False))
    return lines


def _rehearsed() -> list[tuple[str, bool]]:
    from compat.ledger.versions import rehearsals

    told, faults = rehearsals()
    lines = [(f"COMPAT_AS_OF rehearses {version} for {name or 'every ledger'}", True) for name, version in told.items()]
    return lines + [(fault, False) for fault in faults]


def _started() -> tuple[str, bool]:
    from compat import _boot

    if _boot.is_off():
        return f"the drop-in is turned off: COMPAT={os.environ['COMPAT']}", True
    if _boot.started_by:
        return f"the drop-in is active, started by {_boot.started_by}", True
    return (
        "the drop-in was not started: no netra_compat.pth was read. Reinstall netra-compat into this environment,"
        " or write 'import compat.auto' first thing in the program",
        False,
    )


def _telemetry() -> tuple[str, bool]:
    mode = os.environ.get("COMPAT_TELEMETRY", "on").strip().lower()
    if mode in ("off", "memory"):
        return f"telemetry: COMPAT_TELEMETRY={mode}, nothing is kept after a process ends", True
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
            return f"telemetry: counts are kept in {directory}", True
    except OSError as error:
        said = error.strerror or type(error).__name__
    return (
        f"telemetry: {directory} cannot be written ({said}), counts stay in memory; set COMPAT_DIR to a writable directory",
        False,
    )


def _root(root: str) -> str:
    from importlib.machinery import PathFinder

    from compat import _boot

    if root not in _boot._roots():
        return f"{root}: not served, COMPAT_ROOTS leaves it out"
    found = PathFinder.find_spec(root)
    if found is not None:
        where = found.origin or ", ".join(list(found.submodule_search_locations or ())[:2])
        return f"{root}: a real package answers ({where}); compat serves declared modules that it does not have"
    kind = "declared descendants only: other projects use this name too" if root in _boot.GENERIC else "nothing real answers"
    return f"{root}: compat serves it ({kind})"


def _others() -> list[tuple[str, bool]]:
    from compat.errors import CompatError
    from compat.ledger import discovery

    declared = [(entry.value, entry.distribution) for entry in discovery.entry_points(sys.path)]
    lines: list[tuple[str, bool]] = []
    try:
        declared += [(reference, "[tool.compat]") for reference in discovery.configured()]
    except CompatError as error:
        lines.append((str(error), False))
    for reference, whose in declared:
        try:
            ledger = discovery.load(reference)
        except CompatError as error:
            lines.append((f"ledger {reference} of {whose}: {error}", False))
        else:
            lines.append((f"ledger {reference} of {whose}: {len(ledger)} rows", True))
    return lines
