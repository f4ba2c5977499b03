"""Argument: the function takes its legacy arguments too; conflicts are TypeErrors in Python's words."""

from __future__ import annotations

import functools
import inspect
from types import FunctionType

from ..forward import IN_PLACE_FILES, FunctionLike
from ..recording import callsite, thread_origin
from ..recording.funnel import record
from ..serving.targets import resolve
from .kind import Kind, owner_in, replaced

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from types import FrameType, ModuleType
    from typing import Any

    from compat.ledger import Argument, Move

    from ..recording.funnel import UseRecorder


class ArgumentKind(Kind):
    """Wrapped around the canonical function, or around the constructor of a class: the class stays what it is."""

    __slots__ = ()

    def changed(self, move: Move) -> str:
        """The function itself."""
        return move.canonical

    def attach(self, module: ModuleType, path: str, rows: Sequence[tuple[Argument, UseRecorder]]) -> Callable[[], None]:
        """Wrap the function once for all its rows."""
        return replaced(*_place(module, path), functools.partial(accept, rows=rows))

    def faults(self, module: ModuleType, path: str, rows: Sequence[Argument]) -> Iterator[tuple[Argument, str, str]]:
        """There must be something in Python to wrap, which takes what it is given and does not take what was dropped."""
        owner, name = _place(module, path)
        found = getattr(owner, name)
        if isinstance(found, type) or not callable(found):
            what = "is a class without a constructor in Python" if isinstance(found, type) else "is not callable"
            for row in rows:
                yield row, f"{row.canonical!r} {what}", "name a function, a method or a class as 'module:callable'"
            return
        try:
            taken = inspect.signature(found).parameters
        except (TypeError, ValueError):
            return  # C code that does not tell
        takes_all = any(parameter.kind is inspect.Parameter.VAR_KEYWORD for parameter in taken.values())
        legacy = {row.argument for row in rows}
        for row in rows:
            if row.became and not takes_all and row.became not in taken and row.became not in legacy:
                yield row, f"{row.canonical!r} takes no argument {row.became!r}", "correct became="
            elif row.argument and not row.became and not row.default and row.argument in taken:
                yield (
                    row,
                    f"{row.canonical!r} still takes {row.argument!r}",
                    "take the argument off it, or delete the row",
                )


_HEAP_TYPE = 1 << 9


def _place(module: ModuleType, path: str) -> tuple[Any, str]:
    """What holds the function to wrap, and its name there: for a class it is what constructs its instances."""
    owner, name = owner_in(module, path)
    kind = getattr(owner, name)
    if not isinstance(kind, type):
        return owner, name
    # On PyPy the methods of built-in classes are functions as well; their classes are no heap types.
    for base in (base for base in kind.__mro__ if base.__flags__ & _HEAP_TYPE):
        for maker in ("__init__", "__new__"):
            if isinstance(getattr(vars(base).get(maker), "__func__", vars(base).get(maker)), FunctionType):
                return kind, maker
    return owner, name


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
            if frame is not None and frame.f_code.co_filename in IN_PLACE_FILES:
                frame = frame.f_back
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
        became, value = _last_name(row, value, by_name)
        if became is None:
            continue
        if became != key and (became in kwargs or became in changed or _is_given(function, became, args, {})):
            raise TypeError(f"{name}() got multiple values for argument {became!r}")
        changed[became] = value
    return changed


def _last_name(row: Argument, value: Any, by_name: Mapping[str, tuple[Argument, UseRecorder]]) -> tuple[str | None, Any]:
    """The argument's name and value after those later rows for which the new name is an old one again."""
    passed = {row.argument}
    while row.became is not None and row.became not in passed and row.became in by_name:
        passed.add(row.became)
        row = by_name[row.became][0]
        if row.convert:
            convert: Any = resolve(row.convert, row.id)
            value = convert(value)
    return row.became, value


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
