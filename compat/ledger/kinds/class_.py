"""Class: a class is built by a factory now."""

from __future__ import annotations

from ..paths import resolve

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..move import Fault
    from ..rows import Class

meaning = "A class that is now built by a factory is used under its legacy path."


def example(row: Class, passed: str = "") -> str:
    """A construction, with ``passed`` as its arguments."""
    return f"from {row.module} import {row.attribute}\n\nthing = {row.attribute}({passed})\n"


def target_faults(row: Class, target: object) -> Iterator[Fault]:
    """The target must be no exception, and the adapter one."""
    if isinstance(target, type) and issubclass(target, BaseException):
        yield "an exception cannot be moved as Class: except does not see adapters", "use Name(...)"
    adapter, fault = resolve(row.adapter)
    if fault:
        yield f"adapter {row.adapter!r} {fault}", "correct the path"
    elif not _is_adapter(adapter):
        yield f"adapter {row.adapter!r} is no Adapter", "derive it: class X(compat.Adapter, of=...)"
    else:
        yield from _adapter_faults(row, adapter, target)


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
