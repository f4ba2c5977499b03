"""Rewrite legacy paths in strings that are imported or patched; skip other strings with a reason."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..model.embedded import literal_span
from ..model.scopes import Text
from .inlining import uses as inlining
from .kinds import class_

if TYPE_CHECKING:
    from ..model.references import Reference
    from .plan import Plan


def decide(plan: Plan) -> None:
    """Rewrite strings of patch and import_module calls; leave every other string, and say why."""
    for reference in plan.references:
        if not isinstance(reference.subject, Text) or plan.is_left(reference) or id(reference) in plan.done:
            continue
        if reference.how in ("patch", "patch.object", "import_module"):
            _rewrite(plan, reference)
        elif reference.how == "sys.modules":
            plan.skip(reference, "an entry of sys.modules is what is meant")
        elif reference.how == "string":
            _rewrite(plan, reference, doubt="a string whose use is not known")
    left = {item.local: skip for item, (_reference, skip) in plan.left_imports().items()}
    for reference in plan.references:
        if reference.how == "export" and isinstance(reference.subject, Text):
            skip = left.get(str(reference.subject.node.value))
            if skip is not None:
                plan.skip_span(reference.start, reference.target.kind, reference.target.legacy, skip.reason, skip.degree)


def _rewrite(plan: Plan, reference: Reference, doubt: str = "") -> None:
    target = reference.target
    assert isinstance(reference.subject, Text)
    value = str(reference.subject.node.value)
    legacy = target.legacy.replace(":", ".")
    inside = literal_span(plan.file, reference.subject.node)
    differs = target.differs or ("" if target.is_module else class_.differs(plan.targets, target.canonical))
    is_path = inlining.is_path(plan, reference)
    if is_path and target.legacy in plan.held:
        plan.skip(reference, inlining.HELD)
    elif not is_path and inlining.known(plan, reference) is not None:
        plan.skip(reference, "what replaces it is code: patch what that calls")
    elif target.is_tombstone:
        plan.skip(reference, f"it was removed: {plan.targets.wording.words(target, 'read')[1]}")
    elif plan.targets.is_stopgap(target):
        plan.skip(reference, plan.targets.wording.by_hand(target, "read"))
    elif not target.canonical:
        plan.skip(reference, "its names moved to several modules")
    elif differs:
        plan.skip(reference, f"it {differs}: patch what replaces it, where the tested code looks that up")
    elif plan.targets.lacks(target):
        plan.skip(reference, plan.targets.lacks(target))
    elif inside is None:
        plan.skip(reference, "the string is written in a way that is not rewritten")
    elif doubt and not _is_exact(plan, reference, legacy):
        plan.skip(reference, doubt)
    elif value.replace(":", ".").startswith(legacy):
        if doubt and not plan.takes(reference.start, target.kind, target.legacy, doubt):
            return
        rest = value[len(legacy) :]
        owner, member = target.canonical.replace(":", "."), rest[1:]
        if member.isidentifier():
            rest = rest[0] + plan.targets.members.renamed_method(owner, member)
        plan.edit(*inside, target.canonical.replace(":", "." if ":" not in value else ":") + rest)
        if is_path:
            plan.moved.add(target.legacy)
    else:
        plan.skip(reference, "it names a member of a module whose import is left alone")


def _is_exact(plan: Plan, reference: Reference, legacy: str) -> bool:
    """Whether a string names what moved itself: of what is below it, nothing is known."""
    return str(reference.subject.node.value).replace(":", ".") == legacy  # type: ignore[union-attr]
