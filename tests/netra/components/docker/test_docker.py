"""Named services are started in order, looked at, and stopped, on whatever engine answers."""

from __future__ import annotations

import asyncio
import socket
import sys
import threading
import time
from types import SimpleNamespace
from typing import Any

import pytest

from compat.netra.components.docker import docker_manager
from compat.netra.components.docker.docker_manager import (
    ContainerInfo,
    ContainerState,
    DockerUnavailable,
    EnvironmentType,
    OrchestrationConfig,
    ServiceMode,
    ServiceOrchestrator,
    ServiceStatus,
    UnifiedDockerManager,
)


class Container:
    """A container of :class:`Engine`, in the shape of the SDK's."""

    def __init__(self, engine: Engine, image: str, port: int, options: dict[str, Any]) -> None:
        self.engine, self.status, self.name = engine, "running", options["name"]
        self.labels, self.restarts, self.exit_code = options["labels"], 0, 0
        self.attrs: dict[str, Any] = {
            "Name": f"/{self.name}",
            "Id": "0123456789abcdef",
            "Created": "2025-09-14T10:00:00.123456789Z",
            "Config": {"Image": image, "Labels": self.labels},
            "NetworkSettings": {"Ports": {next(iter(options["ports"])): [{"HostPort": str(port)}]}},
        }
        self.reload()

    def reload(self) -> None:
        running = self.status == "running"
        self.attrs["State"] = {"Status": self.status, "Running": running, "ExitCode": self.exit_code}

    def start(self) -> None:
        self.status = "running"
        self.reload()

    def stop(self, timeout: int) -> None:
        self.status = "exited"
        self.reload()

    def restart(self) -> None:
        self.restarts += 1

    def remove(self, force: bool = False) -> None:
        self.engine.all.remove(self)

    def exec_run(self, command: list[str]) -> Any:
        self.engine.commands.append(command)
        return SimpleNamespace(exit_code=0)

    def logs(self, tail: int, since: int = 0) -> bytes:
        return b"first\nERROR: last"

    def stats(self, stream: bool) -> dict[str, Any]:
        return {"memory_stats": {"usage": 90 * 2**20, "limit": 100 * 2**20}}


class Engine:
    """An engine whose every container answers on one real port."""

    def __init__(self, port: int) -> None:
        self.port, self.all, self.pulled, self.commands = port, [], [], []
        self.containers = SimpleNamespace(list=self._list, run=self._run)
        self.images = SimpleNamespace(list=lambda name: [], pull=self.pulled.append)

    def ping(self) -> bool:
        return True

    def info(self) -> dict[str, int]:
        return {"MemTotal": 8 * 2**30}

    def _list(self, all: bool, filters: dict[str, str]) -> list[Container]:
        key, _, value = filters.get("label", "netra.environment").partition("=")
        return [each for each in self.all if (not value or each.labels.get(key) == value) and (all or each.status == "running")]

    def _run(self, image: str, **options: Any) -> Container:
        self.all.append(Container(self, image, self.port, options))
        return self.all[-1]


@pytest.fixture
def engine():
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        stopped = threading.Event()

        def accept() -> None:
            while not stopped.is_set():
                try:
                    listening.accept()[0].close()
                except OSError:
                    return

        thread = threading.Thread(target=accept)
        thread.start()
        yield Engine(listening.getsockname()[1])
        stopped.set()
        with socket.create_connection(("127.0.0.1", listening.getsockname()[1])):
            pass
        thread.join()


@pytest.fixture
def manager(engine: Engine) -> UnifiedDockerManager:
    return UnifiedDockerManager(OrchestrationConfig(required_services=["redis"]), test_id="t1", client=engine)


def test_services_start_once_with_what_is_pulled(manager: UnifiedDockerManager, engine: Engine) -> None:
    assert asyncio.run(manager.start_services_smart(["redis", "postgres"]))
    assert asyncio.run(manager.start_services_smart(["redis"]))
    assert [each.name for each in engine.all] == ["netra-dedicated-t1-redis", "netra-dedicated-t1-postgres"]
    assert engine.pulled == ["redis:7-alpine", "postgres:15-alpine"]
    assert manager.allocated_ports == {"redis": engine.port, "postgres": engine.port}
    assert manager.get_service_ports() == manager.allocated_ports
    assert manager.get_service_status("redis") is ServiceStatus.HEALTHY
    assert manager.get_e2e_service_urls()["redis"] == f"redis://localhost:{engine.port}/0"
    assert manager.get_statistics()["started_services"] == ["postgres", "redis"]
    assert "redis (port " in manager.get_health_report()


