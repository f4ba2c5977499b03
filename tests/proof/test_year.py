"""A year of six services and forty moves, of which the truth is known: every verdict of every day is compared with it.

The services count and leave their records as real ones do, by a clock that is set by hand; each evening the state is read, and
every move is judged. No move may be given free that is used again, and none that has been proven may be kept back for longer
than the silence that its uses call for.
"""

from __future__ import annotations

import os
import shutil
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable
from datetime import date, datetime, timezone
from random import Random
from types import SimpleNamespace

import pytest

from compat.readiness import Policy, judge
from compat.telemetry.history import database, evidence, fold, records, segment_reader
from compat.telemetry.history.queries import Selection, Usage
from compat.telemetry.read import merge
from compat.telemetry.record import cells, observed, segments
from compat.telemetry.record.identity import describe_process
from compat.telemetry.record.layout import DAY
from compat.telemetry.record.sites import Site
from compat.telemetry.report.usage_report import MoveFacts

FIRST = (date(2026, 1, 1) - date(1970, 1, 1)).days
DAYS = 365
HORIZON = 600  # days to which the truth looks ahead
RETIRED, DECLARED = 150, 200  # importer's last day, and the day on which the operator says so
REPLACED = {120: False, 240: True}  # mailer's store is lost, and later replaced with its history kept

Rule = Callable[[int], bool]


def calendar(day: int) -> date:
    return date.fromordinal(date(2026, 1, 1).toordinal() + day)


def every(step: int, start: int = 0, end: int = HORIZON) -> Rule:
    return lambda day: start <= day < end and (day - start) % step == 0


def on(*days: int) -> Rule:
    return lambda day: day in days


def weekdays(day: int) -> bool:
    return calendar(day).weekday() < 5


def is_first(day: int) -> bool:
    return calendar(day).day == 1


def monthly(*months: int, end: int = HORIZON) -> Rule:
    return lambda day: is_first(day) and day < end and (not months or calendar(day).month in months)


RUNS: dict[str, Rule] = {  # the days on which a service runs
    "web": every(1),
    "worker": every(1),
    "mailer": every(1),
    "importer": every(1, 0, RETIRED),
    "billing": monthly(),
    "ci": weekdays,
    "pytest": weekdays,
}
ENVIRONMENTS = {"ci": "ci", "pytest": "test"}
ANY = range(HORIZON)
USES: dict[str, dict[str, Rule]] = {  # move -> service -> the days on which it uses the move
    "web.daily": {"web": every(1)},
    "web.weekdays": {"web": weekdays},
    "web.weekly": {"web": every(7, 3)},
    "web.monthly": {"web": every(30, 5)},
    "web.every45": {"web": every(45, 20)},
    "web.until60": {"web": every(1, 0, 60)},
    "web.weekly_until150": {"web": every(7, 2, 150)},
    "web.once": {"web": on(100)},
    "web.twice": {"web": on(40, 90)},
    "web.comes_back": {"web": lambda day: day < 80 or 105 <= day < 200},
    "web.ever_slower": {"web": on(10, 17, 27, 41, 61, 89, 128, 180, 255, 360)},
    "web.until300": {"web": every(2, 0, 300)},
    "billing.monthly": {"billing": monthly()},
    "billing.quarterly": {"billing": monthly(1, 4, 7, 10)},
    "billing.even_months": {"billing": monthly(2, 4, 6, 8, 10, 12)},
    "billing.until_june": {"billing": monthly(end=170)},
    "billing.once": {"billing": on(59)},  # 1 March
    "importer.daily": {"importer": every(1, 0, RETIRED)},
    "importer.until50": {"importer": every(1, 0, 50)},
    "importer.weekly": {"importer": every(7, 0, RETIRED)},
    "ci.each_run": {"ci": weekdays},
    "ci.until120": {"ci": lambda day: weekdays(day) and day < 120},
    "ci.once": {"ci": on(90)},
    "mailer.daily": {"mailer": every(1)},
    "mailer.weekly": {"mailer": every(7, 4)},
    "mailer.monthly": {"mailer": every(30, 10)},
    "mailer.until100": {"mailer": every(1, 0, 100)},
    "mailer.until200": {"mailer": every(3, 0, 200)},
    "mailer.every45": {"mailer": every(45, 125)},
    "worker.daily": {"worker": every(1)},
    "worker.weekly": {"worker": every(7, 1)},
    "worker.until90": {"worker": every(1, 0, 90)},
    "worker.once": {"worker": on(200)},
    "both.web_stops": {"web": every(1, 0, 50), "billing": monthly()},
    "both.stop": {"web": every(1, 0, 50), "billing": monthly(end=100), "pytest": weekdays},
    "tests.only": {"pytest": weekdays},
    "never.1": {},
    "never.2": {},
    "never.3": {},
    "never.4": {},
}
FACTS = {move: MoveFacts(move, "new", "1.0", "3.0", "Use new.", "expired", "name") for move in USES}
TRUE_DAYS = {
    move: {service: [day for day in ANY if rule(day) and RUNS[service](day)] for service, rule in by.items()}
    for move, by in USES.items()
}


