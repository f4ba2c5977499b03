"""Reads the lines at which uses were counted, for ``--evidence`` of ``compat scan`` and ``compat fix``."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from compat.errors import CompatError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from compat.analysis.hints import Ran

DAYS = 90
"""How far back a counted use says something about the source of today."""


def counted(sources: Sequence[str]) -> list[Ran]:
    """The counted uses of the last :data:`DAYS` days by line, of all sources; without any, of this machine's state directory."""
    from datetime import datetime, timezone

    from compat.analysis.hints import Ran
    from compat.telemetry import collect
    from compat.telemetry.history.queries import Selection, Usage
    from compat.telemetry.record.directory import state_directory
    from compat.telemetry.report.usage_report import day_of, told

    own = state_directory()
    for place in sources:
        if not place.startswith("prometheus:") and not os.path.exists(place):
            raise CompatError(f"there is no directory or file {place!r} to read usage from")
    places = [*sources] or [own] * os.path.isdir(own)
    today = day_of(datetime.now(timezone.utc))
    with collect(places) as history:
        for problem in history.problems:
            print(told(problem), file=sys.stderr)
        found = [Ran(*row) for row in Usage(history.connection).lines_of_code(Selection(today - DAYS + 1, today))]
    if not found:
        where = ", ".join(sources) or own
        raise CompatError(f"no use of the last {DAYS} days is recorded in {where}; name where they are kept with --from")
    return found
