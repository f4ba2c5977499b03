"""Names resolved scope by scope: what each name of a file is bound to, and where it is used."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Optional, Union

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from .relevance import Relevance

ImportNode = Union[ast.Import, ast.ImportFrom]
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)


@dataclass(eq=False)
class Binding:
    """One place that binds a name. ``path`` is the dotted path an import binds it to; a value binding has ``value`` or
    ``annotation`` where its type may be read off."""

    scope: Scope
    node: ast.AST
    path: str = ""
    statement: Optional[ImportNode] = None
    value: Optional[ast.expr] = None
    annotation: Optional[ast.expr] = None


@dataclass(eq=False)
class Scope:
    """A module, class, function or comprehension scope."""

    kind: str
    node: ast.AST
    parent: Optional[Scope]
    bindings: dict[str, list[Binding]] = field(default_factory=dict)
    declared_global: set[str] = field(default_factory=set)
    declared_nonlocal: set[str] = field(default_factory=set)
    members: dict[str, list[Binding]] = field(default_factory=dict)

    @property
    def is_async(self) -> bool:
        return isinstance(self.node, ast.AsyncFunctionDef)


@dataclass(eq=False)
class Chain:
    """A name with the attributes read off it: ``a.b.c`` has root ``a`` and attributes ``("b", "c")``.

    ``role`` says where it stands if not in code: in a string ``annotation``, or in a ``type comment``.
    """

    scope: Scope
    root: ast.Name
    attributes: tuple[ast.Attribute, ...]
    call: Optional[ast.Call] = None
    role: str = ""

    @property
    def node(self) -> ast.expr:
        return self.attributes[-1] if self.attributes else self.root

    @property
    def words(self) -> list[str]:
        return [node.attr for node in self.attributes]


@dataclass(eq=False)
class ImportedName:
    """One alias of an import statement, with the absolute path of its module; ``name`` is empty for ``import m``."""

    scope: Scope
    statement: ImportNode
    alias: ast.alias
    module: str
    name: str
    binding: Optional[Binding]

    @property
    def local(self) -> str:
        return self.alias.asname or (self.name or self.module.partition(".")[0])


@dataclass(eq=False)
class Text:
    """A string constant: ``role`` is ``annotation``, ``all``, ``docstring``, ``call`` (with ``call`` set) or empty."""

    scope: Scope
    node: ast.Constant
    role: str = ""
    call: Optional[ast.Call] = None


@dataclass(eq=False)
class Model:
    """Everything about the names of one file."""

    module: Scope
    scopes: list[Scope] = field(default_factory=list)
    imports: list[ImportedName] = field(default_factory=list)
    chains: list[Chain] = field(default_factory=list)
    calls: list[tuple[Scope, ast.Call, Optional[Chain]]] = field(default_factory=list)
    texts: list[Text] = field(default_factory=list)
    parents: dict[ast.AST, ast.AST] = field(default_factory=dict)
    #: Attributes read from anything but a name: ``f().attribute``.
    loose: list[tuple[Scope, ast.Attribute]] = field(default_factory=list)

    def close(self) -> None:
        """Untie scopes from their bindings: the tree is freed at once, and needs no search for cycles. Nothing can be asked
        of the model any more."""
        for scope in self.scopes:
            scope.bindings, scope.members = {}, {}

    def lookup(self, scope: Scope, name: str) -> list[Binding]:
        """The bindings that a name read in ``scope`` may have, by Python's scope rules; empty for builtins."""
        found = self.owner(scope, name)
        return found.bindings[name] if found is not None else []

    def owner(self, scope: Scope, name: str) -> Optional[Scope]:
        """The scope whose bindings a name read in ``scope`` refers to."""
        at: Optional[Scope] = scope
        first = True
        while at is not None:
            if name in at.declared_global:
                return self.module if name in self.module.bindings else None
            if name in at.bindings and name not in at.declared_nonlocal and (first or at.kind != "class"):
                return at
            first = False
            at = at.parent
        return None

    def ancestors(self, node: ast.AST) -> Iterator[ast.AST]:
        """The nodes around a node, innermost first."""
        while node in self.parents:
            node = self.parents[node]
            yield node


