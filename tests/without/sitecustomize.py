"""Makes an interpreter on Linux lack what others lack: ``COMPAT_TESTS_WITHOUT=fcntl,fork,rename``, this folder in ``PYTHONPATH``.

fcntl   no module ``fcntl``, as on Windows
fork    no ``os.fork()``, nor what goes with it, as on Windows
rename  a file that any process has open or mapped is neither renamed, replaced nor removed, as on Windows
"""

import os
import sys

WITHOUT = os.environ.get("COMPAT_TESTS_WITHOUT", "").split(",")


def _is_open(path):
    try:
        at = os.stat(path)
    except OSError:
        return False
    for process in [name for name in os.listdir("/proc") if name.isdigit()]:
        for kind in ("fd", "map_files"):
            try:
                held = os.listdir(f"/proc/{process}/{kind}")
            except OSError:
                continue
            for one in held:
                try:
                    found = os.stat(f"/proc/{process}/{kind}/{one}")
                except OSError:
                    continue
                if (found.st_dev, found.st_ino) == (at.st_dev, at.st_ino):
                    return True
    return False


def _refusing(function):
    def refuse(*paths, **options):
        for path in paths:
            if not isinstance(path, int) and os.path.isfile(path) and _is_open(path):
                raise PermissionError(13, "The process cannot access the file because it is being used by another process", path)
        return function(*paths, **options)

    return refuse


if "fcntl" in WITHOUT:
    sys.modules["fcntl"] = None
if "fork" in WITHOUT:
    for _name in ("fork", "forkpty", "register_at_fork", "posix_fallocate", "posix_spawn", "O_CLOEXEC"):
        if hasattr(os, _name):
            delattr(os, _name)
if "rename" in WITHOUT:
    for _name in ("rename", "replace", "unlink", "remove"):
        setattr(os, _name, _refusing(getattr(os, _name)))
