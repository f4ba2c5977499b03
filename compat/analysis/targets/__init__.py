"""A ledger's rows indexed by the paths that source code spells: targets, members, adapters, search words, sentences."""

from __future__ import annotations

from .index import Targets
from .target import Target

__all__ = ["Target", "Targets"]
