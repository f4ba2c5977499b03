"""Rewrite what is read through an imported module, each use where it stands: ``m.old`` becomes ``m.new`` or ``other.new``.

An import is reused where one binds the canonical module for certain; else one is added beside the import that the use goes
through, in its form.
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, NamedTuple, Optional, Union

from ..model.embedded import literal_span
from ..model.scopes import Chain, Text
from . import guards
from .inlining import imports
from .inlining import uses as inlining
from .inlining.values import Left
from .kinds import class_, name
from .spelling import Speller, runs_before

if TYPE_CHECKING:
    from collections.abc import Iterable

    from compat.ledger.templates import Template

    from ..model.references import Reference
    from ..model.scopes import ImportedName
    from ..targets import Target
    from .plan import Plan


class _Use(NamedTuple):
    """One reference through a module: the chain that spells the module, and how many of the chain's attributes do."""

    reference: Reference
    chain: Chain
    length: int


def decide(plan: Plan) -> None:
    """Rewrite or skip each use through a module whose import was not decided about."""
    uses = [use for reference in plan.references for use in _uses(plan, reference) if id(reference) not in plan.done]
    left: list[tuple[_Use, str]] = []
    for item, through in _by_import(plan, uses):
        if item not in plan.left:
            left += _rewrite(plan, item, through)[1]
    for use, reason in left:
        # What was added for others may serve now, as it would in a second run; and where several imports bind the root,
        # any import beside which another may stand.
        if _replace(plan, use, Speller(plan, None), set()) and _replace(plan, use, Speller(plan, _beside(plan, use)), set()):
            plan.skip(use.reference, reason)


def decide_through(plan: Plan, item: ImportedName) -> bool:
    """Rewrite what is read through one import that has no module to be imported from; whether the import itself is replaced."""
    references = [reference for reference in plan.references if id(reference) not in plan.done]
    chains = set(plan.uses_of(item))
    uses = [use for reference in references for use in _uses(plan, reference) if use.chain in chains]
    replaced, left = _rewrite(plan, item, uses)
    for use, reason in left:
        plan.skip(use.reference, reason)
    return replaced


def problem(plan: Plan, target: Target) -> str:
    """Why the canonical path of a target cannot be written in place of an attribute; empty where it can."""
    path = target.legacy.replace(":", ".")
    if target.is_tombstone:
        return f"{path} was removed: {plan.targets.wording.words(target, 'read')[1]}"
    if plan.targets.is_stopgap(target):
        return plan.targets.wording.by_hand(target, "read", path)
    if not target.canonical or "." in target.canonical.partition(":")[2]:
        return f"{path} has no canonical name of its own"
    differs = target.differs or class_.differs(plan.targets, target.canonical)
    if differs:
        return f"{path} {differs}; import it by name"
    return plan.targets.lacks(target)


def _uses(plan: Plan, reference: Reference) -> Iterable[_Use]:
    subject, row = reference.subject, reference.target.move
    if row is not None and row.stays and inlining.known(plan, reference) is None:
        return  # no other path leads to the same thing
    if isinstance(subject, Chain) and reference.how != "re-export":
        for count, node in enumerate(subject.attributes):
            if plan.file.span(node)[1] == reference.end:
                yield _Use(reference, subject, count)
    elif isinstance(subject, Text) and reference.how == "patch.object" and reference.call is not None:
        first = reference.call.args[0]
        for chain in plan.file.names.chains:
            if chain.node is first:
                yield _Use(reference, chain, len(chain.attributes))


def _by_import(plan: Plan, uses: Iterable[_Use]) -> list[tuple[Optional[ImportedName], list[_Use]]]:
    """Uses by the import that binds their root; under ``None`` those for which no single import does."""
    names = plan.file.names
    items = {item.binding: item for item in names.imports if item.binding is not None}
    found: dict[Optional[ImportedName], list[_Use]] = {}
    for use in uses:
        bindings = [binding for binding in names.lookup(use.chain.scope, use.chain.root.id) if binding.statement is not None]
        known = [items[binding] for binding in bindings if binding in items]
        if not known and bindings:
            continue  # a doctest reads a name of its module, whose own plan holds the use
        found.setdefault(_binding(plan, use, known), []).append(use)
    return [*found.items()]


def _binding(plan: Plan, use: _Use, known: list[ImportedName]) -> Optional[ImportedName]:
    """The import beside which another may be added for a use: the only one, or of several plain ones (`import a`,
    `import a.b`) the one that spells most of the use, if it runs whenever its scope does."""
    if len(known) < 2:
        return known[0] if known else None
    if any(item.name or item.alias.asname for item in known):
        return None
    dotted = ".".join([use.chain.root.id, *use.chain.words, ""])
    always = [item for item in known if runs_before(plan, item, use.chain.root)]
    return max(always, key=lambda item: (dotted.startswith(f"{item.module}."), len(item.module)), default=None)


def _beside(plan: Plan, use: _Use) -> Optional[ImportedName]:
    """The last import that has run for certain where a use stands, if several bind the use's root to the same module."""
    names, root = plan.file.names, use.chain.root
    bindings = names.lookup(use.chain.scope, root.id)
    if len(bindings) < 2 or len({binding.path for binding in bindings}) > 1:
        return None
    scopes = [use.chain.scope]
    while scopes[-1].parent is not None:
        scopes.append(scopes[-1].parent)
    before = (
        item
        for item in reversed(names.imports)
        if item.scope in scopes and item.scope.form != "class" and item.module != "__future__" and item not in plan.placements
    )
    return next((item for item in before if runs_before(plan, item, root)), None)


