"""Class: a class is built by a factory now."""

from __future__ import annotations

from ..move import Move
from ..paths import resolve

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Optional, Union

    from ..move import Category, Fault

#: Why a class that a factory builds cannot be written in place of the legacy one.
DIFFERS = "is built by a factory now"


class Class(Move):
    """A class is now built by a factory; old code gets ``adapter``, a subclass of :class:`compat.Adapter`."""

    kind = "class"
    meaning = "A class that is now built by a factory is used under its legacy path."
    needs_attribute = True
    __slots__ = ("adapter",)
    adapter: str

    def __init__(
        self,
        legacy: str,
        canonical: str,
        *,
        adapter: str,
        since: str,
        removal: str,
        instead: str | None,
        note: str = "",
        id: str = "",
        category: Category = None,
        requires: str = "",
        replacement: str = "",
        imports: Union[str, tuple[str, ...]] = (),
        parameters: Optional[str] = None,
    ) -> None:
        super().__init__(
            legacy,
            canonical,
            since=since,
            removal=removal,
            instead=instead,
            note=note,
            id=id,
            category=category,
            requires=requires,
            replacement=replacement,
            imports=imports,
            parameters=parameters,
        )
        object.__setattr__(self, "adapter", adapter)

    @property
    def differs(self) -> str:
        """A factory builds it."""
        return DIFFERS

    def example(self, passed: str = "") -> str:
        """A construction, with ``passed`` as its arguments."""
        return f"from {self.module} import {self.attribute}\n\nthing = {self.attribute}({passed})\n"

    def target_faults(self, target: object) -> Iterator[Fault]:
        """The target must be no exception, and the adapter one."""
        if isinstance(target, type) and issubclass(target, BaseException):
            yield "an exception cannot be moved as Class: except does not see adapters", "use Name(...)"
        adapter, fault = resolve(self.adapter)
        if fault:
            yield f"adapter {self.adapter!r} {fault}", "correct the path"
        elif not _is_adapter(adapter):
            yield f"adapter {self.adapter!r} is no Adapter", "derive it: class X(compat.Adapter, of=...)"
        else:
            yield from _adapter_faults(self, adapter, target)


def _adapter_faults(row: Class, adapter: object, target: object) -> Iterator[Fault]:
    of, built_by = (str(getattr(adapter, f"__compat_{field}__", "")) for field in ("of", "built_by"))
    kind, fault = resolve(of)
    if fault or not isinstance(kind, type):
        yield f"adapter {row.adapter!r} is of={of!r}, which {fault or 'is no class'}", "name the canonical class in of="
    elif not isinstance(target, type):
        yield f"canonical target {row.canonical!r} is no class", "name the class; what makes it is built_by= of the adapter"
    elif not (issubclass(target, kind) or issubclass(kind, target)):
        yield f"adapter {row.adapter!r} is of={of!r}, and the row leads to {row.canonical!r}", "name the same class in both"
    factory, fault = resolve(built_by) if built_by else (kind, "")
    if fault or (built_by and not callable(factory)):
        yield (
            f"adapter {row.adapter!r} is built_by={built_by!r}, which {fault or 'is not callable'}",
            "name what makes the instances in built_by=",
        )


def _is_adapter(found: object) -> bool:
    # By the name of its metaclass: the ledger knows nothing of the shim, which builds on it.
    return isinstance(found, type) and any(kind.__name__ == "AdapterMeta" for kind in type.mro(type(found)))
