"""The fleet: usage read back from a Prometheus server that scrapes it, over its HTTP API."""

from __future__ import annotations

import base64
import json
from collections.abc import Collection, Iterable, Mapping
from time import time
from typing import Any
from urllib.error import HTTPError
from urllib.parse import unquote, urlencode, urlsplit, urlunsplit
from urllib.request import Request, urlopen

from ..history.database import History, HistoryError, memory_history
from ..history.tally import Tally
from ..metric_names import HISTORY_NAME, LABELS, LAST_NAME, NAME, SECONDS_NAME
from ..record.layout import DAY, Header, Row, encode_key
from ..record.service import PRODUCTION
from ..record.sites import Site

DAYS = 400
TIMEOUT = 30.0
FRESH = 300.0
"""Seconds for which Prometheus holds a sample to be fresh."""
_COUNTER = NAME + "_total"
_INFO = HISTORY_NAME + "_info"
_Labels = tuple[tuple[str, str], ...]
_Points = list[tuple[float, float]]


def read_prometheus(
    url: str, *, days: int = DAYS, now: float | None = None, timeout: float = TIMEOUT, without: Collection[str] = ()
) -> History:
    """Return a history, in memory, of what the Prometheus server at ``url`` knows of legacy uses in ``days`` days.

    ``url`` may begin with ``prometheus:`` and may hold user and password. A site is as fine as the labels: move, kind,
    caller and service, no file. Targets that share one store (processes of one host) are counted once. What a store
    had counted before its first scrape belongs to the day of that scrape. Stores in ``without`` are left out.
    Raises HistoryError where the server does not answer as Prometheus does.
    """
    server = _Server(url[11:] if url.startswith("prometheus:") else url, timeout)
    moment = time() if now is None else now
    today = moment // DAY
    # The last value of each full day; of today, the last one up to now.
    start, midnight = (today - days + 1) * DAY, today * DAY
    stores = _stores(server, start, midnight, moment)
    series = _daily(server, _COUNTER, start, midnight, moment)
    _refine(server, series, start, midnight, moment)
    last_uses = _daily(server, LAST_NAME, start, midnight, moment)
    merged: dict[tuple[str, _Labels], dict[int, float]] = {}
    for labels, points in series.items():
        facts, target = _split(labels)
        key = stores.get(target, repr(target)), facts
        if key[0] in without:
            continue
        by_day = merged.setdefault(key, {})
        # Whoever shares a store tells the same number at another moment: the highest is the latest.
        for day, uses in _cumulated(points).items():
            by_day[day] = max(by_day.get(day, 0.0), uses)
    last_of: dict[_Labels, _Points] = {}
    for labels, points in last_uses.items():
        last_of.setdefault(_split(labels)[0], []).extend(points)
    tally = Tally()
    for (_, facts), by_day in merged.items():
        service, rows = _rows(dict(facts), by_day, last_of.get(facts, []))
        tally.add((service, "", dict(facts)["environment"]), rows)
    others = {target: store for target, store in stores.items() if store not in without}
    history = memory_history()
    history.begin()
    history.add(tally, [(process, 0) for process in _processes(server, start, midnight, moment, others)])
    history.commit()
    return history


class _Server:
    """The few questions that are asked of the HTTP API."""

    def __init__(self, url: str, timeout: float) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise HistoryError(f"{url!r} is no address of a Prometheus server: write prometheus:http://host:9090")
        self._headers = {"Accept": "application/json"}
        if parts.username is not None:
            login = f"{unquote(parts.username)}:{unquote(parts.password or '')}".encode()
            self._headers["Authorization"] = "Basic " + base64.b64encode(login).decode()
        self.name = urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2], query="", fragment="")).rstrip("/")
        self._timeout = timeout

    def ask(self, path: str, **parameters: object) -> list[dict[str, Any]]:
        # Sent as a form: a long query does not fit an address.
        request = Request(f"{self.name}/api/v1/{path}", urlencode(parameters).encode(), self._headers)
        try:
            with urlopen(request, timeout=self._timeout) as response:
                answer = json.load(response)
            result = answer["data"]["result"]
            if answer["status"] != "success" or not isinstance(result, list):
                raise ValueError("it says " + str(answer.get("error", answer["status"])))
        except HTTPError as error:
            with error:
                said = error.read(300).decode("utf-8", "replace")
            raise HistoryError(f"the Prometheus server {self.name} answered {error.code} to {parameters}: {said}") from error
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise HistoryError(f"the Prometheus server {self.name} did not answer as one: {error}") from error
        return result


