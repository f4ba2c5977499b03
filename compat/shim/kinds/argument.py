"""Argument: the function takes its legacy arguments too; conflicts are TypeErrors in Python's words."""

from __future__ import annotations

import functools
import inspect
from types import FunctionType

from compat.errors import LegacyExpiredCall

from .. import argument_calls, wires
from ..argument_forms import Forms
from ..forward import ARGUMENT_FILES, PASSING_FILES
from ..function_like import FunctionLike
from ..overriding import record_override, watch
from ..recording import callsite, thread_origin
from ..wires import owner_in
from .kind import Kind, replaced

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from types import FrameType, ModuleType
    from typing import Any

    from compat.ledger import Argument

    from ..recording.funnel import UseRecorder


class ArgumentKind(Kind):
    """Wrapped around the canonical function, or around the constructor of a class: the class stays what it is."""

    __slots__ = ()

    def attach(self, module: ModuleType, path: str, rows: Sequence[tuple[Argument, UseRecorder]]) -> Callable[[], None]:
        """Wrap the function once for all its rows."""
        owner, name = _place(module, path)
        undo = replaced(owner, name, functools.partial(accept, rows=rows, bound=_bound(owner, name)))
        if name == "__init__" and _made_in(owner, "__new__"):
            # A construction gives both the same arguments; it counts in the one that a subclass calls, too.
            silent: list[Any] = [(row, _Silent()) for row, recorder in rows]
            undo_new = replaced(owner, "__new__", functools.partial(accept, rows=silent, bound=1))

            def undo_two() -> None:
                undo_new()
                undo()

            return undo_two
        if not isinstance(owner, type) or name in ("__init__", "__new__"):
            return undo  # subclasses have constructors of their own form
        leave = watch(owner, functools.partial(_overridden, name=name, rows=rows), order=1)

        def undo_both() -> None:
            leave()
            undo()

        return undo_both

    def stand_in(self, owner: Any, name: str, function: Any, rows: Sequence[tuple[Argument, UseRecorder]]) -> None:
        """It takes legacy arguments."""
        accept(function, rows, _bound(owner, name))

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
        takes_rest = any(parameter.kind is inspect.Parameter.VAR_POSITIONAL for parameter in taken.values())
        legacy = {row.argument: row.became for row in rows if row.is_passed_on and row.became != row.argument}
        places = _places(taken, rows, _bound(owner, name))
        for row in rows:
            lacking = [name for name in _named(row) if name not in taken and name not in legacy]
            chain = _chain(row, legacy)
            if len(chain) > 1 and chain[-1] in chain[:-1]:
                yield row, f"the argument leads back to itself: {' -> '.join(chain)}", f"end with what {row.canonical!r} takes"
            elif lacking and not takes_all:
                remedy = "correct became=" if row.became else "correct the name"
                yield row, f"{row.canonical!r} takes no argument {lacking[0]!r}", remedy
            elif row.is_passed_on and not row.became and row.argument in taken:
                yield (
                    row,
                    f"{row.canonical!r} still takes {row.argument!r}",
                    "take the argument off it, or delete the row",
                )
            elif takes_rest and (row.keyword_only or row.position is not None):
                yield (
                    row,
                    f"{row.canonical!r} takes any number of positional arguments",
                    "leave the position out: it cannot be told",
                )
            elif row.position is not None and row.position >= places:
                yield (
                    row,
                    f"position {row.position} is beyond the {places} that {row.canonical!r} took",
                    "count from 0, without self",
                )
            elif any(taken[name].kind is not inspect.Parameter.KEYWORD_ONLY for name in row.keyword_only if name in taken):
                yield row, f"{row.canonical!r} still takes them by position", "make them keyword-only, or delete the row"


def _places(taken: Mapping[str, inspect.Parameter], rows: Sequence[Argument], bound: int) -> int:
    """How many positional arguments the function took by all that its rows say."""
    kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    renamed = {row.became for row in rows if row.position is not None}
    now = [name for name, parameter in taken.items() if parameter.kind in kinds][bound:]
    once = {row.argument for row in rows if row.position is not None}.union(*(row.keyword_only for row in rows))
    return len({*now, *once} - renamed | {name for name in once if name in renamed})


def _chain(row: Argument, became: Mapping[str, str | None]) -> list[str]:
    """What an argument became in turn, up to the first name that comes again."""
    chain, at = [row.argument], became.get(row.argument)
    while at and at not in chain:
        chain.append(at)
        at = became.get(at)
    return [*chain, at] if at else chain


class _Silent:
    """A recorder that records nothing."""

    raises = False

    def __init__(self) -> None:
        self.hot: dict[int, Any] = {}

    def refusal(self, kind: str, frame: FrameType | None) -> None:
        """Nothing is counted."""

    def skip(self, frame: FrameType) -> None:
        """Nothing is remembered."""


