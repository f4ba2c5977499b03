"""Writes a file whole or not at all, and leaves what its path names what it is: a link, a pipe, a device."""

from __future__ import annotations

import io
import os
import stat
from contextlib import contextmanager, suppress

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import BinaryIO

#: Links in these folders stand for open files of the process: what they lead to is not a path to put another file under.
_OPEN_FILES = ("/dev", "/proc")
_MOST_LINKS = 40


@contextmanager
def whole_file(path: str | os.PathLike[str], *, durable: bool = False) -> Iterator[BinaryIO]:
    """Yield a stream of bytes whose content stands at ``path`` when the block ends, and nowhere when it raises.

    A regular file is replaced in one step and keeps its mode; the target of a symbolic link is replaced, not the link. What
    has a second name (a hard link), or cannot be replaced, is written into.
    A device, a pipe or an open file (``/dev/stdout``) is written to, as nothing can take its place. With ``durable`` the
    content is on the disk before the file is replaced. Raises ``OSError``.
    """
    place = _place(os.fspath(path))
    if place is None:
        buffer = io.BytesIO()
        # Opened before anything is made, so that what cannot be written is known at once. Never created, never cut short.
        with open(os.open(path, os.O_WRONLY | os.O_APPEND), "wb") as file:
            yield buffer
            file.write(buffer.getvalue())
        return
    folder, name = os.path.split(place)
    part = os.path.join(folder, f".{name}.{os.getpid()}.{os.urandom(4).hex()}.part")
    mode = stat.S_IMODE(os.stat(place).st_mode) if os.path.exists(place) else None
    with open(part, "xb") as file:
        try:
            yield file
            file.flush()
            if durable:
                os.fsync(file.fileno())
            file.close()  # Windows replaces no open file
            if mode is not None:
                os.chmod(part, mode)
            _put(part, place)
        except BaseException:
            file.close()
            with suppress(FileNotFoundError):
                os.unlink(part)
            raise


def _put(part: str, place: str) -> None:
    try:
        if os.path.exists(place) and os.stat(place).st_nlink > 1:
            raise OSError("it has other names, under which it would stay as it was")
        os.replace(part, place)
    except OSError:
        if not os.path.exists(place):
            raise
        # A file that is mounted by itself, as containers do, cannot be replaced either.
        with open(part, "rb") as new, open(place, "r+b") as old:
            old.write(new.read())
            old.truncate()
        os.unlink(part)


def _place(path: str) -> str | None:
    """The path of the regular file, there or to be made, that ``path`` leads to; ``None`` for what must be written to."""
    for _ in range(_MOST_LINKS):
        folder = os.path.realpath(os.path.dirname(path))
        path = os.path.join(folder, os.path.basename(path))
        if not os.path.islink(path):
            break
        if f"{folder}/".startswith(tuple(f"{top}/" for top in _OPEN_FILES)):
            return None
        path = os.path.join(folder, os.readlink(path))
    try:
        mode = os.stat(path).st_mode
    except FileNotFoundError:
        return path
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(21, "Is a directory", path)
    return path if stat.S_ISREG(mode) else None