def test_what_a_service_needs_is_started_first(manager: UnifiedDockerManager, engine: Engine) -> None:
    asyncio.run(manager.start_services_smart(["backend"], wait_healthy=False))
    assert [each.labels["netra.service"] for each in engine.all] == ["postgres", "redis", "auth", "backend"]


def test_environments_are_apart(manager: UnifiedDockerManager, engine: Engine) -> None:
    other = UnifiedDockerManager(environment_type=EnvironmentType.TEST, client=engine)
    asyncio.run(manager.start_services_smart(["redis"]))
    assert other.get_service_status("redis") is ServiceStatus.UNKNOWN
    assert asyncio.run(other.force_shutdown())
    assert len(engine.all) == 1
    manager.release_environment("dedicated-t1")
    assert (engine.all, manager.allocated_ports) == ([], {})


def test_stopping_keeps_containers_and_killing_removes_them(manager: UnifiedDockerManager, engine: Engine) -> None:
    asyncio.run(manager.start_services_smart(["redis"]))
    assert asyncio.run(manager.graceful_shutdown())
    assert manager.get_service_status("redis") is ServiceStatus.STOPPED
    assert not manager.wait_for_services(["redis"], timeout=0)
    assert manager.service_health["redis"].error_message == "redis is stopped"
    assert manager.analyze_docker_crash()["crashed"][0]["logs"] == ["first", "ERROR: last"]
    assert asyncio.run(manager.ensure_services_running(["redis"]))
    asyncio.run(manager.cleanup_services())
    assert engine.all == []


def test_restarts_are_limited(manager: UnifiedDockerManager, engine: Engine) -> None:
    assert not manager.restart_service("redis"), "nothing to restart"
    asyncio.run(manager.start_services_smart(["redis"]))
    assert manager.restart_service("redis")
    assert not manager.restart_service("redis"), "within the cooldown"
    assert manager.restart_service("redis", force=True)
    assert engine.all[0].restarts == 2
    with pytest.raises(ValueError, match=r"Unknown service 'mysql'"):
        manager.restart_service("mysql")


def test_orchestration_reports_health(manager: UnifiedDockerManager, engine: Engine) -> None:
    healthy, health = asyncio.run(manager.orchestrate_services())
    assert healthy and health["redis"].is_healthy and health["redis"].port == engine.port
    assert manager.acquire_environment() == ("dedicated-t1", {"redis": engine.port})
    assert asyncio.run(manager.reset_test_data(["redis"])) and engine.commands == [["redis-cli", "FLUSHALL"]]
    assert manager.perform_memory_pre_flight_check()


def test_old_dedicated_containers_go(manager: UnifiedDockerManager, engine: Engine) -> None:
    asyncio.run(manager.start_services_smart(["redis"]))
    assert manager.cleanup_old_environments(max_age_hours=24) == 1
    assert engine.all == []


def test_ended_containers_go(manager: UnifiedDockerManager, engine: Engine) -> None:
    asyncio.run(manager.start_services_smart(["redis"]))
    assert manager.cleanup_orphaned_containers() and len(engine.all) == 1
    engine.all[0].stop(timeout=0)
    assert manager.cleanup_orphaned_containers() and engine.all == []


def test_without_an_engine_the_error_says_how_to_start_one(monkeypatch) -> None:
    pytest.importorskip("docker", reason="the Docker SDK is not installed")
    monkeypatch.setenv("DOCKER_HOST", "tcp://127.0.0.1:1")
    manager = UnifiedDockerManager()
    assert not manager.is_docker_available()
    assert manager.get_effective_mode() is ServiceMode.LOCAL
    with pytest.raises(DockerUnavailable, match=r"^No Docker engine answers .*systemctl start docker"):
        manager.get_service_status("redis")


def test_mock_mode_needs_no_engine() -> None:
    manager = UnifiedDockerManager(mode=ServiceMode.MOCK)
    assert asyncio.run(manager.start_services_smart(["redis"]))
    assert manager.wait_for_services(timeout=0)
    assert asyncio.run(manager.graceful_shutdown())


def test_settings_are_checked() -> None:
    with pytest.raises(ValueError, match=r"pull_policy must be 'missing', 'always' or 'never', not 'sometimes'"):
        UnifiedDockerManager(pull_policy="sometimes")
    assert ServiceOrchestrator().use_alpine is False
    assert OrchestrationConfig().required_services == ["postgres", "redis", "backend", "auth"]
    assert docker_manager.get_default_manager() is docker_manager.get_default_manager()


