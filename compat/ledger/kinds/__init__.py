"""The kinds of move, one file each. A new kind is one more file here, and a line in the table."""

from __future__ import annotations

__all__ = ["KINDS", "Argument", "Behaviour", "Class", "Deprecated", "Method", "Module", "Name", "Removed"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..move import Move
    from .argument import Argument
    from .behaviour import Behaviour
    from .class_ import Class
    from .deprecated import Deprecated
    from .method import Method
    from .module import Module
    from .name import Name
    from .removed import Removed

    KINDS: dict[str, type[Move]]

_HOMES = {
    "Module": "module",
    "Name": "name",
    "Class": "class_",
    "Method": "method",
    "Argument": "argument",
    "Removed": "removed",
    "Deprecated": "deprecated",
    "Behaviour": "behaviour",
}


def __getattr__(name: str) -> object:
    if name == "KINDS":
        kinds = [__getattr__(kind) for kind in _HOMES]
        found: object = {kind.kind: kind for kind in kinds}  # type: ignore[attr-defined]
    elif name in _HOMES:
        found = getattr(__import__(f"{__name__}.{_HOMES[name]}", fromlist=[name]), name)
    else:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()[name] = found
    return found
