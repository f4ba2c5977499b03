"""The JavaScript client in Node and in Chromium against a real server, through every scenario that the Python client has."""

from __future__ import annotations

import asyncio
import importlib.util
import itertools
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
from typing import Any

import pytest

if not os.environ.get("CI"):
    for _module in ("starlette", "uvicorn", "jwt"):
        pytest.importorskip(_module, reason=f"{_module} is in the server extra")

from compat.canonical.client import javascript

HERE = pathlib.Path(__file__).parent
PAGE = HERE.parents[1] / "docs" / "how-to" / "websocket-core.md"
CLIENTS = HERE.parent / "canonical" / "client"


def beside(name: str) -> Any:
    """A module of the folder of the Python client's tests, which is no package."""
    if "clients_under_test" not in sys.modules:
        spec = importlib.util.spec_from_loader("clients_under_test", None, is_package=True)
        package = sys.modules["clients_under_test"] = importlib.util.module_from_spec(spec)
        package.__path__ = [str(CLIENTS)]
    return importlib.import_module(f"clients_under_test.{name}")


Node, starter = beside("node").Node, beside("node").starter
EVERY = beside("scenarios").EVERY
beside("network").FILES.update(
    {
        "/page": (HERE / "peer.html", "text/html"),
        "/peer.js": (HERE / "peer.js", "text/javascript"),
        "/client.js": (javascript(), "text/javascript"),
    }
)
#: What goes through the browser's own sockets and timers; the rest is decided in code that Node has run.
BROWSERS = [one for one in EVERY if re.search("lost|half_open|nothing|close_code|runs_out|gap|uncertain", one.__name__)]


class Tab:
    """A page of Chromium with clients in it. One command at a time goes to the driver, and none waits there for an answer."""

    def __init__(self, browser: Any) -> None:
        self._browser, self._origin, self._ids, self._turn = browser, "", itertools.count(), asyncio.Lock()

    async def _drive(self, command: Any, *args: Any) -> Any:
        async with self._turn:
            return await asyncio.get_running_loop().run_in_executor(None, command, *args)

    async def call(self, of: int, name: str, *args: Any) -> Any:
        if name == "start":
            origin = args[0]["tokens"].partition("/token")[0]
            if origin != self._origin:
                self._origin = origin
                await self._drive(self._browser.open, f"{origin}/page")
        id = next(self._ids)
        await self._drive(self._browser.driver.execute_script, "begin(...arguments)", id, of, name, args)
        while (answer := await self._drive(self._browser.run, "take(arguments[0])", id)) is None:
            await asyncio.sleep(0.02)
        assert "error" not in answer, answer["error"]
        return answer["value"]


@pytest.fixture(scope="session")
def node(missing: Any) -> list[str]:
    """How to start Node with a global WebSocket: it has one from 22 on, and from 20.10 on behind a flag."""
    found = shutil.which("node")
    if found is None:
        missing("node")
    for command in ([found], [found, "--experimental-websocket", "--no-warnings"]):
        done = subprocess.run([*command, "-p", "typeof WebSocket"], capture_output=True, text=True, timeout=60)
        if done.stdout.strip() == "function":
            return command
    return [found]


def test_both_tables_of_close_codes_agree() -> None:
    from compat.canonical.close_codes import CLOSE_CODES, advice

    table = re.search(r"CLOSE_CODES = Object.freeze\(\{(.*?)\}\)", javascript().read_text(encoding="utf-8"), flags=re.S)[1]
    rows = re.findall(r"(\d{4}): \"(\w+)\"", table)
    assert rows == [(str(code), advice(code)) for code in sorted(CLOSE_CODES)]


@pytest.mark.parametrize("scenario", EVERY, ids=lambda one: one.__name__)
def test_in_node_a_client_lives_through(scenario: Any, node: list[str]) -> None:
    async def run() -> None:
        files = [path.as_uri() for path in (javascript(), HERE / "peer.js")]
        async with Node([*node, str(HERE / "node_peer.mjs"), *files]) as process:
            await scenario(starter(process.call))

    asyncio.run(run())


