"""Read a replacement from the body of a thin wrapper: a legacy function whose body is one call of the new one."""

from __future__ import annotations

import ast
import builtins
import copy
from functools import lru_cache
from typing import TYPE_CHECKING, Optional, Union

from compat.ledger.templates import Need, NotCode, Template, parsed

from ...targets.adapters import imported_from, parse_module

if TYPE_CHECKING:
    from collections.abc import Iterator

    Function = Union[ast.FunctionDef, ast.AsyncFunctionDef]

_MARK = "_compat_given_"
#: Decorators under which calling a function still runs its body.
_HARMLESS = frozenset(("deprecated", "Deprecated", "legacy_method", "legacy_property", "staticmethod", "property", "override"))


def find(path: str) -> Optional[tuple[str, ast.Module, Function, bool]]:
    """The function at ``"module:function"`` or ``"module:Class.method"``: module, its tree, the definition, and whether it is a
    method; ``None`` where no source defines it there."""
    module, _, attribute = path.partition(":")
    tree = parse_module(module)
    body = tree.body if tree is not None else []
    words = attribute.split(".")
    for depth, word in enumerate(words):
        found = [node for node in body if getattr(node, "name", "") == word]
        if len(found) != 1 or tree is None:
            return None
        node = found[0]
        if isinstance(node, ast.ClassDef):
            body = node.body
        elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and depth == len(words) - 1:
            return module, tree, node, depth > 0
        else:
            return None
    return None


def parameters(function: Function, *, is_method: bool) -> ast.arguments:
    """The parameters that a caller gives: those of a method without the object."""
    made = copy.deepcopy(function.args)
    if is_method and "staticmethod" not in decorators(function):
        if made.posonlyargs:
            del made.posonlyargs[0]
        elif made.args:
            del made.args[0]
    return made


def decorators(function: Function) -> list[str]:
    """The names of a function's decorators, without modules and arguments."""
    found = []
    for node in function.decorator_list:
        node = node.func if isinstance(node, ast.Call) else node
        found.append(node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", ""))
    return found


def read(path: str, *, of_adapter: bool = False) -> Template:
    """The template that a thin wrapper's body is; raise :class:`NotCode` where it is no thin wrapper.

    Only of a method of an adapter, ``self.canonical`` is the object that the call is made on.
    """
    found = find(path)
    if found is None:
        raise NotCode("its source is not found", "give replacement=")
    module, tree, function, is_method = found
    if not set(decorators(function)) <= _HARMLESS:
        raise NotCode("a decorator changes what calling it does", "give replacement=")
    value, gives_nothing = _value(function)
    own = function.args.posonlyargs + function.args.args
    receiver = own[0].arg if is_method and own and "staticmethod" not in decorators(function) else ""
    value = _Marker([*_names(function.args)], receiver, of_adapter=of_adapter).visit(copy.deepcopy(value))
    marks = {f"{_MARK}{name}": name for name in [*_names(function.args), "self"] if name != receiver or name == "self"}
    made = parsed(ast.unparse(ast.fix_missing_locations(value)), marks)
    made.parameters = parameters(function, is_method=is_method)
    made.is_async = isinstance(function, ast.AsyncFunctionDef)
    made.is_property = bool({"property", "legacy_property"} & set(decorators(function)))
    made.gives_nothing = gives_nothing
    for _start, _end, name in made.reads:
        need = _need(tree, module, name)
        if need is not None:
            made.needs[name] = need
    _only_public(made)
    return made


def _only_public(made: Template) -> None:
    words = [node.attr for node in ast.walk(made.tree) if isinstance(node, ast.Attribute)]
    for need in made.needs.values():
        words += [*need.module.split("."), need.name]
    for word in words:
        if word.startswith("_") and not word.endswith("__"):
            raise NotCode(f"its body uses {word}, which is private", "give replacement=")


def _value(function: Function) -> tuple[ast.expr, bool]:
    """The one expression that a function's body is, and whether its value is dropped."""
    body = function.body
    if isinstance(body[0], ast.Expr) and isinstance(body[0].value, ast.Constant) and isinstance(body[0].value.value, str):
        body = body[1:]
    if len(body) != 1 or not isinstance(body[0], (ast.Return, ast.Expr)) or body[0].value is None:
        raise NotCode("its body is more than one expression", "give replacement=")
    value = body[0].value
    inner = value.value if isinstance(value, ast.Await) else value
    is_property = bool({"property", "legacy_property"} & set(decorators(function)))
    if not isinstance(inner, (ast.Call, ast.Attribute) if is_property else ast.Call):
        raise NotCode("its body is no call of what replaces it", "give replacement=")
    return value, isinstance(body[0], ast.Expr)


def _names(arguments: ast.arguments) -> list[str]:
    every = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs, arguments.vararg, arguments.kwarg]
    return [item.arg for item in every if item is not None]


