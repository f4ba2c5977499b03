from __future__ import annotations

import json
import shutil
import subprocess
import time
from importlib.resources import files
from pathlib import Path
from typing import NamedTuple

import pytest

from compat.telemetry.history.database import open_history
from compat.telemetry.record import counters
from compat.telemetry.record.sites import Site

pytest.importorskip("prometheus_client", reason="needs the extra: prometheus")

from prometheus_client import CollectorRegistry, generate_latest

from compat.telemetry.export.prometheus import collector

DATA = files("compat.telemetry") / "data"
TODAY = 20_000
NOON = (TODAY + 0.5) * 86400.0


class Facts(NamedTuple):
    since: str
    removal: str
    stage: str


MOVES = {"old.a": Facts("1.0", "3.0", "expired")}
LABELS = 'caller="app",environment="production",kind="call",ledger="netra",move="{}",removal="{}",service="{}",since="{}"'


def lines(**options: object) -> list[str]:
    registry = CollectorRegistry()
    registry.register(collector(MOVES, ledger="netra", **options))
    return [line for line in generate_latest(registry).decode().splitlines() if not line.startswith("#")]


@pytest.fixture
def promtool(in_ci):
    found = shutil.which("promtool")
    if found is None:
        if in_ci:
            pytest.fail("promtool is not installed: apt-get install prometheus")
        pytest.skip("promtool is not installed: apt-get install prometheus")
    return found


def test_the_collector_exports_what_the_directory_has_counted(directory, write_segment, site):
    write_segment({site(1): 3, site(2): 4, site(1, "old.b"): 5})
    write_segment({site(1): 2}, service="api")
    with_all = lines(directory=directory, service=None)
    assert f"compat_legacy_uses_total{{{LABELS.format('old.a', '3.0', 'chat', '1.0')}}} 7.0" in with_all
    assert f"compat_legacy_uses_total{{{LABELS.format('old.a', '3.0', 'api', '1.0')}}} 2.0" in with_all
    assert f"compat_legacy_uses_total{{{LABELS.format('old.b', '', 'chat', '')}}} 5.0" in with_all
    last = f"compat_legacy_last_use_timestamp_seconds{{{LABELS.format('old.a', '3.0', 'api', '1.0')}}} {NOON!r}"
    assert last.replace("1728043200.0", "1.7280432e+09") in with_all
    assert 'compat_observed_processes{environment="production",service="chat"} 1.0' in with_all
    assert 'compat_observed_seconds{environment="production",service="api"} 61.0' in with_all
    assert 'compat_legacy_move_info{move="old.a",removal="3.0",since="1.0",stage="expired"} 1.0' in with_all
    of_api = [line for line in lines(directory=directory, service="api") if line.startswith("compat_legacy_uses_total")]
    assert of_api == [f"compat_legacy_uses_total{{{LABELS.format('old.a', '3.0', 'api', '1.0')}}} 2.0"]


def test_a_vacuum_does_not_make_the_counter_fall(directory, write_segment, site):
    write_segment({site(1): 3})
    counter = f"compat_legacy_uses_total{{{LABELS.format('old.a', '3.0', 'chat', '1.0')}}} 3.0"
    assert counter in lines(directory=directory, service="chat")
    with open_history(directory, readonly=False) as history:
        assert history.vacuum(1) > 0
    assert counter in lines(directory=directory, service="chat")


def test_in_memory_mode_the_collector_exports_this_process(monkeypatch, site):
    monkeypatch.setenv("COMPAT_TELEMETRY", "memory")
    monkeypatch.setenv("COMPAT_SERVICE", "chat")
    monkeypatch.setenv("COMPAT_ENVIRONMENT", "production")
    counters.reset()
    for line in (1, 2, 2):
        counters.open_cell(site(line))()
    try:
        assert f"compat_legacy_uses_total{{{LABELS.format('old.a', '3.0', 'chat', '1.0')}}} 3.0" in lines()
    finally:
        counters.reset()


