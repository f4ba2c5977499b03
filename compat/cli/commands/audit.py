"""``compat audit``: every public name that vanished or changed between two versions of a package, and whether a row covers it."""

from __future__ import annotations

import json
import os
import re
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from compat.errors import CompatError

from ..common import chosen_ledger
from ..options import ledger_option, opened_output, output_option

if TYPE_CHECKING:
    from typing import IO

    from compat.analysis.audit.breaks import Break
    from compat.ledger import Ledger, Move

FORMAT_VERSION = 1


@click.command()
@click.argument("old")
@click.argument("new", default=".")
@click.option("--package", default="", help="The package to compare. Default: the only one that is found.")
@click.option("--draft", is_flag=True, help="Print rows for what none covers, as Python source, instead of the list.")
@click.option("--since", default="", metavar="VERSION", help="The version that drafted rows say. Default: that of NEW.")
@click.option("--removal", default="", metavar="VERSION", help="The version of removal in drafts. Default: the next major one.")
@click.option("--all", "everything", is_flag=True, help="Also what rows cover, each with its row.")
@click.option("--format", "form", type=click.Choice(["text", "json", "github"]), default="text", show_default=True)
@output_option
@ledger_option
def command(
    old: str,
    new: str,
    package: str,
    draft: bool,
    since: str,
    removal: str,
    everything: bool,
    form: str,
    output: Path | None,
    ledgers: tuple[str, ...],
) -> int:
    """Compare the public surface of two versions of a package: what is gone, which parameters, defaults and base classes changed,
    and which of that no row of the ledger covers.

    OLD and NEW are directories, revisions of the git repository here, or releases (DISTRIBUTION==VERSION). Sources are read,
    nothing of them is run; only a ledger that --ledger names by its place is imported, from NEW.

    Exit code 0 if rows cover everything, 1 if something is left, 2 if a version cannot be had or read.

    \b
    Examples:
      compat audit v1.4.0
      compat audit shop==1.4 shop==2.0 --ledger shop._moves:LEDGER
      compat audit v1.4.0 . --draft >> shop/_moves.py
    """
    import griffe  # noqa: F401 - absent, it is the extra that is named, before anything is fetched

    from compat.analysis.audit import breaks, covering, drafting, sources, surface

    with ExitStack() as opened:
        roots = [opened.enter_context(sources.brought(version)) for version in (old, new)]
        package = package or _only_package(sources.packages(roots[1]) or sources.packages(roots[0]), new)
        paths = [sources.search_path(root, package, version) for root, version in zip(roots, (old, new))]
        before, after = (surface.load(package, path, version) for path, version in zip(paths, (old, new)))
        found = breaks.find(before, after)
        ledger = _ledger(ledgers, paths[1], package)
        rows = covering.Covering(ledger)
        covered = {broken: rows.row(broken) for broken in found}
        left = [broken for broken in found if covered[broken] is None]
        with opened_output(output) as stream:
            if draft:
                told = since or _version(new, roots[1])
                _write_draft(stream, drafting.Drafter(before, after, told, removal or _next_major(told)).rows(left))
            elif form == "json":
                _write_json(stream, package, old, new, covered)
            else:
                shown = found if everything else left
                _write_lines(stream, shown, covered, form)
    click.echo(
        f"{package}: {len(found)} breaks from {old} to {new}; {len(found) - len(left)} covered, {len(left)} left.", err=True
    )
    return 1 if left else 0


def _only_package(found: list[str], version: str) -> str:
    if len(found) == 1:
        return found[0]
    names = ", ".join(found) or "none"
    raise CompatError(f"which package of {version!r} to compare is not plain (found: {names}); name it with --package")


def _ledger(names: tuple[str, ...], path: str, package: str) -> Ledger:
    if any(":" in name for name in names):
        sys.path.insert(0, path)
    try:
        ledger = chosen_ledger(names)
    finally:
        if sys.path[:1] == [path]:
            del sys.path[0]
    if names:
        return ledger
    # Of all ledgers that are installed, those that speak of this package.
    from compat.ledger import Ledger

    made = Ledger("audit", version="0")
    made += [row for row in ledger if _top(row.legacy) == package or _top(row.canonical) == package]
    return made


def _top(path: str) -> str:
    return re.split("[.:]", path, maxsplit=1)[0]


def _version(version: str, root: str) -> str:
    name, _, number = version.partition("==")
    if number:
        return number
    found = re.search(r"\d+(?:\.\d+)+", name)
    if found is not None and not os.path.isdir(name):
        return found.group()
    place = os.path.join(root, "pyproject.toml")
    if os.path.isfile(place):
        told = re.search(r'^version\s*=\s*"([^"]+)"', Path(place).read_text(encoding="utf-8", errors="replace"), re.M)
        if told is not None:
            return told.group(1)
    return "?"


def _next_major(version: str) -> str:
    head = re.match(r"\d+", version)
    return f"{int(head.group()) + 1}.0" if head is not None else "?"


def _write_draft(stream: IO[str], rows: list[str]) -> None:
    kinds = sorted({row.partition("(")[0] for row in rows if not row.startswith("#")})
    if kinds:
        stream.write(f"from compat import {', '.join(kinds)}\n\n")
    stream.write("ROWS = [\n" + "".join(f"    {row}\n" for row in rows) + "]\n")


def _write_lines(stream: IO[str], shown: list[Break], covered: dict[Break, Move | None], form: str) -> None:
    for broken in shown:
        row = covered[broken]
        if form == "github":
            stream.write(f"::error file={broken.file},line={broken.line},title=compat audit::{broken.message}\n")
            continue
        said = f" (covered by {type(row).__name__}({row.legacy!r}))" if row is not None else ""
        stream.write(f"{broken.file}:{broken.line}: {broken.message}{said}\n")


def _write_json(stream: IO[str], package: str, old: str, new: str, covered: dict[Break, Move | None]) -> None:
    listed: list[dict[str, Any]] = [
        {**broken.as_dict(), "row": row.id if row is not None else None} for broken, row in covered.items()
    ]
    data = {"format_version": FORMAT_VERSION, "package": package, "old": old, "new": new, "breaks": listed}
    json.dump(data, stream, indent=2)
    stream.write("\n")
