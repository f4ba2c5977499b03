"""Where a process runs, from explicit variables: development or local, test, staging, production."""

from __future__ import annotations

from collections.abc import Mapping

from .errors import SettingsError

_NAMES = {
    "development": "development",
    "dev": "development",
    "local": "development",
    "test": "test",
    "testing": "test",
    "staging": "staging",
    "stage": "staging",
    "stg": "staging",
    "production": "production",
    "prod": "production",
}
_CLOUD = ("GCP_PROJECT_ID", "GOOGLE_CLOUD_PROJECT", "K_SERVICE")
_CLOUD_WORDS = (("prod", "production"), ("stag", "staging"), ("dev", "development"))
_TRUE = ("1", "true", "yes", "on")


def says_testing(variables: Mapping[str, str]) -> bool:
    """Whether the variables say that tests run: pytest's marks, ``TESTING``, or a test environment."""
    if variables.get("PYTEST_CURRENT_TEST") or variables.get("PYTEST_VERSION") or variables.get("TESTING", "").lower() in _TRUE:
        return True
    return stated_environment(variables) == "test"


def stated_environment(variables: Mapping[str, str]) -> str | None:
    """Return what ``ENVIRONMENT`` names: development, test, staging or production; None for no word or an unknown one."""
    return _NAMES.get(variables.get("ENVIRONMENT", "").strip().lower())


def cloud_environment(variables: Mapping[str, str]) -> str | None:
    """The environment that the name of the cloud project or service speaks of."""
    for variable in _CLOUD:
        value = variables.get(variable, "").lower()
        found = next((name for word, name in _CLOUD_WORDS if word in value), None)
        if found:
            return found
    return None


def detect_environment(variables: Mapping[str, str]) -> str:
    """Return local, test, staging or production from ``ENVIRONMENT`` and the cloud's variables; local if none is set.

    Raises SettingsError for an unknown word, and where the two contradict each other: a server that takes itself for
    another environment than it is in would open or lock the wrong doors.
    """
    word = variables.get("ENVIRONMENT", "").strip()
    said = stated_environment(variables)
    if word and said is None:
        raise SettingsError([f"ENVIRONMENT is {word!r}; choose one of development, local, test, staging, production"])
    cloud = cloud_environment(variables)
    if said and cloud and said != cloud:
        source = next(name for name in _CLOUD if cloud_environment({name: variables.get(name, "")}))
        raise SettingsError([f"ENVIRONMENT is {word!r}, but {source} is {variables[source]!r}; set both for one environment"])
    found = said or cloud or ("test" if says_testing(variables) else "development")
    return "local" if found == "development" else found
