"""Notebooks: findings at their places in the file, rewrites of cells alone, and one sentence for what is broken."""

from __future__ import annotations

import json

import pytest

from compat.analysis import fixer, scan
from compat.analysis.reading.notebooks import Notebook, NotebookError

OUTPUT = '"outputs": [\n    {"name": "stdout", "output_type": "stream", "text": ["from shop_old.things import Widget\\n"]}\n   ]'


def cell(source: str, kind: str = "code") -> str:
    more = f',\n   "execution_count": 7,   "metadata": {{"tags": []}},\n   {OUTPUT}' if kind == "code" else ""
    return f'  {{\n   "cell_type": "{kind}",\n   "source": {source}{more}\n  }}'


def listed(*lines: str) -> str:
    return "[\n" + ",\n".join(f"    {json.dumps(line)}" for line in lines) + "\n   ]"


def notebook(*cells: str, language: str = "python", end: str = "\n") -> str:
    head = f' "metadata": {{"kernelspec": {{"language": "{language}"}}, "source": ["x"]}},\n "nbformat": 4, "nbformat_minor":5'
    return '{\n "cells": [\n' + ",\n".join(cells) + "\n ],\n" + head + "\n}" + end


@pytest.fixture
def path(tmp_path):
    return tmp_path / "tree" / "a.ipynb"


def write(path, text: str) -> str:
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(text.encode())
    return text


OLD = "from shop_old.things import Widget, MAX\n"
NEW = "from shop.core import Widget, LIMIT\n"


@pytest.mark.parametrize(
    "before, after",
    [
        (listed(OLD, "print(Widget)"), listed(NEW, "print(Widget)")),
        (listed(OLD), listed(NEW)),
        (json.dumps(OLD + "x = 'ü'\n"), json.dumps(NEW + "x = 'ü'\n")),
        ('["' + OLD[:-1] + '"]', '["' + NEW[:-1] + '"]'),
        (
            listed("%matplotlib inline\n", "!pip install shop_old\n", OLD, "Widget?"),
            listed("%matplotlib inline\n", "!pip install shop_old\n", NEW, "Widget?"),
        ),
        (listed("%%time\n", OLD), listed("%%time\n", NEW)),
        (listed("%time " + OLD, "print(MAX)"), listed("%time " + NEW, "print(LIMIT)")),
        (
            listed("from shop_old.things import MAX\n", "%timeit -n 10 -r3 str(MAX)  # so\n", "%memit MAX"),
            listed("from shop.core import LIMIT\n", "%timeit -n 10 -r3 str(LIMIT)  # so\n", "%memit LIMIT"),
        ),
        (
            listed("%%timeit -q import shop_old.whole\n", "shop_old.whole.VALUE"),
            listed("%%timeit -q import shop.whole\n", "shop.whole.VALUE"),
        ),
        (
            listed("if 1:\n", "    import shop_old.whole as w\n", "    w.VALUE"),
            listed("if 1:\n", "    import shop.whole as w\n", "    w.VALUE"),
        ),
        (listed("import os\n", "import shop_old.whole\n", "files = !ls\n", "shop_old.whole.VALUE"), None),
    ],
)
def test_cells_are_rewritten_and_nothing_else(ledger, path, before, after):
    text = write(
        path, notebook(cell(listed("# shop_old.things\n"), "markdown"), cell(before), cell(listed("y = 'é \U0001f600'")))
    )
    fixer.fix([str(path.parent)], ledger, write=True, verify=True)
    made = path.read_text(encoding="utf-8")
    json.loads(made)
    if after is not None:
        assert made == text.replace(before, after)
    else:
        assert '"files = !ls\\n"' in made and '"import os\\n"' in made and "shop_old.whole.VALUE" not in made
    assert not fixer.fix([str(path.parent)], ledger, write=True).written
    assert scan([str(path.parent)], ledger).findings == []


@pytest.mark.parametrize(
    "text",
    [
        notebook(cell(listed(OLD), "markdown"), cell(listed(OLD), "raw")),
        notebook(cell(listed("%%bash\n", "python -c 'import shop_old.whole'\n"))),
        notebook(cell(listed("!python -c 'import shop_old.whole'\n", "%run shop_old.whole\n"))),
        notebook(cell(listed("%time from shop_old.things\n", "%cd shop_old.things\n", "%env x=shop_old.whole\n"))),
        notebook(cell(listed("import shop.whole\n"))),
        notebook(cell("[]")),
        notebook(cell(listed("import(shop_old.whole)\n")), language="R"),
        notebook(cell(listed("import shop_old.whole  # compat: allow[module]\n"))),
        notebook(),
    ],
)
def test_what_is_no_python_is_left(ledger, path, text):
    write(path, text)
    assert scan([str(path.parent)], ledger).findings == []
    assert fixer.fix([str(path.parent)], ledger, write=True).written == []
    assert path.read_text(encoding="utf-8") == text


