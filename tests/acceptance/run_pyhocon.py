"""A real suite under the pytest plugin: pyhocon's own tests, on the pyparsing that deprecates what pyhocon is written in.

    python tests/acceptance/run_pyhocon.py --target DIRECTORY [--keep]

pyparsing 3.3 warns of its camelCase names. The ledger is made from the table in its guide; pyhocon 0.3.60 is the last release that uses
them. Both come as sdists from PyPI. The suite runs by itself, with the plugin, on two workers, against the ratchet, and as of pyparsing 4.0;
what the plugin counts is set against the warnings that pytest itself records, and each difference must have a known reason. Ends with
3 where a figure does not agree.
"""

from __future__ import annotations

import argparse
import collections
import json
import os
import pathlib
import subprocess
import sys
import tarfile
import time

PYPARSING, PYHOCON = "3.3.3", "0.3.60"
GUIDE = f"pyparsing-{PYPARSING}/docs/whats_new_in_3_0_0.rst"
MISSED = 3

LEDGER = '''"""The names that pyparsing's guide renames, made from its table."""

from compat import Deprecated, Ledger, common

V = common(since="3.0", removal="4.0")
LEDGER = Ledger("pyparsing") + [
{rows}]
'''
PROJECT = """[project]
name = "pyhocon"

[tool.compat]
ledgers = ["pyparsing_moves:LEDGER"]

[tool.pytest.ini_options]
pythonpath = ["."]
testpaths = ["tests"]
addopts = ["-q", "-p", "no:cacheprovider"]
"""
#: Writes what pytest records: the kind of warning, the file and the line, with the number of times.
RECORDER = """import collections, json, os

found = collections.Counter()


def pytest_warning_recorded(warning_message):
    kind, text = warning_message.category.__name__, str(warning_message.message)
    found[kind, "argument" if "argument is deprecated" in text else "name", warning_message.filename, warning_message.lineno] += 1


def pytest_sessionfinish(session):
    if not hasattr(session.config, "workerinput"):
        with open(os.environ["RECORDED"], "w") as file:
            json.dump([[*key, count] for key, count in found.items()], file)
"""
NEW_TEST = "from pyparsing import Word, alphas\n\n\ndef test_new():\n    Word(alphas).setName('word')\n"

Site = "tuple[str, int]"


def names(guide: str) -> list[tuple[str, str, str]]:
    """The table of the guide: the class (``""``: a name of the module), the old name, the new one."""
    found: dict[tuple[str, str], str] = {}
    owner = ""
    for line in guide.partition("Previous name")[2].partition("=====")[0].splitlines():
        words = line.split()
        if len(words) == 1 and not words[0].startswith("-"):
            owner = words[0]
        elif not words:
            owner = ""
        elif words[0] == "-" and len(words) == 3:
            found.setdefault((owner, words[2]), words[1])
        elif len(words) == 2 and not words[0].startswith("--"):
            found.setdefault(("", words[1]), words[0])
    return [(owner, old, new) for (owner, old), new in found.items()]


def ledger(guide: str) -> str:
    """The source of the ledger: a row per name of the guide, at the place where pyparsing defines it."""
    import pyparsing

    rows = []
    for owner, old, new in names(guide):
        holder = getattr(pyparsing, owner) if owner else pyparsing
        path = f"{holder.__module__}:{owner}.{old}" if owner else f"pyparsing:{old}"
        assert hasattr(holder, old), path
        rows.append(f"    Deprecated({path!r}, instead={f'{owner}.{new}' if owner else f'pyparsing.{new}'!r}, **V),\n")
    return LEDGER.format(rows="".join(rows))


