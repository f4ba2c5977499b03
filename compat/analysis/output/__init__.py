"""Report formats: one module each, all with ``write(report, stream)``."""

from __future__ import annotations

from importlib import import_module
from typing import IO, TYPE_CHECKING, Callable

if TYPE_CHECKING:
    from ..findings import Finding
    from ..suggesting import Suggestion

FORMATS = ("text", "json", "sarif", "github", "gitlab", "junit")
#: Those that say which version of the tool wrote them.
VERSIONED = ("json", "sarif")


class Report:
    """What a writer is given: new findings, those a baseline knows, debt that was paid, and the numbers around them."""

    def __init__(
        self, findings: list[Finding], *, files: int = 0, seconds: float = 0.0, version: str = "", statistics: bool = False
    ) -> None:
        self.findings = findings
        self.known: list[Finding] = []
        self.paid: list[str] = []
        #: How sure the edit of each finding is, and the edit; empty where nothing was asked for.
        self.suggestions: dict[Finding, Suggestion] = {}
        self.failed: list[tuple[str, str]] = []
        self.files, self.seconds, self.version, self.statistics = files, seconds, version, statistics


def write(name: str, report: Report, stream: IO[str]) -> None:
    """Write a report in one of :data:`FORMATS`."""
    if name not in FORMATS:
        raise ValueError(f"no format {name!r}; there are {', '.join(FORMATS)}")
    writer: Callable[[Report, IO[str]], None] = import_module(f".{name}", __name__).write
    writer(report, stream)
