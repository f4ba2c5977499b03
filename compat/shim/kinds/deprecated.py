"""Deprecated: what stays where it is, observed in its place: modules, classes, functions, members and constants."""

from __future__ import annotations

import enum
import sys
import types

from ..in_place import classes, marking, members, modules
from ..methods import Gone
from ..wires import owner_in
from .kind import Kind

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from types import ModuleType
    from typing import Any

    from compat.ledger import Deprecated

    from ..recording.funnel import UseRecorder


class DeprecatedKind(Kind):
    """How a thing is observed depends on what is found at its path."""

    __slots__ = ()

    def attach(self, module: ModuleType, path: str, rows: Sequence[tuple[Deprecated, UseRecorder]]) -> Callable[[], None]:
        """Observe what stands at the path; of several rows for it the first holds."""
        move, recorder = rows[0]
        if not path:
            return modules.watch(module, recorder)
        owner, name = owner_in(module, path)
        found = members.raw_of(owner, name)
        if marking.is_marked(found):
            return modules.nothing
        goes = recorder.raises and not getattr(move, "on", "")
        if goes and isinstance(owner, type) and not (name.startswith("__") or isinstance(owner, enum.EnumMeta)):
            return classes.put(owner, name, Gone(recorder, name))
        if isinstance(found, type) or members.is_called(found):
            watch_class = isinstance(found, type)
            leave = classes.watch(found, recorder, move) if watch_class else members.watch_function(owner, name, recorder)
            if not goes or not isinstance(owner, types.ModuleType):
                return leave
            # The library's own code still has it; for everybody else it is not there, as after its removal.
            show = modules.watch_constant(owner, name, recorder)
            return lambda: (show(), leave())[0]
        if isinstance(owner, enum.EnumMeta) and name in owner.__members__:
            return members.watch_enum(owner, name, recorder)
        if isinstance(owner, types.ModuleType):
            return modules.watch_constant(owner, name, recorder)
        return members.watch_member(owner, name, recorder)

    def unseen(self, module: ModuleType, path: str) -> Iterator[str]:
        """Where other modules of the package have imported a constant to: reading it there asks nobody."""
        found = vars(module).get(path)
        if not path or "." in path or isinstance(found, type) or members.is_called(found):
            return
        root = module.__name__.partition(".")[0]
        for name, other in list(sys.modules.items()):
            if name.partition(".")[0] == root and other is not module and type(other).__name__ == "module":
                held = {key for key, value in list(vars(other).items()) if value is found}
                yield from (f"{name}:{key}" for key in sorted(held) if key in _imported(other, module.__name__, path))

    def stand_in(self, owner: Any, name: str, function: Any, rows: Sequence[tuple[Deprecated, UseRecorder]]) -> None:
        """Its calls are counted; of what is read, what is in front reads it."""
        if members.is_called(function):
            members.function(function, rows[0][1])
        elif hasattr(function, "real"):
            function.real = members.member(function.found, name, rows[0][1])

    def loaded(self, module: ModuleType, path: str, rows: Sequence[tuple[Deprecated, UseRecorder]]) -> None:
        """The first import of a module is one of its uses."""
        if not path:
            modules.count_load(module, rows[0][1])


def _imported(module: ModuleType, origin: str, name: str) -> set[str]:
    """Under which names a module imports a name of another, as its source says."""
    import ast
    import inspect

    try:
        tree = ast.parse(inspect.getsource(module))
    except (OSError, TypeError, SyntaxError, ValueError):
        return set()
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            above = (module.__package__ or "").split(".")
            base = above[: len(above) - node.level + 1] if node.level else []
            if ".".join([*base, *([node.module] if node.module else [])]) == origin:
                found.update(one.asname or one.name for one in node.names if one.name in (name, "*"))
    return {name if one == "*" else one for one in found}


KIND = DeprecatedKind()