@pytest.mark.parametrize("scenario", BROWSERS, ids=lambda one: one.__name__)
def test_in_a_browser_a_client_lives_through(scenario: Any, browser: Any) -> None:
    async def run() -> None:
        await scenario(starter(Tab(browser).call))

    asyncio.run(run())
    browser.open("about:blank")
    assert [line for line in browser.complaints() if "Uncaught" in line] == []


def test_the_example_of_the_page_runs_as_printed(browser: Any, tmp_path: pathlib.Path) -> None:
    network = beside("network")
    (example,) = re.findall(r"^```js\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), flags=re.S | re.M)
    (tmp_path / "example.js").write_text(example, encoding="utf-8")
    shown = (
        "window.show = (event) => (window.shown ??= []).push(event.n); window.said = []; window.say = (text) => said.push(text)"
    )

    async def run() -> None:
        async with network.staged() as stage:
            tab = Tab(browser)
            await tab._drive(browser.open, f"{stage.origin}/page")
            await tab._drive(browser.driver.execute_script, shown)
            await tab._drive(browser.driver.execute_script, "import('/example.js')")
            await network.until(lambda: stage.handled[None])  # its question
            await stage.publish()
            (connection,) = stage.connections()
            connection.abort()
            await stage.publish()

            async def is_shown() -> bool:
                return await tab._drive(browser.run, "window.shown") == [0, 1]

            await network.until(is_shown)
            assert [text[:30] for text in await tab._drive(browser.run, "said")] == ["no connection; tries again in "]

    network.FILES["/example.js"] = (tmp_path / "example.js", "text/javascript")
    try:
        asyncio.run(run())
    finally:
        del network.FILES["/example.js"]


@pytest.fixture(scope="session")
def ws(npm: Any) -> str:
    """The class of sockets that most programs in Node use."""
    return (npm("ws@8") / "wrapper.mjs").as_uri()


@pytest.mark.parametrize("scenario", BROWSERS, ids=lambda one: one.__name__)
def test_with_the_sockets_of_ws_a_client_lives_through(scenario: Any, node: list[str], ws: str) -> None:
    async def run() -> None:
        files = [path.as_uri() for path in (javascript(), HERE / "peer.js")]
        async with Node([node[0], str(HERE / "node_peer.mjs"), *files, ws]) as process:
            await scenario(starter(process.call))

    asyncio.run(run())


def test_the_types_hold_what_users_write_and_refuse_what_is_wrong(npm: Any, tmp_path: pathlib.Path) -> None:
    compiler = npm("typescript@5") / "bin" / "tsc"
    for name in ("client.js", "client.d.ts"):
        shutil.copy(javascript().with_name(name), tmp_path)
    shutil.copy(HERE / "client_types.ts", tmp_path)
    options = ["--noEmit", "--strict", "--target", "es2022", "--module", "es2022", "--moduleResolution", "bundler"]
    done = subprocess.run(
        [shutil.which("node"), str(compiler), *options, "client_types.ts"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=180,
    )
    assert (done.returncode, done.stdout) == (0, "")


def test_the_types_name_all_that_the_module_has(node: list[str]) -> None:
    code = (
        f"const module = await import({javascript().as_uri()!r}); const names = Object.getOwnPropertyNames(module.Client.prototype);"
        "console.log(JSON.stringify([Object.keys(module).sort(), names.sort()]))"
    )
    done = subprocess.run([*node, "--input-type=module", "-e", code], capture_output=True, text=True, timeout=60, check=True)
    exported, members = json.loads(done.stdout)
    types = javascript().with_name("client.d.ts").read_text(encoding="utf-8")
    assert exported == sorted(re.findall(r"^export declare (?:const|class) (\w+)", types, flags=re.M))
    body = types[types.index("export declare class Client {") :]
    assert members == sorted(re.findall(r"^  (?:readonly )?(\w+)(?=[:(<])", body, flags=re.M))
    options = re.search(r"export interface Options \{(.*?)^\}", types, flags=re.S | re.M)[1]
    defaults = re.search(r"const DEFAULTS = \{(.*?)^\};", javascript().read_text(encoding="utf-8"), flags=re.S | re.M)[1]
    assert re.findall(r"^  (\w+)\?:", options, flags=re.M) == re.findall(r"^  (\w+):", defaults, flags=re.M)
