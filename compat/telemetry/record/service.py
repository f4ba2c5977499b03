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
    """Return ``COMPAT_SERVICE``, else what was started: the module after ``-m``, the script, or the interpreter."""
    named = os.environ.get("COMPAT_SERVICE")
    if named:
        return named
    module = _module()
    if module:
        return module
    script = getattr(sys, "argv", [""])[0]
    if script == "-c":
        return "python -c"
    return _stem(script) or "python"
