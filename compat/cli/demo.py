"""``compat demo``: run a legacy service on the canonical core and show what was seen. Needs the ``server`` extra."""

from __future__ import annotations

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

USAGE = "usage: compat demo [--source]\n\n  --source  print the legacy code that the demo runs, and stop\n"


def run(argv: Sequence[str]) -> int:
    """Run the demo; 0 if every check held, 1 if one did not, 2 for a wrong call or a missing extra."""
    arguments = list(argv)
    if arguments in (["-h"], ["--help"]):
        sys.stdout.write(USAGE)
        return 0
    if arguments not in ([], ["--source"]):
        sys.stderr.write(f"compat demo: unknown argument {arguments[0]!r}\n{USAGE}")
        return 2
    from compat.demo import runner

    if arguments:
        with open(runner.source_file(), encoding="utf-8") as file:
            sys.stdout.write(file.read())
        return 0
    absent = runner.missing()
    if absent:
        sys.stderr.write(f"compat demo: {absent} is not installed; write: pip install 'netra-compat[server]'\n")
        return 2
    outcome = runner.run()
    runner.describe(outcome)
    failed = sum(not holds for _, holds in outcome.checks)
    sys.stdout.write(f"\n{len(outcome.checks) - failed} checks held, {failed} failed\n")
    return 0 if outcome.held else 1
