"""The parser of commands that run without click."""

from __future__ import annotations

import argparse
import re
from typing import NoReturn

from .suggest import did_you_mean

LEDGER_HELP = "A ledger by its name, or as package.module:LEDGER; repeatable. Default: those that the project uses."


class Parser(argparse.ArgumentParser):
    """A parser of options that names the nearest choice for a wrong one."""

    def error(self, message: str) -> NoReturn:
        """Say what is wrong and end with 2."""
        wrong = re.search(r"invalid choice: '(.*?)' \(choose from (.*?)\)", message)
        more = did_you_mean(wrong[1], re.findall(r"[\w.-]+", wrong[2])) if wrong and "maybe you meant" not in message else ""
        super().error(message + more)

    def add_ledgers(self) -> None:
        """Add ``--ledger NAME``, as :func:`compat.cli.options.ledger_option` does for click."""
        self.add_argument("--ledger", dest="ledgers", action="append", default=[], metavar="NAME", help=LEDGER_HELP)