class Process:
    """A process of a service: counts in a segment from its first use on, and leaves records until then."""

    def __init__(self, directory: str, service: str, version: str, now: float, offset: int) -> None:
        # Of another boot: whether it lives is told by what it leaves, and by the lock on its segment.
        facts = {"boot": "another", "service": service, "version": version, "started": now}
        facts["environment"] = ENVIRONMENTS.get(service, "production")
        self.header = describe_process()._replace(**facts)
        self.directory, self.offset, self.born = directory, offset, now
        self.counters: cells.Counters | None = None
        self.place = observed.append_record(directory, self.header)

    def use(self, move: str) -> None:
        if self.counters is None:
            self.counters = cells.Counters(lambda: segments.Segment(self.directory, self.header))
            observed.append_record(self.directory, self.header, counted=True)
        service = self.header.service
        line = 10 + self.offset + len(move)
        self.counters.cell(Site(move, "call", f"{service}/main.py", line, "run", f"{service}.main"))()

    def mark(self, now: float) -> None:
        if self.counters is None:
            self.place = observed.renew_record(self.directory, self.place, self.header._replace(ended=now))
        else:
            self.counters.table.end(now)

    def kill(self) -> None:
        if self.counters is not None:
            self.counters.table.release()
        # The system gives back what a process has mapped.
        segments._released.clear()