def test_opentelemetry_reads_the_same_numbers_when_it_exports(directory, write_segment, site):
    pytest.importorskip("opentelemetry.sdk.metrics", reason="needs the extra: otel")
    from opentelemetry.sdk.metrics import MeterProvider
    from opentelemetry.sdk.metrics.export import InMemoryMetricReader

    from compat.telemetry.export.otel import observe

    reader = InMemoryMetricReader()
    provider = MeterProvider([reader])
    observe(provider.get_meter("test"), MOVES, ledger="netra", directory=directory, service="chat")
    write_segment({site(1): 3, site(2): 4})
    (metrics,) = (scope.metrics for part in reader.get_metrics_data().resource_metrics for scope in part.scope_metrics)
    provider.shutdown()
    found = {metric.name: metric for metric in metrics}
    assert sorted(found) == ["compat_legacy_last_use_timestamp", "compat_legacy_uses", "compat_observed_processes"]
    uses = found["compat_legacy_uses"]
    (point,) = uses.data.data_points
    assert (uses.unit, uses.data.is_monotonic, point.value) == ("{use}", True, 7)
    assert dict(point.attributes) == {
        "ledger": "netra",
        "move": "old.a",
        "kind": "call",
        "caller": "app",
        "service": "chat",
        "environment": "production",
        "since": "1.0",
        "removal": "3.0",
    }


@pytest.mark.once
def test_the_alert_rules_are_valid_and_fire_when_they_should(promtool, tmp_path):
    rules = tmp_path / "alerts.yml"
    rules.write_bytes((DATA / "alerts.yml").read_bytes())
    checked = subprocess.run([promtool, "check", "rules", str(rules)], capture_output=True, text=True)
    assert (checked.returncode, "7 rules found" in checked.stdout) == (0, True), checked.stdout + checked.stderr
    use = (
        'compat_legacy_uses_total{{ledger="n",move="{}",kind="call",caller="{}",service="s",since="1",removal="3",'
        'job="j",instance="{}"}}'
    )
    series = [
        (use.format("old.a", "app", "one"), "5+0x2000 6+1x900"),
        (use.format("old.a", "app", "two"), "5+0x2000 6+1x900"),  # shares the store: counted once
        (use.format("old.b", "app", "one"), "7+0x2900"),
        (use.format("old.b", "late", "one"), "_x2500 1+0x400"),
        ('compat_history_info{job="j",instance="one",store="x"}', "1+0x2900"),
        ('compat_history_info{job="j",instance="two",store="x"}', "1+0x2900"),
        ('compat_legacy_move_info{move="old.a",stage="expired",since="1",removal="3",job="j",instance="one"}', "1+0x2900"),
        ('compat_legacy_move_info{move="old.b",stage="deprecated",job="j",instance="one"}', "1+0x2900"),
    ]
    expired = {
        "exp_labels": {
            "severity": "critical",
            "move": "old.a",
            "caller": "app",
            "service": "s",
            "environment": "production",
            "removal": "3",
        },
        "exp_annotations": {
            "summary": "old.a is past its removal version 3 and still used",
            "description": "app in s used it 100 times within a day. 'compat report --match old.a' names the lines.",
        },
    }
    new = {
        "exp_labels": {"severity": "warning", "move": "old.b", "caller": "late"},
        "exp_annotations": {
            "summary": "late has begun to use old.b",
            "description": "It did not a day ago. 1 uses so far: 'compat report --by file --match old.b'.",
        },
    }
    alerts = [
        {"eval_time": "2000m", "alertname": "CompatExpiredMoveUsed", "exp_alerts": []},
        {"eval_time": "2100m", "alertname": "CompatExpiredMoveUsed", "exp_alerts": [expired]},
        {"eval_time": "2400m", "alertname": "CompatNewCaller", "exp_alerts": []},
        {"eval_time": "2600m", "alertname": "CompatNewCaller", "exp_alerts": [new]},
        {"eval_time": "2600m", "alertname": "CompatExporterSilent", "exp_alerts": []},
    ]
    test = {
        "rule_files": [str(rules)],
        "evaluation_interval": "1m",
        "tests": [
            {
                "interval": "1m",
                "input_series": [{"series": name, "values": values} for name, values in series],
                "alert_rule_test": alerts,
            }
        ],
    }
    (tmp_path / "test.yml").write_text(json.dumps(test))  # JSON is YAML
    tested = subprocess.run([promtool, "test", "rules", str(tmp_path / "test.yml")], capture_output=True, text=True)
    assert tested.returncode == 0, tested.stdout + tested.stderr


