"""Scan and fix beside ruff, ripgrep and LibCST over one tree: ``python tests/bench/analysis/bench_scan.py [TREE]``.

The tree is ``COMPAT_BENCH_TREE`` or the Python files of this environment's site-packages, copied aside with uses of the shipped
ledger written into some of them. Whole processes, run interleaved; the best of ROUNDS counts, wall and CPU each. Peers that
are not there are left out. Our processes and the floor find bytecode from the second round on, as an installed package does.
Beside the bars stands the floor of the same interpreter: one needle searched in every file, and for all rules one syntax tree
of each file that has it; nothing else. A missed bar is exit code 3.
"""

from __future__ import annotations

import os
import random
import resource
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

ROUNDS = 3
LEDGER = ("--ledger", "compat.netra.ledger:LEDGER")
USES = """

from netra_backend.app.websocket_core.manager import WebSocketManager as _LegacyManager
from netra_backend.app.websocket_core import auth as _legacy_auth


def _legacy_use(manager: _LegacyManager):
    return patch("netra_backend.app.websocket_core.auth.authenticate"), _legacy_auth.AuthHandler
"""
#: What any scanner in this interpreter pays: its start, a walk, every byte read into one buffer, one word looked for.
FLOOR = """
import os, sys
pending, buffer = [sys.argv[1]], bytearray(1 << 20)
while pending:
    with os.scandir(pending.pop()) as entries:
        for entry in entries:
            if entry.name.endswith('.py'):
                descriptor = os.open(entry.path, os.O_RDONLY)
                size = os.readv(descriptor, [buffer])
                os.close(descriptor)
                if buffer.find(b'netra_backend', 0, size) >= 0:
                    use(buffer[:size])
            elif entry.is_dir(follow_symlinks=False):
                pending.append(entry.path)
"""
#: What a closer look at a file with the word costs at the least: nothing, or one syntax tree.
SEARCHING = f"use = len{FLOOR}"
PARSING = f"""
import ast, gc, warnings
gc.disable()
warnings.simplefilter('ignore')
def use(data):
    try:
        ast.parse(data)
    except SyntaxError:
        pass
{FLOOR}"""
#: What the project promises: name of the measure, peer, at most so many times the peer.
BARS = (
    ("scan imports, strings", "ruff TID251", 0.2),
    ("scan imports, strings", "ripgrep", 7.0),
    ("scan all rules", "ruff TID251", 0.4),
    ("scan cached", "ruff cached", 0.5),
    ("fix per file (CPU)", "LibCST RenameCommand per file (CPU)", 0.01),
)
FLOORS = {"scan all rules": "floor: the same, ast.parse of the finds"}


class Cost(NamedTuple):
    """Seconds of wall and CPU, and megabytes of the largest process."""

    wall: float
    cpu: float
    memory: float


def measure(commands: dict[str, list[str]], folder: Path) -> dict[str, Cost]:
    """The best of ROUNDS of each command, run in turn, as the kernel counts it: wall and CPU each for itself."""
    best = dict.fromkeys(commands, Cost(float("inf"), float("inf"), 0.0))
    # An installed package has its bytecode beside it; where the caller forbids writing any, each round would compile all anew.
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    environment.update(PYTHONPATH=str(Path(__file__).parents[3]), PYTHONPYCACHEPREFIX=str(folder / "bytecode"))
    for _round in range(ROUNDS):
        for name, command in commands.items():
            started = time.perf_counter()
            process = subprocess.Popen(command, cwd=folder, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            _pid, status, used = os.wait4(process.pid, 0)
            process.returncode = os.WEXITSTATUS(status)
            wall = time.perf_counter() - started
            if process.returncode not in (0, 1):
                raise SystemExit(f"{name}: exit code {process.returncode} of {' '.join(command)}")
            old = best[name]
            best[name] = Cost(
                min(old.wall, wall),
                min(old.cpu, used.ru_utime + used.ru_stime),
                max(old.memory, used.ru_maxrss / (1024**2 if sys.platform == "darwin" else 1024)),
            )
    return best


def make_tree(folder: Path) -> Path:
    """Copy the Python files of site-packages, every fourteenth of them with legacy uses, as the measured code base had."""
    tree = folder / "tree"
    chance = random.Random(14)
    for path in sorted(Path(sysconfig.get_paths()["purelib"]).rglob("*.py")):
        target = tree / path.relative_to(sysconfig.get_paths()["purelib"])
        target.parent.mkdir(parents=True, exist_ok=True)
        raw = path.read_bytes()
        target.write_bytes(raw + (USES.encode() if chance.randrange(14) == 0 else b""))
    return tree


def our_command(*arguments: str) -> list[str]:
    """A command line of this package."""
    return [sys.executable, "-m", "compat", arguments[0], *LEDGER, *arguments[1:]]


def peers(tree: Path, folder: Path) -> dict[str, list[str]]:
    """The command lines of the peers that are installed."""
    found: dict[str, list[str]] = {}
    ruff = shutil.which("ruff", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}")
    if ruff:
        table = folder / "ruff.toml"
        subprocess.run(
            our_command("export", "ruff", "-o", str(table)),
            check=True,
            env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])},
        )
        check = [ruff, "check", "--config", str(table), "--select", "TID251", "--quiet"]
        found["ruff TID251"] = [*check, "--no-cache", str(tree)]
        found["ruff cached"] = [*check, "--cache-dir", str(folder / "ruff-cache"), str(tree)]
    if shutil.which("rg"):
        found["ripgrep"] = ["rg", "--threads", "1", "--count", "netra_backend", str(tree)]
    return found


