"""Kind ``argument``: rename or drop keywords, convert values, turn positions into keywords."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING

from compat.ledger import replacement

from ...reading import lexer
from ...rules import argument
from ...targets import converting
from ...targets.adapters import find_signature

if TYPE_CHECKING:
    from ...model.file_uses import FileUses
    from ..plan import Plan


def decide_members(plan: Plan, uses: FileUses) -> None:
    """Rewrite the arguments of every call that is certain."""
    if plan.file.tree.has_rewritten_calls:
        # Patterns of `match` look like calls in this tree.
        for use in argument.calls(uses):
            plan.skip_span(use.start, argument.RULE, use.row.legacy, "this Python does not parse the file's match statements")
        return
    for use in argument.calls(uses):
        if plan.is_allowed(use.start, argument.RULE, use.row.legacy):
            continue
        if use.doubt and not plan.takes(use.start, argument.RULE, use.row.legacy, use.doubt):
            continue
        reason = _rewrite(plan, use)
        if reason:
            plan.skip_span(use.start, argument.RULE, use.row.legacy, reason)


def _rewrite(plan: Plan, use: argument.Use) -> str:
    row, data = use.row, plan.file.source.data
    if row.order:
        return _reorder(plan, use)
    if row.keyword_only:
        return _name(plan, use)
    if row.together or row.several:
        return f"only you know which to pass: {replacement(row)}"
    if row.was:
        return f"its default changes from {row.was[0]!r}; only you know which is meant"
    if row.values or use.place is not None:
        return _by_value(plan, use)
    if use.keyword is None:
        return f"{row.argument} is required now; only you know its value"
    start = plan.file.span(use.keyword)[0]
    name = row.argument.encode()
    if data[start : start + len(name)] != name:
        return "the keyword is written in a way that is not rewritten"
    if row.became:
        last = plan.targets.members.renamed_argument(row)
        if last is None or (row.convert and last is not row):
            return f"{row.became} is a legacy argument, too"
        new = last.became or row.became
        if new != row.argument and any(word.arg in (row.became, new) for word in use.call.keywords if word is not use.keyword):
            return f"{new} is passed, too"
        if row.convert:
            reason = _convert(plan, use)
            if reason:
                return reason
        plan.edit(start, start + len(name), new)
        return ""
    return _drop(plan, use)


def _value(use: argument.Use) -> ast.expr:
    """What is passed."""
    if use.place is not None:
        return use.call.args[use.place]
    return use.keyword.value if use.keyword is not None else use.call


def _by_value(plan: Plan, use: argument.Use) -> str:
    """Replace a value that goes, or convert or remove what stands at its position."""
    row, node = use.row, _value(use)
    if row.values:
        pair = argument.replaced_value(row, node)
        if pair is None or pair[0] is pair[1] or type(pair[1]) not in (str, bytes, int, float, bool, type(None)):
            return f"nothing that could be written replaces this value: {replacement(row)}"
        start, end = plan.file.span(node)
        plan.edit(start, end, _spelt(pair[1], plan.file.source.data[start:end].decode("utf-8")))
        return ""
    if row.became is not None:
        if len(use.call.args) > len(find_signature(row.canonical) or use.call.args):
            return f"{row.became} is passed by position in the old order"
        return _convert(plan, use)
    if not _is_inert(node):
        return "it has no effect any more, but computing its value may have one"
    start, end = _opened(plan, node), plan.file.span(node)[1]
    data, after = plan.file.source.data, use.call.args[use.row.position or 0 :][1:]
    if start != plan.file.span(node)[0] or (after and _opened(plan, after[0]) != plan.file.span(after[0])[0]):
        return "the call is written in a way that is not rewritten"
    if after:
        plan.edit(start, plan.file.span(after[0])[0], "")
        return ""
    before = re.compile(rb",\s*$").search(data, 0, start)
    comma = re.compile(rb"\s*,[ \t]*").match(data, end) if before is None else None
    plan.edit(before.start() if before is not None else start, comma.end() if comma is not None else end, "")
    return ""


def _name(plan: Plan, use: argument.Use) -> str:
    """Name what is keyword-only now: ``f(x, y)`` of ``f(a, *, b)`` becomes ``f(x, b=y)``."""
    taken = find_signature(use.row.canonical)
    if taken is None or any(isinstance(item, (ast.GeneratorExp, ast.NamedExpr, ast.Yield)) for item in use.call.args):
        return "an argument is written in a way that is not rewritten"
    further = use.call.args[len(taken) :]
    if len(further) > len(use.row.keyword_only):
        return f"more than {len(taken) + len(use.row.keyword_only)} arguments are passed by position"
    if {word.arg for word in use.call.keywords} & set(use.row.keyword_only[: len(further)]):
        return "an argument is passed twice"
    for name, item in zip(use.row.keyword_only, further):
        start = _opened(plan, item)
        plan.edit(start, start, f"{name}=")
    return ""


def _convert(plan: Plan, use: argument.Use) -> str:
    """Rewrite the value: computed where it is a literal, else as the row's template spells it; or say why not."""
    row, node = use.row, _value(use)
    start, end = plan.file.span(node)
    text = plan.file.source.data[start:end].decode("utf-8")
    in_place = row.became == row.argument
    reason = f"its value is no literal, to which {row.convert.replace(':', '.')} could be applied here"
    if converting.is_literal(node):
        try:
            value = converting.convert(row.convert, ast.literal_eval(node))
            if in_place and not _is_same(converting.convert(row.convert, value), value):
                return "the name stays, so a value that was converted cannot be told from one that was not"
            plan.edit(start, end, _spelt(value, text))
            return ""
        except converting.Uncertain as uncertain:
            reason = f"its value must be converted, and {uncertain}"
    if not row.template or in_place:
        return reason
    if _names(row.template) & plan.bound_names():
        return f"a name of the template {row.template!r} means something else here"
    if row.template.count("{value}") > 1 and not _is_inert(node):
        return "its value would be computed more than once"
    simple = isinstance(node, (ast.Name, ast.Constant, ast.Call, ast.Attribute, ast.Subscript, ast.List, ast.Dict, ast.Tuple))
    plan.edit(start, end, row.template.replace("{value}", text if simple and not text.startswith("-") else f"({text})"))
    return ""


