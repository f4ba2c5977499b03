"""The Autobahn TestSuite against this server's protocol: ``python run_autobahn.py --python2 PATH --target DIRECTORY``.

The suite runs under Python 2.7 alone. ``--target`` is where it is installed (``PATH -m pip install --target DIRECTORY
autobahntestsuite``); it is installed there if it is not. Runs under serve-ws and under uvicorn as it is, prints the outcomes, and exits with 1 if a
case failed that is not known to.
"""

from __future__ import annotations

import argparse
import asyncio
import collections
import json
import pathlib
import subprocess
import sys
import tempfile

MOST = 32 * 1024 * 1024
#: What fails under each way of serving. The one of uvicorn is uvicorn's: it closes with 1002 where 1000 is asked.
KNOWN = {"serve-ws": set(), "uvicorn": {"7.1.5"}}
CASES = ["1.*", "2.*", "3.*", "4.*", "5.*", "6.*", "7.*", "10.*"]
START = """
import site, sys
site.addsitedir({target!r})
from autobahntestsuite.wstest import run
sys.argv = ["wstest", "-m", "fuzzingclient", "-s", {spec!r}]
run()
"""


async def echo(scope, receive, send) -> None:
    """Send back what comes."""
    if scope["type"] != "websocket":
        return
    await receive()
    await send({"type": "websocket.accept"})
    while True:
        message = await receive()
        if message["type"] == "websocket.disconnect":
            return
        text, data = message.get("text"), message.get("bytes")
        await send({"type": "websocket.send", **({"text": text} if text is not None else {"bytes": data})})


async def serve(way: str, ready, stop) -> None:
    """Serve ``echo`` as serve-ws does, or under uvicorn as it is."""
    import uvicorn

    from compat.canonical.server.serve import build_server, listen
    from compat.canonical.settings import Settings

    listener = listen("127.0.0.1", 0, 10.0)
    if way == "serve-ws":
        server = build_server(Settings(environment="test", max_message_bytes=MOST), echo, log_level="critical")
        server.config.lifespan = "off"
    else:
        server = uvicorn.Server(uvicorn.Config(echo, ws_max_size=MOST, lifespan="off", log_level="critical"))
    serving = asyncio.ensure_future(server.serve(sockets=[listener]))
    ready.set_result(listener.getsockname()[1])
    await stop.wait()
    server.should_exit = True
    await serving
    listener.close()


def prepare(python2: str, target: pathlib.Path) -> None:
    """Install the suite where it is not."""
    if not (target / "autobahntestsuite").is_dir():
        command = [python2, "-m", "pip", "install", "--quiet", "--target", str(target), "autobahntestsuite"]
        subprocess.run(command, check=True)
    # pip's --target leaves namespace packages of this age without their __init__.
    if (target / "zope").is_dir():
        (target / "zope" / "__init__.py").touch()


async def run(python2: str, target: pathlib.Path, way: str) -> dict[str, str]:
    """Run the cases under one way of serving; return the outcome of each."""
    ready, stop = asyncio.get_running_loop().create_future(), asyncio.Event()
    server = asyncio.ensure_future(serve(way, ready, stop))
    port = await ready
    with tempfile.TemporaryDirectory() as directory:
        reports = pathlib.Path(directory)
        spec = reports / "fuzzingclient.json"
        servers = [{"agent": "compat", "url": f"ws://127.0.0.1:{port}"}]
        wanted = {"outdir": str(reports / "out"), "servers": servers, "cases": CASES, "exclude-cases": []}
        spec.write_text(json.dumps(wanted))
        start = START.format(target=str(target), spec=str(spec))
        child = await asyncio.create_subprocess_exec(python2, "-c", start, stdout=asyncio.subprocess.DEVNULL, cwd=directory)
        await asyncio.wait_for(child.wait(), 300)
        outcomes = json.loads((reports / "out" / "index.json").read_text())["compat"]
    stop.set()
    await server
    return {
        case: "FAILED" if "FAILED" in (outcome["behavior"], outcome["behaviorClose"]) else outcome["behavior"]
        for case, outcome in outcomes.items()
    }


def main() -> int:
    """Run and judge."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--python2", required=True)
    parser.add_argument("--target", required=True, type=pathlib.Path)
    options = parser.parse_args()
    prepare(options.python2, options.target.resolve())
    wrong = False
    for way, known in KNOWN.items():
        outcomes = asyncio.run(run(options.python2, options.target.resolve(), way))
        counts = collections.Counter(outcomes.values())
        failed = {case for case, outcome in outcomes.items() if outcome == "FAILED"}
        print(f"{way}: {', '.join(f'{name} {count}' for name, count in sorted(counts.items()))}", *sorted(failed))
        wrong |= not outcomes or not failed <= known
    return int(wrong)


if __name__ == "__main__":
    sys.exit(main())
