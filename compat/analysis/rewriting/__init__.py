"""Rewrite the uses in one file: turn its references into span edits, or skip them with a reason.

rewriter    from text to text
planning    passes each reference to its rewriter, or skips it
plan        edits and skips of one file, and name look-ups that rewriters share
names, modules, classes, methods, arguments, strings, doctests   rewriters, one per kind of use
statements  writes import statements anew
locals      renames local names
order       merges and sorts import blocks (blocks: runs of imports, members: the names of one statement)
reparsing   parses what was touched instead of the whole file
verifying   checks results on request
"""

from __future__ import annotations

from .plan import Skip
from .rewriter import Outcome, fix_bytes, fix_text

__all__ = ["Outcome", "Skip", "fix_bytes", "fix_text"]
