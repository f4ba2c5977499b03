"""Background tasks that are watched: restarted when they fail, listed, stopped, and restarted all together."""

from __future__ import annotations

import asyncio
import contextlib
import inspect
import random
from collections.abc import Callable
from datetime import datetime, timezone
from typing import Any

from compat.canonical.core.logged import get_logger

logger = get_logger(__name__)

LONGEST_DELAY = 120.0


def _now() -> str:
    return datetime.now(timezone.utc).isoformat()


class MonitoredTasks:
    """Named asyncio tasks of one owner.

    Parameters
    ----------
    restarts:
        How often a task that raises is started again.
    delay:
        Seconds before the first restart; doubles with each, up to two minutes, give or take a twentieth.
    """

    def __init__(self, *, restarts: int = 4, delay: float = 1.0) -> None:
        self.enabled = True
        self.shutdown_requested = False
        self.tasks: dict[str, asyncio.Task[Any]] = {}
        self.failures: dict[str, int] = {}
        self.last_failures: dict[str, str] = {}
        self.last_restart: dict[str, str] = {}
        self.restart_counts: dict[str, int] = {}
        self.recipes: dict[str, tuple[Callable[..., Any], tuple[Any, ...], dict[str, Any]]] = {}
        self.check_failures = 0
        self.last_check = datetime.now(timezone.utc)
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
        self.enabled, self.shutdown_requested = False, True
        tasks, self.tasks = list(self.tasks.values()), {}
        self.failures.clear()
        for task in tasks:
            await _ended(task)

    async def enable(self, restart_previous_tasks: bool = True) -> dict[str, Any]:
        """Allow tasks again, and start those that :meth:`shutdown` ended."""
        if self.enabled and not self.shutdown_requested:
            return {"monitoring_enabled": True}
        previous = {"was_shutdown": self.shutdown_requested, "had_failures": bool(self.check_failures)}
        self.enabled, self.shutdown_requested = True, False
        self._begin_checks()
        restarted, failed = 0, []
        for name, (function, args, kwargs) in list(self.recipes.items()) if restart_previous_tasks else ():
            try:
                await self.start(name, function, *args, **kwargs)
                restarted += 1
            except Exception as error:
                failed.append({"task_name": name, "error": str(error)})
        return {
            "monitoring_enabled": True,
            "tasks_restarted": restarted,
            "tasks_failed_restart": len(failed),
            "failed_tasks": failed,
            "health_check_reset": True,
            "previous_state": previous,
        }

    def _begin_checks(self) -> None:
        self.check_failures, self.last_check = 0, datetime.now(timezone.utc)

    async def restart(self, force_restart: bool = False) -> dict[str, Any]:
        """Start again what is not running; with ``force_restart`` everything."""
        stopped = []
        if force_restart:
            for name, task in list(self.tasks.items()):
                await _ended(task)
                stopped.append(name)
        self.enabled, self.shutdown_requested = True, False
        self._begin_checks()
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
        """Return each task's state, and totals."""
        states = self.states()
        details = {}
        for name, state in states.items():
            error = self.tasks[name].exception() if state == "failed" else None
            details[name] = {
                "running": state == "running",
                "cancelled": state == "cancelled",
                "exception": str(error) if error is not None else None,
                "failure_count": self.failures.get(name, 0),
                "last_failure": self.last_failures.get(name),
            }
        return {
            "monitoring_enabled": self.enabled,
            "total_tasks": len(states),
            "running_tasks": sum(state == "running" for state in states.values()),
            "failed_tasks": sum(state == "failed" for state in states.values()),
            "tasks": details,
        }

    def states(self) -> dict[str, str]:
        """Return the state of each task: running, completed, cancelled or failed."""
        return {name: _state(task) for name, task in self.tasks.items()}

    async def check(self) -> dict[str, Any]:
        """Start failed tasks again, and return what was found."""
        failed = [name for name, state in self.states().items() if state == "failed"]
        restarted: list[str] = []
        refused: list[dict[str, str]] = []
        for name in failed:
            try:
                function, args, kwargs = self.recipes[name]
                await self.start(name, function, *args, **kwargs)
            except Exception as error:
                refused.append({"task_name": name, "reason": str(error)})
                continue
            self._note_restart(name)
            restarted.append(name)
        self.last_check = datetime.now(timezone.utc)
        self.check_failures = self.check_failures + 1 if refused else 0
        return {
            "healthy_tasks": len(self.tasks) - len(failed),
            "unhealthy_tasks": len(failed),
            "restarted_tasks": restarted,
            "failed_restarts": refused,
        }

    def _note_restart(self, name: str) -> None:
        self.last_restart[name] = _now()
        self.restart_counts[name] = self.restart_counts.get(name, 0) + 1

    async def _run(self, name: str, function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        while True:
            try:
                result = function(*args, **kwargs)
                result = await result if inspect.isawaitable(result) else result
                self.failures[name] = 0
                return result
            except Exception as error:
                self.failures[name] = self.failures.get(name, 0) + 1
                self.last_failures[name] = _now()
                logger.error("task %s failed (%d): %s", name, self.failures[name], error)
                if self.failures[name] > self._restarts:
                    raise
                self._note_restart(name)
                delay = min(self._delay * 2.0 ** (self.failures[name] - 1), LONGEST_DELAY)
                await asyncio.sleep(delay * random.uniform(0.95, 1.05))


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
