"""``python -m compat.netra.boot_table --check|--write``: the roots that the boot modules know, made from the ledger.

The module that ``netra_compat.pth`` imports is the package's ``_start``, written out once more beside the package.
"""

from __future__ import annotations

import pathlib
import re
import sys

from compat import _boot

from .ledger import LEDGER

# Names that other projects use for packages of their own.
GENERIC = ("app", "dev_launcher", "shared", "test_framework", "tests")


def _fresh(file: pathlib.Path, table: str) -> str:
    head, marker, rest = re.split(r"(# table: [^\n]*\n)", file.read_text(encoding="utf-8"))
    return head + marker + table + rest[rest.index("# end of table\n") :]


def tables() -> dict[pathlib.Path, str]:
    """The lines between the markers, by the file that they stand in."""
    declared = sorted(
        {".".join(name.split(".")[:2]) for name in LEDGER.modules if name.partition(".")[0] in GENERIC and "." in name}
    )
    boot = pathlib.Path(str(_boot.__file__))
    generic = [word for word in GENERIC if word in LEDGER.roots]
    return {
        boot.with_name("_start.py"): _written("ROOTS", sorted(LEDGER.roots)),
        boot: _written("GENERIC", generic) + _written("DECLARED", declared),
    }


def _written(name: str, words: list[str]) -> str:
    return "\n".join([f"{name} = frozenset(", "    (", *(f'        "{word}",' for word in words), "    )", ")", ""])


def main(argv: list[str]) -> int:
    """Check or rewrite the tables; 0 when they are current (now), 1 when one is stale, 2 for a wrong call."""
    if argv not in (["--check"], ["--write"]):
        sys.stderr.write("usage: python -m compat.netra.boot_table --check|--write\n")
        return 2
    is_stale = False
    texts = {file: _fresh(file, table) for file, table in tables().items()}
    start = next(file for file in texts if file.name == "_start.py")
    texts[start.parent.parent / "netra_compat_start.py"] = texts[start]
    for file, fresh in texts.items():
        if fresh == file.read_text(encoding="utf-8"):
            continue
        if argv == ["--check"]:
            sys.stderr.write(f"{file} is stale; run: python -m compat.netra.boot_table --write\n")
            is_stale = True
        else:
            file.write_text(fresh, encoding="utf-8")
    return int(is_stale)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
