"""The kinds of move, one file each. A new kind is one more file here, and a line in the table."""

from __future__ import annotations

from ..move import Move
from .argument import Argument
from .behaviour import Behaviour
from .class_ import Class
from .deprecated import Deprecated
from .method import Method
from .module import Module
from .name import Name
from .removed import Removed

KINDS: dict[str, type[Move]] = {
    kind.kind: kind for kind in (Module, Name, Class, Method, Argument, Removed, Deprecated, Behaviour)
}

__all__ = ["KINDS", "Argument", "Behaviour", "Class", "Deprecated", "Method", "Module", "Name", "Removed"]
