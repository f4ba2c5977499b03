"""What is asked of an application's state before WebSockets are served on Google Cloud, service by service."""

from __future__ import annotations

import asyncio
import logging
import threading
from typing import Any, Optional

PHASES = ("init", "dependencies", "database", "cache", "services", "websocket", "finalize", "complete")
EARLY = PHASES[:4]
_NOTIFICATIONS = ("notify_agent_started", "notify_agent_completed", "notify_tool_executing")
_MISSING = object()


class GCPChecks:
    """The questions. In staging on Google Cloud some answers are yes where nothing is known."""

    app_state: Optional[Any]
    environment: str
    is_gcp_environment: bool
    logger: logging.Logger

    def _is_bypassed(self) -> bool:
        return self.is_gcp_environment and self.environment == "staging"

    def _phase(self) -> str:
        return str(getattr(self.app_state, "startup_phase", "unknown")).lower()

    def _has(self, *names: str) -> bool:
        return self.app_state is not None and all(getattr(self.app_state, name, None) is not None for name in names)

    def _validate_database_readiness(self) -> bool:
        try:
            if not self._has("db_session_factory"):
                return self._is_bypassed()
            return bool(getattr(self.app_state, "database_available", True))
        except Exception as error:
            self.logger.warning(f"Database readiness is unknown: {error}")
            return self._is_bypassed()

    async def _validate_redis_readiness(self) -> bool:
        try:
            if not self._has("redis_manager"):
                self.logger.warning("Redis readiness: there is no redis_manager")
                return False
            connected = getattr(self.app_state.redis_manager, "is_connected", _MISSING)  # type: ignore[union-attr]
            if connected is _MISSING:
                return True
            if connected:
                if self.is_gcp_environment:
                    await asyncio.sleep(0.5)
                return True
            if self._is_bypassed():
                return True
            self.logger.warning("Redis readiness: redis_manager is not connected")
            return False
        except Exception as error:
            self.logger.warning(f"Redis readiness is unknown: {error}")
            return self._is_bypassed()

    def _validate_auth_system_readiness(self) -> bool:
        if self.app_state is None:
            return False
        if hasattr(self.app_state, "auth_validation_complete"):
            return bool(self.app_state.auth_validation_complete)
        return self._has("key_manager")

    def _validate_agent_supervisor_readiness(self) -> bool:
        if self.app_state is None:
            return False
        phase = self._phase()
        if phase in EARLY:
            self.logger.debug(
                f"Skipping agent_supervisor validation during startup phase '{phase}' to prevent WebSocket race condition - "
                "the supervisor is made in phase 'services'"
            )
            return False
        if phase in PHASES:
            self.logger.debug(f"Proceeding with agent_supervisor validation in startup phase '{phase}'")
        return self._has("agent_supervisor", "thread_service")

    def _validate_websocket_bridge_readiness(self) -> bool:
        phase = self._phase()
        if phase in EARLY:
            self.logger.debug(f"Skipping websocket_bridge validation during startup phase '{phase}'")
            return False
        try:
            if not self._has("agent_websocket_bridge"):
                return self._is_bypassed()
            bridge = self.app_state.agent_websocket_bridge  # type: ignore[union-attr]
            return all(hasattr(bridge, name) for name in _NOTIFICATIONS) or self._is_bypassed()
        except Exception as error:
            self.logger.warning(f"WebSocket bridge readiness is unknown: {error}")
            return self._is_bypassed()

    def _validate_websocket_integration_readiness(self) -> bool:
        if self.app_state is None:
            return False
        phase = self._phase()
        if not getattr(self.app_state, "startup_complete", True) and phase not in PHASES[5:]:
            return False
        if getattr(self.app_state, "startup_failed", False):
            return False
        return phase not in PHASES[:5]

    # -- the same, asked without waiting --------------------------------------------------------------------------------

    def _check_database_ready(self) -> bool:
        try:
            return bool(self._validate_database_readiness())
        except Exception:
            return False

    def _check_redis_ready(self) -> bool:
        """Run the question on a loop of its own, in a thread where one is running here."""
        answers: list[bool] = []

        def ask() -> None:
            try:
                answers.append(bool(asyncio.run(self._validate_redis_readiness())))
            except Exception as error:
                self.logger.debug(f"Redis readiness is unknown: {error}")

        try:
            asyncio.get_running_loop()
        except RuntimeError:
            ask()
        else:
            thread = threading.Thread(target=ask, daemon=True)
            thread.start()
            thread.join(5.0)
        return bool(answers and answers[0])

    def _check_auth_system_ready(self) -> bool:
        try:
            return bool(self._validate_auth_system_readiness())
        except Exception:
            return False
