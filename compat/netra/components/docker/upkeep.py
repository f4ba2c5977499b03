"""Looking after containers: memory, what their logs say, and clean-up on a schedule."""

from __future__ import annotations

import logging
import re
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import Any, Optional

from .container_types import ContainerInfo, parse_moment
from .containers import LABEL, DockerContainers

logger = logging.getLogger(__name__)

_ERROR = re.compile(r"\b(error|critical|fatal|exception|traceback|panic)\b", re.IGNORECASE)
_WARNING = re.compile(r"\bwarn(ing)?\b", re.IGNORECASE)
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


@dataclass
class DockerResourceSnapshot:
    """The memory of containers at one moment, in MB; ``timestamp`` in Unix seconds."""

    timestamp: float
    total_memory_mb: float
    per_container_mb: dict[str, float] = field(default_factory=dict)
    over_80_percent: list[str] = field(default_factory=list)


@dataclass
class IntrospectionReport:
    """What the logs of services say; counts of lines."""

    services: dict[str, dict[str, Any]] = field(default_factory=dict)
    timestamp: float = field(default_factory=time.time)

    @property
    def total_errors(self) -> int:
        """Lines with errors, of all services."""
        return sum(int(each["errors"]) for each in self.services.values())

    @property
    def healthy(self) -> bool:
        """Whether no service runs unhealthy or logs errors."""
        return not self.total_errors and all(each["state"] in ("running", "healthy") for each in self.services.values())


class DockerIntrospector:
    """Reads the logs of containers."""

    def __init__(self, containers: Callable[[], Iterable[Any]]) -> None:
        self._containers = containers

    def analyze_services(
        self, services: Optional[list[str]] = None, since: str = "1h", max_lines: int = 500
    ) -> IntrospectionReport:
        """Count errors and warnings in what services (all) have logged since (``"30m"``, ``"1h"``)."""
        start = int(time.time() - _seconds(since))
        report = IntrospectionReport()
        for container in self._containers():
            info = ContainerInfo.from_docker_inspect(container.attrs)
            if services is not None and info.service not in services:
                continue
            lines = container.logs(tail=max_lines, since=start).decode("utf-8", "replace").splitlines()
            errors = [line for line in lines if _ERROR.search(line)]
            report.services[info.service] = {
                "state": info.state.value,
                "lines": len(lines),
                "errors": len(errors),
                "warnings": sum(bool(_WARNING.search(line)) for line in lines),
                "last_error": errors[-1] if errors else None,
            }
        return report


def _seconds(text: str) -> float:
    number, unit = text[:-1], text[-1:]
    if unit not in _UNITS or not number.isdigit():
        raise ValueError(f"{text!r} is no duration such as '30s', '10m', '1h' or '2d'")
    return int(number) * _UNITS[unit]


