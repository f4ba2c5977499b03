"""Edits are certain, likely or shown only, and a run may be about some rows: what is rewritten, what is left, and why."""

from __future__ import annotations

import json

import pytest

from compat.analysis import fixer, scan
from compat.analysis.config import Settings
from compat.analysis.rewriting.options import LIKELY, SHOWN
from compat.errors import CompatError

LAZY = "LAZY = 'shop_old.things:Widget'\n"
TEXT = "from shop_old.things import Widget, MAX\nimport shop_old.whole as w\nw.VALUE\n"


def fixed(ledger, text, **options):
    return fixer.fix_given("module.py", text.encode(), ledger, **options).outcomes[0]


@pytest.mark.parametrize(
    "text, after",
    [
        (LAZY, "LAZY = 'shop.core:Widget'\n"),
        ("F = {'a': 'shop_old.things.create'}\n", "F = {'a': 'shop.core.create'}\n"),
        ("load('shop_old.whole')\n", "load('shop.whole')\n"),
    ],
)
def test_a_string_that_names_what_moved_is_likely(ledger, text, after):
    left = fixed(ledger, text)
    assert (left.status, [(skip.degree, skip.reason) for skip in left.skips]) == (
        "skipped",
        [(LIKELY, "a string whose use is not known")],
    )
    made = fixed(ledger, text, unsafe=True)
    assert (made.after.decode(), made.skips, [skip.degree for skip in made.taken]) == (after, (), [LIKELY])
    assert fixed(ledger, after, unsafe=True).status == "unchanged"


@pytest.mark.parametrize(
    "text",
    [
        "LAZY = 'shop_old.things:gone'\n",
        "sys.modules['shop_old.whole']\n",
        "LAZY = 'shop_old.whole.deep.thing.more'\n",
        "from shop.core import Widget\nclass W(Widget):\n    def rotate(self): ...\n    def spin(self): ...\n",
        "LAZY = 'shop_old.things:' 'Widget'\n",
        "LAZY = 'shop_old.things:Widget'  # compat: allow[name]\n",
        "LAZY = 'shop_older.things:Widget'\n",
        "text = 'see shop_old.things:Widget there'\n",
    ],
)
def test_unsafe_does_not_touch_what_is_only_shown(ledger, text):
    made = fixed(ledger, text, unsafe=True)
    assert made.after == text.encode()
    assert all(skip.degree == SHOWN for skip in made.skips)


@pytest.mark.parametrize(
    "select, ignore, after",
    [
        (["shop_old.things:Widget"], [], "from shop_old.things import MAX\nfrom shop.core import Widget\n@"),
        (["shop_old.things.MAX"], ["module"], None),
        (["shop_old.things:*"], [], "from shop.core import Widget, LIMIT\n@"),
        (["module"], [], "from shop_old.things import Widget, MAX\nimport shop.whole as w\nw.VALUE\n"),
        ([], ["name"], "from shop_old.things import Widget, MAX\nimport shop.whole as w\nw.VALUE\n"),
        (["shop_old.*"], ["shop_old.whole"], "from shop.core import Widget, LIMIT\n@"),
        (["argument"], [], TEXT),
        ([], ["shop_old.*"], TEXT),
        (["method", "removed"], [], TEXT),
    ],
)
def test_a_run_is_about_the_selected_rows(ledger, select, ignore, after):
    made = fixed(ledger, TEXT, select=select, ignore=ignore)
    text = made.after.decode()
    assert made.skips == () and made.status in ("fixed", "unchanged")
    if after is not None:
        assert sorted(text.split("\n")) == sorted(after.replace("@", "import shop_old.whole as w\nw.VALUE\n").split("\n"))
    assert ("import shop.whole" in text) == ("import shop.whole" in (after or ""))
    assert fixed(ledger, text, select=select, ignore=ignore).after == made.after


def test_a_selector_that_means_nothing_is_an_error(ledger):
    with pytest.raises(CompatError, match="no rule and no row is 'shop_old.thing'"):
        fixed(ledger, TEXT, select=["shop_old.thing"])


def test_a_method_that_is_not_selected_keeps_its_patches(ledger):
    text = "from shop.core import Widget\nfrom unittest import mock\nWidget().rotate()\nmock.patch.object(Widget, 'rotate')\n"
    assert fixed(ledger, text, ignore=["method"]).after == text.encode()
    assert fixed(ledger, text).after == text.replace("rotate", "spin").encode()


def test_scan_and_fix_leave_out_what_is_ignored_per_file(ledger, tmp_path):
    for name in ("app.py", "tests/test_app.py"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(TEXT)
    settings = Settings(root=str(tmp_path), per_file_ignores={"tests/": ("name",), "app.py": ("shop_old.whole",)})
    found = {(item.path.rpartition("/")[2], item.rule) for item in scan([str(tmp_path)], ledger, settings=settings).findings}
    assert found == {("app.py", "name"), ("test_app.py", "module")}
    assert fixer.fix([str(tmp_path)], ledger, settings=settings, write=True).skips == []
    assert not scan([str(tmp_path)], ledger, settings=settings).findings
    assert (tmp_path / "app.py").read_text() == "from shop.core import Widget, LIMIT\nimport shop_old.whole as w\nw.VALUE\n"
    assert (tmp_path / "tests" / "test_app.py").read_text().endswith("from shop_old.things import Widget, MAX\nw.VALUE\n")


def test_stdin(run):
    text = "from demo_old.things import Widget\nLAZY = 'demo_old.things:Widget'\n"
    done = run("fix", "-", "--stdin-filename", "sub/m.py", input=text)
    assert (done.returncode, done.stdout) == (1, text.replace("from demo_old.things", "from demo.core"))
    assert done.stderr.startswith("sub/m.py:2:8: likely: demo_old.things:Widget: ")
    done = run("fix", "-", "--unsafe", input=text)
    assert (done.returncode, done.stdout) == (0, text.replace("demo_old.things", "demo.core"))
    assert done.stderr == "<stdin>:2:8: likely: demo_old.things:Widget: rewritten, though a string whose use is not known\n"
    done = run("scan", "-", "--stdin-filename", "m.py", "--exit-zero", input=text)
    assert done.returncode == 0 and done.stdout.startswith("m.py:1:29: name: ")
    assert run("scan", "-", "app.py", input=text).returncode == 2


def test_stdin_with_formats_and_hints(run):
    text = "from demo_old.things import Widget\nLAZY = 'demo_old.things:Widget'\n"
    done = run("fix", "-", "--format", "json", "--stdin-filename", "sub/m.py", input=text)
    data = json.loads(done.stdout)
    assert (done.returncode, data["degrees"], [item["path"] for item in data["findings"]]) == (
        1,
        {"certain": 1, "likely": 1},
        ["sub/m.py"] * 2,
    )
    assert json.loads(run("scan", "-", "--format", "sarif", input=text).stdout)["runs"][0]["results"]
    for arguments, words in {
        ("fix", "-", "--write"): "- is written to stdout; leave out --write",
        ("fix", "-", "--evidence"): "--evidence goes by file and line: --stdin-filename says where the text of - belongs",
        ("scan", "-", "--evidence"): "--evidence goes by file and line: --stdin-filename says where the text of - belongs",
    }.items():
        done = run(*arguments, input=text)
        assert (done.returncode, done.stdout) == (2, "") and words in done.stderr


def test_exit_zero(run):
    assert run("fix", "--exit-zero").returncode == 0
    assert run("fix", "--exit-zero", "--select", "nothing").returncode == 2
