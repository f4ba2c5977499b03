"""Infer what an expression is an instance of: through factories, subclasses, loops, comprehensions, containers, ``with`` and
attributes, in one file and in the files of the tree that it imports from.

What an annotation, a constructor or the only ``return`` says is certain; what others may change carries a doubt.
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Optional, Protocol

from ...hints import Told
from . import annotating, types
from .definitions import FUNCTIONS, decorators, is_none, is_object, is_open, is_self, own_nodes, yields
from .types import AWAITED, CALLED, CLASS, ENTERED, FUNCTION, INSTANCE, ITEMS, PARTS, VALUES, Type

if TYPE_CHECKING:
    from ..receivers import Receivers
    from ..scopes import Binding, Scope
    from .definitions import Function

_DEPTH = 24
_SAME_ITEMS = frozenset(("list", "tuple", "set", "frozenset", "sorted", "reversed", "iter", "aiter"))
_HARMLESS = frozenset(("staticmethod", "classmethod", "abstractmethod", "lru_cache", "cache", "override", "final", "overload"))
_PROPERTIES = frozenset(("property", "cached_property", "abstractproperty"))
_CONTEXTS = frozenset(("contextmanager", "asynccontextmanager"))
CHANGED = "what else is put into the container is not known"
DECORATED = "a decorator may change what is returned"
ENTERS = "what its __enter__ returns is not known"
SEVERAL = "several of its base classes have it"
BASES = "a base class that comes first is not known"


class Others(Protocol):
    """The other files of the tree."""

    def at(self, path: str) -> Optional[Type]:
        """The type of what stands at a dotted path."""

    def class_at(self, path: str) -> Optional[tuple[Inference, Scope]]:
        """The definition of the class at a dotted path, and its file."""


class Inference:
    """Types of expressions in one file; ``neighbours`` finds the other files of the tree."""

    def __init__(self, receivers: Receivers, neighbours: Optional[Others] = None) -> None:
        self.receivers, self.names, self.neighbours = receivers, receivers.names, neighbours
        self._known: dict[tuple[int, int], Optional[Type]] = {}
        self._depth = 0
        self._counted = 0
        self._by_node: dict[int, Scope] = {}
        self._by_path: dict[str, Scope] = {}
        self._starred: dict[str, Optional[Type]] = {}

    def close(self) -> None:
        """Break the cycles through what is known; nothing can be asked afterwards."""
        self.receivers.follows = None
        self._known.clear()
        self._by_node.clear()
        self._by_path.clear()
        self._starred.clear()

    def scope_of(self, node: Optional[ast.AST]) -> Optional[Scope]:
        """The scope that a definition or comprehension opens."""
        self._count()
        return self._by_node.get(id(node))

    def _count(self) -> None:
        for scope in self.names.scopes[self._counted :]:
            self._by_node[id(scope.node)] = scope
            if scope.form == "class":
                self._by_path.setdefault(self.path_of(scope), scope)
        self._counted = len(self.names.scopes)

    # -- members of classes

    def home(self, scope: Scope, node: ast.Attribute) -> Optional[Told]:
        """The class that matters, of which a node reads an attribute, be it inherited, and what speaks against it."""
        made = self.value(scope, node.value)
        if made is None or made.form not in (INSTANCE, CLASS):
            return None
        path, doubt, _own = self._inherited(made.path, node.attr, 0)
        return Told(path, made.doubt or doubt) if path else None

    def _inherited(self, path: str, name: str, depth: int) -> tuple[str, str, bool]:
        """The class that matters whose attribute a class inherits, what speaks against it, and whether another defines it."""
        matters = path in self.receivers.classes
        if (matters and self.receivers.targets.members.speaks_of(path, name)) or depth > _DEPTH:
            return path, "", False
        found = self.class_at(path)
        if found is None:
            return (path if matters else ""), "", False
        home, scope = found
        if name in scope.bindings or name in scope.members:
            return "", "", True
        given, doubt, is_own = "", "", False
        for base in home.bases(scope):
            above, more, defines = self._inherited(base, name, depth + 1) if base else ("", "", False)
            if given and (above or defines):
                doubt = doubt or SEVERAL  # which of them comes first, the bases of all of them decide
            elif above:
                given, doubt = above, doubt or more
            elif not given and (not base or home.class_at(base) is None):
                doubt = BASES
            is_own = is_own or (defines and not given)
            if is_own:
                return "", "", True
        return given, doubt, is_own

    def bases(self, scope: Scope) -> list[str]:
        """The dotted base classes of a class, empty for one that is not known."""
        assert isinstance(scope.node, ast.ClassDef)
        found = []
        for base in scope.node.bases:
            node = base.value if isinstance(base, ast.Subscript) else base
            made = self.value(scope.parent or scope, node)
            path = made.path if made is not None and made.form == CLASS else self.receivers.path(scope.parent or scope, node)
            if path.rpartition(".")[2] not in ("Generic", "Protocol", "ABC", "object") and not is_object(node):
                found.append(path)
        return found

    def class_at(self, path: str) -> Optional[tuple[Inference, Scope]]:
        """The definition of a class in this file or another of the tree."""
        self._count()
        if path in self._by_path:
            return self, self._by_path[path]
        if self.neighbours is None or path.startswith("<"):
            return None
        return self.neighbours.class_at(path)

    def path_of(self, scope: Scope) -> str:
        """The dotted path of a class that a file defines."""
        node = scope.node
        assert isinstance(node, ast.ClassDef)
        if scope.parent is self.names.module and self.receivers.own:
            return f"{self.receivers.own}.{node.name}"
        return f"<{self.receivers.own}:{node.lineno}>.{node.name}"

    # -- expressions

    def value(self, scope: Scope, node: Optional[ast.AST]) -> Optional[Type]:
        """The type of an expression; ``None`` where it is not known."""
        if node is None or self._depth > _DEPTH:
            return None
        key = (id(scope), id(node))
        if key not in self._known:
            self._known[key] = None  # what depends on itself is not known
            self._depth += 1
            try:
                self._known[key] = self._value(scope, node)
            finally:
                self._depth -= 1
        return self._known[key]

    def _value(self, scope: Scope, node: ast.AST) -> Optional[Type]:
        if isinstance(node, (ast.Name, ast.Attribute, ast.Call)):
            certain = self.receivers.plain(scope, node)
            if certain:
                return Type(INSTANCE, certain)
        method = getattr(self, f"_of_{type(node).__name__.lower()}", None)
        found: Optional[Type] = method(scope, node) if method is not None else None
        return found

    def _of_await(self, scope: Scope, node: ast.Await) -> Optional[Type]:
        made = self.value(scope, node.value)
        return made.item if made is not None and made.form == AWAITED else made

    def _of_namedexpr(self, scope: Scope, node: ast.NamedExpr) -> Optional[Type]:
        return self.value(scope, node.value)

    def _of_ifexp(self, scope: Scope, node: ast.IfExp) -> Optional[Type]:
        return self._any(scope, [node.body, node.orelse])

    def _of_boolop(self, scope: Scope, node: ast.BoolOp) -> Optional[Type]:
        return self._any(scope, node.values)

    def _of_list(self, scope: Scope, node: ast.List) -> Optional[Type]:
        return types.of(ITEMS, self._any(scope, node.elts))

    _of_set = _of_list

    def _of_tuple(self, scope: Scope, node: ast.Tuple) -> Optional[Type]:
        return Type(PARTS, inner=tuple(self.value(scope, part) for part in node.elts))

    def _of_dict(self, scope: Scope, node: ast.Dict) -> Optional[Type]:
        return types.of(VALUES, self._any(scope, node.values)) if None not in node.keys else None

    def _of_listcomp(self, scope: Scope, node: ast.ListComp) -> Optional[Type]:
        return types.of(ITEMS, self.value(self.scope_of(node) or scope, node.elt))

    _of_setcomp = _of_generatorexp = _of_listcomp

    def _of_dictcomp(self, scope: Scope, node: ast.DictComp) -> Optional[Type]:
        return types.of(VALUES, self.value(self.scope_of(node) or scope, node.value))

    def _of_subscript(self, scope: Scope, node: ast.Subscript) -> Optional[Type]:
        made, index = self.value(scope, node.value), node.slice
        if made is None:
            return None
        if isinstance(index, ast.Slice):
            return made if made.form == ITEMS else None
        if made.form == PARTS:
            place = index.value if isinstance(index, ast.Constant) else None
            known = type(place) is int and -len(made.inner) <= place < len(made.inner)
            part = made.inner[place] if known and isinstance(place, int) else types.agreed(made.inner)
            return part.but(made.doubt) if part is not None else None
        return made.item if made.form in (ITEMS, VALUES) else None

    def _of_name(self, scope: Scope, node: ast.Name) -> Optional[Type]:
        return self.agreed(self.names.lookup(scope, node.id))

    def _of_attribute(self, scope: Scope, node: ast.Attribute) -> Optional[Type]:
        made = self.value(scope, node.value)
        if made is not None and made.form in (INSTANCE, CLASS):
            # What a renamed method gives is what its new name gives: it is rewritten, and what is called on that, in one run.
            return self._attribute(made, self.receivers.targets.members.renamed_method(made.path, node.attr))
        path = self.receivers.path(scope, node)
        return self._global(path) if path else None

    def _of_call(self, scope: Scope, node: ast.Call) -> Optional[Type]:
        func = node.func
        if isinstance(func, ast.Name) and not self.names.lookup(scope, func.id):
            return self._built_in(scope, func.id, node)
        built = self.receivers.built(self.receivers.path(scope, func)) if isinstance(func, (ast.Name, ast.Attribute)) else ""
        if built:
            return Type(INSTANCE, built)
        if isinstance(func, ast.Attribute):
            given = self._of_container(self.value(scope, func.value), func.attr)
            if given is not None:
                return given
            if self.receivers.path(scope, func) in ("copy.copy", "copy.deepcopy") and node.args:
                return self.value(scope, node.args[0])
        made = self.value(scope, func)
        if made is None:
            return None
        if made.form == CLASS:
            return Type(INSTANCE, made.path, doubt=made.doubt)
        if made.form == CALLED:
            return made.item
        if made.form == FUNCTION and made.owner is not None:
            given = made.owner.returned(made)
            return given.but(made.doubt) if given is not None else None
        return None

    def _built_in(self, scope: Scope, name: str, node: ast.Call) -> Optional[Type]:
        """What a builtin function returns of its first argument."""
        made = self.value(scope, node.args[0]) if node.args else None
        item = self._iterated(made)
        if name in _SAME_ITEMS:
            return types.of(ITEMS, item)
        if name in ("next", "anext", "max", "min"):
            return item if len(node.args) == 1 or name == "next" else None
        if name == "enumerate" and item is not None:
            return Type(ITEMS, inner=(Type(PARTS, inner=(None, item)),))
        if name == "zip":
            return Type(ITEMS, inner=(Type(PARTS, inner=tuple(self._iterated(self.value(scope, arg)) for arg in node.args)),))
        return None

    def _of_container(self, made: Optional[Type], name: str) -> Optional[Type]:
        """What a method of a container returns."""
        if made is None:
            return None
        if name == "copy" and made.form in (ITEMS, VALUES):
            return made
        if made.form == ITEMS and name in ("pop", "popleft"):
            return made.item
        if made.form == VALUES:
            if name == "values":
                return types.of(ITEMS, made.item)
            if name == "items":
                return Type(ITEMS, inner=(Type(PARTS, inner=(None, made.item)),))
            if name in ("get", "pop", "setdefault", "__getitem__"):
                return made.item
        return None

    def _iterated(self, made: Optional[Type]) -> Optional[Type]:
        if made is None:
            return None
        if made.form == ITEMS:
            return made.item
        return types.agreed(made.inner) if made.form == PARTS else None

    def _any(self, scope: Scope, nodes: list[ast.expr]) -> Optional[Type]:
        return types.agreed(self.value(scope, node) for node in nodes if not is_none(node))

    # -- names

    def agreed(self, bindings: list[Binding]) -> Optional[Type]:
        return types.agreed(self.bound(binding) for binding in bindings if not is_none(binding.value))

    def bound(self, binding: Binding) -> Optional[Type]:
        """The type that a binding gives its name."""
        node = binding.node
        if binding.statement is not None:
            path = binding.path
            if path and not self.receivers.as_written and path.partition(".")[0] in self.receivers.targets.tops:
                path = self.receivers.targets.spelt(self.receivers.targets.canonical_dotted(path))
            return self._global(path) if path else None
        if binding.path == "<self>":
            holder = binding.scope.parent
            return Type(INSTANCE, self.path_of(holder)) if holder is not None and holder.form == "class" else None
        if isinstance(node, ast.ClassDef):
            scope = self.scope_of(node)
            return Type(CLASS, self.path_of(scope)) if scope is not None else None
        if isinstance(node, FUNCTIONS):
            return Type(FUNCTION, function=node, owner=self)
        if binding.annotation is not None:
            return self.annotated(binding.scope, binding.annotation)
        if isinstance(node, ast.arg):
            return self._first_of_class(binding, node)
        if binding.value is not None:
            made = self.value(binding.scope, binding.value)
            return made.but(CHANGED) if made is not None and made.form in (ITEMS, VALUES) and is_open(binding.value) else made
        return self._target(binding.scope, node) if isinstance(node, (ast.Name, ast.Attribute)) else None

    def _first_of_class(self, binding: Binding, node: ast.arg) -> Optional[Type]:
        """``cls`` of a class method."""
        function, holder = binding.scope.node, binding.scope.parent
        if not isinstance(function, FUNCTIONS) or holder is None or holder.form != "class":
            return None
        first = [*function.args.posonlyargs, *function.args.args][:1]
        is_first = bool(first) and first[0] is node and "classmethod" in decorators(function)
        return Type(CLASS, self.path_of(holder)) if is_first else None

    def _target(self, scope: Scope, node: ast.AST) -> Optional[Type]:
        """The type of what a loop, a ``with`` or an unpacking assigns to a target."""
        parent = self.names.parents.get(node)
        if isinstance(parent, (ast.Tuple, ast.List)):
            whole = self._target(scope, parent)
            if whole is None or any(isinstance(part, ast.Starred) for part in parent.elts):
                return None
            if whole.form == PARTS and len(whole.inner) == len(parent.elts):
                part = whole.inner[parent.elts.index(node)]  # type: ignore[arg-type]
                return part.but(whole.doubt) if part is not None else None
            return self._iterated(whole)
        if isinstance(parent, (ast.For, ast.AsyncFor, ast.comprehension)) and parent.target is node:
            return self._iterated(self.value(scope, parent.iter))
        if isinstance(parent, ast.withitem) and parent.optional_vars is node:
            return self._entered(self.value(scope, parent.context_expr))
        if isinstance(parent, ast.Assign):
            return self.value(scope, parent.value)
        return None

    def _entered(self, made: Optional[Type]) -> Optional[Type]:
        """What ``with`` gives of a value."""
        if made is None:
            return None
        if made.form == ENTERED:
            return made.item
        if made.form != INSTANCE:
            return None
        for name in ("__enter__", "__aenter__"):
            entering = self._attribute(made, name)
            if entering is not None and entering.form == FUNCTION and entering.owner is not None:
                given = entering.owner.returned(entering)
                if given is not None and given.form == AWAITED:
                    given = given.item
                return given.but(made.doubt) if given is not None else None
        return made.but(ENTERS)

    # -- attributes

    def _attribute(self, made: Type, name: str, depth: int = 0) -> Optional[Type]:
        """The type of an attribute of a class or of its instances, by its bases too."""
        found = self.class_at(made.path)
        if found is None or depth > _DEPTH:
            return None
        home, scope = found
        bindings = [*scope.members.get(name, ()), *scope.bindings.get(name, ())]
        if bindings:
            told = [binding for binding in bindings if binding.annotation is not None]
            given = home.agreed(told or bindings)
            if given is not None and given.form == FUNCTION:
                given = given._replace(path=made.path)
                if not _PROPERTIES.isdisjoint(decorators(given.function)):
                    given = home.returned(given)
            return given.but(made.doubt) if given is not None else None
        above = [home._attribute(made._replace(path=base), name, depth + 1) for base in home.bases(scope) if base]
        theirs = [one for one in above if one is not None]
        if not theirs:
            return None
        # What a method returns as Self is an instance of the class that it is called on.
        inherited = theirs[0]._replace(path=made.path) if theirs[0].form == FUNCTION else theirs[0]
        return inherited.but(SEVERAL if len(theirs) > 1 else "")

    # -- functions

    def returned(self, made: Type) -> Optional[Type]:
        """What a call of a function returns; ``path`` of its type is the class that it was called on."""
        function = made.function
        if not isinstance(function, FUNCTIONS) or self._depth > _DEPTH:
            return None
        self.names.complete(function)
        scope = self.scope_of(function)
        if scope is None:
            return None
        marks = decorators(function)
        given: Optional[Type]
        self._depth += 1
        try:
            if function.returns is not None:
                given = self.annotated(scope.parent or scope, function.returns, made.path)
            else:
                given = self._by_returns(function, scope, made.path)
        finally:
            self._depth -= 1
        if given is None:
            return None
        if not marks.isdisjoint(_CONTEXTS):
            return types.of(ENTERED, given.item) if given.form == ITEMS else None
        if isinstance(function, ast.AsyncFunctionDef) and not yields(function):
            given = types.of(AWAITED, given)
        known = marks <= _HARMLESS | _PROPERTIES
        return given if known or given is None else given.but(DECORATED)

    def _by_returns(self, function: Function, scope: Scope, own: str) -> Optional[Type]:
        """The type that all ``return`` statements of a function agree on, or that all its ``yield`` expressions do."""
        returns = [node for node in own_nodes(function) if isinstance(node, ast.Return)]
        given = [node for node in own_nodes(function) if isinstance(node, (ast.Yield, ast.YieldFrom))]
        if given:
            plain = [node.value for node in given if isinstance(node, ast.Yield) and node.value is not None]
            return types.of(ITEMS, self._any(scope, plain)) if len(plain) == len(given) else None
        values = [node.value for node in returns if node.value is not None]
        if own and values and all(is_self(scope, value) for value in values):
            return Type(INSTANCE, own)
        return self._any(scope, values)

    def annotated(self, scope: Scope, node: Optional[ast.AST], own: str = "") -> Optional[Type]:
        """The type that an annotation names; ``own`` is what ``Self`` is."""
        return annotating.annotated(self, scope, node, own)

    # -- other files

    def _global(self, path: str) -> Optional[Type]:
        """The type of what stands at a dotted path."""
        if path in self.receivers.classes:
            return Type(CLASS, path)
        return self.neighbours.at(path) if self.neighbours is not None else None

    def given(self, name: str) -> Optional[Type]:
        """The type of a global name of this file, for others that import it."""
        bindings = self.names.module.bindings.get(name, [])
        if bindings or self.neighbours is None or not name[:1].isupper():
            return self.agreed(bindings)
        # Classes alone are looked for behind star imports: those of a large library lead to all of its modules.
        if name not in self._starred:
            self._starred[name] = None
            stars = (item.module for item in reversed(self.names.imports) if item.name == "*")
            found = (self.neighbours.at(f"{module}.{name}") for module in stars if module)
            self._starred[name] = next((made for made in found if made is not None), None)
        return self._starred[name]
