"""The version of an installed distribution, read from the name of its metadata folder."""

from __future__ import annotations

import os
import sys

from compat._forking import gate

_known: dict[str, str] = {}


def version_of(distribution: str) -> str:
    """The version of a distribution; ``""`` where it is not installed.

    ``importlib.metadata``, whose import costs more than a legacy use, is asked only where no folder on ``sys.path`` tells.
    """
    found = _known.get(distribution) or _folder_version(distribution) or _metadata_version(distribution)
    if found:
        _known[distribution] = found
    return found


def _plain(name: str) -> str:
    return name.lower().replace("-", "_").replace(".", "_")


def _folder_version(distribution: str) -> str:
    wanted = _plain(distribution)
    for place in sys.path:
        try:
            names = os.listdir(place or os.curdir)
        except OSError:
            continue
        for entry in names:
            stem, dot, kind = entry.rpartition(".")
            name, dash, version = stem.partition("-")
            if dot and dash and kind == "dist-info" and _plain(name) == wanted:
                return version
    return ""


def _metadata_version(distribution: str) -> str:
    try:
        with gate:
            from importlib.metadata import version

            return version(distribution)
    except Exception:  # whatever lies on the path of somebody's environment
        return ""
