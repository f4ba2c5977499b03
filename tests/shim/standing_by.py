"""Programs that use a library whose ledger stands by, and the same programs where it was installed from the start."""

from __future__ import annotations

import json
import os
import subprocess
import sys

DRIVER = """
import asyncio, concurrent.futures, copy, deprecation, inspect, io, json, logging, os, pickle, traceback, unittest.mock, warnings
sys.path.insert(0, ROOT)
if EAGER:
    import compat.shim.installation
told = {}
for name, program in PROGRAMS:
    read, write = os.pipe()
    child = os.fork()
    if not child:
        lines = []
        sys.stdout = io.StringIO()
        def show(message, category, file, line, *_):
            lines.append(f"{os.path.basename(file)}:{line}: {category.__name__}: {message}")
        warnings.showwarning = show
        warnings.simplefilter("always")
        space = {"__name__": "user"}
        exec(HEAD, space)
        stood = "compat.shim.installation" not in sys.modules
        try:
            exec(compile(program, "user.py", "exec"), space)
        except BaseException as error:
            at = traceback.extract_tb(error.__traceback__)
            lines.append(f"{type(error).__name__}: {error} at {at[1].lineno if len(at) > 1 else 0}")
        loaded = "compat.shim.installation" in sys.modules
        import compat
        uses = sorted((u.move, u.kind, u.file.rpartition('/')[2], u.line, u.function, u.count) for u in compat.usage())
        os.write(write, json.dumps([sys.stdout.getvalue(), lines, uses, [stood, loaded]]).encode())
        os._exit(0)
    os.close(write)
    with open(read) as stream:
        told[name] = json.loads(stream.read() or "null")
    os.waitpid(child, 0)
print(json.dumps(told))
"""


def site(root, ledger, **modules):
    """The library ``kit``, with its ledger and the metadata that declares it."""
    (root / "kit").mkdir(parents=True)
    for name, text in {"__init__": "", **modules, "moves": ledger}.items():
        (root / "kit" / f"{name}.py").write_text(text)
    (root / "kit-2.0.dist-info").mkdir()
    (root / "kit-2.0.dist-info" / "entry_points.txt").write_text("[compat.ledgers]\nkit = kit.moves:LEDGER\n")
    return root


def run(root, code, *options, **variables):
    """Run a process that finds the library."""
    done = subprocess.run(
        [sys.executable, *options, "-c", f"import sys; sys.path.insert(0, {str(root)!r})\n{code}"],
        capture_output=True,
        text=True,
        cwd=root,
        timeout=600,
        env={**os.environ, "COMPAT_TELEMETRY": "memory", **variables},
    )
    assert done.returncode == 0, done.stderr
    return done


def told(root, head, programs, *, eager, **variables):
    """What each program prints, is warned of and is counted for, in one process that forks for each."""
    told = f"ROOT, EAGER, HEAD, PROGRAMS = {str(root)!r}, {eager}, {head!r}, {[*programs.items()]!r}\n"
    return json.loads(run(root, told + DRIVER, **variables).stdout)


def assert_same(root, head, programs, **variables):
    """Hold each program against itself; return what those told where the ledger stood by."""
    standing, installed = (told(root, head, programs, eager=eager, **variables) for eager in (False, True))
    assert not any(found[3][0] for found in installed.values())
    for name in programs:
        assert standing[name] is not None and standing[name][:3] == installed[name][:3], name
        assert standing[name][3][0], f"{name}: the ledger was installed with its library"
    return standing