def _daily(server: _Server, name: str, start: float, midnight: float, now: float) -> dict[_Labels, _Points]:
    """Return the last value of every series on every day from ``start`` on, at the second of its midnight, or of now."""
    found: dict[_Labels, _Points] = {}
    if midnight > start:
        query = f"last_over_time({name}[1d])"
        for part in server.ask("query_range", query=query, start=start + DAY, end=midnight, step=int(DAY)):
            # A value at midnight belongs to the day that ends there.
            found[_key(part["metric"])] = [(float(at) - 1, float(value)) for at, value in part["values"]]
    rest = max(1, int(now - midnight) + 1)
    for part in server.ask("query", query=f"last_over_time({name}[{rest}s])", time=now):
        found.setdefault(_key(part["metric"]), []).append((now, float(part["value"][1])))
    return found


def _refine(server: _Server, series: dict[_Labels, _Points], start: float, midnight: float, now: float) -> None:
    """Put every sample in the place of the daily value on days on which a counter began anew: between two, it grew."""
    resets = _daily_of(server, f"resets({_COUNTER}[{{}}])", start, midnight, now)
    for labels, ends in resets.items():
        for end, length in ends:
            query = f"{_COUNTER}{_selector(labels)}[{length}s]"
            for part in server.ask("query", query=query, time=end):
                if _key(part["metric"]) == labels:
                    kept = [point for point in series.get(labels, []) if not end - length < point[0] <= end]
                    raw = [(min(float(at), end - 1), float(value)) for at, value in part["values"]]
                    series[labels] = sorted(kept + raw)


def _daily_of(server: _Server, query: str, start: float, midnight: float, now: float) -> dict[_Labels, list[tuple[float, int]]]:
    found: dict[_Labels, list[tuple[float, int]]] = {}
    if midnight > start:
        whole = query.format("1d") + " > 0"
        for part in server.ask("query_range", query=whole, start=start + DAY, end=midnight, step=int(DAY)):
            found[_key(part["metric"])] = [(float(at), int(DAY)) for at, _ in part["values"]]
    rest = max(1, int(now - midnight) + 1)
    for part in server.ask("query", query=query.format(f"{rest}s") + " > 0", time=now):
        found.setdefault(_key(part["metric"]), []).append((now, rest))
    return found


