"""Users of pyparsing taken to its new names, file by file, beside pyparsing's own codemod and ruff's rule for banned names.

    python tests/acceptance/run_pyparsing_users.py --target DIRECTORY [--option=--types]

The ledger is made from the table in pyparsing's guide. The users are the last releases of five packages that are written in the old
names; all come from PyPI. For each file that has some, the table says how many stand in it, how many are left after ``compat fix``
(with how many of them named as skipped), how many after ``pyparsing.tools.cvt_pyparsing_pep8_names``, how many ruff's TID251 reports,
and whether each package still does what it did, with the number of deprecations that pyparsing itself then warns of. Ends with 3 where
a rewritten file does not parse, a package that worked does not work after ``compat fix``, a package warns of as many deprecations as
before, or more names are left than MOST_LEFT.
"""

from __future__ import annotations

import argparse
import ast
import io
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tarfile
import tokenize
import zipfile

sys.path.insert(0, str(pathlib.Path(__file__).parent))

from run_pyhocon import GUIDE, PYPARSING, names

ROOT = pathlib.Path(__file__).parents[2]
MISSED = 3
#: What no file says the class of, as counted when these releases were last looked at.
MOST_LEFT = 66
RUFF = shutil.which("ruff") or os.path.join(os.path.dirname(sys.executable), "ruff")
#: Package, version, its folder, and what it does with pyparsing: prints something.
USERS = {
    "pyhocon": ("0.3.60", "pyhocon", "from pyhocon import ConfigFactory as C; print(C.parse_string('a { b : 1, c : ${a.b}x }'))"),
    "pydot": ("1.4.2", "", "import pydot; print(pydot.graph_from_dot_data('digraph { a -> b [label=\"x\"] }')[0].to_string())"),
    "packaging": (
        "20.9",
        "packaging",
        "from packaging.requirements import Requirement as R; print(R('x[y]>=1; python_version<\"3\"').marker)",
    ),
    "httplib2": (
        "0.20.4",
        "httplib2",
        "from httplib2.auth import _parse_www_authenticate as p; print(p({'www-authenticate': 'Basic realm=\"x\", a=b'}))",
    ),
    "rdflib": (
        "6.1.1",
        "rdflib",
        "from rdflib.plugins.sparql.parser import parseQuery as p; print(p('SELECT ?a WHERE { ?a <b:c> ?d . FILTER(?d > 1) }'))",
    ),
}
LEDGER = '''"""The names that pyparsing's guide renames, made from its table."""

import pyparsing
from compat import Ledger, Method, Name

V = {{"since": "3.0", "removal": "4.0", "instead": None}}
NAMES = {names!r}
METHODS = {methods!r}


def kinds(base):
    """A class of pyparsing and those below it."""
    return [kind for kind in vars(pyparsing).values() if isinstance(kind, type) and issubclass(kind, base)]


LEDGER = Ledger("pyparsing", version="3.3", docs="")
LEDGER += [Name("pyparsing:" + old, "pyparsing:" + new, **V) for old, new in NAMES]
LEDGER += {{
    path: Method(path, kind.__module__ + ":" + kind.__name__ + "." + new, **V)
    for owner, old, new in METHODS
    for kind in kinds(getattr(pyparsing, owner))
    for path in [kind.__module__ + ":" + kind.__name__ + "." + old]
}}.values()
'''
RUN = """
import sys, warnings
warnings.simplefilter("ignore")
with warnings.catch_warnings(record=True) as found:
    warnings.simplefilter("always")
    exec(sys.argv[1])
print(sum(issubclass(one.category, DeprecationWarning) and "pyparsing" in str(type(one.message).__mro__) + str(one.filename)
          or "deprecated - use" in str(one.message) for one in found), file=sys.stderr)
"""


def fetch(target: pathlib.Path) -> str:
    """Unpack pyparsing's sdist for its guide, and the users; return the text of the guide."""
    pip = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "-d", str(target)]
    archives = {name: f"{name}=={version}" for name, (version, _folder, _program) in USERS.items()}
    for name, wanted in {"pyparsing": f"pyparsing=={PYPARSING}", **archives}.items():
        if not list(target.glob(f"{name}-*.whl")) and not list(target.glob(f"{name}-*.tar.gz")):
            subprocess.run(
                [
                    *pip,
                    "--no-binary" if name == "pyparsing" else "--prefer-binary",
                    *([":all:"] if name == "pyparsing" else []),
                    wanted,
                ],
                check=True,
            )
        place = target / "before" / name
        if place.exists():
            continue
        for wheel in target.glob(f"{name}-*.whl"):
            zipfile.ZipFile(wheel).extractall(place)
        for sdist in target.glob(f"{name}-*.tar.gz"):
            with tarfile.open(sdist) as file:
                file.extractall(target, **({"filter": "data"} if hasattr(tarfile, "data_filter") else {}))
            if name != "pyparsing":
                shutil.copytree(target / sdist.name.replace(".tar.gz", ""), place)
    return (target / GUIDE).read_text(encoding="utf-8")


