"""What the commands of analysis share: a ledger that has rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from compat.ledger import Ledger


def required_ledger(names: tuple[str, ...]) -> Ledger:
    """The chosen ledgers as one; an error where there is none, because no row finds nothing and would look like success."""
    from compat.errors import CompatError

    from .common import chosen_ledger

    ledger = chosen_ledger(names)
    if not len(ledger):
        raise CompatError(
            "no ledger with rows was found; name one with --ledger package.module:LEDGER, or in [tool.compat] ledgers"
        )
    return ledger
