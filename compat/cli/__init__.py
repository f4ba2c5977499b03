"""The command line, one small file per subcommand.

commands   the table: name, where it lives, which extra it needs, one line of help
frame      main(): base commands, the group, what a missing extra is called, exit codes
group      the click group that imports a subcommand when it is called
options    options and habits that several subcommands share
"""

from __future__ import annotations

from .main import main

__all__ = ["main"]
