"""The protocol of a kind of move at run time. Which methods are called depends on :attr:`compat.ledger.Move.place`."""

from __future__ import annotations

from ..wires import MISSING, static, unwired

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from importlib.machinery import ModuleSpec
    from types import ModuleType
    from typing import Any

    from compat.ledger import Move

    from ..recording.funnel import UseRecorder
    from ..serving.installed import Installed


class Kind:
    """How the rows of one kind keep old code running. Has no state: one instance answers for all of them."""

    __slots__ = ()

    def find(self, owner: Installed, name: str, move: Any) -> ModuleSpec | None:
        """A row in the place of a module: the spec of that module or of ``name`` below it; ``None`` where there is none."""
        return None

    def descriptor(self, recorder: UseRecorder) -> property:
        """A row in the place of a name: the descriptor of that name on the class of its module."""
        raise NotImplementedError

    def faults(self, module: ModuleType, path: str, rows: Sequence[Any]) -> Iterator[tuple[Any, str, str]]:
        """Yield ``(row, reason, remedy)`` for each row that changes ``path`` of its module and must not be put in place there."""
        yield from ()

    def needs(self, rows: Sequence[Any]) -> Iterator[str]:
        """Yield the modules that have to be loaded before rows which change a module can be put in place there."""
        yield from ()

    def unseen(self, module: ModuleType, path: str) -> Iterator[str]:
        """Yield the other paths by which old code comes to what stands at a path of a module, where no use is seen."""
        yield from ()

    def loaded(self, module: ModuleType, path: str, rows: Sequence[tuple[Any, UseRecorder]]) -> None:
        """Record the import that has just loaded a module, where that is a use of rows in place; raises as a use does."""

    def stand_in(self, owner: Any, name: str, function: Any, rows: Sequence[tuple[Any, UseRecorder]]) -> None:
        """Have the function that stands by for another one, at ``owner.name``, do what all rows that change it ask for."""

    def attach(self, module: ModuleType, path: str, rows: Sequence[tuple[Any, UseRecorder]]) -> Callable[[], None]:
        """Put in place, at the attribute ``path`` of a module, what all rows that change it ask for; return the undoing."""
        raise NotImplementedError


class Placed:
    """What a row has put on a class; a class below it may have a row of its own under the same name."""


def replaced(owner: Any, name: str, change: Callable[[Any], Any]) -> Callable[[], None]:
    """Put ``change(callable)`` in place of ``owner.name``, whatever kind of method it is."""
    raw = unwired(vars(owner).get(name, MISSING))
    found = raw if raw is not MISSING else getattr(owner, name)
    if isinstance(found, (staticmethod, classmethod)):
        changed: Any = type(found)(change(found.__func__))
    else:
        changed = change(found)
    setattr(owner, name, changed)

    def undo() -> None:
        if vars(owner).get(name) is changed:
            if raw is MISSING:
                delattr(owner, name)
            else:
                setattr(owner, name, raw)

    return undo


_HEAP, _IMMUTABLE = 1 << 9, 1 << 8  # Py_TPFLAGS_HEAPTYPE, and since 3.10 Py_TPFLAGS_IMMUTABLETYPE


def member_fault(module: ModuleType, path: str, move: Move) -> tuple[str, str] | None:
    """Why nothing can be put on a class under the last name of a path, and what to do about it; ``None`` where it can."""
    owner: Any = module
    *heads, last = path.split(".")
    for head in heads:
        owner = getattr(owner, head, None)
    where = f"{module.__name__}:{'.'.join(heads)}"
    if not isinstance(owner, type):
        return f"{where!r} is no class", "name the class by the module in which it is now"
    if not owner.__flags__ & _HEAP or owner.__flags__ & _IMMUTABLE:
        return f"{where!r} is a type written in C, whose members cannot be set", "tell of it where it is called: compat.use(row)"
    found = static(owner, last)
    if found is not MISSING and (unwired(vars(owner).get(last, MISSING)) is not MISSING or not isinstance(found, Placed)):
        return f"class {owner.__name__!r} still has a {last!r} of its own", "delete it, or the row"
    return None
