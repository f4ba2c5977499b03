"""Objects of which a process has one, kept as attributes of their modules: tests put None, or another object, there."""

from __future__ import annotations

import threading
from typing import Any, Callable, TypeVar

T = TypeVar("T")

_lock = threading.RLock()  # making one may ask for another


def only(module: dict[str, Any], name: str, make: Callable[[], T]) -> T:
    """The object that a module has as its attribute ``name``; made where that is None. ``module`` is its ``globals()``."""
    with _lock:
        if module[name] is None:
            module[name] = make()
        found: T = module[name]
        return found
