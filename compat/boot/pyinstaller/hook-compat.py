"""What a frozen program needs of this package: imports by name are not seen by a freezer."""

import sys

from PyInstaller.utils.hooks import collect_submodules, copy_metadata, logger  # type: ignore[import-untyped,unused-ignore]

from compat.boot.entry_points import entry_points
from compat.ledger import discovery

# What runs at a command line only.
left = {"compat.analysis", "compat.boot.pyinstaller", "compat.cli", "compat.readiness"}
left |= {f"compat.telemetry.{name}" for name in ("export", "page", "read", "report")}
hiddenimports: "list[str]" = []
datas = copy_metadata("netra-compat")

for declared in entry_points(sys.path):
    named = {declared.value.partition(":")[0]}
    try:
        for move in discovery.load(declared.value):
            named.update(path.partition(":")[0] for path in (move.canonical, move.adapter) if path)
        if declared.value.startswith("compat."):
            # A ledger that this package brings along is collected for a program that asks for it.
            left.update(".".join(name.split(".")[:2]) for name in named if name.startswith("compat."))
        else:
            datas += copy_metadata(declared.distribution.rpartition("-")[0] or declared.distribution)
            hiddenimports += sorted(named)
    except Exception as error:
        logger.warning("ledger %s of %s is not collected: %s", declared.value, declared.distribution, error)


def _is_needed(name: str) -> bool:
    return not f"{name}.".startswith(tuple(f"{one}." for one in left))


hiddenimports += collect_submodules("compat", filter=_is_needed, on_error="ignore")
