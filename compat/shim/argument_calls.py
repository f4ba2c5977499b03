"""The functions that stand in place of those with legacy arguments: generated with the signature in force and the legacy names.

A call in the present form costs little more than one more call. Legacy arguments, and positions beyond the last, are parameters
too, whose default tells that they were not given; where one was, :mod:`.argument_forms` translates the call.
"""

from __future__ import annotations

import inspect
import keyword
import types

from . import wires
from .recording import callsite

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import CodeType
    from typing import Any

    from .argument_forms import Forms

    Given = tuple[tuple[str, Any], ...]


class _Missing:
    """The default of a parameter that was not given."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "<not given>"


MISSING: Any = _Missing()
FILE = f"<compat argument {callsite.UNSEEN}>"
_compiled: dict[str, CodeType] = {}


def generated(function: Any, forms: Forms, translated: Callable[..., Any]) -> Any:
    """The function to put in place of ``function``; ``None`` where only one will do that sees its arguments as they are given.

    For a call in a legacy form ``translated`` is called with what :func:`as_given` takes.
    """
    if type(function) is not types.FunctionType or forms.always or forms.orders or forms.in_place:
        return None
    code = function.__code__
    names, count, after = code.co_varnames, code.co_argcount, code.co_argcount + code.co_kwonlyargcount
    positional, named, legacy = names[:count], names[count:after], sorted(forms.legacy)
    given = (*positional, *named, *legacy)
    if (
        code.co_flags & inspect.CO_VARKEYWORDS
        or positional[forms.bound :] != forms.positional
        or len({*given}) < len(given)
        or any(not name.isidentifier() or keyword.iskeyword(name) or name.startswith("_compat_") for name in given)
    ):
        return None
    rest = names[after] if code.co_flags & inspect.CO_VARARGS else ""
    # Parameters by keyword only would make each call slower.
    is_simple = not rest and not named
    guards = [f"_compat_{index}" for index in range(max(1, len(forms.former) - len(forms.positional) + 1))] if is_simple else []
    source = _Source(function, forms)
    for index, name in enumerate(positional):
        source.add(name, index >= forms.bound and bool(forms.former), after_default=True)
        if index + 1 == code.co_posonlyargcount:
            source.parameters.append("/")
    unseen = [f"{name}=_compat_M" for name in legacy]
    source.parameters += [f"{name}=_compat_M" for name in guards]
    if not is_simple:
        source.parameters.append(f"*{rest or '_compat_rest'}")
        for name in named:
            source.add(name, bool(forms.former))
    source.parameters += unseen
    passed = [*positional, *([f"*{rest}"] if rest else []), *(f"{name}={name}" for name in named)]
    beyond = "()" if is_simple else rest or "_compat_rest"
    text = source.text(passed, positional, guards, beyond, (*named, *legacy), legacy, bool(rest))
    compiled = _compiled.get(text)
    if compiled is None:
        compiled = _compiled[text] = compile(text, FILE, "exec")
    # No functools.partial: on PyPy it has a frame of its own between this call and the caller's.
    scope = wires.scope_of(function)
    scope.update(source.scope, _compat_t=translated, _compat_s=is_simple)
    exec(_own(compiled), scope)
    return scope[source.name]


def _own(code: CodeType) -> CodeType:
    """A copy of the code, whose ``...`` is what tells that a parameter was not given.

    A constant is read quicker than a global, and code that two functions share is not specialised for what each of them calls.
    """
    constants = (_own(one) if isinstance(one, types.CodeType) else one for one in code.co_consts)
    return code.replace(co_consts=tuple(MISSING if one is ... else one for one in constants))


class _Source:
    """The parts of one generated function."""

    def __init__(self, function: Any, forms: Forms) -> None:
        name = function.__name__
        self.name = name if name.isidentifier() and not keyword.iskeyword(name) else "call"
        count = function.__code__.co_argcount
        self.defaults = dict(zip(function.__code__.co_varnames[:count][::-1], (function.__defaults__ or ())[::-1]))
        self.defaults.update(function.__kwdefaults__ or {})
        #: What a legacy form may supply, and so need not be given.
        self.supplied = {row.became for row, _ in (*forms.by_name.values(), *forms.several)}
        self.is_any_supplied = any(row.became is None for row, _ in forms.several)
        self.scope: dict[str, Any] = {"_compat_M": MISSING, "_compat_f": function, "__name__": __name__, "__builtins__": {}}
        self.parameters: list[str] = []
        self.needed: list[str] = []
        self.filled: list[str] = []
        self._has_default = False

    def add(self, name: str, may_lack: bool, *, after_default: bool = False) -> None:
        """Add a parameter of the function itself."""
        has_own = name in self.defaults
        if has_own:
            self.scope[f"_compat_d_{name}"] = self.defaults[name]
        if may_lack or name in self.supplied or self.is_any_supplied or (after_default and self._has_default and not has_own):
            self.parameters.append(f"{name}=_compat_M")
            if has_own:
                self.filled.append(name)
            else:
                self.needed.append(name)
        else:
            self.parameters.append(f"{name}=_compat_d_{name}" if has_own else name)
        self._has_default = self._has_default or "=" in self.parameters[-1]

    def text(
        self,
        passed: list[str],
        positional: tuple[str, ...],
        guards: list[str],
        rest: str,
        by_name: tuple[str, ...],
        legacy: list[str],
        takes_rest: bool,
    ) -> str:
        """The source of the function."""
        asked = [f"{name} is not ..." for name in legacy] + [f"{name} is ..." for name in self.needed]
        if rest != "()" and not takes_rest:
            asked.append(rest)
        order = (*positional, *guards)
        positions, names = ("".join(f"({name!r}, {name})," for name in some) for some in (order, by_name))
        slow = f"return _compat_t(_compat_s, ({positions}), {rest}, ({names}))"
        filled = [f"{name} = _compat_d_{name}" for name in self.filled]
        fill = [f"if {name} is ...: {line}" for name, line in zip(self.filled, filled)]
        beyond = " or ".join([*(f"{name} is not ..." for name in guards), *asked])
        lines = [f"if {beyond}: {slow}", *fill]
        if guards and filled:
            # Where one position is empty, so are those beyond the last: they need not be asked.
            within = [f" if {' or '.join(asked)}: {slow}"] if asked else []
            lines = [f"if {self.filled[0]} is ...:", *within, f" {filled[0]}", f"elif {beyond}: {slow}", *fill[1:]]
        lines.append(f"return _compat_f({', '.join(passed)})")
        return f"def {self.name}({', '.join(self.parameters)}):\n " + "\n ".join(lines) + "\n"


def as_given(is_simple: bool, order: Given, rest: tuple[Any, ...], by_name: Given) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """The arguments of a call from the parameters of a generated function: what was not given stays away."""
    args: list[Any] = []
    named: dict[str, Any] = {}
    is_gap = False
    for name, value in order:
        if value is MISSING:
            is_gap = True
        elif is_gap:
            named[name] = value
        else:
            args.append(value)
    if is_simple and order[-1][1] is not MISSING:
        # More positions than it ever had: what follows them was given by position, too.
        return (*args, *(value for _, value in by_name if value is not MISSING)), named
    named.update((name, value) for name, value in by_name if value is not MISSING)
    return (*args, *rest), named
