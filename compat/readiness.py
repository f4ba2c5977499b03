"""MAY IT GO? Joins what the ledger promises, what telemetry saw and what source still says into a verdict per move."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from enum import Enum
from typing import Any, NamedTuple, Protocol

from compat.telemetry.history.queries import Line, Observed
from compat.telemetry.report.usage_report import MoveFacts, evidence, iso_day, row_of

FORMAT_VERSION = 1
"""1: the first one."""
SHOWN = 3  # places named in a reason


class Verdict(str, Enum):
    """Whether a legacy path may be deleted, and if not, what stands in the way. The first one that holds is given."""

    USED = "in use"
    WRITTEN = "in source"
    UNPROVEN = "unproven"
    WAIT = "later"
    GO = "may go"


class Policy(NamedTuple):
    """How much silence is enough: no use in ``days`` days, in at least ``processes`` that ran ``hours`` between them."""

    days: int = 30
    processes: int = 1
    hours: float = 24.0


class FindingLike(Protocol):
    """What is asked of a finding of the source scan."""

    @property
    def move(self) -> str:
        """The id of the move."""

    @property
    def path(self) -> str:
        """The file."""

    @property
    def line(self) -> int:
        """The line, from 1."""


class Answer(NamedTuple):
    """The verdict on one move, with every reason that speaks against its going (or the evidence that it may)."""

    move: str
    verdict: Verdict
    reasons: Sequence[str]
    uses: int
    places: Sequence[str]
    facts: MoveFacts

    @property
    def is_due(self) -> bool:
        """Whether the removal version has been reached."""
        return self.facts.stage == "expired"

    @property
    def is_overdue(self) -> bool:
        """Whether it should be gone by now and may not go."""
        return self.is_due and self.verdict is not Verdict.GO


def places_by_move(findings: Iterable[FindingLike]) -> dict[str, list[str]]:
    """Group findings as ``move id -> ["file:line", ...]``, in the order given."""
    places: dict[str, list[str]] = {}
    for finding in findings:
        places.setdefault(finding.move, []).append(f"{finding.path}:{finding.line}")
    return places


def judge(
    facts: Mapping[str, MoveFacts],
    lines: Iterable[Line],
    observed: Observed,
    places: Mapping[str, Sequence[str]] | None,
    now: datetime,
    policy: Policy = Policy(),  # noqa: B008 - immutable
) -> list[Answer]:
    """Give a verdict on every move of ``facts``, those that are overdue first.

    ``lines`` and ``observed`` are a usage report by move over the last ``policy.days`` days; ``places`` is what the
    source scan found (:func:`places_by_move`), ``None`` if no source was searched, which leaves every verdict unproven.
    """
    seen: dict[str, list[Line]] = {}
    for line in lines:
        row = row_of(facts, line.key)
        if row is not None and line.total:
            seen.setdefault(row, []).append(line)
    written: dict[str, list[str]] = {}
    for id, found in (places or {}).items():
        row = row_of(facts, id)
        if row is not None:
            written.setdefault(row, []).extend(found)
    doubts = _doubts(observed, places is not None, now, policy)
    answers = [_judge_one(id, about, seen.get(id, ()), observed, written.get(id, ()), doubts) for id, about in facts.items()]
    order = list(Verdict)
    return sorted(answers, key=lambda answer: (not answer.is_overdue, order.index(answer.verdict), -answer.uses, answer.move))


def _judge_one(
    id: str,
    about: MoveFacts,
    lines: Sequence[Line],
    observed: Observed,
    written: Sequence[str],
    doubts: Sequence[str],
) -> Answer:
    uses = sum(line.total for line in lines)
    reasons = []
    if uses:
        last = max(line.last or 0.0 for line in lines)
        services = sorted({service for line in lines for service in line.services})
        reasons.append(f"{uses:,} use{'' if uses == 1 else 's'} in {', '.join(services)}, last on {iso_day(int(last // 86400))}")
    if written:
        more = f" and {len(written) - SHOWN} more" if len(written) > SHOWN else ""
        reasons.append(f"written at {', '.join(written[:SHOWN])}{more}")
    if uses:
        verdict = Verdict.USED
    elif written:
        verdict = Verdict.WRITTEN
    elif doubts:
        verdict = Verdict.UNPROVEN
        reasons += doubts
    else:
        verdict = Verdict.GO if about.stage == "expired" else Verdict.WAIT
        reasons.append(f"{evidence(0, observed)}; not found in source")
        if verdict is Verdict.WAIT:
            reasons.append(f"promised until {about.removal}")
    return Answer(id, verdict, reasons, uses, written, about)


def _doubts(observed: Observed, searched: bool, now: datetime, policy: Policy) -> list[str]:
    """Why silence would prove nothing, for any move."""
    doubts = []
    if not observed.processes or observed.since is None:
        doubts.append("no process with the drop-in was observed")
    else:
        if observed.processes < policy.processes:
            doubts.append(f"only {observed.processes} of {policy.processes} processes were observed")
        if observed.hours < policy.hours:
            doubts.append(f"only {observed.hours:,.1f} of {policy.hours:,.0f} hours were observed")
        # The period begins at midnight: its first day is never whole.
        days = (now.timestamp() - observed.since) / 86400
        if days < policy.days - 1:
            doubts.append(f"observed for only {days:,.1f} of {policy.days} days")
    if not searched:
        doubts.append("no source was searched: name the trees to search")
    return doubts


def as_dict(answers: Sequence[Answer], policy: Policy) -> dict[str, Any]:
    """The verdicts as JSON holds them."""
    return {
        "format": "compat-readiness",
        "format_version": FORMAT_VERSION,
        "policy": policy._asdict(),
        "moves": [
            {
                "move": answer.move,
                "verdict": answer.verdict.value,
                "due": answer.is_due,
                "reasons": list(answer.reasons),
                "uses": answer.uses,
                "places": list(answer.places),
                **{name: getattr(answer.facts, name) for name in ("stage", "since", "removal", "instead")},
            }
            for answer in answers
        ],
    }
