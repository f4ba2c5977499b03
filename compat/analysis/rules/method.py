"""Rule ``method``: a renamed method is read, patched or overridden on a receiver of known class."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, NamedTuple, Optional

from ..findings import HIGH, MEDIUM
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
        yield from _overrides(file, words, rows, known)


def _read(
    uses: FileUses,
    scope: Scope,
    node: ast.Attribute,
    called: bool,
    rows: Members,
    receivers: Receivers,
) -> Iterator[Use]:
    told = uses.told(scope, node, receivers)
    row, how = rows(told.path).get(node.attr) if told is not None else None, "call" if called else "attribute"
    if row is not None and told is not None and row.covers(how):
        end, is_object = uses.file.span(node)[1], not receivers.path(scope, node.value)
        yield Use(row, end - len(node.attr.encode()), end, how, MEDIUM if told.doubt else HIGH, None, told.doubt, is_object)


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


def _overrides(file: FileModel, words: Collection[str], rows: Members, receivers: Receivers) -> Iterator[Use]:
    for scope in file.names.scopes:
        node = scope.node
        if not isinstance(node, ast.ClassDef) or scope.parent is None:
            continue
        for base in node.bases:
            members = rows(receivers.path(scope.parent, base))
            for item in node.body if members else ():
                row = members.get(item.name) if isinstance(item, (ast.FunctionDef, ast.AsyncFunctionDef)) else None
                if isinstance(item, (ast.FunctionDef, ast.AsyncFunctionDef)) and row is not None and row.covers("override"):
                    start = file.source.data.find(item.name.encode(), file.span(item)[0])
                    yield Use(row, start, start + len(item.name.encode()), "override", MEDIUM)
