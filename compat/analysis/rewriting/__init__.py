"""Rewrite the uses in one file: turn its references into span edits, or skip them with a reason.

rewriter    from text to text
planning    passes each reference to its rewriter, or skips it
plan        edits and skips of one file, and name look-ups that rewriters share
kinds/      the rewriter of each kind of move
attributes  rewrites what is read through modules, each use where it stands
spelling    spells a canonical path by imports of the file, or adds one
guards      what stands around a use and makes it one to leave
strings, doctests   rewriters of uses that are no statements
statements  writes import statements anew
locals      renames local names
import_blocks/   merges and sorts import blocks, and parses what was touched instead of the whole file
verifying   checks results on request
"""

from __future__ import annotations

from .plan import Skip
from .rewriter import Outcome, fix_bytes, fix_text

__all__ = ["Outcome", "Skip", "fix_bytes", "fix_text"]
