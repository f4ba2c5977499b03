"""Rename a local name wherever it refers to one binding, or nowhere."""

from __future__ import annotations

import ast
import builtins
import re
from typing import TYPE_CHECKING, Optional

from ..reading.constructs import DYNAMIC
from .edits import Edit, replacing

if TYPE_CHECKING:
    from ..model.scopes import ImportedName
    from .plan import Plan

#: A longer text is no expression that anybody evaluates.
_LONGEST = 1000
#: Words after which a name is bound.
_BINDING = (b"def", b"class", b"as", b"global", b"nonlocal", b"type")
_WORD = re.compile(rb"\w+")


def rename(plan: Plan, item: ImportedName, new: str) -> Optional[list[Edit]]:
    """Edits that rename the uses of an import to ``new``; ``None`` where that could change what the program does."""
    file = plan.file
    old = item.local
    if not new.isidentifier() or hasattr(builtins, new) or not plan.is_sole_binding(item):
        return None
    if item.scope.form == "class" or old in plan.options.kept_locals or not is_private_enough(plan, item):
        return None
    if new in plan.names_in_use() or DYNAMIC & plan.names_in_use() or any(other.name == "*" for other in file.names.imports):
        return None
    edits: list[Edit] = []
    for chain in plan.uses_of(item):
        start, end = file.span(chain.root)
        if file.source.data[start:end] != old.encode():
            return None
        edits.append(replacing(file.source.data, start, end, new))
    return None if is_said(plan, old) or not is_understood(plan, old) else edits


def is_private_enough(plan: Plan, item: ImportedName) -> bool:
    """A package's ``__init__`` is there to be imported from; so is a stub."""
    if item.scope is not plan.file.names.module:
        return True
    path = plan.file.source.path
    return not path.endswith(("__init__.py", ".pyi"))


def is_said(plan: Plan, old: str) -> bool:
    """Whether a text says the name that cannot be followed: an odd annotation or doctest, the name itself, ``f"{name=}"``."""
    word = re.compile(rf"\b{re.escape(old)}\b")
    if any(word.search(text) for text in plan.file.unread):
        return True
    for text in plan.file.names.texts:
        value = str(text.node.value)
        if not word.search(value):
            continue
        if text.role == "annotation" or value == old or re.search(rf"\b{re.escape(old)}\s*=\s*$", value):
            return True
        if text.role != "docstring" and _reads(value, old):
            return True
    return False


def _reads(text: str, name: str) -> bool:
    """Whether a text is an expression, such as a type, that reads a name: `cast("list[Old]", x)`."""
    if not any(sign in text for sign in "[|.(") or len(text) > _LONGEST:
        return False
    try:
        tree = ast.parse(text.strip(), mode="eval")
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return any(isinstance(node, ast.Name) and node.id == name for node in ast.walk(tree))


def is_understood(plan: Plan, name: str) -> bool:
    """Whether the model of the file accounts for each place in code where a name stands."""
    file, data = plan.file, plan.file.source.data
    code = plan.code
    if code is None:
        return False
    known = {file.span(chain.root)[0] for chain in file.names.chains if chain.root.id == name}
    for scope in file.names.scopes:
        for binding in scope.bindings.get(name, ()):
            if not isinstance(binding.node, ast.alias):
                known.add(file.span(binding.node)[0])
    for item in file.names.imports:
        read = file.statement(item.statement)
        if read is None:
            return False
        known.update(match.start() for match in _WORD.finditer(data, read.first, read.end))
    for match in re.finditer(rb"(?<![\w.])%s(?!\w)" % re.escape(name.encode()), code):
        before = code[max(0, match.start() - 80) : match.start()].rstrip(b" \t\f\\\r\n")
        after = code[match.end() : match.end() + 80].lstrip(b" \t\f\\\r\n")
        is_keyword = after[:1] == b"=" and after[1:2] != b"="
        if match.start() not in known and not is_keyword and not before.endswith((b".", *_BINDING)):
            return False
    return True
