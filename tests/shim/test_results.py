"""One result both ways: taken as it is, awaited, wrapped in a task, gathered, waited for."""

from __future__ import annotations

import asyncio
import copy
import json
import pickle
import threading

import pytest

from compat import dual
from compat.errors import WrongLoopError
from compat.shim import wait


class Manager:
    def __init__(self, name="m"):
        self.name = name
        self.is_closed = False

    def close(self):
        self.is_closed = True
        return "closed"

    async def send(self, message):
        return f"{self.name}:{message}"


def sync_factory(name="m"):
    return dual(Manager(name))


@dual
def quick_factory(name="m"):
    async def make():
        return Manager(name)

    return make()


@dual
def slow_factory(name="m"):
    async def make():
        await asyncio.sleep(0.001)
        return Manager(name)

    return make()


@pytest.mark.parametrize("factory", [sync_factory, quick_factory, slow_factory])
def test_plain_sync_code_gets_the_result(factory):
    made = factory("a")
    assert made.name == "a" and isinstance(made, Manager) and made.close() == "closed" and made.is_closed


@pytest.mark.parametrize("factory", [sync_factory, quick_factory, slow_factory])
def test_every_way_of_awaiting_gets_the_result(factory):
    async def main():
        direct = await factory("a")
        later = factory("b")
        waited = await asyncio.wait_for(factory("c"), 5)
        tasked = await asyncio.create_task(factory("d"))
        gathered = await asyncio.gather(factory("e"), factory("f"))
        return [one.name for one in (direct, await later, waited, tasked, *gathered)]

    assert asyncio.run(main()) == ["a", "b", "c", "d", "e", "f"]


@pytest.mark.parametrize("factory", [sync_factory, quick_factory])
def test_inside_a_running_loop_it_can_be_used_without_await_where_it_never_waits(factory):
    async def main():
        made = factory("x")
        return made.name, await made.send("hi")

    assert asyncio.run(main()) == ("x", "x:hi")


def test_inside_a_running_loop_what_has_to_wait_names_the_form_to_await():
    async def main():
        slow_factory("x").name

    with pytest.raises(WrongLoopError, match=r"write 'await slow_factory\(\.\.\.\)' instead"):
        asyncio.run(main())


def test_another_thread_of_a_running_loop_gets_the_result():
    async def main():
        return await asyncio.get_running_loop().run_in_executor(None, lambda: slow_factory("t").name)

    assert asyncio.run(main()) == "t"


def test_wait_runs_on_the_loop_it_is_given_and_refuses_the_loops_own_thread():
    async def which():
        return asyncio.get_running_loop()

    async def main():
        loop = asyncio.get_running_loop()
        used = await loop.run_in_executor(None, lambda: wait(which(), form="which()", loop=loop))
        with pytest.raises(
            WrongLoopError, match="this call would block the event loop that runs it; write 'await which\\(\\)' instead"
        ):
            wait(which(), form="which()")
        return used is loop

    assert asyncio.run(main())
    assert wait(which(), form="which()") is not None


def test_plain_coroutines_of_other_libraries_drive_it_too():
    # What trio and curio do: step the coroutine by hand.
    async def main():
        return (await sync_factory("a")).name, (await quick_factory("b")).name

    coroutine = main()
    with pytest.raises(StopIteration) as stop:
        coroutine.send(None)
    assert stop.value.value == ("a", "b")


def test_anyio_runs_it():
    anyio = pytest.importorskip("anyio", reason="anyio comes with the server extra")

    async def main():
        return (await slow_factory("a")).name

    assert anyio.run(main) == "a"


def test_plain_values_behave():
    async def main():
        none = dual(None)
        return not none, none == None, await none, await dual(5)

    assert asyncio.run(main()) == (True, True, None, 5)
    value = dual({"a": 1})
    assert value["a"] == 1 and list(value) == ["a"] and copy.deepcopy(value) == {"a": 1}
    assert pickle.loads(pickle.dumps(value)) == {"a": 1} and json.dumps(dict(value)) == '{"a": 1}'


def test_exceptions_come_out_where_the_result_would():
    @dual
    def failing():
        async def fail():
            raise ValueError("no")

        return fail()

    with pytest.raises(ValueError, match="no"):
        failing()

    async def main():
        with pytest.raises(ValueError, match="no"):
            await failing()
        with pytest.raises(ValueError, match="no"):
            await asyncio.create_task(failing())

    asyncio.run(main())


def test_many_threads_share_one_background_loop():
    names, threads = [], [threading.Thread(target=lambda i=i: names.append(slow_factory(str(i)).name)) for i in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert sorted(names) == [str(i) for i in range(8)]
