"""Checks a ledger against itself and against the code it names; raises every fault at once."""

from __future__ import annotations

import importlib
import importlib.util

from compat.errors import LedgerError

from . import advice
from .ledger import Ledger
from .moves import Argument, Class, Module, Move, Removed
from .versions import parse

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    Fault = tuple[str, str, str]


def check(ledger: Ledger) -> None:
    """Raise :class:`compat.LedgerError` with all faults of a ledger, each with row, reason and remedy; else return ``None``.

    Imports the canonical targets and the adapters. Run it in a test of the package that declares the ledger.
    """
    faults = list(find_faults(ledger))
    if faults:
        raise LedgerError(ledger.name, faults)


def find_faults(ledger: Ledger) -> Iterator[Fault]:
    """Yield every ``(row, reason, remedy)`` that is wrong with a ledger."""
    yield from _in_force(ledger)
    yield from _duplicates(ledger)
    yield from _cycles(ledger)
    for row in ledger:
        yield from _words(row)
        yield from _versions(row)
        yield from _target(row)
    yield from advice.find_faults(ledger)


def _show(row: Move) -> str:
    return f"{type(row).__name__}({row.legacy!r})"


def _in_force(ledger: Ledger) -> Iterator[Fault]:
    for origin in ledger.origins:
        try:
            parse(origin.own_version)
        except Exception as error:
            # Its own sentence where it is parse()'s; whose is another's may be as short as a key.
            said = str(error) if type(error) is ValueError else f"{type(error).__name__}: {error}"
            yield f"Ledger({origin.name!r})", f"its version cannot be used: {said}", "give a version such as version='2.0'"


def _duplicates(ledger: Ledger) -> Iterator[Fault]:
    seen: dict[str, Move] = {}
    ids: dict[str, Move] = {}
    for row in ledger:
        before = seen.setdefault(row.legacy, row)
        if before is not row:
            if isinstance(row, Removed) != isinstance(before, Removed):
                moved = row if isinstance(before, Removed) else before
                yield _show(row), "the name is both removed and moved", f"keep either the Removed row or {_show(moved)}"
            else:
                yield _show(row), f"legacy path {row.legacy!r} has another row already", "delete one of the two"
        elif ids.setdefault(row.id, row) is not row:
            yield _show(row), f"id {row.id!r} is taken by {_show(ids[row.id])}", "give each row an id of its own, or none"


def _cycles(ledger: Ledger) -> Iterator[Fault]:
    for row in ledger:
        if row.kind in ("argument", "method"):
            continue
        path, at = [row.legacy], row.canonical
        while at and at not in path:
            path.append(at)
            following = ledger.get(at)
            at = following.canonical if following is not None and following.kind != "argument" else ""
        if at == row.legacy:
            yield (
                _show(row),
                f"the move leads back to itself: {' -> '.join([*path, at])}",
                "point the row at the final canonical path",
            )


def _words(row: Move) -> Iterator[Fault]:
    if not _is_path(row.module) or (row.attribute and not _is_path(row.attribute.partition("(")[0])):
        yield _show(row), f"{row.legacy!r} is no legacy path", "write 'package.module' or 'package.module:attribute'"
    if row.kind not in ("module", "removed", "argument") and not row.attribute:
        yield _show(row), "a name is missing after the module", f"write {row.module + ':Name'!r}, or use Module(...)"
    if isinstance(row, Module) and (row.attribute or ":" in row.canonical):
        yield _show(row), "a Module row moves a whole module to a whole module", "use Name(...) or Class(...) for one name"
    if row.instead is not None and not row.instead.strip():
        yield _show(row), "instead is empty", "say what to write instead, or None to word it from the canonical path"
    if row.instead is None and not row.canonical:
        yield _show(row), "instead is missing: there is no canonical path to word it from", "say what to write instead"
    if isinstance(row, Argument):
        shapes = [bool(row.argument) and not row.default, bool(row.order), bool(row.default)]
        if sum(shapes) != 1:
            yield (
                _show(row),
                "it must be exactly one of renamed, dropped, reordered, newly required",
                "write one row for each change",
            )
        if row.convert and not row.became:
            yield _show(row), "convert without became converts into nothing", "name the new argument in became="
        if row.template:
            reason = "there is no convert for it to spell out" if not row.convert else _template_fault(row.template)
            if reason:
                yield _show(row), f"template {row.template!r}: {reason}", "write one such as template='int({value}) * 1000'"


def _template_fault(template: str) -> str:
    import ast
    import builtins

    if "{value}" not in template:
        return "{value} is missing"
    try:
        tree = ast.parse(template.replace("{value}", "(_)"), mode="eval")
    except (SyntaxError, ValueError) as error:
        return f"it is no expression ({error})"
    names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    foreign = sorted(name for name in names if name != "_" and not hasattr(builtins, name))
    return f"{foreign[0]} is no builtin, and would have to be imported" if foreign else ""


def _is_path(text: str) -> bool:
    return bool(text) and all(part.isidentifier() for part in text.split("."))


def _versions(row: Move) -> Iterator[Fault]:
    parsed = []
    for field in ("since", "removal"):
        try:
            parsed.append(parse(getattr(row, field)))
        except (ValueError, TypeError, AttributeError):
            yield _show(row), f"{field}={getattr(row, field)!r} is no version", f"write one such as {field}='2.0'"
    if len(parsed) == 2 and not parsed[0] < parsed[1] and not isinstance(row, Removed):
        yield _show(row), f"removal {row.removal} is not after since {row.since}", "give the users at least one version to move"


def _target(row: Move) -> Iterator[Fault]:
    if not row.canonical:
        return
    found, fault = _resolve(row.canonical)
    if fault:
        yield _show(row), f"canonical target {row.canonical!r} {fault}", "correct the path, or ship the target"
        return
    if isinstance(row, Class):
        if isinstance(found, type) and issubclass(found, BaseException):
            yield _show(row), "an exception cannot be moved as Class: except does not see adapters", "use Name(...)"
        adapter, fault = _resolve(row.adapter)
        if fault:
            yield _show(row), f"adapter {row.adapter!r} {fault}", "correct the path"
        elif not _is_adapter(adapter):
            yield _show(row), f"adapter {row.adapter!r} is no Adapter", "derive it: class X(compat.Adapter, of=...)"
    if isinstance(row, Argument):
        for field in ("convert", "default"):
            path = getattr(row, field)
            if path:
                value, fault = _resolve(path)
                if fault or not callable(value):
                    yield _show(row), f"{field}={path!r} {fault or 'is not callable'}", "name a callable as 'module:callable'"


def _is_adapter(found: object) -> bool:
    # By the name of its metaclass: the ledger knows nothing of the shim, which builds on it.
    return isinstance(found, type) and any(kind.__name__ == "AdapterMeta" for kind in type.mro(type(found)))


def _resolve(path: str) -> tuple[object, str]:
    name, _, attribute = path.partition(":")
    try:
        found: object = importlib.import_module(name)
    except (Exception, SystemExit) as error:
        return None, f"cannot be imported ({type(error).__name__}: {error})"
    for part in attribute.split(".") if attribute else ():
        try:
            found = getattr(found, part)
        except AttributeError:
            return None, f"is missing: {name!r} has no {attribute!r}"
        except Exception as error:
            # A lazy module: what the name needs is imported when it is read.
            return None, f"cannot be imported ({type(error).__name__}: {error})"
    return found, ""
