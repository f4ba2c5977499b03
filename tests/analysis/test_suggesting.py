"""Each finding with the edit that removes it alone: degrees, spans, JSON and SARIF."""

from __future__ import annotations

import ast
import io
import json

import pytest

from compat.analysis import fixer, output, scan
from compat.analysis.scanning.scanner import scan_one

HEAD = "from shop.core import Widget, create\n"
TEXTS = [
    "from shop_old.things import Widget, MAX\nimport shop_old.whole as w\nw.VALUE\nLAZY = 'shop_old.things:Widget'\n",
    "import shop_old.things\nx = '\u00fc', shop_old.things.create(1, verbose=True), shop_old.things.MAX\n",
    f"{HEAD}x = '\U0001f600'; Widget().rotate()\nWidget().rotate\ncreate(old=1); create(1, verbose=2)\n",
    f"{HEAD}from unittest import mock\nWidget().rotate()\nmock.patch.object(Widget, 'rotate')\n",
    "def f():\r\n    from shop_old.things import (\r\n        Widget,\r\n        elsewhere,\r\n    )\r\n    return Widget\r\n",
    "from shop_old.engines import Engine\ne = Engine()\ne.begin()\ne.warm_up()\n",
    "# -*- coding: latin-1 -*-\nfrom shop_old.things import MAX, gone\nprint('\u00e4', MAX)\n",
    '"""Doc.\n\n>>> from shop_old.things import Widget\n>>> Widget\n"""\n',
    "from shop_old.things import gone\nx = ['shop_old.things:gone', sys.modules['shop_old.whole']]\n",
]


def encoded(text: str) -> bytes:
    return text.encode("latin-1" if "latin-1" in text else "utf-8")


def applied(text: str, replacements) -> str:
    """The text with each replacement made by its lines and columns, as an editor does."""
    starts = [0]
    for line in text.splitlines(keepends=True):
        starts.append(starts[-1] + len(line))
    for edit in sorted(replacements, reverse=True):
        start, end = starts[edit.line - 1] + edit.column - 1, starts[edit.end_line - 1] + edit.end_column - 1
        text = text[:start] + edit.text + text[end:]
    return text


@pytest.mark.parametrize("text", TEXTS)
def test_each_edit_alone_removes_its_finding_and_no_other(ledger, tmp_path, text):
    path = tmp_path / "m.py"
    path.write_bytes(encoded(text))
    findings = scan([str(path)], ledger).findings
    result = fixer.fix([str(path)], ledger)
    made = result.suggestions(findings)
    assert list(made) == findings != []
    for finding, suggestion in made.items():
        assert bool(suggestion.replacements) == (suggestion.degree != "shown")
        assert bool(suggestion.reason) == (suggestion.degree != "certain"), finding
        if not suggestion.replacements:
            continue
        after = applied(text, suggestion.replacements)
        ast.parse(after)
        data = text.encode()
        for edit in sorted(suggestion.replacements, reverse=True):
            data = data[: edit.span[0]] + edit.text.encode() + data[edit.span[1] :]
        assert data.decode() == after
        symbols = [item.symbol for item in findings]
        left = [item.symbol for item in scan_one("m.py", encoded(after), ledger).findings]
        assert left.count(finding.symbol) < symbols.count(finding.symbol)
        assert len(left) < len(symbols) and all(left.count(one) <= symbols.count(one) for one in left)
    certain = [finding for finding, suggestion in made.items() if suggestion.degree == "certain"]
    assert bool(certain) == any(outcome.status == "fixed" for outcome in result.outcomes)


def notebook(sources: list[str]) -> str:
    lines = [source.splitlines(keepends=True) if index % 2 else source for index, source in enumerate(sources)]
    cells = [{"cell_type": "code", "metadata": {}, "outputs": [], "source": source} for source in lines]
    return json.dumps({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}, indent=1, ensure_ascii=False)


