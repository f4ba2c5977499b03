"""``compat ci``: what a project's CI can hold, as text for the services and tools that it uses.

Prints a workflow for GitHub, a job for GitLab, hooks for pre-commit, sessions for nox and tox: those of them of which the
project has a file or a table, or those that are named. With --write they are written: a workflow as a file of its own; hooks
and sessions at the end of the file that there is. A file that holds something else stays, unless --force is given.

Exit codes: 0 printed or written, 1 a text was not written because of what its file holds, 2 usage, 3 a defect.
"""

from __future__ import annotations

import argparse
import sys

from ..parser import Parser

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence


def run(argv: Sequence[str]) -> int:
    """Print or write."""
    parser = Parser(
        "compat ci",
        usage="compat ci [OPTIONS] [github|gitlab|pre-commit|nox|tox]...",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("tools", nargs="*", metavar="TOOL", help="Only these; by default those that the project uses.")
    parser.add_argument("--write", action="store_true", help="Write what is otherwise printed.")
    parser.add_argument("--force", action="store_true", help="Replace a workflow or job that differs.")
    try:
        given = parser.parse_args(list(argv))
    except SystemExit as stop:
        return int(stop.code or 0)
    from compat.project import insertion, pipelines
    from compat.project.survey import survey

    found = survey(".")
    code = 0
    for text in pipelines.texts(found, pipelines.chosen(found, given.tools)):
        if not given.write:
            sys.stdout.write(f"# {text.file}\n{text.block}\n")
        elif text.refusal:
            sys.stderr.write(f"{text.file} is not written: {text.refusal}:\n\n{text.block}")
            code = 1
        elif not insertion.diff(found.root, text.file, text.whole):
            sys.stderr.write(f"{text.file} has it already\n")
        elif pipelines.replaces(found, text) and not given.force:
            sys.stderr.write(f"{text.file} is not written: it holds something else; see compat ci {text.tool}, or give --force\n")
            code = 1
        else:
            insertion.write(found.root, {text.file: text.whole})
            sys.stdout.write(f"{text.file}\n")
            if text.tool == "gitlab" and text.file != ".gitlab-ci.yml":
                sys.stderr.write(f"next: add to .gitlab-ci.yml\n\ninclude:\n  - local: {text.file}\n")
    return code
