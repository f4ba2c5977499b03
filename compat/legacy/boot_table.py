"""``python -m compat.legacy.boot_table --check|--write``: the roots that the boot module knows, made from the ledger."""

from __future__ import annotations

import pathlib
import re
import sys

from compat import _boot

from .ledger import LEDGER

# Names that other projects use for packages of their own.
GENERIC = ("app", "dev_launcher", "shared", "test_framework", "tests")


def table() -> str:
    """The lines between the markers of the boot module."""
    declared = sorted(
        {".".join(name.split(".")[:2]) for name in LEDGER.modules if name.partition(".")[0] in GENERIC and "." in name}
    )
    lines = []
    for name, words in (
        ("ROOTS", sorted(LEDGER.roots)),
        ("GENERIC", [word for word in GENERIC if word in LEDGER.roots]),
        ("DECLARED", declared),
    ):
        lines += [f"{name} = frozenset(", "    (", *(f'        "{word}",' for word in words), "    )", ")"]
    return "\n".join(lines) + "\n"


def main(argv: list[str]) -> int:
    """Check or rewrite the table; 0 when it is current (now), 1 when it is stale, 2 for a wrong call."""
    if argv not in (["--check"], ["--write"]):
        sys.stderr.write("usage: python -m compat.legacy.boot_table --check|--write\n")
        return 2
    file = pathlib.Path(str(_boot.__file__))
    text = file.read_text(encoding="utf-8")
    fresh = re.sub(
        r"(# table: [^\n]*\n).*?(# end of table\n)", lambda found: found[1] + table() + found[2], text, flags=re.DOTALL
    )
    if fresh == text:
        return 0
    if argv == ["--check"]:
        sys.stderr.write(f"{file} is stale; run: python -m compat.legacy.boot_table --write\n")
        return 1
    file.write_text(fresh, encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
