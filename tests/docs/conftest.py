"""Pages of documentation run as a reader would run them: files are written, commands run, output is compared.

The first line of a block says what it is: ``# shop/moves.py`` makes it the file of that name, ``# shop/moves.py (continued)`` what
is appended to it; what a workflow or a Dockerfile runs is run. Python without a file name runs as a program of its own. Of ``console`` blocks the output counts: ``...`` stands
for what differs from run to run. ``<!-- needs: starlette -->`` before a block skips it where that module is not installed.
"""

from __future__ import annotations

import importlib.util
import os
import pathlib
import re
import shlex
import shutil
import signal
import subprocess
import sys
import threading

import pytest
from sybil import Document
from sybil.parsers.markdown import CodeBlockParser

ROOT = pathlib.Path(__file__).parents[2]
HERE = pathlib.Path(__file__).parent
FILE = re.compile(r"# ([\w./-]+\.\w+|Dockerfile)( \(continued\))?\n")
STEP = re.compile(r"^ *(?:- run:|RUN) (.+)$", flags=re.M)
NEEDS = re.compile(r"<!-- needs: ([\w., ]+) -->\s*$")
SERVERS = re.compile(r"(?:[A-Z_]+=\S+ )*(compat serve|compat serve-ws|uvicorn)(?: |$)(?!.*--help)")
#: Commands whose exit code 1 says that they found something.
FINDS = re.compile(r"(?:[A-Z_]+=\S+ )*compat (scan|fix|ready|compliance|audit)\b")
MODULES = ("compat", "pytest", "ruff", "mypy", "uvicorn")

PYTHON = """#!/bin/sh
if [ "$1 $2" = "-m venv" ]; then mkdir -p "$3/bin" && exec cp {bin}/* "$3/bin"; fi
exec {python} "$@"
"""


