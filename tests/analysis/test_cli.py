"""The commands of analysis as a user runs them: exit codes, output, messages."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

click = pytest.importorskip("click")
pytest.importorskip("pathspec")


def test_scan(run):
    done = run("scan")
    assert done.returncode == 1, done.stderr
    assert done.stdout.splitlines()[0] == (
        "app.py:1:29: name: Importing Widget from 'demo_old.things' is deprecated since demo 1.0 and will be removed in 3.0. "
        "Use canonical path 'from demo.core import Widget' instead. See MOVES.md."
    )
    (run.tree / "app.py").write_text("x = 1\n")
    assert run("scan").returncode == 0
    assert json.loads(run("scan", "--format", "json").stdout)["findings"] == []


def test_scan_usage_errors(run):
    missing = run("scan", "nowhere")
    assert (missing.returncode, missing.stderr) == (2, "compat: no such file or directory: 'nowhere'\n")
    assert run("scan", "--select", "everything").returncode == 2
    assert run("scan", "--update-baseline").returncode == 2
    unknown = run("scan", ledger="nobody")
    assert unknown.returncode == 2
    assert "no ledger is called 'nobody'" in unknown.stderr


def test_scan_selects(run):
    (run.tree / "app.py").write_text("from demo_old.things import Widget\nLAZY = 'demo_old.things:Widget'\n")
    (run.tree / "conf.ini").write_text("[a]\nb = demo_old.things:Widget\n")
    for kinds, count in (("imports", 1), ("strings", 1), ("imports,strings", 2), ("config", 1), ("methods", 0)):
        assert len(json.loads(run("scan", "--format", "json", "--select", kinds).stdout)["findings"]) == count, kinds


def test_scan_selects_and_ignores_rows_as_fix_does(run):
    (run.tree / "app.py").write_text(
        "from demo_old.things import Widget, MAX\nimport demo_old.whole\nLAZY = 'demo_old.things:Widget'\n"
    )
    widget, limit = "demo_old.things:Widget", "demo_old.things:MAX"
    for given, lines in {
        ("--select", widget): [1, 3],
        ("--select", f"{limit},module"): [1, 2],
        ("--select", "demo_old.things.*", "--ignore", widget): [1],
        ("--ignore", "name"): [2],
        ("--select", "strings", "--ignore", limit): [3],
        ("--select", f"strings,{limit}"): [1, 3],
    }.items():
        found = json.loads(run("scan", "--format", "json", *given).stdout)["findings"]
        assert [item["line"] for item in found] == lines, given
        if "strings" not in given[1]:
            fixed = json.loads(run("fix", "--format", "json", *given).stdout)["findings"]
            assert [item["line"] for item in fixed] == lines


def test_a_selector_that_means_nothing_is_one_sentence_with_the_nearest(run):
    settings = run.tree / "pyproject.toml"
    for command in ("scan", "fix"):
        done = run(command, "--select", "demo_old.thing:Widget")
        said = "no rule and no row is 'demo_old.thing:Widget', as --select has it; the nearest is 'demo_old.things.Widget'"
        assert (done.returncode, done.stderr) == (2, f"compat: {said}\n")
        settings.write_text("[tool.compat]\nledgers = ['demo_ledger:ROWS']\n[tool.compat.per-file-ignores]\n'a.py' = ['nmae']\n")
        done = run(command, ledger="")
        said = "no rule and no row is 'nmae', as per-file-ignores of [tool.compat] has it for 'a.py'; the nearest is 'name'"
        assert (done.returncode, done.stderr) == (2, f"compat: {said}\n")
        assert run(command, "--exit-zero").returncode == 0  # one ledger of perhaps several
        settings.unlink()
    assert "constructs are what compat scan selects by" in run("fix", "--ignore", "imports").stderr


def test_what_a_scan_did_not_look_for_is_not_paid(run):
    (run.tree / "app.py").write_text("from demo_old.things import Widget, MAX\nLAZY = 'demo_old.things:Widget'\n")
    assert run("scan", "--baseline", "b.json", "--update-baseline", "--accept-new").returncode == 0
    before = (run.tree / "b.json").read_text()
    for given in (("--select", "strings"), ("--select", "demo_old.things:MAX"), ("--ignore", "name")):
        done = run("scan", "--baseline", "b.json", "--update-baseline", *given)
        assert (done.returncode, (run.tree / "b.json").read_text()) == (0, before), given
    (run.tree / "app.py").write_text("from demo_old.things import Widget\nLAZY = 'demo_old.things:Widget'\n")
    assert "paid: app.py: name demo_old.things:MAX" in run("scan", "--baseline", "b.json", "--select", "imports").stdout


@pytest.mark.slow
def test_ratchet(run):
    assert run("scan", "--baseline", "b.json").returncode == 2
    assert run("scan", "--baseline", "b.json", "--update-baseline", "--accept-new").returncode == 0
    assert run("scan", "--baseline", "b.json").stdout.startswith("No findings; 1 known in the baseline")
    (run.tree / "more.py").write_text("import demo_old.whole\n")
    assert run("scan", "--baseline", "b.json").returncode == 1
    assert run("scan", "--baseline", "b.json", "--update-baseline").returncode == 1
    os.unlink(run.tree / "more.py")
    (run.tree / "app.py").write_text("x = 1\n")
    paid = run("scan", "--baseline", "b.json")
    assert (paid.returncode, paid.stdout.splitlines()[0]) == (
        1,
        "paid: app.py: name demo_old.things:Widget is still in the baseline; strike it with --update-baseline",
    )
    assert run("scan", "--baseline", "b.json", "--update-baseline").returncode == 0
    assert json.loads((run.tree / "b.json").read_text()) == {"format_version": 1, "entries": {}}


def test_a_baseline_named_in_the_project_is_found_from_below(run):
    (run.tree / "sub").mkdir()
    (run.tree / "pyproject.toml").write_text('[tool.compat]\nbaseline = "debt.json"\n')
    assert run("scan", "--update-baseline", "--accept-new").returncode == 0
    assert (run.tree / "debt.json").is_file()
    assert run("scan", "sub").returncode == 0
    assert run("scan", "app.py").returncode == 0


def test_accepted_debt_that_fix_cannot_rewrite_does_not_fail_it(run):
    (run.tree / "app.py").write_text("LAZY = 'demo_old.things:Widget'\n")
    assert run("fix").returncode == 1
    missing = run("fix", "--baseline", "debt.json")
    assert (missing.returncode, missing.stderr) == (
        2,
        "compat: baseline 'debt.json' does not exist; make it with --update-baseline --accept-new\n",
    )
    (run.tree / "pyproject.toml").write_text('[tool.compat]\nbaseline = "debt.json"\n')
    assert run("fix").returncode == 1  # not written yet: nothing is accepted
    assert run("scan", "--update-baseline", "--accept-new").returncode == 0
    for arguments in (["fix"], ["fix", "--write"], ["fix", "--baseline", "debt.json"]):
        done = run(*arguments)
        assert done.returncode == 0, done.stderr
        assert "1 use skipped (1 known in the baseline, 1 likely: --unsafe rewrites it), 0 files failed." in done.stderr
    (run.tree / "app.py").write_text("LAZY = 'demo_old.things:Widget'\nMORE = 'demo_old.things:Widget'\n")
    more = run("fix")
    assert more.returncode == 1 and "2 uses skipped (1 known in the baseline, 2 likely: --unsafe rewrites them)" in more.stderr
    (run.tree / "app.py").write_text("from demo_old.things import Widget\n")
    assert run("fix").returncode == 1  # what can be rewritten is pending, whatever is accepted


def test_progress_is_for_people_only(run):
    assert run("scan").stderr == ""


def test_fix(run):
    shown = run("fix")
    assert shown.returncode == 1
    assert "-from demo_old.things import Widget\n+from demo.core import Widget\n" in shown.stdout
    assert shown.stderr == "1 of 1 files to be rewritten (--write does it); 0 uses skipped, 0 files failed.\n"
    written = run("fix", "--write", "--verify")
    assert (written.returncode, written.stdout) == (0, "")
    assert (run.tree / "app.py").read_text() == "from demo.core import Widget\nprint(Widget)\n"
    assert run("fix").returncode == 0


def test_fix_tells_what_it_left(run):
    (run.tree / "app.py").write_text("LAZY = 'demo_old.things:Widget'\n")
    done = run("fix", "--write")
    assert done.returncode == 1
    assert done.stderr.splitlines()[0] == (
        "app.py:1:8: likely: demo_old.things:Widget: a string whose use is not known (--unsafe rewrites it)"
    )


def test_explain(run):
    done = run("explain", "demo_old.things.MAX")
    assert done.returncode == 0
    assert "canonical  demo.core:LIMIT" in done.stdout
    assert "After:\n    from demo.core import LIMIT" in done.stdout
    assert done.stdout.endswith("No uses in this tree.\n")
    assert run("explain", "demo_old.whole").stdout.count("It was too large.") == 2
    assert "1 use in this tree:\n    app.py:1:29: from demo_old" in run("explain", "demo_old.things.Widget").stdout
    assert run("explain", "demo_old.nothing").returncode == 2


@pytest.mark.slow
def test_guide_stubs_export_compliance(run):
    assert run("guide", "--check").returncode == 1
    assert run("guide", "--write").returncode == 0
    assert run("guide", "--check").returncode == 0
    assert (
        (run.tree / "MOVES.md")
        .read_text()
        .startswith(
            "<!-- Generated by `python -m compat guide --ledger demo --write`. Do not edit: edit the ledger. -->\n\n"
            "# Migration guide: demo\n\n3 moves. Old code keeps running"
        )
    )
    assert run("stubs", "--out", "stubs", "--check").returncode == 1
    assert run("stubs", "--out", "stubs").returncode == 0
    assert run("stubs", "--out", "stubs", "--check").returncode == 0
    (run.tree / "stubs" / "demo_old" / "things.pyi").write_text("x: int\n")
    (run.tree / "stubs" / "demo_old" / "gone.pyi").write_text("x: int\n")
    stale = run("stubs", "--out", "stubs", "--check")
    assert stale.stderr == "stale: demo_old/gone.pyi\nstale: demo_old/things.pyi\n"
    assert '"demo_old.things.Widget".msg = ' in run("export", "ruff").stdout
    score = run("compliance", "app.py")
    assert (score.returncode, score.stdout.splitlines()[0]) == (1, "Compliance Score: 0.0%")
    assert json.loads(run("compliance", "--format", "json", "app.py").stdout)["deprecated_imports"] == 1
    assert run("compliance", "--as-reported").stdout.startswith("Deprecated imports: 0\nImport paths: 0\n")


def test_scan_needs_no_package_beyond_the_base_install(run):
    code = (
        "import sys\n"
        "sys.modules.update(dict.fromkeys(('click', 'rich', 'pathspec', 'ahocorasick_rs')))\n"
        "from compat.cli import main\n"
        "raise SystemExit(main(sys.argv[1:]))\n"
    )
    (run.tree / "-odd.py").write_text("import demo_old.whole\n")
    arguments = ("scan", "--format", "json", "--", "app.py", "-odd.py")
    bare = run(*arguments, python=("-c", code))
    assert bare.returncode == 1, bare.stderr
    found = json.loads(bare.stdout)["findings"]
    assert found == json.loads(run(*arguments).stdout)["findings"]
    assert [finding["path"] for finding in found] == ["-odd.py", "app.py"]
    assert "no such option: --colour" in run("scan", "--colour").stderr


def test_several_jobs_say_the_same(run):
    for number in range(30):
        (run.tree / f"m{number}.py").write_text("import demo_old.whole as w\nw.thing\n")
    one, two = run("scan", "--format", "json"), run("scan", "--format", "json", "--jobs", "2")
    assert (one.returncode, two.returncode) == (1, 1)
    assert json.loads(one.stdout)["findings"] == json.loads(two.stdout)["findings"]


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="pseudo-terminals are POSIX")
@pytest.mark.parametrize("command", ["scan", "fix", "scan --jobs 2"])
def test_long_runs_show_a_bar_on_a_terminal(run, command):
    """On stderr, where somebody watches; findings alone stand on stdout."""
    pty = pytest.importorskip("pty")
    for number in range(150):
        (run.tree / f"more{number}.py").write_text("import shop_old.whole\n" if number == 140 else "")
    words = [*command.split(), "--ledger", "demo_ledger:ROWS"]
    code = f"import compat.cli.progress as watching; watching.PATIENCE = 0; from compat.cli import main; raise SystemExit(main({words}))"
    watched, other = pty.openpty()
    done = subprocess.run(
        [sys.executable, "-c", f"if __name__ == '__main__':\n    {code}"],
        cwd=run.tree,
        env={**run.environment, "TERM": "xterm", "COLUMNS": "120"},
        stdout=subprocess.PIPE,
        stderr=other,
        text=True,
        timeout=120,
    )
    os.close(other)
    told = os.read(watched, 100_000).decode()
    os.close(watched)
    assert done.returncode == 1
    label = "Fixing" if command == "fix" else "Scanning"
    total = len(list(run.tree.rglob("*.py"))) + (len(list(run.tree.rglob("*.toml"))) if label == "Scanning" else 0)
    assert label in told and f"/{total}" in told
    assert label not in done.stdout


def hooks() -> dict[str, str]:
    """The entries of the pre-commit hooks by their ids."""
    text = (Path(__file__).parents[2] / ".pre-commit-hooks.yaml").read_text(encoding="utf-8")
    entries = [part.splitlines() for part in text.split("- id: ")[1:]]
    return {lines[0]: next(line for line in lines if "entry:" in line).partition("entry: ")[2] for lines in entries}


def test_pre_commit_hooks(run):
    """Each hook's entry, given the files of a commit: it fails where something legacy is, and fix leaves nothing to find."""
    assert set(hooks()) == {"compat-scan", "compat-fix"}
    (run.tree / "clean.py").write_text("x = 1\n")
    for name, code in (("compat-scan", 1), ("compat-fix", 0), ("compat-scan", 0)):
        words = hooks()[name].split()
        assert words[:3] == ["python", "-m", "compat"]
        done = run(words[3], *words[4:], "app.py", "clean.py")
        assert done.returncode == code, (name, done.stdout, done.stderr)
    assert (run.tree / "app.py").read_text() == "from demo.core import Widget\nprint(Widget)\n"


