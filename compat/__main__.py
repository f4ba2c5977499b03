"""The command line: ``python -m compat`` and the ``compat`` script."""

from __future__ import annotations

import gc

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command line and return its exit code; ``argv`` defaults to ``sys.argv[1:]``."""
    from compat.cli import main as run
    from compat.telemetry.record.asked import read_only

    read_only()
    code = run(argv)
    # The process ends with this: a last look for cycles among all there is would free nothing that is missed.
    if hasattr(gc, "freeze"):
        gc.freeze()
    return code


if __name__ == "__main__":
    raise SystemExit(main())
