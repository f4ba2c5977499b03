"""``compat report`` on what real processes counted."""

from __future__ import annotations

import csv
import io
import json
import os
import pty
import shutil
import socket
import subprocess
import sys

import pytest

import compat
from compat.cli import progress
from compat.cli.main import main
from compat.telemetry.history.database import open_history
from compat.telemetry.history.fold import fold
from compat.telemetry.read import merge

COUNT = """
import os, signal, sys
from compat.telemetry import Site, open_cell
move, uses, end = sys.argv[1], int(sys.argv[2]), sys.argv[3]
use = open_cell(Site(move, "import", "shop/views.py", 7, "<module>", "shop.views"))
for _ in range(uses):
    use()
if end == "killed":
    os.kill(os.getpid(), signal.SIGKILL)
if end == "living":
    print("counted", flush=True)
    sys.stdin.read()
"""
LEDGER = """
from compat.ledger import Ledger, names

LEDGER = Ledger("shop", version="2.0", docs="MIGRATION.md")
LEDGER += names("old.core", "new.core", "Manager Other", since="1.0", removal="3.0", instead=None)
LEDGER += names("old.auth", "new.auth", "AuthHandler", since="1.0", removal="2.0", instead=None)
"""


ROOT = os.path.dirname(os.path.dirname(os.path.abspath(compat.__file__)))


@pytest.fixture
def ledger(tmp_path):
    """A ledger that commands are told to use."""
    (tmp_path / "shop_ledger.py").write_text(LEDGER, encoding="utf-8")
    return "shop_ledger:LEDGER"


@pytest.fixture
def ask(run, tmp_path, ledger):
    """Run a command with the ledger at hand."""

    def ask(*arguments, **environment):
        path = os.pathsep.join([ROOT, str(tmp_path)])
        return run(*arguments, "--ledger", ledger, PYTHONPATH=path, **environment)

    return ask


