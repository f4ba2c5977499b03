"""Name resolution in expressions: reads, calls, comprehensions, lambdas."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Any, Optional

from .scopes import Binding, Chain, Names, Part, Scope, Text, is_literal

if TYPE_CHECKING:
    from collections.abc import Iterable

#: Fields that hold no nodes to be visited.
_PLAIN = frozenset(
    ("ctx", "op", "ops", "id", "attr", "arg", "name", "names", "level", "lineno", "type_comment", "kind", "conversion")
)
_CHILDREN: dict[type[ast.AST], tuple[str, ...]] = {}
#: The method that takes up each kind of node; the children of any other kind are visited in turn.
VISITORS: dict[type[ast.AST], Any] = {}
_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)


class Expressions:
    """Collects the names of expressions into ``names``."""

    def __init__(self, names: Names, package: str, *, known: bool, declares: bool = True, defers: bool = False) -> None:
        self.names, self.package, self.known = names, package, known
        self.declares, self.defers = declares, defers
        #: Functions put off until it is known whether they matter.
        self.deferred: list[Part] = []

    def body(self, nodes: Iterable[ast.AST], scope: Scope) -> None:
        for node in nodes:
            self.visit(node, scope)

    def visit(self, node: ast.AST, scope: Scope) -> None:
        method: Any = VISITORS.get(node.__class__)
        if method is not None:
            method(self, node, scope)
        else:
            self.children(node, scope)

    def children(self, node: ast.AST, scope: Scope) -> None:
        parents = self.names.parents
        kind = node.__class__
        fields = _CHILDREN.get(kind)
        if fields is None:
            fields = _CHILDREN[kind] = tuple(name for name in node._fields if name not in _PLAIN)
        for name in fields:
            value = getattr(node, name, None)
            if isinstance(value, list):
                for item in value:
                    if isinstance(item, ast.AST):
                        parents[item] = node
                        self.visit(item, scope)
            elif isinstance(value, ast.AST):
                parents[value] = node
                self.visit(value, scope)

    def child(self, value: Optional[ast.AST], parent: ast.AST, scope: Scope) -> None:
        if value is not None:
            self.names.parents[value] = parent
            self.visit(value, scope)

    def bind(self, scope: Scope, name: str, binding: Binding) -> None:
        owner = scope
        if name in scope.declared_global:
            owner = self.names.module
        elif name in scope.declared_nonlocal:
            outer = self.names.owner(scope.parent, name) if scope.parent else None
            owner = outer or scope
        owner.bindings.setdefault(name, []).append(binding)

    def opaque(self, scope: Scope, name: Optional[str], node: ast.AST) -> None:
        if name:
            self.bind(scope, name, Binding(scope, node))

    def open(self, kind: str, node: ast.AST, parent: Scope) -> Scope:
        made = Scope(kind, node, parent)
        self.names.scopes.append(made)
        return made

    def do_lambda(self, node: ast.Lambda, scope: Scope) -> None:
        inner = self.open("function", node, scope)
        self.arguments(node, node.args, scope, inner)
        self.child(node.body, node, inner)

    def arguments(
        self, node: ast.AST, args: ast.arguments, scope: Scope, inner: Scope, annotated: Optional[Scope] = None
    ) -> None:
        annotated = annotated or scope
        for default in [*args.defaults, *args.kw_defaults]:
            self.child(default, node, scope)
        every = [*getattr(args, "posonlyargs", ()), *args.args, *args.kwonlyargs]
        for index, arg in enumerate(every):
            self.annotation(arg.annotation, arg, annotated)
            binding = Binding(inner, arg, annotation=arg.annotation)
            owner = scope.node if scope.form == "class" else None
            if index == 0 and isinstance(owner, ast.ClassDef) and arg.annotation is None and not _is_static(node):
                binding.value = ast.Name(id=owner.name, ctx=ast.Load())
                binding.path = "<self>"
            self.bind(inner, arg.arg, binding)
        for star in (args.vararg, args.kwarg):
            if star is not None:
                self.annotation(star.annotation, star, annotated)
                self.opaque(inner, star.arg, star)

    def do_comprehension(self, node: ast.ListComp, scope: Scope) -> None:
        inner = self.open("comprehension", node, scope)
        for index, part in enumerate(node.generators):
            self.names.parents[part] = node
            self.child(part.iter, part, scope if index == 0 else inner)
            self.child(part.target, part, inner)
            for test in part.ifs:
                self.child(test, part, inner)
        for name in ("elt", "key", "value"):
            self.child(getattr(node, name, None), node, inner)

    def assign(
        self, target: ast.expr, value: Optional[ast.expr], annotation: Optional[ast.expr], node: ast.AST, scope: Scope
    ) -> None:
        self.names.parents[target] = node
        if isinstance(target, ast.Name):
            self.bind(scope, target.id, Binding(scope, target, value=value, annotation=annotation))
            self.names.chains.append(Chain(scope, target, ()))
            return
        if isinstance(target, ast.Attribute) and isinstance(target.value, ast.Name):
            holder = self.class_of_self(scope, target.value.id)
            if holder is not None:
                made = Binding(scope, target, value=value, annotation=annotation)
                holder.members.setdefault(target.attr, []).append(made)
        self.visit(target, scope)

    def class_of_self(self, scope: Scope, name: str) -> Optional[Scope]:
        for binding in self.names.lookup(scope, name):
            if binding.path == "<self>":
                return binding.scope.parent
        return None

    def do_walrus(self, node: ast.NamedExpr, scope: Scope) -> None:
        holder: Scope = scope
        while holder.form == "comprehension" and holder.parent is not None:
            holder = holder.parent
        self.assign(node.target, node.value, None, node, holder)
        self.child(node.value, node, scope)

    def do_name(self, node: ast.Name, scope: Scope) -> None:
        if not isinstance(node.ctx, ast.Load):
            self.bind(scope, node.id, Binding(scope, node))
        self.names.chains.append(Chain(scope, node, ()))

    def do_attribute(self, node: ast.Attribute, scope: Scope) -> None:
        self.chain(node, scope, None)

    def do_call(self, node: ast.Call, scope: Scope) -> None:
        chain = None
        if isinstance(node.func, (ast.Name, ast.Attribute)):
            self.names.parents[node.func] = node
            chain = self.chain(node.func, scope, node)
        else:
            self.child(node.func, node, scope)
        self.names.calls.append((scope, node, chain))
        for argument in node.args:
            if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
                self.names.parents[argument] = node
                self.names.texts.append(Text(scope, argument, "call", node))
            else:
                self.child(argument, node, scope)
        for word in node.keywords:
            self.names.parents[word] = node
            self.child(word.value, word, scope)

    def chain(self, node: ast.expr, scope: Scope, call: Optional[ast.Call]) -> Optional[Chain]:
        parts: list[ast.Attribute] = []
        at: ast.expr = node
        while isinstance(at, ast.Attribute):
            parts.append(at)
            self.names.parents[at.value] = at
            at = at.value
        if not isinstance(at, ast.Name):
            self.names.loose.extend((scope, part) for part in parts)
            self.visit(at, scope)
            return None
        if not isinstance(at.ctx, ast.Load):
            self.bind(scope, at.id, Binding(scope, at))
        made = Chain(scope, at, tuple(reversed(parts)), call)
        self.names.chains.append(made)
        return made

    def do_constant(self, node: ast.Constant, scope: Scope) -> None:
        if isinstance(node.value, str):
            role = "docstring" if isinstance(self.names.parents.get(node), ast.Expr) else ""
            self.names.texts.append(Text(scope, node, role))

    def annotation(self, node: Optional[ast.expr], parent: ast.AST, scope: Scope) -> None:
        if node is None:
            return
        self.names.parents[node] = parent
        count = len(self.names.texts)
        self.visit(node, scope)
        for text in self.names.texts[count:]:
            if not any(is_literal(around) for around in self.names.ancestors(text.node)):
                text.role = "annotation"


def _is_static(node: ast.AST) -> bool:
    decorators = getattr(node, "decorator_list", ())
    return any(isinstance(item, ast.Name) and item.id in ("staticmethod", "classmethod") for item in decorators)


VISITORS.update(
    {
        ast.Lambda: Expressions.do_lambda,
        ast.NamedExpr: Expressions.do_walrus,
        ast.Name: Expressions.do_name,
        ast.Attribute: Expressions.do_attribute,
        ast.Call: Expressions.do_call,
        ast.Constant: Expressions.do_constant,
        **dict.fromkeys(_COMPREHENSIONS, Expressions.do_comprehension),
    }
)
