"""Tells calls in the present form where more than names and the number of arguments tells a legacy one."""

from __future__ import annotations

import sys
from types import FunctionType

from .. import wires
from ..wires import MISSING

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from types import CodeType
    from typing import Any

    Asked = Callable[[tuple[Any, ...], dict[str, Any]], bool]


def _judged_code(*args: Any, **kwargs: Any) -> Any:
    if (
        (kwargs and not _compat_legacy.isdisjoint(kwargs))  # type: ignore[name-defined]  # noqa: F821
        or _compat_len(args) > _compat_limit  # type: ignore[name-defined]  # noqa: F821
        or _compat_asked(args, kwargs)  # type: ignore[name-defined]  # noqa: F821
    ):
        return _compat_tripped(args, kwargs)  # type: ignore[name-defined]  # noqa: F821
    for _ in _compat_steps:  # type: ignore[name-defined]  # noqa: F821
        return _compat_function(*args, **kwargs)  # type: ignore[name-defined]  # noqa: F821
    return _compat_tripped(args, kwargs)  # type: ignore[name-defined]  # noqa: F821


_JUDGED: CodeType = wires.unseen(_judged_code).__code__


def judge(raw: Any, rows: Sequence[Any], bound: int) -> tuple[CodeType, dict[str, Any]]:
    """The code that stands by for a function, and what it asks.

    ``bound`` is how many parameters the interpreter passes. What cannot be told is taken for a legacy form.
    """
    names = {name for row in rows for name in (*row.several, *((row.argument,) if row.is_passed_on else ()))}
    taken = _unwrapped(getattr(raw, "__func__", raw))
    if taken is None:
        return wires.ARGUMENT, {"_compat_legacy": frozenset(names), "_compat_limit": -1}
    code = taken.__code__
    positional = code.co_varnames[: code.co_argcount]
    limit = sys.maxsize if code.co_flags & 0x4 else code.co_argcount
    tests: list[Asked] = []
    for row in rows:
        if row.order:
            same = 0
            for one, other in zip(positional[bound:], row.order):
                if one != other:
                    break
                same += 1
            limit = min(limit, bound + same)
        elif row.convert and row.became in positional and (row.became == row.argument or row.position is not None):
            limit = min(limit, positional.index(row.became))
        elif row.values:
            tests.append(_has_value(positional, row.argument, [old for old, _new in row.values]))
        elif row.together:
            tests.append(_has_all(positional, row.together))
        elif row.default or row.was:
            tests.append(_lacks(positional, row.argument))
    asked = {"_compat_asked": lambda args, kwargs: any(test(args, kwargs) for test in tests)} if tests else {}
    return _JUDGED if tests else wires.ARGUMENT, {"_compat_legacy": frozenset(names), "_compat_limit": limit, **asked}


def _unwrapped(function: Any) -> Any:
    """The function whose parameters :func:`inspect.signature` shows; ``None`` where it is another's word."""
    seen = 0
    while type(function) is FunctionType and "__signature__" not in vars(function) and seen < 100:
        if "__wrapped__" not in vars(function):
            return function
        function = vars(function)["__wrapped__"]
        seen += 1
    return None


def _given(positional: Sequence[str], name: str) -> Callable[[tuple[Any, ...], dict[str, Any]], Any]:
    at = positional.index(name) if name in positional else sys.maxsize
    return lambda args, kwargs: args[at] if at < len(args) else kwargs.get(name, MISSING)


def _has_value(positional: Sequence[str], name: str, values: Sequence[Any]) -> Asked:
    given = _given(positional, name)

    def asked(args: tuple[Any, ...], kwargs: dict[str, Any]) -> bool:
        value = given(args, kwargs)
        return any(value is old or (type(value) is type(old) and value == old) for old in values)

    return asked


def _has_all(positional: Sequence[str], names: Sequence[str]) -> Asked:
    given = [_given(positional, name) for name in names]
    return lambda args, kwargs: all(one(args, kwargs) is not MISSING for one in given)


def _lacks(positional: Sequence[str], name: str) -> Asked:
    given = _given(positional, name)
    return lambda args, kwargs: given(args, kwargs) is MISSING


def watch_override(cls: Any, name: str, rows: Sequence[Any]) -> bool:
    """Stand by for a method that overrides one with legacy arguments; return whether it is in the present form."""
    function = getattr(vars(cls)[name], "__func__", vars(cls)[name])
    if type(function) is not FunctionType or vars(function) or wires.is_wire(function):
        return False
    code = function.__code__
    if code.co_flags & 0x8:
        return True  # it takes both forms
    taken = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
    present = []
    for row in rows:
        is_new = row.became is None or row.became in taken
        if row.is_passed_on and row.argument in taken and (row.became is None or not is_new):
            return False
        if row.is_passed_on and row.argument not in taken and is_new:
            present.append(row)
    if present:
        wires.watch_arguments(cls, name, (cls.__module__, f"{cls.__qualname__}.{name}"), present)
    return True
