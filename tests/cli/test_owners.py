"""``compat report`` by owner, as a digest, and as texts to file: in a repository with owners."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time

import pytest

import compat
from compat.telemetry import Site
from compat.telemetry.record.identity import describe_process
from compat.telemetry.record.segments import Segment

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(compat.__file__)))
COUNT = """
import sys
import time
from compat.telemetry import Site, open_cell
for move, file, line, uses in (eval(each) for each in sys.argv[1:]):
    use = open_cell(Site(move, "call", file, line, "run", file.partition("/")[0]))
    for _ in range(uses):
        use()
"""
LEDGER = """
from compat.ledger import Ledger, names

LEDGER = Ledger("shop", version="2.0", docs="MIGRATION.md")
LEDGER += names("old.core", "new.core", "Manager Other", since="1.0", removal="3.0", instead=None)
LEDGER += names("old.auth", "new.auth", "AuthHandler", since="1.0", removal="2.0", instead=None)
"""


@pytest.fixture
def repository(tmp_path):
    """A repository of two teams, each with a file."""
    if shutil.which("git") is None:
        pytest.skip("git is not installed")
    root = tmp_path / "repository"
    for name, text in {
        "src/shop/cart.py": "import os\n\nfrom old.core import Manager\n",
        "src/mail/send.py": "from old.auth import AuthHandler\n",
        "src/tool.py": "pass\n",
        "CODEOWNERS": "/src/shop/ @shop # us\n/src/mail/ @mail @post\n",
        "shop_ledger.py": LEDGER,
        "pyproject.toml": '[tool.compat]\nledgers = ["shop_ledger:LEDGER"]\n',
    }.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    me = ["-c", "user.name=Ann", "-c", "user.email=ann@example.com", "-c", "commit.gpgsign=false"]
    environ = {**os.environ, "GIT_AUTHOR_DATE": "2026-03-01T12:00:00Z", "GIT_COMMITTER_DATE": "2026-03-01T12:00:00Z"}
    for arguments in (["init", "-q"], ["add", "."], ["commit", "-qm", "Begin"]):
        subprocess.run(["git", *me, *arguments], cwd=root, env=environ, check=True)
    return root


@pytest.fixture
def ask(run, repository, state):
    """Run a command in the repository."""

    def ask(*arguments, **environment):
        code = f"import os; os.chdir({str(repository)!r}); from compat.__main__ import main; raise SystemExit(main())"
        path = os.pathsep.join([ROOT, str(repository)])
        return run(*arguments, code=code, PYTHONPATH=path, **environment)

    return ask


@pytest.fixture
def counted(state):
    """Count uses at three places."""
    sites = [("old.core:Manager", "shop/cart.py", 3, 5), ("old.auth:AuthHandler", "mail/send.py", 1, 2)]
    sites.append(("old.auth:AuthHandler", "tool.py", 1, 1))
    environ = {**os.environ, "PYTHONPATH": ROOT, "COMPAT_DIR": str(state), "COMPAT_SERVICE": "api", "COMPAT_TELEMETRY": "on"}
    environ |= {"COMPAT_ENVIRONMENT": "production", "COMPAT_SERVICE_VERSION": "2026.11"}
    subprocess.run([sys.executable, "-c", COUNT, *map(repr, sites)], env=environ, check=True)


def rows(shown: str) -> list[list[str]]:
    return [[cell.strip(" `") for cell in line.strip("|\n").split("|")] for line in shown.splitlines() if line.startswith("| ")]


def test_a_report_goes_by_owner_version_and_environment(ask, counted):
    keys = {
        by: [row[0] for row in rows(ask("report", "--by", by, "--format", "markdown").stdout)[1:]]
        for by in ("owner", "version", "environment")
    }
    keys = {by: [key for key in found if key != "---"] for by, found in keys.items()}
    assert keys == {"owner": ["@shop", "@mail @post", "(nobody)"], "version": ["api 2026.11"], "environment": ["production"]}


@pytest.mark.parametrize(
    ("by", "found"),
    [
        ("owner", {"(nobody)": "1", "@mail @post": "1", "@shop": "1"}),
        ("file", {"mail/send.py": "1", "shop/cart.py": "1", "tool.py": "1"}),
        ("version", {"api 2026.11": "2"}),
        ("day", {time.strftime("%Y-%m-%d", time.gmtime()): "2"}),
    ],
)
def test_verdicts_go_by_whatever_a_report_goes_by(ask, counted, by, found):
    head, _, *lines = ask("ready", "--by", by).stdout.splitlines()
    assert head.split()[0] == by
    shown = [re.split(" {2,}", line.strip()) for line in lines]
    assert {name: used for name, used, *_ in shown} == found


def test_who_is_quiet_has_the_verdict_of_the_service_or_none_where_others_use_it(ask, state):
    segment = Segment(str(state), describe_process()._replace(tick=1, service="api", environment="production", started=0))
    now = time.time()
    for move, file, ago in [("core:Manager", "cart.py", 0), ("core:Manager", "tool.py", 70), ("auth:AuthHandler", "send.py", 70)]:
        segment.allot(Site(f"old.{move}", "call", file, 1, "f", "shop"), 0, 1, now - ago * 86400)
    segment.end(now)
    segment.release()
    lines = ask("ready", "--by", "file").stdout.splitlines()[2:]
    assert [re.split(" {2,}", line.strip())[:4] for line in lines] == [["cart.py", "1", "0", "0"], ["send.py", "0", "0", "1"]]
    page = ask("report", "--format", "html").stdout
    assert "source was not searched" in page and "not found in source" not in page
    days = [line.split()[0] for line in ask("ready", "--by", "day").stdout.splitlines()[2:]]
    assert days == [time.strftime("%Y-%m-%d", time.gmtime(now - ago * 86400)) for ago in (0, 70)]


def test_owners_are_those_of_the_settings_where_they_name_any(ask, counted, repository):
    (repository / "pyproject.toml").write_text(
        '[tool.compat]\nledgers = ["shop_ledger:LEDGER"]\nowners = {"src/" = "@all", "src/mail/" = ["@mail"]}\n'
    )
    shown = rows(ask("report", "--by", "owner", "--format", "markdown").stdout)
    assert [row[0] for row in shown if row[0].startswith("@")] == ["@all", "@mail"]


def test_where_nobody_says_whose_files_are_the_command_says_so(ask, counted, repository):
    (repository / "CODEOWNERS").unlink()
    for arguments in (["--by", "owner"], ["--format", "issues"]):
        shown = ask("report", *arguments)
        assert (shown.returncode, "no owners are known: write a CODEOWNERS file" in shown.stderr) == (2, True)
    assert "No owners are known" in ask("report", "--format", "digest").stdout


def test_one_text_per_owner_is_ready_to_file(ask, counted):
    shown = ask("report", "--format", "issues", "--blame")
    assert shown.returncode == 0, shown.stderr
    texts = shown.stdout.split("\n---\n\n")
    assert [text.splitlines()[0] for text in texts] == ["# Leave 1 legacy name in 1 place"] * 3
    assert [re.search(r"For (.*)\. Used", text).group(1) for text in texts] == ["@shop", "@mail @post", "(nobody)"]
    advice = re.search(r"## `old.core:Manager`\n\n(.*)\n", texts[0]).group(1)
    assert advice == "Use canonical path 'from new.core import Manager' instead. It is deprecated, and goes in 3.0."
    place = re.search(r"^- \[ \] (.*)$", texts[0], re.M).group(1)
    assert re.sub(r"\d{4}-\d\d-\d\d, by", "DAY, by", re.sub(r"in [0-9a-f]{7}$", "in COMMIT", place)) == (
        "`shop/cart.py:3` in `run`: 5 uses in api, last on DAY, by Ann <ann@example.com> on 2026-03-01 in COMMIT"
    )


def test_without_git_nobody_is_blamed_and_nothing_fails(ask, counted, repository):
    shown = ask("report", "--format", "issues", "--blame", PATH="/nowhere")
    assert shown.returncode == 0, shown.stderr
    assert ", by " not in shown.stdout


def test_a_week_is_told_in_markdown(ask, counted):
    shown = ask("report", "--format", "digest")
    assert shown.returncode == 0, shown.stderr
    parts = dict(part.split("\n\n", 1) for part in shown.stdout.split("\n## ")[1:])
    assert parts["New callers"].splitlines()[:1] == ["- `shop` uses `old.core:Manager` (5 uses)"]
    assert parts["Gone"].strip() == "None."
    assert parts["May go"].strip() == "None."
    assert parts["Overdue"].startswith("- `old.auth:AuthHandler` is in use: 3 uses in api, last on ")
    assert "| api | 1 of 1 (100%) |" in parts["By service"]
    assert parts["By owner"].strip().splitlines()[2:] == [
        "| @shop | 5 | 1 | 1 |",
        "| @mail @post | 2 | 1 | 1 |",
        "| (nobody) | 1 | 1 | 1 |",
    ]


@pytest.mark.parametrize(
    ("arguments", "wrong"),
    [
        (["--blame"], "--blame adds who wrote a place to the texts of --format issues"),
        (["--format", "digest", "--by", "file"], "--format digest has parts of its own; leave --by file out"),
    ],
)
def test_options_that_do_not_fit_are_refused(ask, counted, arguments, wrong):
    shown = ask("report", *arguments)
    assert (shown.returncode, wrong in shown.stderr) == (2, True)
