"""The state directory: where segments, observations and the history lie."""

from __future__ import annotations

import os
import sys

APPLICATION = "netra-compat"
SEGMENT = ".seg"
UNFINISHED = ".new"


def state_directory(environ: dict[str, str] | None = None) -> str:
    """Return ``COMPAT_DIR``, else the user's state directory by the rule of the platform, as platformdirs has it."""
    env = os.environ if environ is None else environ
    chosen = env.get("COMPAT_DIR")
    if chosen:
        return os.path.abspath(chosen)
    if sys.platform == "win32":
        base = env.get("LOCALAPPDATA") or os.path.expanduser("~\\AppData\\Local")
        return os.path.join(base, APPLICATION, APPLICATION)
    if sys.platform == "darwin":
        return os.path.expanduser(f"~/Library/Application Support/{APPLICATION}")
    return os.path.join(env.get("XDG_STATE_HOME", "").strip() or os.path.expanduser("~/.local/state"), APPLICATION)


def segments_in(directory: str) -> str:
    """Return the directory of the segments of ``directory``."""
    return os.path.join(directory, "segments")


def observed_in(directory: str) -> str:
    """Return the directory of the records of processes that used nothing."""
    return os.path.join(directory, "observed")


def damaged_in(directory: str) -> str:
    """Return the directory into which unreadable files are set aside."""
    return os.path.join(directory, "damaged")


def history_in(directory: str) -> str:
    """Return the path of the usage history of ``directory``."""
    return os.path.join(directory, "usage.db")
