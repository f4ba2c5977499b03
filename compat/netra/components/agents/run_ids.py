"""Which run ids an event may be sent under: one that names no run leads to nobody, or to anybody."""

from __future__ import annotations

from typing import Any


def is_valid_run(run_id: Any) -> bool:
    """Return whether this names a run: text, not blank, and not ``registry``, which stands for all of them."""
    return isinstance(run_id, str) and run_id.strip() not in ("", "registry")
