"""The legacy manager classes: many users' connections through one object, each user behind a canonical manager of their own."""

from __future__ import annotations

from typing import Any

from compat.shim import Adapter

from ...testing_mode import is_testing
from .manager_base import ReachedNames
from .manager_types import WebSocketManagerMode
from .parts.whole import PARTS

CANONICAL = "compat.canonical.core.manager:UnifiedWebSocketManager"


class UnifiedWebSocketManager(ReachedNames, Adapter, of=CANONICAL, parts=PARTS):
    """A manager by its class: with a context, or in tests; the factory function is the way otherwise."""

    def __init__(
        self,
        mode: Any = WebSocketManagerMode.UNIFIED,
        user_context: Any = None,
        config: Any = None,
        _ssot_authorization_token: Any = None,
        **unused: Any,
    ) -> None:
        self._begin(True, mode, user_context, {**(config or {}), **unused}, _ssot_authorization_token)


class SharedWebSocketManager(ReachedNames, Adapter, of=CANONICAL, parts=PARTS):
    """A manager as it was before there were contexts: one object for everybody, each user's connections apart."""

    __qualname__ = "WebSocketManager"

    def __init__(
        self,
        mode: Any = WebSocketManagerMode.UNIFIED,
        user_context: Any = None,
        config: Any = None,
        _ssot_authorization_token: Any = None,
        **unused: Any,
    ) -> None:
        self._begin(False, mode, user_context, {**(config or {}), **unused}, _ssot_authorization_token)


# Where managers may be made without a user the two differ in nothing, and tests ask whether they are one class.
WebSocketManager = UnifiedWebSocketManager if is_testing() else SharedWebSocketManager
