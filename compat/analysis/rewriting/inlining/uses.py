"""Inline the calls of one target: by an imported name, through a module, on an object."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Optional

from compat.ledger import replacement
from compat.ledger.templates import Template

from .. import guards
from ..options import LIKELY
from ..spelling import Speller
from . import binding, effects, imports, templates, writing
from .values import Left

#: Why a use is left that was noted as a likely one.
DOUBTED = "it is likely only"
#: Why a use is left that a patch or a subclass elsewhere in the trees names.
HELD = "a patch of it, or a method of a subclass that overrides it, stays as it is and would not be reached"

if TYPE_CHECKING:
    from collections.abc import Iterable

    from compat.ledger import Move

    from ...model.receivers import Receivers
    from ...model.references import Reference
    from ...model.scopes import ImportedName, Scope
    from ...rules import method
    from ..plan import Plan


def inline(
    plan: Plan,
    speller: Speller,
    template: Template,
    scope: Scope,
    callee: ast.expr,
    *,
    receiver: Optional[ast.expr] = None,
    doubtful: Optional[Reference] = None,
) -> str:
    """Plan to put a template in the place of the call of ``callee`` (of a read of it, for a property); or say why not."""
    parent = plan.file.names.parents.get(callee)
    call = parent if isinstance(parent, ast.Call) and parent.func is callee else None
    if plan.file.tree.has_rewritten_calls:
        return "this Python does not parse the file's match statements"
    is_read = template.is_property or (call is None and template.may_be_value and _is_value(callee, parent))
    if call is None and not is_read:
        return "it is handed on here, and not called"
    if not isinstance(getattr(callee, "ctx", None), ast.Load):
        return "it is assigned here"
    root = _root(callee)
    try:
        node: ast.expr = callee if is_read else call  # type: ignore[assignment]
        if template.gives_nothing and not isinstance(plan.file.names.parents.get(node), ast.Expr):
            return "it returns nothing, and its result is used here"
        node = writing.whole(plan, scope, template, node)
        _not_captured(plan, scope, template)
        given = binding.bind(plan.file, scope, template, None if is_read else call, receiver)
        problem = effects.problem(template, given)
        if problem:
            return problem
        at = root or ast.copy_location(ast.Name("", ast.Load()), callee)
        spelt, through = imports.spell(plan, speller, scope, at, template.needs.values())
        if doubtful is not None:
            target = doubtful.target
            if not plan.takes(plan.file.span(callee)[0], target.kind, target.legacy, doubt(plan, doubtful)):
                return DOUBTED
        writing.write(plan, template, given, spelt, node)
        imports.take(speller, through)
    except Left as left:
        return str(left)
    plan.inlined.add(plan.file.span(callee)[1])
    if id(template) not in plan.codes:
        plan.codes[id(template)] = templates.names_legacy(plan.targets, template)
    return ""


def _is_value(node: ast.expr, parent: Optional[ast.AST]) -> bool:
    """Whether what is done with an expression says that it is no function: it is subscripted, iterated over, computed with."""
    if isinstance(parent, ast.Attribute):
        return not parent.attr.startswith("__")
    if isinstance(parent, ast.Compare):
        after = dict(zip(map(id, parent.comparators), parent.ops)).get(id(node))
        return isinstance(after or parent.ops[0], (ast.Lt, ast.LtE, ast.Gt, ast.GtE)) or isinstance(after, (ast.In, ast.NotIn))
    if isinstance(parent, (ast.Subscript, ast.Starred)):
        return parent.value is node
    if isinstance(parent, (ast.For, ast.AsyncFor, ast.comprehension)):
        return parent.iter is node
    if isinstance(parent, ast.keyword):
        return parent.arg is None
    if isinstance(parent, ast.UnaryOp):
        return not isinstance(parent.op, ast.Not)
    return isinstance(parent, ast.BinOp) and not isinstance(parent.left, (ast.Constant, ast.JoinedStr))


def doubtful(plan: Plan, reference: Reference) -> Optional[Reference]:
    """The reference, where its target exists for old code only: that does more than the code that replaces it."""
    return reference if plan.targets.is_stopgap(reference.target) else None


def doubt(plan: Plan, reference: Reference) -> str:
    """What is uncertain about the code that replaces something that exists for old code only."""
    row = reference.target.move
    advice = replacement(row) if row is not None else ""
    return f"it does more than the code that replaces it: {advice}"


def _not_captured(plan: Plan, scope: Scope, template: Template) -> None:
    """Raise :class:`Left` where a builtin of a template is another name at the call."""
    for _start, _end, name in template.reads:
        if name not in template.needs and plan.file.names.owner(scope, name) is not None:
            raise Left(f"the name {name} means something else here")


def _root(node: ast.expr) -> Optional[ast.Name]:
    while isinstance(node, (ast.Attribute, ast.Call, ast.Subscript)):
        node = node.func if isinstance(node, ast.Call) else node.value
    return node if isinstance(node, ast.Name) else None


def known(plan: Plan, reference: Reference) -> templates.Known:
    """The template that serves a reference to the path of its own row, or why it has none."""
    row = reference.target.move
    return templates.of_row(plan.targets, row) if row is not None and row.legacy == reference.target.legacy else None


def has_code(plan: Plan, row: Optional[Move]) -> bool:
    """Whether the replacement of a row is code, be it code that cannot be inlined."""
    return templates.of_row(plan.targets, row) is not None


def is_path(plan: Plan, reference: Reference) -> bool:
    """Whether what replaces a target is a path of the same object, which strings may name, too."""
    found = known(plan, reference)
    return isinstance(found, Template) and found.is_path


def _patches(plan: Plan, reference: Reference) -> bool:
    """Whether a string beside an object is patched there, and not read."""
    return reference.how == "patch" or getattr(getattr(reference.call, "func", None), "id", "") != "getattr"


def hold(plan: Plan) -> None:
    """Note the functions of which a patch stays as it is: inlined, they would not be reached by it.

    What is imported by name does not change by a patch of its module, as reads of an attribute would.
    """
    imported = {reference.target.legacy for reference in plan.references if reference.how == "import"}
    for reference in plan.references:
        row = reference.target.move
        if row is None or reference.how not in ("patch", "patch.object") or not has_code(plan, row):
            continue
        is_moved = is_path(plan, reference) and not (row.legacy in imported and _patches(plan, reference))
        if not is_moved or plan.options.skip_all or plan.is_left(reference):
            plan.held.add(row.legacy)


def on_object(plan: Plan, use: method.Use, receivers: Iterable[Optional[Receivers]]) -> Optional[str]:
    """Inline the call, or the read, of a legacy method; say why not; ``None`` where its row gives nothing to inline."""
    found = templates.of_row(plan.targets, use.row)
    if found is None or isinstance(found, str):
        return found
    if use.how not in ("call", "attribute"):
        return "it is defined anew here" if use.how == "override" else "it is named by a string here, and not called"
    if use.row.legacy in plan.held:
        return HELD
    place = plan.attributes.get(use.end)
    if place is None:
        return "it is written in a way that is not rewritten"
    scope, callee = place
    if is_super(callee.value):
        return "it is called on super()"
    if not use.is_object and not any(one is not None and one.of(scope, callee.value) for one in receivers):
        return "it is called on the class"
    reason = guards.around_use(plan, callee, getattr(_root(callee), "id", ""))
    speller = Speller(plan, imports.anchor(plan, callee))
    reason = reason or inline(plan, speller, found, scope, callee, receiver=callee.value)
    if not reason:
        plan.moved.add(use.row.legacy)
    return reason


def is_super(node: ast.AST) -> bool:
    """Whether an expression is ``super()``."""
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "super"


def decide_import(plan: Plan, item: ImportedName, reference: Reference) -> bool:
    """Inline every call by an imported name, and let the import go; false where the row gives nothing to inline."""
    found = known(plan, reference)
    if found is None or item.name == "*" or reference.target.adapter:
        return False
    if isinstance(found, str):
        plan.skip_item(item, reference, found)
        return True
    legacy = reference.target.legacy
    reason = "" if plan.is_sole_binding(item) else f"{item.local} is bound more than once"
    is_global = item.scope is plan.file.names.module
    if is_global and item.local in plan.options.kept_locals:
        reason = "others import or patch it here by this name"
    elif legacy in plan.held:
        reason = HELD
    speller = Speller(plan, item)
    if not reason and found.is_path and not speller.is_for_reads():
        reason = "others may import it from here, or ask for it by its name"
    freed = set()
    chains = plan.uses_of(item) if not reason else []
    for chain in chains:
        if plan.is_allowed(plan.file.span(chain.root)[0], reference.target.kind, legacy):
            continue
        why = guards.around_use(plan, chain.root, item.local)
        if not why and chain.role:
            why = "it stands in an annotation that is a string, or in a comment"
        if not why and chain.attributes and not found.is_property:
            why = f"{item.local}.{chain.words[0]} is read from it"
        why = why or inline(plan, speller, found, chain.scope, chain.root, doubtful=doubtful(plan, reference))
        if why == DOUBTED:
            reason = reason or why
        elif why:
            plan.skip_span(plan.file.span(chain.root)[0], reference.target.kind, legacy, why, is_detail=True)
            reason = reason or why
        else:
            freed.add(chain)
            plan.moved.add(legacy)
            if is_global:
                plan.renamed_locals.add(item.local)
    if not reason and not freed:
        reason = f"it is not {'read' if found.is_property else 'called'} here; others may import it from here"
    if freed and not reason and speller.frees(freed):
        return True
    if reason == DOUBTED:
        plan.skip_span(reference.start, reference.target.kind, legacy, doubt(plan, reference), LIKELY)
    else:
        plan.skip(reference, reason or "others may import it from here")
    return True