def _cumulated(points: Iterable[tuple[float, float]]) -> dict[int, float]:
    """Return the running number of uses at the end of each day; a counter that falls has begun anew."""
    total = before = 0.0
    by_day: dict[int, float] = {}
    for at, value in sorted(points):
        total += value - before if value >= before else value
        before = value
        by_day[int(at // DAY)] = total
    return by_day


def _rows(facts: Mapping[str, str], by_day: Mapping[int, float], last: _Points) -> tuple[str, list[Row]]:
    """Return the service, and one row per day on which the running number grew."""
    site = Site(facts.get("move", ""), facts.get("kind", ""), "", 0, "", facts.get("caller", ""))
    lasts = {int(at // DAY): moment for at, moment in sorted(last)}
    rows, before = [], 0.0
    for day in sorted(by_day):
        uses = round(by_day[day] - before)
        if uses > 0:
            end = lasts.get(day, 0.0)
            inside = day * DAY <= end < (day + 1) * DAY
            rows.append(Row(0, encode_key(site), day, uses, day * DAY, end if inside else day * DAY))
        before = max(before, by_day[day])
    return facts.get("service", ""), rows


def _stores(server: _Server, start: float, midnight: float, now: float) -> dict[_Labels, str]:
    """Return the store behind each target."""
    latest: dict[_Labels, tuple[float, str]] = {}
    for labels, points in _daily(server, _INFO, start, midnight, now).items():
        target = _split(tuple(label for label in labels if label[0] != "store"))[1]
        # A directory that was emptied has another store from then on.
        last = max(at for at, _ in points), dict(labels).get("store", "")
        latest[target] = max(latest.get(target, last), last)
    return {target: store for target, (_, store) in latest.items()}


def _processes(server: _Server, start: float, midnight: float, now: float, stores: Mapping[_Labels, str]) -> list[Header]:
    """Return a process per target, service and stretch of days: the sum of the time for which it was observed.

    A service was observed while its observed time grew: that an exporter is scraped says nothing of a service that has
    ended. Where nothing is told of that, the process itself exports, and was there whenever it was scraped.
    """
    told = _seconds(server, f"delta({SECONDS_NAME}[10m]) > 0", start, midnight, now)
    known = {_split(labels)[1] for labels in _daily(server, SECONDS_NAME, start, midnight, now)}
    services = {_split(labels)[1]: dict(labels).get("service", "") for labels in _daily(server, _COUNTER, start, midnight, now)}
    for labels, days in _seconds(server, _INFO, start, midnight, now).items():
        target = _split(tuple(label for label in labels if label[0] != "store"))[1]
        if target not in known:
            service = services.get(target) or dict(labels).get("job", "")
            mine = told.setdefault((*target, ("service", service)), {})
            for day, seconds in days.items():
                mine[day] = max(mine.get(day, 0.0), seconds)
    found = []
    for labels, days in told.items():
        facts, target = dict(labels), _split(labels)[1]
        if target not in stores:
            continue  # another history tells it
        parts = (facts.get("job", ""), facts.get("instance", ""), stores[target], facts.get("service", ""))
        name = "prometheus:" + "/".join((*parts, *filter(None, [facts.get("environment", "")])))
        environment = facts.get("environment", PRODUCTION)
        names = "", parts[1], parts[3], "", "", environment
        for first, seconds in _stretches(days):
            found.append(Header(f"{name}|{first}", *names, 0, 0, 0, first * DAY, min(now, first * DAY + seconds)))
    return found


def _seconds(server: _Server, query: str, start: float, midnight: float, now: float) -> dict[_Labels, dict[int, float]]:
    """Return for how many seconds of each day ``query`` had an answer, per series."""
    found: dict[_Labels, dict[int, float]] = {}
    step = int(FRESH)
    if midnight > start:
        whole = f"count_over_time(({query})[1d:{step}s]) * {step}"
        for part in server.ask("query_range", query=whole, start=start + DAY, end=midnight, step=int(DAY)):
            found[_key(part["metric"])] = {int((float(at) - 1) // DAY): float(value) for at, value in part["values"]}
    rest = max(1, int(now - midnight))
    # The steps lie on full five minutes: what is there for the first time now was there for a second.
    for asked, least in ((f"count_over_time(({query})[{rest}s:{step}s]) * {step}", 0.0), (query, 1.0)):
        for part in server.ask("query", query=asked, time=now):
            days = found.setdefault(_key(part["metric"]), {})
            days.setdefault(int(now // DAY), least or float(part["value"][1]))
    return found


def _stretches(days: Mapping[int, float]) -> list[tuple[int, float]]:
    """Return the days from which on something was observed, and for how many seconds: whole days in a row are one."""
    found: list[tuple[int, float]] = []
    for day in sorted(days):
        if found and found[-1][0] * DAY + found[-1][1] == day * DAY:
            found[-1] = found[-1][0], found[-1][1] + min(DAY, days[day])
        else:
            found.append((day, min(DAY, days[day])))
    return found


_OWN = frozenset(LABELS)
# What a ledger says of a move changes, and with it the series: its number goes on in the next one.
_SAID = frozenset(["since", "removal"])


def _selector(labels: _Labels) -> str:
    return "{" + ",".join(f"{name}={json.dumps(value, ensure_ascii=False)}" for name, value in labels) + "}"


def _key(metric: Mapping[str, str]) -> _Labels:
    return tuple(sorted((name, value) for name, value in metric.items() if name != "__name__"))


def _split(labels: _Labels) -> tuple[_Labels, _Labels]:
    """Part the labels of a series into what was used, and which target said so."""
    own = tuple((name, value) for name, value in labels if name in _OWN and name not in _SAID)
    if all(name != "environment" for name, _ in own):  # of an exporter of before there were any
        own = tuple(sorted((*own, ("environment", PRODUCTION))))
    return own, tuple((name, value) for name, value in labels if name not in _OWN)
