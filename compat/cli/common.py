"""Helpers of commands that need only the base install: the chosen ledgers, the output file."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from compat._writing import whole_file
from compat.errors import CompatError

from .table import DISTRIBUTION

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path
    from typing import IO

    from compat.ledger import Ledger
    from compat.telemetry.report.usage_report import MoveFacts


def chosen_ledger(names: tuple[str, ...]) -> Ledger:
    """Return the ledgers named on the command line, else those that the project names, else those that it uses, as one."""
    from compat.ledger import Ledger, discover, load
    from compat.ledger.discovery import configured
    from compat.ledger.in_use import in_use

    names = names or tuple(configured()) or tuple(entry.value for entry in in_use()[0])
    if not names:
        return Ledger("none", version="0")

    # One that is given by its place must not fail for another that cannot be loaded.
    found = [] if names and all(":" in name for name in names) else discover()
    by_name = {ledger.name: ledger for ledger in found}
    ledgers = []
    for name in names:
        if ":" not in name and name not in by_name:
            from .suggest import did_you_mean

            known, meant = ", ".join(by_name) or "none is found", did_you_mean(name, by_name)
            raise CompatError(
                f"no ledger is called {name!r} (found: {known}); write its place as 'package.module:LEDGER'.{meant}"
            )
        ledgers.append(by_name.get(name) or load(name))
    whole: Ledger | None = None
    for each in ledgers:
        whole = each if whole is None else whole + each
    return whole if whole is not None else Ledger("none", version="0")


def words_of(given: Iterable[str]) -> list[str]:
    """The words of an option that may be repeated, and takes several separated by commas."""
    return [word.strip() for each in given for word in each.split(",") if word.strip()]


def required_ledger(names: tuple[str, ...]) -> Ledger:
    """The chosen ledgers as one; an error where there is none, because no row finds nothing and would look like success."""
    if not names:
        _refuse_a_hook_without_ledgers()
    ledger = chosen_ledger(names)
    if not len(ledger):
        raise CompatError(
            f"no ledger with rows was found{_unused()}; name one with --ledger package.module:LEDGER, or in [tool.compat] ledgers"
        )
    return ledger


def _unused() -> str:
    """What to add of ledgers that are there for somebody else."""
    from compat.ledger.in_use import in_use

    others = in_use()[1]
    told = ", ".join(f"{entry.value} of {entry.distribution}" for entry in others)
    return f" that this project uses (there is {told})" if others else ""


def _refuse_a_hook_without_ledgers() -> None:
    """In the environment that pre-commit makes for a hook lies no ledger of the project's: what passes there has seen nothing."""
    import os

    if "PRE_COMMIT" not in os.environ or not os.path.basename(sys.prefix).startswith("py_env-"):
        return
    if _finds_only_the_shipped():
        raise CompatError(
            "this hook runs in an environment of pre-commit, where no ledger of the project is found; name them in [tool.compat]"
            " ledgers, add what has them to the hook's additional_dependencies, or take the local hook that"
            " `compat ci pre-commit` prints"
        )


def _finds_only_the_shipped() -> bool:
    """Whether nobody but this package declares a ledger."""
    from compat.ledger.discovery import configured, entry_points

    names = (entry.distribution.rpartition("-")[0].replace("_", "-") for entry in entry_points(sys.path))
    return not configured() and all(name == DISTRIBUTION for name in names)


def refuse_a_tree_without_ledgers(ledger: Ledger, paths: Sequence[str]) -> None:
    """Raise where nothing is found because only the shipped ledger was searched, in files that import nothing it speaks of."""
    import re

    if not _finds_only_the_shipped():
        return
    legacy = sorted({row.module.partition(".")[0] for row in ledger})
    tops = "|".join(re.escape(top) for top in {*legacy, *(row.canonical.partition(".")[0] for row in ledger)} if top)
    imports = re.compile(rb"^[ \t]*(?:from|import)[ \t]+(?:%s)\b|[\"'](?:%s)[.:]" % (tops.encode(), tops.encode()), re.M)
    for path in paths:
        try:
            with open(path, "rb") as file:
                if imports.search(file.read()):
                    return
        except OSError:
            continue
    names = ", ".join(origin.name for origin in ledger.origins)
    raise CompatError(
        f"no ledger of this project was searched: only {names!r} is found, and nothing here imports what it speaks of"
        f" ({', '.join(legacy)}); name one with --ledger package.module:LEDGER, or in [tool.compat] ledgers"
    )


def tell_where_nothing_is_read(files: int, paths: Sequence[str]) -> None:
    """Say on stderr that folders were named, and no file in them is read: what found nothing there proves nothing."""
    folders = [path for path in paths or (".",) if os.path.isdir(path)]
    if folders and not files:
        left = "what .gitignore and [tool.compat] exclude name, and folders such as .venv and .nox, are left out"
        print(f"compat: no file to read in {', '.join(map(repr, folders))}: {left}", file=sys.stderr)


def move_facts(ledger: Ledger) -> dict[str, MoveFacts]:
    """The facts of every row by the id under which its uses are counted."""
    from compat.metrics import move_facts

    return move_facts(ledger)


@contextmanager
def opened_output(path: Path | str | None) -> Iterator[IO[str]]:
    """Yield a text stream in UTF-8: stdout, or a file that is written whole or not at all (see :func:`whole_file`)."""
    if path is None or str(path) == "-":
        yield sys.stdout
        return
    with ExitStack() as opened:
        try:
            file = opened.enter_context(whole_file(path))
        except OSError as error:
            remedy = "name a file in a directory that can be"
            raise CompatError(f"{str(path)!r} cannot be written: {error.strerror}; {remedy}") from None
        # The name of a file may be in another encoding.
        stream = io.TextIOWrapper(file, encoding="utf-8", errors="replace", newline="\n")
        try:
            yield stream
        finally:
            stream.detach()  # flushes; the file is closed by whole_file()
