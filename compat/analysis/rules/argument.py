"""Rule ``argument``: a call passes a legacy argument to a function or method known from the file."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, NamedTuple, Optional

from ..findings import HIGH, MEDIUM
from ..targets import converting
from ..targets.adapters import find_signature
from . import report

if TYPE_CHECKING:
    from collections.abc import Iterator

    from compat.ledger import Argument

    from ..findings import Finding
    from ..model.file_model import FileModel
    from ..model.file_uses import FileUses
    from ..model.receivers import Receivers
    from ..model.scopes import Scope

RULE = "argument"
NEEDS_RECEIVERS = True


class Use(NamedTuple):
    """One legacy argument in one call; ``keyword`` is the keyword passed, if that is what is legacy."""

    row: Argument
    call: ast.Call
    keyword: Optional[ast.keyword]
    start: int
    end: int
    confidence: str


def find(uses: FileUses) -> Iterator[Finding]:
    """Report each legacy argument at the keyword, or at the call where what is wrong is an absence or an order."""
    file, targets = uses.file, uses.targets
    for use in calls(uses):
        yield report.from_row(file.source, targets, use.row, (use.start, use.end), RULE, "argument", use.confidence)


def calls(uses: FileUses) -> Iterator[Use]:
    """Every legacy argument of every call whose function is known."""
    file, rows, receivers = uses.file, uses.targets.members.arguments, uses.receivers
    if not rows:
        return
    last = {path.rpartition(".")[2] for path in rows}
    for scope, call, _chain in file.names.calls:
        for path in _functions(receivers, scope, call, last):
            for row in rows.get(path, ()):
                yield from _in_call(file, row, call)


def _functions(receivers: Receivers, scope: Scope, call: ast.Call, last: set[str]) -> list[str]:
    path = receivers.path(scope, call.func)
    found = [path, f"{path}.__init__"] if path else []
    if isinstance(call.func, ast.Attribute) and call.func.attr in last:
        found.append(f"{receivers.of(scope, call.func.value)}.{call.func.attr}")
    return found


def _in_call(file: FileModel, row: Argument, call: ast.Call) -> Iterator[Use]:
    starred = any(isinstance(item, ast.Starred) for item in call.args)
    unpacked = any(word.arg is None for word in call.keywords)
    if row.order:
        if call.args and not starred:
            yield Use(row, call, None, *file.span(call.func), HIGH)
    elif row.default:
        passed = any(word.arg == row.argument for word in call.keywords)
        if not passed and not starred and not unpacked:
            index = _index(row)
            if not call.args or (index is not None and len(call.args) <= index):
                yield Use(row, call, None, *file.span(call.func), HIGH if index is not None or not call.args else MEDIUM)
    else:
        for word in call.keywords:
            if word.arg == row.argument and not _is_converted(row, word.value):
                yield Use(row, call, word, *file.span(word), HIGH)


def _is_converted(row: Argument, value: ast.expr) -> bool:
    """Whether a literal passed by a name that stays is in the new form: the converter leaves it as it is."""
    if row.became != row.argument or not row.convert or not converting.is_literal(value):
        return False
    given = ast.literal_eval(value)
    try:
        made = converting.convert(row.convert, given)
    except converting.Uncertain:
        return False
    return type(made) is type(given) and made == given


def _index(row: Argument) -> Optional[int]:
    """The position of a newly required argument, from the canonical function's source; ``None`` where it is not found."""
    names = find_signature(row.canonical)
    return names.index(row.argument) if names is not None and row.argument in names else None
