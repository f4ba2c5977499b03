from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from compat.telemetry.history.database import HistoryError
from compat.telemetry.read.fleet import read_prometheus


@pytest.fixture
def server():
    """An HTTP server that answers every question with what it was told to, and notes who asked."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.server.asked.append((self.path, self.headers.get("Authorization")))
            status, body = self.server.answer
            self.send_response(status)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with HTTPServer(("127.0.0.1", 0), Handler) as listening:
        listening.asked = []
        listening.url = f"http://127.0.0.1:{listening.server_address[1]}"
        thread = threading.Thread(target=listening.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield listening
        listening.shutdown()
        thread.join()


def empty() -> bytes:
    return json.dumps({"status": "success", "data": {"resultType": "matrix", "result": []}}).encode()


def test_a_server_without_series_is_an_empty_history(server):
    server.answer = 200, empty()
    with read_prometheus(server.url) as history:
        assert history.connection.execute("SELECT (SELECT count(*) FROM uses) + (SELECT count(*) FROM processes)").fetchone() == (
            0,
        )


def test_user_and_password_go_into_the_header_and_into_no_message(server):
    server.answer = 200, empty()
    address = server.url.replace("//", "//ada:s%3Acret@")
    read_prometheus(f"prometheus:{address}/prefix/").close()
    assert {asked[1] for asked in server.asked} == {"Basic YWRhOnM6Y3JldA=="}
    assert {asked[0] for asked in server.asked} == {"/prefix/api/v1/query", "/prefix/api/v1/query_range"}
    server.answer = 401, b"who are you?"
    with pytest.raises(HistoryError) as raised:
        read_prometheus(address)
    assert str(raised.value).startswith(f"the Prometheus server {server.url} answered 401 to ")
    assert str(raised.value).endswith(": who are you?")


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"<html>", ": line 1 column 1 (char 0)"),  # each interpreter has words of its own for what it expected
        (b'{"data": {"result": []}, "status": "error", "error": "no"}', "it says no"),
        (b'{"status": "success"}', "'data'"),
        (b"[]", "list indices must be integers or slices, not str"),
    ],
    ids=["html", "error", "nothing", "list"],
)
def test_an_answer_that_is_none_is_named(server, body, reason):
    server.answer = 200, body
    with pytest.raises(HistoryError) as raised:
        read_prometheus(server.url)
    said = str(raised.value)
    assert said.startswith(f"the Prometheus server {server.url} did not answer as one: ") and said.endswith(reason)
