"""The hooks of .pre-commit-hooks.yaml, cloned, installed and run by pre-commit itself in a repository."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

TREE = Path(__file__).resolve().parents[3]
KIT = {
    "pyproject.toml": (
        '[build-system]\nrequires = ["hatchling"]\nbuild-backend = "hatchling.build"\n'
        '[project]\nname = "kit"\nversion = "2.0"\n[project.entry-points."compat.ledgers"]\nkit = "kit.moves:LEDGER"\n'
    ),
    "kit/__init__.py": "def cost(): ...\n",
    "kit/moves.py": (
        "from compat import Ledger, Name\n"
        'LEDGER = Ledger("kit", version="2.0") + [\n'
        '    Name("old_kit:Money", "kit.money:Amount", since="1.0", removal="3.0", instead=None),\n'
        '    Name("old_kit:price", "kit:cost", since="1.0", removal="3.0", instead=None),\n]\n'
    ),
    "kit/money.py": "class Amount: ...\n",
}
TABLE = '[tool.compat]\nledgers = ["kit.moves:LEDGER"]\nbaseline = "debt.json"\n'


def git(folder, *arguments):
    named = ["-c", "user.name=t", "-c", "user.email=t@t.example", "-c", "init.defaultBranch=main", "-c", "commit.gpgsign=false"]
    done = subprocess.run(["git", *named, *arguments], cwd=folder, capture_output=True, text=True, timeout=60, check=True)
    return done.stdout.strip()


def written(folder, texts):
    for name, text in texts.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def hooks(tmp_path_factory):
    """A repository of this tree as it is, committed, and its revision."""
    copy = tmp_path_factory.mktemp("hooks") / "netra-compat"
    shutil.copytree(TREE / "compat", copy / "compat", ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "hatch_build.py", "README.md", "LICENSE", ".pre-commit-hooks.yaml"):
        shutil.copy(TREE / name, copy / name)
    git(copy, "init", "-q")
    git(copy, "add", "-A")
    git(copy, "commit", "-q", "-m", "The tree")
    return copy, git(copy, "rev-parse", "HEAD")


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """Where pre-commit keeps the environments that it makes: once for all tests."""
    return tmp_path_factory.mktemp("pre-commit")


@pytest.fixture(scope="module")
def kit(tmp_path_factory):
    """A distribution that has a ledger."""
    return written(tmp_path_factory.mktemp("kit"), KIT)


@pytest.fixture
def repository(tmp_path, files, project, hooks, home, needed):
    """A repository with debt, and its pre-commit; call it to run the hooks."""
    needed("pre-commit", importlib.util.find_spec("pre_commit") is not None)
    files({"pyproject.toml": TABLE, "app.py": "from old_kit import Money\n"})
    git(project, "init", "-q")

    def run(dependencies=None, hook="compat-scan", config=None, **environment):
        extra = "" if dependencies is None else f"\n        additional_dependencies: {dependencies!r}"
        text = f"repos:\n  - repo: {hooks[0]}\n    rev: {hooks[1]}\n    hooks:\n      - id: {hook}{extra}\n"
        (project / ".pre-commit-config.yaml").write_text(text if config is None else config)
        git(project, "add", "-A")
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("COMPAT", "GIT_", "PYTHON"))}
        tools = tmp_path / "bin"
        tools.mkdir(exist_ok=True)
        for name in ("python", "python3"):
            (tools / name).write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
            (tools / name).chmod(0o755)
        return subprocess.run(
            [sys.executable, "-W", "ignore", "-m", "pre_commit", "run", "--all-files", "--color", "never"],
            cwd=project,
            env={
                **kept,
                "PRE_COMMIT_HOME": str(home),
                "COMPAT_TELEMETRY": "off",
                "PATH": f"{tools}{os.pathsep}{os.environ['PATH']}",
                **environment,
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=300,
        )

    return run


@pytest.mark.slow
def test_without_its_ledger_the_hook_fails_and_says_what_to_add(repository):
    done = repository()
    assert done.returncode == 1
    assert (
        "compat: ledger 'kit.moves:LEDGER' cannot be imported: No module named 'kit'; pre-commit runs this hook in an environment of "
        "its own: add the distribution that has 'kit' to the hook's additional_dependencies, or take the local hook that "
        "`compat ci pre-commit` prints\n"
    ) in done.stdout


@pytest.mark.slow
def test_a_project_that_names_no_ledger_does_not_pass_by_having_seen_none(repository, project):
    (project / "pyproject.toml").write_text("")
    done = repository()
    assert done.returncode == 1
    assert (
        "compat: this hook runs in an environment of pre-commit, where no ledger of the project is found; name them"
        in done.stdout
    )


@pytest.mark.slow
def test_a_ledger_of_the_project_itself_is_seen(repository, files, project):
    files({f"src/{name}": text for name, text in KIT.items() if name.startswith("kit/")})
    (project / "pyproject.toml").write_text('[tool.compat]\nledgers = ["kit.moves:LEDGER"]\n')
    done = repository()
    assert (
        done.returncode == 1 and "app.py:1:21: name: Importing Money from 'old_kit' is deprecated since kit 1.0 " in done.stdout
    )


@pytest.mark.slow
def test_hooks_see_a_ledger_by_additional_dependencies_pass_beside_a_baseline_and_rewrite(repository, project, kit):
    dependencies = [".[tools]", str(kit)]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join((str(TREE), str(kit))), "COMPAT_TELEMETRY": "off"}
    command = [sys.executable, "-m", "compat", "scan", "--update-baseline", "--accept-new"]
    assert subprocess.run(command, cwd=project, env=environment, timeout=60).returncode == 0
    done = repository(dependencies)
    assert (done.returncode, "Passed" in done.stdout) == (0, True), done.stdout
    (project / "more.py").write_text("import old_kit\nold_kit.price()\n")
    done = repository(dependencies)
    assert done.returncode == 1 and "more.py:2:1: name: " in done.stdout and "app.py" not in done.stdout
    done = repository(dependencies, hook="compat-fix")
    assert done.returncode == 1 and "files were modified by this hook" in done.stdout
    assert (project / "app.py").read_text() == "from kit.money import Amount\n"
    assert "old_kit" not in (project / "more.py").read_text()
    done = repository(dependencies, hook="compat-fix")
    assert done.returncode == 0, done.stdout


@pytest.mark.slow
def test_fix_without_its_extra_says_what_to_add(repository):
    done = repository([], hook="compat-fix")
    assert done.returncode == 1
    assert (
        "compat fix: the package 'click' is not in this hook's environment. Add \".[tools]\" to its additional_dep" in done.stdout
    )


@pytest.mark.slow
def test_local_hooks_as_compat_ci_writes_them_see_the_environment_of_the_project(repository, project, kit, compat_in):
    done = compat_in("ci", "pre-commit", "--write")
    assert (done.returncode, done.stdout) == (0, ".pre-commit-config.yaml\n")
    config = (project / ".pre-commit-config.yaml").read_text()
    (project / "app.py").write_text("from old_kit import Money, price\nprice(Money)\n")
    done = repository(config=config, PYTHONPATH=os.pathsep.join((str(TREE), str(kit))))
    assert done.returncode == 1 and "files were modified by this hook" in done.stdout
    assert (project / "app.py").read_text() == "from kit import cost\nfrom kit.money import Amount\ncost(Amount)\n"


def test_what_runs_at_once_would_read_one_baseline_and_is_serial():
    text = (TREE / ".pre-commit-hooks.yaml").read_text(encoding="utf-8")
    assert text.count("\n- id: ") == text.count("  require_serial: true\n") == 2


def test_the_hooks_are_valid_hooks(needed):
    needed("pre-commit", importlib.util.find_spec("pre_commit") is not None)
    command = [sys.executable, "-W", "ignore", "-m", "pre_commit", "validate-manifest", str(TREE / ".pre-commit-hooks.yaml")]
    assert subprocess.run(command, timeout=60).returncode == 0