def _rewrite(plan: Plan, item: Optional[ImportedName], uses: list[_Use]) -> tuple[bool, list[tuple[_Use, str]]]:
    """Rewrite uses through one import; whether nothing needs that import any more and it was replaced, and what could not be
    spelt, with the reason."""
    speller = Speller(plan, item)
    freed: set[Chain] = set()
    left: list[tuple[_Use, str]] = []
    for use in uses:
        plan.done.add(id(use.reference))
        if plan.is_left(use.reference):
            continue
        reason = _problem(plan, use)
        if reason:
            plan.skip(use.reference, reason)
            continue
        reason = _replace(plan, use, speller, freed)
        if reason and reason != inlining.DOUBTED:
            left.append((use, reason))
    return item is not None and speller.replaces(freed), left


def _problem(plan: Plan, use: _Use) -> str:
    reference, chain = use.reference, use.chain
    known = inlining.known(plan, reference)
    if known is not None:
        return known if isinstance(known, str) else guards.around_use(plan, _node(reference), chain.root.id)
    reason = problem(plan, reference.target) or guards.around_use(plan, _node(reference), chain.root.id)
    if not reason and reference.how == "call" and isinstance(reference.subject, Chain) and reference.call is not None:
        reason = name.history(plan, [reference.call], reference.target.canonical)
    return reason


def _node(reference: Reference) -> ast.AST:
    subject = reference.subject
    return subject.node if isinstance(subject, (Chain, Text)) else subject.statement


def _replace(plan: Plan, use: _Use, speller: Speller, freed: set[Chain]) -> str:
    """Plan the edits of one use; or say why it is left."""
    file, chain = plan.file, use.chain
    known = inlining.known(plan, use.reference)
    if known is not None and not isinstance(known, str):
        legacy = use.reference.target.legacy
        if legacy in plan.held:
            return inlining.HELD
        if isinstance(use.reference.subject, Text):
            reason = _respell(plan, use, speller, known)
            if reason:
                plan.held.add(legacy)
            else:
                freed.add(chain)
                plan.moved.add(legacy)
            return reason
        doubtful = inlining.doubtful(plan, use.reference)
        reason = inlining.inline(plan, speller, known, chain.scope, chain.attributes[use.length], doubtful=doubtful)
        if not reason:
            freed.add(chain)
            plan.moved.add(legacy)
        return reason
    module, _, new = use.reference.target.canonical.partition(":")
    data = file.source.data
    start = file.span(chain.root)[0]
    words = [chain.root.id, *chain.words]
    inside: Optional[tuple[int, int]] = None
    if isinstance(use.reference.subject, Text):
        inside = literal_span(file, use.reference.subject.node)
        end = file.span(chain.node)[1]
        if inside is None:
            return "the string is written in a way that is not rewritten"
    else:
        end = file.span(chain.attributes[use.length])[1]
        words = words[: use.length + 2]
    if b"".join(data[start:end].split()).decode("utf-8", "replace") != ".".join(words):
        return "a path is written in a way that is not rewritten"
    kept = speller.kept(chain, use.length, module)
    if kept is not None:
        # The module is among what is spelt already: only what follows it changes.
        if inside is not None:
            plan.edit(*inside, new)
            if kept < use.length:
                plan.edit(_end(plan, chain, kept), end, "")
        else:
            plan.edit(_end(plan, chain, kept), end, f".{new}") if kept < use.length else plan.edit(
                end - len(words[-1].encode()), end, new
            )
        return ""
    spelt, reason = speller.spell(chain.scope, chain.root, module, new if inside is None else "")
    if reason:
        return reason
    plan.edit(start, end, spelt)
    if inside is not None:
        plan.edit(*inside, new)
    freed.add(chain)
    return ""


def _respell(plan: Plan, use: _Use, speller: Speller, template: Template) -> str:
    """``getattr(lib, "RED")`` of what became ``lib.Color.RED``: plan the edits of the object and of the string."""
    file, chain = plan.file, use.chain
    subject = use.reference.subject
    assert isinstance(subject, Text)
    inside = literal_span(file, subject.node)
    if not template.is_path:
        return "it is named by a string here, and not called"
    if inside is None:
        return "the string is written in a way that is not rewritten"
    start, end = file.span(chain.node)
    if b"".join(file.source.data[start:end].split()).decode("utf-8", "replace") != ".".join([chain.root.id, *chain.words]):
        return "a path is written in a way that is not rewritten"
    owner, _, last = template.text.rpartition(".")
    first, _, rest = owner.partition(".")
    try:
        spelt, through = imports.spell(plan, speller, chain.scope, chain.root, template.needs.values())
    except Left as left:
        return str(left)
    imports.take(speller, through)
    plan.edit(start, end, ".".join([spelt[first], *filter(None, [rest])]))
    plan.edit(*inside, last)
    return ""


def _end(plan: Plan, chain: Chain, count: int) -> int:
    """Where the first ``count`` attributes of a chain end."""
    node: Union[ast.expr, ast.Attribute] = chain.attributes[count - 1] if count else chain.root
    return plan.file.span(node)[1]