def build(
    tree: ast.Module,
    module: str = "",
    *,
    is_package: bool = False,
    declares: bool = True,
    relevance: Optional[Relevance] = None,
) -> Model:
    """Resolve the names of a file.

    Parameters
    ----------
    module:
        The file's own dotted name, for relative imports; empty when unknown.
    declares:
        Whether ``global`` or ``nonlocal`` may stand in the file at all.
    relevance:
        Says which parts matter; the others are left out. All of them matter by default.
    """
    package = module if is_package else module.rpartition(".")[0]

    def begin() -> _Builder:
        scope = Scope("module", tree, None)
        return _Builder(Model(scope, [scope]), package, known=bool(module), declares=declares, defers=relevance is not None)

    builder = begin()
    if relevance is not None:
        builder.outline(tree, tree.body, builder.model.module)
        chosen = relevance.parts(builder.model, builder.deferred)
        if chosen is not None:
            builder.defers = False
            for part in builder.deferred:
                if part in chosen:
                    builder.visit(part.node, part.scope)
                else:
                    builder.opaque(part.scope, part.node.name, part.node)
            return builder.model
        builder.model.close()
        builder = begin()
    builder.body(tree.body, builder.model.module)
    while relevance is not None:
        count = len(builder.model.module.bindings)
        relevance.learn(builder.model, members=True)
        now = [part for part in builder.deferred if relevance.matters(*part.lines)]
        later = [part for part in builder.deferred if not relevance.matters(*part.lines)]
        builder.deferred, builder.defers = [], False
        for part in now:
            builder.statements(part.node, part.scope)
        builder.deferred = later
        if len(builder.model.module.bindings) == count:
            # No body bound a new global name, by which another body might matter.
            break
    return builder.model


@dataclass(eq=False)
class Part:
    """A function that was not looked at yet, or the body of one, and the scope to look at it in."""

    node: Union[ast.FunctionDef, ast.AsyncFunctionDef]
    scope: Scope
    lines: tuple[int, int]


def absolute(node: ast.ImportFrom, package: str, *, known: bool) -> Optional[str]:
    """The absolute module of a ``from`` statement in a package; ``None`` where it cannot be known."""
    if not node.level:
        return node.module or ""
    if not known:
        return None
    parts = package.split(".") if package else []
    if node.level - 1 > len(parts):
        return None
    base = parts[: len(parts) - (node.level - 1)]
    return ".".join([*base, node.module] if node.module else base)


