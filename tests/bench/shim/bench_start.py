"""What the drop-in adds to the start of every process, and to its first import from outside the standard library, beside a
``.pth`` that does nothing and ``import wrapt``.

    python tests/bench/shim/bench_start.py [rounds]

Fresh environments with compiled files; whole processes started in turn; medians of processor time, which other work on the machine
lengthens less than it does wall-clock time.
"""

from __future__ import annotations

import compileall
import importlib.util
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile
import venv
from importlib import metadata

from measuring import Table

DISTRIBUTIONS = 25
FIRST_BAR = 1.02
ASKING = """
import os
for name in os.listdir({site!r}):
    if name[-5:] == "-info":
        os.access({site!r} + "/" + name + "/entry_points.txt", os.R_OK)
import small_1
"""
"""The least that a first import can do for ledgers of others: ask each distribution once whether it declares anything."""
HEAVY = ("wrapt", "asyncio", "dataclasses", "inspect", "typing", "json")
CLEAN = {key: value for key, value in os.environ.items() if not key.startswith(("PYTHON", "COMPAT"))}
_TIMED = "import sys, time; sys.path.append({site!r}); t = time.perf_counter(); import {name}; print(time.perf_counter() - t)"
_LISTED = "import sys; print(*sorted(sys.modules))"


