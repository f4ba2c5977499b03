"""A ledger as source code meets it: legacy paths and the rows behind them, members, adapters, words to search for, sentences."""

from __future__ import annotations

from .index import Targets
from .target import Target

__all__ = ["Target", "Targets"]
