"""Dense, sparse and small trees beside each other: ``python tests/bench/analysis/bench_trees.py [FILES]``.

``compat scan`` as a user runs it (all cores, results kept) beside ruff TID251 with the same names, both by their defaults: cold,
without results of an earlier run, and warm. The trees are Python files of this environment's site-packages, into which imports of
the shipped ledger's names are written, as often as the measured code base had them (``tests/netra/surface.tsv``): into two thirds
of the files, into 7 %, and into one of a tree of 50. FILES is the size of the large trees, 10,000 by default. Whole processes, run
in turn; the best of ROUNDS counts. Beside the bars stands a floor: what this interpreter takes to start, to read every file, and
to make syntax trees of those files alone whose imports do not tell what they use (of all files with a use, if none told). Last,
CPU of ``compat fix`` on the dense tree beside that of its scan. A missed bar is exit code 3.
"""

from __future__ import annotations

import ast
import contextlib
import csv
import gc
import os
import random
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import time
import warnings
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from bench_scan import PARSING, Cost, measure, our_command

ROOT = Path(__file__).parents[3]
#: Share of the files with uses, and the bars: cold and warm against ruff's wall, or (the small tree) CPU seconds.
TREES = {"dense": (2 / 3, 2.0, 0.6), "sparse": (0.07, 0.6, 0.6), "small": (0.02, 0.0, 0.0)}
SMALL, SMALL_CPU, FIX = 50, 0.15, 1.5


#: As the floor of ``bench_scan``, with syntax trees of the files of a list.
FLOOR = PARSING.replace(
    "def use", "import sys\nlisted = {*open(sys.argv[2], encoding='utf-8').read().splitlines()}\ndef use"
).replace("if buffer.find(b'netra_backend', 0, size) >= 0:", "if entry.path in listed:")


def surface() -> tuple[list[tuple[str, str]], list[int]]:
    """Module and name of each legacy name, and how often the measured code base imports it."""
    with open(ROOT / "tests" / "netra" / "surface.tsv", encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file, delimiter="\t") if row["name"].isidentifier()]
    return [(row["module"], row["name"]) for row in rows], [max(int(row["uses"]), 1) for row in rows]


def make_tree(tree: Path, count: int, share: float) -> None:
    """Copy files of site-packages, again and again until there are enough, and write imports and calls into a share of them."""
    chance = random.Random(14)
    names, weights = surface()
    found = [path for path in sorted(Path(sysconfig.get_paths()["purelib"]).rglob("*.py")) if path.stat().st_size < 100_000]
    for number in range(count):
        raw = found[number % len(found)].read_bytes()
        folder = tree / f"part{number // 100}"
        folder.mkdir(parents=True, exist_ok=True)
        lines = []
        if chance.random() < share or (count <= SMALL and number == 0):
            for module, name in chance.choices(names, weights, k=chance.randint(1, 5)):
                lines.append(f"from {module} import {name} as _use_{len(lines)}\n_use_{len(lines)}()\n")
        (folder / f"module{number}.py").write_bytes(raw + "\n\n".join(["\n", *lines]).encode())


def parsed(tree: Path) -> tuple[list[str], list[str]]:
    """The files that a scan makes a syntax tree of, and all in which something may be used."""
    sys.path.insert(0, str(ROOT))
    from compat.analysis.config import Settings
    from compat.analysis.reading.files import Trees
    from compat.analysis.scanning import file_scanner
    from compat.netra.ledger import LEDGER

    scanner = file_scanner.Scanner(LEDGER, Settings(), file_scanner.Selection(), [str(tree)])
    taken: list[str] = []
    examine = scanner.examine
    scanner.examine = lambda item, raw: taken.append(item.path) or examine(item, raw)
    found = scanner.files(Trees([str(tree)], gitignore=False, data=False))
    used = [item.path for item, examined in found if examined is not None and examined.findings]
    return taken, used


def trees_of_fix(tree: Path) -> tuple[int, float]:
    """How many syntax trees a fix makes of files, or of the parts of them that matter, and the CPU seconds of that alone."""
    from compat.analysis import fixer
    from compat.analysis.reading import dialects
    from compat.netra.ledger import LEDGER

    texts: list[str] = []
    parse = dialects.parse_text
    dialects.parse_text = lambda text: texts.append(text) or parse(text)
    fixer.fix([str(tree)], LEDGER, gitignore=False)
    dialects.parse_text = parse
    gc.disable()
    warnings.simplefilter("ignore")
    started = time.process_time()
    for text in texts:
        with contextlib.suppress(SyntaxError):
            ast.parse(text)
    gc.enable()
    return len(texts), time.process_time() - started


