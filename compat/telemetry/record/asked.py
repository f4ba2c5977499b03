"""Whether somebody asked that uses be kept on disk: what a library deprecates says nothing of whose disk it may write to.

``COMPAT_TELEMETRY=on``, ``COMPAT_DIR`` or ``COMPAT_SERVICE`` ask for it, and ``[tool.compat] telemetry = true`` in the
pyproject.toml of the directory in which the process counts first.
"""

from __future__ import annotations

import os

_of_project: list[bool] = []
_reading: list[bool] = []


def read_only() -> None:
    """Take this process, from now on, for one that reads counts: that it runs says nothing of any service."""
    _reading.append(True)


def is_reading() -> bool:
    """Whether this process only reads counts."""
    return bool(_reading)


def is_asked() -> bool:
    """Whether the uses of every ledger are kept, and processes recorded that used nothing."""
    said = os.environ
    mode = said.get("COMPAT_TELEMETRY", "").strip().lower()
    if mode:
        return mode not in ("off", "memory")
    if said.get("COMPAT_DIR") or said.get("COMPAT_SERVICE"):
        return True
    if not _of_project:
        _of_project.append(_is_asked_by_project())
    return _of_project[0]


def forget() -> None:
    """Ask the project again."""
    del _of_project[:], _reading[:]


def _is_asked_by_project() -> bool:
    try:
        at = os.getcwd()
    except OSError:
        return False
    while True:
        file = os.path.join(at, "pyproject.toml")
        try:
            with open(file, "rb") as stream:
                text = stream.read()
        except OSError:
            text = b""
        if b"[tool.compat" in text:
            # Most say nothing of it, and a reader of TOML takes longer to load than all the rest.
            return b"telemetry" in text and _says(file)
        above = os.path.dirname(at)
        if above == at:
            return False
        at = above


def _says(file: str) -> bool:
    from compat import configuration
    from compat.errors import CompatError

    try:
        return bool(configuration.value(configuration.read(file), "telemetry"))
    except (CompatError, OSError):
        return False  # `compat doctor` says what is wrong in it
