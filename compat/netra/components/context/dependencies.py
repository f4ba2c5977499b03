"""The parts of the system that work for one context, held by name."""

from __future__ import annotations

from typing import Any, Optional

from .isolation import InvalidContextError

_AVAILABLE = frozenset(
    [
        "llm_manager",
        "tool_dispatcher",
        "websocket_bridge",
        "database_manager",
        "redis_client",
        "clickhouse_client",
        "agent_registry",
        "websocket_manager",
    ]
)
_AVAILABLE_ENDS = ("_manager", "_dispatcher", "_bridge")


class Dependencies:
    """The part of a context that holds objects; a frozen one too."""

    def _held(self) -> dict[str, Any]:
        held: Optional[dict[str, Any]] = self.__dict__.get("_dependencies")
        if held is None:
            held = {}
            object.__setattr__(self, "_dependencies", held)
        return held

    def get_dependency(self, dependency_name: str) -> Optional[Any]:
        """Return what was set under that name, None if nothing was."""
        return self._held().get(dependency_name)

    def has_dependency(self, dependency_name: str) -> bool:
        """True if something is set under that name."""
        return self._held().get(dependency_name) is not None

    def get_llm_manager(self) -> Optional[Any]:
        """Return the dependency ``llm_manager``."""
        return self.get_dependency("llm_manager")

    def get_tool_dispatcher(self) -> Optional[Any]:
        """Return the dependency ``tool_dispatcher``."""
        return self.get_dependency("tool_dispatcher")

    def get_websocket_bridge(self) -> Optional[Any]:
        """Return the dependency ``websocket_bridge``."""
        return self.get_dependency("websocket_bridge")

    def set_dependency(self, dependency_name: str, dependency: Any) -> None:
        """Hold an object for the parts of this work; contexts made from this one hold it too."""
        if not isinstance(dependency_name, str) or not dependency_name:
            raise InvalidContextError("dependency_name must be a non-empty string")
        self._held()[dependency_name] = dependency

    def remove_dependency(self, dependency_name: str) -> bool:
        """Let go of an object; False if none was held under that name."""
        return self._held().pop(dependency_name, None) is not None

    def get_available_dependencies(self) -> list[str]:
        """The names under which a part of the system is held, sorted; other objects that are held are not among them."""
        return sorted(name for name in self._held() if name in _AVAILABLE or name.endswith(_AVAILABLE_ENDS))
