"""Kind ``module``: imports of moved modules, and every attribute chain that goes through them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...model.embedded import literal_span
from ...model.scopes import Text
from .. import attributes
from ..plan import Placement

if TYPE_CHECKING:
    from ...model.file_uses import FileUses
    from ...model.references import Reference
    from ...model.scopes import Chain, ImportedName
    from ...targets import Target
    from ..plan import Plan


def decide(plan: Plan, item: ImportedName, reference: Reference, uses: FileUses) -> None:
    """Place one imported module, or say why not; what is read through it follows the same decision."""
    if item.name == "*":
        reason = _star(plan, item, reference)
    elif item.name or item.alias.asname:
        reason = _alias(plan, item, reference)
    else:
        reason = _dotted(plan, item, reference)
    if not reason:
        plan.done.update(id(other) for other in plan.through(item))
    elif item.name == "*" or reference.target.move is not None:
        plan.skip_item(item, reference, reason)
    elif not attributes.decide_through(plan, item):
        plan.skip(reference, reason)


def _star(plan: Plan, item: ImportedName, reference: Reference) -> str:
    target = reference.target
    if target.move is None or plan.targets.names.get(item.module):
        return "a star import of names that moved to several places; import them by name"
    plan.placements[item] = [Placement(target.canonical, "*", "")]
    return ""


def _target(plan: Plan, dotted: str) -> tuple[Target, int] | None:
    imported = {item.module for item in plan.file.names.imports if not item.name}
    return plan.targets.resolve(dotted, imported)


def _alias(plan: Plan, item: ImportedName, reference: Reference) -> str:
    """``import old as m`` and ``from a import old``: one canonical module must serve every use of the local name."""
    if not plan.is_sole_binding(item):
        return f"{item.local} is bound more than once"
    legacy = reference.target.legacy
    home = reference.target.canonical if reference.target.move is not None else ""
    members: list[tuple[Chain, Target]] = []
    for chain in plan.uses_of(item):
        found = _target(plan, ".".join([legacy, *chain.words])) if chain.attributes else None
        if found is None or found[0].is_module:
            if not home and not _is_patched(plan, chain):
                return f"{legacy} has no single canonical module, and is used as an object"
            continue
        problem = attributes.problem(plan, found[0])
        if problem:
            return problem
        members.append((chain, found[0]))
    patched = [other for other in plan.references if _patches_through(plan, other, item)]
    for other in patched:
        if plan.targets.is_stopgap(other.target):
            return plan.targets.wording.by_hand(other.target, "read", other.target.legacy.replace(":", "."))
    homes = {target.canonical.partition(":")[0] for _chain, target in members}
    homes.update(other.target.canonical.partition(":")[0] for other in patched)
    if home:
        homes.add(home)
    if len(homes) != 1:
        return (
            f"its names moved to several modules: {', '.join(sorted(homes))}" if homes else "nothing says where its names moved"
        )
    home = homes.pop()
    data = plan.file.source.data
    edits: list[tuple[int, int, str]] = []
    for chain, target in members:
        node = chain.attributes[0]
        old, new = node.attr.encode(), target.canonical.partition(":")[2]
        end = plan.file.span(node)[1]
        if data[end - len(old) : end] != old:
            return "an attribute is written in a way that is not rewritten"
        edits.append((end - len(old), end, new))
    for edit in edits:
        plan.edit(*edit)
    for other in patched:
        new = other.target.canonical.partition(":")[2]
        inside = literal_span(plan.file, other.subject.node) if isinstance(other.subject, Text) else None
        if inside is not None and data[inside[0] : inside[1]].decode() != new:
            plan.edit(*inside, new)
        plan.done.add(id(other))
    plan.placements[item] = [_placed(item, home)]
    return ""


def _placed(item: ImportedName, home: str) -> Placement:
    if not item.name:
        return Placement("", home, item.local)
    parent, _, last = home.rpartition(".")
    return Placement(parent, last, item.local)


def _is_patched(plan: Plan, chain: Chain) -> bool:
    if chain.attributes:
        return False
    parent = plan.file.names.parents.get(chain.root)
    return any(other.how == "patch.object" and other.call is parent for other in plan.references)


def _patches_through(plan: Plan, reference: Reference, item: ImportedName) -> bool:
    """Whether a reference is the string of ``patch.object(local, "name")``."""
    call = reference.call
    if reference.how != "patch.object" or call is None or not isinstance(reference.subject, Text):
        return False
    first = call.args[0] if call.args else None
    return first is not reference.subject.node and any(chain.root is first for chain in plan.uses_of(item))


def _dotted(plan: Plan, item: ImportedName, reference: Reference) -> str:
    """``import a.b`` with ``a.b.X`` written out: each path is replaced, and every module it needs is imported."""
    file = plan.file
    legacy, home = item.module, reference.target.canonical
    if home and legacy == home:
        return ""
    needed: list[str] = [home] if home else []
    edits: list[tuple[int, int, str]] = []
    others = {other.module for other in file.names.imports if not other.name and other is not item and other.alias.asname is None}
    for chain in plan.uses_of(item):
        dotted = ".".join([chain.root.id, *chain.words])
        if not (dotted == legacy or dotted.startswith(f"{legacy}.")):
            if any(dotted == other or dotted.startswith(f"{other}.") for other in others):
                continue
            return f"{dotted} is read through the same import"
        longer = [other for other in others if len(other) > len(legacy) and (dotted == other or dotted.startswith(f"{other}."))]
        if longer:
            continue
        found = _target(plan, dotted)
        if found is None:
            return f"{dotted} is read through it, and no row names it"
        target, used = found
        if target.is_module and not target.canonical:
            return f"{legacy} has no single canonical module, and is used as an object"
        problem = "" if target.is_module else attributes.problem(plan, target)
        if problem:
            return problem
        module = target.canonical.partition(":")[0]
        if module not in needed:
            needed.append(module)
        start = file.span(chain.root)[0]
        end = file.span(chain.attributes[used - 2])[1]
        if b"".join(file.source.data[start:end].split()).decode("utf-8", "replace") != ".".join(dotted.split(".")[:used]):
            return "a path is written in a way that is not rewritten"
        edits.append((start, end, target.canonical.replace(":", ".")))
    if not needed:
        return "nothing says where its names moved"
    taken = _taken(plan, {module.partition(".")[0] for module in needed})
    if taken:
        return f"the name {taken} means something else here"
    for start, end, new in edits:
        plan.edit(start, end, new)
    plan.placements[item] = [Placement("", module, "") for module in needed]
    return ""


def _taken(plan: Plan, roots: set[str]) -> str:
    for scope in plan.file.names.scopes:
        for root in sorted(roots):
            for binding in scope.bindings.get(root, ()):
                if binding.statement is None or binding.path != root:
                    return root
    return ""
