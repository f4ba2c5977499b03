"""Watched tasks start, fail, restart, stop and are reported."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any
from unittest.mock import AsyncMock, patch

import pytest

from compat.netra.components.connections import background_tasks
from compat.netra.components.connections.background_tasks import MonitoredTasks
from compat.netra.components.connections.task_health import monitoring_health


async def forever() -> None:
    await asyncio.Event().wait()


def failing(runs: list[Any]) -> Any:
    def fails() -> None:
        runs.append(1)
        raise OSError("down")

    return fails


async def settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


def test_a_task_runs_is_listed_and_stops() -> None:
    async def scenario() -> None:
        tasks = MonitoredTasks()
        assert await tasks.start("beat", forever) == "beat"
        await settle()
        status = tasks.status()
        assert (status["total_tasks"], status["running_tasks"], status["failed_tasks"]) == (1, 1, 0)
        assert status["tasks"] == {
            "beat": {"running": True, "cancelled": False, "exception": None, "failure_count": 0, "last_failure": None}
        }
        assert await tasks.stop("beat") is True
        assert await tasks.stop("beat") is False

    asyncio.run(scenario())


def test_a_task_is_tried_five_times_with_growing_pauses_and_has_then_failed() -> None:
    async def scenario() -> None:
        runs: list[Any] = []
        tasks, slept = MonitoredTasks(), AsyncMock()
        with patch.object(background_tasks.asyncio, "sleep", slept):
            await tasks.start("bad", failing(runs))
            await asyncio.wait([tasks.tasks["bad"]])
        assert len(runs) == 5
        pauses = [call.args[0] for call in slept.await_args_list]
        assert [round(pause / expected) for pause, expected in zip(pauses, (1, 2, 4, 8))] == [1] * 4
        assert all(0.95 * expected <= pause <= 1.05 * expected for pause, expected in zip(pauses, (1, 2, 4, 8)))
        state = tasks.status()["tasks"]["bad"]
        assert state.pop("last_failure").endswith("+00:00")
        assert state == {"running": False, "cancelled": False, "exception": "down", "failure_count": 5}
        checked = await tasks.check()
        assert checked == {"healthy_tasks": 0, "unhealthy_tasks": 1, "restarted_tasks": ["bad"], "failed_restarts": []}
        await tasks.shutdown()

    asyncio.run(scenario())


def test_no_pause_is_longer_than_two_minutes_and_success_forgets_the_failures() -> None:
    async def scenario() -> None:
        answers = iter([OSError("down"), None])

        async def recovers() -> None:
            answer = next(answers)
            if answer is not None:
                raise answer

        tasks, slept = MonitoredTasks(delay=1000.0), AsyncMock()
        with patch.object(background_tasks.asyncio, "sleep", slept):
            await tasks.start("good", recovers)
            await asyncio.wait([tasks.tasks["good"]])
        assert 114 <= slept.await_args.args[0] <= 126
        assert (tasks.failures, tasks.restart_counts) == ({"good": 0}, {"good": 1})

    asyncio.run(scenario())


def test_a_task_that_cannot_be_started_again_is_named() -> None:
    async def scenario() -> None:
        tasks = MonitoredTasks(restarts=0)
        await tasks.start("bad", failing([]))
        await asyncio.wait([tasks.tasks["bad"]])
        with patch.object(tasks, "start", AsyncMock(side_effect=RuntimeError("no room"))):
            checked = await tasks.check()
        assert checked["failed_restarts"] == [{"task_name": "bad", "reason": "no room"}]
        assert tasks.check_failures == 1
        health = monitoring_health(tasks)
        assert [alert["message"] for alert in health["alerts"]] == [
            "1 health check failures detected",
            "1 background tasks have failed",
            "No background tasks are running despite having registered tasks",
        ]

    asyncio.run(scenario())


def test_shutdown_ends_all_and_enable_brings_them_back() -> None:
    async def scenario() -> None:
        tasks = MonitoredTasks()
        assert await tasks.enable() == {"monitoring_enabled": True}
        await tasks.start("beat", forever)
        await tasks.shutdown()
        assert (tasks.enabled, tasks.shutdown_requested, tasks.tasks, await tasks.start("other", forever)) == (
            False,
            True,
            {},
            "",
        )
        assert await tasks.enable() == {
            "monitoring_enabled": True,
            "tasks_restarted": 1,
            "tasks_failed_restart": 0,
            "failed_tasks": [],
            "health_check_reset": True,
            "previous_state": {"was_shutdown": True, "had_failures": False},
        }
        report = await tasks.restart(force_restart=True)
        assert report["restarted_tasks"] == ["beat"]
        assert monitoring_health(tasks)["overall_health"]["status"] == "healthy"
        await tasks.shutdown()

    asyncio.run(scenario())


def test_the_health_of_monitoring_has_its_keys() -> None:
    async def scenario() -> None:
        tasks = MonitoredTasks(restarts=0)
        await tasks.start("beat", forever)
        for name in ("bad", "worse", "worst"):
            await tasks.start(name, failing([]))
        await settle()
        health = monitoring_health(tasks)
        assert health.pop("last_health_check") == tasks.last_check.isoformat()
        assert health.pop("last_health_check_age_seconds") >= 0
        details = health["task_failures"]["failure_details"]
        assert all(one.pop("last_failure").endswith("+00:00") for one in details.values())
        (alert,) = health.pop("alerts")
        assert sorted(alert) == ["action", "impact", "message", "severity"]
        assert (alert["severity"], alert["message"]) == ("warning", "3 background tasks have failed")
        assert health == {
            "monitoring_enabled": True,
            "shutdown_requested": False,
            "health_check_failures": 0,
            "health_check_stale": False,
            "task_health": {
                "total_tasks": 4,
                "running_tasks": 1,
                "completed_tasks": 0,
                "failed_tasks": 3,
                "cancelled_tasks": 0,
                "healthy_tasks": ["beat"],
            },
            "task_failures": {
                "total_failed_tasks": 3,
                "failure_details": {name: {"failure_count": 1} for name in ("bad", "worse", "worst")},
            },
            "task_registry": {"registered_tasks": 4, "task_restart_counts": {}},
            "overall_health": {
                "score": 25.0,
                "status": "critical",
                "factors": {
                    "monitoring_enabled": True,
                    "shutdown_requested": False,
                    "health_check_stale": False,
                    "health_check_failures": 0,
                    "task_failure_rate": 0.75,
                },
            },
        }
        await tasks.shutdown()

    asyncio.run(scenario())


@pytest.mark.parametrize(
    ("change", "score", "status", "message"),
    [
        ({}, 100, "healthy", None),
        ({"enabled": False}, 0, "critical", "Background monitoring is disabled"),
        ({"shutdown_requested": True}, 25, "critical", "Monitoring shutdown has been requested"),
        ({"check_failures": 2}, 75, "warning", "2 health check failures detected"),
        ({"stale": 301}, 50, "degraded", "Health check is stale (301s old)"),
        ({"stale": 299}, 100, "healthy", None),
    ],
)
def test_what_lowers_the_score(change: dict[str, Any], score: int, status: str, message: Any) -> None:
    tasks = MonitoredTasks()
    tasks.last_check -= timedelta(seconds=change.pop("stale", 0))
    for name, value in change.items():
        setattr(tasks, name, value)
    health = monitoring_health(tasks)
    assert (health["overall_health"]["score"], health["overall_health"]["status"]) == (score, status)
    assert [alert["message"] for alert in health["alerts"]] == ([message] if message else [])
