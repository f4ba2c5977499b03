"""What the commands of analysis share: a ledger that has rows, and a progress line on stderr for people."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Callable, Optional

if TYPE_CHECKING:
    from compat.ledger import Ledger

_PATIENCE = 1.0


def required_ledger(names: tuple[str, ...]) -> Ledger:
    """The chosen ledgers as one; an error where there is none, because no row finds nothing and would look like success."""
    from compat.errors import CompatError

    from .plain import chosen_ledger

    ledger = chosen_ledger(names)
    if not len(ledger):
        raise CompatError(
            "no ledger with rows was found; name one with --ledger package.module:LEDGER, or in [tool.compat] ledgers"
        )
    return ledger


@contextmanager
def shown(what: str) -> Iterator[Optional[Callable[[int], None]]]:
    """Yield a function to call with the number of files done; ``None`` where nobody watches."""
    if not sys.stderr.isatty():
        yield None
        return
    try:
        from rich.console import Console
    except ImportError:
        yield None
        return
    console = Console(stderr=True)
    started = time.monotonic()
    with console.status(f"{what} ...") as status:

        def tell(count: int) -> None:
            if time.monotonic() - started > _PATIENCE:
                status.update(f"{what}: {count} files")

        yield tell
