"""Checks a ledger as installing it would: what is wrong with its rows by themselves, and what the shim could not serve."""

from __future__ import annotations

import sys

from compat.errors import LedgerError
from compat.ledger.checking import find_faults as _of_the_rows
from compat.ledger.checking import shown
from compat.ledger.move import MODULE, NAME, TARGET
from compat.ledger.paths import resolve, what_to_install

from . import attach, installation, kinds
from .recording.funnel import forget_recorders
from .serving import overlay
from .serving.finder import real_spec
from .serving.installed import Installed, name_fault
from .serving.targets import load_module

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from compat.ledger import Ledger, Move
    from compat.ledger.checking import Fault


def check(ledger: Ledger) -> None:
    """Raise :class:`compat.LedgerError` with all faults of a ledger, each with row, reason and remedy; else return ``None``.

    Imports the canonical targets, the adapters, and the legacy modules that still exist; rows that change their target are
    put in place for a moment, unless the ledger is installed. Run it in a test of the package that declares the ledger.
    """
    faults = list(find_faults(ledger))
    if faults:
        raise LedgerError(ledger.name, faults)


def find_faults(ledger: Ledger) -> Iterator[Fault]:
    """Yield every ``(row, reason, remedy)`` that is wrong with a ledger, or that keeps a row from being served."""
    known = set()
    for fault in _of_the_rows(ledger):
        known.add(fault[0])
        yield fault
    for move, reason, remedy in _not_served(ledger):
        if shown(move) not in known:
            yield shown(move), reason, remedy


class _Trial(Installed):
    def refuse(self, move: Move, reason: str, remedy: str, *, is_harmless: bool = False) -> None:
        self.outcomes[move.legacy] = (reason, remedy)


def _not_served(ledger: Ledger) -> Iterator[tuple[Move, str, str]]:
    trial = _Trial(ledger)
    for move in ledger:
        if move.place == MODULE and real_spec(move.module) is not None:
            yield move, f"module {move.module!r} still exists", "delete the module, or the row"
        elif move.place == NAME:
            fault = name_fault(ledger, move) or _still_defined(ledger, move)
            if fault is not None:
                yield (move, *fault)
        elif move.place == TARGET:
            fault = _owner_fault(ledger, move)
            if fault is not None:
                yield (move, *fault)
    for name in sorted(attach.changed_modules(ledger)):
        try:
            module = load_module(name, name)
        except (Exception, SystemExit):
            continue  # each row's own check has said so
        if not _is_installed(ledger, name):
            attach.cover_targets(trial, module, {})
    while trial.undoings:
        trial.undoings.pop()()
    forget_recorders(trial.recorders.values())
    for move in ledger:
        if move.place == TARGET:
            reason, remedy = _outcome(move) or trial.outcomes.get(move.legacy) or ("", "")
            if reason:
                yield move, reason, remedy
            else:
                yield from _unseen(ledger, move)


def _unseen(ledger: Ledger, move: Move) -> Iterator[tuple[Move, str, str]]:
    module, _, path = move.changed.partition(":")
    if module in sys.modules:
        for other in kinds.of(move).unseen(sys.modules[module], path):
            if ledger.get(other) is None:
                reason = f"{other!r} is imported from it, and reads of that are not seen"
                yield move, reason, f"give {other!r} a row of its own, too"


def _owner_fault(ledger: Ledger, move: Move) -> tuple[str, str] | None:
    """Whether old code can come to the class of a legacy member: it is there, or has a row of its own."""
    holder, dot, _ = move.legacy.rpartition(".")
    changed = move.changed.rpartition(".")[0]
    if move.function or ":" not in holder or not dot or holder == changed or _has_row(ledger, holder):
        return None
    kind, now = resolve(holder)[0], resolve(changed)[0]
    if isinstance(kind, type) and isinstance(now, type) and issubclass(kind, now):
        return None
    reason = f"{holder!r} is not {changed!r}" if isinstance(kind, type) else f"there is no class {holder!r}"
    return reason, f"name the member of {changed!r}, or give {holder!r} a row of its own"


def _has_row(ledger: Ledger, path: str) -> bool:
    if ledger.get(path) is not None:
        return True
    module = path.partition(":")[0]
    while module and "" not in ledger.module_rows(module):
        module = module.rpartition(".")[0]
    return bool(module)


def _still_defined(ledger: Ledger, move: Move) -> tuple[str, str] | None:
    outcome = _outcome(move)
    if outcome is not None:
        return outcome if outcome[0] else None
    if real_spec(move.module) is None:
        return None
    try:
        module = load_module(move.module, move.id)
    except (Exception, SystemExit) as error:
        fault = f"cannot be imported ({type(error).__name__}: {error})"
        return f"{move.module!r} {fault}", what_to_install(fault, move.module) or "delete the module, or mend it"
    outcome = _outcome(move)  # of the import
    if outcome is not None:
        return outcome if outcome[0] else None
    return overlay.STILL_DEFINED if overlay.is_defined(module, move) else None


def _outcome(move: Move) -> tuple[str, str] | None:
    """What became of a row where its ledger, or one that has the same row, is installed; ``None`` where it is not."""
    for one in installation.installed():
        if one.ledger.get(move.legacy) == move and move.legacy in one.outcomes:
            return one.outcomes[move.legacy]
    return None


def _is_installed(ledger: Ledger, module: str) -> bool:
    return any(_outcome(move) is not None for move in ledger if move.place == TARGET and _changes(move, module))


def _changes(move: Move, module: str) -> bool:
    return move.changed.partition(":")[0] == module