class Page:
    """One page, in a directory of its own; what it writes and counts stays there."""

    def __init__(self, path: pathlib.Path, directory: pathlib.Path) -> None:
        self.path, self.directory, self.code = path, directory / "page", 0
        given = HERE / "given" / path.stem
        if given.is_dir():
            shutil.copytree(given, self.directory)
        self.directory.mkdir(exist_ok=True)
        #: What developers run is run on this tree; tests are collected only, which shows that they are there.
        self.is_for_developers = path.name == "CONTRIBUTING.md" or path.parent.name == "tests"
        if self.is_for_developers:
            for name in ("tests", "pyproject.toml"):
                (self.directory / name).symlink_to(ROOT / name)
        tools = directory / "bin"
        tools.mkdir()
        for name, text in self._tools(tools).items():
            (tools / name).write_text(text, encoding="utf-8")
            (tools / name).chmod(0o755)
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith(("COMPAT", "PYTEST_", "COV_"))},
            "COMPAT_ENVIRONMENT": "production",  # on a build machine, too
            "PATH": f"{tools}{os.pathsep}{os.environ['PATH']}",
            "PYTHONPATH": str(self.directory),
            "PYTHONDONTWRITEBYTECODE": "1",
            "HOME": str(directory),
            "COMPAT_DIR": str(directory / "state"),
            "COLUMNS": "120",
            "NO_COLOR": "1",
            "TERM": "dumb",
        }

    def _tools(self, tools: pathlib.Path) -> dict[str, str]:
        python = shlex.quote(sys.executable)
        texts = {name: f'#!/bin/sh\nexec {python} -m {name} "$@"\n' for name in MODULES}
        for name in ("python", "python3"):
            texts[name] = PYTHON.format(python=python, bin=shlex.quote(str(tools)))
        if self.is_for_developers:
            texts["pytest"] = f'#!/bin/sh\nexec {python} -m pytest -p no:cacheprovider --collect-only "$@"\n'
        for name in ("pip", "nox"):
            texts[name] = f'#!/bin/sh\nexec {python} {shlex.quote(str(HERE / "stand_in.py"))} {name} "$@"\n'
        return texts

    def run(self) -> int:
        """Run every block in order; return how many there were."""
        document = Document.parse(str(self.path), *[CodeBlockParser(name, self._runs(name)) for name in self._languages])
        examples = list(document.examples())
        for example in examples:
            example.evaluate()
        return len(examples)

    @property
    def _languages(self) -> list[str]:
        return ["python", "toml", "yaml", "dockerfile", "ini", "sh", "console"]

    def _runs(self, language):
        def evaluate(example):
            needs = NEEDS.search(example.document.text[: example.start])
            if needs and not all(map(is_installed, needs[1].split(", "))):
                return None
            source = str(example.parsed)
            named = FILE.match(source)
            if named:
                return self._write(named, source)
            return getattr(self, f"_{language}")(source)

        return evaluate

    def _write(self, named, source):
        file = self.directory / named[1]
        file.parent.mkdir(parents=True, exist_ok=True)
        with open(file, "a" if named[2] else "w", encoding="utf-8") as stream:
            stream.write(source[named.end() :])
        # What a workflow or a Dockerfile runs, the page runs too.
        return self._sh("\n".join(STEP.findall(source))) if file.suffix in ("", ".yml", ".yaml") else None

    def _python(self, source):
        done = self._start([sys.executable, "-c", source])
        return None if done.returncode == 0 else done.stdout

    def _toml(self, source):
        return "a TOML block begins with the name of its file: # pyproject.toml"

    _yaml = _dockerfile = _ini = _toml

    def _sh(self, source):
        # A command goes on in the next line after a backslash.
        for command in re.sub(r"\\\n\s*", "", source).splitlines():
            if not command.strip() or command.startswith("#"):
                continue
            if SERVERS.match(command):
                problem = self._serves(command)
            else:
                done = self._start(["bash", "-c", command])
                found = done.returncode == 1 and FINDS.match(command)
                problem = f"$ {command}\n{done.stdout}[exit code {done.returncode}]" if done.returncode and not found else None
            if problem:
                return problem
        return None

    def _console(self, source):
        steps = re.split(r"^\$ ", source, flags=re.M)[1:]
        for number, step in enumerate(steps):
            command, _, expected = step.partition("\n")
            if command == "echo $?":
                found = f"{self.code}\n"
            else:
                done = self._start(["bash", "-c", command])
                found, self.code = done.stdout, done.returncode
                asked = number + 1 < len(steps) and steps[number + 1].startswith("echo $?")
                if self.code and not asked:
                    return f"$ {command}\n{found}[exit code {self.code}]"
            if not matches(expected, found):
                return f"$ {command}\nexpected:\n{expected}\nfound:\n{found}"
        return None

    def _start(self, command):
        return subprocess.run(
            command,
            cwd=self.directory,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            encoding="utf-8",
            timeout=300,
        )

    def _serves(self, command):
        """Start a server on a free port, wait until it says where it listens, and stop it as Ctrl-C does."""
        with subprocess.Popen(
            ["bash", "-c", f"{command.partition('#')[0]} --port 0"],
            cwd=self.directory,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        ) as server:
            give_up = threading.Timer(60, server.kill)
            give_up.start()
            seen = []
            for line in server.stdout:
                seen.append(line)
                if re.search("(http|ws)://", line):
                    server.send_signal(signal.SIGINT)
                    break
            server.stdout.read()
            server.wait()
            give_up.cancel()
        return None if any(re.search("(http|ws)://", line) for line in seen) else f"$ {command}\n{''.join(seen)}"


def is_installed(module: str) -> bool:
    """Whether a module, or a module in a package, can be imported."""
    try:
        return importlib.util.find_spec(module) is not None
    except ModuleNotFoundError:
        return False


def matches(expected: str, found: str) -> bool:
    """Compare line by line, ends of lines apart; ``...`` alone stands for any lines, within a line for any text."""
    pattern = ""
    for line in expected.rstrip().splitlines():
        if line.strip() == "...":
            pattern += r"(?:[^\n]*\n)*?"
        else:
            pattern += r"[^\n]*?".join(re.escape(part) for part in line.rstrip().split("...")) + r"[ \t]*\n"
    return re.fullmatch(pattern, found.rstrip() + "\n" if found.strip() else "") is not None


@pytest.fixture
def page(request, tmp_path) -> Page:
    """The page that the test is for."""
    return Page(ROOT / request.param, tmp_path)
