"""``compat ci``: what a project's CI and its tools can run, as text for each of them.

A text of its own (a workflow, a file that GitLab includes) is written whole. Where the project has a file already in which others
speak too (.pre-commit-config.yaml, noxfile.py, tox.ini), the text is added at its end, where that leaves what stands as it is.
"""

from __future__ import annotations

import os
import re
from typing import NamedTuple

from compat import configuration
from compat.errors import CompatError

from . import insertion
from .survey import Survey

CHECKOUT = "actions/checkout@93cb6efe18208431cddfb8368fd83d5badbf9bfd # v5.0.1"
SETUP_PYTHON = "actions/setup-python@e797f83bcb11b83ae66e0230d6156d7c80228e7c # v6.0.0"
UPLOAD_SARIF = "github/codeql-action/upload-sarif@5d4e8d1aca955e8d8589aabd499c5cae939e33c7 # v4.31.9"
PYTHON = "3.13"

GITHUB = """\
name: legacy uses

on:
  pull_request:
  workflow_call:

permissions: {{}}

concurrency:
  group: ${{{{ github.workflow }}}}-${{{{ github.ref }}}}-compat
  cancel-in-progress: true

jobs:
  legacy:
    name: legacy uses
    runs-on: ubuntu-latest
    timeout-minutes: 30
    permissions:
      contents: read
      security-events: write # upload of the scan
      pull-requests: write # the digest as a comment
    env:
      COMPAT_DIR: ${{{{ github.workspace }}}}/.compat-usage
      # A fork's token may neither upload nor comment.
      MAY_WRITE: ${{{{ github.event.pull_request.head.repo.full_name == github.repository }}}}
    steps:
      - uses: {checkout}
        with:
          persist-credentials: false
      - uses: {setup_python}
        with:
          python-version: "{python}"
      - name: Install
        run: {install}
      - name: "Scan: no new use, no paid debt in the baseline"
        run: {scan} --format sarif --output compat.sarif
      - name: Show what the scan found
        if: ${{{{ failure() }}}}
        run: {scan} --format github
      - name: Upload what the scan found
        if: ${{{{ !cancelled() && env.MAY_WRITE == 'true' && hashFiles('compat.sarif') != '' }}}}
        uses: {upload_sarif}
        with:
          sarif_file: compat.sarif
          category: compat
{tests}      - name: Digest
        if: ${{{{ !cancelled() }}}}
        run: {digest} && cat compat-digest.md >> "$GITHUB_STEP_SUMMARY"
      - name: Digest as a comment
        if: ${{{{ !cancelled() && env.MAY_WRITE == 'true' }}}}
        run: gh pr comment "$PULL_REQUEST" --edit-last --create-if-none --body-file compat-digest.md
        env:
          GH_TOKEN: ${{{{ github.token }}}}
          PULL_REQUEST: ${{{{ github.event.pull_request.number }}}}
"""
GITHUB_TESTS = """\
      - name: "Ratchet: the tests use what is allowed, and no more"
        if: ${{{{ !cancelled() }}}}
        run: {ratchet}
      - name: "Rehearsal: the tests as of the next removal"
        if: ${{{{ !cancelled() }}}}
        run: {rehearsal}
"""

GITLAB = """\
compat:
  stage: test
  image: python:{python}
  rules:
    - if: $CI_PIPELINE_SOURCE == "merge_request_event"
    - if: $CI_COMMIT_BRANCH == $CI_DEFAULT_BRANCH
  variables:
    COMPAT_DIR: $CI_PROJECT_DIR/.compat-usage
  before_script:
    - {install}
  script:
    - {scan} --format gitlab --output compat-quality.json
{tests}  after_script:
    - {digest}
    # A token that may write notes, as a masked variable of the project; without it there is no comment.
    - >-
      if [ -n "$COMPAT_NOTES_TOKEN" ] && [ -n "$CI_MERGE_REQUEST_IID" ]; then
      curl --fail --silent --show-error --header "PRIVATE-TOKEN: $COMPAT_NOTES_TOKEN" --data-urlencode "body@compat-digest.md"
      "$CI_API_V4_URL/projects/$CI_PROJECT_ID/merge_requests/$CI_MERGE_REQUEST_IID/notes"; fi
  artifacts:
    when: always
    paths: [compat-digest.md]
    reports:
      codequality: compat-quality.json
"""
GITLAB_TESTS = """\
    - {ratchet}
    - {rehearsal}
"""

PRE_COMMIT_HEAD = "repos:\n"
PRE_COMMIT = """\
{indent}# In the environment of the project, which has its ledgers: activate it before you commit.
{indent}- repo: local
{indent}  hooks:
{indent}    - id: compat-fix
{indent}      name: compat fix
{indent}      entry: python -m compat fix --write
{indent}      language: system
{indent}      types: [python]
{indent}      require_serial: true
{indent}    - id: compat-scan
{indent}      name: compat scan
{indent}      entry: python -m compat scan
{indent}      language: system
{indent}      types_or: [python, pyi, toml, yaml, json, ini]
{indent}      require_serial: true
"""

NOX_HEAD = '"""Sessions of nox."""\n\n'
NOX = """\
import compat.nox

# Each Python that is present, by each version at which a ledger removes something: nox -s rehearse
compat.nox.rehearsals("-e", ".", "pytest")
"""