class _Builder:
    def __init__(self, model: Model, package: str, *, known: bool, declares: bool = True, defers: bool = False) -> None:
        self.model, self.package, self.known = model, package, known
        self.declares, self.defers = declares, defers
        self.deferred: list[Part] = []

    def outline(self, parent: ast.AST, nodes: Iterable[ast.AST], scope: Scope) -> None:
        """Take up imports, classes and (put off) functions alone; of other statements no more than that they bind a name."""
        for node in nodes:
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                self.model.parents[node] = parent
                first = min([node.lineno, *(item.lineno for item in node.decorator_list)])
                self.deferred.append(Part(node, scope, (first, node.end_lineno or node.lineno)))
            elif isinstance(node, ast.ClassDef):
                self.model.parents[node] = parent
                self.opaque(scope, node.name, node)
                self.outline(node, node.body, self.open("class", node, scope))
            elif isinstance(node, (ast.Import, ast.ImportFrom)):
                self.model.parents[node] = parent
                self.visit(node, scope)
            else:
                for target in getattr(node, "targets", (getattr(node, "target", None),)):
                    self.opaque(scope, target.id if isinstance(target, ast.Name) else None, node)
                for name in _BLOCKS if not isinstance(node, _SIMPLE) else ():
                    self.outline(node, getattr(node, name, ()), scope)

    def body(self, nodes: Iterable[ast.AST], scope: Scope) -> None:
        for node in nodes:
            self.visit(node, scope)

    def visit(self, node: ast.AST, scope: Scope) -> None:
        method: Any = _VISITORS.get(node.__class__)
        if method is not None:
            method(self, node, scope)
        else:
            self.children(node, scope)

    def children(self, node: ast.AST, scope: Scope) -> None:
        parents = self.model.parents
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
            self.model.parents[value] = parent
            self.visit(value, scope)

    def bind(self, scope: Scope, name: str, binding: Binding) -> None:
        owner = scope
        if name in scope.declared_global:
            owner = self.model.module
        elif name in scope.declared_nonlocal:
            outer = self.model.owner(scope.parent, name) if scope.parent else None
            owner = outer or scope
        owner.bindings.setdefault(name, []).append(binding)

    def opaque(self, scope: Scope, name: Optional[str], node: ast.AST) -> None:
        if name:
            self.bind(scope, name, Binding(scope, node))

    # -- statements that bind

    def do_import(self, node: ast.Import, scope: Scope) -> None:
        for alias in node.names:
            path = alias.name if alias.asname else alias.name.partition(".")[0]
            binding = Binding(scope, alias, path, node)
            self.bind(scope, alias.asname or path, binding)
            self.model.imports.append(ImportedName(scope, node, alias, alias.name, "", binding))

    def do_from(self, node: ast.ImportFrom, scope: Scope) -> None:
        module = absolute(node, self.package, known=self.known)
        for alias in node.names:
            binding = None
            if alias.name != "*":
                path = f"{module}.{alias.name}" if module else (alias.name if module == "" else "")
                binding = Binding(scope, alias, path, node)
                self.bind(scope, alias.asname or alias.name, binding)
            if module:
                self.model.imports.append(ImportedName(scope, node, alias, module, alias.name, binding))

    def do_function(self, node: ast.FunctionDef, scope: Scope) -> None:
        self.opaque(scope, node.name, node)
        for item in node.decorator_list:
            self.child(item, node, scope)
        inner = self.open("function", node, scope)
        for parameter in getattr(node, "type_params", ()):
            self.opaque(inner, parameter.name, parameter)
            self.child(getattr(parameter, "bound", None), node, inner)
        self.arguments(node, node.args, scope, inner)
        self.annotation(node.returns, node, inner if getattr(node, "type_params", ()) else scope)
        if self.defers:
            self.deferred.append(Part(node, inner, (node.body[0].lineno, node.end_lineno or node.lineno)))
        else:
            self.statements(node, inner)

    def statements(self, node: Union[ast.FunctionDef, ast.AsyncFunctionDef], inner: Scope) -> None:
        self.predeclare(node.body, inner)
        for statement in node.body:
            self.child(statement, node, inner)

    def do_lambda(self, node: ast.Lambda, scope: Scope) -> None:
        inner = self.open("function", node, scope)
        self.arguments(node, node.args, scope, inner)
        self.child(node.body, node, inner)

    def arguments(self, node: ast.AST, args: ast.arguments, scope: Scope, inner: Scope) -> None:
        for default in [*args.defaults, *args.kw_defaults]:
            self.child(default, node, scope)
        every = [*getattr(args, "posonlyargs", ()), *args.args, *args.kwonlyargs]
        for index, arg in enumerate(every):
            self.annotation(arg.annotation, arg, scope)
            binding = Binding(inner, arg, annotation=arg.annotation)
            owner = scope.node if scope.kind == "class" else None
            if index == 0 and isinstance(owner, ast.ClassDef) and arg.annotation is None and not _is_static(node):
                binding.value = ast.Name(id=owner.name, ctx=ast.Load())
                binding.path = "<self>"
            self.bind(inner, arg.arg, binding)
        for star in (args.vararg, args.kwarg):
            if star is not None:
                self.annotation(star.annotation, star, scope)
                self.opaque(inner, star.arg, star)

    def predeclare(self, body: list[ast.stmt], scope: Scope) -> None:
        """``global`` and ``nonlocal`` hold for a whole scope, wherever in it they stand."""
        pending: list[ast.AST] = list(body) if self.declares else []
        while pending:
            node = pending.pop()
            if isinstance(node, ast.Global):
                scope.declared_global.update(node.names)
            elif isinstance(node, ast.Nonlocal):
                scope.declared_nonlocal.update(node.names)
            elif isinstance(node, ast.stmt) and not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
                pending.extend(ast.iter_child_nodes(node))
            elif isinstance(node, ast.ExceptHandler):
                pending.extend(node.body)

    def do_class(self, node: ast.ClassDef, scope: Scope) -> None:
        self.opaque(scope, node.name, node)
        for item in [*node.decorator_list, *node.bases, *node.keywords]:
            self.child(item, node, scope)
        inner = self.open("class", node, scope)
        for parameter in getattr(node, "type_params", ()):
            self.opaque(inner, parameter.name, parameter)
        self.predeclare(node.body, inner)
        for statement in node.body:
            self.child(statement, node, inner)

    def do_comprehension(self, node: ast.ListComp, scope: Scope) -> None:
        inner = self.open("comprehension", node, scope)
        for index, part in enumerate(node.generators):
            self.model.parents[part] = node
            self.child(part.iter, part, scope if index == 0 else inner)
            self.child(part.target, part, inner)
            for test in part.ifs:
                self.child(test, part, inner)
        for name in ("elt", "key", "value"):
            self.child(getattr(node, name, None), node, inner)

    def open(self, kind: str, node: ast.AST, parent: Scope) -> Scope:
        made = Scope(kind, node, parent)
        self.model.scopes.append(made)
        return made

    def do_assign(self, node: ast.Assign, scope: Scope) -> None:
        for target in node.targets:
            if isinstance(target, ast.Name) and target.id == "__all__":
                self.exported(node.value, scope)
            self.assign(target, node.value, None, node, scope)
        self.child(node.value, node, scope)

    def do_annotated(self, node: ast.AnnAssign, scope: Scope) -> None:
        self.annotation(node.annotation, node, scope)
        self.assign(node.target, node.value, node.annotation, node, scope)
        self.child(node.value, node, scope)

    def assign(
        self, target: ast.expr, value: Optional[ast.expr], annotation: Optional[ast.expr], node: ast.AST, scope: Scope
    ) -> None:
        self.model.parents[target] = node
        if isinstance(target, ast.Name):
            self.bind(scope, target.id, Binding(scope, target, value=value, annotation=annotation))
            self.model.chains.append(Chain(scope, target, ()))
            return
        if isinstance(target, ast.Attribute) and isinstance(target.value, ast.Name):
            holder = self.class_of_self(scope, target.value.id)
            if holder is not None:
                made = Binding(scope, target, value=value, annotation=annotation)
                holder.members.setdefault(target.attr, []).append(made)
        self.visit(target, scope)

    def class_of_self(self, scope: Scope, name: str) -> Optional[Scope]:
        for binding in self.model.lookup(scope, name):
            if binding.path == "<self>":
                return binding.scope.parent
        return None

    def do_augmented(self, node: ast.AugAssign, scope: Scope) -> None:
        if isinstance(node.target, ast.Name) and node.target.id == "__all__":
            self.exported(node.value, scope)
        self.children(node, scope)

    def exported(self, value: ast.expr, scope: Scope) -> None:
        for item in ast.walk(value):
            if isinstance(item, ast.Constant) and isinstance(item.value, str):
                self.model.texts.append(Text(scope, item, "all"))

    def do_walrus(self, node: ast.NamedExpr, scope: Scope) -> None:
        holder: Scope = scope
        while holder.kind == "comprehension" and holder.parent is not None:
            holder = holder.parent
        self.assign(node.target, node.value, None, node, holder)
        self.child(node.value, node, scope)

    def do_handler(self, node: ast.ExceptHandler, scope: Scope) -> None:
        self.opaque(scope, node.name, node)
        self.children(node, scope)

    def do_capture(self, node: ast.AST, scope: Scope) -> None:
        self.opaque(scope, getattr(node, "name", None) or getattr(node, "rest", None), node)
        self.children(node, scope)

    def do_global(self, node: ast.Global, scope: Scope) -> None:
        (scope.declared_global if isinstance(node, ast.Global) else scope.declared_nonlocal).update(node.names)
        if isinstance(node, ast.Global):
            for name in node.names:
                # Anybody may rebind a name that is declared global: it is never safe to rename.
                self.opaque(scope, name, node)

    # -- expressions

    def do_name(self, node: ast.Name, scope: Scope) -> None:
        if not isinstance(node.ctx, ast.Load):
            self.bind(scope, node.id, Binding(scope, node))
        self.model.chains.append(Chain(scope, node, ()))

    def do_attribute(self, node: ast.Attribute, scope: Scope) -> None:
        self.chain(node, scope, None)

    def do_call(self, node: ast.Call, scope: Scope) -> None:
        chain = None
        if isinstance(node.func, (ast.Name, ast.Attribute)):
            self.model.parents[node.func] = node
            chain = self.chain(node.func, scope, node)
        else:
            self.child(node.func, node, scope)
        self.model.calls.append((scope, node, chain))
        for argument in node.args:
            if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
                self.model.parents[argument] = node
                self.model.texts.append(Text(scope, argument, "call", node))
            else:
                self.child(argument, node, scope)
        for word in node.keywords:
            self.model.parents[word] = node
            self.child(word.value, word, scope)

    def chain(self, node: ast.expr, scope: Scope, call: Optional[ast.Call]) -> Optional[Chain]:
        parts: list[ast.Attribute] = []
        at: ast.expr = node
        while isinstance(at, ast.Attribute):
            parts.append(at)
            self.model.parents[at.value] = at
            at = at.value
        if not isinstance(at, ast.Name):
            self.model.loose.extend((scope, part) for part in parts)
            self.visit(at, scope)
            return None
        if not isinstance(at.ctx, ast.Load):
            self.bind(scope, at.id, Binding(scope, at))
        made = Chain(scope, at, tuple(reversed(parts)), call)
        self.model.chains.append(made)
        return made

    def do_constant(self, node: ast.Constant, scope: Scope) -> None:
        if isinstance(node.value, str):
            role = "docstring" if isinstance(self.model.parents.get(node), ast.Expr) else ""
            self.model.texts.append(Text(scope, node, role))

    def annotation(self, node: Optional[ast.expr], parent: ast.AST, scope: Scope) -> None:
        if node is None:
            return
        self.model.parents[node] = parent
        count = len(self.model.texts)
        self.visit(node, scope)
        for text in self.model.texts[count:]:
            if not any(is_literal(around) for around in self.model.ancestors(text.node)):
                text.role = "annotation"


