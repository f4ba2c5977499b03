"""Rewrites: from the references of one file to span edits, or to the reason why a use is left alone.

planning    which rewriter decides about which reference, and what is left alone
plan        one file's edits and skips, and what every rewriter asks about its names
statements  import statements split, moved, kept
order       statements merged and sorted after a rewrite (blocks: runs of imports, members: the names of one statement)
reparsing   what was touched parsed alone, in place of the whole
locals      a local name renamed wherever it means the same binding
names, modules, classes, methods, arguments, strings, doctests   one kind of use each
"""

from __future__ import annotations

from .plan import Skip
from .rewriter import Outcome, fix_bytes, fix_text

__all__ = ["Outcome", "Skip", "fix_bytes", "fix_text"]
