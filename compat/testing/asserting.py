"""The context managers for tests of any kind."""

from __future__ import annotations

from contextlib import contextmanager

from compat.shim.recording.funnel import row_of

from .uses import Uses, is_meant, told

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def legacy_uses() -> Iterator[Uses]:
    """Give the :class:`Uses` of a block.

    with legacy_uses() as uses:
        run_the_old_report()
    self.assertEqual(uses.moves, {"shop.util:Money"})
    """
    uses = Uses()
    try:
        yield uses
    finally:
        uses.close()


@contextmanager
def no_legacy_uses(*allowed: str) -> Iterator[Uses]:
    """Raise ``AssertionError`` at the end of a block in which something legacy was used, with move, place and advice.

    ``allowed`` are ids, legacy paths, or patterns of them (``"shop.util:*"``). An error of the block itself goes on as it is.
    Also a decorator of a test function.
    """
    with legacy_uses() as uses:
        yield uses
    found = [use for use in uses if not is_meant(use.move, allowed, row_of(use.move))]
    if found:
        count = sum(use.count for use in found)
        said = f"{count} legacy use{'s' * (count != 1)} where none is allowed:"
        raise AssertionError(f"{said}\n{told(found)}")