@pytest.mark.parametrize("text", [text for text in TEXTS if "latin-1" not in text and "\r" not in text])
def test_each_edit_in_a_notebook_alone_removes_its_finding_by_file_and_by_cell(ledger, tmp_path, text):
    path = tmp_path / "n.ipynb"
    sources = ["%matplotlib inline\nx = '\u00fc\t\\\\'; !ls\n", text, f"%%time\n{text}", "", "print(1)"]
    path.write_text(notebook(sources), encoding="utf-8")
    findings = scan([str(path)], ledger).findings
    made = fixer.fix([str(path)], ledger).suggestions(findings)
    assert {suggestion.degree for suggestion in made.values()} <= {"certain", "likely", "shown"} and findings
    for finding, suggestion in made.items():
        assert bool(suggestion.replacements) == bool(suggestion.cells) == (suggestion.degree != "shown")
        if suggestion.degree == "shown":
            continue
        after = applied(path.read_text(encoding="utf-8"), suggestion.replacements)
        cells = {number: sources[number - 1] for number, _edit in suggestion.cells}
        for number, source in cells.items():
            cells[number] = applied(source, [edit for cell, edit in suggestion.cells if cell == number])
        expected = [cells.get(number, source) for number, source in enumerate(sources, 1)]
        assert ["".join(cell["source"]) for cell in json.loads(after)["cells"]] == expected
        (tmp_path / "after.ipynb").write_text(after, encoding="utf-8")
        left = [item.symbol for item in scan([str(tmp_path / "after.ipynb")], ledger).findings]
        symbols = [item.symbol for item in findings]
        assert left.count(finding.symbol) < symbols.count(finding.symbol) and len(left) < len(symbols)


def test_json_says_the_cells_of_a_notebook(ledger, tmp_path):
    (tmp_path / "n.ipynb").write_text(notebook(["x = 1\n", TEXTS[0]]))
    data = rendered("json", report(ledger, tmp_path / "n.ipynb"))
    (first, *_others) = data["findings"][0]["cells"]
    assert set(first) == {"cell", "line", "column", "end_line", "end_column", "span", "text"}
    assert (first["cell"], first["line"], data["degrees"]) == (2, 1, {"certain": 4, "likely": 1})


def test_degrees_agree_with_what_fix_does(ledger, tmp_path):
    """What is certain is gone after fix, what is likely after --unsafe; what is only shown stays."""
    for index, text in enumerate(TEXTS):
        (tmp_path / f"m{index}.py").write_bytes(encoded(text))
    tree = [str(tmp_path)]
    findings = scan(tree, ledger).findings
    made = fixer.fix(tree, ledger).suggestions(findings)
    for unsafe, gone in ((False, {"certain"}), (True, {"certain", "likely"})):
        fixer.fix(tree, ledger, write=True, unsafe=unsafe)
        left = sorted((item.path, item.symbol) for item in scan(tree, ledger).findings)
        assert left == sorted((item.path, item.symbol) for item in findings if made[item].degree not in gone)


def report(ledger, path):
    findings = scan([str(path)], ledger).findings
    made = output.Report(findings, files=1, version="1")
    made.suggestions = fixer.fix([str(path)], ledger).suggestions(findings)
    return made


def rendered(name, made):
    stream = io.StringIO()
    output.write(name, made, stream)
    return json.loads(stream.getvalue())


def test_json_has_the_edits(ledger, tmp_path):
    (tmp_path / "m.py").write_text(TEXTS[0])
    data = rendered("json", report(ledger, tmp_path / "m.py"))
    assert data["degrees"] == {"certain": 4, "likely": 1}
    widget = data["findings"][0]
    assert (widget["symbol"], widget["degree"], widget["reason"]) == ("shop_old.things:Widget", "certain", "")
    assert all(set(edit) == {"line", "column", "end_line", "end_column", "span", "text"} for edit in widget["edits"])
    assert data["findings"][-1]["reason"] == "a string whose use is not known"


def test_sarif_has_the_edits_and_is_valid(ledger, tmp_path, monkeypatch, sarif_schema):
    import jsonschema

    monkeypatch.chdir(tmp_path)
    for text in TEXTS:
        (tmp_path / "m.py").write_bytes(encoded(text))
        made = report(ledger, "m.py")
        data = rendered("sarif", made)
        jsonschema.validate(data, sarif_schema)
        for finding, result in zip(made.findings, data["runs"][0]["results"]):
            suggestion = made.suggestions[finding]
            assert result["properties"]["degree"] == suggestion.degree
            fixes = result.get("fixes", [])
            assert len(fixes) == bool(suggestion.replacements)
            for change in (change for fix in fixes for change in fix["artifactChanges"]):
                assert change["artifactLocation"]["uri"] == "m.py"
                texts = [edit.text for edit in suggestion.replacements]
                assert [one["insertedContent"]["text"] for one in change["replacements"]] == texts


def test_the_command_writes_them(run):
    done = run("fix", "--format", "json")
    (finding,) = json.loads(done.stdout)["findings"]
    assert (done.returncode, finding["degree"], finding["edits"][0]["text"]) == (1, "certain", ".core")
    assert json.loads(run("fix", "--format", "sarif", "--ignore", "name").stdout)["runs"][0]["results"] == []
    assert run("fix", "--format", "sarif", "--write").returncode == 2