@pytest.fixture
def check_rules(promtool, tmp_path):
    """Run the shipped rules over series of a value per minute, and compare what they record at some moments."""

    def check(series, expected):
        rules = tmp_path / "alerts.yml"
        rules.write_bytes((DATA / "alerts.yml").read_bytes())
        tests = {
            "interval": "1m",
            "input_series": [{"series": name, "values": values} for name, values in series],
            "promql_expr_test": [
                {
                    "expr": expression,
                    "eval_time": moment,
                    "exp_samples": [{"labels": f'{{move="{move}"}}', "value": value} for move, value in values.items()],
                }
                for expression, moment, values in expected
            ],
        }
        (tmp_path / "test.yml").write_text(
            json.dumps({"rule_files": [str(rules)], "evaluation_interval": "1m", "tests": [tests]})  # JSON is YAML
        )
        tested = subprocess.run([promtool, "test", "rules", str(tmp_path / "test.yml")], capture_output=True, text=True)
        assert tested.returncode == 0, tested.stdout + tested.stderr

    return check


def pod(name, store, values, move="old.a"):
    """The two series of a pod with a store of its own."""
    labels = f'ledger="n",move="{move}",kind="call",caller="app",service="s",since="1",removal="3"'
    there = values.replace("+", "x").split()
    told = " ".join("_" + part[1:] if part.startswith("_") else "1+0x" + part.split("x")[-1] for part in there)
    return [
        (f'compat_legacy_uses_total{{{labels},job="j",instance="{name}"}}', values),
        (f'compat_history_info{{job="j",instance="{name}",store="{store}"}}', told),
    ]


DAY_OF = "sum by (move) (compat:legacy_uses:day)"


@pytest.mark.once
def test_uses_are_not_lost_when_a_pod_is_replaced_by_one_with_an_empty_store(check_rules):
    # The first has counted 1,000 long ago, and goes; the second counts 552 in its place.
    series = [*pod("one", "x", "1000+0x2000 _x1000"), *pod("two", "y", "_x2001 0+2x276 552+0x700")]
    check_rules(
        series,
        [
            (DAY_OF, "2000m", {"old.a": 0}),
            (DAY_OF, "2150m", {"old.a": 2 * 149}),
            (DAY_OF, "2900m", {"old.a": 552}),
            ("sum by (move) (compat:legacy_uses:total)", "2900m", {"old.a": 1552}),
        ],
    )


@pytest.mark.once
def test_uses_of_a_pod_that_has_gone_since_are_uses_of_the_day(check_rules):
    series = [*pod("one", "x", "10+0x1500 11+1x99 _x1400"), *pod("two", "y", "_x1601 0+0x1400")]
    check_rules(series, [(DAY_OF, "2000m", {"old.a": 100}), (DAY_OF, "2990m", {"old.a": 50})])


@pytest.mark.once
def test_a_process_that_restarts_on_the_same_store_counts_on(check_rules):
    series = [*pod("one", "x", "10+0x1500 _x60 13+0x900")]
    check_rules(series, [(DAY_OF, "1550m", {"old.a": 0}), (DAY_OF, "2000m", {"old.a": 3})])


@pytest.mark.once
def test_a_pause_of_the_scraping_a_day_ago_makes_no_uses(check_rules):
    series = [*pod("one", "x", "10+0x500 _x30 10+0x2000")]
    check_rules(series, [(DAY_OF, "1955m", {"old.a": 0})])


@pytest.mark.once
def test_another_promise_of_the_ledger_and_an_exporter_of_a_later_version_make_no_uses(check_rules):
    use = 'compat_legacy_uses_total{%sledger="n",move="old.a",kind="call",caller="app",service="s",since="1",removal="%s"'
    use += ',job="j",instance="one"}'
    series = [
        (use % ("", "3"), "1000+0x2000 _x900"),
        (use % ('environment="production",', "3"), "_x2001 1000+0x300 _x600"),
        (use % ('environment="production",', "4"), "_x2302 1000+1x590"),
        ('compat_history_info{job="j",instance="one",store="x"}', "1+0x2900"),
    ]
    check_rules(series, [(DAY_OF, "2000m", {"old.a": 0}), (DAY_OF, "2300m", {"old.a": 0}), (DAY_OF, "2890m", {"old.a": 588})])


