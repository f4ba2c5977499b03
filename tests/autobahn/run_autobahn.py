"""The Autobahn TestSuite against this server's protocol: ``python run_autobahn.py --python2 PATH --target DIRECTORY``.

The suite runs under Python 2.7 alone. ``--target`` is where it is installed (``PATH -m pip install --target DIRECTORY
autobahntestsuite``); it is installed there if it is not. Prints the outcomes and exits with 1 if a case failed.
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


async def serve(ready, stop) -> None:
    """Serve ``echo`` under the protocol of the real server."""
    import uvicorn

    from compat.canonical.server.serve import listen
    from compat.canonical.server.uvicorn_protocol import abortable_protocol

    listener = listen("127.0.0.1", 0, 10.0)
    config = uvicorn.Config(
        echo,
        ws=abortable_protocol(1.0),
        ws_max_size=32 * 1024 * 1024,
        ws_per_message_deflate=False,
        lifespan="off",
        log_level="critical",
    )
    server = uvicorn.Server(config)
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


async def run(python2: str, target: pathlib.Path) -> collections.Counter[str]:
    """Run the cases; return how many had which outcome, and print those that are neither right nor informational."""
    ready, stop = asyncio.get_running_loop().create_future(), asyncio.Event()
    server = asyncio.ensure_future(serve(ready, stop))
    port = await ready
    with tempfile.TemporaryDirectory() as directory:
        reports = pathlib.Path(directory)
        spec = reports / "fuzzingclient.json"
        spec.write_text(
            json.dumps(
                {
                    "outdir": str(reports / "out"),
                    "servers": [{"agent": "compat", "url": f"ws://127.0.0.1:{port}"}],
                    "cases": CASES,
                    "exclude-cases": [],
                }
            )
        )
        child = await asyncio.create_subprocess_exec(
            python2,
            "-c",
            START.format(target=str(target), spec=str(spec)),
            stdout=asyncio.subprocess.DEVNULL,
            cwd=directory,
        )
        await asyncio.wait_for(child.wait(), 300)
        outcomes = json.loads((reports / "out" / "index.json").read_text())["compat"]
    stop.set()
    await server
    for case, outcome in sorted(outcomes.items()):
        if "FAILED" in (outcome["behavior"], outcome["behaviorClose"]):
            print(f"{case}: {outcome['behavior']}, close {outcome['behaviorClose']} {outcome['remoteCloseCode']}")
    return collections.Counter(
        "FAILED" if "FAILED" in (o["behavior"], o["behaviorClose"]) else o["behavior"] for o in outcomes.values()
    )


def main() -> int:
    """Run and judge."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--python2", required=True)
    parser.add_argument("--target", required=True, type=pathlib.Path)
    options = parser.parse_args()
    prepare(options.python2, options.target.resolve())
    counts = asyncio.run(run(options.python2, options.target.resolve()))
    print(", ".join(f"{name} {count}" for name, count in sorted(counts.items())))
    return 1 if counts["FAILED"] or not counts else 0


if __name__ == "__main__":
    sys.exit(main())
