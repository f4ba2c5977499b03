"""Stands by for a deprecated class without a constructor of its own."""

from __future__ import annotations

import functools

from .. import wires
from ..function_like import FunctionLike

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_HEAP = 1 << 9  # Py_TPFLAGS_HEAPTYPE


class Constructor(FunctionLike):
    """Taken for a function; its signature is found out where somebody asks for it."""

    kind: Any

    @property
    def __signature__(self) -> Any:
        found = wires.unwired(vars(self.kind)["__init__"]) if wires.trip() else None
        return vars(found)["__signature__"] if "__signature__" in getattr(found, "__dict__", ()) else None


@wires.unseen
def watch(kind: Any) -> bool:
    """Trip where an instance of just this class is made; return whether that could be done."""
    # Of several bases, one that makes instances may come after one that initialises them, and say what the signature is.
    makers = [base for base in kind.__mro__[1:] if "__new__" in vars(base) and base.__flags__ & _HEAP]
    if "__init__" in vars(kind) or (makers and len(kind.__bases__) > 1):
        return False
    bare_init: Any = object.__init__
    bare_new: Any = object.__new__

    def __init__(self: Any, /, *args: Any, **kwargs: Any) -> None:
        real = wires.unwired(vars(kind)["__init__"]) if type(self) is kind and wires.trip() else wires.MISSING
        if real is not wires.MISSING:
            real.__get__(self, kind)(*args, **kwargs)
        elif super(kind, type(self)).__init__ is not bare_init:
            super(kind, self).__init__(*args, **kwargs)
        elif (args or kwargs) and type(self).__new__ is bare_new:
            raise TypeError(f"{type(self).__name__}() takes no arguments")

    inherited = kind.__init__
    made: Any = Constructor.of(__init__, inherited)
    functools.update_wrapper(made, inherited)
    made.kind, made.__code__ = kind, __init__.__code__
    if inherited is bare_init:
        del made.__wrapped__
    wires.lay(kind, "__init__", made, wires.MISSING)
    return True