def _made_in(kind: type, maker: str) -> bool:
    """Whether a class has a constructor of its own in Python under a name."""
    for base in kind.__mro__:
        if maker in vars(base) and base.__flags__ & _HEAP_TYPE:
            return isinstance(getattr(vars(base)[maker], "__func__", vars(base)[maker]), FunctionType)
    return False


def _named(row: Argument) -> tuple[str, ...]:
    """The arguments in the present form that a row names."""
    if row.became:
        return (row.became,)
    own = (row.argument,) if row.argument and not row.is_passed_on else ()
    return (*own, *row.keyword_only, *row.together, *row.order)


_HEAP_TYPE = 1 << 9


def _bound(owner: Any, name: str) -> int:
    """How many parameters of a function the interpreter passes."""
    if not isinstance(owner, type):
        return 0
    raw = next((vars(base)[name] for base in owner.__mro__ if name in vars(base)), None)
    return 0 if isinstance(raw, staticmethod) and name != "__new__" else 1


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


def _overridden(
    cls: Any, frame: FrameType | None, *, name: str, rows: Sequence[tuple[Argument, UseRecorder]]
) -> Callable[[], None] | None:
    """An overriding method: one in the old form is counted, and takes the new one too; one in the new form takes the old one."""
    raw = vars(cls).get(name)
    if not isinstance(getattr(raw, "__func__", raw), FunctionType):
        return None
    taken = inspect.signature(raw.__func__ if isinstance(raw, (staticmethod, classmethod)) else raw).parameters
    if any(one.kind is inspect.Parameter.VAR_KEYWORD for one in taken.values()):
        return None  # it takes both
    turned: dict[str, str] = {}
    present: list[Any] = []
    for row, recorder in rows:
        if row.is_passed_on and row.argument in taken and (row.became is None or row.became not in taken):
            record_override(recorder, raw, frame)
            if row.became and not row.convert:
                turned[row.became] = row.argument
        elif row.argument not in taken and row.is_passed_on and (row.became is None or row.became in taken):
            present.append((row.replace(position=None), recorder))
    if turned:
        return replaced(cls, name, functools.partial(_turned, names=turned))
    if present:
        bound = _bound(cls, name)
        return replaced(cls, name, functools.partial(accept, rows=present, bound=bound))
    return None


def _turned(function: Callable[..., Any], names: dict[str, str]) -> Any:
    """A method that takes its arguments by their old names, called by the new ones."""

    def call(*args: Any, **kwargs: Any) -> Any:
        for new, old in names.items():
            if new in kwargs:
                if old in kwargs:
                    raise TypeError(f"{function.__qualname__}() got multiple values for argument {new!r}")
                kwargs[old] = kwargs.pop(new)
        return function(*args, **kwargs)

    wrapper: Any = FunctionLike.of(call, function) if _is_special(function) else call
    return functools.update_wrapper(wrapper, function)


def _is_special(function: Any) -> bool:
    return inspect.iscoroutinefunction(function) or inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function)


def _caller(depth: int) -> FrameType | None:
    return callsite.beyond(callsite.stack_top(depth + 1), PASSING_FILES)


def accept(function: Callable[..., Any], rows: Sequence[tuple[Argument, UseRecorder]], bound: int = 0) -> Any:
    """Wrap a function so that it takes legacy arguments too; each use of one is counted and warned at the caller's line.

    Calls in the new form are passed on as they are. An argument in both forms raises ``TypeError``, as giving it twice does.
    """
    forms = Forms(function, rows, bound)
    legacy, limit, always = forms.legacy, forms.limit, forms.always

    def translated(*given: Any) -> Any:
        args, kwargs = argument_calls.as_given(*given)
        try:
            args, kwargs = forms.translate(args, kwargs, _caller(2))
        except LegacyExpiredCall as error:
            raise error.with_traceback(None) from None
        return function(*args, **kwargs)

    def call(*args: Any, **kwargs: Any) -> Any:
        if always or len(args) > limit or not legacy.isdisjoint(kwargs):
            args, kwargs = forms.translate(args, kwargs, _caller(1))
        return function(*args, **kwargs)

    made: Any = wires.adopt(function, argument_calls.generated(function, forms, translated) or call)
    if forms.signature is not None:
        made.__signature__ = forms.signature  # for those who do not ask what it wraps
    wrapper: Any = FunctionLike.of(made, function) if _is_special(function) else made
    functools.update_wrapper(wrapper, function)
    wrapper.__compat_again__ = functools.partial(accept, rows=rows, bound=bound)
    return wrapper


for passing in (_turned, accept):
    wires.unseen(passing, argument_calls.FILE)
ARGUMENT_FILES.add(argument_calls.FILE)
PASSING_FILES.update(ARGUMENT_FILES)
thread_origin.FILES.update(ARGUMENT_FILES)

KIND = ArgumentKind()
