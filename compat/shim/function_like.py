"""What stands in the place of coroutine and generator functions, and is taken for one by :mod:`inspect` and :mod:`asyncio`."""

from __future__ import annotations

import types

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

#: Where the globals of a function that stands by keep what is made of it.
KEPT = "_compat_kept"


class FunctionLike:
    """A forwarder that ``inspect`` takes for the coroutine or generator function it calls, though it runs at the call."""

    __wrapped__: Any
    __compat_legacy__ = True

    @classmethod
    def of(cls, plain: Any, target: Any) -> FunctionLike:
        """An instance whose call is ``plain``: a class for each, since ``type(x).__call__`` is what a call looks up.

        Where ``plain`` stood by for ``target``, the instance is the one that did.
        """
        kept: FunctionLike | None = getattr(plain, "__globals__", {}).get(KEPT)
        if kept is not None:
            return kept
        made: FunctionLike = object.__new__(type("function", (cls,), {"__call__": staticmethod(plain)}))
        made.__wrapped__ = target
        plain.__name__, plain.__qualname__ = target.__name__, target.__qualname__  # a TypeError names it
        return made

    @property  # type: ignore[misc]
    def __class__(self) -> type:  # type: ignore[misc,override]
        return types.FunctionType

    def __get__(self, instance: object, owner: type | None = None) -> Any:
        return self if instance is None else types.MethodType(self, instance)  # type: ignore[arg-type]

    def __getattr__(self, name: str) -> Any:
        if name == "__wrapped__":
            raise AttributeError(name)
        return getattr(self.__wrapped__, name)

    def __reduce__(self) -> str:
        return str(self.__qualname__)

    def __copy__(self) -> FunctionLike:
        return self

    def __deepcopy__(self, memo: object) -> FunctionLike:
        return self

    def __repr__(self) -> str:
        return f"<function {self.__qualname__} at {id(self):#x}>"
