"""One result both ways: what legacy callers take as it is and what they await.

``m = f()``, ``m = await f()``, ``wait_for(f())``, ``create_task(f())`` and ``gather(f())`` all get the same result from a
function that was sync in one release and async in another.
"""

from __future__ import annotations

import asyncio
import copy
import functools
import inspect
import os
import sys
import threading

from compat._forking import GatedLock, gate
from compat.errors import WrongLoopError

from .recording import bytecode

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Generator
    from types import FrameType
    from typing import Any, TypeVar, overload

    from typing_extensions import ParamSpec

    P = ParamSpec("P")
    T = TypeVar("T")

_lock = GatedLock()
_background: asyncio.AbstractEventLoop | None = None
_owner = 0


def background_loop() -> asyncio.AbstractEventLoop:
    """The loop, on a daemon thread of its own, on which coroutines of sync callers run; one per process."""
    global _background, _owner
    with _lock:
        # The thread does not survive a fork; the loop object does, and would never answer.
        if _background is None or _background.is_closed() or _owner != os.getpid():
            _background, _owner = asyncio.new_event_loop(), os.getpid()
            threading.Thread(target=_background.run_forever, name="compat-background-loop", daemon=True).start()
        return _background


def _is_in_loop() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        pass
    else:
        return True
    library = sys.modules.get("sniffio")
    try:
        return library is not None and bool(library.current_async_library())
    except Exception:
        return False


def wait(coroutine: Coroutine[Any, Any, T], *, form: str, loop: asyncio.AbstractEventLoop | None = None) -> T:
    """Run a coroutine to its end from sync code and return its result.

    ``loop`` is the loop the coroutine's objects live on, if they live on one; else a background loop is used. On that loop's
    own thread, or on any thread that runs a loop, waiting would block the loop: :class:`compat.errors.WrongLoopError` names
    ``form``, the expression to await instead.
    """
    if _is_in_loop():
        coroutine.close()
        raise WrongLoopError(f"this call would block the event loop that runs it; write 'await {form}' instead")
    target = loop if loop is not None and loop.is_running() else background_loop()
    return asyncio.run_coroutine_threadsafe(coroutine, target).result()


class Ready:
    """An awaitable that is done: what ``await f()`` gets where the very next instruction awaits."""

    __slots__ = ("_result",)

    def __init__(self, result: Any) -> None:
        self._result = result

    def __await__(self) -> Generator[Any, Any, Any]:
        return self._result
        yield  # pragma: no cover - makes this a generator


@functools.lru_cache(maxsize=1)
def _proxy_type() -> Any:
    # wrapt costs 100 ms to import; it is loaded only where an ambiguous result is really handed out.
    with gate:
        import wrapt

    class Dual(wrapt.ObjectProxy):  # type: ignore[misc,type-arg]
        """The result itself, and a coroutine that returns it."""

        def __await__(self) -> Generator[Any, Any, Any]:
            return self.__wrapped__
            yield  # pragma: no cover - makes this a generator

        def __hash__(self) -> int:
            # gather() keeps what it is given in a dict, whatever the result itself is.
            try:
                return hash(self.__wrapped__)
            except TypeError:
                return id(self)

        def send(self, *args: Any, **kwargs: Any) -> Any:
            if args == (None,) and not kwargs:
                # A task drives us as a coroutine; a result with a send() of its own is never sent a lone None.
                raise StopIteration(self.__wrapped__)
            return self.__wrapped__.send(*args, **kwargs)

        def throw(self, *args: Any, **kwargs: Any) -> Any:
            own = getattr(self.__wrapped__, "throw", None)
            if own is not None:
                return own(*args, **kwargs)
            raise args[0] if isinstance(args[0], BaseException) else args[0](*args[1:2])

        def close(self, *args: Any, **kwargs: Any) -> Any:
            own = getattr(self.__wrapped__, "close", None)
            return own(*args, **kwargs) if own is not None else None

        def __iter__(self) -> Any:
            return iter(self.__wrapped__)

        def __reduce__(self) -> Any:
            return _same, (self.__wrapped__,)

        def __reduce_ex__(self, protocol: Any) -> Any:
            return _same, (self.__wrapped__,)

        def __copy__(self) -> Any:
            return copy.copy(self.__wrapped__)

        def __deepcopy__(self, memo: Any) -> Any:
            return copy.deepcopy(self.__wrapped__, memo)

    return Dual


def _same(value: Any) -> Any:
    return value


