"""The recipes of docs/how-to/new-sites.md, each with the client it names and something real at the other end."""

from __future__ import annotations

import importlib.util
import io
import json
import logging
import os
import re
import socket
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from compat.telemetry import Site, open_cell, reset
from compat.telemetry.record import news

PAGE = Path(__file__).resolve().parents[2] / "docs/how-to/new-sites.md"
SITE = Site("old.util:Money", "call", "orders/cart.py", 12, "total", "orders.cart")


def needs(module):
    if importlib.util.find_spec(module.partition(".")[0]) is None:
        if os.environ.get("CI"):
            pytest.fail(f"{module} is absent; the recipes must be proven here")
        pytest.skip(f"needs {module}")


@pytest.fixture
def recipe(monkeypatch):
    """Run the block of the page that begins with the name of a file, then use something legacy; gives its names."""
    monkeypatch.setenv("COMPAT_TELEMETRY", "memory")
    reset()

    def recipe(name):
        (code,) = re.findall(rf"```python\n(# {name}\n.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
        names = {"__name__": "recipe"}
        exec(compile(code, name, "exec"), names)
        for _ in range(3):
            open_cell(SITE)()
        news._wait()
        return names

    yield recipe
    news.listeners.clear()
    reset()


@pytest.fixture
def datagrams(monkeypatch):
    """A UDP socket, and what arrives at it."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as listener:
        listener.bind(("127.0.0.1", 0))
        listener.settimeout(10)
        port = str(listener.getsockname()[1])
        for name in ("STATSD_PORT", "DD_DOGSTATSD_PORT"):
            monkeypatch.setenv(name, port)

        def received(many):
            return [line for _ in range(many) for line in listener.recv(65536).decode().splitlines()]

        yield received


def test_structured_logs(recipe):
    names = recipe("to_logs.py")
    log = logging.getLogger("legacy")
    stream = io.StringIO()
    try:
        log.handlers[0].setStream(stream)
        open_cell(Site("old.util:Money", "call", "orders/cart.py", 13, "total", "orders.cart"))()
        news._wait()
    finally:
        log.removeHandler(names["handler"])
    (line,) = stream.getvalue().splitlines()
    assert json.loads(line) == {
        "message": "new legacy call site",
        "level": "WARNING",
        "move": "old.util:Money",
        "kind": "call",
        "file": "orders/cart.py",
        "line": 13,
        "function": "total",
    }


def test_sentry(recipe):
    needs("sentry_sdk")
    import sentry_sdk
    from sentry_sdk.transport import Transport

    events = []

    class Kept(Transport):
        def capture_envelope(self, envelope):
            events.extend(item.payload.json for item in envelope.items if item.type == "event")

    with sentry_sdk.isolation_scope():
        sentry_sdk.init("http://key@127.0.0.1:9/1", transport=Kept, default_integrations=False)
        try:
            recipe("to_sentry.py")
        finally:
            sentry_sdk.get_client().close()
            sentry_sdk.get_global_scope().set_client(None)
    (event,) = events
    assert event["message"] == "New legacy use of old.util:Money in orders/cart.py"
    assert event["fingerprint"] == ["legacy", "old.util:Money", "orders/cart.py", "total"]
    assert event["contexts"]["legacy"]["line"] == 12
    assert event["level"] == "warning"


def test_statsd(recipe, datagrams):
    needs("statsd")
    names = recipe("to_statsd.py")
    assert datagrams(1) == ["legacy.new_sites.old.util.Money:1|c"]
    names["client"].close()


def test_datadog(recipe, datagrams):
    needs("datadog")
    names = recipe("to_datadog.py")
    try:
        count, event = datagrams(2)
    finally:
        names["client"].stop()
    assert count.startswith("legacy.new_sites:1|c|#legacy_move:old.util:Money,legacy_caller:orders")
    assert "|old.util:Money at orders/cart.py:12|" in event


def test_opentelemetry_by_otlp_over_http(recipe, monkeypatch):
    """Against an endpoint that speaks OTLP over HTTP and decodes it with the protocol's own messages."""
    needs("opentelemetry")
    pytest.importorskip("opentelemetry.exporter.otlp.proto.http", reason="needs the OTLP exporter")
    from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest

    got = []

    class Endpoint(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if self.headers.get("Content-Encoding") == "gzip":
                import gzip

                body = gzip.decompress(body)
            got.append((self.path, ExportMetricsServiceRequest.FromString(body)))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_):
            pass

    with HTTPServer(("127.0.0.1", 0), Endpoint) as server:
        serving = threading.Thread(target=server.serve_forever, args=(0.05,))
        serving.start()
        try:
            monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://127.0.0.1:{server.server_port}")
            names = recipe("to_otel.py")
            assert names["provider"].force_flush()
            names["provider"].shutdown()
        finally:
            server.shutdown()
            serving.join()
    path, request = got[0]
    assert path == "/v1/metrics"
    (metric,) = request.resource_metrics[0].scope_metrics[0].metrics
    (point,) = metric.sum.data_points
    assert (metric.name, point.as_int) == ("legacy.new_sites", 1)
    assert {each.key: each.value.string_value for each in point.attributes}["legacy.move"] == "old.util:Money"