@pytest.mark.once
def test_uses_in_tests_alert_nobody_and_files_that_cannot_be_read_do(promtool, tmp_path):
    rules = tmp_path / "alerts.yml"
    rules.write_bytes((DATA / "alerts.yml").read_bytes())
    use = (
        'compat_legacy_uses_total{ledger="n",move="old.a",kind="call",caller="app",service="s",environment="test",since="1",'
        'removal="3",job="j",instance="one"}'
    )
    unread = {
        "exp_labels": {"severity": "warning", "job": "j", "instance": "one"},
        "exp_annotations": {
            "summary": "2 files of one could not be read: no zero proves anything",
            "description": "'compat report' there names them; 'compat vacuum --damaged' clears what is settled.",
        },
    }
    series = [
        (use, "0+1x2000"),
        ('compat_history_info{job="j",instance="one",store="x"}', "1+0x2000"),
        ('compat_legacy_move_info{move="old.a",stage="expired",since="1",removal="3",job="j",instance="one"}', "1+0x2000"),
        ('compat_unread_files{job="j",instance="one"}', "0+0x100 2+0x1900"),
    ]
    alerts = [
        {"eval_time": "1900m", "alertname": "CompatExpiredMoveUsed", "exp_alerts": []},
        {"eval_time": "1900m", "alertname": "CompatNewCaller", "exp_alerts": []},
        {"eval_time": "90m", "alertname": "CompatUnreadFiles", "exp_alerts": []},
        {"eval_time": "200m", "alertname": "CompatUnreadFiles", "exp_alerts": [unread]},
    ]
    test = {"interval": "1m", "input_series": [{"series": name, "values": values} for name, values in series]}
    test["alert_rule_test"] = alerts
    whole = {"rule_files": [str(rules)], "evaluation_interval": "1m", "tests": [test]}
    (tmp_path / "test.yml").write_text(json.dumps(whole))
    tested = subprocess.run([promtool, "test", "rules", str(tmp_path / "test.yml")], capture_output=True, text=True)
    assert tested.returncode == 0, tested.stdout + tested.stderr


