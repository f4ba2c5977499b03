"""Apply converters to literals by interpreting their source; no code of a ledger is ever run."""

from __future__ import annotations

import ast
import operator
from typing import Any, Callable

from .adapters import parse_module


class Uncertain(Exception):
    """What a converter makes of a value is not certain; the message says why, as the end of a sentence."""


_SIZE = 100_000
_BUILTINS: dict[str, Callable[..., Any]] = {
    made.__name__: made
    for made in (abs, bool, bytes, dict, divmod, float, frozenset, hex, int, len, list, max, min, oct, ord, pow, repr, reversed)
} | {made.__name__: made for made in (round, set, sorted, str, sum, tuple, zip, chr, any, all, enumerate)}
_METHODS = frozenset(
    (
        "capitalize",
        "casefold",
        "count",
        "endswith",
        "find",
        "get",
        "index",
        "items",
        "join",
        "keys",
        "lower",
        "lstrip",
        "partition",
        "removeprefix",
        "removesuffix",
        "replace",
        "rpartition",
        "rsplit",
        "rstrip",
        "split",
        "splitlines",
        "startswith",
        "strip",
        "swapcase",
        "title",
        "upper",
        "values",
    )
)
_TYPES = {made.__name__: made for made in (bool, bytes, dict, float, frozenset, int, list, set, str, tuple)}
_OPERATORS: dict[type[ast.AST], Callable[..., Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.Pow: operator.pow,
    ast.BitAnd: operator.and_,
    ast.BitOr: operator.or_,
    ast.BitXor: operator.xor,
    ast.USub: operator.neg,
    ast.UAdd: operator.pos,
    ast.Not: operator.not_,
    ast.Invert: operator.invert,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Is: operator.is_,
    ast.IsNot: operator.is_not,
    ast.In: lambda left, right: left in right,
    ast.NotIn: lambda left, right: left not in right,
}


def convert(path: str, value: object) -> object:
    """What the converter at ``"module:function"`` makes of a literal; raise :class:`Uncertain` where that is not certain."""
    module, _, name = path.partition(":")
    try:
        is_builtin = module == "builtins" and name in _BUILTINS
        made = _BUILTINS[name](value) if is_builtin else _Run(module).function(name, value)
        if not _is_literal(made):
            raise Uncertain("makes no literal of it")
    except Uncertain as reason:
        raise Uncertain(f"{path.replace(':', '.')} {reason}") from None
    except Exception as error:
        raise Uncertain(f"{path.replace(':', '.')} raises {type(error).__name__} for it") from None
    return made


def is_literal(node: ast.expr) -> bool:
    """Whether an expression is a literal whose value can be read."""
    try:
        ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError, RecursionError, MemoryError):
        return False
    return True


def _is_literal(value: object) -> bool:
    if value is None or type(value) in (bool, int, float, str, bytes, tuple, list, dict, set):
        try:
            return bool(ast.literal_eval(repr(value)) == value)
        except (ValueError, SyntaxError):
            return False
    return False


