"""What a docker manager says of its services: ports, URLs, health, memory, and why containers have ended."""

from __future__ import annotations

import json
import time
from typing import Any, Optional

from .container_types import SPECS, ContainerInfo, ContainerState
from .containers import DockerContainers


class DockerReports(DockerContainers):
    """The part of a manager that looks at its services."""

    def get_database_credentials(self) -> dict[str, str]:
        """User, password and database of the environment's postgres."""
        given = SPECS["postgres"].environment
        return {
            "user": given["POSTGRES_USER"],
            "password": given["POSTGRES_PASSWORD"],
            "database": given["POSTGRES_DB"],
        }

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
