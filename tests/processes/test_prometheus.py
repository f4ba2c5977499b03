"""A real Prometheus server scrapes real processes, one of which is killed and restarts; read back, it tells the truth."""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
from collections.abc import Callable
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest

from compat.telemetry.history.database import HistoryError
from compat.telemetry.history.evidence import quiet_since, read_evidence
from compat.telemetry.history.queries import Selection, Usage
from compat.telemetry.read.fleet import read_prometheus
from compat.telemetry.read.merge import collect

pytest.importorskip("prometheus_client", reason="needs the extra: prometheus")

APPLICATION = """
import sys
from prometheus_client import CollectorRegistry, start_http_server
from compat.telemetry.record.counters import open_cell
from compat.telemetry.export.prometheus import collector
from compat.telemetry.record.sites import Site

registry = CollectorRegistry()
registry.register(collector(ledger="netra"))
start_http_server(int(sys.argv[1]), "127.0.0.1", registry)
print("ready", flush=True)
for order in sys.stdin:
    move, module, times = order.split()
    cell = open_cell(Site(move, "call", "app.py", 3, "run", module))
    for _ in range(int(times)):
        cell()
    print("counted", flush=True)
"""
CONFIGURATION = """
global: {{scrape_interval: 1s, scrape_timeout: 1s}}
scrape_configs:
  - job_name: fleet
    static_configs: [{{targets: [{targets}]}}]
"""


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def until(holds: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + 240
    while not holds():
        assert time.monotonic() < deadline, f"not within four minutes: {what}"
        time.sleep(0.1)


@pytest.fixture
def server(tmp_path, in_ci):
    program = shutil.which("prometheus")
    if program is None:
        if in_ci:
            pytest.fail("prometheus is not installed: apt-get install prometheus")
        pytest.skip("prometheus is not installed: apt-get install prometheus")
    running = []

    def start(targets: list[int]) -> str:
        port = free_port()
        names = ", ".join(f"'127.0.0.1:{target}'" for target in targets)
        (tmp_path / "prometheus.yml").write_text(CONFIGURATION.format(targets=names))
        command = [program, f"--config.file={tmp_path / 'prometheus.yml'}", f"--storage.tsdb.path={tmp_path / 'tsdb'}"]
        with (tmp_path / "prometheus.log").open("wb") as log:
            running.append(subprocess.Popen([*command, f"--web.listen-address=127.0.0.1:{port}"], stdout=log, stderr=log))

        def ready() -> bool:
            try:
                with urlopen(f"http://127.0.0.1:{port}/-/ready", timeout=5):
                    return True
            except HTTPError as error:
                error.close()  # an answer, too
                return False
            except OSError:
                return False

        until(ready, "the server is ready")
        return f"http://127.0.0.1:{port}"

    yield start
    for process in running:
        process.kill()
        process.wait()


class Application:
    """One counting process that is scraped."""

    def __init__(self, state, service: str, port: int, directory: str) -> None:
        self._process = state.start(APPLICATION, str(port), COMPAT_SERVICE=service, COMPAT_DIR=directory)
        assert self._process.stdout.readline() == b"ready\n"

    def count(self, move: str, module: str, times: int) -> None:
        self._process.stdin.write(f"{move} {module} {times}\n".encode())
        self._process.stdin.flush()
        assert self._process.stdout.readline() == b"counted\n"

    def kill(self) -> None:
        self._process.kill()
        self._process.communicate()


def told(url: str) -> dict[tuple[str, str, str], int]:
    with read_prometheus(url) as history:
        rows = history.connection.execute(
            "SELECT move, caller, service, sum(count) FROM groups JOIN daily ON grp = id GROUP BY 1, 2, 3"
        )
        return {row[:3]: row[3] for row in rows}


def scraped(url: str) -> int:
    with read_prometheus(url) as history:
        return int(history.connection.execute("SELECT count(*) FROM processes").fetchone()[0])


@pytest.mark.slow
def test_a_fleet_is_read_back_as_it_counted(state, server, tmp_path):
    ports = [free_port() for _ in range(3)]
    places = [str(tmp_path / "one"), str(tmp_path / "two"), str(tmp_path / "two")]
    url = server(ports)
    applications = [
        Application(state, service, port, place) for service, port, place in zip(["api", "worker", "worker"], ports, places)
    ]
    api, worker, twin = applications
    try:
        api.count("old.a", "shop.views", 5)
        worker.count("old.a", "jobs.mail", 7)
        worker.count("old.b", "jobs.mail", 2)
        twin.count("old.a", "jobs.mail", 10)  # the same service in the same directory: both tell the same sum
        truth = {("old.a", "shop", "api"): 5, ("old.a", "jobs", "worker"): 17, ("old.b", "jobs", "worker"): 2}
        until(lambda: told(url) == truth, "the first counts are scraped")
        worker.count("old.a", "jobs.mail", 100)
        worker.kill()  # perhaps before any scrape: the next process of the directory tells what it counted
        applications[1] = worker = Application(state, "worker", ports[1], places[1])
        worker.count("old.a", "jobs.mail", 1)
        api.count("old.c", "shop.forms", 4)
        truth[("old.a", "jobs", "worker")] += 101
        truth[("old.c", "shop", "api")] = 4
        until(lambda: told(url) == truth, "the counts after the restart are scraped")
        # One of a directory tells what all of it counted: the other may be scraped later.
        until(lambda: scraped(url) >= 3, "every target is scraped")
        with read_prometheus(url) as history:
            run = history.connection.execute
            today = int(time.time() // 86400)
            assert {day for (day,) in run("SELECT day FROM uses")} <= {today, today - 1}
            assert run("SELECT max(uses) FROM processes").fetchone() == (0,)
            assert run("SELECT min(last > ?) FROM uses", (time.time() - 300,)).fetchone() == (1,)
        with collect([f"prometheus:{url}", places[0]]) as history:
            assert history.problems == []
            assert history.connection.execute("SELECT sum(count) FROM uses").fetchone() == (sum(truth.values()),)
    finally:
        for application in applications:
            application.kill()


def test_the_days_are_read_back_from_a_server_that_was_there(server, tmp_path):
    promtool = shutil.which("promtool")
    assert promtool is not None, "promtool comes with prometheus"
    day = 86400
    first = int(time.time()) // day * day - 3 * day
    use = 'compat_legacy_uses_total{ledger="n",move="old.a",kind="call",caller="app",service="s",job="j",instance="%s"} %d %d'
    info = 'compat_history_info{store="%s",job="j",instance="%s"} 1 %d'
    # "one" begins anew on the second day; "two" and "three" share a store, and "three" is scraped a little later.
    hours = {"one": {1: 3, 23: 10, 26: 10, 36: 25, 44: 4, 53: 9}, "two": {30: 100, 50: 200}, "three": {31: 110, 51: 220}}
    stores = {"one": "x", "two": "y", "three": "y"}
    at = [(name, first + hour * 3600 + 17, value) for name, values in hours.items() for hour, value in values.items()]
    text = ["# TYPE compat_legacy_uses counter", *(use % (name, value, moment) for name, moment, value in at)]
    text += ["# TYPE compat_history info", *(info % (stores[name], name, moment) for name, moment, _ in at), "# EOF", ""]
    (tmp_path / "days.txt").write_text("\n".join(text))
    command = [promtool, "tsdb", "create-blocks-from", "openmetrics", str(tmp_path / "days.txt"), str(tmp_path / "tsdb")]
    made = subprocess.run(command, capture_output=True, text=True)
    assert made.returncode == 0, made.stdout + made.stderr
    with read_prometheus(server([])) as history:
        run = history.connection.execute
        rows = run("SELECT day, count FROM uses ORDER BY day").fetchall()
        start = first // day
        assert rows == [(start, 10), (start + 1, 15 + 4 + 110), (start + 2, 5 + 110)]
        # A sample is fresh for five minutes: what lies between two was not observed.
        seen = run("SELECT host, service, sum(ended - started) FROM processes GROUP BY 1, 2 ORDER BY 1").fetchall()
        assert seen == [(name, "s", 300.0 * len(hours[name])) for name in ("one", "three", "two")]
        days = run("SELECT DISTINCT CAST(started / 86400 AS INTEGER) FROM processes WHERE host = 'one' ORDER BY 1").fetchall()
        assert days == [(start,), (start + 1,), (start + 2,)]


def test_what_was_observed_is_the_sum_of_what_was_scraped_and_grew(server, tmp_path):
    day = 86400
    now = int(time.time()) // 300 * 300
    # Two hours of scraping ten days ago, and two hours until now, of an exporter that tells of two services, one of them over.
    moments = [*range(now - 10 * day, now - 10 * day + 7201, 60), *range(now - 7200, now + 1, 60)]
    since = moments[0]
    seconds = 'compat_observed_seconds{service="%s",job="j",instance="one"} %d %d'
    text = ["# TYPE compat_history info", *(f'compat_history_info{{store="x",job="j",instance="one"}} 1 {at}' for at in moments)]
    text += ["# TYPE compat_observed_seconds gauge"]
    text += [seconds % ("alive", at - since, at) for at in moments]
    text += [seconds % ("over", 9000, at) for at in moments]
    (tmp_path / "days.txt").write_text("\n".join([*text, "# EOF", ""]))
    command = ["promtool", "tsdb", "create-blocks-from", "openmetrics", str(tmp_path / "days.txt"), str(tmp_path / "tsdb")]
    made = subprocess.run(command, capture_output=True, text=True)
    assert made.returncode == 0, made.stdout + made.stderr
    with read_prometheus(server([]), now=now + 1) as history:
        rows = history.connection.execute("SELECT service, sum(ended - started) FROM processes GROUP BY 1").fetchall()
        assert [service for service, _ in rows] == ["alive"]
        assert 2 * 7200 - 600 <= rows[0][1] <= 2 * 7200 + 1200
        today = now // day
        observed = Usage(history.connection).observed(Selection(today - 40, today))
        assert (observed.processes, round(observed.hours)) == (1, 4)
        known = read_evidence(history.connection, Selection(today - 29, today))
        assert quiet_since(today - 30, known.days).days <= 4


def test_what_is_no_prometheus_is_named(tmp_path):
    url = f"http://127.0.0.1:{free_port()}"
    with pytest.raises(HistoryError, match=f"the Prometheus server {url} did not answer as one: .*refused"):
        read_prometheus(url)
    with pytest.raises(HistoryError, match="'ftp://x' is no address of a Prometheus server: write prometheus:http://host:9090"):
        read_prometheus("ftp://x")
    with collect([f"prometheus:{url}"]) as history:
        assert len(history.problems) == 1
