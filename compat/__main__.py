"""The command line: ``python -m compat`` and the ``compat`` script."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command line and return its exit code; ``argv`` defaults to ``sys.argv[1:]``."""
    from compat.cli import main as run

    return run(argv)


if __name__ == "__main__":
    raise SystemExit(main())
