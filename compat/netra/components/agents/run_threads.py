"""Which thread a run reports to: as registered, or as the run's id says."""

from __future__ import annotations

import re
import time
from collections import OrderedDict
from typing import Any

from ..connections.manager_calls import settled
from ..ids import UnifiedIDManager
from . import delivery
from .run_ids import is_valid_run

_THREAD = re.compile(r"thread(?:_[A-Za-z0-9]+)+")
_NO_RUN = frozenset(
    """system global broadcast admin root default test mock fake dummy placeholder example null none undefined empty
    debug dev local temp temporary""".split()  # noqa: SIM905 - a table of words
)
_NO_RUN_BEGINNINGS = ("sys_", "system_", "global_", "admin_")


class ThreadRunRegistry:
    """Threads by run, of one bridge; bounded: the runs registered longest ago go."""

    MAX_MAPPINGS = 10_000

    def __init__(self) -> None:
        self._threads: OrderedDict[str, tuple[str, dict[str, Any]]] = OrderedDict()
        self._registrations = self._lookups = self._found = 0
        self._created = time.time()

    async def register(self, run_id: str, thread_id: str, metadata: dict[str, Any] | None = None) -> bool:
        """Remember the thread of a run; False where one of the two is missing."""
        if not run_id or not thread_id:
            return False
        self._threads[run_id] = (thread_id, dict(metadata or {}))
        self._threads.move_to_end(run_id)
        self._registrations += 1
        if len(self._threads) > self.MAX_MAPPINGS:
            self._threads.popitem(last=False)
        return True

    async def get_thread(self, run_id: str) -> str | None:
        """Return the thread of a run, or None."""
        found = self._threads.get(run_id)
        self._lookups += 1
        self._found += found is not None
        return found[0] if found is not None else None

    async def unregister_run(self, run_id: str) -> bool:
        """Forget a run; return whether it was known."""
        return self._threads.pop(run_id, None) is not None

    async def get_status(self) -> dict[str, Any]:
        """Return counts, age and settings."""
        return {
            "registry_healthy": True,
            "active_mappings": len(self._threads),
            "total_registrations": self._registrations,
            "lookup_success_rate": self._found / self._lookups if self._lookups else 1.0,
            "uptime_seconds": time.time() - self._created,
            "memory_usage_percentage": 100.0 * len(self._threads) / self.MAX_MAPPINGS,
            "last_cleanup": None,
            "config": {
                "mapping_ttl_hours": 24,
                "cleanup_interval_minutes": 30,
                "max_mappings": self.MAX_MAPPINGS,
                "debug_logging_enabled": False,
            },
            "cleanup_task_running": False,
            "timestamp": time.time(),
        }


async def get_thread_run_registry(*unused: Any, **also_unused: Any) -> ThreadRunRegistry:
    """Return a registry for one bridge: runs of one user's bridge are nothing to another's."""
    return ThreadRunRegistry()


class RunThreads:
    """The part of a bridge that finds threads."""

    _thread_registry: Any
    _early_registry: ThreadRunRegistry
    _resolutions: dict[str, Any]

    def _begin_threads(self) -> None:
        self._thread_registry = None
        self._early_registry = ThreadRunRegistry()
        self._resolutions = {"found": {}, "failed": {}, "seconds": 0.0}

    async def _initialize_thread_registry(self) -> None:
        """Make the registry; what was registered before stays known."""
        if self._thread_registry is None:
            self._thread_registry = await settled(get_thread_run_registry())
            for run_id, (thread_id, metadata) in list(self._early_registry._threads.items()):
                await settled(self._thread_registry.register(run_id, thread_id, metadata))

    @property
    def _runs(self) -> Any:
        return self._thread_registry if self._thread_registry is not None else self._early_registry

    async def register_run_thread_mapping(self, run_id: str, thread_id: str, metadata: dict[str, Any] | None = None) -> bool:
        """Remember which thread a run reports to."""
        return bool(await settled(self._runs.register(run_id, thread_id, metadata)))

    async def unregister_run_mapping(self, run_id: str) -> bool:
        """Forget a run; return whether it was known."""
        return bool(await settled(self._runs.unregister_run(run_id)))

    async def get_thread_registry_status(self) -> Any:
        """Return how many runs are mapped, and how."""
        return await settled(self._runs.get_status())

    def extract_thread_id(self, run_id: Any) -> str:
        """Return the thread that a run's id names, as the id manager reads it."""
        return UnifiedIDManager.extract_thread_id(run_id)

    async def _resolve_thread_id_from_run_id(self, run_id: Any) -> str:
        """Return the thread of a run: the registered one, the id itself, or what the id says.

        Raises
        ------
        ValueError
            If none is found: an event of it would have nobody to go to.
        """
        started = time.perf_counter()
        if self._is_suspicious_run_id(run_id):
            delivery.logger.warning("run id %r does not look like one of a run", run_id)
        source, thread_id = await self._thread_of(run_id)
        counted = self._resolutions["failed" if thread_id is None else "found"]
        counted[source] = counted.get(source, 0) + 1
        self._resolutions["seconds"] += time.perf_counter() - started
        if thread_id is None:
            raise ValueError(
                f"Thread resolution failed for run_id={run_id}: All 5 priority sources failed. "
                "Business impact: the event has no thread to go to, and its user does not see it."
            )
        if source != "registry":
            try:
                await settled(self._runs.register(run_id, thread_id))
            except Exception as error:
                delivery.logger.warning("the thread of run %s could not be registered: %s", run_id, error)
        return thread_id

    async def _thread_of(self, run_id: Any) -> tuple[str, str | None]:
        if not is_valid_run(run_id):
            return "invalid_run_id", None
        try:
            known = await settled(self._runs.get_thread(run_id))
        except Exception as error:
            delivery.logger.warning("the registry of runs failed, run %s is read by itself: %s", run_id, error)
            known = None
        if isinstance(known, str) and known:
            return "registry", known
        if self._is_valid_thread_format(run_id):
            return "run_id_is_thread", run_id
        found = self._extract_thread_from_standardized_run_id(run_id)
        return ("run_id_extraction", found) if found else ("unresolvable", None)

    def _extract_thread_from_standardized_run_id(self, run_id: Any) -> str | None:
        if self._is_valid_thread_format(run_id):
            return str(run_id)
        found = self.extract_thread_id(run_id)
        thread_id = found if found.startswith("thread_") else f"thread_{found}"
        return thread_id if self._is_valid_thread_format(thread_id) else None

    @staticmethod
    def _is_valid_thread_format(thread_id: Any) -> bool:
        return isinstance(thread_id, str) and _THREAD.fullmatch(thread_id) is not None

    @staticmethod
    def _is_suspicious_run_id(run_id: Any) -> bool:
        if not isinstance(run_id, str) or len(run_id) < 3:
            return True
        lowered = run_id.lower()
        return lowered.startswith(_NO_RUN_BEGINNINGS) or not _NO_RUN.isdisjoint(re.split("[_-]", lowered))

    def get_resolution_metrics(self) -> dict[str, Any]:
        """Return how threads of runs were found."""
        found, failed = self._resolutions["found"], self._resolutions["failed"]
        good, bad = sum(found.values()), sum(failed.values())
        total = good + bad
        return {
            "total_resolutions": total,
            "successful_resolutions": good,
            "failed_resolutions": bad,
            "success_rate": good / total if total else 1.0,
            "avg_resolution_time_ms": 1000 * self._resolutions["seconds"] / total if total else 0.0,
            "resolution_sources": dict(found),
            "failure_sources": dict(failed),
            "metrics_available": total > 0,
        }
