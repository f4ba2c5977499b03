"""README's example of the core, run as printed, by itself and on Redis."""

from __future__ import annotations

import asyncio
import contextlib
import os
import pathlib
import re
import sys
import time
from typing import Any

import pytest

import compat

pytestmark = pytest.mark.slow

README = pathlib.Path(__file__).parents[3] / "README.md"
ROOT = pathlib.Path(compat.__file__).parents[1]
SECRET = "change-me-to-32-bytes-or-more-here"
#: Serves the example as `uvicorn chat:app` does; answers the user of each line.
DRIVER = """
import asyncio, socket, sys
import chat, uvicorn

async def main():
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(chat.app, log_level="critical"))
    serving = asyncio.ensure_future(server.serve(sockets=[listener]))
    while not server.started:
        await asyncio.sleep(0.01)
    print(listener.getsockname()[1], flush=True)
    loop = asyncio.get_running_loop()
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        await chat.answer(line.strip(), "t", "r")
        print("answered", flush=True)
    server.should_exit = True
    await serving

asyncio.run(main())
"""


async def told(process: Any, line: str) -> str:
    process.stdin.write(f"{line}\n".encode())
    return (await asyncio.wait_for(process.stdout.readline(), 150)).decode().strip()


@contextlib.asynccontextmanager
async def serving(directory: pathlib.Path, **variables: str) -> Any:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("COMPAT_WS", "JWT_", "REDIS_"))}
    environment = {**kept, "PYTHONPATH": f"{ROOT}{os.pathsep}{directory}", "ENVIRONMENT": "test", **variables}
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", DRIVER, stdin=pipe, stdout=pipe, env=environment)
    try:
        port = int(await asyncio.wait_for(process.stdout.readline(), 150))
        yield port, process
    finally:
        process.stdin.close()
        await asyncio.wait_for(process.wait(), 150)


@pytest.fixture
def example(tmp_path: pathlib.Path) -> pathlib.Path:
    """A directory with ``chat.py`` as README prints it."""
    for module in ("starlette", "uvicorn", "websockets", "jwt"):
        pytest.importorskip(module, reason=f"{module} is in the server extra")
    (text,) = re.findall(r"^```python\n# chat\.py\n(.*?)^```$", README.read_text(encoding="utf-8"), flags=re.S | re.M)
    (tmp_path / "chat.py").write_text(text, encoding="utf-8")
    return tmp_path


async def followed(port: int, answerer: Any) -> list[tuple[int, str]]:
    """What a client of one process is shown while another, or the same, answers."""
    import jwt

    from compat.canonical.client import Client

    token = jwt.encode({"sub": "ann", "exp": time.time() + 600}, SECRET, "HS256")
    async with Client(f"ws://127.0.0.1:{port}/ws", token) as client:
        deadline = time.monotonic() + 150
        # A first connection begins with what is sent once it is greeted.
        while client.state != "open":
            assert time.monotonic() < deadline
            await asyncio.sleep(0.01)
        assert await told(answerer, "ann") == "answered"
        events = [await asyncio.wait_for(client.__anext__(), 150) for _ in range(2)]
    return [(event["seq"], event["type"]) for event in events]


def test_the_example_runs_without_redis(example: pathlib.Path) -> None:
    async def run() -> Any:
        async with serving(example) as (port, process):
            return await followed(port, process)

    assert asyncio.run(run()) == [(1, "agent_started"), (2, "agent_completed")]


def test_on_redis_any_worker_reaches_the_user(example: pathlib.Path, redis_server: Any) -> None:
    pytest.importorskip("redis", reason="redis is in the server extra")

    async def run() -> Any:
        one, two = (serving(example, REDIS_URL=redis_server.url) for _ in range(2))
        async with one as (port, _first), two as (_, other):
            return await followed(port, other)

    assert asyncio.run(run()) == [(1, "agent_started"), (2, "agent_completed")]