@pytest.fixture
def count(state):
    """Count in a process of its own, which ends as told."""
    started = []

    def count(move, uses, end="well", directory=state, environment="production"):
        process = subprocess.Popen(
            [sys.executable, "-c", COUNT, move, str(uses), end],
            env={
                **os.environ,
                "COMPAT_DIR": str(directory),
                "COMPAT_SERVICE": "shop",
                "COMPAT_ENVIRONMENT": environment,
                "COMPAT_TELEMETRY": "on",
                "PYTHONPATH": ROOT,
            },
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        if end == "living":
            assert process.stdout.readline() == "counted\n"
        else:
            process.wait(60)

    yield count
    for process in started:
        process.communicate(timeout=60)


def totals(shown):
    return {row["key"]: row["total"] for row in json.loads(shown.stdout)["rows"]}


def test_nothing_recorded_says_what_to_do_next(ask, state):
    shown = ask("report")
    assert shown.returncode == 0
    assert shown.stdout.startswith(f"Nothing has been recorded in {state} yet.\n")
    assert "python -m compat demo" in shown.stdout


@pytest.mark.slow
def test_ended_killed_and_living_processes_are_all_in_it(ask, count):
    for move, uses, end in (
        ("old.core:Manager", 5, "well"),
        ("old.core:Manager", 7, "killed"),
        ("old.auth:AuthHandler", 2, "living"),
    ):
        count(move, uses, end)
    expected = {"old.core:Manager": 12, "old.auth:AuthHandler": 2}
    assert totals(ask("report", "--format", "json")) == expected
    assert totals(ask("report", "--format", "json")) == expected


def test_the_table_has_ledger_facts_and_evidence(ask, count):
    count("old.auth:AuthHandler", 4)
    shown = ask("report").stdout.splitlines()
    assert " ".join(shown[2].split()[:4]) == "old.auth:AuthHandler 4 4 4"
    assert shown[2].split()[-2:] == ["expired", "2.0"]
    assert "4 uses in 1 process over less than an hour since " in shown[3]
    assert shown[4] == "1 of 1 process (100%) used something legacy."
    assert shown[5] == "2 of 3 moves of the ledger had no use in this period."


def test_a_source_given_twice_and_its_copy_are_counted_once(ask, count, state, tmp_path):
    count("old.core:Manager", 5)
    shutil.copytree(state, tmp_path / "copy")
    assert totals(ask("report", str(state), str(state), str(tmp_path / "copy"), "--format", "json")) == {"old.core:Manager": 5}


def test_directories_and_databases_are_merged(ask, count, state, tmp_path):
    (other := tmp_path / "other").mkdir()
    count("old.core:Manager", 5)
    ask("report")
    count("old.core:Manager", 2, directory=other)
    assert totals(ask("report", str(state / "usage.db"), "--from", str(other), "--format", "json")) == {"old.core:Manager": 7}


@pytest.mark.parametrize("by", ["move", "caller", "file", "service", "day"])
def test_a_chosen_ledger_narrows_the_report_to_its_moves_and_counts_the_rest_in_one_line(ask, count, by):
    count("old.core:Manager.send", 5)
    count("netra_backend.app.websocket_core:CRITICAL_EVENTS", 1200)
    assert sum(totals(ask("report", "--by", by, "--format", "json")).values()) == 5
    shown = ask("report", "--by", by).stdout
    assert "CRITICAL_EVENTS" not in shown
    assert shown.splitlines()[-2:] == [
        "and 1,200 uses of other ledgers.",
        "2 of 3 moves of the ledger had no use in this period.",
    ]


def test_only_other_ledgers_uses_are_no_empty_history(ask, count):
    count("netra_backend.app.websocket_core:CRITICAL_EVENTS", 1)
    shown = ask("report").stdout
    assert shown.startswith("No legacy use in this period: 0 uses in 1 process ")
    assert "and 1 use of other ledgers." in shown


def test_without_a_chosen_ledger_every_use_is_listed(run, count):
    count("old.nobody:Knows", 3)
    assert totals(run("report", "--format", "json")) == {"old.nobody:Knows": 3}


def test_csv_and_markdown(ask, count):
    count("old.core:Manager", 5)
    (row,) = csv.DictReader(io.StringIO(ask("report", "--format", "csv").stdout))
    assert (row["move"], row["today"], row["stage"], row["removal"]) == ("old.core:Manager", "5", "deprecated", "3.0")
    markdown = ask("report", "--format", "markdown", "--by", "file").stdout
    assert markdown.splitlines()[4].startswith("| `shop/views.py` | 5 | 5 | 5 |")


def test_output_is_written_whole_under_its_name(ask, count, tmp_path):
    count("old.core:Manager", 5)
    shown = ask("report", "--format", "html", "--output", str(tmp_path / "page.html"))
    assert (shown.returncode, shown.stdout) == (0, "")
    assert (tmp_path / "page.html").read_text(encoding="utf-8").rstrip().endswith("</html>")
    assert [path.name for path in tmp_path.glob(".page*")] == []


def test_a_table_in_an_ascii_terminal_is_no_error(ask, count):
    count("old.core:Manager", 5)
    shown = ask("report", PYTHONIOENCODING="ascii")
    assert (shown.returncode, shown.stderr) == (0, "")
    assert "old.core:Manager" in shown.stdout
    assert "         #" in shown.stdout and "?" not in shown.stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--since", "never"], "'never' is no period; write 30d, 12w, all, or a first day such as 2026-11-01"),
        (["--by", "team"], "'team' is not one of 'move', 'caller', 'file', 'service', 'day'"),
        (["--format", "html", "--by", "day"], "the page goes by move and leads from there to callers and files"),
        (["nowhere"], "there is no directory or file 'nowhere' to read usage from"),
    ],
)
def test_a_wrong_command_line_is_told_what_is_right(ask, arguments, said):
    shown = ask("report", *arguments)
    assert shown.returncode == 2
    assert said in " ".join(shown.stderr.split())


@pytest.mark.parametrize("command", ["report", "ready"])
def test_a_state_directory_that_is_a_file_is_no_empty_one(ask, tmp_path, command):
    (tmp_path / "file").write_text("kept")
    shown = ask(command, COMPAT_DIR=str(tmp_path / "file"))
    assert shown.returncode == 2
    assert "/file' is no directory; set COMPAT_DIR to one" in " ".join(shown.stderr.split())
    assert (tmp_path / "file").read_text() == "kept"


def test_an_unknown_ledger_is_named(run):
    shown = run("report", "--ledger", "nobody")
    assert shown.returncode == 2
    assert shown.stderr.startswith("compat: no ledger is called 'nobody' (found: ")


@pytest.mark.parametrize("command", ["report", "ready"])
def test_a_pattern_that_matches_no_move_is_refused_and_does_not_look_like_success(ask, count, command):
    count("old.core:Manager", 5)
    shown = ask(command, "--match", "manger")
    assert shown.returncode == 2
    assert "no move matches 'manger', neither in the ledger nor among those that were used" in " ".join(shown.stderr.split())
    assert shown.stdout == ""


