"""Named services in containers, through the Docker SDK: start, stop, health, ports. Extra: ``docker``."""

from __future__ import annotations

import asyncio
import json
import logging
import socket
import threading
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Iterable
from datetime import datetime, timedelta, timezone
from importlib import import_module
from typing import Any, Optional

from .docker_types import (
    SPECS,
    ContainerInfo,
    ContainerState,
    DockerUnavailable,
    EnvironmentType,
    OrchestrationConfig,
    ServiceHealth,
    ServiceMode,
    ServiceSpec,
    ServiceStatus,
    ServiceType,
    parse_moment,
)
from .docker_upkeep import DockerIntrospector, DockerResourceSnapshot, DockerUpkeep, IntrospectionReport

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
    "get_default_manager",
    "orchestrate_e2e_services",
    "pytest_orchestrate_services",
    "refresh_dev",
    "restart_service",
    "wait_for_services",
]

logger = logging.getLogger(__name__)

_LABEL = "netra.environment"
_STATUS = {
    ContainerState.RUNNING: ServiceStatus.HEALTHY,
    ContainerState.HEALTHY: ServiceStatus.HEALTHY,
    ContainerState.UNHEALTHY: ServiceStatus.UNHEALTHY,
    ContainerState.STARTING: ServiceStatus.STARTING,
    ContainerState.STOPPED: ServiceStatus.STOPPED,
}
_HOW_TO_START = (
    "Start one (Linux: 'sudo systemctl start docker'; macOS and Windows: start Docker Desktop), set DOCKER_HOST to one "
    "that runs, or use mode=ServiceMode.LOCAL or ServiceMode.MOCK"
)


def connect(timeout: float = 10.0) -> Any:
    """A client of the engine that the environment names. DockerUnavailable if there is none, or no SDK."""
    try:
        docker = import_module("docker")
    except ImportError as error:
        raise DockerUnavailable("containers need the Docker SDK: pip install 'netra-compat[docker]'") from error
    try:
        client = docker.from_env(timeout=timeout)
        client.ping()
    except (docker.errors.DockerException, OSError) as error:
        raise DockerUnavailable(f"No Docker engine answers ({error}). {_HOW_TO_START}.") from error
    return client