def _is_static(node: ast.AST) -> bool:
    decorators = getattr(node, "decorator_list", ())
    return any(isinstance(item, ast.Name) and item.id in ("staticmethod", "classmethod") for item in decorators)


def is_literal(node: ast.AST) -> bool:
    """Whether a node is ``Literal[...]``, whose strings are no annotations."""
    value = node.value if isinstance(node, ast.Subscript) else None
    return (isinstance(value, ast.Name) and value.id == "Literal") or (
        isinstance(value, ast.Attribute) and value.attr == "Literal"
    )


#: Statements in which no other stands, and the fields of the others (handlers and cases among them) in which some do.
_SIMPLE = (ast.Expr, ast.Assign, ast.AugAssign, ast.AnnAssign, ast.Pass, ast.Raise, ast.Assert, ast.Delete, ast.Global)
_BLOCKS = ("body", "handlers", "orelse", "finalbody", "cases")

#: Fields that hold no nodes to be visited.
_PLAIN = frozenset(
    ("ctx", "op", "ops", "id", "attr", "arg", "name", "names", "level", "lineno", "type_comment", "kind", "conversion")
)
_CHILDREN: dict[type[ast.AST], tuple[str, ...]] = {}

_VISITORS: dict[type[ast.AST], Any] = {
    ast.Import: _Builder.do_import,
    ast.ImportFrom: _Builder.do_from,
    ast.FunctionDef: _Builder.do_function,
    ast.AsyncFunctionDef: _Builder.do_function,
    ast.Lambda: _Builder.do_lambda,
    ast.ClassDef: _Builder.do_class,
    ast.Assign: _Builder.do_assign,
    ast.AnnAssign: _Builder.do_annotated,
    ast.AugAssign: _Builder.do_augmented,
    ast.NamedExpr: _Builder.do_walrus,
    ast.ExceptHandler: _Builder.do_handler,
    ast.Global: _Builder.do_global,
    ast.Nonlocal: _Builder.do_global,
    ast.Name: _Builder.do_name,
    ast.Attribute: _Builder.do_attribute,
    ast.Call: _Builder.do_call,
    ast.Constant: _Builder.do_constant,
    **dict.fromkeys(_COMPREHENSIONS, _Builder.do_comprehension),
}
for _name in ("MatchAs", "MatchStar", "MatchMapping"):
    if hasattr(ast, _name):
        _VISITORS[getattr(ast, _name)] = _Builder.do_capture
