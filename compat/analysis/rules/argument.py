"""Rule ``argument``: a call passes a legacy argument to a function or method known from the file."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, NamedTuple, Optional

from ..findings import HIGH, MEDIUM
from ..targets import converting
from ..targets.adapters import find_signature
from . import report

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from compat.ledger import Argument

    from ..findings import Finding
    from ..model.file_model import FileModel
    from ..model.file_uses import FileUses
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
    file, members = uses.file, uses.targets.members
    rows = members.arguments
    if not rows:
        return
    last = {path.rpartition(".")[2] for path in rows}
    words = last | members.own_methods | (members.adapted_names if uses.legacy_receivers is not None else frozenset())
    for scope, call, _chain in file.names.calls:
        for path in dict.fromkeys(_functions(uses, scope, call, words)):
            for row in rows.get(path, ()):
                yield from _in_call(file, row, call)


def _functions(uses: FileUses, scope: Scope, call: ast.Call, words: Collection[str]) -> Iterator[str]:
    """The canonical functions (dotted) that a call may be of, a method by its names old and new."""
    receivers, members, func = uses.receivers, uses.targets.members, call.func
    path = receivers.path(scope, func)
    if path:
        yield path
        yield f"{path}.__init__"
    if not isinstance(func, ast.Attribute) or func.attr not in words:
        return
    made = receivers.of(scope, func.value)
    yield f"{made}.{func.attr}"
    yield f"{made}.{members.renamed_method(made, func.attr)}"
    if uses.legacy_receivers is not None:
        row = members.adapted_methods(uses.legacy_receivers.of(scope, func.value)).get(func.attr)
        if row is not None:
            owner, _, name = row.canonical.replace(":", ".").rpartition(".")
            yield f"{owner}.{members.renamed_method(owner, name)}"


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
