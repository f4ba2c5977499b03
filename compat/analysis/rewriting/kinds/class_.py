"""Rewrite imports of factory-built classes: constructor calls become factory calls, other uses the canonical class."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Optional

from compat.ledger import Class

from ...model.doctests import DOCTEST
from ...targets.adapters import is_async_function
from .. import locals as local_names
from ..inlining import uses as inlining
from ..plan import Placement
from ..spelling import Speller

if TYPE_CHECKING:
    from ...model.file_uses import FileUses
    from ...model.receivers import Receivers
    from ...model.references import Reference
    from ...model.scopes import Chain, ImportedName
    from ...targets import Targets
    from ..plan import Plan

_SCOPES = (
    ast.FunctionDef,
    ast.AsyncFunctionDef,
    ast.Lambda,
    ast.GeneratorExp,
    ast.ListComp,
    ast.SetComp,
    ast.DictComp,
    ast.ClassDef,
)
#: What a user's context is called where it is passed.
_CONTEXTS = ("context", "ctx", "user_context", "user_ctx")


def is_built_path(targets: Targets, canonical: str) -> bool:
    """Whether a canonical path is a factory-built class."""
    return canonical.replace(":", ".") in targets.members.adapters.factories


def differs(targets: Targets, canonical: str) -> str:
    """What the rows of kind ``class`` say of a factory-built class, which any row may lead to; ``""`` for another path."""
    return Class.differs if is_built_path(targets, canonical) else ""


@dataclass
class _Uses:
    constructed: list[Chain] = field(default_factory=list)
    named: list[Chain] = field(default_factory=list)
    problem: str = ""


def decide(plan: Plan, item: ImportedName, reference: Reference, uses: FileUses) -> None:
    """Rewrite a class import with all its uses, or leave all of them."""
    reason = _decide(plan, item, reference, uses.legacy_receivers)
    if reason:
        plan.skip(reference, reason)


def _decide(plan: Plan, item: ImportedName, reference: Reference, receivers: Optional[Receivers]) -> str:
    file = plan.file
    canonical = reference.target.canonical
    module, _, name = canonical.partition(":")
    if not plan.is_sole_binding(item):
        return f"{item.local} is bound more than once"
    uses = _sort(plan, item)
    if uses.problem:
        return uses.problem
    said = [*file.unread, *(str(text.node.value) for text in file.names.texts if text.role == "annotation")]
    mentioned = any(item.local in text for text in said)
    if not uses.constructed and not uses.named and not mentioned:
        return "it is not used here; others may import it from here"
    code = inlining.known(plan, reference)
    if isinstance(code, str):
        return code
    factory = plan.targets.members.adapters.factories.get(canonical.replace(":", "."), "") if code is None else ""
    is_async = False
    is_global = item.scope is file.names.module
    if uses.constructed:
        if is_global and (item.local in plan.options.kept_locals or not local_names.is_private_enough(plan, item)):
            return "others may import or patch it here by this name, and here it is constructed"
        if file.tree.has_rewritten_calls:
            return "this Python does not parse the file's match statements"
        if code is not None:
            problem = _members_problem(plan, reference, receivers)
            if problem:
                return problem
        elif not factory and canonical in plan.targets.members.adapters.built_by_stopgaps:
            words = plan.targets.wording.words(reference.target, "construct")[1]
            return f"what builds it exists for old code only; rewrite it by hand: {words}"
        elif not factory:
            return "the factory that builds it is not known; name it in [tool.compat.factories]"
        else:
            problem = _construction_problem(plan, reference, factory, uses, receivers)
            if problem:
                return problem
            found = is_async_function(factory)
            if found is None:
                return f"whether {factory.replace(':', '.')} is async is not known"
            is_async = found
    builder = factory.partition(":")[2]
    if factory and uses.constructed and _is_taken(plan, builder, factory):
        return f"the name {builder} means something else here"
    if is_async:
        for chain in uses.constructed:
            problem = _await_problem(plan, chain)
            if problem:
                return problem
    speller = Speller(plan, item)
    if code is not None:
        steps = [partial(inlining.inline, plan, speller, code, chain.scope, chain.root) for chain in uses.constructed]
        reason = plan.attempt(steps)
        plan.additions.pop(item, None)
        if reason:
            return reason
    needs_class = bool(uses.named) or mentioned
    placements: list[Placement] = []
    if needs_class:
        local = item.local
        if item.alias.asname is None and name != item.local:
            edits = local_names.rename(plan, item, name)
            if edits is not None:
                called = {file.span(chain.root)[0] for chain in uses.constructed}
                plan.edits.extend(edit for edit in edits if edit.start not in called)
                local = name
                if is_global:
                    plan.renamed_locals.add(item.local)
        placements.append(Placement(module, name, local))
    if uses.constructed:
        if is_global:
            plan.renamed_locals.add(item.local)
        placements.extend([Placement(factory.partition(":")[0], builder, builder)] if factory else speller.needed)
    for chain in uses.constructed if factory else ():
        _construct(plan, chain, builder, is_async)
    plan.placements[item] = placements
    return ""


def _sort(plan: Plan, item: ImportedName) -> _Uses:
    uses = _Uses()
    parents = plan.file.names.parents
    if any(text.role == "all" and text.node.value == item.local for text in plan.file.names.texts):
        uses.problem = "it is exported from here"
    for chain in plan.uses_of(item):
        parent = parents.get(chain.root)
        start, end = plan.file.span(chain.root)
        if plan.file.source.data[start:end] != item.local.encode():
            uses.problem = "a use is written in a way that is not rewritten"
        elif chain.role == DOCTEST:
            uses.problem = "it is used in a doctest"
        elif chain.attributes:
            uses.problem = f"{item.local}.{chain.words[0]} is read from the class"
        elif not isinstance(chain.root.ctx, ast.Load):
            uses.problem = f"{item.local} is bound more than once"
        elif isinstance(parent, ast.ClassDef) and chain.root in parent.bases:
            uses.problem = "it is subclassed here"
        elif chain.call is not None:
            uses.constructed.append(chain)
        elif chain.role or _is_type_use(plan, chain.root):
            uses.named.append(chain)
        else:
            uses.problem = "the class itself is handed on here, and may be called elsewhere"
        if uses.problem:
            break
    return uses


def _is_type_use(plan: Plan, node: ast.AST) -> bool:
    """Whether a class is only named: in an annotation, or as the second argument of isinstance."""
    inner = node
    for parent in plan.file.names.ancestors(node):
        if isinstance(parent, ast.Call):
            word = parent.func.id if isinstance(parent.func, ast.Name) else getattr(parent.func, "attr", "")
            return word in ("isinstance", "issubclass", "cast", "Mock", "MagicMock", "AsyncMock", "create_autospec")
        if isinstance(parent, ast.arg):
            return True
        if isinstance(parent, ast.AnnAssign):
            return inner is parent.annotation
        if isinstance(parent, (ast.FunctionDef, ast.AsyncFunctionDef)):
            return inner is parent.returns
        if not isinstance(parent, (ast.Subscript, ast.Tuple, ast.BinOp, ast.List, ast.keyword, ast.Attribute)):
            return False
        inner = parent
    return False


def _construction_problem(plan: Plan, reference: Reference, factory: str, uses: _Uses, receivers: Optional[Receivers]) -> str:
    """A reason why a factory call is not the same as the legacy constructor call."""
    adapter = plan.targets.members.adapters.of(reference.target.adapter) if reference.target.adapter else None
    has_own_build = adapter is not None and adapter.members.has_own_build
    if has_own_build and not all(_passes_context(chain.call) for chain in uses.constructed):
        return f"its adapter builds it in a way of its own; call {factory.replace(':', '.')} with the user's context"
    return _members_problem(plan, reference, receivers)


def _members_problem(plan: Plan, reference: Reference, receivers: Optional[Receivers]) -> str:
    """A reason why the canonical object does not do for what is used of the legacy one."""
    path = reference.target.adapter
    if not path:
        return ""
    adapter = plan.targets.members.adapters.of(path)
    if adapter is None:
        return f"its adapter {path} is not found"
    members = adapter.members
    own = {**members.legacy, **dict.fromkeys(members.renamed, "")}
    read = [(chain.scope, node) for chain in plan.file.names.chains for node in chain.attributes]
    for scope, node in [*read, *plan.file.names.loose]:
        if node.attr in own and plan.file.span(node)[1] not in plan.inlined:
            if node.attr in members.legacy:
                return f".{node.attr} is used here, which only the legacy class has"
            if not (receivers and receivers.of(scope, node.value)):
                return f".{node.attr} is used here on something that may be one"
    return ""


def _passes_context(call: Optional[ast.Call]) -> bool:
    """Whether a call passes one thing that is a user's context by its name: what every factory takes."""
    if call is None or len(call.args) + len(call.keywords) != 1:
        return False
    if call.keywords:
        return call.keywords[0].arg in _CONTEXTS
    given = call.args[0]
    word = given.id if isinstance(given, ast.Name) else given.attr if isinstance(given, ast.Attribute) else ""
    return word.lstrip("_") in _CONTEXTS