def test_a_move_that_was_used_and_is_in_no_ledger_is_found(ask, count):
    count("old.gone:Thing", 5)
    assert totals(ask("report", "--match", "gone", "--format", "json")) == {"old.gone:Thing": 5}


def test_what_could_not_be_looked_at_is_told_apart_from_nothing(ask, state, tmp_path):
    assert ask("report").stdout.startswith(f"Nothing has been recorded in {state} yet.\n")
    (tmp_path / "no.db").write_text("no database " * 100)
    for source in (str(tmp_path / "no.db"), "prometheus:http://127.0.0.1:1"):
        shown = ask("report", "--from", source)
        assert shown.returncode == 2
        said = " ".join(shown.stdout.split())
        assert said.startswith(f"No usage could be read in {source}: nothing is known of any use.")
        assert shown.stderr.startswith("Not read: ")
        shown = ask("ready", "--from", source, "--match", "Manager")
        assert shown.returncode == 2
        assert shown.stderr.startswith("Not read: ")
        assert shown.stderr.endswith("No usage could be read: these verdicts rest on none.\n")
        assert "1 source could not be read" in " ".join(shown.stdout.split())


def test_vacuum_drops_old_days_and_says_how_many(run, count, state):
    assert run("vacuum", "--older-than", "1d").stdout == f"There is no usage history in {state}: nothing to drop.\n"
    count("old.core:Manager", 5)
    shown = run("vacuum", "--older-than", "400d")
    assert (shown.returncode, shown.stdout) == (0, f"0 rows older than 400 days dropped from {state / 'usage.db'}.\n")
    assert totals(run("report", "--format", "json")) == {"old.core:Manager": 5}


def test_vacuum_clears_what_was_set_aside(run, state):
    aside = state / "damaged"
    aside.mkdir()
    for name in ("a.seg", "b.seg"):
        (aside / name).write_bytes(b"?")
    assert run("vacuum", "--older-than", "400d").returncode == 0
    assert len(list(aside.iterdir())) == 2
    shown = run("vacuum", "--damaged")
    assert shown.stdout == "".join(f"Removed {aside / name}, which could not be read.\n" for name in ("a.seg", "b.seg"))
    assert list(aside.iterdir()) == []
    shown = run("vacuum")
    assert (shown.returncode, "say what to drop: --older-than 400d, or --damaged" in shown.stderr) == (2, True)


@pytest.mark.parametrize("given", ["0", "soon", "-3d"])
def test_vacuum_wants_a_number_of_days(run, given):
    shown = run("vacuum", f"--older-than={given}")
    assert shown.returncode == 2
    assert f"'{given}' is no number of days; write 400d" in shown.stderr


def test_ready_is_unproven_without_evidence_and_fails_where_a_move_is_due(ask, count):
    count("old.core:Manager", 5)
    shown = ask("ready", "--format", "json")
    assert shown.returncode == 1
    verdicts = {move["move"]: (move["verdict"], move["due"]) for move in json.loads(shown.stdout)["moves"]}
    assert verdicts == {
        "old.core:Manager": ("in use", False),
        "old.core:Other": ("unproven", False),
        "old.auth:AuthHandler": ("unproven", True),
    }


def test_ready_does_not_take_tests_for_use_and_says_what_would_settle_a_doubt(ask, count):
    count("old.core:Manager", 5, environment="test")
    shown = ask("ready", "--match", "Manager")
    assert shown.stdout.splitlines()[-1] == "1 unproven"
    assert "no process with the drop-in was observed in production, only in test: run the services" in " ".join(
        shown.stdout.split()
    )
    count("old.core:Manager", 5)
    assert ask("ready", "--match", "Manager").stdout.splitlines()[-1] == "1 in use"


def test_ready_searches_source_and_rehearses_a_version(ask, tmp_path):
    (tree := tmp_path / "src").mkdir()
    (tree / "app.py").write_text("from old.core import Manager\n", encoding="utf-8")
    shown = ask("ready", str(tree), "--match", "old.core", "--format", "json")
    moves = json.loads(shown.stdout)["moves"]
    assert shown.returncode == 0
    assert [(move["move"], move["verdict"], move["places"]) for move in moves] == [
        ("old.core:Manager", "in source", [f"{tree}/app.py:1"]),
        ("old.core:Other", "unproven", []),
    ]
    assert ask("ready", str(tree), "--match", "Manager", COMPAT_AS_OF="3.0").returncode == 1


