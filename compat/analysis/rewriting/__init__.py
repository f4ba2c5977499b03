"""Rewrites: from the references of one file to span edits, or to the reason why a use is left alone.

plan        one file's decisions, and what it shares
statements  import statements split, moved, kept
order       statements merged and sorted after a rewrite (blocks: runs of imports, members: the names of one statement)
reparsing   what was touched parsed alone, in place of the whole
locals      a local name renamed wherever it means the same binding
names, modules, classes, methods, arguments, strings, doctests   one kind of use each
"""

from __future__ import annotations

from .order import tidy
from .plan import Plan, Skip, make_plan

__all__ = ["Plan", "Skip", "make_plan", "tidy"]
