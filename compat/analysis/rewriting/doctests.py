"""Doctests: each docstring's examples are planned for as a program, its edits put where they stand in the file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .plan import Skip, make_plan

if TYPE_CHECKING:
    from ..model.doctests import Program
    from .plan import Plan


def decide(plan: Plan) -> None:
    """Rewrite the examples of docstrings; expected output is never touched."""
    for program in plan.facts.programs:
        if not program.is_docstring:
            for reference in program.facts.references:
                start = program.place(reference.start)
                plan.skip_span(start, reference.target.kind, reference.target.legacy, "a doctest in a string that nobody may run")
            continue
        inner = make_plan(program.facts)
        plan.edits.extend(program.moved(edit) for edit in set(inner.edits))
        plan.skips.extend(_moved(plan, program, skip) for skip in inner.skips)


def _moved(plan: Plan, program: Program, skip: Skip) -> Skip:
    inner = program.facts.source
    head = inner.line(skip.line)[: skip.column - 1].encode("utf-8")
    line, column = plan.facts.source.position(program.place(inner.starts[skip.line - 1] + len(head)))
    return Skip(skip.path, line, column, skip.rule, skip.symbol, skip.reason)
