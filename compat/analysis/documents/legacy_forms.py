"""Legacy members and legacy argument forms as definitions in a stub, made from the definitions that serve them."""

from __future__ import annotations

import ast
import copy
import sys
from typing import TYPE_CHECKING, Optional, Union

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import Callable

    from compat.ledger import Argument, Move

    Function = Union[ast.FunctionDef, ast.AsyncFunctionDef]

_BINDING = frozenset(("staticmethod", "classmethod"))
_PROPERTIES = frozenset(("property", "cached_property", "legacy_property"))


def names_of(function: Function) -> list[str]:
    """The names of a function's decorators, without modules and arguments."""
    nodes = [node.func if isinstance(node, ast.Call) else node for node in function.decorator_list]
    return [getattr(node, "attr", getattr(node, "id", "")) for node in nodes]


def member(row: Move, owner: ast.ClassDef, say: Callable[[Move, str], str]) -> str:
    """The definition of a member that is gone from a class that stays: with the kind and the signature of what replaces it."""
    name = row.attribute.rpartition(".")[2]
    home, _, new = row.canonical.partition(":")[2].rpartition(".")
    is_own = home == row.attribute.rpartition(".")[0]
    found = [item for item in owner.body if isinstance(item, (ast.FunctionDef, ast.AsyncFunctionDef)) and item.name == new]
    if not is_own or len(found) != 1:
        returns = "NoReturn" if row.is_tombstone else "Any"
        return f"@deprecated({say(row, 'call')!r})\ndef {name}(self, *args: Any, **kwargs: Any) -> {returns}: ..."
    made = copy.deepcopy(found[0])
    made.name = name
    words = names_of(made)
    kept = [word for word in words if word in _BINDING]
    if row.was_read or (not row.was_called and _PROPERTIES.intersection(words)):
        kept.append("property")
        made.args = _only_self(made.args)
    return definition(made, kept, say(row, "attribute" if "property" in kept else "call"))


def definition(function: Function, decorators: Iterable[str], said: str) -> str:
    """A function without its body, deprecated with a sentence; innermost, where checkers see it on properties, too."""
    made = copy.deepcopy(function)
    made.decorator_list = [ast.Name(word, ast.Load()) for word in decorators]
    made.decorator_list.append(ast.Call(ast.Name("deprecated", ast.Load()), [ast.Constant(said)], []))
    made.body = [ast.Expr(ast.Constant(...))]
    args = made.args
    defaulted = [*args.posonlyargs, *args.args][-len(args.defaults) or sys.maxsize :]
    for arg in (*defaulted, *(arg for arg, default in zip(args.kwonlyargs, args.kw_defaults) if default is not None)):
        # Checkers would take the default for the type.
        arg.annotation = arg.annotation or ast.Name("Any", ast.Load())
    return ast.unparse(ast.fix_missing_locations(made))


def overloads(rows: Sequence[tuple[Argument, str]], function: Function) -> list[str]:
    """The deprecated overloads of a function: one for each row that a signature can express, and one for all of them."""
    words = names_of(function)
    if not _BINDING.issuperset(words):
        return []
    made: list[tuple[Function, str]] = []
    whole: Function = copy.deepcopy(function)
    for row, said in rows:
        changed = _changed(row, function)
        if changed is None:
            continue
        made.append((changed, said))
        whole = _changed(row, whole) or whole
    if len(made) > 1:
        made.append((whole, made[0][1]))
    return [definition(changed, ["overload", *words], said) for changed, said in made]


class _Parameters:
    """The parameters of a function, to be taken out and put in one by one; ``None`` as a default: it is required."""

    def __init__(self, args: ast.arguments) -> None:
        self.args = args
        positional = [*args.posonlyargs, *args.args]
        missing: list[Optional[ast.expr]] = [None] * (len(positional) - len(args.defaults))
        self.positional = [*zip(positional, [*missing, *args.defaults])]
        self.words = [*zip(args.kwonlyargs, args.kw_defaults)]

    def get(self, name: str) -> Optional[ast.arg]:
        return next((arg for arg, _default in (*self.positional, *self.words) if arg.arg == name), None)

    def without(self, name: str) -> None:
        """Take one out; those that follow it by position can only be named then."""
        place = next((index for index, (arg, _default) in enumerate(self.positional) if arg.arg == name), None)
        if place is not None:
            self.words[:0] = self.positional[place + 1 :]
            del self.positional[place:]
        self.words = [pair for pair in self.words if pair[0].arg != name]

    def build(self) -> ast.arguments:
        count = min(len(self.args.posonlyargs), len(self.positional))
        args = [arg for arg, _default in self.positional]
        return ast.arguments(
            posonlyargs=args[:count],
            args=args[count:],
            vararg=self.args.vararg,
            kwonlyargs=[arg for arg, _default in self.words],
            kw_defaults=[default for _arg, default in self.words],
            kwarg=self.args.kwarg,
            defaults=[default for _arg, default in self.positional if default is not None],
        )


def _changed(row: Argument, function: Function) -> Optional[Function]:
    """A function as it was called before a row; ``None`` where no signature tells the two apart."""
    if row.order or row.values or row.together or row.was or row.position is not None:
        return None
    made = copy.deepcopy(function)
    parameters = _Parameters(made.args)
    anything = ast.Name("Any", ast.Load())
    if row.keyword_only:
        moved = [pair for name in row.keyword_only for pair in parameters.words if pair[0].arg == name]
        if len(moved) != len(row.keyword_only) or made.args.vararg is not None:
            return None
        has_defaults = any(default is not None for _arg, default in parameters.positional)
        parameters.words = [pair for pair in parameters.words if pair not in moved]
        for arg, default in moved:
            has_defaults = has_defaults or default is not None
            parameters.positional.append((arg, default or (ast.Constant(...) if has_defaults else None)))
    elif row.several:
        if row.became:
            parameters.without(row.became)
        parameters.words += [(ast.arg(name, anything), ast.Constant(...)) for name in row.several]
    elif row.default:
        parameters.without(row.argument)
    elif row.became == row.argument:
        found = parameters.get(row.argument)
        if found is None or found.annotation is None:
            return None  # anything is taken already
        found.annotation = anything
    else:
        found = parameters.get(row.became) if row.became else None
        if row.became and found is None:
            return None
        annotation = found.annotation if found is not None and not row.convert else anything
        if row.became:
            parameters.without(row.became)
        parameters.words.append((ast.arg(row.argument, annotation), None))
    made.args = parameters.build()
    return made


def _only_self(args: ast.arguments) -> ast.arguments:
    positional = [*args.posonlyargs, *args.args][:1]
    return ast.arguments(posonlyargs=[], args=positional, vararg=None, kwonlyargs=[], kw_defaults=[], kwarg=None, defaults=[])
