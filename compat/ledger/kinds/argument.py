"""Argument: an argument of a function that still exists changed."""

from __future__ import annotations

from ..paths import dotted, resolve
from . import every

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Any

    from ..move import Fault
    from ..rows import Argument

meaning = "An argument that was renamed, dropped, reordered or became required is passed the legacy way."


def example(row: Argument, passed: str = "") -> str:
    """A call with the legacy argument, or without the one that is required now; ``""`` for a method."""
    function = row.attribute.partition("(")[0]
    if "." in function:
        return ""
    given = f"{row.argument}=1"
    if row.order or row.keyword_only:
        given = "1, 2"
    elif row.default or row.was:
        given = ""
    elif row.values:
        given = f"{row.argument}={row.values[0][0]!r}"
    elif row.several or row.together:
        given = ", ".join(f"{name}=1" for name in row.several or row.together)
    return f"from {row.module} import {function}\n\n{function}({given})\n"


def subject(row: Argument, use: str) -> str:
    """What was passed, or left out; or the method that takes it in a subclass."""
    function = dotted(row.canonical)
    if use == "override":
        return f"Overriding {function}() with {row.argument!r} among its parameters"
    if row.order:
        return f"Passing {', '.join(row.order)} to {function}() by position in this order"
    if row.keyword_only:
        return f"Passing {_listed(row.keyword_only)} to {function}() by position"
    if row.default or row.was:
        return f"Calling {function}() without {row.argument!r}"
    if row.together:
        return f"Passing {_listed(row.together)} together to {function}()"
    if row.several:
        return f"Passing {_listed(row.several, 'or')} to {function}()"
    if row.values:
        return f"Passing {_listed([old for old, _new in row.values], 'or')} as {row.argument!r} to {function}()"
    return f"Passing {row.argument!r} to {function}()"


def judgement(row: Argument, stage: str) -> str:
    """Of a changed default, until when the former one holds."""
    if not row.was:
        return every.judgement(row, stage)
    since = f"{row.ledger} {row.since}" if row.ledger else row.since
    return f"takes {row.was[0]!r}, the default that changes in {row.removal}; this is deprecated since {since}."


def advice(row: Argument) -> str:
    """What to pass instead."""
    if row.default or row.was:
        return f"Pass {row.argument!r} yourself."
    if row.order:
        return "Pass these arguments by keyword."
    if row.keyword_only:
        return f"Pass {'it' if len(row.keyword_only) == 1 else 'them'} by keyword."
    if row.together:
        return "Pass one of them."
    if row.values:
        became = [(old, new) for old, new in row.values if new is not old]
        if len(row.values) == 1 and became:
            return f"Pass {became[0][1]!r} instead."
        return f"Pass {', '.join(f'{new!r} instead of {old!r}' for old, new in became)}." if became else "Pass another value."
    if row.several:
        return f"Pass {row.became!r} instead." if row.became else "Pass what replaces them."
    return f"Pass {row.became!r} instead." if row.became else f"Leave {row.argument!r} out."


def faults(row: Argument) -> Iterator[Fault]:
    """As of every row; and it has exactly one shape, with what belongs to it."""
    yield from every.faults(row)
    shapes = [
        row.is_passed_on,
        *map(bool, (row.order, row.default, row.keyword_only, row.values, row.several, row.together, row.was)),
    ]
    named = row.default or row.values or row.was
    if sum(shapes) != 1 or bool(row.argument) != bool(row.is_passed_on or named):
        yield (
            "it must be exactly one of renamed, dropped, of other values, several in one, a combination, "
            "newly required, of another default, keyword-only, reordered",
            "write one row for each change",
        )
    if not (row.is_passed_on or row.several):
        given = next((field for field in ("became", "convert", "template") if getattr(row, field)), "")
        if given:
            yield f"{given} belongs to a renamed argument, or to several that became one", f"leave {given} out"
    elif row.became == row.argument and not row.convert:
        yield f"{row.argument!r} becomes itself", "name the new argument in became="
    if row.convert and not row.became and row.is_passed_on:
        yield "convert without became converts into nothing", "name the new argument in became="
    if row.several and not row.convert:
        yield "several arguments become one by a callable", "name it as convert='module:callable'"
    if row.position is not None and not (row.is_passed_on and isinstance(row.position, int) and row.position >= 0):
        yield "position belongs to a renamed or dropped argument, and counts from 0", "leave position out, or correct it"
    if len({*row.together}) == 1 or len({*row.several}) == 1:
        yield "it takes two arguments at the least", "name them as in together='a b'"
    if row.template:
        reason = "there is no convert for it to spell out" if not row.convert else _template_fault(row.template)
        if reason:
            yield f"template {row.template!r}: {reason}", "write one such as template='int({value}) * 1000'"


def target_faults(row: Argument, target: object) -> Iterator[Fault]:
    """What converts and supplies values must be callable."""
    for field, path in (("convert", row.convert), ("default", row.default)):
        if path:
            value, fault = resolve(path)
            if fault or not callable(value):
                yield f"{field}={path!r} {fault or 'is not callable'}", "name a callable as 'module:callable'"


def _listed(given: Iterable[Any], word: str = "and") -> str:
    *heads, last = map(repr, given)
    return f"{', '.join(heads)} {word} {last}" if heads else last


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