def write_ledger(guide: str, target: pathlib.Path) -> tuple[set[str], int]:
    """Write the ledger; return the old names, and how many the guide has."""
    import pyparsing

    told = [
        (owner, old, new) for owner, old, new in names(guide) if hasattr(getattr(pyparsing, owner) if owner else pyparsing, new)
    ]
    text = LEDGER.format(names=[(old, new) for owner, old, new in told if not owner], methods=[row for row in told if row[0]])
    (target / "pyparsing_moves.py").write_text(text)
    return {old for _owner, old, _new in told}, len(told)


def count(path: pathlib.Path, old: set[str]) -> int:
    """How often an old name stands in the code of a file."""
    tokens = tokenize.generate_tokens(io.StringIO(path.read_text(encoding="utf-8")).readline)
    return sum(token.type == tokenize.NAME and token.string in old for token in tokens)


def works(tree: pathlib.Path, name: str) -> tuple[str, int]:
    """What a package prints, and how many deprecations pyparsing warns of."""
    environment = {**os.environ, "PYTHONPATH": str(tree / name), "COMPAT": "off", "PYTHONHASHSEED": "0"}
    done = subprocess.run([sys.executable, "-c", RUN, USERS[name][2]], env=environment, capture_output=True, text=True, cwd=tree)
    if done.returncode:
        return f"fails: {done.stderr.strip().splitlines()[-1][:80]}", 0
    return done.stdout, int(done.stderr.split()[-1])


def main() -> int:
    """Run all, print the table, and return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--target", type=pathlib.Path, required=True)
    parser.add_argument("--option", action="append", default=[], help="One more option of compat fix, such as --types.")
    given = parser.parse_args()
    target = given.target.resolve()
    target.mkdir(parents=True, exist_ok=True)
    old, rows = write_ledger(fetch(target), target)
    trees = {kind: target / kind for kind in ("before", "ours", "peer")}
    for kind in ("ours", "peer"):
        shutil.rmtree(trees[kind], ignore_errors=True)
        shutil.copytree(trees["before"], trees[kind])
    files = [path.relative_to(trees["before"]) for path in sorted(trees["before"].rglob("*.py"))]
    files = [path for path in files if "pyparsing" in (trees["before"] / path).read_text(encoding="utf-8", errors="replace")]
    files = [path for path in files if count(trees["before"] / path, old)]

    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), str(target)]), "COMPAT_TELEMETRY": "off"}
    command = [sys.executable, "-m", "compat", "fix", "--ledger", "pyparsing_moves:LEDGER", "--write", "--verify", "--quiet"]
    done = subprocess.run([*command, *given.option, "."], cwd=trees["ours"], env=environment, capture_output=True, text=True)
    print(f"{rows} names of the guide; compat fix: {done.stderr.strip()}")
    command = [sys.executable, "-m", "compat", "fix", "--ledger", "pyparsing_moves:LEDGER", *given.option, "."]
    again = subprocess.run(command, cwd=trees["ours"], env=environment, capture_output=True, text=True)
    skipped = [line.split(":")[0] for line in again.stderr.splitlines() if ": skipped: " in line]
    command = [sys.executable, "-m", "pyparsing.tools.cvt_pyparsing_pep8_names", "--update"]
    subprocess.run([*command, *map(str, files)], cwd=trees["peer"], capture_output=True, check=False)
    banned = "".join(f'"pyparsing.{name}".msg = "old"\n' for name in sorted(old))
    (target / "ruff.toml").write_text(f"[lint.flake8-tidy-imports.banned-api]\n{banned}")
    ruff = [RUFF, "check", "--config", str(target / "ruff.toml")]
    told = subprocess.run(
        [*ruff, "--select", "TID251", "--no-cache", "--output-format", "json", "."],
        cwd=trees["before"],
        capture_output=True,
        text=True,
    )
    reported = [os.path.relpath(one["filename"], trees["before"]) for one in json.loads(told.stdout or "[]")]

    missed = 0
    print(f"{'file':<48}{'old':>5}{'ours':>6}{'told':>6}{'peer':>6}{'ruff':>6}")
    total = [0] * 5
    for path in files:
        figures = [
            count(trees["before"] / path, old),
            count(trees["ours"] / path, old),
            skipped.count(str(path)),
            count(trees["peer"] / path, old),
            reported.count(str(path)),
        ]
        total = [before + more for before, more in zip(total, figures)]
        for kind in ("ours", "peer"):
            try:
                ast.parse((trees[kind] / path).read_text(encoding="utf-8"))
            except SyntaxError as error:
                print(f"{kind}: {path} does not parse: {error}")
                missed += kind == "ours"
        print(f"{path!s:<48}" + "".join(f"{figure:>6}" for figure in figures)[1:])
    print(f"{'all':<48}" + "".join(f"{figure:>6}" for figure in total)[1:])
    missed += total[1] > MOST_LEFT
    for name in USERS:
        before, ours, peer = (works(trees[kind], name) for kind in ("before", "ours", "peer"))
        is_broken = before[0] != ours[0] and not before[0].startswith("fails")
        missed += is_broken or ours[1] >= before[1]
        said = [
            shown if shown.startswith("fails") else "same" if shown == before[0] else "differs"
            for shown, _count in (before, ours, peer)
        ]
        print(f"{name}: before {said[0]} ({before[1]} deprecations), ours {said[1]} ({ours[1]}), peer {said[2]} ({peer[1]})")
    return MISSED if missed else 0


if __name__ == "__main__":
    raise SystemExit(main())
