"""Formats, baselines, compliance, explain, export, guide: exact words and exact numbers."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

from compat.analysis import config, output, scan
from compat.analysis.config import Settings
from compat.analysis.debt import baseline, compliance
from compat.analysis.documents import linter_export
from compat.analysis.documents.explain import UnknownName, explain
from compat.netra import as_reported

TEXT = "from shop_old.things import Widget, MAX\nimport shop_old.whole as w\nw.VALUE\nLAZY = 'shop_old.things:Widget'\n"


@pytest.fixture
def tree(tmp_path, monkeypatch):
    folder = tmp_path / "tree"
    folder.mkdir()
    (folder / "app.py").write_text(TEXT)
    (folder / "setup.cfg").write_text("[x]\nrun = shop_old.things:create\n")
    (folder / "clean.py").write_text("x = 1\n")
    monkeypatch.chdir(folder)
    return folder


def rendered(name, findings, **more):
    stream = io.StringIO()
    output.write(name, output.Report(findings, files=3, seconds=0.5, version="1.0.0", **more), stream)
    return stream.getvalue()


def test_text(ledger, tree):
    findings = scan(["."], ledger).findings
    lines = rendered("text", findings).splitlines()
    assert lines[0] == (
        "app.py:1:29: name: Importing Widget from 'shop_old.things' is deprecated since shop 1.0 and will be removed in 3.0. "
        "Use canonical path 'from shop.core import Widget' instead. See MIGRATION.md."
    )
    assert lines[-4:-1] == ["", "Low confidence: paths that stand in text (1)", lines[-2]]
    assert lines[-2].startswith("setup.cfg:2:7: name: ")
    assert lines[-1] == "6 findings in 2 files (3 files, 0.50 s)."
    assert rendered("text", []) == "No findings (3 files, 0.50 s).\n"


def test_statistics(ledger, tree):
    lines = rendered("text", scan(["."], ledger).findings, statistics=True).splitlines()
    assert lines[:3] == ["  count  rule", "      5  name", "      1  module"]
    assert "      2  shop_old.things:Widget" in lines


def test_json(ledger, tree):
    findings = scan(["."], ledger).findings
    data = json.loads(rendered("json", findings))
    assert data["format_version"] == 1
    assert data["counts"] == {"module": 1, "name": 5}
    first = data["findings"][0]
    assert {key: first[key] for key in ("rule", "move", "how", "path", "line", "column", "end_column", "confidence")} == {
        "rule": "name",
        "move": "shop_old.things:Widget",
        "how": "import",
        "path": "app.py",
        "line": 1,
        "column": 29,
        "end_column": 35,
        "confidence": "high",
    }
    assert TEXT.encode()[slice(*first["span"])] == b"Widget"


def test_sarif_shape(ledger, tree):
    findings = scan(["."], ledger).findings
    data = json.loads(rendered("sarif", findings))
    run = data["runs"][0]
    assert data["version"] == "2.1.0"
    assert [rule["id"] for rule in run["tool"]["driver"]["rules"]][:3] == ["module", "name", "class"]
    for result, finding in zip(run["results"], findings):
        assert run["tool"]["driver"]["rules"][result["ruleIndex"]]["id"] == result["ruleId"] == finding.rule
        place = result["locations"][0]["physicalLocation"]
        assert place["artifactLocation"] == {"uri": finding.path, "uriBaseId": "SRCROOT"}
        assert place["region"]["startLine"] == finding.line
    assert len({result["partialFingerprints"]["compat/v1"] for result in run["results"]}) == len(findings)
    assert {result["level"] for result in run["results"]} == {"error", "warning", "note"}


def test_sarif_is_valid_by_the_official_schema(ledger, tree, sarif_schema):
    """Findings of every kind, also odd ones, and none; what breaks the schema is refused."""
    schema = sarif_schema
    import jsonschema

    (tree / "b r\u00f6ken.py").write_bytes(b"import shop_old.whole\nprint 'x'  # compat: allow[nothing]\n\xff")
    (tree / "old.py").write_text("import shop_old.whole\nprint 'x'\n")
    (tree / "wide.py").write_text("x = '\U0001f600'; import shop_old.whole  # compat: allow[argument] \x07\n")
    (tree / "policy.py").write_text(
        "from shop.core import Engine, Widget\nfrom shop_old.things import Widget as W\nE = Engine()\n"
    )
    findings = scan([".", "../tree/app.py"], ledger, policy=True).findings
    kinds = {"unparsable", "name", "module", "factory-bypass", "singleton", "fragmentation", "unused-allowance"}
    assert kinds <= {finding.rule for finding in findings}
    for some in (findings, []):
        data = json.loads(rendered("sarif", some))
        assert data["$schema"] == schema["id"]
        jsonschema.validate(data, schema)
    data["runs"][0]["tool"]["driver"]["colour"] = "red"
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(data, schema)


def test_github(ledger, tree):
    lines = rendered("github", scan(["."], ledger).findings).splitlines()
    assert lines[0].startswith("::error file=app.py,line=1,endLine=1,col=29,endColumn=35,title=name::Importing Widget from ")
    assert [line.partition(" ")[0] for line in lines[:-1]].count("::notice") == 1


def test_gitlab(ledger, tree):
    issues = json.loads(rendered("gitlab", scan(["."], ledger).findings))
    assert issues[0]["location"] == {"path": "app.py", "lines": {"begin": 1, "end": 1}}
    assert [issue["severity"] for issue in issues] == ["major", "major", "major", "major", "minor", "info"]
    assert len({issue["fingerprint"] for issue in issues}) == 6


def test_gitlab_reads_every_issue(ledger, tree):
    """What GitLab documents as required of an issue: its keys, severities, a path from the repository's root without ``./``."""
    (tree / "sub").mkdir()
    (tree / "sub" / "deep.py").write_text("import shop_old.whole\n")
    issues = json.loads(rendered("gitlab", scan(["./app.py", "sub", "./setup.cfg"], ledger).findings))
    assert {issue["location"]["path"] for issue in issues} == {"app.py", "sub/deep.py", "setup.cfg"}
    for issue in issues:
        assert set(issue) == {"description", "check_name", "fingerprint", "severity", "location"}
        assert issue["severity"] in ("info", "minor", "major", "critical", "blocker")
        assert all(isinstance(issue[key], str) and issue[key] for key in ("description", "check_name", "fingerprint"))
        assert issue["location"]["lines"]["begin"] >= 1
    assert json.loads(rendered("gitlab", [])) == []


