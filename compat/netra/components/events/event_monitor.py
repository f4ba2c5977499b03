"""Watches the events of chats: silence, tools without end, missing events, the health of watched components."""

from __future__ import annotations

import asyncio
import inspect
import time
from collections import Counter, deque
from enum import Enum
from typing import Any, Optional, Protocol

from compat.canonical.core.events import CRITICAL_EVENTS
from compat.canonical.core.logged import get_logger
from compat.netra.components.bounded import Newest, append

from ..locks import make_lock

logger = get_logger(__name__)


class EventType(Enum):
    """The events that are watched."""

    AGENT_STARTED = "agent_started"
    AGENT_THINKING = "agent_thinking"
    TOOL_EXECUTING = "tool_executing"
    TOOL_COMPLETED = "tool_completed"
    AGENT_COMPLETED = "agent_completed"
    ERROR = "error"


class HealthStatus(str, Enum):
    """How well the events flow."""

    HEALTHY = "healthy"
    WARNING = "warning"
    CRITICAL = "critical"
    FAILED = "failed"


class MonitorableComponent(Protocol):
    """What a component must offer to be watched."""

    async def get_health_status(self) -> dict[str, Any]:
        """Its health, with a boolean ``healthy``."""

    async def get_metrics(self) -> dict[str, Any]:
        """Its figures."""


