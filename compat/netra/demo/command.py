"""``compat demo``: run a legacy service on the canonical core and show what was seen. Needs the ``server`` extra."""

from __future__ import annotations

import os
import sys

from compat.errors import LegacyExpiredError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

# What may keep the service from running, and is meant to.
NARROWING = ("COMPAT", "COMPAT_AS_OF", "COMPAT_ROOTS")
USAGE = "usage: compat demo [--source]\n\n  --source  print the legacy code that the demo runs, and stop\n"


def run(argv: Sequence[str]) -> int:
    """Run a service written for legacy paths and show what was seen.

    0 if every check held; 1 if one did not, or the service was kept from running; 2 for a wrong call or a missing extra.
    """
    arguments = list(argv)
    if arguments in (["-h"], ["--help"]):
        sys.stdout.write(USAGE)
        return 0
    if arguments not in ([], ["--source"]):
        unknown = next((one for one in arguments if one != "--source"), "--source")
        sys.stderr.write(f"compat demo: unknown argument {unknown!r}\n{USAGE}")
        return 2
    from compat.netra.demo import runner

    if arguments:
        sys.stdout.write(runner.source())
        return 0
    absent = runner.missing()
    if absent:
        sys.stderr.write(f"compat demo: {absent} is not installed; write: pip install 'netra-compat[server]'\n")
        return 2
    if os.environ.get("COMPAT_TELEMETRY", "").strip().lower() == "off":
        sys.stderr.write("compat demo: COMPAT_TELEMETRY=off keeps no counts, which the demo shows; unset it, or write memory\n")
        return 2
    try:
        outcome = runner.run()
    except (ImportError, LegacyExpiredError) as error:
        told = [f"{name}={os.environ[name]}" for name in NARROWING if os.environ.get(name)]
        if not told:
            raise
        sys.stderr.write(f"compat demo: with {' '.join(told)} the legacy service does not run: {type(error).__name__}: {error}\n")
        return 1
    runner.describe(outcome)
    failed = sum(not holds for _, holds in outcome.checks)
    sys.stdout.write(f"\n{len(outcome.checks) - failed} checks held, {failed} failed\n")
    return 0 if outcome.held else 1