class UnifiedDockerManager(DockerUpkeep):
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
            "health_endpoint": spec.health_endpoint,
            "memory_limit": spec.memory_limit,
        }
        for name, spec in SPECS.items()
    }

    def __init__(
        self,
        config: Optional[OrchestrationConfig] = None,
        environment_type: EnvironmentType = EnvironmentType.DEDICATED,
        test_id: Optional[str] = None,
        use_production_images: bool = True,
        mode: ServiceMode = ServiceMode.DOCKER,
        use_alpine: bool = True,
        rebuild_images: bool = True,
        rebuild_backend_only: bool = True,
        pull_policy: str = "missing",
        no_cache_app_code: bool = True,
        *,
        client: Optional[Any] = None,
    ) -> None:
        if pull_policy not in ("missing", "always", "never"):
            raise ValueError(f"pull_policy must be 'missing', 'always' or 'never', not {pull_policy!r}")
        self.config = config or OrchestrationConfig()
        self.environment_type = environment_type
        self.test_id = test_id or uuid.uuid4().hex[:8]
        self.use_production_images = use_production_images
        self.mode = mode
        self.use_alpine = use_alpine
        self.rebuild_images = rebuild_images
        self.rebuild_backend_only = rebuild_backend_only
        self.pull_policy = pull_policy
        self.no_cache_app_code = no_cache_app_code
        self.service_health: dict[str, ServiceHealth] = {}
        self.started_services: set[str] = set()
        self.allocated_ports: dict[str, int] = {}
        self._given_client = client
        self._restarts: dict[str, list[float]] = {}
        self._lock = threading.RLock()

    # The engine.

    @property
    def client(self) -> Any:
        """The engine's client, made at first use."""
        with self._lock:
            if self._given_client is None:
                self._given_client = connect()
            return self._given_client

    def is_docker_available(self) -> bool:
        """Whether an engine answers."""
        try:
            self.client.ping()
        except Exception as error:
            logger.debug(f"Docker is not available: {error}")
            return False
        return True

    is_docker_available_fast = is_docker_available

    def get_effective_mode(self, requested_mode: Optional[ServiceMode] = None) -> ServiceMode:
        """The mode asked for; where no engine answers, LOCAL instead of DOCKER."""
        wanted = requested_mode or self.mode
        if wanted is ServiceMode.DOCKER and not self.is_docker_available():
            return ServiceMode.LOCAL
        return wanted

    def detect_environment(self) -> EnvironmentType:
        """The environment whose containers run here; dedicated if there are none."""
        running = {container.labels.get(_LABEL) for container in self._containers(all_states=False)}
        for kind in (EnvironmentType.DEVELOPMENT, EnvironmentType.TEST, EnvironmentType.STAGING):
            if kind.value in running:
                return kind
        return EnvironmentType.DEDICATED

    @property
    def environment_name(self) -> str:
        """What the containers are labelled with."""
        if self.environment_type is EnvironmentType.DEDICATED:
            return f"dedicated-{self.test_id}"
        return str(self.environment_type.value)

    def get_database_credentials(self) -> dict[str, str]:
        """User, password and database of the environment's postgres."""
        given = SPECS["postgres"].environment
        return {
            "user": given["POSTGRES_USER"],
            "password": given["POSTGRES_PASSWORD"],
            "database": given["POSTGRES_DB"],
        }

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

    # Looking.

    def get_service_status(self, service_name: str) -> ServiceStatus:
        """The state of a service; UNKNOWN if it has no container."""
        self._spec(service_name)
        container = self._find(service_name)
        return _STATUS[ContainerInfo.from_docker_inspect(container.attrs).state] if container else ServiceStatus.UNKNOWN

    def get_enhanced_container_status(self, services: Optional[list[str]] = None) -> dict[str, ContainerInfo]:
        """The containers of services (all of the environment), by service."""
        found = [ContainerInfo.from_docker_inspect(container.attrs) for container in self._containers()]
        return {info.service: info for info in found if services is None or info.service in services}

    def get_service_ports(self) -> dict[str, int]:
        """The ports of this machine by which the environment's services are reached."""
        ports: dict[str, int] = {}
        for name, info in self.get_enhanced_container_status().items():
            port = (info.ports or {}).get(f"{SPECS[name].port}/tcp") if name in SPECS else None
            if port:
                ports[name] = port
        return ports

    def get_e2e_service_urls(self) -> dict[str, str]:
        """Where the environment's services are reached."""
        ports = {name: self.allocated_ports.get(name, spec.port) for name, spec in SPECS.items()}
        given = self.get_database_credentials()
        return {
            "backend": f"http://localhost:{ports['backend']}",
            "auth": f"http://localhost:{ports['auth']}",
            "websocket": f"ws://localhost:{ports['backend']}/ws",
            "redis": f"redis://localhost:{ports['redis']}/0",
            "postgres": (f"postgresql://{given['user']}:{given['password']}@localhost:{ports['postgres']}/{given['database']}"),
        }

    def get_health_report(self) -> str:
        """The last look at each service, as lines of text."""
        lines = [f"Services of {self.environment_name}:"]
        for name, health in sorted(self.service_health.items()):
            word = "healthy" if health.is_healthy else f"unhealthy: {health.error_message}"
            lines.append(f"  {name} (port {health.port}): {word}, {health.response_time_ms:.0f} ms")
        return "\n".join(lines if len(lines) > 1 else [*lines, "  none looked at yet"])

    def get_statistics(self) -> dict[str, Any]:
        """Mode, environment, and how many services run, are healthy, were restarted."""
        return {
            "environment": self.environment_name,
            "environment_type": self.environment_type.value,
            "mode": self.mode.value,
            "started_services": sorted(self.started_services),
            "healthy_services": sum(health.is_healthy for health in self.service_health.values()),
            "allocated_ports": dict(self.allocated_ports),
            "restart_counts": {name: len(times) for name, times in self._restarts.items()},
        }

    def perform_memory_pre_flight_check(self) -> bool:
        """Whether the engine has more memory than the required services may use together."""
        wanted = sum(int(self._spec(name).memory_limit[:-1]) for name in self._in_order(self.config.required_services or ()))
        return int(self.client.info().get("MemTotal", 0)) // 2**20 >= wanted

    def analyze_docker_crash(
        self, container_name: Optional[str] = None, save_report: bool = False, include_event_viewer: bool = False
    ) -> dict[str, Any]:
        """Why containers of the environment (or the one) have ended: exit codes and last lines of their logs."""
        ended = []
        for container in self._containers():
            info = ContainerInfo.from_docker_inspect(container.attrs)
            if (container_name and info.name != container_name) or info.state is not ContainerState.STOPPED:
                continue
            state = container.attrs.get("State") or {}
            ended.append(
                {
                    "name": info.name,
                    "exit_code": info.exit_code,
                    "out_of_memory": bool(state.get("OOMKilled")),
                    "error": state.get("Error") or None,
                    "logs": container.logs(tail=50).decode("utf-8", "replace").splitlines(),
                }
            )
        report = {"timestamp": time.time(), "environment": self.environment_name, "crashed": ended}
        if save_report:
            path = f"docker_crash_{self.environment_name}.json"
            with open(path, "w", encoding="utf-8") as out:
                json.dump(report, out, indent=2)
            report["saved_to"] = path
        return report

    # Cleaning up.

    def cleanup_old_environments(self, max_age_hours: int = 24) -> int:
        """Remove dedicated containers older than that and return how many."""
        limit = datetime.now(timezone.utc) - timedelta(hours=max_age_hours)
        removed = 0
        for container in self._containers(environment=None):
            made = parse_moment(container.attrs.get("Created"))
            dedicated = str(container.labels.get(_LABEL, "")).startswith("dedicated-")
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

    # Inside.

    def _of(self, kind: EnvironmentType) -> UnifiedDockerManager:
        if self.environment_type is kind:
            return self
        return UnifiedDockerManager(self.config, kind, pull_policy=self.pull_policy, client=self._given_client)

    def _spec(self, name: str) -> ServiceSpec:
        try:
            return SPECS[name]
        except KeyError:
            raise ValueError(f"Unknown service {name!r}. There are: {', '.join(sorted(SPECS))}") from None

    def _in_order(self, services: Iterable[str]) -> list[str]:
        ordered: list[str] = []

        def add(name: str) -> None:
            for needed in self._spec(name).needs:
                add(needed)
            if name not in ordered:
                ordered.append(name)

        for name in services:
            add(name)
        return ordered

    def _containers(self, environment: Optional[str] = "", all_states: bool = True) -> list[Any]:
        """Containers of an environment (this one; None for every one)."""
        wanted = self.environment_name if environment == "" else environment
        label = _LABEL if wanted is None else f"{_LABEL}={wanted}"
        return list(self.client.containers.list(all=all_states, filters={"label": label}))

    def _find(self, name: str) -> Optional[Any]:
        for container in self._containers():
            if container.labels.get("netra.service") == name:
                return container
        return None

    def _start(self, name: str) -> None:
        spec = self._spec(name)
        container = self._find(name)
        if container is None:
            self._pull(spec.image)
            shared = self.environment_type is not EnvironmentType.DEDICATED
            container = self.client.containers.run(
                spec.image,
                detach=True,
                name=f"netra-{self.environment_name}-{name}",
                environment=spec.environment,
                # A dedicated environment takes whatever port is free.
                ports={f"{spec.port}/tcp": spec.port if shared else None},
                mem_limit=spec.memory_limit,
                labels={_LABEL: self.environment_name, "netra.service": name},
            )
        elif container.status != "running":
            container.start()
        container.reload()
        port = (ContainerInfo.from_docker_inspect(container.attrs).ports or {}).get(f"{spec.port}/tcp")
        self.allocated_ports[name] = port or spec.port
        self.started_services.add(name)

    def _pull(self, image: str) -> None:
        if self.pull_policy == "never":
            return
        if self.pull_policy == "missing" and self.client.images.list(name=image):
            return
        self.client.images.pull(image)

    def _stop(self, services: Optional[list[str]], timeout: int, remove: bool) -> bool:
        if self.mode is ServiceMode.DOCKER:
            for container in self._containers():
                name = container.labels.get("netra.service")
                if services is not None and name not in services:
                    continue
                if remove:
                    container.remove(force=True)
                    self.allocated_ports.pop(str(name), None)
                else:
                    container.stop(timeout=timeout)
        self.started_services -= set(services if services is not None else self.started_services)
        return True

    def _check(self, name: str) -> ServiceHealth:
        spec = self._spec(name)
        port = self.allocated_ports.get(name, spec.port)
        start = time.perf_counter()
        problem = None if self.mode is ServiceMode.MOCK else self._problem(name, spec, port)
        health = ServiceHealth(
            name, problem is None, port, (time.perf_counter() - start) * 1000, problem, time.time()
        )  # fmt: skip
        self.service_health[name] = health
        return health

    def _problem(self, name: str, spec: ServiceSpec, port: int) -> Optional[str]:
        """What keeps a service from being healthy: its container's state, or that it does not answer."""
        if self.mode is ServiceMode.DOCKER:
            status = self.get_service_status(name)
            if status is not ServiceStatus.HEALTHY:
                return f"{name} is {status.value}"
        patience = self.config.health_check_timeout
        try:
            if spec.health_endpoint:
                with urllib.request.urlopen(f"http://localhost:{port}{spec.health_endpoint}", timeout=patience):
                    return None
            with socket.create_connection(("localhost", port), timeout=patience):
                return None
        except (OSError, urllib.error.URLError) as error:
            return f"{name} does not answer on port {port}: {error}"


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
    global _default_manager
    if _default_manager is None:
        _default_manager = UnifiedDockerManager()
    return _default_manager


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
