"""What could not be read: a doubt about every verdict, until somebody has looked at it and cleared it away."""

from __future__ import annotations

import os
from time import time

from ..record.directory import damaged_in


class Note(str):
    """A remark on what was read, among the problems, that leaves nothing unread."""

    __slots__ = ()


def set_aside(directory: str, path: str) -> str:
    """Move the bad file ``path`` out of the way, and return where it is now (where it was, if it cannot be moved)."""
    target = os.path.join(damaged_in(directory), os.path.basename(path))
    try:
        os.makedirs(damaged_in(directory), mode=0o700, exist_ok=True)
        os.replace(path, target)
    except OSError:
        return path
    return target


def damaged_files(directory: str) -> list[str]:
    """Return a problem for every file that was set aside in ``directory`` and is still there."""
    try:
        with os.scandir(damaged_in(directory)) as entries:
            paths = sorted(entry.path for entry in entries)
    except FileNotFoundError:
        return []
    except OSError as error:
        return [f"{damaged_in(directory)}: {error}"]
    return [
        f"{path}: it could not be read, and what it counted is unknown; when that is settled: compat vacuum --damaged"
        for path in paths
    ]


def clear(directory: str, days: int | None = None) -> list[str]:
    """Remove the files that were set aside in ``directory``, ``days`` days ago or before that; return their paths."""
    gone = []
    try:
        with os.scandir(damaged_in(directory)) as entries:
            found = sorted((entry.path, entry.stat().st_ctime) for entry in entries)
    except FileNotFoundError:
        return []
    for path, moved in found:
        if days is None or moved < time() - days * 86400:
            os.unlink(path)
            gone.append(path)
    return gone