def test_junit(ledger, tree):
    suite = ElementTree.fromstring(rendered("junit", scan(["."], ledger).findings).encode())[0]
    assert suite.attrib == {"name": "compat scan", "tests": "6", "failures": "6", "errors": "0"}
    assert suite[0].attrib == {"classname": "app.py", "name": "name at app.py:1:29"}
    clean = ElementTree.fromstring(rendered("junit", []).encode())[0]
    assert (clean.attrib["tests"], clean.attrib["failures"], len(clean)) == ("1", "0", 1)


def test_junit_holds_only_what_its_readers_know(ledger, tree):
    """Elements and attributes of the schema that Jenkins publishes; counts that agree; no character that XML forbids."""
    known = {
        "testsuites": set(),
        "testsuite": {"name", "tests", "failures", "errors"},
        "testcase": {"classname", "name"},
        "failure": {"type", "message"},
    }
    (tree / "odd.py").write_text("x = '\x07<&>'; import shop_old.whole; y = '\ufffe]]>'\n", encoding="utf-8")
    for some in (scan(["."], ledger).findings, []):
        root = ElementTree.fromstring(rendered("junit", some).encode())
        assert all(set(node.attrib) == known[node.tag] for node in root.iter())
        suite = root[0]
        assert int(suite.attrib["tests"]) == len(suite)
        assert int(suite.attrib["failures"]) == len(list(root.iter("failure"))) == len(some)
        assert len({(case.attrib["classname"], case.attrib["name"]) for case in suite}) == len(suite)


def test_unknown_format():
    with pytest.raises(ValueError, match="no format 'xml'; there are text, json, sarif, github, gitlab, junit"):
        rendered("xml", [])


def test_baseline_is_stable_under_line_moves_and_only_shrinks(ledger, tree):
    path = str(tree / "compat-baseline.json")
    known = baseline.Baseline(path)
    first = known.compare(scan(["."], ledger).findings)
    assert len(first.new) == 6
    known.update(first)
    assert not known.entries
    known.update(first, accept_new=True)
    known.save()

    (tree / "app.py").write_text("# moved down\n\n\n" + TEXT)
    again = baseline.Baseline.load(path).compare(scan(["."], ledger).findings)
    assert (len(again.new), len(again.known), sum(again.paid.values())) == (0, 6, 0)

    (tree / "app.py").write_text(TEXT + "from shop_old.things import Widget as Again\n")
    more = baseline.Baseline.load(path).compare(scan(["."], ledger).findings)
    assert [finding.line for finding in more.new] == [5]

    (tree / "app.py").write_text(TEXT.replace("w.VALUE\n", ""))
    less = baseline.Baseline.load(path)
    comparison = less.compare(scan(["."], ledger).findings)
    assert [key.label for key in comparison.paid] == ["app.py: name shop_old.whole:VALUE"]
    less.update(comparison)
    less.save()
    assert sum(baseline.Baseline.load(path).entries.values()) == 5


