"""Who still uses what: counts that survive the process, their history, and what exports them.

    sites      what is counted          counters   the hot path: one cell per site
"""

from __future__ import annotations

from .counters import observed, on_reset, open_cell, reset, usage
from .sites import Site

__all__ = ["Site", "observed", "on_reset", "open_cell", "reset", "usage"]
