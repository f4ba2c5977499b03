"""The verdicts beside a report, as far as uses tell: what is written, ``compat ready`` searches."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from compat.readiness import Answer
    from compat.telemetry.history.database import History
    from compat.telemetry.report.digest import Judged
    from compat.telemetry.report.usage_report import MoveFacts


def answers_on(history: History, facts: Mapping[str, MoveFacts], now: datetime, match: str = "") -> list[Answer]:
    """Judge the moves of ``facts`` that ``match`` selects by the uses of the last days of the policy."""
    from compat.readiness import NOT_WRITTEN, Policy, judge
    from compat.telemetry.history.evidence import read_evidence
    from compat.telemetry.history.queries import Selection
    from compat.telemetry.report.usage_report import day_of

    policy, today = Policy(), day_of(now)
    selection = Selection(today - policy.days + 1, today, match)
    known = read_evidence(history.connection, selection, history.unread)
    chosen = {id: about for id, about in facts.items() if selection.includes(id)}
    return [
        answer._replace(reasons=[reason.replace(NOT_WRITTEN, "source was not searched") for reason in answer.reasons])
        for answer in judge(chosen, known, {}, now, policy)
    ]


def judged(answers: Sequence[Answer]) -> list[Judged]:
    """Return the answers as the digest and the page tell them."""
    from compat.telemetry.report.digest import Judged, JudgedUser

    found = []
    for answer in answers:
        users = [
            JudgedUser(
                *user.use.user,
                user.verdict.value,
                user.use.last,
                user.use.version,
                user.observed or "",
                "; ".join(doubt.settle for doubt in user.doubts),
            )
            for user in answer.users
        ]
        doubts = [str(doubt) for doubt in answer.doubts]
        # What leaves all of them unproven is the same for all, and is told once.
        own = [reason for reason in answer.reasons if reason not in doubts]
        why = "; ".join(own if answer.verdict.value == "unproven" else answer.reasons) or "no use seen"
        found.append(Judged(answer.move, answer.verdict.value, why, answer.is_overdue, users, doubts))
    return found
