"""One object for a process, in the place where tests replace it."""

from __future__ import annotations

import threading
from typing import Any

from compat.netra.components.process_wide import only


def test_it_is_made_once_by_however_many_threads_and_again_after_none() -> None:
    module: dict[str, Any] = {"_held": None}
    made: list[object] = []
    start = threading.Barrier(8)

    def make() -> object:
        made.append(object())
        return made[-1]

    def ask() -> None:
        start.wait(20)
        assert only(module, "_held", make) is made[0]

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert len(made) == 1 and module["_held"] is made[0]
    module["_held"] = None
    assert only(module, "_held", make) is made[1]
    module["_held"] = "a test's own"
    assert only(module, "_held", make) == "a test's own"


def test_making_one_may_ask_for_another() -> None:
    module: dict[str, Any] = {"_inner": None, "_outer": None}
    assert only(module, "_outer", lambda: (only(module, "_inner", list),)) == ([],)
