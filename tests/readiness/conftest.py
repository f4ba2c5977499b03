"""A fleet whose processes left their state as they would have, on days of one's choice."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timezone

import pytest

from compat.readiness import Answer, Policy, judge
from compat.telemetry import collect
from compat.telemetry.history.evidence import read_evidence
from compat.telemetry.history.queries import Selection
from compat.telemetry.record.identity import describe_process
from compat.telemetry.record.layout import DAY
from compat.telemetry.record.observed import append_record
from compat.telemetry.record.segments import Segment
from compat.telemetry.record.sites import Site
from compat.telemetry.report.usage_report import MoveFacts

NOW = datetime(2026, 11, 21, 12, tzinfo=timezone.utc)
TODAY = 20778


def facts(stage: str = "expired") -> MoveFacts:
    """What a ledger says of a move."""
    return MoveFacts("old:X", "new:X", "1.0", "3.0", "Use new.X instead.", stage, "name")


class Fleet:
    """Processes of services, told in days before today; what they leave lies in ``directory``."""

    def __init__(self, directory: str) -> None:
        self.directory = directory

    def run(
        self,
        service: str,
        first: int,
        last: int,
        uses: Mapping[int, int] | None = None,
        *,
        environment: str = "production",
        version: str = "1.0",
        move: str = "old:X",
        hour: float = 12.0,
    ) -> None:
        """One process, from noon ``first`` days ago (or ``hour``) to 11:00 ``last`` days ago, with uses per days ago."""
        start, end = (TODAY - first) * DAY + hour * 3600, (TODAY - last) * DAY + 11 * 3600
        end = max(end, start + 1200)
        facts = {"tick": 1, "service": service, "environment": environment, "version": version, "started": start, "ended": end}
        process = describe_process()._replace(**facts)
        if not uses:
            append_record(self.directory, process)
            return
        segment = Segment(self.directory, process)
        site = Site(move, "call", "app/main.py", 7, "run", "app.main")
        for ago, count in uses.items():
            segment.allot(site, 0, count, (TODAY - ago) * DAY + 12.5 * 3600)
        segment.release()

    def judge(
        self,
        moves: Mapping[str, MoveFacts] | None = None,
        *,
        places: Mapping[str, list[str]] | None = {},
        policy: Policy = Policy(),  # noqa: B008 - immutable
        retired: Iterable[str] = (),
        now: datetime = NOW,
    ) -> list[Answer]:
        """The verdicts on ``moves``, by default on ``old:X``, which has expired."""
        with collect([self.directory]) as history:
            today = int(now.timestamp() // DAY)
            known = read_evidence(history.connection, Selection(today - policy.days + 1, today), history.unread)
        return judge({"old:X": facts()} if moves is None else moves, known, places, now, policy, frozenset(retired))

    def verdict(self, **asked: object) -> tuple[str, list[str]]:
        """The verdict on ``old:X``, and its reasons."""
        (answer,) = self.judge(**asked)  # type: ignore[arg-type]
        return answer.verdict.value, list(answer.reasons)


@pytest.fixture
def fleet(tmp_path):
    (tmp_path / "state").mkdir()
    return Fleet(str(tmp_path / "state"))
