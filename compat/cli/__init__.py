"""The command line, one small file per subcommand.

table      name, place, extra and one line of help of each subcommand; commands/ holds one file for each
main       main(): base commands, the group, what a missing extra is called, exit codes
group      the click group that imports a subcommand when it is called
options    options and habits that several subcommands share
"""

from __future__ import annotations

from .main import main

__all__ = ["main"]
