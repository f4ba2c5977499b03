"""``compat forget``: remove what the telemetry has kept on this machine."""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

USAGE = """usage: compat forget [--dry-run] [DIRECTORY]

Removes the counts, records and the usage history that lie in DIRECTORY. It must be named: without it the command says where
this machine keeps them, and what lies there, and removes nothing. What is not the telemetry's own stays.

  --dry-run  name the files, and remove nothing

Exit codes: 0 done, or nothing to do, 2 usage, or a file that cannot be removed, 3 a defect.

Examples:
  compat forget
  compat forget --dry-run ~/.local/state/netra-compat
  compat forget ~/.local/state/netra-compat
"""


def run(argv: Sequence[str]) -> int:
    """Remove, or say what there is."""
    arguments = list(argv)
    if any(argument in ("-h", "--help") for argument in arguments):
        sys.stdout.write(USAGE)
        return 0
    is_dry = "--dry-run" in arguments
    places = [argument for argument in arguments if argument != "--dry-run"]
    if len(places) > 1 or any(place.startswith("-") for place in places):
        sys.stderr.write(f"compat forget: one directory, and --dry-run at most, not {' '.join(arguments)!r}\n{USAGE}")
        return 2
    from compat.telemetry.record.directory import state_directory

    place = places[0] if places else state_directory()
    if places and not os.path.isdir(place):
        sys.stderr.write(f"compat forget: there is no directory {place!r}\n")
        return 2
    files = list(kept_in(place))
    size = sum(os.path.getsize(file) for file in files if os.path.exists(file))
    what = f"{len(files):,} file{'' if len(files) == 1 else 's'}, {size / 1024:,.0f} KiB"
    if not places:
        sys.stdout.write(f"{place}: {what if files else 'nothing is kept'}\n")
        if files:
            sys.stdout.write(f"To remove them: compat forget {_quoted(place)}\n")
        return 0
    if is_dry:
        for file in files:
            sys.stdout.write(f"{file}\n")
        sys.stdout.write(f"{what}: nothing was removed.\n")
        return 0
    return _removed(place, files, what)


def kept_in(directory: str) -> Iterator[str]:
    """The files of the telemetry in a state directory."""
    from compat.telemetry.record import directory as places

    for folder, endings in (
        (places.segments_in(directory), (places.SEGMENT, places.UNFINISHED)),
        (places.observed_in(directory), (".log",)),
        (places.damaged_in(directory), ("",)),
    ):
        for name in sorted(os.listdir(folder)) if os.path.isdir(folder) and not os.path.islink(folder) else ():
            file = os.path.join(folder, name)
            if name.endswith(endings) and os.path.isfile(file):
                yield file
    history = places.history_in(directory)
    for file in (history, f"{history}-wal", f"{history}-shm", f"{history}-journal"):
        if os.path.isfile(file):
            yield file
    for name in sorted(os.listdir(directory)) if os.path.isdir(directory) else ():
        if name.startswith(f"{os.path.basename(history)}.") and name.endswith(places.UNFINISHED):
            yield os.path.join(directory, name)


def _removed(place: str, files: Sequence[str], what: str) -> int:
    from compat.telemetry.record import directory as places

    failed = 0
    for file in files:
        try:
            os.remove(file)
        except FileNotFoundError:
            pass  # its process, or another who forgets, was quicker
        except OSError as error:
            failed += 1
            sys.stderr.write(f"compat forget: {file} cannot be removed: {error.strerror or error}\n")
    for folder in (places.segments_in(place), places.observed_in(place), places.damaged_in(place), place):
        try:
            os.rmdir(folder)
        except OSError:
            continue  # not there, or something of somebody else's is in it
    if failed:
        return 2
    sys.stdout.write(f"{place}: {what} removed.\n" if files else f"{place}: nothing is kept.\n")
    return 0


def _quoted(place: str) -> str:
    import shlex

    return shlex.quote(place)
