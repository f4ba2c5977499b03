"""Method: a method or property was renamed on a class that still exists, or became something else."""

from __future__ import annotations

from ..paths import dotted, resolve
from . import every

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..move import Fault
    from ..rows import Method

meaning = "A renamed method is used."


def subject(row: Method, use: str) -> str:
    """A method is called, a property used or assigned."""
    verb = {"attribute": "Using", "set": "Assigning", "override": "Overriding"}.get(use)
    if verb:
        return f"{verb} {dotted(row.attribute)} of '{row.module}'"
    return f"Calling {dotted(row.attribute)}() of '{row.module}'"


def advice(row: Method) -> str:
    """The new method, without its module."""
    if not row.canonical:
        return ""
    new = row.canonical.partition(":")[2]
    if row.became_function:
        return f"Call {dotted(row.canonical)}() with it instead."
    if row.was:
        return f"Read {new} instead." if row.was == "method" else f"Call {new}() instead."
    return f"Use {new} instead."


def faults(row: Method) -> Iterator[Fault]:
    """As of every row; and it was one of two things."""
    yield from every.faults(row)
    if row.was not in ("", "method", "property"):
        yield f"was={row.was!r} says nothing", "write was='method' or was='property', or leave it out"


def find_target(row: Method) -> tuple[object, str]:
    """The canonical member; None for an attribute that instances of the class have, as their class's source says."""
    found, fault = resolve(row.canonical)
    if fault:
        holder, _, name = row.canonical.rpartition(".")
        owner = resolve(holder)[0] if ":" in holder else None
        if isinstance(owner, type) and name in _assigned(owner):
            return None, ""
    return found, fault


def _assigned(kind: type) -> set[str]:
    """What the instances of a class have of their own: its fields, its slots, and what its methods assign to ``self``."""
    import ast
    import inspect
    import textwrap

    found: set[str] = set()
    for base in kind.__mro__:
        slots = vars(base).get("__slots__", ())
        found.update([slots] if isinstance(slots, str) else slots, vars(base).get("__dataclass_fields__", ()))
        try:
            tree = ast.parse(textwrap.dedent(inspect.getsource(base)))
        except (OSError, TypeError, SyntaxError, ValueError):
            continue
        nodes = [*ast.walk(tree)]
        stored = (node for node in nodes if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store))
        found.update(node.attr for node in stored if isinstance(node.value, ast.Name) and node.value.id == "self")
        noted = (node.target for node in nodes if isinstance(node, ast.AnnAssign))
        found.update(target.id for target in noted if isinstance(target, ast.Name))
    return found
