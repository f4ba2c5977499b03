"""Watched tasks start, fail, restart, stop and are reported."""

from __future__ import annotations

import asyncio
from typing import Any

from compat.netra.components.connections.background_tasks import MonitoredTasks


async def forever() -> None:
    await asyncio.Event().wait()


async def settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


def test_a_task_runs_is_listed_and_stops() -> None:
    async def scenario() -> None:
        tasks = MonitoredTasks()
        assert await tasks.start("beat", forever) == "beat"
        await settle()
        status = tasks.status()
        assert (status["total_tasks"], status["running_tasks"]) == (1, 1)
        assert status["tasks"]["beat"]["status"] == "running"
        assert await tasks.stop("beat") is True
        assert await tasks.stop("beat") is False

    asyncio.run(scenario())


def test_a_failing_task_is_restarted_and_then_failed() -> None:
    async def scenario() -> None:
        runs: list[Any] = []

        def fails(mark: str) -> None:
            runs.append(mark)
            raise OSError("down")

        tasks = MonitoredTasks(restarts=2, delay=0)
        await tasks.start("bad", fails, "x")
        await asyncio.wait([tasks.tasks["bad"]])
        assert runs == ["x"] * 3
        status = tasks.status()
        assert (status["failed_tasks"], status["tasks"]["bad"]["error"], tasks.failures["bad"]) == (1, "down", 3)
        health = tasks.health()
        assert health["overall_health"]["score"] == 0
        assert health["alerts"] == ["Task bad failed: down"]
        checked = await tasks.check()
        assert checked["restarted_tasks"] == ["bad"]
        await tasks.shutdown()

    asyncio.run(scenario())


def test_shutdown_ends_all_and_enable_brings_them_back() -> None:
    async def scenario() -> None:
        tasks = MonitoredTasks()
        await tasks.start("beat", forever)
        await tasks.shutdown()
        assert (tasks.enabled, tasks.tasks, await tasks.start("other", forever)) == (False, {}, "")
        assert tasks.health()["overall_health"]["score"] == 0
        report = await tasks.enable()
        assert (report["tasks_restarted"], list(tasks.tasks)) == (1, ["beat"])
        report = await tasks.restart(force_restart=True)
        assert report["restarted_tasks"] == ["beat"]
        assert tasks.health()["overall_health"]["status"] == "healthy"
        await tasks.shutdown()

    asyncio.run(scenario())
