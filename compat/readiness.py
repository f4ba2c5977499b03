"""MAY IT GO? Joins what the ledger promises, what telemetry saw and what source still says into a verdict per move.

The verdict on a move is the worst of those on its users: each service that ever used it must itself have been observed
since, for long enough against the pace of its own uses. What could not be seen is a doubt, never a zero.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from enum import Enum
from typing import Any, NamedTuple, Optional, Protocol, TypeVar

from compat.telemetry.history.evidence import REHEARSALS, Evidence, Use, User, is_missing, merged, quiet_since, window_of
from compat.telemetry.record.service import PRODUCTION
from compat.telemetry.report.outlook import Forecast
from compat.telemetry.report.usage_report import MoveFacts, day_of, evidence, iso_day, iso_time, row_of

FORMAT_VERSION = 2
"""1: the first one; 2: each move has its users, and its doubts say what settles them."""
Thing = TypeVar("Thing")
NOT_WRITTEN = "not found in source"
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


class Doubt(NamedTuple):
    """Why a silence proves nothing, and what would settle it."""

    what: str
    settle: str

    def __str__(self) -> str:
        return f"{self.what}: {self.settle}"


class UserAnswer(NamedTuple):
    """The verdict on one user of a move: in use, unproven or may go; ``observed`` is the last day it was observed on."""

    use: Use
    verdict: Verdict
    doubts: Sequence[Doubt]
    observed: str | None


class Answer(NamedTuple):
    """The verdict on one move, with every reason that speaks against its going (or the evidence that it may).

    ``users`` are all that ever used it outside tests; ``doubts`` those that are no user's own, but hold for every move; ``ahead``
    says when its uses end.
    """

    move: str
    verdict: Verdict
    reasons: Sequence[str]
    uses: int
    places: Sequence[str]
    facts: MoveFacts
    users: Sequence[UserAnswer] = ()
    doubts: Sequence[Doubt] = ()
    ahead: Optional[Forecast] = None

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
    known: Evidence,
    places: Mapping[str, Sequence[str]] | None,
    now: datetime,
    policy: Policy = Policy(),  # noqa: B008 - immutable
    retired: Collection[str] = (),
) -> list[Answer]:
    """Give a verdict on every move of ``facts``, those that are overdue first.

    ``known`` is the evidence (:func:`~compat.telemetry.history.evidence.read_evidence`) with the last ``policy.days`` days
    as its period; ``places`` is what the source scan found (:func:`places_by_move`), ``None`` if no source was searched,
    which leaves every verdict unproven. Services that are ``retired`` need not have been observed.
    """
    seen = _by_row(facts, known.uses)
    tested = _by_row(facts, {id: [count] for id, count in known.tested.items()})
    written = _by_row(facts, places or {})
    today = day_of(now)
    doubts = _doubts(known, places is not None, today, policy, retired)
    answers = []
    for id, about in facts.items():
        users = [_judge_user(use, known, today, policy, retired) for use in merged(seen.get(id, ()))]
        answers.append(_judge_one(id, about, users, written.get(id, ()), doubts, known, sum(tested.get(id, ()))))
    order = list(Verdict)
    return sorted(answers, key=lambda answer: (not answer.is_overdue, order.index(answer.verdict), -answer.uses, answer.move))


def _by_row(facts: Mapping[str, MoveFacts], things: Mapping[str, Sequence[Thing]]) -> dict[str, list[Thing]]:
    """Group ``things`` by the row that speaks for their ids."""
    grouped: dict[str, list[Thing]] = {}
    for id, each in things.items():
        row = row_of(facts, id)
        if row is not None:
            grouped.setdefault(row, []).extend(each)
    return grouped


def _judge_one(
    id: str,
    about: MoveFacts,
    users: Sequence[UserAnswer],
    written: Sequence[str],
    doubts: Sequence[Doubt],
    known: Evidence,
    tested: int,
) -> Answer:
    busy = [user.use for user in users if user.verdict is Verdict.USED]
    uses = sum(use.uses for use in busy)
    own = [str(doubt) for user in users for doubt in user.doubts]
    reasons = []
    if busy:
        last = max(use.last for use in busy)
        names = ", ".join(sorted(_named(use.user) for use in busy))
        reasons.append(f"{_count(uses)} in {names}, last on {iso_day(int(last // 86400))}")
    if written:
        more = f" and {len(written) - SHOWN} more" if len(written) > SHOWN else ""
        reasons.append(f"written at {', '.join(written[:SHOWN])}{more}")
    if busy:
        verdict = Verdict.USED
    elif written:
        verdict = Verdict.WRITTEN
    elif own or doubts:
        verdict = Verdict.UNPROVEN
        reasons += [*own, *map(str, doubts)]
    else:
        verdict = Verdict.GO if about.stage == "expired" else Verdict.WAIT
        reasons.append(f"{evidence(0, known.observed)}; {NOT_WRITTEN}")
        if tested:
            reasons.append(f"{_count(tested)} in tests, which go with it")
        if verdict is Verdict.WAIT:
            reasons.append(f"promised until {about.removal}")
    return Answer(id, verdict, reasons, uses, written, about, users, doubts)


def _judge_user(use: Use, known: Evidence, today: int, policy: Policy, retired: Collection[str]) -> UserAnswer:
    """Give a verdict on one user: used in the period, or quiet for long enough since its last use ever."""
    watched = known.watched.get(use.user, ())
    observed = iso_day(watched[-1]) if watched else None
    if use.uses or use.days[-1] > today:
        return UserAnswer(use, Verdict.USED, (), observed)
    if use.user.service in retired:
        return UserAnswer(use, Verdict.GO, (), observed)
    service, last = use.user.service, use.days[-1]
    window, pace = window_of(use.days, watched, policy.days)
    quiet = quiet_since(last, watched)
    told = f" (version {use.version})" if use.version else ""
    what = f"{_named(use.user)} used it last on {iso_day(last)}{told}"
    gone = f"or, if it runs no more, say --retired {service}"
    doubt = None
    if not quiet.days:
        doubt = Doubt(f"{what} and was not observed since", f"observe it for {window} days, {gone}")
    elif is_missing(today, watched):
        doubt = Doubt(f"{what} and was not observed after {observed}", f"observe it again, {gone}")
    elif quiet.days < window - 1:
        why = f", and it has used it {pace}" if window > policy.days else ""
        holes = f", with {quiet.unseen} days unobserved" if quiet.unseen else ""
        doubt = Doubt(
            f"{what} and was observed for only {quiet.days} of {window} days since{holes}{why}",
            f"observe it for {window - quiet.days} more days",
        )
    return UserAnswer(use, Verdict.UNPROVEN if doubt else Verdict.GO, (doubt,) if doubt else (), observed)


def _named(user: User) -> str:
    return user.service if user.environment == PRODUCTION else f"{user.service} ({user.environment})"


def _count(uses: int) -> str:
    return f"{uses:,} use{'' if uses == 1 else 's'}"


def _doubts(known: Evidence, searched: bool, today: int, policy: Policy, retired: Collection[str]) -> list[Doubt]:
    """Why silence would prove nothing, for any move."""
    observed, days = known.observed, known.days
    doubts: list[Doubt] = []
    others = sorted({user.environment for user in known.watched})
    if not observed.processes or observed.since is None:
        only = f" in production, only in {', '.join(others)}" if others and PRODUCTION not in others else ""
        settle = (
            f"run the services with the drop-in and COMPAT_SERVICE or COMPAT_DIR set for {policy.days} days, "
            "and read their state with --from"
        )
        doubts.append(Doubt(f"no process with the drop-in was observed{only}", settle))
    else:
        if observed.processes < policy.processes:
            what = f"only {observed.processes} of {policy.processes} processes were observed"
            doubts.append(Doubt(what, "read the other hosts with --from, or say --processes"))
        if observed.hours < policy.hours:
            what = f"only {observed.hours:,.1f} of {policy.hours:,.0f} hours were observed"
            doubts.append(Doubt(what, "let it run, or read the other hosts with --from"))
        quiet = quiet_since(max(known.selection.first, days[0]) - 1, days)
        if is_missing(today, days):
            doubts.append(Doubt(f"nothing was observed after {iso_day(days[-1])}", "observe the services again"))
        # The period begins at midnight: its first day is never whole.
        elif quiet.days < policy.days - 1:
            holes = f", with {quiet.unseen} days unobserved" if quiet.unseen else ""
            what = f"observed for only {quiet.days} of {policy.days} days{holes}"
            doubts.append(Doubt(what, f"wait {policy.days - quiet.days} more days, or say --days"))
    doubts += _newcomers(known, retired)
    for user, count in sorted(known.lost.items()):
        if user.service not in retired:
            what = f"{count} process{'' if count == 1 else 'es'} of {_named(user)} counted uses that were removed unread"
            doubts.append(Doubt(what, f"wait until {policy.days} days have passed, or say --retired {user.service}"))
    if known.unread:
        what = f"{len(known.unread)} source{'' if len(known.unread) == 1 else 's'} could not be read"
        doubts.append(Doubt(what, "see why, and remove what is settled"))
    if not searched:
        doubts.append(Doubt("no source was searched", "name the trees to search"))
    return doubts


def _newcomers(known: Evidence, retired: Collection[str]) -> list[Doubt]:
    """A doubt for the services seen for the first time in the period: new ones, or of a store that was replaced.

    What they did before nobody knows, so what they do only now and then has not been seen.
    """
    days = known.days
    first = max(known.selection.first, days[0]) if days else 0
    since = {
        _named(user): watched[0]
        for user, watched in sorted(known.watched.items())
        if user.environment not in REHEARSALS and user.service not in retired and watched[0] > first
    }
    if not since:
        return []
    latest = max(since.values())
    names = list(since)[:SHOWN]
    more = f" and {len(since) - SHOWN} more" if len(since) > SHOWN else ""
    what = f"{', '.join(names)}{more}: not observed before {iso_day(latest)}"
    gone = f"or, for what runs no more, say --retired {names[0]}"
    return [Doubt(what, f"wait {latest - known.selection.first} more days, or read the earlier state with --from, {gone}")]


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
                "expected_end": None if answer.ahead is None else answer.ahead._asdict(),
                "users": [_user(user) for user in answer.users],
                "doubts": [doubt._asdict() for user in answer.users for doubt in user.doubts]
                + [doubt._asdict() for doubt in answer.doubts],
                **{name: getattr(answer.facts, name) for name in ("stage", "since", "removal", "instead")},
            }
            for answer in answers
        ],
    }


def _user(user: UserAnswer) -> dict[str, Any]:
    use = user.use
    return {
        "service": use.user.service,
        "environment": use.user.environment,
        "version": use.version,
        "verdict": user.verdict.value,
        "uses": use.uses,
        "last_use": iso_time(use.last),
        "last_observed": user.observed,
    }
