"""Rule ``method``: a renamed method is read, patched or overridden on a receiver of known class."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, NamedTuple, Optional

from ..findings import HIGH, MEDIUM
from ..model import lineage
from ..model.references import callee
from ..reading import constructs
from . import report

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping
    from typing import Callable

    from compat.ledger import Move

    from ..findings import Finding
    from ..model.file_model import FileModel
    from ..model.file_uses import FileUses
    from ..model.receivers import Receivers
    from ..model.scopes import Scope
    from ..targets import Targets

    Members = Callable[[str], Mapping[str, Move]]

RULE = "method"
NEEDS_RECEIVERS = True


class Use(NamedTuple):
    """One use of a legacy method: the row, the span of the name alone, and how sure it is."""

    row: Move
    start: int
    end: int
    how: str
    confidence: str
    text: Optional[ast.Constant] = None
    #: What speaks against the class of the object; empty where it is certain.
    doubt: str = ""
    #: Whether it is used of an object, not of the class.
    is_object: bool = False
    #: Whether it is an override, or asks for the class's own method in one: part of one rename with what calls the override.
    is_part: bool = False


def find(uses: FileUses) -> Iterator[Finding]:
    """Report each legacy method; removed members of a class come as ``removed``."""
    for use in reads(uses):
        span = use.start, use.end
        yield report.from_row(uses.file.source, uses.targets, use.row, span, rule_of(use.row), use.how, use.confidence)


def rule_of(row: Move) -> str:
    """The rule under which a row of a class's member is reported: its kind."""
    return row.kind


def reads(uses: FileUses) -> Iterator[Use]:
    """Every use of a legacy method: reads, patched attribute names, overriding definitions."""
    file, members, receivers, legacy = uses.file, uses.targets.members, uses.receivers, uses.legacy_receivers
    pairs: list[tuple[Members, Collection[str], Receivers]] = [(members.methods_of, members.own_methods, receivers)]
    if legacy is not None:
        pairs.append((members.adapted_methods, members.adapted_names, legacy))
    yield from _patched_paths(file, uses.targets)
    every = frozenset().union(*(words for _rows, words, _receivers in pairs))
    read = [(chain, node) for chain in file.names.chains for node in chain.attributes if node.attr in every]
    for rows, words, known in pairs:
        if not words:
            continue
        for chain, node in read:
            if node.attr in words:
                called = chain.call is not None and node is chain.node
                yield from _read(uses, chain.scope, node, called, rows, known)
        for scope, node in file.names.loose:
            if node.attr in words:
                called = isinstance(file.names.parents.get(node), ast.Call)
                yield from _read(uses, scope, node, called, rows, known)
        yield from _patches(file, words, rows, known)
        yield from _overrides(uses, words, rows, known)


def _read(
    uses: FileUses,
    scope: Scope,
    node: ast.Attribute,
    called: bool,
    rows: Members,
    receivers: Receivers,
) -> Iterator[Use]:
    told = uses.told(scope, node, receivers)
    if told is None and isinstance(node.value, ast.Call) and receivers is uses.receivers:
        yield from _of_super(uses, scope, node, called, rows)
        return
    row, how = rows(told.path).get(node.attr) if told is not None else None, "call" if called else "attribute"
    if row is not None and told is not None and row.covers(how):
        end, is_object = uses.file.span(node)[1], not receivers.path(scope, node.value)
        yield Use(row, end - len(node.attr.encode()), end, how, MEDIUM if told.doubt else HIGH, None, told.doubt, is_object)


def _of_super(uses: FileUses, scope: Scope, node: ast.Attribute, called: bool, rows: Members) -> Iterator[Use]:
    """`super().method()`, where it reaches the class that a row speaks of."""
    around = lineage.class_around(uses.inference, scope, node.value)
    if around is None:
        return
    above, how = lineage.above(uses.inference, around), "call" if called else "attribute"
    found = [row for row in (rows(root).get(node.attr) for root in sorted(above.roots)) if row is not None]
    if found and found[0].covers(how) and not any(node.attr in other.bindings for _path, other in above.between):
        doubt = "" if above.is_known and len(found) == 1 else "which of several base classes has it is not known"
        end = uses.file.span(node)[1]
        start, is_part = end - len(node.attr.encode()), node.attr in around.bindings
        yield Use(found[0], start, end, how, MEDIUM if doubt else HIGH, None, doubt, is_object=True, is_part=is_part)


def _patches(file: FileModel, words: Collection[str], rows: Members, receivers: Receivers) -> Iterator[Use]:
    for text in file.names.texts:
        call = text.call
        if call is None or text.node.value not in words or len(call.args) < 2 or call.args[1] is not text.node:
            continue
        first = call.args[0]
        made = receivers.of(text.scope, first) or receivers.path(text.scope, first)
        row = rows(made).get(str(text.node.value))
        if row is not None and row.covers("patch"):
            yield Use(row, *file.span(text.node), "patch", HIGH, text.node)


def _patched_paths(file: FileModel, targets: Targets) -> Iterator[Use]:
    """`mock.patch("module.Class.method")`."""
    words = targets.members.own_methods
    for text in file.names.texts if words else ():
        path, _, name = str(text.node.value).replace(":", ".").rpartition(".")
        if text.call is None or name not in words or not path or constructs.role(callee(text.call)) is None:
            continue
        # Where the class is named by a legacy path, its own use is reported, and rewritten with the method.
        if path.partition(".")[0] in targets.tops and targets.resolve(path) is None:
            row = targets.members.methods_of(targets.spelt(targets.canonical_dotted(path))).get(name)
            if row is not None and row.covers("patch"):
                yield Use(row, *file.span(text.node), "patch", HIGH, text.node)


def _overrides(uses: FileUses, words: Collection[str], rows: Members, receivers: Receivers) -> Iterator[Use]:
    file = uses.file
    for scope in [*file.names.scopes]:
        node = scope.node
        if not isinstance(node, ast.ClassDef) or scope.parent is None or scope.bindings.keys().isdisjoint(words):
            continue
        above = {receivers.path(scope.parent, base) for base in node.bases}
        if receivers is uses.receivers:
            above |= lineage.above(uses.inference, scope).roots
        members = {name: row for path in sorted(above) for name, row in rows(path).items()}
        for item in node.body if members else ():
            row = members.get(item.name) if isinstance(item, (ast.FunctionDef, ast.AsyncFunctionDef)) else None
            if isinstance(item, (ast.FunctionDef, ast.AsyncFunctionDef)) and row is not None and row.covers("override"):
                start = file.source.data.find(item.name.encode(), file.span(item)[0] + len("def"))
                yield Use(row, start, start + len(item.name.encode()), "override", MEDIUM, is_part=True)
