"""The server: what it answers, to whom, and with which headers. Requests go through the application itself."""

from __future__ import annotations

import asyncio
import base64
import json
from contextlib import contextmanager
from datetime import datetime, timezone

import pytest

pytest.importorskip("starlette", reason="needs the extra: server")

from compat.telemetry.history.database import open_history
from compat.telemetry.page.html import policy
from compat.telemetry.page.web_server import NO_METRICS, create_app, is_loopback

NOW = datetime(2026, 11, 21, 12, tzinfo=timezone.utc)


class Answer:
    def __init__(self, messages):
        self.status = messages[0]["status"]
        self.headers = {name.decode(): value.decode() for name, value in messages[0]["headers"]}
        self.body = b"".join(message.get("body", b"") for message in messages[1:]).decode()


@pytest.fixture
def app(history, facts, tmp_path):
    """Make the application over the small history; ``get(path, **headers)`` asks it."""

    def make(metrics=None, opened=None, facts=facts, **options):
        history()
        times = [] if opened is None else opened

        @contextmanager
        def fresh():
            times.append(1)
            with open_history(tmp_path / "usage0.db") as found:
                yield found

        made = create_app(fresh, facts, metrics=metrics, clock=lambda: NOW, **options)

        def get(path, method="GET", **headers):
            sent = []
            target, _, query = path.partition("?")
            scope = {
                "type": "http",
                "asgi": {"version": "3.0"},
                "http_version": "1.1",
                "method": method,
                "scheme": "http",
                "path": target,
                "raw_path": target.encode(),
                "query_string": query.encode(),
                "root_path": "",
                "headers": [
                    (name.replace("_", "-").encode(), value.encode("latin-1"))
                    for name, value in {"host": "127.0.0.1:8765", **headers}.items()
                ],
                "server": ("127.0.0.1", 8765),
                "client": ("127.0.0.1", 1),
            }

            async def receive():
                return {"type": "http.request", "body": b"", "more_body": False}

            async def send(message):
                sent.append(message)

            asyncio.run(made(scope, receive, send))
            return Answer(sent)

        return get

    return make


def test_the_page_is_served_live_under_a_strict_policy(app):
    answer = app(live=7)("/?since=all")
    assert answer.status == 200
    assert 'data-live="7"' in answer.body
    assert "old.core:Manager" in answer.body
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.headers["content-security-policy"] == f"{policy()}; frame-ancestors 'none'"
    assert "unsafe" not in policy() and "default-src 'none'" in policy()
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["cache-control"] == "no-store"


def test_a_page_is_drawn_once_for_many_readers_and_few_are_kept(app):
    opened = []
    get = app(live=1000, opened=opened)
    assert get("/").body == get("/").body
    assert len(opened) == 1
    for days in range(1, 10):
        get(f"/?since={days}d")
    get("/?since=9d")
    assert len(opened) == 10
    get("/")
    assert len(opened) == 11


def test_the_verdicts_are_those_of_the_moment(app):
    asked = []

    def verdicts(history, now):
        asked.append(now)
        return {"moves": history.connection.execute("SELECT count(DISTINCT move) FROM groups").fetchone()}

    answer = app(verdicts=verdicts)("/api/ready")
    assert (answer.status, json.loads(answer.body), asked) == (200, {"moves": [3]}, [NOW])
    assert app()("/api/ready").status == 501


def test_a_chosen_ledger_narrows_page_and_api_to_its_packages(app, facts):
    get = app(narrowed=True)
    assert "old.gone" in get("/?since=all").body  # of a row that is gone, below a package of this ledger
    row = facts["old.never:X"]
    get = app(narrowed=True, facts={"other.core:X": row})
    page = get("/?since=all").body
    assert "old.<wbr>" not in page
    assert "0 uses in 2 processes" in page and ", and 38 uses of other ledgers" in page
    assert json.loads(get("/api/usage?by=caller&since=all").body)["rows"] == []


