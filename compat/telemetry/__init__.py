"""Who still uses what: counts that survive the process, their history, and what exports them.

sites      what is counted                    cells       counting it, one cell per site
counters   the hot-path face of that          reader      reading many segments
layout     the bytes of a segment             segments    writing one
identity   which process this is              liveness    whether it still runs
observed   processes that used nothing        directory   where everything lies
tally      counts that add up                 history     the SQLite file       schema    its tables
fold       segments into the history
merge      many directories as one history    fleet       a Prometheus server as one
exported   what exporters tell                metrics     under which names
prometheus, otel                              the exporters
queries, report, render, page*, serve         what people read
"""

from __future__ import annotations

from .record.counters import observed, on_reset, open_cell, reset, usage
from .record.sites import Site

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .history.database import open_history
    from .history.merge import collect

__all__ = ["Site", "collect", "observed", "on_reset", "open_cell", "open_history", "reset", "usage"]

# The shim imports this package on its hot path: what needs SQLite is loaded when it is asked for.
_LAZY = {"collect": "history.merge", "open_history": "history.database"}


def __getattr__(name: str) -> object:
    if name not in _LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module("." + _LAZY[name], __name__), name)