class ChatEventMonitor:
    """Records events per thread and finds what fails in silence; thresholds in seconds."""

    def __init__(self) -> None:
        self.stale_thread_threshold = 30.0
        self.tool_timeout_threshold = 60.0
        self.latency_warning_threshold = 5.0
        self.latency_critical_threshold = 10.0
        self.max_latency_samples = 100
        self.max_silent_failures = 100
        self.max_health_history_per_component = 100
        self.expected_sequences: dict[str, list[str]] = {
            "agent_started": ["agent_thinking", "tool_executing", "agent_completed", "error"],
            "tool_executing": ["tool_completed", "error"],
        }
        self.event_counts: dict[str, Counter[str]] = Newest()
        self.event_history: deque[dict[str, Any]] = deque(maxlen=1000)
        self.event_latencies: dict[str, deque[float]] = Newest()
        self.last_event_time: dict[str, float] = Newest()
        self.thread_start_time: dict[str, float] = Newest()
        self.active_tools: dict[str, dict[str, float]] = Newest()
        self.silent_failures: deque[dict[str, Any]] = deque(maxlen=self.max_silent_failures)
        self.monitored_components: dict[str, Any] = Newest()
        self.component_health_history: dict[str, deque[dict[str, Any]]] = Newest()
        self.bridge_audit_metrics: dict[str, dict[str, Any]] = Newest()
        self._monitor_task: Optional[asyncio.Task[None]] = None
        self._shutdown = False

    async def record_event(
        self,
        event_type: str,
        thread_id: str,
        tool_name: Optional[str] = None,
        metadata: Optional[dict[str, Any]] = None,
    ) -> None:
        """Record one event of a thread, and note what should not have happened before it."""
        kind = str(getattr(event_type, "value", event_type))
        now = time.time()
        before = self.last_event_time.get(thread_id)
        if before is None:
            self.thread_start_time[thread_id] = now
            if kind not in ("agent_started", "error"):
                self._note("missing_agent_started", thread_id, event=kind)
        else:
            self.event_latencies.setdefault(thread_id, deque(maxlen=self.max_latency_samples)).append(now - before)
        self.last_event_time[thread_id] = now
        self.event_counts.setdefault(thread_id, Counter())[kind] += 1
        self.event_history.append(
            {"event_type": kind, "thread_id": thread_id, "tool_name": tool_name, "timestamp": now,
             "metadata": metadata or {}}
        )  # fmt: skip
        if tool_name and kind == "tool_executing":
            self.active_tools.setdefault(thread_id, {})[tool_name] = now
        elif tool_name and kind == "tool_completed":
            if self.active_tools.get(thread_id, {}).pop(tool_name, None) is None:
                self._note("tool_completed_without_start", thread_id, tool_name=tool_name)
        elif kind == "agent_completed":
            for open_tool in self.active_tools.pop(thread_id, {}):
                self._note("tool_never_completed", thread_id, tool_name=open_tool)
            self.thread_start_time.pop(thread_id, None)

    def get_health_status(self) -> HealthStatus:
        """The worst of what can be found now."""
        stale = self._stale_threads()
        if len(stale) > 5 or len(self.silent_failures) > 10:
            return HealthStatus.FAILED
        if self._stuck_tools() or len(stale) > 2:
            return HealthStatus.CRITICAL
        if stale or self.silent_failures or self._slowest() > self.latency_warning_threshold:
            return HealthStatus.WARNING
        return HealthStatus.HEALTHY

    async def check_health(self) -> dict[str, Any]:
        """Status, with what it follows from."""
        stale, stuck = self._stale_threads(), self._stuck_tools()
        issues = [f"Thread {thread} is silent" for thread in stale]
        issues += [f"Tool {tool} of thread {thread} does not end" for thread, tool in stuck]
        return {
            "status": self.get_health_status().value,
            "healthy": self.get_health_status() is HealthStatus.HEALTHY,
            "timestamp": time.time(),
            "issues": issues,
            "stale_threads": stale,
            "stuck_tools": [{"thread_id": thread, "tool_name": tool} for thread, tool in stuck],
            "silent_failures": list(self.silent_failures),
            "total_events": sum(sum(counts.values()) for counts in self.event_counts.values()),
            "active_threads": len(self.thread_start_time),
        }

    async def start_monitoring(self, interval: float = 10.0) -> None:
        """Check health every so many seconds until stopped; a second start changes nothing."""
        if self._monitor_task is None or self._monitor_task.done():
            self._shutdown = False
            self._monitor_task = asyncio.get_running_loop().create_task(self._watch(interval))

    async def stop_monitoring(self) -> None:
        """Stop checking and wait until it has stopped."""
        self._shutdown = True
        task, self._monitor_task = self._monitor_task, None
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    def get_thread_status(self, thread_id: str) -> dict[str, Any]:
        """What is known of one thread."""
        last = self.last_event_time.get(thread_id)
        if last is None:
            return {"thread_id": thread_id, "status": "unknown", "event_counts": {}}
        active = thread_id in self.thread_start_time
        stale = thread_id in self._stale_threads()
        return {
            "thread_id": thread_id,
            "status": "stale" if stale else "active" if active else "completed",
            "event_counts": dict(self.event_counts[thread_id]),
            "last_event_time": last,
            "seconds_since_last_event": time.time() - last,
            "active_tools": list(self.active_tools.get(thread_id, {})),
        }

    async def register_component_for_monitoring(self, component_id: str, component: Any) -> None:
        """Watch a component; one that can tell of changes is asked to tell this monitor."""
        self.register_component(component_id, component)
        tell = getattr(component, "register_monitor_observer", None)
        if tell is not None:
            answer = tell(self)
            if inspect.isawaitable(answer):
                await answer

    def register_component(self, component_id: str, component: Any) -> None:
        """Watch a component."""
        self.monitored_components[component_id] = component
        self.component_health_history.setdefault(component_id, deque(maxlen=self.max_health_history_per_component))

    def unregister_component(self, component_id: str) -> None:
        """Watch a component no more; an unknown one is ignored."""
        self.monitored_components.pop(component_id, None)
        self.component_health_history.pop(component_id, None)
        self.bridge_audit_metrics.pop(component_id, None)

    async def remove_component_from_monitoring(self, component_id: str) -> None:
        """As :meth:`unregister_component`; the component is told, where it can be."""
        component = self.monitored_components.get(component_id)
        self.unregister_component(component_id)
        tell = getattr(component, "remove_monitor_observer", None)
        if tell is not None:
            answer = tell(self)
            if inspect.isawaitable(answer):
                await answer

    async def audit_bridge_health(self, bridge_id: str = "main_bridge") -> dict[str, Any]:
        """Ask a watched component for its health and keep the answer."""
        component = self.monitored_components.get(bridge_id)
        if component is None:
            return {"bridge_id": bridge_id, "status": "not_registered", "healthy": False}
        try:
            health = component.get_health_status()
            health = await health if inspect.isawaitable(health) else health
            metrics = component.get_metrics() if hasattr(component, "get_metrics") else {}
            metrics = await metrics if inspect.isawaitable(metrics) else metrics
        except Exception as error:
            logger.error(f"Audit of {bridge_id} failed: {error}")
            audit = {"bridge_id": bridge_id, "status": "audit_failed", "healthy": False, "error": str(error)}
        else:
            healthy = bool(health.get("healthy", health.get("status") in ("healthy", "active")))
            audit = {
                "bridge_id": bridge_id, "status": "healthy" if healthy else "unhealthy", "healthy": healthy,
                "internal_health": health, "internal_metrics": metrics,
            }  # fmt: skip
        audit["audit_timestamp"] = time.time()
        self.bridge_audit_metrics[bridge_id] = audit
        self.component_health_history[bridge_id].append(audit)
        return audit

    async def on_component_health_change(self, component_id: str, health_data: dict[str, Any]) -> None:
        """Keep what a component says of its health."""
        history = self.component_health_history.setdefault(component_id, deque(maxlen=self.max_health_history_per_component))
        history.append({"timestamp": time.time(), **health_data})
        if not health_data.get("healthy", True):
            logger.warning(f"Component {component_id} is unhealthy: {health_data}")

    def get_component_audit_summary(self) -> dict[str, Any]:
        """Which components are watched, and how they were last."""
        latest = {name: history[-1] for name, history in self.component_health_history.items() if history}
        return {
            "total_monitored_components": len(self.monitored_components),
            "components": sorted(self.monitored_components),
            "healthy_components": sum(bool(entry.get("healthy")) for entry in latest.values()),
            "latest": latest,
            "bridge_audit_metrics": dict(self.bridge_audit_metrics),
        }

    def get_metrics_basic(self) -> dict[str, Any]:
        """Counts and latencies."""
        totals: Counter[str] = sum(self.event_counts.values(), Counter())
        samples = [sample for thread in self.event_latencies.values() for sample in thread]
        return {
            "total_events": sum(totals.values()),
            "events_by_type": dict(totals),
            "active_threads": len(self.thread_start_time),
            "silent_failures": len(self.silent_failures),
            "average_latency": sum(samples) / len(samples) if samples else 0.0,
            "max_latency": max(samples, default=0.0),
        }

    def get_metrics(self) -> dict[str, Any]:
        """Counts, latencies, health and components."""
        return {
            **self.get_metrics_basic(),
            "health_status": self.get_health_status().value,
            "components": self.get_component_audit_summary(),
        }

    def _note(self, kind: str, thread_id: str, **details: Any) -> None:
        self.silent_failures.append({"type": kind, "thread_id": thread_id, "timestamp": time.time(), **details})
        logger.warning(f"Silent failure in thread {thread_id}: {kind}")

    def _stale_threads(self) -> list[str]:
        now = time.time()
        return [t for t in self.thread_start_time if now - self.last_event_time[t] > self.stale_thread_threshold]

    def _stuck_tools(self) -> list[tuple[str, str]]:
        now = time.time()
        return [
            (thread, tool)
            for thread, tools in self.active_tools.items()
            for tool, began in tools.items()
            if now - began > self.tool_timeout_threshold
        ]

    def _slowest(self) -> float:
        return max((samples[-1] for samples in self.event_latencies.values() if samples), default=0.0)

    async def _watch(self, interval: float) -> None:
        while not self._shutdown:
            await asyncio.sleep(interval)
            status = self.get_health_status()
            if status is not HealthStatus.HEALTHY:
                logger.warning(f"Chat events are {status.value}")


