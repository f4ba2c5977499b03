"""How well watched background tasks do: a score from 0 to 100, what lowers it, and what to do about it."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

from .background_tasks import MonitoredTasks

STALE_AFTER_SECONDS = 300
_GRADES = ((90, "healthy"), (70, "warning"), (30, "degraded"))


def monitoring_health(tasks: MonitoredTasks) -> dict[str, Any]:
    """Return the state of monitoring, of its tasks, and of both together."""
    states = tasks.states()
    named = {state: [name for name, one in states.items() if one == state] for state in ("running", "failed", "cancelled")}
    failures = {name: count for name, count in tasks.failures.items() if count}
    age = (datetime.now(timezone.utc) - tasks.last_check).total_seconds()
    factors = {
        "monitoring_enabled": tasks.enabled,
        "shutdown_requested": tasks.shutdown_requested,
        "health_check_stale": age > STALE_AFTER_SECONDS,
        "health_check_failures": tasks.check_failures,
        "task_failure_rate": len(named["failed"]) / len(states) if states else 0.0,
    }
    score = _score(factors)
    return {
        "monitoring_enabled": tasks.enabled,
        "shutdown_requested": tasks.shutdown_requested,
        "health_check_failures": tasks.check_failures,
        "last_health_check": tasks.last_check.isoformat(),
        "last_health_check_age_seconds": age,
        "health_check_stale": factors["health_check_stale"],
        "task_health": {
            "total_tasks": len(states),
            "running_tasks": len(named["running"]),
            "completed_tasks": sum(state == "completed" for state in states.values()),
            "failed_tasks": len(named["failed"]),
            "cancelled_tasks": len(named["cancelled"]),
            "healthy_tasks": named["running"],
        },
        "task_failures": {
            "total_failed_tasks": len(failures),
            "failure_details": {
                name: {"failure_count": count, "last_failure": tasks.last_failures.get(name)} for name, count in failures.items()
            },
        },
        "task_registry": {"registered_tasks": len(tasks.recipes), "task_restart_counts": dict(tasks.restart_counts)},
        "overall_health": {
            "score": score,
            "status": next((grade for least, grade in _GRADES if score >= least), "critical"),
            "factors": factors,
        },
        "alerts": _alerts(factors, age, len(failures), bool(tasks.recipes) and not named["running"]),
    }


def _score(factors: dict[str, Any]) -> float:
    score: float = 100 - factors["task_failure_rate"] * 100
    for lowered, most in (
        (not factors["monitoring_enabled"], 0),
        (factors["shutdown_requested"], 25),
        (factors["health_check_stale"], 50),
        (factors["health_check_failures"] > 0, 75),
    ):
        if lowered:
            score = min(score, most)
    return score


def _alerts(factors: dict[str, Any], age: float, failed: int, idle: bool) -> list[dict[str, str]]:
    checks = factors["health_check_failures"]
    found = (
        (
            not factors["monitoring_enabled"],
            "critical",
            "Background monitoring is disabled",
            "Call enable_background_monitoring()",
            "Background tasks that fail are not started again",
        ),
        (
            factors["shutdown_requested"],
            "critical",
            "Monitoring shutdown has been requested",
            "Call enable_background_monitoring() if that was not meant",
            "No background task runs",
        ),
        (
            factors["health_check_stale"],
            "warning",
            f"Health check is stale ({age:.0f}s old)",
            "Call health_check_background_tasks()",
            "Failed tasks may not have been noticed",
        ),
        (
            checks > 0,
            "warning",
            f"{checks} health check failures detected",
            "Look for the cause in the log",
            "Tasks could not be started again",
        ),
        (
            failed > 0,
            "warning",
            f"{failed} background tasks have failed",
            "Call restart_background_monitoring()",
            "What these tasks do is not done",
        ),
        (
            idle,
            "critical",
            "No background tasks are running despite having registered tasks",
            "Call restart_background_monitoring()",
            "What these tasks do is not done",
        ),
    )
    return [
        {"severity": severity, "message": message, "action": action, "impact": impact}
        for there, severity, message, action, impact in found
        if there
    ]
