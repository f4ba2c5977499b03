"""Background tasks that are watched: restarted when they fail, listed, stopped, and restarted all together."""

from __future__ import annotations

import asyncio
import contextlib
import inspect
from collections.abc import Callable
from datetime import datetime, timezone
from typing import Any

from compat.canonical.core.logged import get_logger

logger = get_logger(__name__)


def _now() -> str:
    return datetime.now(timezone.utc).isoformat()


class MonitoredTasks:
    """Named asyncio tasks of one owner.

    Parameters
    ----------
    restarts:
        How often a task that raises is started again.
    delay:
        Seconds before the first restart; doubles with each.
    """

    def __init__(self, *, restarts: int = 3, delay: float = 1.0) -> None:
        self.enabled = True
        self.tasks: dict[str, asyncio.Task[Any]] = {}
        self.failures: dict[str, int] = {}
        self.last_restart: dict[str, str] = {}
        self.recipes: dict[str, tuple[Callable[..., Any], tuple[Any, ...], dict[str, Any]]] = {}
        self._restarts = restarts
        self._delay = delay

    async def start(self, name: str, function: Callable[..., Any], *args: Any, **kwargs: Any) -> str:
        """Start ``function(*args, **kwargs)`` (sync or async) as task ``name``, in place of one of that name.

        Returns the name, or ``""`` while monitoring is disabled.
        """
        if not self.enabled:
            logger.warning("monitoring is disabled; task %s not started", name)
            return ""
        await self.stop(name)
        self.recipes[name] = (function, args, kwargs)
        self.failures[name] = 0
        self.tasks[name] = asyncio.create_task(self._run(name, function, args, kwargs), name=name)
        return name

    async def stop(self, name: str) -> bool:
        """Cancel a task and wait for its end; whether there was one."""
        task = self.tasks.pop(name, None)
        self.recipes.pop(name, None)
        if task is None:
            return False
        await _ended(task)
        return True

    async def shutdown(self) -> None:
        """Cancel every task; none starts until :meth:`enable`."""
        self.enabled = False
        tasks, self.tasks = list(self.tasks.values()), {}
        self.failures.clear()
        for task in tasks:
            await _ended(task)

    async def enable(self, restart_previous_tasks: bool = True) -> dict[str, Any]:
        """Allow tasks again, and start those that :meth:`shutdown` ended."""
        was, self.enabled = self.enabled, True
        restarted = []
        if restart_previous_tasks and not was:
            for name, (function, args, kwargs) in list(self.recipes.items()):
                await self.start(name, function, *args, **kwargs)
                restarted.append(name)
        return {
            "monitoring_enabled": True,
            "previously_enabled": was,
            "tasks_restarted": len(restarted),
            "restarted_tasks": restarted,
            "failed_restarts": 0,
            "timestamp": _now(),
        }

    async def restart(self, force_restart: bool = False) -> dict[str, Any]:
        """Start again what is not running; with ``force_restart`` everything."""
        stopped = []
        if force_restart:
            for name, task in list(self.tasks.items()):
                await _ended(task)
                stopped.append(name)
        self.enabled = True
        restarted = [name for name in list(self.recipes) if name not in self.tasks or self.tasks[name].done()]
        for name in restarted:
            function, args, kwargs = self.recipes[name]
            await self.start(name, function, *args, **kwargs)
        return {
            "monitoring_restarted": True,
            "monitoring_enabled": True,
            "force_restart": force_restart,
            "tasks_stopped": len(stopped),
            "tasks_recovered": len(restarted),
            "tasks_restarted": len(restarted),
            "tasks_failed": 0,
            "restarted_tasks": restarted,
            "health_check_reset": True,
            "errors": [],
            "timestamp": _now(),
        }

    def status(self) -> dict[str, Any]:
        """Return each task's state: running, completed, cancelled or failed."""
        states = {name: _state(task) for name, task in self.tasks.items()}
        details = {}
        for name, state in states.items():
            details[name] = {
                "name": name,
                "status": state,
                "running": state == "running",
                "done": state != "running",
                "cancelled": state == "cancelled",
                "failure_count": self.failures.get(name, 0),
                "last_restart": self.last_restart.get(name),
            }
            error = self.tasks[name].exception() if state == "failed" else None
            if error is not None:
                details[name]["error"] = str(error)
        return {
            "monitoring_enabled": self.enabled,
            "total_tasks": len(states),
            "running_tasks": sum(state == "running" for state in states.values()),
            "failed_tasks": sum(state == "failed" for state in states.values()),
            "tasks": details,
        }

    async def check(self) -> dict[str, Any]:
        """Start failed tasks again, and return what was found."""
        failed = [name for name, task in self.tasks.items() if _state(task) == "failed"]
        for name in failed:
            function, args, kwargs = self.recipes[name]
            await self.start(name, function, *args, **kwargs)
            self.last_restart[name] = _now()
        status = self.status()
        healthy = [name for name, task in status["tasks"].items() if task["status"] in ("running", "completed")]
        return {
            "monitoring_enabled": self.enabled,
            "total_tasks": len(self.tasks),
            "healthy_tasks": len(healthy) - len(failed),
            "unhealthy_tasks": len(failed),
            "restarted_tasks": failed,
            "task_details": status["tasks"],
            "overall_health": "healthy" if not failed else "degraded",
            "timestamp": _now(),
        }

    def health(self) -> dict[str, Any]:
        """Return a score from 0 to 100 with what lowers it."""
        status = self.status()
        total, failed = status["total_tasks"], status["failed_tasks"]
        score = 0 if not self.enabled else 100 if not total else round(100 * (total - failed) / total)
        alerts = [] if self.enabled else ["Background monitoring is disabled"]
        alerts += [
            f"Task {name} failed: {task.get('error')}" for name, task in status["tasks"].items() if task["status"] == "failed"
        ]
        return {
            "monitoring_enabled": self.enabled,
            "task_health": status,
            "total_tasks": total,
            "healthy_tasks": total - failed,
            "failed_tasks": failed,
            "overall_health": {
                "score": score,
                "status": "healthy" if score >= 80 else "degraded" if score >= 50 else "critical",
                "last_check": _now(),
            },
            "alerts": alerts,
        }

    async def _run(self, name: str, function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        while True:
            try:
                result = function(*args, **kwargs)
                return await result if inspect.isawaitable(result) else result
            except Exception as error:
                self.failures[name] = self.failures.get(name, 0) + 1
                logger.error("task %s failed (%d): %s", name, self.failures[name], error)
                if self.failures[name] > self._restarts:
                    raise
                self.last_restart[name] = _now()
                await asyncio.sleep(self._delay * 2 ** (self.failures[name] - 1))


def _state(task: asyncio.Task[Any]) -> str:
    if not task.done():
        return "running"
    if task.cancelled():
        return "cancelled"
    return "failed" if task.exception() is not None else "completed"


async def _ended(task: asyncio.Task[Any]) -> None:
    """Cancel and wait. A task of a closed loop cannot be awaited, and has ended with that loop."""
    if task.get_loop() is not asyncio.get_running_loop():
        return
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError, Exception):
        await task