class _Run:
    """One computation, bounded in steps and in the size of what it makes."""

    def __init__(self, module: str) -> None:
        self.module = module
        self.steps = 0
        tree = parse_module(module)
        if tree is None:
            raise Uncertain("is not found")
        self.tree = tree

    def function(self, name: str, value: object) -> object:
        for node in self.tree.body:
            if isinstance(node, ast.FunctionDef) and node.name == name:
                arguments = node.args
                every = [*arguments.posonlyargs, *arguments.args]
                if node.decorator_list or len(every) - len(arguments.defaults) > 1 or not every:
                    break
                names: dict[str, object] = {every[0].arg: value}
                for parameter, default in zip(every[1:], arguments.defaults[-len(every) + 1 :] if len(every) > 1 else ()):
                    names[parameter.arg] = ast.literal_eval(default)
                return self.body(node.body, names)[1]
        raise Uncertain("is not a plain function")

    def body(self, nodes: list[ast.stmt], names: dict[str, object]) -> tuple[bool, object]:
        """Run statements: whether they returned, and what."""
        for node in nodes:
            if isinstance(node, ast.Return):
                return True, self.value(node.value, names) if node.value is not None else None
            if isinstance(node, ast.If):
                returned, made = self.body(node.body if self.value(node.test, names) else node.orelse, names)
                if returned:
                    return True, made
            elif isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name):
                names[node.targets[0].id] = self.value(node.value, names)
            elif not isinstance(node, ast.Pass) and not (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)):
                raise Uncertain("does more than compute")
        return False, None

    def value(self, node: ast.expr, names: dict[str, object]) -> Any:
        self.steps += 1
        if self.steps > 1000:
            raise Uncertain("takes too many steps")
        made = self.expression(node, names)
        if isinstance(made, int) and made.bit_length() > 256:
            raise Uncertain("makes too large a number")
        if isinstance(made, (str, bytes, tuple, list, dict, set)) and len(made) > _SIZE:
            raise Uncertain("makes too large a value")
        return made

    def expression(self, node: ast.expr, names: dict[str, object]) -> Any:
        if isinstance(node, ast.Constant):
            return node.value
        if isinstance(node, ast.Name):
            return names[node.id] if node.id in names else self.constant(node.id)
        if isinstance(node, (ast.Tuple, ast.List, ast.Set)):
            items = [self.value(item, names) for item in node.elts]
            return tuple(items) if isinstance(node, ast.Tuple) else items if isinstance(node, ast.List) else set(items)
        if isinstance(node, ast.Dict) and None not in node.keys:
            pairs = zip(node.keys, node.values)
            return {self.value(key, names): self.value(value, names) for key, value in pairs if key is not None}
        if isinstance(node, ast.BinOp):
            return self.binary(node.op, self.value(node.left, names), self.value(node.right, names))
        if isinstance(node, ast.UnaryOp):
            return _OPERATORS[type(node.op)](self.value(node.operand, names))
        if isinstance(node, ast.BoolOp):
            return self.either(node, names)
        if isinstance(node, ast.Compare):
            return self.comparison(node, names)
        if isinstance(node, ast.IfExp):
            return self.value(node.body if self.value(node.test, names) else node.orelse, names)
        if isinstance(node, ast.Subscript):
            return self.value(node.value, names)[self.index(node.slice, names)]
        if isinstance(node, ast.Call):
            return self.call(node, names)
        if isinstance(node, ast.JoinedStr):
            return "".join(self.formatted(part, names) for part in node.values)
        raise Uncertain("does more than compute")

    def binary(self, kind: ast.AST, left: Any, right: Any) -> Any:
        if type(kind) not in _OPERATORS or (isinstance(kind, ast.Mod) and isinstance(left, (str, bytes))):
            raise Uncertain("does more than compute")
        if isinstance(kind, ast.Mult):
            for one, other in ((left, right), (right, left)):
                if hasattr(one, "__len__") and isinstance(other, int) and len(one) * other > _SIZE:
                    raise Uncertain("makes too large a value")
        if isinstance(kind, ast.Pow) and (not isinstance(right, (int, float)) or abs(right) > 64):
            raise Uncertain("makes too large a number")
        return _OPERATORS[type(kind)](left, right)

    def either(self, node: ast.BoolOp, names: dict[str, object]) -> Any:
        made: Any = None
        for part in node.values:
            made = self.value(part, names)
            if bool(made) is isinstance(node.op, ast.Or):
                return made
        return made

    def comparison(self, node: ast.Compare, names: dict[str, object]) -> bool:
        left = self.value(node.left, names)
        for kind, part in zip(node.ops, node.comparators):
            right = self.value(part, names)
            if not _OPERATORS[type(kind)](left, right):
                return False
            left = right
        return True

    def index(self, node: ast.expr, names: dict[str, object]) -> Any:
        if isinstance(node, ast.Slice):
            return slice(*(None if part is None else self.value(part, names) for part in (node.lower, node.upper, node.step)))
        return self.value(node, names)

    def call(self, node: ast.Call, names: dict[str, object]) -> Any:
        if isinstance(node.func, ast.Name) and node.func.id == "isinstance" and len(node.args) == 2:
            return isinstance(self.value(node.args[0], names), self.types(node.args[1], names))
        arguments = [self.value(item, names) for item in node.args]
        words = {word.arg: self.value(word.value, names) for word in node.keywords if word.arg is not None}
        if len(words) != len(node.keywords):
            raise Uncertain("does more than compute")
        if isinstance(node.func, ast.Name) and node.func.id not in names and node.func.id in _BUILTINS:
            if self.is_bound(node.func.id):
                raise Uncertain("calls what is not known")
            if node.func.id == "pow":
                return self.binary(ast.Pow(), *arguments)
            if node.func.id == "bytes" and not isinstance(arguments[0] if arguments else b"", (bytes, str, list, tuple)):
                raise Uncertain("makes too large a value")
            return _BUILTINS[node.func.id](*arguments, **words)
        if isinstance(node.func, ast.Attribute) and node.func.attr in _METHODS:
            holder = self.value(node.func.value, names)
            if type(holder) in (str, bytes, dict, tuple, list):
                return getattr(holder, node.func.attr)(*arguments, **words)
        raise Uncertain("calls what is not known")

    def types(self, node: ast.expr, names: dict[str, object]) -> tuple[type, ...]:
        parts = node.elts if isinstance(node, ast.Tuple) else [node]
        found = [part.id for part in parts if isinstance(part, ast.Name) and part.id in _TYPES and part.id not in names]
        if len(found) != len(parts) or any(self.is_bound(name) for name in found):
            raise Uncertain("calls what is not known")
        return tuple(_TYPES[name] for name in found)

    def formatted(self, part: ast.expr, names: dict[str, object]) -> str:
        if isinstance(part, ast.Constant):
            return str(part.value)
        if isinstance(part, ast.FormattedValue) and part.format_spec is None:
            made = self.value(part.value, names)
            return repr(made) if part.conversion == 114 else ascii(made) if part.conversion == 97 else str(made)
        raise Uncertain("formats in a way that is not computed")

    def is_bound(self, name: str) -> bool:
        """Whether the module itself gives a name a meaning."""
        for node in ast.walk(self.tree):
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)) and node.name == name:
                return True
            if isinstance(node, ast.Name) and node.id == name and not isinstance(node.ctx, ast.Load):
                return True
            if isinstance(node, ast.alias) and name in (node.asname, node.name, "*"):
                return True
        return False

    def constant(self, name: str) -> object:
        """A constant of the module: assigned once, from a literal."""
        found = [
            node
            for node in ast.walk(self.tree)
            if (isinstance(node, ast.Name) and node.id == name and not isinstance(node.ctx, ast.Load))
            or (isinstance(node, ast.Global) and name in node.names)
        ]
        for node in self.tree.body:
            if isinstance(node, ast.Assign) and len(found) == 1 and node.targets == found:
                return ast.literal_eval(node.value)
        raise Uncertain("reads what is not known")
