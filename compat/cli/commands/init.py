"""``compat init``: begin a migration in a project, without a question.

Finds the package, its tests, its CI and the ledgers in reach, and shows as a diff what there is to write: the configuration of a
project that uses legacy names of others, or the first ledger of a package, drafted from what its source warns of. What stands in
pyproject.toml stays as it is.

Exit codes: 0 shown or written, or nothing to do; 2 usage, or a project that cannot be understood; 3 a defect.
"""

from __future__ import annotations

import argparse
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence


def run(argv: Sequence[str]) -> int:
    """Show or write."""
    parser = argparse.ArgumentParser(
        "compat init",
        usage="compat init [OPTIONS] [DIRECTORY]",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "directory", nargs="?", default=".", metavar="DIRECTORY", help="Of the project; the current one by default."
    )
    parser.add_argument("--write", action="store_true", help="Write what is otherwise shown.")
    try:
        given = parser.parse_args(list(argv))
    except SystemExit as stop:
        return int(stop.code or 0)
    from compat.project import beginning, insertion
    from compat.project.survey import survey

    found = survey(given.directory)
    made = beginning.begin(found)
    for note in made.notes:
        sys.stderr.write(f"{note}\n")
    texts = {name: text for name, text in made.texts.items() if insertion.diff(found.root, name, text)}
    for name, text in texts.items():
        sys.stdout.write(f"{name}\n" if given.write else insertion.diff(found.root, name, text))
    if given.write:
        insertion.write(found.root, texts)
    elif texts:
        sys.stderr.write("nothing is written yet; write it with: compat init --write\n")
    sys.stderr.write("".join(f"then: {step}\n" if number else f"next: {step}\n" for number, step in enumerate(made.steps)))
    return 0
