"""Forwarders: functions generated with the target's own signature that count their caller and call on.

One template per signature shape, compiled once; each forwarder has code and globals of its own, since the interpreter
specialises code by what it calls and reads: shared, it would cost a tenth more wherever two forwarders take turns. A generated
signature costs a third of what ``*args, **kwargs`` costs at each call, and fails in the caller's words when the arguments do
not fit.
"""

from __future__ import annotations

import functools
import inspect
import types

from . import wires
from .function_like import FunctionLike
from .recording import callsite, thread_origin
from .recording.funnel import FILTERS, HOT_GLOBALS, KEY, LateRecorder, UseRecorder, record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType
    from typing import Any

_TEMPLATE = """
def forwarder({parameters}):
    try:
        _fr = _frame(1)
        _code, _cell = _hot[_fr.f_lasti]
        if _code is not _fr.f_code:
            _cell = _hot[{key}]
    except KeyError:
        _slow(_fr)
    except ValueError:
        _slow(None)  # called by no Python code: atexit
    else:
        if {filters} == _snap:
            for _code in _cell:
                break
        else:
            _slow(_fr)
    return {call}
"""
_BUILTINS = {"KeyError": KeyError, "ValueError": ValueError}
_RESERVED = frozenset(("_fn", "_hot", "_slow", "_defaults", "_named", "_fr", "_code", "_cell", *HOT_GLOBALS, *_BUILTINS))
#: The file of forwarders that stand in place of what they call: the call goes on to it as it was written.
IN_PLACE = f"<compat in place {callsite.UNSEEN}>"
_FORWARDER = f"<compat forwarder {callsite.UNSEEN}>"
thread_origin.FILES.update((IN_PLACE, _FORWARDER))
#: The files of all code that passes the call of a user on: to what it stands in place of, or to what it is renamed to.
PASSING_FILES = {IN_PLACE, _FORWARDER, wires.FILE}
#: Those of them that take legacy arguments, and what stands by until something legacy is used.
ARGUMENT_FILES = {wires.FILE}
_codes: dict[tuple[str, str, str], types.CodeType] = {}


def shape(function: Any) -> tuple[str, str]:
    """The parameter list and the matching argument list of a function, as source; ``*args`` where it has none to read.

    Defaults are items of ``_defaults`` and ``_named``, which :func:`made` provides.
    """
    code = getattr(function, "__code__", None)
    if not isinstance(code, types.CodeType):
        return "*args, **kwargs", "*args, **kwargs"
    names = code.co_varnames
    if not _RESERVED.isdisjoint(names) or any(not name.isidentifier() for name in names[: code.co_argcount]):
        return "*args, **kwargs", "*args, **kwargs"
    positional, keyword = code.co_argcount, code.co_kwonlyargcount
    parameters = list(names[:positional])
    arguments = list(parameters)
    first = positional - len(function.__defaults__ or ())
    for index in range(first, positional):
        parameters[index] += f"=_defaults[{index - first}]"
    if code.co_posonlyargcount:
        parameters.insert(code.co_posonlyargcount, "/")
    after = positional + keyword
    if code.co_flags & inspect.CO_VARARGS:
        parameters.append("*" + names[after])
        arguments.append("*" + names[after])
        after += 1
    elif keyword:
        parameters.append("*")
    kwdefaults = function.__kwdefaults__ or {}
    for name in names[positional : positional + keyword]:
        parameters.append(f"{name}=_named[{name!r}]" if name in kwdefaults else name)
        arguments.append(f"{name}={name}")
    if code.co_flags & inspect.CO_VARKEYWORDS:
        parameters.append("**" + names[after])
        arguments.append("**" + names[after])
    return ", ".join(parameters), ", ".join(arguments)


def caller(recorder: UseRecorder | LateRecorder, kind: str) -> Callable[[FrameType | None], None]:
    """The slow path of a forwarder: everything but a known, silent site."""

    def slow(frame: FrameType | None) -> None:
        record(recorder, kind, callsite.beyond(frame, ARGUMENT_FILES))

    return slow


def compiled(name: str, source: str, file: str) -> types.CodeType:
    """The code for :func:`made` of a source that defines one function."""
    inner = source.rstrip().replace("\n", "\n ")
    whole = compile(f"def make(_defaults, _named):{inner}\n return {name}", file, "exec")
    return next(one for one in whole.co_consts if isinstance(one, types.CodeType))


def made(code: types.CodeType, scope: dict[str, Any], like: Any) -> Any:
    """A function with code of its own, ``scope`` for globals and the defaults of another.

    Made by a statement: since 3.13, calls of a function that was made otherwise, or given its defaults later, stay unspecialised.
    """
    own = tuple(one.replace() if isinstance(one, types.CodeType) else one for one in code.co_consts)
    make = types.FunctionType(code.replace(co_consts=own), scope)
    return make(getattr(like, "__defaults__", None), getattr(like, "__kwdefaults__", None))


def forward(
    target: Callable[..., Any],
    recorder: UseRecorder | LateRecorder,
    *,
    kind: str = "call",
    through: str = "",
    like: Any = None,
    file: str = _FORWARDER,
    adopt: Callable[[Any, Any], Any] | None = None,
) -> Any:
    """Make a forwarder of ``target``.

    ``through`` names an attribute of the first parameter to call instead of ``target`` itself, so that subclasses which
    override the canonical method are honoured. ``like`` gives the public identity (name, module, docs) if not ``target``.
    ``adopt(target, forwarder)`` gives the function that is to have the forwarder's code.
    Coroutine and generator functions stay what they are for ``inspect`` and ``asyncio``, and are counted when called, not
    when first run.
    """
    parameters, arguments = shape(target)
    call = f"_fn({arguments})"
    if through:
        first, _, rest = arguments.partition(", ")
        call = f"{first}.{through}({rest})"
        if first.startswith("*"):
            call = f"{first[1:]}[0].{through}({first}[1:], {rest})"
    key = (parameters, call, file)
    code = _codes.get(key)
    if code is None:
        source = _TEMPLATE.format(parameters=parameters, call=call, key=KEY, filters=FILTERS)
        code = _codes[key] = compiled("forwarder", source, file)
    scope: dict[str, Any] = {**HOT_GLOBALS, "__name__": __name__, "__builtins__": _BUILTINS}
    scope.update(_fn=target, _hot=recorder.hot, _slow=caller(recorder, kind))
    plain = made(code, scope, target)
    if adopt is not None:
        plain = adopt(target, plain)
    special = inspect.iscoroutinefunction(target) or inspect.isgeneratorfunction(target) or inspect.isasyncgenfunction(target)
    result: Any = FunctionLike.of(plain, target) if special else plain
    return functools.update_wrapper(result, like if like is not None else target)