class Suite:
    """pyhocon's tests in a directory of their own."""

    def __init__(self, target: pathlib.Path) -> None:
        self.path = target / f"pyhocon-{PYHOCON}"
        self.target = target
        self.missed: list[str] = []
        self.selected: list[str] = []

    def prepare(self) -> int:
        """Fetch both sdists and write the project; return the number of rows."""
        command = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--no-binary", ":all:", "-d", str(self.target)]
        for name in (f"pyparsing-{PYPARSING}", f"pyhocon-{PYHOCON}"):
            archive = self.target / f"{name}.tar.gz"
            if not archive.exists():
                subprocess.run([*command, name.replace("-", "==")], check=True)
            with tarfile.open(archive) as file:
                file.extractall(self.target, **({"filter": "data"} if hasattr(tarfile, "data_filter") else {}))
        text = ledger((self.target / GUIDE).read_text(encoding="utf-8"))
        for name, content in (("pyparsing_moves.py", text), ("pyproject.toml", PROJECT), ("recorder.py", RECORDER)):
            (self.path / name).write_text(content, encoding="utf-8")
        return text.count("Deprecated(")

    def run(self, *options: str) -> tuple[int, str, float]:
        """Run the tests; return the exit code, what was printed, and the seconds."""
        quiet = [f"-pno:{name}" for name in ("hypothesispytest", "anyio", "timeout")]
        environment = {name: value for name, value in os.environ.items() if not name.startswith(("COMPAT", "PYTEST", "GITHUB"))}
        environment.update(COMPAT_TELEMETRY="memory", RECORDED=str(self.path / "recorded.json"), PYTHONPATH=str(self.path))
        command = [sys.executable, "-m", "pytest", "-p", "recorder", *quiet, *self.selected, *options]
        started = time.perf_counter()
        done = subprocess.run(
            command, cwd=self.path, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        return done.returncode, done.stdout, time.perf_counter() - started

    def recorded(self, kind: str, what: str = "") -> collections.Counter:
        """What pytest recorded in the last run of one kind of warning, by file and line."""
        found: collections.Counter = collections.Counter()
        for category, of_what, file, line, count in json.loads((self.path / "recorded.json").read_text()):
            if category == kind and (not what or what == of_what):
                path = os.path.relpath(file, self.path)
                found[path if not path.startswith("..") else file.rpartition("site-packages/")[2], line] += count
        return found

    def counted(self) -> tuple[collections.Counter, list[dict]]:
        """What the plugin counted in the last run, by file and line; and its report."""
        uses = json.loads((self.path / "report.json").read_text())["uses"]
        found: collections.Counter = collections.Counter()
        for use in uses:
            found[use["file"], use["line"]] += use["count"]
        return found, uses

    def expect(self, what: str, is_so: bool, shown: object = "") -> None:
        """Print whether something is as it must be."""
        print(f"{'ok    ' if is_so else 'MISSED'}  {what}{f': {shown}' if shown != '' else ''}", flush=True)
        if not is_so:
            self.missed.append(what)


def failed(output: str) -> list[str]:
    """The tests and files that failed."""
    return sorted(line.split()[1] for line in output.splitlines() if line.startswith(("FAILED ", "ERROR tests")))


def main() -> int:
    """Run and compare; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--target", type=pathlib.Path, required=True)
    target = parser.parse_args().target.resolve()
    target.mkdir(parents=True, exist_ok=True)
    suite = Suite(target)
    print(f"pyparsing {PYPARSING}: {suite.prepare()} rows from its guide; pyhocon {PYHOCON}: its tests")
    go_on = "--continue-on-collection-errors"

    _, output, plain = suite.run("-p", "no:compat", go_on, "-rfE")
    before, last = failed(output), output.strip().splitlines()[-1]
    own = suite.recorded("PyparsingDeprecationWarning", "name")
    arguments = suite.recorded("PyparsingDeprecationWarning", "argument")
    print(f"by itself: {last}; fail on this pyparsing: {', '.join(before) or 'none'}")

    _, output, seconds = suite.run("--compat-report=report.json", go_on, "-rfE")
    counted, uses = suite.counted()
    suite.expect("the plugin changes no outcome", failed(output) == before, output.strip().splitlines()[-1])
    said = suite.recorded("LegacyUseWarning")
    suite.expect(
        "uses counted and LegacyUseWarnings recorded, place by place",
        counted == said,
        f"{sum(counted.values())}, {sum(said.values())}",
    )
    print(f"        {plain:.1f} s without, {seconds:.1f} s with the plugin")
    explain(suite, counted, own, arguments, uses)

    suite.run("--compat-report=report.json", go_on, "-n", "2")
    shared, more = suite.counted()
    suite.expect("two workers count what one process counts", shared == counted, sum(shared.values()))
    doubled = collections.Counter()
    for use in more:
        doubled[use["file"], use["line"]] += sum(count for by, count in use["by"].items() if by.startswith("collection of"))
    said = suite.recorded("LegacyUseWarning")
    suite.expect(
        "pytest records what is used in collection once per worker, and all else as counted",
        said == shared + doubled,
        sum(said.values()),
    )

    ratchet(suite, before)
    rehearse(suite)
    return MISSED if suite.missed else 0


def explain(
    suite: Suite, counted: collections.Counter, own: collections.Counter, arguments: collections.Counter, uses: list[dict]
) -> None:
    """Set the counts against the library's own warnings: each difference needs a reason."""
    print(
        f"        pyparsing's own warnings of names: {sum(own.values())}; of arguments, which the guide's table does not list: {sum(arguments.values())}"
    )
    kinds = {(use["file"], use["line"]): use for use in uses}
    reasons: collections.Counter = collections.Counter()
    for place in sorted({*counted, *own}):
        if counted[place] == own[place]:
            reasons["the same"] += 1
        elif place in kinds and kinds[place]["kind"] in ("import", "attribute") and not own[place]:
            reasons["a constant, of which pyparsing does not warn"] += 1
        else:
            reasons["unexplained"] += 1
            print(f"        {place}: counted {counted[place]}, pyparsing warned {own[place]}")
    suite.expect("each difference from pyparsing's own warnings has a reason", not reasons["unexplained"], dict(reasons))


def ratchet(suite: Suite, before: list[str]) -> None:
    """Record what passes on this pyparsing; then add a use, and take one away."""
    files = [entry for entry in before if "::" not in entry]
    tests = [entry.rpartition("::")[2] for entry in before if "::" in entry]
    suite.selected = [*(f"--ignore={file}" for file in files), "-k", " and ".join(f"not {name}" for name in tests) or "test"]
    code, _, _ = suite.run("--compat-record")
    lines = [line for line in (suite.path / "compat-uses.txt").read_text().splitlines() if line[0] != "#"]
    suite.expect("the ratchet is written", code == 0 and bool(lines), f"{len(lines)} lines")
    suite.expect("it holds", suite.run("--compat")[0] == 0)
    suite.expect("and on two workers", suite.run("--compat", "-n", "2")[0] == 0)
    new = suite.path / "tests" / "test_new.py"
    new.write_text(NEW_TEST)
    code, output, _ = suite.run("--compat")
    new.unlink()
    told = "new: pyparsing.core:ParserElement.setName at tests/test_new.py:5, compat-uses.txt does not allow it; used by tests/test_new.py::test_new"
    suite.expect("a new use fails and names its test", code == 1 and told in output)
    with open(suite.path / "compat-uses.txt", "a") as file:
        file.write("pyparsing:oneOf pyhocon/config_parser.py 1\n")
    code, output, _ = suite.run("--compat")
    suite.expect("one that is gone fails", code == 1 and "gone: pyparsing:oneOf in pyhocon/config_parser.py" in output)
    suite.expect("not in a run of one file", suite.run("--compat", "tests/test_periods.py")[0] == 0)
    (suite.path / "compat-uses.txt").unlink()


def rehearse(suite: Suite) -> None:
    """Run as of the next version; list what fails; run again."""
    code, output, _ = suite.run("--compat-as-of=next", "--compat-record")
    listed = [line for line in (suite.path / "compat-expected.txt").read_text().splitlines() if line[0] != "#"]
    suite.expect(
        "the next version is 4.0, and tests fail there",
        code == 1 and "as of" in output and "pyparsing=4.0" in output,
        f"{len(listed)} listed",
    )
    code, output, _ = suite.run("--compat-as-of=next")
    suite.expect("with the list the rehearsal passes", code == 0, output.strip().splitlines()[-1])
    suite.expect("on two workers, too", suite.run("--compat-as-of=next", "-n", "2")[0] == 0)
    (suite.path / "compat-expected.txt").unlink()


if __name__ == "__main__":
    sys.exit(main())
