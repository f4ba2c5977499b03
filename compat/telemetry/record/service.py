"""Which service this process belongs to, and in which environment it runs: whose use a use is."""

from __future__ import annotations

import os
import sys

PRODUCTION, STAGING, CI, TEST = "production", "staging", "ci", "test"
_ALIASES = {
    "prod": PRODUCTION,
    "live": PRODUCTION,
    "stage": STAGING,
    "tests": TEST,
    "testing": TEST,
    "continuous-integration": CI,
}
_TESTED_BY = ("PYTEST_VERSION", "PYTEST_CURRENT_TEST", "PYTEST_XDIST_WORKER")
_RUNNERS = frozenset(["pytest", "py.test", "unittest", "nose2", "trial", "ward", "stestr", "zope-testrunner"])
LAUNCHERS = _RUNNERS.union(
    [
        "gunicorn",
        "uvicorn",
        "hypercorn",
        "daphne",
        "granian",
        "uwsgi",
        "waitress",
        "waitress-serve",
        "mod_wsgi-express",
        "celery",
        "rq",
        "dramatiq",
        "huey_consumer",
        "flask",
        "django",
        "django-admin",
        "airflow",
        "supervisord",
        "circusd",
        "honcho",
        "ddtrace",
        "ddtrace-run",
        "opentelemetry-instrument",
        "newrelic-admin",
        "scrapy",
        "streamlit",
        "ipython",
        "jupyter",
        "ipykernel_launcher",
        "coverage",
        "debugpy",
    ]
)
"""Programs that run the programs of others: their names say nothing of a service."""
_ANYBODYS = frozenset(["main", "app", "run", "server", "start", "manage", "wsgi", "asgi", "cli", "index", "__main__"])
_BUILT_BY = (
    "CI",
    "GITHUB_ACTIONS",
    "GITLAB_CI",
    "BUILDKITE",
    "CIRCLECI",
    "JENKINS_URL",
    "TEAMCITY_VERSION",
    "TF_BUILD",
    "TRAVIS",
)


def environment_name() -> str:
    """Return ``COMPAT_ENVIRONMENT``; else ``test`` under a test runner, ``ci`` on a build machine, and ``production``."""
    named = os.environ.get("COMPAT_ENVIRONMENT", "").strip().lower()
    if named:
        return _ALIASES.get(named, named)
    if any(os.environ.get(name) for name in _TESTED_BY) or _is_test_runner():
        return TEST
    if any(os.environ.get(name, "").lower() not in ("", "0", "false") for name in _BUILT_BY):
        return CI
    return PRODUCTION


def untold_environment(service: str) -> str:
    """Return the environment of a process whose record, of an earlier version, does not tell it."""
    return TEST if service in _RUNNERS else PRODUCTION


def _is_test_runner() -> bool:
    arguments = getattr(sys, "argv", None) or [""]
    if arguments[1:2] == ["test"] and os.path.basename(arguments[0]) == "manage.py":
        return True
    return _module() in _RUNNERS or _stem(arguments[0]) in _RUNNERS


def _module() -> str:
    """Return the name of the module after ``-m``, empty if a script was started."""
    spec = getattr(sys.modules.get("__main__"), "__spec__", None)
    name: str = getattr(spec, "name", None) or ""
    return name[: -len(".__main__")] if name.endswith(".__main__") else name


def _stem(script: str) -> str:
    stem = os.path.basename(script)
    return stem[:-3] if stem.endswith(".py") else stem


def service_name() -> str:
    """Return ``COMPAT_SERVICE``, else the name that OpenTelemetry or Datadog have for this service, else what was started.

    That is the module after ``-m``, or the script. The name of a launcher, of an interpreter, or one that scripts of many
    projects have, stands after the directory: ``shop:gunicorn``.
    """
    told = _told(("COMPAT_SERVICE", "OTEL_SERVICE_NAME"), "service.name", "DD_SERVICE")
    if told:
        return told
    script = (getattr(sys, "argv", None) or [""])[0]
    module = _module()
    if module and module != "__main__":
        return module if module.partition(".")[0] not in LAUNCHERS else f"{_directory('')}:{module}"
    stem = _stem(script.rstrip("/\\"))
    if script == "-c" or not stem:
        return f"{_directory('')}:python"
    if stem in LAUNCHERS:
        return f"{_directory('')}:{stem}"
    return f"{_directory(script)}:{stem}" if stem in _ANYBODYS else stem


def service_version() -> str:
    """Return ``COMPAT_SERVICE_VERSION``, else the version that OpenTelemetry or Datadog have, else nothing."""
    return _told(("COMPAT_SERVICE_VERSION",), "service.version", "DD_VERSION")


def _told(names: tuple[str, ...], attribute: str, last: str) -> str:
    """Return the first of the variables ``names``, the resource's ``attribute``, and ``last`` that is told; else nothing."""
    for name in names:
        if os.environ.get(name, "").strip():
            return os.environ[name].strip()
    for pair in os.environ.get("OTEL_RESOURCE_ATTRIBUTES", "").split(","):
        key, _, value = pair.partition("=")
        if key.strip() == attribute and value.strip():
            return value.strip()
    return os.environ.get(last, "").strip()


def _directory(script: str) -> str:
    """Return the name of the directory of ``script``, or of the working directory for none."""
    try:
        path = os.path.dirname(os.path.abspath(script)) if script else os.getcwd()
    except OSError:
        return "?"  # it was removed
    return os.path.basename(path) or path
