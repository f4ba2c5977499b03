"""``compat check``: what is wrong with the rows of ledgers, before and after they are installed, and with what replaces them.

Imports the canonical targets, the adapters, and the legacy modules that still exist. A replacement as code that cannot be
inlined is a fault too.

Exit codes: 0 nothing is wrong, 1 faults, 2 usage, or no ledger is found, 3 a defect.
"""

from __future__ import annotations

import argparse
import json
import sys

from compat.cli.common import required_ledger

from ...parser import Parser

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

FORMAT_VERSION = 1


def _parser() -> argparse.ArgumentParser:
    parser = Parser("compat check", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False)
    parser.add_ledgers()
    add = parser.add_argument
    add("--format", choices=("text", "json"), default="text", help="The default is text.")
    return parser


def run(argv: Sequence[str]) -> int:
    """Check, and name each row with what is wrong and what to write instead."""
    try:
        given = _parser().parse_args(list(argv))
    except SystemExit as stop:
        return int(stop.code or 0)
    from compat.shim.trial import find_faults

    ledger = required_ledger(tuple(given.ledgers))
    faults = list(dict.fromkeys(find_faults(ledger)))
    if given.format == "json":
        listed = [{"row": row, "reason": reason, "remedy": remedy} for row, reason, remedy in faults]
        json.dump({"format_version": FORMAT_VERSION, "rows": len(ledger), "faults": listed}, sys.stdout, indent=2)
        sys.stdout.write("\n")
    else:
        for row, reason, remedy in faults:
            sys.stdout.write(f"{row}: {reason}. {remedy}\n")
    names = ", ".join(dict.fromkeys(origin.name for origin in ledger.origins))
    with_code = sum(1 for row in ledger if row.replacement)
    inlined = f", {with_code} with a replacement as code" if with_code else ""
    found = f"{len(faults)} fault{'s' if len(faults) != 1 else ''}" if faults else "nothing is wrong"
    sys.stderr.write(f"{names}: {len(ledger)} row{'s' if len(ledger) != 1 else ''}{inlined}; {found}.\n")
    return 1 if faults else 0
