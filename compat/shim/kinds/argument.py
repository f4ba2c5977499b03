"""Argument: the function takes its legacy arguments too; conflicts are TypeErrors in Python's words."""

from __future__ import annotations

import functools
import inspect

from ..forward import FunctionLike
from ..recording import callsite, thread_origin
from ..recording.funnel import record
from ..serving.targets import resolve
from .kind import Kind, owner_in, replaced

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from types import FrameType, ModuleType
    from typing import Any

    from compat.ledger import Argument, Move

    from ..recording.funnel import UseRecorder


class ArgumentKind(Kind):
    """Wrapped around the canonical function."""

    __slots__ = ()

    def changed(self, move: Move) -> str:
        """The function itself."""
        return move.canonical

    def attach(self, module: ModuleType, path: str, rows: Sequence[tuple[Argument, UseRecorder]]) -> Callable[[], None]:
        """Wrap the function once for all its rows."""
        owner, name = owner_in(module, path)
        return replaced(owner, name, functools.partial(accept, rows=rows))


def accept(function: Callable[..., Any], rows: Sequence[tuple[Argument, UseRecorder]]) -> Any:
    """Wrap a function so that it takes legacy arguments too; each use of one is counted and warned at the caller's line.

    Calls in the new form are passed on as they are. An argument in both forms raises ``TypeError``, as giving it twice does.
    """
    by_name = {row.argument: (row, recorder) for row, recorder in rows if row.argument and not row.default}
    orders = [(row, recorder) for row, recorder in rows if row.order]
    defaults = [(row, recorder) for row, recorder in rows if row.default]
    legacy = frozenset(by_name)
    name = function.__qualname__

    def call(*args: Any, **kwargs: Any) -> Any:
        if not legacy.isdisjoint(kwargs) or orders or defaults:
            frame = callsite.stack_top(1)
            for row, recorder in orders:
                args, kwargs = _reorder(function, name, row, recorder, args, kwargs, frame)
            if not legacy.isdisjoint(kwargs):
                kwargs = _rename(function, name, by_name, args, kwargs, frame)
            for row, recorder in defaults:
                if not _is_given(function, row.argument, args, kwargs):
                    record(recorder, "argument", frame)
                    supply: Any = resolve(row.default, row.id)
                    kwargs[row.argument] = supply()
        return function(*args, **kwargs)

    special = (
        inspect.iscoroutinefunction(function) or inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function)
    )
    wrapper: Any = FunctionLike.of(call, function) if special else call
    return functools.update_wrapper(wrapper, function)


thread_origin.FILES.add(accept.__code__.co_filename)


def _rename(
    function: Callable[..., Any],
    name: str,
    by_name: dict[str, tuple[Argument, UseRecorder]],
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
    frame: FrameType | None,
) -> dict[str, Any]:
    changed: dict[str, Any] = {}
    for key, value in kwargs.items():
        if key not in by_name:
            changed[key] = value
            continue
        row, recorder = by_name[key]
        if row.convert:
            convert: Any = resolve(row.convert, row.id)
            converted = convert(value)
            if row.became == key and converted is value:
                changed[key] = value  # already in the new form
                continue
            value = converted
        record(recorder, "argument", frame)
        if row.became is None:
            continue
        if row.became != key and (row.became in kwargs or row.became in changed or _is_given(function, row.became, args, {})):
            raise TypeError(f"{name}() got multiple values for argument {row.became!r}")
        changed[row.became] = value
    return changed


@functools.lru_cache(maxsize=1024)
def _positional(function: Callable[..., Any]) -> tuple[str, ...]:
    kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return tuple(key for key, parameter in inspect.signature(function).parameters.items() if parameter.kind in kinds)


def _is_given(function: Callable[..., Any], argument: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> bool:
    return argument in kwargs or argument in _positional(function)[: len(args)]


def _reorder(
    function: Callable[..., Any],
    name: str,
    row: Argument,
    recorder: UseRecorder,
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
    frame: FrameType | None,
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    first = _positional(function)
    keep = 1 if first and first[0] not in row.order and first[0] in ("self", "cls") else 0
    given = args[keep:]
    if not given:
        return args, kwargs
    if len(given) > len(row.order):
        least = len(row.order) + keep
        raise TypeError(f"{name}() takes {least} positional arguments but {len(args)} were given")
    record(recorder, "argument", frame)
    named = dict(kwargs)
    for key, value in zip(row.order, given):
        if key in named:
            raise TypeError(f"{name}() got multiple values for argument {key!r}")
        named[key] = value
    return args[:keep], named


KIND = ArgumentKind()
