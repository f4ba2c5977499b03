"""Drain at SIGTERM before the server hears of it: connections get their 1001 before it ends them in its own way."""

from __future__ import annotations

import asyncio
import functools
import signal
import threading
from collections.abc import Awaitable
from typing import Any, Callable

_SIGNALS = (signal.SIGTERM, signal.SIGINT)


class DrainingSignals:
    """Stands before a server's own signal handlers: the first signal drains and is then handed on, a second one at once.

    Servers tell an application of their end only when they have closed its connections. Nothing is done where the process
    has no handler of a server, nor outside of the main thread.
    """

    def __init__(self, drain: Callable[[], Awaitable[None]]) -> None:
        self._drain = drain
        self._restore: list[Callable[[], None]] = []
        self._hand_on: list[Callable[[], Any]] = []
        self._draining: asyncio.Task[None] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._attached = False

    @property
    def attached(self) -> bool:
        """Whether a signal will drain."""
        return self._attached

    def attach(self) -> None:
        """Take the place of the handlers there are; called on the loop that serves."""
        if self._attached or threading.current_thread() is not threading.main_thread():
            return
        loop = self._loop = asyncio.get_running_loop()
        of_loop: Any = getattr(loop, "_signal_handlers", {})  # asyncio's own; uvloop does not show them
        for number in _SIGNALS:
            handle = of_loop.get(number)
            if handle is not None:
                loop.add_signal_handler(number, self._on_signal, handle._run)
                self._restore.append(functools.partial(of_loop.__setitem__, number, handle))
                self._attached = True
                continue
            handler = signal.getsignal(number)
            # A partial is asyncio.run()'s, which ends the main task: no server waits for SIGINT then.
            if not callable(handler) or handler is signal.default_int_handler or isinstance(handler, functools.partial):
                continue
            if getattr(handler, "__name__", "") == "_sighandler_noop":
                continue
            mine = functools.partial(self._from_signal, handler)
            signal.signal(number, mine)
            self._restore.append(functools.partial(_put_back, number, mine, handler))
            self._attached = True

    def detach(self) -> None:
        """Put the server's handlers back, where nobody has replaced these since."""
        if threading.current_thread() is threading.main_thread():
            while self._restore:
                self._restore.pop()()
        self._attached = False

    def _from_signal(self, handler: Callable[[int, Any], Any], number: int, frame: Any) -> None:
        loop = self._loop
        if loop is None or not loop.is_running():
            handler(number, frame)
            return
        loop.call_soon_threadsafe(self._on_signal, functools.partial(handler, number, None))

    def _on_signal(self, hand_on: Callable[[], Any]) -> None:
        if self._draining is not None:
            hand_on()
            return
        self._draining = asyncio.ensure_future(self._drain_and_hand_on(hand_on))

    async def _drain_and_hand_on(self, hand_on: Callable[[], Any]) -> None:
        try:
            await self._drain()
        finally:
            hand_on()


def _put_back(number: int, mine: Any, handler: Any) -> None:
    if signal.getsignal(number) is mine:
        signal.signal(number, handler)