def environment(folder: pathlib.Path) -> tuple[str, pathlib.Path]:
    """Make an environment without pip; return its interpreter and its site-packages."""
    venv.create(folder, with_pip=False, symlinks=True)
    python = str(folder / "bin" / "python")
    asked = subprocess.run(
        [python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"], capture_output=True, text=True
    )
    return python, pathlib.Path(asked.stdout.strip())


def package() -> pathlib.Path:
    """Return the folder of the installed package."""
    found = importlib.util.find_spec("compat")
    if found is None or found.origin is None:
        sys.exit("bench_start: the package is not installed")
    return pathlib.Path(found.origin).parent


def install_drop_in(site: pathlib.Path) -> None:
    """Copy the package, its start file and the module that this imports, as the wheel lays them out."""
    source = package()
    shutil.copytree(source, site / "compat", ignore=shutil.ignore_patterns("__pycache__"))
    installed = metadata.distribution("netra-compat")
    for name in ("netra_compat.pth", "netra_compat_start.py"):
        shutil.copy(str(installed.locate_file(name)), site / name)
    declare(site, "netra_compat", installed.read_text("entry_points.txt") or "")


def declare(site: pathlib.Path, name: str, entry_points: str = "") -> None:
    """Write the metadata of a distribution; most have no entry points."""
    info = site / f"{name}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    if entry_points:
        (info / "entry_points.txt").write_text(entry_points)


def fill(site: pathlib.Path) -> None:
    """Install small distributions of one module each; one in three has a script."""
    for number in range(DISTRIBUTIONS):
        name = f"small_{number}"
        (site / f"{name}.py").write_text('"""A small module."""\n\n\ndef main():\n    """Do nothing."""\n')
        declare(site, name, f"[console_scripts]\n{name} = {name}:main\n" if number % 3 == 0 else "")


def spawn(python: str, arguments: list[str], variables: dict[str, str]) -> int:
    """Start a process and return its id; PyPy has the older way only."""
    if hasattr(os, "posix_spawn"):
        return os.posix_spawn(python, arguments, variables)
    return os.spawnve(os.P_NOWAIT, python, arguments, variables)


def whole_processes(commands: dict[str, tuple[str, str, dict[str, str]]], rounds: int) -> dict[str, list[float]]:
    """Start each command in turn, ``rounds`` times; return milliseconds."""
    taken: dict[str, list[float]] = {name: [] for name in commands}
    for number in range(rounds + 3):
        for name, (python, code, variables) in commands.items():
            child = spawn(python, [python, "-c", code], {**CLEAN, **variables})
            spent = os.wait4(child, 0)[2]
            if number >= 3:  # the first starts read cold files
                taken[name].append((spent.ru_utime + spent.ru_stime) * 1000)
    return taken


def modules(python: str, **variables: str) -> list[str]:
    """Return the modules that a bare start has loaded."""
    asked = subprocess.run([python, "-c", _LISTED], capture_output=True, text=True, env={**CLEAN, **variables}, check=True)
    return asked.stdout.split()


def imports(names: list[str], rounds: int) -> dict[str, list[float]]:
    """Time imports in fresh processes without start files, in turn; return milliseconds."""
    taken: dict[str, list[float]] = {}
    for _ in range(rounds):
        for name in names:
            found = importlib.util.find_spec(name)
            if found is None or found.origin is None:
                continue
            code = _TIMED.format(site=str(pathlib.Path(found.origin).parent.parent), name=name)
            asked = subprocess.run([sys.executable, "-S", "-c", code], capture_output=True, text=True, env=CLEAN, check=True)
            taken.setdefault(name, []).append(float(asked.stdout) * 1000)
    return taken


def main() -> int:
    """Measure and print; return the exit code."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 100
    table = Table("Start-up", "median ms")
    with tempfile.TemporaryDirectory() as folder:
        root = pathlib.Path(folder)
        bare, bare_site = environment(root / "bare")
        idle, idle_site = environment(root / "idle")
        (idle_site / "idle.pth").write_text("import nothing_at_all\n")
        (idle_site / "nothing_at_all.py").write_text('"""Nothing."""\n')
        ours, site = environment(root / "ours")
        install_drop_in(site)
        for where in (bare_site, idle_site, site):
            fill(where)
        for where in (bare_site, idle_site, site):
            compileall.compile_dir(str(where), quiet=1)
        off = {"COMPAT": "off"}
        started = whole_processes(
            {
                "bare": (bare, "", {}),
                "idle": (idle, "", {}),
                "ours": (ours, "", {}),
                "off": (ours, "", off),
                "idle, import": (idle, "import small_1", {}),
                "ours, import": (ours, "import small_1", {}),
                "off, import": (ours, "import small_1", off),
                "asked, import": (ours, ASKING.format(site=str(site)), off),
            },
            rounds,
        )
        plain, with_ours = set(modules(bare)), modules(ours)
    medians = {name: statistics.median(taken) for name, taken in started.items()}
    # Noise of the machine cancels out best between neighbours in time.
    ratio = {
        name: statistics.median(one / other for one, other in zip(taken, started["idle, import" if "import" in name else "idle"]))
        for name, taken in started.items()
    }
    table.add("bare interpreter", medians["bare"], f"{ratio['bare']:.3f} of a do-nothing .pth", digits=2)
    table.add("a .pth that imports a do-nothing module", medians["idle"], "1", digits=2)
    table.add(
        "the drop-in",
        medians["ours"],
        f"{ratio['ours']:.3f} of a do-nothing .pth",
        bar="<= 1.03",
        met=ratio["ours"] <= 1.03,
        digits=2,
    )
    table.add("the drop-in, COMPAT=off", medians["off"], f"{ratio['off']:.3f} of a do-nothing .pth", digits=2)
    first = f"its first import of {DISTRIBUTIONS} small distributions"
    peer, least = "of a do-nothing .pth", ratio["asked, import"]
    table.add(f"a .pth that imports a do-nothing module, and {first}", medians["idle, import"], "1", digits=2)
    table.add(
        "the drop-in, and this import",
        medians["ours, import"],
        f"{ratio['ours, import']:.3f} {peer}",
        bar=f"<= {FIRST_BAR:g}",
        met=ratio["ours, import"] <= FIRST_BAR,
        floor=f"{least:.3f}, each asked once" if least > FIRST_BAR else "",
        digits=2,
    )
    table.add("the drop-in, COMPAT=off, and this import", medians["off, import"], f"{ratio['off, import']:.3f} {peer}", digits=2)
    added = [name for name in with_ours if name not in plain]
    table.add(f"modules that the drop-in loads: {', '.join(added)}", len(added))
    loaded = [name for name in HEAVY if name in with_ours]
    table.add(f"of {', '.join(HEAVY)}", len(loaded), ", ".join(loaded), bar="0", met=not loaded)
    taken = {name: statistics.median(values) for name, values in imports(["compat", "wrapt"], max(rounds // 5, 5)).items()}
    of_wrapt = taken["compat"] / taken["wrapt"]
    table.add("import compat", taken["compat"], f"{of_wrapt:.3f} of import wrapt", bar="<= 0.1", met=of_wrapt <= 0.1, digits=2)
    table.add("import wrapt", taken["wrapt"], "1", digits=2)
    return table.show()


if __name__ == "__main__":
    sys.exit(main())