def test_the_guide_of_a_ledger_whose_docs_are_a_page_is_written_to_its_file(run):
    ledger = run.tree.parent / "demo_ledger.py"
    ledger.write_text(ledger.read_text().replace("MOVES.md", "https://demo.example/moves"))
    assert run("guide", "--write").returncode == 0
    assert (run.tree / "MIGRATION.md").read_text().startswith("<!-- Generated by")


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="file names of any bytes")
def test_a_file_name_that_is_no_text_breaks_no_format(run):
    with open(os.path.join(os.fsencode(run.tree), b"bad\xff\n.py"), "wb") as file:
        file.write(b"import demo_old.whole\n")
    os.symlink("loop", run.tree / "loop")
    os.mkfifo(run.tree / "pipe.py")
    for name in ("text", "json", "sarif", "github", "gitlab", "junit"):
        done = run("scan", "--format", name)
        assert (done.returncode, done.stderr) == (1, ""), name
    assert "bad%FF%0A.py" in run("scan", "--format", "sarif").stdout
    assert run("fix").returncode == 1


def test_a_project_that_names_its_ledgers_gets_those_alone(run):
    (run.tree / "pyproject.toml").write_text("[tool.compat]\nledgers = ['demo_ledger:ROWS']\n")
    assert run("stubs", "--out", "typings", ledger="").returncode == 0
    assert [path.name for path in (run.tree / "typings").iterdir()] == ["demo_old"]
    assert run("guide", ledger="").stdout.startswith("<!-- Generated by `python -m compat guide --ledger demo --write`.")


def test_the_roots_of_a_ledger_are_printed_for_pyproject(run):
    assert run("export", "roots").stdout == '[project.entry-points."compat.roots"]\ndemo_old = "demo_ledger:ROWS"\n'
    wrong = run("export", "roots", ledger="")
    assert wrong.returncode == 2 and "write --ledger package.module:LEDGER" in wrong.stderr


def test_a_folder_of_which_no_file_is_read_is_told(run):
    ignored = run.tree / "build" / "made"
    ignored.mkdir(parents=True)
    (ignored / "app.py").write_text("from demo_old.things import Widget\n")
    (run.tree / ".git").mkdir()
    (run.tree / ".gitignore").write_text("made/\n")
    for command in ("scan", "fix"):
        done = run(command, "build")
        assert done.returncode == 0
        assert "compat: no file to read in 'build': what .gitignore and" in done.stderr
    assert "no file to read" not in run("scan", "build", "--no-gitignore").stderr