def test_the_series_are_bounded_and_none_falls(directory, write_segment, site):
    def told() -> dict[str, float]:
        found = (line.rpartition(" ") for line in lines(directory=directory, service=None, limit=3))
        return {name: float(value) for name, _, value in found if name.startswith("compat_legacy_uses_total")}

    before: dict[str, float] = {}
    for number in range(12):
        uses = {site(1, f"old.{number // 4}", f"app{each}.x"): 1 + each for each in range(number + 1)}
        write_segment(uses)
        after = told()
        assert all(after[name] >= value for name, value in before.items())
        before = after
    assert len(before) <= 2 * 3 + 1
    assert sum(before.values()) == sum((number + 1) * (number + 2) // 2 for number in range(12))
    assert any('caller="(others)"' in name for name in before)


def test_the_filled_collector_knows_the_ledgers_and_the_verdicts(directory, write_segment, site):
    from compat.ledger import Ledger, Name
    from compat.metrics import collector as filled

    ledger = Ledger("shop", version="3.1", docs="MIGRATION.md")
    ledger += [Name("old.x:A", "new:A", since="1.0", removal="3.0", instead=None)]
    ledger += [Name("old.x:B", "new:B", since="2.0", removal="4.0", instead=None)]
    now = time.time()
    write_segment({site(1, "old.x:A.method"): 3}, now=now)
    registry = CollectorRegistry()
    registry.register(filled([ledger], directory=directory, service=None))
    found = generate_latest(registry).decode().splitlines()
    labels = LABELS.format("old.x:A.method", "3.0", "chat", "1.0").replace("netra", "shop")
    assert f"compat_legacy_uses_total{{{labels}}} 3.0" in found
    assert 'compat_legacy_move_info{move="old.x:A.method",removal="3.0",since="1.0",stage="expired"} 1.0' in found
    verdicts = {line for line in found if line.startswith("compat_legacy_verdict")}
    assert verdicts == {
        'compat_legacy_verdict{move="old.x:A",verdict="in use"} 1.0',
        'compat_legacy_verdict{move="old.x:B",verdict="unproven"} 1.0',
    }


PROJECTS = {
    "a project that uses one": ("[project]\nname = 'mine'\ndependencies = ['oldshop']\n", {"shop"}),
    "a project that names one": ("[project]\nname = 'mine'\n[tool.compat]\nledgers = ['oldshop:LEDGER']\n", {"shop"}),
    "a project that uses none": ("[project]\nname = 'mine'\n", {"shipped"}),
}


@pytest.mark.parametrize("text, judged", PROJECTS.values(), ids=PROJECTS)
def test_ledgers_that_others_brought_have_a_verdict_where_they_are_used_alone(
    directory, write_segment, site, tmp_path, monkeypatch, text, judged
):
    from compat.metrics import collector as filled

    for name, old in (("oldshop", "shop"), ("oldstock", "stock")):
        info = tmp_path / f"{name}-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Name: {name}\n")
        (info / "INSTALLER").write_text("pip\n")
        (info / "entry_points.txt").write_text(f"[compat.ledgers]\n{name} = {name}:LEDGER\n")
        rows = [f"Name('{old}:{one}', 'new:{one}', since='1.0', removal='3.0', instead=None)" for one in "AB"]
        code = f"from compat import Ledger, Name\nLEDGER = Ledger({old!r}, version='2.0') + [{', '.join(rows)}]\n"
        (tmp_path / f"{name}.py").write_text(code)
    (tmp_path / "pyproject.toml").write_text(text)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    write_segment({site(1, "stock:A"): 3}, now=time.time())
    registry = CollectorRegistry()
    registry.register(filled(directory=directory, service=None))
    told = [line for line in generate_latest(registry).decode().splitlines() if line.startswith("compat_legacy_verdict{")]
    moves = {line.partition('move="')[2].partition('"')[0] for line in told}
    assert "stock:A" in moves and "stock:B" not in moves
    assert {"shop:A", "shop:B"} & moves == ({"shop:A", "shop:B"} if "shop" in judged else set())
    assert (len(moves) > 3) == ("shipped" in judged)


@pytest.mark.once
def test_the_queries_of_the_dashboard_are_valid(promtool, tmp_path):
    board = json.loads((DATA / "dashboard.json").read_text())
    panels = board["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels) == 10
    queries = [target["expr"] for panel in panels for target in panel["targets"]]
    variables = {variable["name"] for variable in board["templating"]["list"]}
    assert variables == {"datasource", "move", "service", "caller"}
    rules = [{"record": f"query:{number}", "expr": query.replace("$", "")} for number, query in enumerate(queries)]
    (tmp_path / "queries.yml").write_text(json.dumps({"groups": [{"name": "queries", "rules": rules}]}))
    checked = subprocess.run([promtool, "check", "rules", str(tmp_path / "queries.yml")], capture_output=True, text=True)
    assert (checked.returncode, "10 rules found" in checked.stdout) == (0, True), checked.stdout + checked.stderr


def test_a_caller_is_a_top_level_module():
    from compat.telemetry.export.series import caller_of

    assert caller_of(Site("m", "call", "f", 1, "g", "app.api.users")) == "app"


def test_a_history_that_cannot_be_read_does_not_make_the_counter_fall(directory, write_segment, site, tmp_path):
    registry = CollectorRegistry()
    registry.register(collector(MOVES, ledger="netra", directory=directory, service="chat"))
    assert b"compat_legacy_uses_total{" not in generate_latest(registry)
    write_segment({site(1): 3})
    before = generate_latest(registry)
    counter = f"compat_legacy_uses_total{{{LABELS.format('old.a', '3.0', 'chat', '1.0')}}} 3.0"
    assert counter in before.decode().splitlines()
    database = Path(directory, "usage.db")
    kept = database.read_bytes()
    database.write_bytes(b"no database, though its name says so" * 100)
    assert generate_latest(registry) == before
    database.write_bytes(kept)
    write_segment({site(1): 4})
    assert counter.replace("3.0", "7.0").replace('"7.0"', '"3.0"') in generate_latest(registry).decode().splitlines()