chat_event_monitor = ChatEventMonitor()


class EventValidationError(Exception):
    """The events of a session are not what they should be."""


class MissingCriticalEventError(EventValidationError):
    """A critical event has not come."""


class WebSocketEventMonitor:
    """Follows the events of sessions and says whether all five critical ones have come, in order."""

    def __init__(
        self, track_critical_events: bool = True, validate_event_order: bool = True, metrics_enabled: bool = True
    ) -> None:
        self.track_critical_events = track_critical_events
        self.validate_event_order = validate_event_order
        self.metrics_enabled = metrics_enabled
        self._delegate = ChatEventMonitor()
        self._session_trackers: dict[str, dict[str, Any]] = Newest()
        self._validation_lock = make_lock()

    async def start_session_tracking(self, session_id: str, session_data: dict[str, Any]) -> None:
        """Begin to follow a session."""
        self._session_trackers[session_id] = {
            "session_data": session_data,
            "start_time": time.time(),
            "events": [],
        }

    async def record_event(self, event_type: str, session_id: str, event_data: Optional[dict[str, Any]] = None) -> None:
        """Record one event; a session that is not followed yet is from now on."""
        if session_id not in self._session_trackers:
            await self.start_session_tracking(session_id, {})
        data = event_data or {}
        append(self._session_trackers[session_id]["events"], {"event_type": event_type, "timestamp": time.time(), "data": data})
        await self._delegate.record_event(event_type, session_id, data.get("tool_name"), data)

    async def validate_critical_events(self, session_id: str) -> bool:
        """True if all has come, in order.

        EventValidationError for an unknown session or the wrong order, MissingCriticalEventError with the names of
        the events that have not come.
        """
        if not self.track_critical_events:
            return True
        tracker = self._session_trackers.get(session_id)
        if tracker is None:
            raise EventValidationError(f"Session {session_id} is not tracked")
        seen = [entry["event_type"] for entry in tracker["events"]]
        missing = [kind for kind in CRITICAL_EVENTS if kind not in seen]
        if missing:
            raise MissingCriticalEventError(f"Missing critical events: {', '.join(missing)}")
        if self.validate_event_order:
            firsts = [seen.index(kind) for kind in CRITICAL_EVENTS]
            if firsts != sorted(firsts):
                raise EventValidationError(f"Events out of order: {', '.join(seen)}")
        return True

    async def get_session_metrics(self, session_id: str) -> dict[str, Any]:
        """Counts of one session; empty if it is unknown or figures are off."""
        tracker = self._session_trackers.get(session_id)
        if tracker is None or not self.metrics_enabled:
            return {}
        counts = Counter(entry["event_type"] for entry in tracker["events"])
        return {
            "session_id": session_id,
            "total_events": sum(counts.values()),
            "events_by_type": dict(counts),
            "critical_events": sum(counts[kind] for kind in CRITICAL_EVENTS),
            "duration": time.time() - tracker["start_time"],
            "start_time": tracker["start_time"],
        }

    async def stop_session_tracking(self, session_id: str) -> None:
        """Follow a session no more; an unknown one is ignored."""
        self._session_trackers.pop(session_id, None)


class EventTracker:
    """A list of events."""

    def __init__(self) -> None:
        self.events: list[dict[str, Any]] = []

    def track_event(self, event_type: str, thread_id: str, metadata: Optional[dict[str, Any]] = None) -> None:
        """Add an event."""
        event = {"event_type": event_type, "thread_id": thread_id, "metadata": metadata or {}, "timestamp": time.time()}
        append(self.events, event)


class EventMetrics:
    """Counts of events, and the mean of their processing times in seconds."""

    def __init__(self) -> None:
        self.total_events = 0
        self.events_by_type: dict[str, int] = Newest()
        self.avg_processing_time = 0.0

    def update(self, event_type: str, processing_time: float = 0.0) -> None:
        """Count an event."""
        self.total_events += 1
        self.events_by_type[event_type] = self.events_by_type.get(event_type, 0) + 1
        self.avg_processing_time += (processing_time - self.avg_processing_time) / self.total_events
