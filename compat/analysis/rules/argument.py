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
    """One legacy argument in one call; ``keyword`` is the keyword passed, ``place`` the position, if that is what is legacy."""

    row: Argument
    call: ast.Call
    keyword: Optional[ast.keyword]
    start: int
    end: int
    confidence: str
    place: Optional[int] = None
    doubt: str = ""


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
        paths = dict.fromkeys(_functions(uses, scope, call, words))
        for path in paths:
            for row in rows.get(path, ()):
                yield from _in_call(file, row, call)
        if isinstance(call.func, ast.Attribute) and call.func.attr in words:
            for path, doubt in _inherited(uses, scope, call.func):
                for row in rows.get(path, ()) if path not in paths else ():
                    for use in _in_call(file, row, call):
                        yield use._replace(doubt=doubt, confidence=MEDIUM if doubt else use.confidence)


def _inherited(uses: FileUses, scope: Scope, func: ast.Attribute) -> Iterator[tuple[str, str]]:
    """The methods (dotted) that a call is of by more than a name, each with what speaks against it."""
    told = uses.told(scope, func, uses.receivers)
    if told is not None:
        yield f"{told.path}.{func.attr}", told.doubt
        new = uses.targets.members.renamed_method(told.path, func.attr)
        if new != func.attr:
            yield f"{told.path}.{new}", told.doubt


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
    at = file.span(call.func)
    if row.order:
        if call.args and not starred and not _is_present_order(row, len(call.args)):
            yield Use(row, call, None, *at, HIGH)
    elif row.default or row.was:
        passed = any(word.arg == row.argument for word in call.keywords)
        if not passed and not starred and not unpacked:
            taken = find_signature(row.canonical)
            # Where the function takes it by keyword alone, no position gives it.
            index = len(call.args) if taken is None or row.argument not in taken else taken.index(row.argument)
            if not call.args or (taken is not None and len(call.args) <= index):
                yield Use(row, call, None, *at, HIGH if taken is not None or not call.args else MEDIUM)
    elif row.keyword_only:
        taken = find_signature(row.canonical)
        if taken is not None and not starred and len(call.args) > len(taken):
            yield Use(row, call, None, *at, HIGH)
    elif row.together:
        taken = find_signature(row.canonical) or []
        given = {word.arg for word in call.keywords}.union([] if starred else taken[: len(call.args)])
        if given.issuperset(row.together):
            yield Use(row, call, None, *at, HIGH)
    elif row.several:
        for word in call.keywords:
            if word.arg in row.several:
                yield Use(row, call, word, *file.span(word), HIGH)
                break
    else:
        yield from _named(file, row, call, starred)


def _named(file: FileModel, row: Argument, call: ast.Call, starred: bool) -> Iterator[Use]:
    """A renamed, dropped or converted argument, or a value that goes: by keyword, and where it stands by position."""
    for word in call.keywords:
        if word.arg == row.argument and _is_legacy(row, word.value):
            yield Use(row, call, word, *file.span(word), HIGH)
    if starred or not call.args:
        return
    if row.position is not None:
        taken = find_signature(row.canonical)
        if taken is not None and len(taken) < len(call.args) and row.position < len(call.args):
            item = call.args[row.position]
            yield Use(row, call, None, *file.span(item), HIGH, row.position)
            return
    index = position(row) if row.values or row.became == row.argument or (row.convert and row.position is not None) else None
    if index is not None and index < len(call.args):
        item = call.args[index]
        if converting.is_literal(item) and _is_legacy(row, item, by_position=True):
            yield Use(row, call, None, *file.span(item), HIGH, index)


def _is_legacy(row: Argument, value: ast.expr, *, by_position: bool = False) -> bool:
    """Whether a value passed under a name that stays is in the old form, as far as a literal tells."""
    if row.values:
        return replaced_value(row, value) is not None
    if not row.convert or not converting.is_literal(value):
        return True
    if row.became != row.argument and not by_position:
        return True
    given = ast.literal_eval(value)
    try:
        made = converting.convert(row.convert, given)
    except converting.Uncertain:
        return not by_position
    return not (type(made) is type(given) and made == given)


def replaced_value(row: Argument, value: ast.expr) -> Optional[tuple[object, object]]:
    """The pair of a row's values whose old one a literal is; ``None`` where it is none of them."""
    if not converting.is_literal(value):
        return None
    given = ast.literal_eval(value)
    return next(((old, new) for old, new in row.values if type(old) is type(given) and old == given), None)


def _is_present_order(row: Argument, count: int) -> bool:
    taken = find_signature(row.canonical)
    return taken is not None and tuple(taken[:count]) == row.order[:count]


def position(row: Argument) -> Optional[int]:
    """The position of an argument in the present form, from the canonical function's source; ``None`` where it is not found."""
    names = find_signature(row.canonical)
    name = row.became if row.convert else row.argument
    return names.index(name) if names is not None and name in names else None