def libcst_cost(folder: Path, sample: list[Path]) -> float:
    """CPU seconds per file of LibCST's RenameCommand; infinity where it is not installed."""
    try:
        from libcst.codemod import CodemodContext
        from libcst.codemod.commands.rename import RenameCommand
        from libcst.metadata import FullRepoManager
    except ImportError:
        return float("nan")
    import libcst

    started = time.process_time()
    for path in sample:
        manager = FullRepoManager(str(folder), [str(path)], RenameCommand.METADATA_DEPENDENCIES)
        wrapper = manager.get_metadata_wrapper_for_path(str(path))
        context = CodemodContext(wrapper=wrapper, filename=str(path), metadata_manager=manager)
        old, new = (
            "netra_backend.app.websocket_core.manager.WebSocketManager",
            "compat.canonical.core.manager.UnifiedWebSocketManager",
        )
        assert isinstance(RenameCommand(context, old, new).transform_module(wrapper.module), libcst.Module)
    return (time.process_time() - started) / len(sample)


def fix_cost(sample: list[Path]) -> float:
    """CPU seconds per file of this package's fix, in one process, the reading of adapters included; like LibCST's, without imports."""
    sys.path.insert(0, str(Path(__file__).parents[3]))
    from compat.analysis import fixer
    from compat.netra.ledger import LEDGER as rows

    started = time.process_time()
    done = fixer.fix(list(map(str, sample)), rows)
    assert len(done.outcomes) == len(sample)
    return (time.process_time() - started) / len(sample)


def main() -> int:
    """Measure, print a table, and return how many bars were missed."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        given = sys.argv[1] if len(sys.argv) > 1 else os.environ.get("COMPAT_BENCH_TREE")
        tree = Path(given) if given else make_tree(folder)
        files = [path for path in tree.rglob("*.py") if path.is_file()]
        size = sum(path.stat().st_size for path in files)
        print(f"{len(files)} files, {size / 1e6:.1f} MB, best of {ROUNDS}, {os.cpu_count()} CPUs, load {os.getloadavg()[0]:.1f}")
        commands = {
            "scan imports, strings": our_command("scan", "--select", "imports,strings", "--no-config", str(tree)),
            "scan default": our_command("scan", "--no-config", str(tree)),
            "scan all rules": our_command("scan", "--rules", "--no-config", str(tree)),
            "scan cached": our_command("scan", "--cache", "--no-config", str(tree)),
            "floor: start, walk, read, find": [sys.executable, "-c", SEARCHING, str(tree)],
            "floor: the same, ast.parse of the finds": [sys.executable, "-c", PARSING, str(tree)],
            **peers(tree, folder),
        }
        costs = measure(commands, folder)
        for name, cost in costs.items():
            print(f"{name:<40} wall {cost.wall:7.3f} s   CPU {cost.cpu:7.3f} s   {cost.memory:6.1f} MB")
        # Without this package's own files, which fix leaves alone.
        sample = [path for path in files if b"netra_backend" in path.read_bytes()]
        sample = [path for path in sample if path.stat().st_size < 60_000 and "compat" not in path.parts][:24]
        wall = {name: cost.wall for name, cost in costs.items()}
        if sample:
            wall["fix per file (CPU)"] = fix_cost(sample)
            wall["LibCST RenameCommand per file (CPU)"] = libcst_cost(tree, sample)
            for name in list(wall)[-2:]:
                print(f"{name:<38} {wall[name]:.4f} s")
        missed = 0
        for ours, peer, bar in BARS:
            if ours in wall and peer in wall and wall[peer] == wall[peer]:
                ratio = wall[ours] / wall[peer]
                missed += ratio > bar
                floor = costs[FLOORS.get(ours, "floor: start, walk, read, find")].wall / wall[peer]
                beside = f", floor {floor:.3f}, by CPU {costs[ours].cpu / costs[peer].cpu:.3f}" if ours in costs else ""
                print(f"{ours} / {peer}: {ratio:.3f} (bar {bar}{beside}) {'MISSED' if ratio > bar else 'ok'}")
        memory = costs["scan imports, strings"].memory
        missed += memory > 50
        print(f"memory of scan: {memory:.1f} MB (bar 50) {'MISSED' if memory > 50 else 'ok'}")
        print(f"largest child: {resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024:.0f} MB")
    return missed


if __name__ == "__main__":
    raise SystemExit(3 if main() else 0)