def _is_taken(plan: Plan, builder: str, factory: str) -> bool:
    if builder not in plan.names_in_use():
        return False
    path = factory.replace(":", ".")
    bindings = [binding for scope in plan.file.names.scopes for binding in scope.bindings.get(builder, ())]
    return not bindings or not all(
        binding.statement is not None and plan.targets.canonical_dotted(binding.path) == path for binding in bindings
    )


def _await_problem(plan: Plan, chain: Chain) -> str:
    """A reason why ``await`` cannot stand before a call."""
    around: Optional[ast.AST] = None
    inner: ast.AST = chain.root
    for node in plan.file.names.ancestors(chain.root):
        if isinstance(node, ast.Await) and node.value is chain.call:
            return "its construction is awaited"
        if isinstance(node, _SCOPES):
            around = node
            break
        inner = node
    if not isinstance(around, ast.AsyncFunctionDef) or inner not in around.body:
        return "its factory is async, and this is no async function"
    return ""


def _construct(plan: Plan, chain: Chain, builder: str, is_async: bool) -> None:
    assert chain.call is not None
    start, end = plan.file.span(chain.root)
    for word in chain.call.keywords:
        if word.arg in _CONTEXTS and not chain.call.args and len(chain.call.keywords) == 1:
            # The factory has its own name for its first parameter.
            plan.edit(plan.file.span(word)[0], plan.file.span(word.value)[0], "")
    if not is_async:
        plan.edit(start, end, builder)
        return
    parent = plan.file.names.parents.get(chain.call)
    if isinstance(parent, (ast.Attribute, ast.Subscript)) or (isinstance(parent, ast.Call) and parent.func is chain.call):
        close = plan.file.span(chain.call)[1]
        plan.edit(start, end, f"(await {builder}")
        plan.edit(close, close, ")")
    else:
        plan.edit(start, end, f"await {builder}")
