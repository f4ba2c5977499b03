"""Named services in containers, through the Docker SDK: start, stop, health, ports. Extra: ``docker``."""

from __future__ import annotations

import asyncio
import logging
import tempfile
import time
from pathlib import Path
from typing import Any, Optional

from compat.netra.components.process_wide import only

from .container_reports import DockerReports
from .container_types import (
    SPECS,
    ContainerInfo,
    ContainerState,
    DockerUnavailable,
    EnvironmentType,
    OrchestrationConfig,
    ServiceHealth,
    ServiceMode,
    ServiceStatus,
    ServiceType,
)
from .containers import LABEL, connect
from .upkeep import DockerIntrospector, DockerResourceSnapshot, DockerUpkeep, IntrospectionReport

__all__ = [
    "ContainerInfo",
    "ContainerState",
    "DockerIntrospector",
    "DockerResourceSnapshot",
    "DockerUnavailable",
    "EnvironmentType",
    "IntrospectionReport",
    "OrchestrationConfig",
    "ServiceHealth",
    "ServiceMode",
    "ServiceOrchestrator",
    "ServiceStatus",
    "ServiceType",
    "UnifiedDockerManager",
    "connect",
    "get_default_manager",
    "orchestrate_e2e_services",
    "pytest_orchestrate_services",
    "refresh_dev",
    "restart_service",
    "wait_for_services",
]

logger = logging.getLogger(__name__)


