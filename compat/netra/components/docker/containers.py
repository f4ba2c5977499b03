"""The containers of one environment on a Docker engine: one for each service, started, looked at, stopped."""

from __future__ import annotations

import logging
import socket
import threading
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Iterable
from importlib import import_module
from typing import Any, Optional

from .container_types import (
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
)

logger = logging.getLogger("compat.netra.components.docker.docker_manager")

LABEL = "netra.environment"
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


class DockerContainers:
    """The part of a manager that speaks to the engine."""

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

    @property
    def environment_name(self) -> str:
        """What the containers are labelled with."""
        if self.environment_type is EnvironmentType.DEDICATED:
            return f"dedicated-{self.test_id}"
        return str(self.environment_type.value)

    def get_service_status(self, service_name: str) -> ServiceStatus:
        """The state of a service; UNKNOWN if it has no container."""
        self._spec(service_name)
        container = self._find(service_name)
        return _STATUS[ContainerInfo.from_docker_inspect(container.attrs).state] if container else ServiceStatus.UNKNOWN

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
        label = LABEL if wanted is None else f"{LABEL}={wanted}"
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
                labels={LABEL: self.environment_name, "netra.service": name},
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