def test_an_edited_line_is_the_same_debt_as_long_as_there_is_no_more_of_it(ledger, tree):
    """What counts is the number per file and move."""
    path = str(tree / "debt.json")
    app = tree / "app.py"
    app.write_text("import shop_old.things as t\nx = t.MAX + t.MAX + t.MAX + t.MAX\nt.Widget\n")
    known = baseline.Baseline(path)
    known.update(known.compare(scan(["app.py"], ledger).findings), accept_new=True)
    known.save()

    def compare(text):
        app.write_text(text)
        made = baseline.Baseline.load(path)
        return made, made.compare(scan(["app.py"], ledger).findings)

    fewer = "import shop_old.things as t\nx = t.MAX + t.MAX + t.MAX\nt.Widget\n"
    made, shrunk = compare(fewer)
    assert (shrunk.new, len(shrunk.known), sum(shrunk.paid.values())) == ([], 5, 1)
    made.update(shrunk)
    made.save()
    again = compare(fewer)[1]
    assert (again.new, again.edited, sum(again.paid.values())) == ([], [], 0)
    more = compare("import shop_old.things as t\nx = t.MAX + t.MAX\ny = t.MAX\nz = t.MAX\nt.Widget\n")[1]
    assert [finding.line for finding in more.new] == [4]
    other = compare("import shop_old.things as t\nx = t.MAX + t.MAX\nt.Widget, t.Widget\n")[1]
    assert [(finding.line, finding.symbol) for finding in other.new] == [(3, "shop_old.things:Widget")]


@pytest.mark.parametrize("name", ["compat-baseline.json", ".compat-baseline.json", "debt.json"])
def test_a_baseline_is_no_place_of_use(ledger, tree, name):
    before = scan(["."], ledger).findings
    known = baseline.Baseline(str(tree / name))
    known.update(known.compare(before), accept_new=True)
    known.save()
    assert scan(["."], ledger).findings == before
    (tree / "other.json").write_text('{"entries": {"x": "shop_old.things:Widget"}}')
    assert len(scan(["."], ledger).findings) == len(before) + 1


def test_baseline_speaks_only_of_files_that_were_scanned(ledger, tree):
    path = str(tree / "compat-baseline.json")
    known = baseline.Baseline(path)
    result = scan(["."], ledger)
    known.update(known.compare(result.findings), accept_new=True)
    part = scan(["clean.py"], ledger)
    assert not known.compare(part.findings, part.paths).paid
    os.unlink(tree / "setup.cfg")
    assert [key.path for key in known.compare(part.findings, part.paths).paid] == ["setup.cfg"]


def test_two_equal_uses_are_two_debts(ledger, tree):
    (tree / "app.py").write_text("def f():\n    import shop_old.whole\ndef g():\n    import shop_old.whole\n")
    known = baseline.Baseline(str(tree / "b.json"))
    known.update(known.compare(scan(["app.py"], ledger).findings), accept_new=True)
    assert list(known.entries.values()) == [2]
    assert len(set(baseline.fingerprints(scan(["app.py"], ledger).findings))) == 2


@pytest.mark.parametrize(
    "text, words",
    [
        ("nonsense", "cannot be read"),
        ("{}", "is not of format 1; make it anew with --update-baseline --accept-new"),
        ('{"format_version": 1, "entries": {"a": [1]}}', "is damaged"),
        (None, "does not exist; make it with --update-baseline --accept-new"),
    ],
)
def test_baselines_that_cannot_be_used(tmp_path, text, words):
    path = tmp_path / "b.json"
    if text is not None:
        path.write_text(text)
    with pytest.raises(baseline.BaselineError, match=words):
        baseline.Baseline.load(str(path))


