"""The drop-in: legacy names are served in every process of an environment, with no code change.

start          what the ``.pth`` file runs: registers the finder, which reads entry points; installed as ``netra_compat_start``
entry_points   the declarations of installed distributions, as the command line reads them
"""

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


#: The start module of this process: the one that the ``.pth`` file has started, else the package's own.
#: By its name: what reads entry points depends on nothing that the start module may load.
active: "Any" = sys.modules.get("netra_compat_start") or __import__("compat.boot.start", fromlist=["*"])


def boot(how: str = "start file") -> None:
    """Register the drop-in; do nothing when it is there already, or when ``COMPAT=off``."""
    active.boot(how)


def unboot() -> None:
    """Take the finder of the drop-in out again; ledgers that it has installed stay."""
    import atexit

    atexit.unregister(active.end)
    active.finder.started_by = ""
    sys.meta_path = [finder for finder in sys.meta_path if finder is not active.finder]