class _Marker(ast.NodeTransformer):
    """Turn parameters into places; the object of a method, or of an adapter what it stands for, into ``{self}``."""

    def __init__(self, names: list[str], receiver: str, *, of_adapter: bool) -> None:
        self.names, self.receiver, self.of_adapter = names, receiver, of_adapter

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        if isinstance(node.value, ast.Name) and node.value.id == self.receiver and self.receiver:
            if self.of_adapter and node.attr == "canonical":
                return ast.Name(f"{_MARK}self", ast.Load())
            # An adapter passes on to its canonical object what it does not define.
            node.value = ast.Name(f"{_MARK}self", ast.Load())
            return node
        return self.generic_visit(node)

    def visit_Name(self, node: ast.Name) -> ast.AST:
        if node.id == self.receiver and self.receiver:
            if self.of_adapter:
                raise NotCode("its body hands on the adapter itself", "give replacement=")
            return ast.Name(f"{_MARK}self", ast.Load())
        return ast.Name(f"{_MARK}{node.id}", ast.Load()) if node.id in self.names else node


def _need(tree: ast.Module, module: str, name: str) -> Optional[Need]:
    """What a name of a module's function is bound to there; ``None`` for a builtin."""
    found = _bindings(tree).get(name, [])
    if not found:
        if hasattr(builtins, name):
            return None
        raise NotCode(f"nothing binds {name}", "give replacement=")
    if len(found) > 1:
        raise NotCode(f"{name} is bound more than once", "give replacement=")
    node = found[0]
    if isinstance(node, ast.Import):
        alias = next(alias for alias in node.names if (alias.asname or alias.name.partition(".")[0]) == name)
        return Need(name, alias.name)
    if isinstance(node, ast.ImportFrom):
        return Need(name, *(imported_from(tree, module, name) or ("", name)))
    return Need(name, module, name)


@lru_cache(maxsize=64)
def _bindings(tree: ast.Module) -> dict[str, list[ast.AST]]:
    """The nodes that bind each name of a module: imports, definitions, and names that are assigned or deleted."""
    found: dict[str, list[ast.AST]] = {}
    for name, node in _bound(tree):
        found.setdefault(name, []).append(node)
    return found


def _bound(node: ast.AST) -> Iterator[tuple[str, ast.AST]]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, (ast.Import, ast.ImportFrom)):
            for alias in child.names:
                yield alias.asname or alias.name.partition(".")[0], child
        elif isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            yield child.name, child
            yield from ((name, child) for name in _declared_global(child))
        elif isinstance(child, ast.Name):
            if not isinstance(child.ctx, ast.Load):
                yield child.id, child
        elif isinstance(child, ast.ExceptHandler) and child.name:
            yield child.name, child
            yield from _bound(child)
        elif not isinstance(child, (ast.Lambda, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)):
            yield from _bound(child)


def _declared_global(node: ast.AST) -> Iterator[str]:
    for inner in ast.walk(node):
        if isinstance(inner, ast.Global):
            yield from inner.names