class Year:
    """The six services, and those who test them, from one hour to the next."""

    def __init__(self, root: str, clock: SimpleNamespace) -> None:
        self.root, self.clock, self.random = root, clock, Random(1)
        self.running: dict[str, Process] = {}
        self.down: dict[str, int] = {}
        self.archives: list[str] = []
        self.kills = self.deploys = 0

    def store(self, service: str) -> str:
        return os.path.join(self.root, "mailer" if service == "mailer" else "shared")

    def start(self, service: str, day: int) -> None:
        # A deployment moves the lines of web once a week.
        version = f"{day // 7}" if service == "web" else "1"
        directory = self.store(service)
        self.running[service] = Process(directory, service, version, self.clock.now, day // 7 if service == "web" else 0)

    def live(self, day: int) -> None:
        hours = {service: self.random.randrange(4, 22) for service in RUNS}
        for service in ("billing", "ci", "pytest"):
            hours[service] = 3
        if day in REPLACED:
            self.stop("mailer")
            if REPLACED[day]:
                merge.collect([self.store("mailer")]).close()
                self.archives.append(os.path.join(self.root, f"mailer-{day}.db"))
                shutil.copy(os.path.join(self.store("mailer"), "usage.db"), self.archives[-1])
            shutil.rmtree(self.store("mailer"))
        for hour in range(24):
            self.clock.now = (FIRST + day) * DAY + hour * 3600 + 60
            for service, runs in RUNS.items():
                self.hour(service, day, hour, hours[service], runs(day))

    def hour(self, service: str, day: int, hour: int, using: int, runs: bool) -> None:
        short = service in ("billing", "ci", "pytest")
        if service == "web" and hour == 0 and day % 7 == 0 and service in self.running:
            self.stop(service)
            self.deploys += 1
        if service in self.running and (not runs or (short and hour == using + 2)):
            self.stop(service)
        if not runs or (short and hour != using):
            if service in self.running:
                self.running[service].mark(self.clock.now)
            return
        if service == "worker" and service in self.running and self.random.random() < 0.02 and hour != using:
            self.running.pop(service).kill()
            self.kills += 1
            return
        if service not in self.running:
            self.start(service, day)
        if hour == using:
            for move, by in USES.items():
                if service in by and by[service](day):
                    for _ in range(self.random.randrange(1, 3)):
                        self.running[service].use(move)
        self.running[service].mark(self.clock.now + 30)

    def stop(self, service: str) -> None:
        process = self.running.pop(service)
        process.mark(self.clock.now)
        process.kill()

    def verdicts(self, day: int) -> dict[str, tuple[str, str]]:
        self.clock.now = (FIRST + day) * DAY + 23.9 * 3600
        places = [os.path.join(self.root, name) for name in ("shared", "mailer")]
        for place in places:
            assert fold.fold(place).problems == ()
        policy = Policy()
        today = FIRST + day
        with merge.collect([place for place in (*places, *self.archives) if os.path.exists(place)]) as history:
            assert history.unread == []
            known = evidence.read_evidence(history.connection, Selection(today - policy.days + 1, today), history.unread)
        now = datetime.fromtimestamp(self.clock.now, timezone.utc)
        # Code that has not run yet is for the search of the source to find.
        written = {move: ["later.py:1"] for move in USES if is_to_come(move, day)}
        answers = judge(FACTS, known, written, now, policy, ["importer"] if day >= DECLARED else [])
        return {answer.move: (answer.verdict.value, "; ".join(answer.reasons)) for answer in answers}


def is_to_come(move: str, day: int) -> bool:
    return any(days and days[0] > day for days in TRUE_DAYS[move].values())


def is_used_again(move: str, day: int) -> bool:
    return any(days[-1] > day for service, days in TRUE_DAYS[move].items() if days and service != "pytest")


def is_proven(move: str, day: int) -> bool:
    """Tell whether ``move`` has been proven by the evening of ``day``, by the rule as users read it."""
    # What was seen of mailer before its store was lost is not known any more: it is a new service for 30 days.
    if day < 30 or any(at <= day <= at + 30 for at, kept in REPLACED.items() if not kept):
        return False
    for service, days in TRUE_DAYS[move].items():
        if service == "pytest" or (service == "importer" and day >= DECLARED):
            continue
        past = days[: bisect_left(days, day + 1)]
        if service == "mailer":
            lost = max((at for at, kept in REPLACED.items() if not kept and at <= day), default=0)
            past = [each for each in past if each >= lost]
        if not past:
            continue
        if service == "importer" and day >= RETIRED:
            return False
        gap = max((after - before for before, after in zip(past, past[1:])), default=0)
        alone = {"billing": 93, "ci": 60}.get(service, 60)
        window = max(30, gap * 3 // 2) if gap else alone
        # A job proves nothing between its runs.
        seen = max(each for each in range(day + 1) if RUNS[service](each))
        if seen < past[-1] + window:
            return False
    return not is_used_again(move, day)


@pytest.fixture
def clock(monkeypatch):
    made = SimpleNamespace(now=FIRST * DAY)
    for module in (cells, observed, fold, records, database, merge, segment_reader):
        monkeypatch.setattr(module, "time", lambda: made.now)
    return made


def test_in_a_year_nothing_is_given_free_too_early_and_nothing_proven_is_kept_back(tmp_path, clock, capsys):
    assert len(USES) == 40
    year = Year(str(tmp_path), clock)
    table: dict[str, Counter[str]] = {}
    false: list[str] = []
    late: list[str] = []
    for day in range(DAYS):
        year.live(day)
        month = table.setdefault(f"{calendar(day):%Y-%m}", Counter(days=0))
        month["days"] += 1
        for move, (verdict, why) in year.verdicts(day).items():
            month[verdict] += 1
            if verdict == "may go" and is_used_again(move, day):
                false.append(f"{calendar(day)} {move}: {why}")
                month["false"] += 1
            if verdict != "may go" and is_proven(move, day):
                late.append(f"{calendar(day)} {move}: {verdict}: {why}")
                month["late"] += 1
    heads = ("days", "in use", "in source", "unproven", "may go", "false", "late")
    whole = sum(table.values(), Counter())
    with capsys.disabled():
        print(f"\n{'':8}" + "".join(f"{head:>10}" for head in heads))
        for name, month in [*table.items(), ("year", whole)]:
            print(f"{name:8}" + "".join(f"{month[head]:10,}" for head in heads))
        print(
            f"{len(USES)} moves, {year.deploys} deployments of web, {year.kills} kills of worker, {len(REPLACED)} stores replaced"
        )
    assert false[:20] == []
    assert late[:20] == []
    assert (whole["days"], sum(whole[verdict] for verdict in heads[1:5])) == (DAYS, DAYS * len(USES))
    # The bars mean something: there was much to give free, and much to keep.
    assert min(whole["may go"], whole["in use"], whole["unproven"]) > 1000
    assert year.kills > 50 and year.deploys == 52
    with merge.collect([str(tmp_path / "shared")]) as history:
        usage = Usage(history.connection)
        (place,) = (place for place in usage.all_places(Selection(FIRST, FIRST + DAYS)) if place.move == "web.daily")
        assert (place.file, place.version, place.line) == ("web/main.py", "52", 10 + 52 + len("web.daily"))
