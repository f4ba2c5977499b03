"""Ledgers are found by entry point, by configuration and by name; what is wrong with one is said."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
import textwrap
import zipfile

import pytest

from compat.errors import CompatError
from compat.ledger import discover, load
from compat.ledger.discovery import configured, entry_points


@pytest.fixture
def site(tmp_path):
    """A site-packages with a distribution that declares a ledger."""
    (tmp_path / "thirdparty_new.py").write_text("VALUE = 5\n")
    (tmp_path / "thirdparty_ledger.py").write_text(
        textwrap.dedent(
            """
            from compat import Ledger, Module, Name
            K = dict(since="1", removal="3", instead=None)
            LEDGER = Ledger("third", version="2") + [Module("thirdparty_old.mod", "thirdparty_new", **K)]
            NOT_ONE = 3
            """
        )
    )
    info = tmp_path / "thirdparty-2.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: thirdparty\nVersion: 2.0\n")
    (info / "entry_points.txt").write_text(
        "[console_scripts]\nx = y:z\n\n[compat.ledgers]\n# ours\nthird = thirdparty_ledger:LEDGER [extra]\n"
    )
    return tmp_path


def test_entry_points_are_read_from_metadata(site):
    (found,) = entry_points([str(site), str(site / "missing"), ""])
    assert (found.name, found.value, found.distribution) == ("third", "thirdparty_ledger:LEDGER", "thirdparty-2.0")
    assert found.extra == "extra"


def test_whatever_stands_in_the_path_is_passed_over(site, tmp_path):
    (tmp_path / "file").write_text("")
    with zipfile.ZipFile(tmp_path / "zipped.zip", "w") as archive:
        archive.writestr("z-1.0.dist-info/entry_points.txt", "[compat.ledgers]\nz = z:LEDGER\n")
    odd = tmp_path / "odd"
    odd.mkdir()
    (odd / "old.egg-info").write_text("Name: old\n")
    for name, data in (
        ("latin", b"[compat.ledgers]\nx = \xe9:L\n"),
        ("empty", b""),
        ("other", b"[compat.ledgers.more]\na = b:C\n"),
    ):
        (odd / f"{name}.dist-info").mkdir()
        (odd / f"{name}.dist-info" / "entry_points.txt").write_bytes(data)
    (odd / "folder.dist-info" / "entry_points.txt").mkdir(parents=True)
    path = [None, b"", 3.5, "nul\0", [], str(tmp_path / "file"), str(tmp_path / "zipped.zip"), str(odd), odd, str(site)]
    assert [entry.name for entry in entry_points(path)] == ["z", "third"]


def test_an_egg_info_is_read_whatever_the_ends_of_its_lines_and_its_length(tmp_path):
    (tmp_path / "old.egg-info").mkdir()
    scripts = b"".join(b"script%d = module:function\r\n" % number for number in range(5000))
    text = b"[console_scripts]\r\n" + scripts + b"[compat.ledgers]\r\nold = old.moves:LEDGER\r\n"
    (tmp_path / "old.egg-info" / "entry_points.txt").write_bytes(text)
    (found,) = entry_points([str(tmp_path)])
    assert (found.name, found.value, found.distribution) == ("old", "old.moves:LEDGER", "old")


def test_a_distribution_is_seen_that_comes_into_a_folder_that_the_import_system_has_listed(site, tmp_path, monkeypatch):
    late = tmp_path / "late"
    late.mkdir()
    monkeypatch.syspath_prepend(str(late))
    os.utime(late, (1, 1))
    assert importlib.util.find_spec("nothing_in_there") is None
    assert str(late) in sys.path_importer_cache and not list(entry_points([str(late)]))
    (site / "thirdparty-2.0.dist-info").rename(late / "thirdparty-2.0.dist-info")
    assert [entry.name for entry in entry_points([str(late)])] == ["third"]


def test_load_says_what_is_wrong(site, monkeypatch):
    monkeypatch.syspath_prepend(str(site))
    assert len(load("thirdparty_ledger:LEDGER")) == 1
    for name, text in (
        ("raising", "1 / 0"),
        ("exiting", "import sys; sys.exit(4)"),
        ("misspelt", "def ("),
        ("needy", "import no_such_module"),
    ):
        (site / f"{name}_ledger.py").write_text(text)
    for reference, said in (
        ("thirdparty_ledger", "names no ledger; write 'package.module:LEDGER'"),
        ("no_such_module:LEDGER", "No module named 'no_such_module'; install what has 'no_such_module', or run this in "),
        ("needy_ledger:LEDGER", "ledger 'needy_ledger:LEDGER' cannot be imported: No module named 'no_such_module'"),
        ("thirdparty_ledger:MISSING", "module 'thirdparty_ledger' has no 'MISSING'"),
        ("thirdparty_ledger:NOT_ONE", "is of type int, not a Ledger"),
        ("raising_ledger:LEDGER", "ledger 'raising_ledger:LEDGER': importing 'raising_ledger' raises ZeroDivisionError: "),
        ("exiting_ledger:LEDGER", "ledger 'exiting_ledger:LEDGER': importing 'exiting_ledger' raises SystemExit: 4"),
        ("misspelt_ledger:LEDGER", "ledger 'misspelt_ledger:LEDGER': importing 'misspelt_ledger' raises SyntaxError: "),
    ):
        with pytest.raises(CompatError) as caught:
            load(reference)
        assert said in str(caught.value)
    del sys.modules["thirdparty_ledger"]


def test_a_ledger_that_lies_here_and_is_not_searched_is_told_of(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "unsearched_ledger.py").write_text("")
    with pytest.raises(CompatError, match="'unsearched_ledger' lies here, where it is not searched: run `python -m compat`"):
        load("unsearched_ledger:LEDGER")


def test_configuration_is_the_nearest_pyproject(tmp_path):
    (tmp_path / "pyproject.toml").write_text("[tool.compat]\nledgers = ['a:B', 'c:D']\n")
    (tmp_path / "deep" / "er").mkdir(parents=True)
    assert configured(str(tmp_path / "deep" / "er")) == ["a:B", "c:D"]
    (tmp_path / "deep" / "pyproject.toml").write_text("[tool.other]\n")
    assert configured(str(tmp_path / "deep" / "er")) == ["a:B", "c:D"]
    (tmp_path / "deep" / "pyproject.toml").write_text("[tool.compat]\n")
    assert configured(str(tmp_path / "deep" / "er")) == []
    for text, said in (
        ("[tool.compat]\nledgers = 'a:B'\n", "must be a list of 'package.module:LEDGER'"),
        ("[tool.compat", "pyproject.toml cannot be read: "),
        ("tool = 3 # compat", r"pyproject.toml: \[tool.compat\] must be a table; tool is 3"),
        ("[tool]\ncompat = []", r"pyproject.toml: \[tool.compat\] must be a table; compat is \[\]"),
    ):
        (tmp_path / "pyproject.toml").write_text(text)
        with pytest.raises(CompatError, match=said):
            configured(str(tmp_path))


def test_discover_lists_each_ledger_once(site, monkeypatch, tmp_path):
    monkeypatch.syspath_prepend(str(site))
    (tmp_path / "pyproject.toml").write_text("[tool.compat]\nledgers = ['thirdparty_ledger:LEDGER']\n")
    found = [ledger for ledger in discover(str(tmp_path)) if ledger.name == "third"]
    assert len(found) == 1
    del sys.modules["thirdparty_ledger"]


def run(site, code, **environment):
    return subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code],
        capture_output=True,
        text=True,
        timeout=60,
        cwd=site,
        env={**os.environ, "PYTHONPATH": str(site), "COMPAT_TELEMETRY": "memory", **environment},
    )


def test_the_first_miss_installs_what_other_distributions_declare(site):
    done = run(site, "import compat.auto\nfrom thirdparty_old.mod import VALUE\nprint(VALUE)")
    assert (done.stdout, done.stderr) == ("5\n", "")


def test_a_broken_ledger_of_another_distribution_costs_a_log_line_only(site):
    (site / "thirdparty_ledger.py").write_text("raise RuntimeError('broken')\n")
    done = run(site, "import compat.auto\ntry:\n    import nothing_here\nexcept ModuleNotFoundError as e:\n    print(e)")
    assert done.stdout == "No module named 'nothing_here'\n"
    assert "is not served" in done.stderr and "Traceback" not in done.stderr


@pytest.fixture
def library(tmp_path):
    """A site-packages with a library that declares what moved within itself: modules that are gone, names in ones that stay."""
    package = tmp_path / "livelib"
    package.mkdir()
    (package / "__init__.py").write_text("print('livelib is loaded')\n")
    (package / "new.py").write_text("class Amount:\n    pass\n")
    (package / "util.py").write_text("def slug(text):\n    return text.lower()\n")
    (package / "moves.py").write_text(
        "from compat import Ledger, Module, Name\n"
        "K = dict(since='1', removal='3', instead=None)\n"
        "LEDGER = Ledger('livelib', version='2') + [\n"
        "    Module('livelib.old', 'livelib.new', **K), Name('livelib.util:Money', 'livelib.new:Amount', **K)]\n"
    )
    info = tmp_path / "livelib-2.0.dist-info"
    info.mkdir()
    (info / "entry_points.txt").write_text("[compat.ledgers]\nlivelib = livelib.moves:LEDGER\n")
    return tmp_path


def test_the_names_of_a_library_that_declares_a_ledger_are_served_as_soon_as_it_is_imported(library):
    code = (
        "import compat.auto\nfrom livelib.util import Money, slug\nfrom livelib.old import Amount\nimport sys\nimport compat\n"
        "print(Money is Amount is sys.modules['livelib.new'].Amount, sorted((use.line, use.move) for use in compat.usage()))"
    )
    done = run(library, code)
    uses = [(2, "livelib.util:Money"), (3, "livelib.old")]
    assert (done.stdout, done.stderr) == (f"livelib is loaded\nTrue {uses}\n", "")


def test_a_question_for_a_library_is_no_import_of_it(library):
    code = "import compat.auto, importlib.util\nprint(importlib.util.find_spec('livelib').name)\nfrom livelib.util import Money"
    done = run(library, code)
    assert (done.stdout, done.stderr) == ("livelib\nlivelib is loaded\n", "")


def test_a_library_is_not_loaded_for_its_ledger_alone(library):
    (library / "else.py").write_text("")
    done = run(
        library, "import compat.auto, sys\nimport runpy, string, email\n__import__('else')\nprint('livelib' in sys.modules)"
    )
    assert (done.stdout, done.stderr) == ("False\n", "")


def test_an_entry_point_may_be_named_after_the_package_that_its_ledger_speaks_of(library):
    (library / "livelib" / "moves.py").rename(library / "livelib_moves.py")
    (library / "livelib-2.0.dist-info" / "entry_points.txt").write_text("[compat.ledgers]\nlivelib = livelib_moves:LEDGER\n")
    done = run(library, "import compat.auto\nfrom livelib.util import Money\nprint(Money.__name__)")
    assert (done.stdout, done.stderr) == ("livelib is loaded\nAmount\n", "")


def test_a_broken_ledger_of_a_library_leaves_the_library_as_it_is(library):
    (library / "livelib" / "moves.py").write_text("1 / 0\n")
    done = run(library, "import compat.auto\nfrom livelib.util import slug\nprint(slug('X'))")
    assert done.stdout == "livelib is loaded\nx\n"
    assert "ledger livelib.moves:LEDGER of livelib-2.0 is not served: " in done.stderr and "Traceback" not in done.stderr