def test_compliance(ledger, tmp_path):
    pytest.importorskip("pathspec")
    files = {
        "app/good.py": "from shop.core import Widget, get_engine\n",
        "app/bad.py": "from shop_old.things import Widget\n",
        "app/direct.py": "from shop.core import Engine\ndef f():\n    return Engine(1)\n",
        "tests/test_good.py": "x = 1\n",
        "tests/test_bad.py": "import shop_old.whole, shop_old.vanished\n",
        "notes.toml": "x = 'shop_old.things.create'\n",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    made = compliance.measure([str(tmp_path)], ledger)
    assert made.text().splitlines()[:7] == [
        "Compliance Score: 40.0%",
        "Real System: 33.3% compliant (3 files)",
        "Test Files: 50.0% compliant (2 files)",
        "",
        "Deprecated imports: 3",
        "Import paths: 2 for 1 symbols with more than one",
        "Non-factory creations: 1",
    ]
    assert made.import_paths == {"shop.core.Widget": ["shop.core.Widget", "shop_old.things.Widget"]}
    assert made.as_dict()["real_system"] == {"files": 3, "compliant": 1, "score": 33.3}
    own = compliance.measure([str(tmp_path)], ledger, settings=Settings(test_files=("app/", "*_spec.py")))
    assert own.tests.files == 3
    told = "Files that match the patterns of tool.compat.test-files: app/, *_spec.py."
    assert own.as_dict()["legend"] == {**compliance.LEGEND, "test files": told}
    assert f"  test files: {told}" in own.text().splitlines()


def test_a_score_is_100_only_when_nothing_is_left():
    assert compliance._percent(compliance.Part(10000, 9999)) == "99.9"
    assert compliance._percent(compliance.Part(10000, 10000)) == "100.0"
    assert compliance._percent(compliance.Part()) == "100.0"


#: Module strings that the reports counted, and how often each is imported: websocket and manager in all of these.
IMPORTED = {
    "netra_backend.app.websocket_core.websocket_manager": 571,
    "netra_backend.app.websocket_core.websocket_manager_factory": 158,
    "netra_backend.app.websocket_core.unified_manager": 92,
    "netra_backend.app.websocket_core.manager": 42,
    "test_framework.ssot.real_websocket_connection_manager": 14,
    "netra_backend.app.websocket_core.connection_manager": 6,
    "netra_backend.app.websocket_core.token_lifecycle_manager": 6,
    "netra_backend.app.services.websocket_manager": 4,
    "test_framework.fixtures.websocket_manager_mock": 4,
    "netra_backend.app.websocket_core.graceful_degradation_manager": 2,
    "netra_backend.app.websocket_core.reconnection_manager": 1,
    "netra_backend.app.websockets.websocket_manager": 1,
    "netra_backend.app.websocket.connection_manager": 1,
    "netra_backend.app.websocket_manager": 1,
    "netra_backend.app.services.websocket.quality_manager": 1,
    "test_framework.real_websocket_manager": 1,
    "tests.e2e.agent_startup_websocket_manager": 1,
    "netra_backend.app.services.websocket.websocket_manager": 1,
}
#: Module strings that count as deprecated beside the 42 of the manager.
DEPRECATED = {
    "netra_backend.app.websocket_core.auth": 22,
    "netra_backend.app.websocket_core.auth_permissiveness": 7,
    "netra_backend.app.websocket_core.auth_remediation": 4,
    "netra_backend.app.core.websocket_cors": 3,
}
#: 43 calls of plain names that contain both words: 30 of them contain neither factory nor create.
CALLS = {
    "WebSocketManager": 9,
    "UnifiedWebSocketManager": 12,
    "get_websocket_manager": 6,
    "validate_websocket_manager_ssot": 3,
    "create_websocket_manager": 8,
    "WebSocketManagerFactory": 5,
}


def spread(root, folders, lines):
    """Write lines into files of several folders, in turn: at module level, in functions, in ``try``."""
    shapes = ("{}\n", "def f():\n    {}\n", "try:\n    {}\nexcept ImportError:\n    pass\n")
    for number, line in enumerate(lines):
        folder = root / folders[number % len(folders)]
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"m{number}.py").write_text(shapes[number % len(shapes)].format(line))


def test_as_reported_gives_the_reported_figures(tmp_path):
    """78, 18 and 30, on a tree of the reported make-up, among much that does not count."""
    imports = [
        f"import {module}" if count % 5 == 3 else f"from {module} import Some, Other as O"
        for module, times in {**IMPORTED, **DEPRECATED}.items()
        for count in range(times)
    ]
    spread(tmp_path, ["netra_backend/app/a", "tests/unit", "test_framework/helpers", "netra_backend/app/routes"], imports)
    calls = [f"{name}(ctx)" for name, times in CALLS.items() for _ in range(times)]
    creators = ["netra_backend/app/websocket_core", "netra_backend/app/routes", "netra_backend/app/core", "test_framework/ssot"]
    spread(tmp_path, [f"{folder}/calls" for folder in creators], calls)
    assert (sum(CALLS.values()), len(IMPORTED)) == (43, 18)
    spread(tmp_path, ["scripts", "auth_service/tests"], imports[:50] + calls)
    spread(tmp_path, ["tests/calls", "netra_backend/app/services"], calls)
    no_uses = [
        "module.WebSocketManager(ctx)",
        "WebSocketManager",
        "'from netra_backend.app.websocket_core.manager import x'",
        "from netra_backend.app import websocket_core",
        "from netra_backend.app.websocket_core.types import manager",
    ]
    spread(tmp_path, ["netra_backend/app/core/other"], no_uses)
    (tmp_path / "tests" / "test_old.py").write_text("print 'x'\n")
    made = as_reported.measure(str(tmp_path))
    assert (made.deprecated_imports, len(made.import_paths), made.non_factory_patterns) == (78, 18, 30)
    assert made.import_paths == sorted(IMPORTED)
    assert made.unparsable == ["tests/test_old.py"]
    assert made.text().splitlines()[:3] == ["Deprecated imports: 78", "Import paths: 18", "Non-factory patterns: 30"]
    assert made.as_dict()["legend"] == as_reported.LEGEND


