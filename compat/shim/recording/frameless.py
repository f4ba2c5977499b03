"""Raises errors from C code alone, so that a traceback ends at the line of the user.

Each Python function between an error and its user adds a line to the traceback that tells him nothing.
"""

from __future__ import annotations

import sys
from functools import partial

from .callsite import stack_top

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType
    from typing import Any


def frameless(outcome: Callable[[FrameType | None], object]) -> Callable[[object], Any]:
    """A function of one argument, which it ignores, that returns what ``outcome`` returns, or raises it if it is an exception.

    ``outcome`` is given the frame of the caller, ``None`` where no Python code calls.
    """

    if sys.implementation.name == "pypy":  # its built-in functions have frames of their own

        def told(_given: object) -> Any:
            found = outcome(sys._getframe(1))
            if isinstance(found, Exception):
                raise found
            return found

        return told

    def prepared() -> Callable[[], object]:
        found = outcome(stack_top(1))
        if not isinstance(found, Exception):
            return partial(min, (found,), key=id)
        finished = (each for each in ())  # type: ignore[var-annotated]
        finished.close()
        return partial(finished.throw, found)

    # next(..., argument): a default that is never needed.
    call: Any = partial.__call__
    return partial(next, map(call, iter(prepared, None)))
