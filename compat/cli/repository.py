"""The repository that a command runs in: whose its files are, and who wrote a line of one."""

from __future__ import annotations

import os
import subprocess
from datetime import datetime, timezone
from typing import TYPE_CHECKING

from compat.configuration import load, value

if TYPE_CHECKING:
    from compat.telemetry.history.queries import Place
    from compat.telemetry.report.owners import Owners


class Repository:
    """The files below ``root``, and their owners; ``owners`` is ``None`` where nobody says whose they are."""

    def __init__(self, start: str = ".") -> None:
        from compat.telemetry.report.owners import PLACES, Owners, parse_codeowners, rules_of

        table, settings = load(start)
        top = _git(start, "rev-parse", "--show-toplevel").strip()
        self.root = top or os.path.dirname(settings or "") or os.path.abspath(start)
        self.owners: Owners | None = None
        named = value(table, "owners")
        rules = rules_of(named) if named else None
        if named and settings:
            self.root = os.path.dirname(settings)
        for place in PLACES if rules is None else ():
            path = os.path.join(self.root, place)
            if os.path.isfile(path):
                with open(path, encoding="utf-8", errors="replace") as stream:
                    rules = parse_codeowners(stream.read())
                break
        self.paths = Owners(rules or (), _git(self.root, "ls-files", "-z").split("\0")[:-1])
        if rules is not None:
            self.owners = self.paths

    def blame(self, place: Place) -> str:
        """Return who wrote the line of ``place`` last: ``, by Ann <ann@x> on 2026-01-02 in 1a2b3c4``; nothing if unknown."""
        if not place.file or not place.line:
            return ""
        path = self.paths.path(place.file)
        told = _git(self.root, "blame", "-w", "-M", "--porcelain", "-L", f"{place.line},{place.line}", "--", path)
        facts = dict(line.partition(" ")[::2] for line in told.splitlines()[1:] if not line.startswith("\t"))
        commit = told[:7]
        if not facts.get("author-time") or not commit.strip("0"):
            return ""
        day = datetime.fromtimestamp(int(facts["author-time"]), timezone.utc).date()
        return f", by {facts['author']} {facts['author-mail']} on {day} in {commit}"


def _git(directory: str, *arguments: str) -> str:
    """Return what git answers; nothing where there is none, or no repository."""
    try:
        done = subprocess.run(["git", "-C", directory, *arguments], capture_output=True, timeout=60)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.decode("utf-8", "replace") if done.returncode == 0 else ""
