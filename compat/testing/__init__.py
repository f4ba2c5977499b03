"""Legacy uses in tests, with any test runner: what a block used, and that it used nothing.

uses       Uses: what was used since it began
asserting  the context managers

PYTEST_DONT_REWRITE: a test may import it before or after pytest has come to it.
"""

from __future__ import annotations

from .asserting import legacy_uses, no_legacy_uses
from .uses import Uses

__all__ = ["Uses", "legacy_uses", "no_legacy_uses"]