def run(tree: Path, folder: Path, ruff: str) -> dict[str, Cost]:
    """The costs of both tools on one tree, cold and warm, and the floors."""
    project = tree.parent
    (project / "pyproject.toml").write_text('[tool.compat]\nledgers = ["compat.netra.ledger:LEDGER"]\n')
    check = [ruff, "check", "--config", str(folder / "ruff.toml"), "--select", "TID251", "--quiet"]
    scan = our_command("scan", "--no-config", "--output", os.devnull, str(tree))
    commands = {
        "ruff cold": [*check, "--no-cache", str(tree)],
        "scan cold": [*scan, "--no-cache"],
        "ruff warm": [*check, "--cache-dir", str(project / "ruff-cache"), str(tree)],
        "scan warm": scan,
    }
    for name, paths in zip(("floor", "floor of all"), parsed(tree)):
        listed = project / f"{name}.txt"
        listed.write_text("\n".join(paths), encoding="utf-8")
        commands[name] = [sys.executable, "-c", FLOOR, str(tree), str(listed)]
    return measure(commands, project)


def main() -> int:
    """Measure, print a table, and return how many bars were missed."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    ruff = shutil.which("ruff", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}")
    if not ruff:
        raise SystemExit("ruff is not installed: pip install ruff")
    missed = 0
    print(f"{os.cpu_count()} CPUs, load {os.getloadavg()[0]:.1f}")
    print(
        f"{'tree':<7}{'files':>7}{'MB':>7}  {'cold: scan':>11}{'ruff':>8}{'ratio':>7}{'bar':>5}  {'warm: scan':>11}{'ruff':>8}{'ratio':>7}{'bar':>5}"
    )
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        subprocess.run(our_command("export", "ruff", "-o", str(folder / "ruff.toml")), check=True, env=environment)
        for kind, (share, cold, warm) in TREES.items():
            tree = folder / kind / "tree"
            files = SMALL if kind == "small" else count
            make_tree(tree, files, share)
            size = sum(path.stat().st_size for path in tree.rglob("*.py")) / 1e6
            cost = run(tree, folder, ruff)
            ratios = [cost[f"scan {state}"].wall / cost[f"ruff {state}"].wall for state in ("cold", "warm")]
            line = f"{kind:<7}{files:>7}{size:>7.1f}"
            for state, ratio, bar in zip(("cold", "warm"), ratios, (cold, warm)):
                shown = f"{bar:.1f}" if bar else "-"
                line += f"  {cost[f'scan {state}'].wall:>10.2f}s{cost[f'ruff {state}'].wall:>7.2f}s{ratio:>7.2f}{shown:>5}"
                missed += bool(bar) and ratio > bar
            print(line)
            beside = {name: cost[name].cpu / cost["ruff cold"].cpu for name in ("scan cold", "floor", "floor of all")}
            trees, used = (len((tree.parent / f"{name}.txt").read_text().split()) for name in ("floor", "floor of all"))
            print(
                f"{'':<7} CPU beside ruff's, cold: scan {beside['scan cold']:.2f}; floor {beside['floor']:.2f} with {trees} syntax"
                f" trees, {beside['floor of all']:.2f} with one of each of the {used} files with a use"
            )
            if kind == "small":
                cpu = cost["scan cold"].cpu
                missed += cpu > SMALL_CPU
                print(f"small: CPU of a scan {cpu:.2f} s (bar {SMALL_CPU})")
            if kind == "dense":
                fix = measure({"fix": our_command("fix", "--quiet", str(tree))}, tree.parent)["fix"].cpu
                ratio = fix / cost["scan cold"].cpu
                missed += ratio > FIX
                print(f"dense: CPU of fix {fix:.1f} s, of scan {cost['scan cold'].cpu:.1f} s: {ratio:.2f} (bar {FIX})")
                trees, seconds = trees_of_fix(tree)
                print(f"dense: {seconds:.1f} s of that are {trees} syntax trees, of files or of their parts that matter")
    return missed


if __name__ == "__main__":
    raise SystemExit(3 if main() else 0)