def test_ready_shows_a_table_with_reasons(ask, count):
    count("old.auth:AuthHandler", 5)
    lines = ask("ready").stdout.splitlines()
    assert " ".join(lines[0].split()) == "verdict move why removal"
    assert lines[2].startswith("in use") and "old.auth:AuthHandler" in lines[2]
    assert lines[-1] == "1 in use, 2 unproven"
    assert lines[3].split() == ["unproven", "old.core:Manager", "no", "use", "seen", "3.0"]
    assert "no source was searched: name the trees to search." in " ".join(" ".join(lines[5:]).split())
    assert ask("ready", "--only", "in use").stdout.splitlines()[-1] == "1 in use"
    assert ask("ready", "--only", "may go").stdout.splitlines()[-1] == "No move is may go."


def test_ready_by_service_says_who_holds_back_what_and_how_many_processes_used_something(ask, count):
    count("old.auth:AuthHandler", 5)
    count("old.core:Manager", 1)
    lines = [" ".join(line.split()) for line in ask("ready", "--by", "service").stdout.splitlines()]
    assert lines[0] == "service in use unproven may go last use processes"
    assert lines[2].startswith("shop 2 0 0 20") and lines[2].endswith(" 2 of 2 used something")
    table = ask("ready").stdout
    assert "2.0 overdue" in table and "3.0 overdue" not in table


@pytest.mark.slow
def test_a_long_merge_shows_a_bar_to_a_person_and_to_nobody_else(count, state, tmp_path):
    for _ in range(3):
        count("old.core:Manager", 1)
    code = "import compat.cli.progress as watching; watching.PATIENCE = 0; from compat.cli import main; raise SystemExit(main(['report']))"
    environment = {**os.environ, "COMPAT_DIR": str(state), "TERM": "xterm", "COLUMNS": "100", "PYTHONPATH": ROOT}
    terminal, end = pty.openpty()
    shown = subprocess.run([sys.executable, "-c", code], env=environment, stdout=subprocess.PIPE, stderr=end, timeout=60)
    os.close(end)
    told = os.read(terminal, 65536).decode()
    os.close(terminal)
    assert "Reading segments" in told and "3/3" in told
    assert b"3 uses in 3 processes" in shown.stdout and b"Reading" not in shown.stdout
    again = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, timeout=60)
    assert again.stderr == b""


@pytest.mark.parametrize(("late", "lines"), [(0.05, 1), (30, 0)])
def test_who_waits_for_a_locked_history_is_told_so_once(count, state, monkeypatch, capsys, late, lines):
    count("old.core:Manager", 1)
    monkeypatch.setenv("COMPAT_DIR", str(state))
    monkeypatch.setattr(progress, "LATE", late)
    monkeypatch.setattr(merge, "fold", lambda directory, **options: fold(directory, patience=0.3, **options))
    with open_history(str(state), readonly=False) as other:
        other.begin()
        assert main(["report"]) == 0
        other.roll_back()
    shown = capsys.readouterr()
    assert shown.err.count("Reading segments ...\n") == lines
    assert "its segments stay: database is locked" in shown.out


def test_a_line_is_told_once_where_the_work_goes_on(monkeypatch, capsys):
    monkeypatch.setattr(progress, "LATE", 0)
    with progress.bar("Scanning") as moved:
        moved(1, 3)
        moved(2, 3)
    assert capsys.readouterr().err == "Scanning ...\n"


@pytest.mark.slow
def test_serve_refuses_to_let_others_in_without_a_token(ask):
    pytest.importorskip("uvicorn", reason="needs the extra: server")
    shown = ask("serve", "--host", "0.0.0.0")
    assert shown.returncode == 2
    assert "binding to 0.0.0.0 lets others in: give a --token (or COMPAT_TOKEN), or bind to 127.0.0.1" in shown.stderr
    assert ask("serve", "--token", " ").returncode == 2


def test_a_prometheus_server_that_does_not_answer_is_named_without_its_password(ask):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        shown = ask("report", "--from", f"prometheus:http://me:s3cret@{address}", "--format", "csv")
    assert shown.returncode == 2
    assert f"Not read: the Prometheus server http://{address} did not answer as one" in shown.stderr
    assert "s3cret" not in shown.stdout + shown.stderr


def test_a_damaged_history_is_named(ask, tmp_path):
    (tmp_path / "usage.db").write_bytes(b"no history at all" * 1000)
    shown = ask("report", str(tmp_path / "usage.db"))
    assert shown.returncode == 2
    assert f"Not read: the usage history '{tmp_path / 'usage.db'}' cannot be read" in " ".join(shown.stderr.split())
