"""The docker manager: services in containers, by every path it was imported by."""

from __future__ import annotations

from compat.ledger import Module, Move, Removed, names

from ..advice.trials import DOCKER as DOCKER_ADVICE

WHEN = {"since": "1.0", "removal": "3.0"}
F = "test_framework"
DOCKER = "compat.netra.components.docker.docker_manager"
INTEGRATION = "tests.integration.infrastructure.test_unified_docker_manager_integration"
SUITES = "CIPipeline CrossPlatform EnvironmentIsolation Orchestration ResourceManagement"

ROWS: list[Move] = [
    Module(f"{F}.unified_docker_manager", DOCKER, instead=None, **WHEN),
    Module(f"{F}.docker.unified_docker_manager", DOCKER, instead=None, **WHEN),
    *names(f"{F}.docker_manager", DOCKER, "UnifiedDockerManager", instead=None, **WHEN),
    *names(f"{F}.docker_test_manager", DOCKER, "UnifiedDockerManager ServiceMode", instead=None, **WHEN),
    *names(
        f"{F}.centralized_docker_manager",
        DOCKER,
        "CentralizedDockerManager=UnifiedDockerManager EnvironmentType ServiceStatus",
        instead=None,
        **WHEN,
    ),
    *names(f"{F}.unified_docker_manager", DOCKER, "DockerEnvironment=EnvironmentType", instead=None, **WHEN),
    *names(f"{F}.unified_docker_manager", "compat.netra.components.environment", "get_env", instead=None, **WHEN),
    # The manager speaks to the engine through the Docker SDK: nothing of it asks this one.
    *names(
        f"{F}.unified_docker_manager",
        "compat.netra.adapters.replaceable",
        "_run_subprocess_safe=run_subprocess_safe",
        instead="subprocess.run(command, timeout=30)",
        **WHEN,
    ),
    *names(
        f"{F}.unified_docker_manager",
        "compat.netra.adapters.replaceable",
        "_get_logger=get_logger",
        instead="logging.getLogger(__name__)",
        **WHEN,
    ),
    # Test classes imported by other tests.
    *(
        Removed(
            f"{INTEGRATION}:TestUnifiedDockerManager{suite}",
            instead=DOCKER_ADVICE,
            **WHEN,
        )
        for suite in SUITES.split()
    ),
]
