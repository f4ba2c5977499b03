"""A progress line on stderr, for people only, and only when a run is long enough to need one."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Callable, Optional

_PATIENCE = 1.0


@contextmanager
def shown(what: str) -> Iterator[Optional[Callable[[int], None]]]:
    """Yield a function to call with the number of files done; ``None`` where nobody watches."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console

    console = Console(stderr=True)
    started = time.monotonic()
    with console.status(f"{what} ...") as status:

        def tell(count: int) -> None:
            if time.monotonic() - started > _PATIENCE:
                status.update(f"{what}: {count} files")

        yield tell