class Pending:
    """The result of a coroutine that was called on its loop's own thread: awaited, it runs as any coroutine does.

    Used without being awaited, it is run then and there, which works where it never has to wait for anything; where it does,
    :class:`compat.errors.WrongLoopError` says so.
    """

    def __init__(self, coroutine: Coroutine[Any, Any, Any], form: str) -> None:
        self._coroutine, self._form = coroutine, form
        self._done = self._driven = False
        self._result: Any = None

    def _now(self) -> Any:
        if not self._done:
            try:
                self._coroutine.send(None)
            except StopIteration as stop:
                self._done, self._result = True, stop.value
            else:
                self._coroutine.close()
                raise WrongLoopError(
                    f"the result of {self._form} is not there yet, and this thread runs the event loop that must make it;"
                    f" write 'await {self._form}' instead"
                )
        return self._result

    def __await__(self) -> Generator[Any, Any, Any]:
        if self._done:
            return self._result
        self._result = yield from self._coroutine.__await__()
        self._done = True
        return self._result

    # The methods of a coroutine make it one for asyncio: create_task() and run_until_complete() take nothing else. A result
    # may have methods of the same names: those are meant wherever no task can be at work.
    def send(self, *args: Any, **kwargs: Any) -> Any:
        if args != (None,) or kwargs:
            return self._now().send(*args, **kwargs)
        if self._done:
            raise StopIteration(self._result)
        self._driven = True
        try:
            return self._coroutine.send(None)
        except StopIteration as stop:
            self._done, self._result = True, stop.value
            raise

    def throw(self, *args: Any, **kwargs: Any) -> Any:
        if self._driven and not self._done:
            return self._coroutine.throw(*args, **kwargs)
        return self._now().throw(*args, **kwargs)

    def close(self, *args: Any, **kwargs: Any) -> Any:
        if self._driven and not self._done:
            return self._coroutine.close()
        return self._now().close(*args, **kwargs)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_asyncio") or name == "cr_frame":
            raise AttributeError(name)
        return getattr(self._now(), name)

    def __eq__(self, other: object) -> bool:
        return bool(self._now() == other)

    __hash__ = object.__hash__

    def __bool__(self) -> bool:
        return bool(self._now())

    def __len__(self) -> int:
        return len(self._now())

    def __iter__(self) -> Any:
        return iter(self._now())

    def __getitem__(self, key: Any) -> Any:
        return self._now()[key]

    def __contains__(self, item: object) -> bool:
        return item in self._now()

    def __str__(self) -> str:
        return str(self._now())


if TYPE_CHECKING:

    @overload
    def dual(value: Callable[P, Any]) -> Callable[P, Any]: ...

    @overload
    def dual(value: Any, *, frame: FrameType | None = None, form: str = "") -> Any: ...


def dual(value: Any, *, frame: FrameType | None = None, form: str = "") -> Any:
    """Return ``value`` so that it can be used as it is and awaited too; as a decorator, do so with a function's result.

    ``value`` may be the result, a coroutine that makes it, or a function to decorate. A coroutine is awaited by the caller
    where the caller's next instruction awaits; elsewhere it is run to its end: at once where it does not have to wait, on a
    background loop where no loop runs in this thread; where a loop does, it can only be awaited, and says so.
    """
    if inspect.isfunction(value) and frame is None:
        return _decorated(value)
    frame = frame if frame is not None else sys._getframe(1)
    awaited = bytecode.is_awaited(frame)
    if inspect.iscoroutine(value):
        if awaited:
            return value
        return _finish(value, form or f"{value.__qualname__}()")
    return Ready(value) if awaited else _both(value)


def _both(value: Any) -> Any:
    if value is None or isinstance(value, type):
        # `is None` and class checks must hold; both are awaitable through nothing but the proxy, so they win.
        return value if isinstance(value, type) else _Nothing()
    return _proxy_type()(value)


class _Nothing(Ready):
    """``None`` that may be awaited; false, and equal to ``None``."""

    __slots__ = ()

    def __init__(self) -> None:
        super().__init__(None)

    def __bool__(self) -> bool:
        return False

    def __eq__(self, other: object) -> bool:
        return other is None or isinstance(other, _Nothing)

    def __hash__(self) -> int:
        return hash(None)

    def __repr__(self) -> str:
        return "None"


def _finish(coroutine: Coroutine[Any, Any, Any], form: str) -> Any:
    if not _is_in_loop():
        return _both(wait(coroutine, form=form))
    return Pending(coroutine, form)


def _decorated(function: Callable[..., Any]) -> Any:
    form = f"{function.__qualname__}(...)"

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        return dual(function(*args, **kwargs), frame=sys._getframe(1), form=form)

    call.__compat_dual__ = True  # type: ignore[attr-defined]
    return call