TOX = """\
[testenv:rehearse]
description = the tests, as of the next removal of each ledger
deps =
    netra-compat
    pytest
commands =
    pytest --compat-as-of next {posargs}
"""


class Text(NamedTuple):
    """What one tool is to run: the file, the new whole of it, and what is added or written."""

    tool: str
    file: str
    whole: str
    block: str
    #: Where the file is another's and the block cannot be added to it: why, and what to do.
    refusal: str = ""


def texts(survey: Survey, tools: list[str]) -> list[Text]:
    """The text for each of some tools; raises :class:`compat.CompatError` for a file of theirs that cannot be read."""
    return [MAKERS[tool](survey) for tool in tools]


def _words(survey: Survey) -> dict[str, str]:
    sources = " ".join(survey.sources)
    needs = "" if "pytest" in survey.dependencies or not survey.tests else " pytest"
    return {
        "checkout": CHECKOUT,
        "setup_python": SETUP_PYTHON,
        "upload_sarif": UPLOAD_SARIF,
        "python": PYTHON,
        "install": f"python -m pip install 'netra-compat[tools]'{needs}{' -e .' if survey.project() else ''}",
        "scan": f"compat scan {sources}",
        "ratchet": "pytest --compat",
        "rehearsal": "pytest --compat-as-of next",
        "digest": "compat report --format digest > compat-digest.md && compat report --format markdown >> compat-digest.md",
    }


def _with_tests(survey: Survey, text: str, tests: str) -> str:
    words = _words(survey)
    has_plugin = "pytest" in configuration.KEYS and bool(survey.tests)
    return text.format(**words, tests=tests.format(**words) if has_plugin else "")


def _github(survey: Survey) -> Text:
    text = _with_tests(survey, GITHUB, GITHUB_TESTS)
    return Text("github", ".github/workflows/compat.yml", text, text)


def _gitlab(survey: Survey) -> Text:
    text = _with_tests(survey, GITLAB, GITLAB_TESTS)
    pipeline = os.path.join(survey.root, ".gitlab-ci.yml")
    is_ours = not os.path.exists(pipeline) or insertion.read(pipeline) == text
    name = ".gitlab-ci.yml" if is_ours else ".gitlab/compat.yml"
    return Text("gitlab", name, text, text)


def _pre_commit(survey: Survey) -> Text:
    name = ".pre-commit-config.yaml"
    old = insertion.read(os.path.join(survey.root, name))
    if not old.strip():
        block = PRE_COMMIT.format(indent="  ")
        return Text("pre-commit", name, PRE_COMMIT_HEAD + block, PRE_COMMIT_HEAD + block)
    if re.search(r"\bid:\s*['\"]?compat-scan\b", old):
        return Text("pre-commit", name, old, PRE_COMMIT_HEAD + PRE_COMMIT.format(indent="  "))
    items = re.findall(r"^( *)- +repo:", old, flags=re.M)
    block = PRE_COMMIT.format(indent=items[-1] if items else "  ")
    keys = re.findall(r"^([\w-]+):", old, flags=re.M)
    if not keys or keys[-1] != "repos" or not items:
        return Text("pre-commit", name, old, block, f"repos is not the last key of {name}, or holds nothing; add this to it")
    return Text("pre-commit", name, insertion.appended(old, block, gap=False), block)


def _nox(survey: Survey) -> Text:
    name = "noxfile.py"
    old = insertion.read(os.path.join(survey.root, name))
    if "compat.nox" in old:
        return Text("nox", name, old, NOX)
    return Text("nox", name, insertion.appended(old, f"\n{NOX}" if old.strip() else f"{NOX_HEAD}{NOX}"), NOX)


def _tox(survey: Survey) -> Text:
    tables = (survey.pyproject or {}).get("tool", {})
    is_toml = os.path.exists(os.path.join(survey.root, "tox.toml")) or (isinstance(tables, dict) and "tox" in tables)
    name = "tox.ini"
    old = insertion.read(os.path.join(survey.root, name))
    if "[testenv:rehearse]" in old:
        return Text("tox", name, old, TOX)
    if is_toml and not old:
        said = "tox is configured in TOML; write an environment of this content there"
        return Text("tox", name, old, TOX, said)
    return Text("tox", name, insertion.appended(old, TOX), TOX)


MAKERS = {"github": _github, "gitlab": _gitlab, "pre-commit": _pre_commit, "nox": _nox, "tox": _tox}


def chosen(survey: Survey, named: list[str]) -> list[str]:
    """The tools that are named, else those that the project uses; raises where there is none of them."""
    unknown = [tool for tool in named if tool not in MAKERS]
    if unknown:
        raise CompatError(f"there is no text for {unknown[0]!r}; there is one for {', '.join(MAKERS)}")
    found = named or list(survey.tools)
    if not found:
        raise CompatError(f"{survey.root} shows no CI or tool that is known here; name one: compat ci {'|'.join(MAKERS)}")
    return found


def replaces(survey: Survey, text: Text) -> bool:
    """Whether writing a text would take away something that stands in its file."""
    old = insertion.read(os.path.join(survey.root, text.file))
    return bool(old) and not text.whole.startswith(old.rstrip("\r\n"))
