"""What PyInstaller finds by its entry point: a hook that collects what a frozen program needs, and one that starts the drop-in.

hook-compat    what serves ledgers, those that the environment declares, and what their rows name
rthooks.dat    which script a frozen program runs before its own
"""

import os


def hook_dirs() -> "list[str]":
    """The folders with hooks; what the entry point ``pyinstaller40: hook-dirs`` calls."""
    return [os.path.dirname(os.path.abspath(__file__))]
