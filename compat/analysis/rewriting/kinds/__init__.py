"""The rewriters by kind of move, one file each.

A new kind is one more module, and a place here. ``decide(plan, item, reference, uses)`` rewrites or skips one imported name;
``decide_members(plan, uses)`` what is used of classes and functions that stay where they are.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import argument, behaviour, class_, deprecated, method, module, name, removed

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from ...targets import Target, Targets

#: By the rule that a reference falls under.
IMPORTS: dict[str, Callable[..., Any]] = {
    "module": module.decide,
    "name": name.decide,
    "class": class_.decide,
    "removed": removed.decide,
    "deprecated": deprecated.decide,
}
#: Those that leave every import without code that replaces it, and why.
LEFT: dict[str, Callable[[Targets, Target], str]] = {"removed": removed.why_left}
MEMBERS: tuple[Callable[..., Any], ...] = (
    method.decide_members,
    argument.decide_members,
    deprecated.decide_members,
    behaviour.decide_members,
)
