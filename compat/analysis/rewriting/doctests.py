"""Map the rewrites of a doctest back into the file that contains it."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from .edits import Edit, replacing

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ..model.doctests import Program
    from ..model.references import Reference
    from .plan import Plan, Skip

_STATEMENT = re.compile(r"(?:lazy|from|import)\b")


def take_over(plan: Plan, program: Program, inner: Plan) -> None:
    """Add the plan for a docstring's examples to the plan for the file; expected output is never touched."""
    plan.edits.extend(_moved_edit(program, edit) for edit in set(inner.edits))
    plan.skips.extend(_moved_skip(plan, program, skip) for skip in inner.skips)
    plan.taken.extend(_moved_skip(plan, program, skip) for skip in inner.taken)


def leave(plan: Plan, program: Program, references: Iterable[Reference]) -> None:
    """Skip what stands in a string that only looks like a doctest."""
    for reference in references:
        start = program.place(reference.start)
        plan.skip_span(start, reference.target.kind, reference.target.legacy, "a doctest in a string that nobody may run")


def _moved_edit(program: Program, edit: Edit) -> Edit:
    """An edit of the program as an edit of the file: lines that it adds get prompts."""
    data = program.outer.source.data
    head, *rest = edit.new.decode("utf-8").split("\n")
    newline = "\r\n" if b"\r\n" in data else "\n"
    for line in rest:
        head += f"{newline}{program.indent}{'>>>' if _STATEMENT.match(line) else '...'} {line}"
    return replacing(data, *program.span(edit.start, edit.end), head)


def _moved_skip(plan: Plan, program: Program, skip: Skip) -> Skip:
    inner = program.file.source
    head = inner.line(skip.line)[: skip.column - 1].encode("utf-8")
    line, column = plan.file.source.position(program.place(inner.starts[skip.line - 1] + len(head)))
    return replace(skip, line=line, column=column)