class UnifiedDockerManager(DockerReports, DockerUpkeep):
    """The services of one environment.

    A dedicated environment has containers and ports of its own (of ``test_id``); the others are shared by name.
    Every question to the engine raises :class:`DockerUnavailable` where none answers, except
    :meth:`is_docker_available`. ``client`` replaces the engine that the environment names.
    The image arguments say what is pulled: ``pull_policy`` is ``"missing"``, ``"always"`` or ``"never"``.
    """

    RESTART_COOLDOWN = 30
    MAX_RESTART_ATTEMPTS = 3
    HEALTH_CHECK_TIMEOUT = 60
    SERVICES: dict[str, dict[str, Any]] = {
        name: {
            "container": f"netra-{name}",
            "default_port": spec.port,
            **({"health_cmd": spec.health_cmd} if spec.health_cmd else {"health_endpoint": spec.health_endpoint}),
            "memory_limit": spec.memory_limit,
        }
        for name, spec in SPECS.items()
    }
    ENVIRONMENT_CREDENTIALS: dict[EnvironmentType, dict[str, str]] = {
        kind: {"user": "test_user", "password": "test_pass", "database": f"netra_{kind.value}"} for kind in EnvironmentType
    }
    ALPINE_CREDENTIALS: dict[str, str] = {"user": "test", "password": "test", "database": "netra_test"}
    LOCK_DIR = Path(tempfile.gettempdir()) / "netra_docker_locks"
    STATE_FILE = Path(tempfile.gettempdir()) / "netra_docker_state.json"

    environment = "test"
    _project_name: Optional[str] = None

    # The engine.

    def get_effective_mode(self, requested_mode: Optional[ServiceMode] = None) -> ServiceMode:
        """The mode asked for; where no engine answers, LOCAL instead of DOCKER."""
        wanted = requested_mode or self.mode
        if wanted is ServiceMode.DOCKER and not self.is_docker_available():
            return ServiceMode.LOCAL
        return wanted

    def detect_environment(self) -> EnvironmentType:
        """The environment whose containers run here; dedicated if there are none."""
        running = {container.labels.get(LABEL) for container in self._containers(all_states=False)}
        for kind in (EnvironmentType.DEVELOPMENT, EnvironmentType.TEST, EnvironmentType.STAGING):
            if kind.value in running:
                return kind
        return EnvironmentType.DEDICATED

    # Starting and stopping.

    async def start_services_smart(self, services: list[str], wait_healthy: bool = True) -> bool:
        """Start services, and first what they need; what runs already is kept. True when all are up (and healthy)."""
        if self.mode is not ServiceMode.DOCKER:
            self.started_services.update(services)
            return True
        ordered = self._in_order(services)
        for name in ordered:
            await asyncio.to_thread(self._start, name)
        return not wait_healthy or await asyncio.to_thread(self.wait_for_services, ordered, self.HEALTH_CHECK_TIMEOUT)

    async def ensure_services_running(self, services: list[str], timeout: int = 60) -> bool:
        """As :meth:`start_services_smart`, with a timeout in seconds for becoming healthy."""
        await self.start_services_smart(services, wait_healthy=False)
        return await asyncio.to_thread(self.wait_for_services, self._in_order(services), timeout)

    async def orchestrate_services(self) -> tuple[bool, dict[str, ServiceHealth]]:
        """Start the required services of the configuration and look at each."""
        names = list(self.config.required_services or ())
        ready = await self.start_services_smart(names, wait_healthy=False)
        ready = ready and await asyncio.to_thread(self.wait_for_services, names, int(self.config.startup_timeout))
        return ready, dict(self.service_health)

    async def cleanup_services(self) -> None:
        """Stop and remove the environment's containers."""
        await self.force_shutdown()

    async def graceful_shutdown(self, services: Optional[list[str]] = None, timeout: int = 30) -> bool:
        """Stop services (all of the environment), each given so many seconds. True if every one has stopped."""
        return await asyncio.to_thread(self._stop, services, timeout, False)

    async def force_shutdown(self, services: Optional[list[str]] = None) -> bool:
        """Kill and remove services (all of the environment)."""
        return await asyncio.to_thread(self._stop, services, 0, True)

    async def teardown_e2e_environment(self) -> None:
        """Remove everything that :meth:`ensure_e2e_environment` has started."""
        await self.force_shutdown()

    async def ensure_e2e_environment(self, force_alpine: bool = True, timeout: int = 180) -> bool:
        """Start all services for end-to-end tests and wait until they are healthy."""
        return await self.ensure_services_running(["backend", "auth"], timeout)

    async def check_container_reusable(self, service: str) -> bool:
        """Whether a service's container runs and is not unhealthy."""
        return self.get_service_status(service) is ServiceStatus.HEALTHY

    async def reset_test_data(self, services: Optional[list[str]] = None) -> bool:
        """Empty redis and postgres of the environment. False if one of them refuses."""
        commands = {
            "redis": ["redis-cli", "FLUSHALL"],
            "postgres": [
                "psql", "-U", SPECS["postgres"].environment["POSTGRES_USER"],
                "-d", SPECS["postgres"].environment["POSTGRES_DB"],
                "-c", "DROP SCHEMA public CASCADE; CREATE SCHEMA public;",
            ],
        }  # fmt: skip
        done = True
        for name in services or list(commands):
            container = self._find(name)
            if name in commands and container is not None:
                done = container.exec_run(commands[name]).exit_code == 0 and done
        return done

    def acquire_environment(self) -> tuple[str, dict[str, int]]:
        """Start the required services and return the environment's name and their ports on this machine."""
        if self.mode is ServiceMode.DOCKER:
            for name in self._in_order(self.config.required_services or ()):
                self._start(name)
        return self.environment_name, dict(self.allocated_ports)

    def release_environment(self, env_name: str) -> None:
        """Remove the containers of an environment."""
        for container in self._containers(environment=env_name):
            container.remove(force=True)
        if env_name == self.environment_name:
            self.allocated_ports.clear()
            self.started_services.clear()

    def restart_service(self, service_name: str, force: bool = False) -> bool:
        """Restart a service. False within the cooldown, after too many restarts (unless forced), or if it is unknown."""
        self._spec(service_name)
        now = time.monotonic()
        recent = [at for at in self._restarts.get(service_name, []) if now - at < 300]
        if not force and recent and now - recent[-1] < self.RESTART_COOLDOWN:
            logger.warning(f"{service_name} was restarted less than {self.RESTART_COOLDOWN} s ago")
            return False
        if not force and len(recent) >= self.MAX_RESTART_ATTEMPTS:
            logger.error(f"{service_name} was restarted {len(recent)} times in 5 minutes")
            return False
        container = self._find(service_name)
        if container is None:
            return False
        container.restart()
        self._restarts[service_name] = [*recent, now]
        return True

    def wait_for_services(self, services: Optional[list[str]] = None, timeout: int = 60) -> bool:
        """Wait until services (all started ones) are healthy; False after so many seconds."""
        names = list(services if services is not None else self.started_services)
        deadline = time.monotonic() + timeout
        while True:
            if all(self._check(name).is_healthy for name in names):
                return True
            if time.monotonic() >= deadline:
                return False
            time.sleep(min(self.config.health_check_interval, max(deadline - time.monotonic(), 0)))

    def safe_container_remove(self, container_name: str, timeout: int = 10) -> bool:
        """Stop a container, given so many seconds, and remove it. True also if there is none."""
        for container in self.client.containers.list(all=True, filters={"name": f"^/?{container_name}$"}):
            container.stop(timeout=timeout)
            container.remove()
        return True

    def refresh_dev(self, services: Optional[list[str]] = None, clean: bool = False) -> bool:
        """Stop and start the development services; ``clean`` removes their containers first."""
        other = self._of(EnvironmentType.DEVELOPMENT)
        names = services or ["backend", "auth"]
        other._stop(names, 10, clean)
        return asyncio.run(other.start_services_smart(names))

    def start_dev_environment(self, rebuild: bool = False) -> bool:
        """Start the development services."""
        return self.refresh_dev(clean=rebuild)

    def start_test_environment(self, use_alpine: bool = True, rebuild: bool = False, minimal_only: bool = False) -> bool:
        """Start the shared test services: databases only, or all."""
        names = ["postgres", "redis"] if minimal_only else ["postgres", "redis", "backend", "auth"]
        other = self._of(EnvironmentType.TEST)
        if rebuild:
            other._stop(names, 10, True)
        return asyncio.run(other.start_services_smart(names))

    def _of(self, kind: EnvironmentType) -> UnifiedDockerManager:
        if self.environment_type is kind:
            return self
        return UnifiedDockerManager(self.config, kind, pull_policy=self.pull_policy, client=self._given_client)