def test_imports_are_not_moved_between_cells(ledger, path):
    first, second = (
        listed("import os\n", "from shop.core import Widget"),
        listed("import sys\n", "from shop_old.things import MAX\n"),
    )
    text = write(path, notebook(cell(first), cell(second)))
    fixer.fix([str(path)], ledger, write=True)
    assert path.read_text() == text.replace("from shop_old.things import MAX", "from shop.core import LIMIT as MAX").replace(
        "LIMIT as MAX", "LIMIT"
    )


def test_findings_stand_at_their_places_in_the_file(ledger, path):
    text = write(
        path, notebook(cell(listed("x = 1\n")), cell(listed("%time 1\n", "s = '\U0001f600\\t'; import shop_old.whole\n")))
    )
    (finding,) = scan([str(path.parent)], ledger).findings
    assert text.encode()[slice(*finding.span)] == b"shop_old.whole"
    line = text.split("\n")[finding.line - 1]
    assert line[finding.column - 1 : finding.end_column - 1] == "shop_old.whole"
    assert finding.message.endswith("(cell 2, line 2)")
    write(path, notebook(cell(json.dumps("LAZY = 'shop_old.things:Widget'"))))
    result = fixer.fix([str(path.parent)], ledger)
    (skip,) = result.skips
    assert skip.reason == "a string whose use is not known (cell 1, line 1)"
    (made,) = result.suggestions(scan([str(path.parent)], ledger).findings).values()
    assert made.degree == "likely"


@pytest.mark.parametrize(
    "text, words",
    [
        ('{"cells": [shop_old.whole', ": line 1 column 12"),
        ('{"worksheets": ["import shop_old.whole"]}', "it has no list of cells"),
        ('["import shop_old.whole"]', "it has no list of cells"),
        ('{"cells": null, "x": "import shop_old.whole"}', "it has no list of cells"),
        ('{"cells": [{"source": "import shop_old.whole"}]}', "its cell 1 has no cell_type"),
        ('{"cells": [{"cell_type": "code", "source": "import shop_old.whole"}, 7]}', "its cell 2 has no cell_type"),
        ('{"cells": [], "x": "import shop_old.whole \udcff"}', "not valid utf-8"),
    ],
)
def test_a_broken_notebook_is_one_sentence_and_nothing_is_written(ledger, path, text, words):
    path.parent.mkdir()
    path.write_bytes(text.encode("utf-8", "surrogateescape"))
    (path.parent / "a.py").write_text(OLD)
    for run in (scan, fixer.fix):
        with pytest.raises(NotebookError, match="a.ipynb is not a notebook") as raised:
            run([str(path.parent)], ledger, **({"write": True} if run is fixer.fix else {}))
        assert words in str(raised.value)
    assert (path.parent / "a.py").read_text() == OLD


@pytest.mark.parametrize("metadata", ["null", "[]", '{"kernelspec": null}', '{"kernelspec": {"language": null}}'])
def test_a_notebook_that_does_not_say_its_language_is_pythons(ledger, path, metadata):
    write(path, f'{{"cells": [{cell(listed(OLD))}], "metadata": {metadata}}}')
    assert scan([str(path.parent)], ledger).findings


def test_the_commands_take_notebooks(run):
    (run.tree / "app.py").unlink()
    (run.tree / "n.ipynb").write_text(notebook(cell(listed("from demo_old.things import Widget\n"))))
    assert run("scan").stdout.startswith("n.ipynb:")
    assert run("fix", "--write").returncode == 0
    assert run("scan", "--no-cache").returncode == 0
    (run.tree / "n.ipynb").write_text('{"x": "import demo_old.whole"}')
    for command in ("scan", "fix"):
        done = run(command)
        assert (done.returncode, done.stderr.count("\n")) == (2, 1)
        assert "n.ipynb is not a notebook: it has no list of cells, as format 4 has; mend it, or exclude it" in done.stderr


def test_cells_come_back_as_they_were():
    text = notebook(cell(listed("a = 1\n", "%x\n", "b")), cell(json.dumps("c\n\n")), cell('[ "d\\n" ]'), cell("[]"))
    made = Notebook("n.ipynb", text.encode())
    assert made.rewritten(made.program) == text.encode()
    assert made.rewritten("") is None


def test_a_statement_behind_a_magic_is_found_where_it_stands(ledger, path):
    text = write(path, notebook(cell(listed("x = 1\n", "if x:\n", "    %time y = 'é'; import shop_old.whole\n"))))
    result = fixer.fix([str(path.parent)], ledger)
    (finding,) = scan([str(path.parent)], ledger).findings
    assert text.encode()[slice(*finding.span)] == b"shop_old.whole"
    assert text.split("\n")[finding.line - 1][finding.column - 1 :].startswith("shop_old.whole")
    (made,) = result.suggestions([finding]).values()
    assert made.degree == "certain"
    ((number, edit),) = made.cells
    line = "    %time y = 'é'; import shop_old.whole"
    assert (number, edit.line, line[edit.column - 1 : edit.end_column - 1], edit.text) == (1, 3, "_old", "")
    (edit,) = made.replacements
    assert text.encode()[slice(*edit.span)] == b"_old"
