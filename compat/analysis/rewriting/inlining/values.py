"""What an inliner knows of one call: its values, and why it leaves it."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import Optional


class Left(Exception):
    """A call is left as it is, for the reason that this says."""


@dataclass(eq=False)
class Value:
    """What a parameter gets: text of the file at a span, or (``node`` is ``None``) the text of a default.

    ``place`` counts in the order in which the call evaluates; ``prefix`` is what stands before a value that is handed on with
    others: ``*``, ``**`` or ``name=``.
    """

    node: Optional[ast.expr]
    start: int
    end: int
    text: str
    level: int
    place: int
    prefix: str = ""

    @property
    def shown(self) -> str:
        """The text as reasons quote it."""
        line = " ".join(self.text.split())
        return line if len(line) <= 30 else f"{line[:27]}..."
