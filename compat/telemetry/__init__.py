"""Who still uses what: counts that survive the process, their history, and what shows or exports them.

record   what one process writes: sites, counters, the segment file, the record that it was observed
history  the SQLite history, into which segments of dead processes are folded exactly once; queries
read     several directories, histories and Prometheus servers read as one history
export   the same numbers as Prometheus and OpenTelemetry series, under the names in metric_names
report   a report as plain data, and its formats
page     the HTML page, its chart, and the server that shows it live

Nothing flows back: record <- history <- read <- export <- report <- page.
"""

from __future__ import annotations

from .record.counters import observed, on_new_site, on_reset, open_cell, reset, usage
from .record.sites import Site

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .history.database import open_history
    from .read.merge import collect

__all__ = ["Site", "collect", "observed", "on_new_site", "on_reset", "open_cell", "open_history", "reset", "usage"]

# The shim imports this package on its hot path: what needs SQLite is loaded when it is asked for.
_LAZY = {"collect": "read.merge", "open_history": "history.database"}


def __getattr__(name: str) -> object:
    if name not in _LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module("." + _LAZY[name], __name__), name)
