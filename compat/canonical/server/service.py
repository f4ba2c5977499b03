"""The life of a WebSocket service: its factory, authenticator and sweeper, from start to drain."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from typing import Any

from ..core.backplane import Backplane, InProcessBackplane
from ..core.logged import get_logger
from ..errors import SettingsError, WebSocketComponentError
from ..factory import WebSocketManagerFactory, offer_default
from ..limits import Limits
from ..settings import Settings
from .capabilities import Capabilities
from .control import Control
from .protocols import AuthenticatorProtocol, MessageHandler
from .signals import DrainingSignals

logger = get_logger(__name__)

_SWEEP_INTERVAL = 30.0


class WebSocketService:
    """What one application serves with; starts at the first need, so that mounted applications work without lifespan."""

    def __init__(
        self,
        settings: Settings,
        *,
        factory: WebSocketManagerFactory | None = None,
        authenticator: AuthenticatorProtocol | None = None,
        on_message: MessageHandler | None = None,
    ) -> None:
        if on_message is not None and not callable(on_message):
            raise TypeError(f"on_message is {on_message!r}; give a function of (manager, connection, message)")
        self.factory = factory_of(settings, factory)
        self.settings = dataclasses.replace(settings, limits=self.factory.limits)
        self.authenticator = authenticator or _make_authenticator(settings)
        self.on_message = on_message
        self.draining = False
        self.handlers: set[asyncio.Task[None]] = set()
        self.handling: Counter[str] = Counter()  # by user: handlers may outlive the connection they began with
        self.control = Control.of(self.factory)
        self.refusals: Counter[tuple[str, str]] = Counter()  # by door and code
        self.signals = DrainingSignals(self.drain)
        self.capabilities = Capabilities(self.signals)
        self._started = False
        self._starting: asyncio.Lock | None = None
        self._sweeper: asyncio.Task[None] | None = None
        self._drained: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Connect the backplane and begin to sweep; idempotent. Raises BackplaneUnavailable."""
        if self._started:
            return
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            raise WebSocketComponentError("the core runs on asyncio alone; trio is not supported") from None
        # Made here: before 3.10 a lock belongs to the loop it is made in.
        self._starting = self._starting or asyncio.Lock()
        async with self._starting:
            if not self._started:
                with contextlib.suppress(ImportError):  # whoever needs it says so
                    import jwt  # noqa: F401  # a tenth of a second, which the first client would wait for
                await self.factory.start()
                self.signals.attach()
                self._sweeper = asyncio.get_running_loop().create_task(self._sweep())
                self._started = True

    async def drain(self) -> None:
        """Take no new connections, close the present ones with 1001, wait for handlers, stop what runs; idempotent."""
        self.begin_drain()
        assert self._drained is not None
        await asyncio.shield(self._drained)

    def begin_drain(self) -> None:
        """As :meth:`drain`, without waiting; called on the loop that serves."""
        if self._drained is None:
            self.draining = True
            self._drained = asyncio.get_running_loop().create_task(self._drain())

    @contextlib.asynccontextmanager
    async def lifespan(self, app: Any = None) -> AsyncIterator[None]:
        """Start, and drain at the end: the lifespan of this application, and of one that it is mounted in.

        ``FastAPI(lifespan=chat.state.service.lifespan)``
        """
        await self.start()
        self.signals.attach()  # where it was started before the server had handlers
        try:
            yield
        finally:
            await self.drain()

    async def _drain(self) -> None:
        clock = asyncio.get_running_loop().time
        end = clock() + self.settings.drain_timeout
        if self._sweeper is not None:
            self._sweeper.cancel()
            await asyncio.wait({self._sweeper})
        try:
            await asyncio.wait_for(self.factory.close_connections(), self.settings.drain_timeout)
            if self.handlers:
                # What they still send is kept for those who come back to another worker.
                await asyncio.wait(self.handlers, timeout=max(0.0, end - clock()))
            for task in tuple(self.handlers):
                task.cancel()
            await asyncio.wait_for(self.factory.close(), max(1.0, end - clock()))
        except asyncio.TimeoutError:
            logger.warning("drain has not ended within %g s", self.settings.drain_timeout)
        finally:
            self.signals.detach()

    def note_refusal(self, code: int) -> None:
        """Count a connection that was refused or ended with a close code for what its client did."""
        self.refusals["connection", str(int(code))] += 1  # an enumeration of some libraries

    def health(self) -> dict[str, Any]:
        """Return the factory's health; red while draining."""
        health = self.factory.health()
        return {**health, "healthy": health["healthy"] and not self.draining, "draining": self.draining}

    async def _sweep(self) -> None:
        while True:
            await asyncio.sleep(min(_SWEEP_INTERVAL, self.settings.limits.idle_timeout))
            try:
                self.factory.reap()
            except Exception:
                logger.exception("sweep failed")


def factory_of(settings: Settings, given: WebSocketManagerFactory | None) -> WebSocketManagerFactory:
    """Return the factory of an application, which is also that of get_websocket_manager(): the one given, or made as set.

    Raises SettingsError where it is made already, and in another way than the settings say.
    """

    def make() -> WebSocketManagerFactory:
        return given or WebSocketManagerFactory(settings.limits, make_backplane(settings))

    default = offer_default(make)
    factory = given or default
    faults = [*_contradictions(settings, factory)]
    if faults:
        raise SettingsError(faults)
    if factory is not default:
        logger.warning("get_websocket_manager() asks another factory than this application's: pass factory= to it, too")
    return factory


def _contradictions(settings: Settings, factory: WebSocketManagerFactory) -> Iterator[str]:
    # What is at its default has not been said.
    remedy = "make the application first, or the factory as the settings say"
    for field in dataclasses.fields(Limits):
        said, made = getattr(settings.limits, field.name), getattr(factory.limits, field.name)
        if said not in (field.default, made):
            yield f"limits.{field.name} is {said}, but {made} in the factory that is in use; {remedy}"
    if settings.redis_url and getattr(factory.backplane, "url", "") != settings.redis_url:
        yield f"redis_url is set, but the factory that is in use has {_kind(factory)}; {remedy}"


def _kind(factory: WebSocketManagerFactory) -> str:
    return "no Redis" if factory.backplane.local else "another one"


def make_backplane(settings: Settings) -> Backplane:
    """Return Redis' backplane where ``redis_url`` is set, the in-process one where not."""
    if not settings.redis_url:
        return InProcessBackplane(settings.limits.history_events)
    from ..redis.redis_backplane import RedisBackplane

    return RedisBackplane(settings.redis_url, prefix=settings.redis_prefix, history_limit=settings.limits.history_events)


def _make_authenticator(settings: Settings) -> AuthenticatorProtocol:
    from ..auth import FailureLimiter, get_authenticator

    failures = FailureLimiter(settings.failure_limit, settings.failure_window)
    try:
        return get_authenticator(settings.auth_variables(), failures=failures)
    except ValueError as exc:  # a key that cannot be used
        raise SettingsError([str(exc)]) from exc
