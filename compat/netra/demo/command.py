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
USAGE = """usage: compat demo [--source | --browser [--port PORT]]

  --source     print the legacy code that the demo runs, and stop
  --browser    serve a page with two users side by side, whose connections can be cut
  --port PORT  where the page is served on this machine: 8765 by default, 0 for a free port
"""


def run(argv: Sequence[str]) -> int:
    """Run a service written for legacy paths and show what was seen.

    0 if every check held; 1 if one did not, or the service was kept from running; 2 for a wrong call or a missing extra.
    """
    arguments = list(argv)
    if arguments in (["-h"], ["--help"]):
        sys.stdout.write(USAGE)
        return 0
    if arguments and arguments[0] == "--browser":
        return _browser(arguments[1:])
    if arguments not in ([], ["--source"]):
        unknown = next((one for one in arguments if one != "--source"), "--source")
        return _refuse(f"unknown argument {unknown!r}", usage=True)
    from compat.netra.demo import runner

    if arguments:
        sys.stdout.write(runner.source())
        return 0
    absent = runner.missing()
    if absent:
        return _refuse(f"{absent} is not installed; write: pip install 'netra-compat[server]'")
    if os.environ.get("COMPAT_TELEMETRY", "").strip().lower() == "off":
        return _refuse("COMPAT_TELEMETRY=off keeps no counts, which the demo shows; unset it, or write memory")
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


def _browser(arguments: list[str]) -> int:
    """Serve the page with two users; until Ctrl-C."""
    from compat.netra.demo import runner

    if arguments and arguments[0].startswith("--port="):
        arguments = ["--port", arguments[0].partition("=")[2], *arguments[1:]]
    if arguments and arguments[0] != "--port":
        return _refuse(f"unknown argument {arguments[0]!r}", usage=True)
    if arguments[2:]:
        return _refuse(f"unknown argument {arguments[2]!r}", usage=True)
    named = arguments[1] if len(arguments) == 2 else "" if arguments else "8765"
    if not (named.isascii() and named.isdigit() and len(named) <= 5 and int(named) <= 65535):
        return _refuse(f"--port is {named!r}; give a number from 0 to 65535")
    absent = runner.missing()
    if absent:
        return _refuse(f"{absent} is not installed; write: pip install 'netra-compat[server]'")
    from compat.netra.demo.browser import serve

    return serve(int(named))


def _refuse(why: str, *, usage: bool = False) -> int:
    sys.stderr.write(f"compat demo: {why}\n{USAGE if usage else ''}")
    return 2