class DockerUpkeep(DockerContainers):
    """The part of a manager that looks after its containers."""

    _scheduler: Optional[threading.Thread] = None
    _stop_scheduler: Optional[threading.Event] = None
    _scheduled_runs = 0
    _registered_tests: set[str]

    def cleanup_old_environments(self, max_age_hours: int = 24) -> int:
        """Remove dedicated containers older than that and return how many."""
        limit = datetime.now(timezone.utc) - timedelta(hours=max_age_hours)
        removed = 0
        for container in self._containers(environment=None):
            made = parse_moment(container.attrs.get("Created"))
            dedicated = str(container.labels.get(LABEL, "")).startswith("dedicated-")
            if dedicated and made is not None and made < limit:
                container.remove(force=True)
                removed += 1
        return removed

    def cleanup_orphaned_containers(self) -> bool:
        """Remove the environment's containers that have ended."""
        for container in self._containers():
            if container.status in ("exited", "dead", "created"):
                container.remove(force=True)
        return True

    def pre_test_cleanup(self) -> bool:
        """Remove what earlier runs have left: ended containers, and dedicated ones older than a day."""
        self.cleanup_old_environments()
        return self.cleanup_orphaned_containers()

    def monitor_memory_during_operations(self) -> Optional[DockerResourceSnapshot]:
        """The memory of the environment's running containers; None if none runs."""
        snapshot = DockerResourceSnapshot(time.time(), 0.0)
        for container in self._containers(all_states=False):
            memory = container.stats(stream=False).get("memory_stats", {})
            used = memory.get("usage", 0) / 2**20
            snapshot.per_container_mb[container.name] = used
            snapshot.total_memory_mb += used
            if memory.get("limit") and used * 2**20 > 0.8 * memory["limit"]:
                snapshot.over_80_percent.append(container.name)
        return snapshot if snapshot.per_container_mb else None

    def create_introspector(self) -> DockerIntrospector:
        """A reader of the logs of the environment's containers."""
        return DockerIntrospector(self._containers)

    async def analyze_service_health(
        self, services: Optional[list[str]] = None, since: str = "1h", max_lines: int = 500
    ) -> IntrospectionReport:
        """Count errors and warnings in the logs of services (all)."""
        import asyncio

        return await asyncio.to_thread(self.create_introspector().analyze_services, services, since, max_lines)

    def enable_cleanup_scheduler(self, schedule_config: Optional[Any] = None, resource_thresholds: Optional[Any] = None) -> bool:
        """Clean up in the background every ``schedule_config.interval_seconds`` (3600). False if that runs already."""
        if self._scheduler is not None:
            return False
        interval = float(getattr(schedule_config, "interval_seconds", None) or 3600)
        self._stop_scheduler = threading.Event()
        self._scheduler = threading.Thread(
            target=self._clean_up_until, args=(self._stop_scheduler, interval), name="docker-cleanup", daemon=True
        )
        self._scheduler.start()
        return True

    def disable_cleanup_scheduler(self) -> bool:
        """Stop cleaning up in the background and wait until it has stopped. False if it does not run."""
        if self._scheduler is None or self._stop_scheduler is None:
            return False
        self._stop_scheduler.set()
        self._scheduler.join()
        self._scheduler = self._stop_scheduler = None
        return True

    def get_cleanup_scheduler_status(self) -> Optional[dict[str, Any]]:
        """How often it has cleaned up, and for which tests; None if it does not run."""
        if self._scheduler is None:
            return None
        return {"running": self._scheduler.is_alive(), "runs": self._scheduled_runs, "tests": sorted(self._tests())}

    def register_with_cleanup_scheduler(self, test_id: Optional[str] = None) -> str:
        """Say that a test uses the environment; its ID ends that."""
        test_id = test_id or uuid.uuid4().hex[:8]
        self._tests().add(test_id)
        return test_id

    def unregister_from_cleanup_scheduler(self, test_id: Optional[str] = None, trigger_cleanup: bool = True) -> None:
        """Say that a test (every one) is done; clean up when it was the last."""
        if test_id is None:
            self._tests().clear()
        self._tests().discard(test_id or "")
        if trigger_cleanup and not self._tests():
            self.trigger_manual_cleanup()

    def trigger_manual_cleanup(self, cleanup_types: Optional[list[str]] = None) -> list[dict[str, Any]]:
        """Clean up now: ``containers`` that have ended, ``environments`` that are old. Says what each has done."""
        steps: dict[str, Callable[[], Any]] = {
            "containers": self.cleanup_orphaned_containers,
            "environments": self.cleanup_old_environments,
        }
        unknown = set(cleanup_types or ()) - set(steps)
        if unknown:
            raise ValueError(f"Unknown cleanup types: {', '.join(sorted(unknown))}. There are: {', '.join(steps)}")
        return [{"type": name, "result": steps[name]()} for name in cleanup_types or steps]

    def get_windows_event_logs(self, hours_back: int = 24, limit: int = 100) -> list[dict[str, Any]]:
        """The event log's entries of Docker; empty on any other system than Windows."""
        if sys.platform != "win32":
            return []
        import json
        import subprocess

        query = (
            f"Get-WinEvent -FilterHashtable @{{LogName='Application'; ProviderName='docker'; "
            f"StartTime=(Get-Date).AddHours(-{int(hours_back)})}} -MaxEvents {int(limit)} | "
            "Select-Object TimeCreated, LevelDisplayName, Message | ConvertTo-Json"
        )
        done = subprocess.run(["powershell", "-Command", query], capture_output=True, text=True, check=False)
        found = json.loads(done.stdout) if done.stdout.strip() else []
        return found if isinstance(found, list) else [found]

    def get_docker_service_status_windows(self) -> dict[str, Any]:
        """The state of Docker's Windows service; ``applicable`` is False on any other system."""
        if sys.platform != "win32":
            return {"applicable": False, "platform": sys.platform}
        import subprocess

        done = subprocess.run(["sc", "query", "com.docker.service"], capture_output=True, text=True, check=False)
        return {"applicable": True, "running": "RUNNING" in done.stdout, "output": done.stdout}

    def _tests(self) -> set[str]:
        return self.__dict__.setdefault("_registered_tests", set())  # type: ignore[no-any-return]

    def _clean_up_until(self, stopped: threading.Event, interval: float) -> None:
        while not stopped.wait(interval):
            try:
                self.trigger_manual_cleanup()
                self._scheduled_runs += 1
            except Exception as error:  # An engine that is down now may be up at the next turn.
                logger.warning(f"Cleanup failed: {error}")