def _is_same(one: object, other: object) -> bool:
    return type(one) is type(other) and one == other


def _names(template: str) -> frozenset[str]:
    return frozenset(re.findall(r"[^\W\d]\w*", template.replace("{value}", "")))


def _spelt(value: object, like: str) -> str:
    """A literal in the quotes of the one it replaces."""
    made = repr(value)
    other = made.replace("'", '"')
    if '"' in like and "'" not in like and '"' not in made and "\\" not in made:
        return other if ast.literal_eval(other) == value else made
    return made


def _drop(plan: Plan, use: argument.Use) -> str:
    """Remove a keyword with one comma, if evaluating its value does nothing."""
    assert use.keyword is not None
    if not _is_inert(use.keyword.value):
        return "it has no effect any more, but computing its value may have one"
    data = plan.file.source.data
    start, end = plan.file.span(use.keyword)
    if b"#" in data[start:end] and any(
        data[token.start] == 35 and start < token.start < end for token in lexer.tokens(data) or ()
    ):
        return "a comment stands within it"
    after = re.compile(rb"[ \t]*,[ \t]*").match(data, end)
    before = re.compile(rb",[ \t]*$" if after is not None else rb",\s*$").search(data, 0, start)
    close = plan.file.span(use.call)[1]
    if len(use.call.args) + len(use.call.keywords) == 1:
        if after is not None:
            end = after.end()
        outer = data.rfind(b"(", 0, start) + 1, close - 1
        if not data[outer[0] : start].strip() and not data[end : outer[1]].strip():
            start, end = outer
        else:
            start, end = _line(data, start, end)
    elif before is not None and (after is None or data[after.end() : close].lstrip()[:1] == b")"):
        start = before.start()
    elif after is not None:
        start, end = _line(data, start, after.end())
    else:
        return "the call is written in a way that is not rewritten"
    plan.edit(start, end, "")
    return ""


def _line(data: bytes, start: int, end: int) -> tuple[int, int]:
    """A span, with its lines where nothing else stands on them."""
    newline = re.compile(rb"[ \t]*(?:\r\n|\r|\n)").match(data, end)
    head = max(data.rfind(b"\n", 0, start), data.rfind(b"\r", 0, start)) + 1
    return (head, newline.end()) if newline is not None and not data[head:start].strip() else (start, end)


def _is_inert(node: ast.expr) -> bool:
    if isinstance(node, (ast.Constant, ast.Name)):
        return True
    if isinstance(node, (ast.Tuple, ast.List)):
        return all(_is_inert(item) for item in node.elts)
    return isinstance(node, ast.UnaryOp) and isinstance(node.operand, ast.Constant)


def _reorder(plan: Plan, use: argument.Use) -> str:
    """Name positional arguments: ``f(x, y)`` with the legacy order ``(b, a)`` becomes ``f(b=x, a=y)``."""
    order, call = use.row.order, use.call
    if len(call.args) > len(order):
        return f"more than {len(order)} arguments are passed by position"
    passed = {word.arg for word in call.keywords}
    if passed & set(order[: len(call.args)]):
        return "an argument is passed twice"
    if any(isinstance(item, (ast.GeneratorExp, ast.NamedExpr, ast.Yield)) for item in call.args):
        return "an argument is written in a way that is not rewritten"
    for name, item in zip(order, call.args):
        start = _opened(plan, item)
        plan.edit(start, start, f"{name}=")
    return ""


def _opened(plan: Plan, node: ast.expr) -> int:
    """Where an argument starts, brackets around it included."""
    data = plan.file.source.data
    start = plan.file.span(node)[0]
    call = plan.file.names.parents.get(node)
    floor = plan.file.span(call.func)[1] + 1 if isinstance(call, ast.Call) else start
    while True:
        head = data[:start].rstrip(b" \t\r\n")
        if len(head) > floor and head.endswith(b"(") and len(head) - 1 > floor - 1:
            start = len(head) - 1
        else:
            return start