def test_the_api_answers_like_the_json_format(app):
    answer = app()("/api/usage?by=caller&since=all&match=old")
    shown = json.loads(answer.body)
    assert [(row["key"], row["total"]) for row in shown["rows"]] == [("chat", 33), ("jobs", 5)]
    assert (shown["by"], shown["match"], shown["period"]["first_day"]) == ("caller", "old", "1970-01-01")


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("/api/usage?by=team", "a report goes by move, caller, file, service, day, environment, version, owner; not by 'team'"),
        ("/api/usage?since=x", "'x' is no period; write 30d, 12w, all, or a first day such as 2026-11-01"),
        ("/?since=x", "'x' is no period"),
    ],
)
def test_a_wrong_question_is_answered_with_what_is_understood(app, path, said):
    answer = app()(path)
    assert answer.status == 400
    assert said in answer.body


def test_metrics_come_from_the_collector(app):
    answer = app(metrics=lambda: (b"compat_up 1\n", "text/plain; version=1"))("/metrics")
    assert (answer.status, answer.body, answer.headers["content-type"]) == (200, "compat_up 1\n", "text/plain; version=1")


def test_without_the_extra_metrics_say_so(app):
    answer = app()("/metrics")
    assert (answer.status, answer.body) == (501, f"{NO_METRICS}\n")


@pytest.mark.parametrize(
    "host", ["localhost", "LOCALHOST:80", "127.0.0.1", "127.8.9.1:1", "[::1]", "[::1]:8765", "compat.internal:443"]
)
def test_known_hosts_are_served(app, host):
    assert app(hosts=["compat.internal"])("/api/usage", host=host).status == 200


@pytest.mark.parametrize(
    "host",
    ["", "evil.example", "evil.example:8765", "127.0.0.1.evil.example", "localhost.evil", "localhost:x", "0.0.0.0", "[::1"],
)
def test_other_hosts_are_refused(app, host):
    answer = app(hosts=["compat.internal"])("/", host=host)
    assert answer.status == 421
    assert "--allow-host" in answer.body
    assert answer.headers["x-content-type-options"] == "nosniff"


def basic(password):
    return "Basic " + base64.b64encode(f"me:{password}".encode()).decode()


@pytest.mark.parametrize("given", ["Bearer s3cret", "bearer s3cret", basic("s3cret")])
@pytest.mark.parametrize("path", ["/", "/api/usage"])
def test_the_token_opens(app, given, path):
    assert app(token="s3cret")(path, authorization=given).status == 200


@pytest.mark.parametrize(
    "given",
    [
        *("", "s3cret", "Bearer", "Bearer ", "Bearer s3cre", "Bearer s3cret2", "Bearer é"),
        *(basic(""), basic("wrong"), "Basic %%%", "Basic s3cret"),
    ],
)
@pytest.mark.parametrize("path", ["/", "/api/usage", "/metrics", "/nowhere"])
def test_nothing_is_answered_without_the_token(app, given, path):
    answer = app(token="s3cret")(path, authorization=given)
    assert (answer.status, answer.body) == (401, "The token is missing or wrong.\n")
    assert answer.headers["www-authenticate"] == 'Basic realm="compat", charset="UTF-8"'


def test_a_token_of_any_script_works(app):
    for given in (basic("schlüssel"), "Bearer schlüssel".encode().decode("latin-1")):
        assert app(token="schlüssel")("/", authorization=given).status == 200


def test_only_reading_is_allowed(app):
    assert app()("/", method="POST").status == 405
    assert app()("/api/usage", method="DELETE").status == 405


@pytest.mark.parametrize(
    ("host", "loopback"),
    [(name, True) for name in ("127.0.0.1", "::1", "localhost")] + [(name, False) for name in ("0.0.0.0", "::", "10.0.0.1", "x")],
)
def test_loopback(host, loopback):
    assert is_loopback(host) is loopback