@pytest.mark.parametrize(
    ("status", "health", "state"),
    [
        ("running", None, ContainerState.RUNNING),
        ("running", "healthy", ContainerState.HEALTHY),
        ("running", "unhealthy", ContainerState.UNHEALTHY),
        ("running", "starting", ContainerState.STARTING),
        ("exited", None, ContainerState.STOPPED),
    ],
)
def test_the_state_of_a_container(status: str, health: str, state: ContainerState) -> None:
    told = {"State": {"Status": status, "Running": status == "running", "ExitCode": 137, "Health": {"Status": health}}}
    info = ContainerInfo.from_docker_inspect({"Name": "/netra-redis", **told})
    assert (info.name, info.service, info.state) == ("netra-redis", "redis", state)
    assert info.exit_code == (None if status == "running" else 137)


def test_logs_and_memory_are_looked_at(manager: UnifiedDockerManager, engine: Engine) -> None:
    assert manager.monitor_memory_during_operations() is None
    asyncio.run(manager.start_services_smart(["redis"]))
    snapshot = manager.monitor_memory_during_operations()
    assert snapshot is not None
    assert (snapshot.total_memory_mb, snapshot.over_80_percent) == (90.0, ["netra-dedicated-t1-redis"])
    report = asyncio.run(manager.analyze_service_health(["redis"], since="30m"))
    assert (report.total_errors, report.services["redis"]["last_error"], report.healthy) == (1, "ERROR: last", False)
    with pytest.raises(ValueError, match=r"^'soon' is no duration such as"):
        manager.create_introspector().analyze_services(since="soon")


def test_clean_up_when_the_last_test_is_done(manager: UnifiedDockerManager, engine: Engine) -> None:
    asyncio.run(manager.start_services_smart(["redis"]))
    engine.all[0].stop(timeout=0)
    first, second = manager.register_with_cleanup_scheduler(), manager.register_with_cleanup_scheduler("t2")
    manager.unregister_from_cleanup_scheduler(first)
    assert len(engine.all) == 1
    manager.unregister_from_cleanup_scheduler(second)
    assert engine.all == []
    with pytest.raises(ValueError, match=r"^Unknown cleanup types: images. There are: containers, environments"):
        manager.trigger_manual_cleanup(["images"])


def test_clean_up_on_a_schedule(manager: UnifiedDockerManager, engine: Engine) -> None:
    assert manager.get_cleanup_scheduler_status() is None and not manager.disable_cleanup_scheduler()
    assert manager.enable_cleanup_scheduler(SimpleNamespace(interval_seconds=0.001))
    assert not manager.enable_cleanup_scheduler()
    deadline = time.monotonic() + 10
    while not (manager.get_cleanup_scheduler_status() or {})["runs"]:
        assert time.monotonic() < deadline
        time.sleep(0.001)
    assert manager.disable_cleanup_scheduler()


@pytest.mark.skipif(sys.platform == "win32", reason="what is said elsewhere than on Windows")
def test_windows_has_its_own_questions(manager: UnifiedDockerManager) -> None:
    assert manager.get_windows_event_logs() == []
    assert manager.get_docker_service_status_windows() == {"applicable": False, "platform": sys.platform}


def test_the_class_says_how_services_are_reached_and_watched() -> None:
    services = UnifiedDockerManager.SERVICES
    assert (services["postgres"]["memory_limit"], services["redis"]["memory_limit"]) == ("1024m", "512m")
    assert (services["postgres"]["health_cmd"], services["redis"]["health_cmd"]) == ("pg_isready", "redis-cli ping")
    assert [name for name, service in services.items() if "health_endpoint" not in service] == ["postgres", "redis"]
    assert set(UnifiedDockerManager.ENVIRONMENT_CREDENTIALS) == set(EnvironmentType)
    assert all(sorted(one) == ["database", "password", "user"] for one in UnifiedDockerManager.ENVIRONMENT_CREDENTIALS.values())
    assert UnifiedDockerManager.ALPINE_CREDENTIALS == {"user": "test", "password": "test", "database": "netra_test"}
    assert UnifiedDockerManager.LOCK_DIR.parent == UnifiedDockerManager.STATE_FILE.parent
    manager = UnifiedDockerManager()
    assert (manager.environment, manager._project_name) == ("test", None)