def test_explain(ledger, tree):
    told = explain(ledger, "shop_old.things.MAX", scan(["."], ledger).findings)
    assert told.stage == "deprecated"
    assert told.before == "from shop_old.things import MAX\n"
    assert told.after == "from shop.core import LIMIT\n"
    assert [(use.path, use.line) for use in told.uses] == [("app.py", 1)]
    assert explain(ledger, "shop_old.engines:Engine").after == "from shop.core import get_engine\n\nthing = get_engine()\n"
    told = explain(ledger, "shop_old.hubs:Hub")
    assert told.before.endswith("thing = Hub(context)\n"), "its factory builds one for each user's context"
    assert told.after == "from shop.core import get_engine\n\nthing = get_engine(context)\n"
    assert explain(ledger, "shop_old.whole.thing").row.canonical == "shop.whole:thing"
    with pytest.raises(
        UnknownName, match=r"ledger 'shop' has no row for 'shop_old.things.Wigdet'\. Did you mean shop_old.things.Widget"
    ):
        explain(ledger, "shop_old.things.Wigdet")


def test_export_is_understood_by_ruff(ledger, tree):
    ruff = Path(sys.executable).with_name("ruff")
    if not ruff.exists():
        pytest.skip("ruff is not installed beside this Python")
    table = linter_export.ruff(ledger)
    (tree / "ruff.toml").write_text(table)
    (tree / "app.py").write_text(
        "from shop_old.things import Widget\nfrom shop_old.engines import Engine\nfrom shop.core import create\n"
    )
    done = subprocess.run(
        [ruff, "check", "--no-cache", "--select", "TID251", "--output-format", "concise", "app.py"],
        capture_output=True,
        text=True,
    )
    assert [line.split(" ", 1)[1] for line in done.stdout.splitlines()[:2]] == [
        "TID251 `shop_old.things.Widget` is banned: Use canonical path 'from shop.core import Widget' instead.",
        "TID251 `shop_old.engines.Engine` is banned: Use canonical path 'from shop.core import Engine' instead.",
    ]


def test_settings(tmp_path):
    path = tmp_path / "pyproject.toml"
    path.write_text(
        '[tool.compat]\nexclude = ["x/"]\nfix-skip = ["t/"]\nrules = true\nledgers = ["a:B"]\n'
        '[tool.compat.factories]\n"a:B" = "a:c"\n'
    )
    (tmp_path / "deep" / "er").mkdir(parents=True)
    (tmp_path / "deep" / "pyproject.toml").write_text("[tool.other]\n")
    settings = config.load(str(tmp_path / "deep" / "er"))
    assert (settings.exclude, settings.fix_skip, settings.rules, settings.factories) == (("x/",), ("t/",), True, {"a:B": "a:c"})
    assert settings.root == str(tmp_path)


@pytest.mark.parametrize(
    "text, words",
    [
        ('exclude = "x"', r"\[tool.compat\] exclude must be a list of patterns such as \[.*, not 'x'"),
        ("rules = 1", r"\[tool.compat\] rules must be true or false, not 1"),
        ('factories = {a = "b"}', r"\[tool.compat\] factories must be a table of classes and factories"),
        ("exclude = [", "cannot be read"),
        (
            'exclud = ["x"]',
            r"\[tool.compat\] has no 'exclud'; write 'exclude' \(it takes ledgers, exclude, fix-skip, per-file-ignores, test-files, factories, rules, baseline",
        ),
    ],
)
def test_settings_that_cannot_be_used(tmp_path, text, words):
    path = tmp_path / "pyproject.toml"
    path.write_text(f"[tool.compat]\n{text}\n")
    with pytest.raises(config.ConfigError, match=words):
        config.load(str(tmp_path))
