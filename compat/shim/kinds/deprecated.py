"""Deprecated: what stays where it is, observed in its place: modules, classes, functions, members and constants."""

from __future__ import annotations

import enum
import types

from ..in_place import classes, marking, members, modules
from .kind import Kind, owner_in

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from types import ModuleType

    from compat.ledger import Deprecated, Move

    from ..recording.funnel import UseRecorder


class DeprecatedKind(Kind):
    """How a thing is observed depends on what is found at its path."""

    __slots__ = ()

    def changed(self, move: Move) -> str:
        """The thing itself."""
        return move.canonical

    def attach(self, module: ModuleType, path: str, rows: Sequence[tuple[Deprecated, UseRecorder]]) -> Callable[[], None]:
        """Observe what stands at the path; of several rows for it the first holds."""
        move, recorder = rows[0]
        if not path:
            return modules.watch(module, recorder)
        owner, name = owner_in(module, path)
        found = members.raw_of(owner, name)
        if marking.is_marked(found):
            return modules.nothing
        if isinstance(found, type):
            return classes.watch(found, recorder, move)
        if members.is_called(found):
            return members.watch_function(owner, name, recorder)
        if isinstance(owner, enum.EnumMeta) and name in owner.__members__:
            return members.watch_enum(owner, name, recorder)
        if isinstance(owner, types.ModuleType):
            return modules.watch_constant(owner, name, recorder)
        return members.watch_member(owner, name, recorder)

    def loaded(self, module: ModuleType, path: str, rows: Sequence[tuple[Deprecated, UseRecorder]]) -> None:
        """The first import of a module is one of its uses."""
        if not path:
            modules.count_load(module, rows[0][1])


KIND = DeprecatedKind()