class ServiceOrchestrator(UnifiedDockerManager):
    """A manager of dedicated services that pulls what is missing."""

    def __init__(
        self,
        config: Optional[OrchestrationConfig] = None,
        use_alpine: bool = False,
        rebuild_images: bool = True,
        rebuild_backend_only: bool = True,
        pull_policy: str = "missing",
    ) -> None:
        super().__init__(
            config,
            use_alpine=use_alpine,
            rebuild_images=rebuild_images,
            rebuild_backend_only=rebuild_backend_only,
            pull_policy=pull_policy,
        )


_default_manager: Optional[UnifiedDockerManager] = None


def get_default_manager() -> UnifiedDockerManager:
    """The process's manager, made at first use."""
    return only(globals(), "_default_manager", UnifiedDockerManager)


def restart_service(service_name: str, force: bool = False) -> bool:
    """:meth:`UnifiedDockerManager.restart_service` of the process's manager."""
    return get_default_manager().restart_service(service_name, force)


def wait_for_services(services: Optional[list[str]] = None, timeout: int = 60) -> bool:
    """:meth:`UnifiedDockerManager.wait_for_services` of the process's manager."""
    return get_default_manager().wait_for_services(services, timeout)


def refresh_dev(services: Optional[list[str]] = None, clean: bool = False) -> bool:
    """:meth:`UnifiedDockerManager.refresh_dev` of the process's manager."""
    return get_default_manager().refresh_dev(services, clean)


async def orchestrate_e2e_services(
    required_services: Optional[list[str]] = None,
    timeout: float = 60.0,
    environment_type: EnvironmentType = EnvironmentType.DEDICATED,
    use_production_images: bool = True,
) -> tuple[bool, UnifiedDockerManager]:
    """Start services for end-to-end tests; whether they are healthy, and the manager to stop them with."""
    config = OrchestrationConfig(startup_timeout=timeout, required_services=required_services)
    manager = UnifiedDockerManager(config, environment_type, use_production_images=use_production_images)
    healthy, _ = await manager.orchestrate_services()
    return healthy, manager


async def pytest_orchestrate_services() -> UnifiedDockerManager:
    """Start the default services; RuntimeError, with the health report, if they do not become healthy."""
    healthy, manager = await orchestrate_e2e_services()
    if not healthy:
        raise RuntimeError(manager.get_health_report())
    return manager
