"""A local name renamed scope by scope: every place that means the binding, or none at all."""

from __future__ import annotations

import ast
import builtins
import re
from typing import TYPE_CHECKING, Optional

from .. import lexer
from ..edits import Edit, replacing

if TYPE_CHECKING:
    from ..scopes import ImportedName
    from .plan import Plan

_DYNAMIC = frozenset(("eval", "exec", "locals", "globals", "vars", "dir"))


def rename(plan: Plan, item: ImportedName, new: str) -> Optional[list[Edit]]:
    """Edits that rename the uses of an import to ``new``; ``None`` where that could change what the program does."""
    facts = plan.facts
    old = item.local
    if not new.isidentifier() or hasattr(builtins, new) or not plan.is_sole_binding(item):
        return None
    if item.scope.kind == "class" or old in plan.kept_locals or not _is_private_enough(plan, item):
        return None
    if new in plan.names_in_use() or _DYNAMIC & plan.names_in_use() or any(other.name == "*" for other in facts.model.imports):
        return None
    edits: list[Edit] = []
    for chain in plan.uses_of(item):
        start, end = facts.span(chain.root)
        if facts.source.data[start:end] != old.encode():
            return None
        edits.append(replacing(facts.source.data, start, end, new))
    in_texts = _in_texts(plan, old, new)
    in_comments = _in_type_comments(plan, old, new)
    if in_texts is None or in_comments is None:
        return None
    return [*edits, *in_texts, *in_comments]


def _is_private_enough(plan: Plan, item: ImportedName) -> bool:
    """A package's ``__init__`` is there to be imported from; so is a stub."""
    if item.scope is not plan.facts.model.module:
        return True
    path = plan.facts.source.path
    return not path.endswith(("__init__.py", ".pyi"))


def _in_texts(plan: Plan, old: str, new: str) -> Optional[list[Edit]]:
    word = re.compile(rf"\b{re.escape(old)}\b")
    edits: list[Edit] = []
    for text in plan.facts.model.texts:
        value = str(text.node.value)
        if not word.search(value):
            continue
        if text.role == "annotation":
            inside = literal_span(plan, text.node)
            if inside is None:
                return None
            for match in re.finditer(rb"\b" + re.escape(old.encode()) + rb"\b", plan.facts.source.data[inside[0] : inside[1]]):
                if value[match.start() - 1 : match.start()] != ".":
                    start = inside[0] + match.start()
                    edits.append(replacing(plan.facts.source.data, start, start + len(old.encode()), new))
        elif value == old or ">>>" in value or re.search(rf"\b{re.escape(old)}\s*=\s*$", value):
            return None
    return edits


def _in_type_comments(plan: Plan, old: str, new: str) -> Optional[list[Edit]]:
    data = plan.facts.source.data
    if b"type:" not in data:
        return []
    edits: list[Edit] = []
    tokens = lexer.tokens(data)
    if tokens is None:
        return None
    for token in tokens:
        text = data[token.start : token.end]
        match = re.match(rb"#[ \t]*type:[ \t]*(?!ignore)", text) if token.is_comment else None
        if match:
            for word in re.finditer(rb"(?<![.\w])" + re.escape(old.encode()) + rb"\b", text[match.end() :].partition(b"#")[0]):
                start = token.start + match.end() + word.start()
                edits.append(replacing(data, start, start + len(old.encode()), new))
    return edits


def literal_span(plan: Plan, node: ast.Constant) -> Optional[tuple[int, int]]:
    """The span between the quotes of a string that is written plainly: one literal, no escapes, no prefix but r and u."""
    data = plan.facts.source.data
    start, end = plan.facts.span(node)
    match = re.match(rb"[rRuU]?(\"\"\"|'''|\"|')", data[start:end])
    if match is None:
        return None
    inner = (start + match.end(), end - len(match.group(1)))
    if data[inner[0] : inner[1]] != str(node.value).encode("utf-8", "surrogatepass"):
        return None
    return inner
