"""``compat ci``: texts for what a project uses, added to what stands, and never in its place unless forced."""

from __future__ import annotations

import pytest

from compat.project import pipelines

PRE_COMMIT = """\
# ours
repos:
-   repo: https://github.com/psf/black
    rev: 24.1.0
    hooks:
    -   id: black   # the first
"""
FILES = {
    "github": ".github/workflows/compat.yml",
    "gitlab": ".gitlab-ci.yml",
    "pre-commit": ".pre-commit-config.yaml",
    "nox": "noxfile.py",
    "tox": "tox.ini",
}


@pytest.fixture
def shop(files):
    files({"pyproject.toml": '[project]\nname = "shop"\nversion = "1"\n', "src/shop/__init__.py": "", "tests/test_a.py": ""})


def snapshot(project):
    return {path.relative_to(project).as_posix(): path.read_bytes() for path in project.rglob("*") if path.is_file()}


def test_there_is_a_text_for_every_tool():
    assert list(FILES) == list(pipelines.MAKERS)


@pytest.mark.parametrize("tool", list(FILES))
def test_a_text_is_printed_then_written_then_there(compat_in, shop, project, tool):
    before = snapshot(project)
    shown = compat_in("ci", tool)
    assert (shown.returncode, shown.stderr, snapshot(project)) == (0, "", before)
    assert shown.stdout.startswith(f"# {FILES[tool]}\n")
    written = compat_in("ci", tool, "--write")
    assert (written.returncode, written.stdout) == (0, f"{FILES[tool]}\n")
    text = (project / FILES[tool]).read_text()
    assert text.endswith(shown.stdout.partition("\n")[2][:-1])
    again = compat_in("ci", tool, "--write")
    assert (again.returncode, again.stdout, again.stderr) == (0, "", f"{FILES[tool]} has it already\n")
    assert (project / FILES[tool]).read_text() == text


@pytest.mark.parametrize(
    ("texts", "tools"),
    [
        ({".github/dependabot.yml": ""}, ["github"]),
        ({".git/config": '[remote "origin"]\n\turl = git@gitlab.example.org:a/b.git\n'}, ["gitlab"]),
        ({".git/config": '[remote "origin"]\n\turl = https://github.com/a/b\n', "noxfile.py": ""}, ["github", "nox"]),
        ({"tox.ini": "[tox]\n", ".pre-commit-config.yaml": "repos: []\n", ".gitlab-ci.yml": ""}, ["gitlab", "pre-commit", "tox"]),
    ],
)
def test_what_the_project_uses_is_suggested(compat_in, shop, files, texts, tools):
    files(texts)
    done = compat_in("ci")
    files_of = {"gitlab": ".gitlab/compat.yml" if ".gitlab-ci.yml" in texts else ".gitlab-ci.yml"}
    expected = [f"# {files_of.get(tool, FILES[tool])}" for tool in tools]
    names = {f"# {name}" for name in (*FILES.values(), ".gitlab/compat.yml")}
    assert [line for line in done.stdout.splitlines() if line in names] == expected


def test_a_file_that_differs_stays_unless_it_is_forced(compat_in, shop, files, project):
    files({FILES["github"]: "name: ours\n"})
    done = compat_in("ci", "github", "--write")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        ".github/workflows/compat.yml is not written: it holds something else; see compat ci github, or give --force\n"
    )
    assert (project / FILES["github"]).read_text() == "name: ours\n"
    assert compat_in("ci", "github", "--write", "--force").returncode == 0
    assert (project / FILES["github"]).read_text().startswith("name: legacy uses\n")


def test_hooks_are_added_behind_those_that_there_are_in_their_form(compat_in, shop, files, project):
    files({FILES["pre-commit"]: PRE_COMMIT})
    assert compat_in("ci", "pre-commit", "--write").returncode == 0
    text = (project / FILES["pre-commit"]).read_text()
    assert text.startswith(PRE_COMMIT) and "\n- repo: local\n  hooks:\n    - id: compat-fix\n" in text


@pytest.mark.parametrize("text", ["repos: []\n", PRE_COMMIT + "ci:\n  skip: [black]\n", "ci: {}\n"])
def test_hooks_that_have_no_place_are_shown_instead(compat_in, shop, files, project, text):
    files({FILES["pre-commit"]: text})
    done = compat_in("ci", "pre-commit", "--write", "--force")
    assert (done.returncode, done.stdout, (project / FILES["pre-commit"]).read_text()) == (1, "", text)
    assert "is not written: repos is not the last key of .pre-commit-config.yaml" in done.stderr
    assert "- repo: local\n" in done.stderr


@pytest.mark.parametrize(("tool", "old"), [("nox", "import nox\n"), ("tox", "[tox]\nenv_list = py\n")])
def test_sessions_are_added_behind_those_that_there_are(compat_in, shop, files, project, tool, old):
    files({FILES[tool]: old})
    assert compat_in("ci", tool, "--write").returncode == 0
    text = (project / FILES[tool]).read_text()
    assert text.startswith(f"{old}\n") and len(text) > len(old) + 100


def test_gitlab_includes_a_file_of_its_own_where_there_is_a_pipeline(compat_in, shop, files, project):
    files({FILES["gitlab"]: "stages: [test]\n"})
    done = compat_in("ci", "--write")
    assert (done.returncode, done.stdout) == (0, ".gitlab/compat.yml\n")
    assert done.stderr == "next: add to .gitlab-ci.yml\n\ninclude:\n  - local: .gitlab/compat.yml\n"
    assert (project / FILES["gitlab"]).read_text() == "stages: [test]\n"


def test_tox_in_toml_is_shown_instead(compat_in, shop, project):
    with open(project / "pyproject.toml", "a") as file:
        file.write("[tool.tox]\nenv_list = ['py']\n")
    done = compat_in("ci", "--write")
    assert done.returncode == 1 and "tox is configured in TOML" in done.stderr and not (project / "tox.ini").exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["ci"], " shows no CI or tool that is known here; name one: compat ci github|gitlab|pre-commit|nox|tox\n"),
        (["ci", "jenkins"], "there is no text for 'jenkins'; there is one for github, gitlab, pre-commit, nox, tox\n"),
    ],
)
def test_nothing_to_suggest_is_one_sentence(compat_in, shop, arguments, said):
    done = compat_in(*arguments)
    assert (done.returncode, done.stdout) == (2, "") and done.stderr.endswith(said) and done.stderr.count("\n") == 1


def test_a_project_without_tests_or_project_table_runs_none(compat_in, files):
    files({"app/__init__.py": ""})
    text = compat_in("ci", "github").stdout
    assert "pytest" not in text and " -e ." not in text and "compat scan app --format sarif" in text
