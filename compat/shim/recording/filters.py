"""Notices every change of the warning filters, so that a site known to be silent may skip the warning machinery.

``warnings`` keeps its filter version private. What changes it goes through one function of the module
(``_filters_mutated``, since 3.14 ``_filters_mutated_lock_held``), which is wrapped here, once, at the first legacy use;
lists edited in place are noticed by comparing contents. With context-aware warnings (3.14) the filters belong to the
running context, and the comparison takes those.
"""

from __future__ import annotations

import sys
import warnings

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType
    from typing import Any

_MUTATED = "_filters_mutated_lock_held" if hasattr(warnings, "_filters_mutated_lock_held") else "_filters_mutated"

#: Whether filters are looked up in the running context instead of ``warnings.filters``.
CONTEXT_AWARE = bool(getattr(sys.flags, "context_aware_warnings", 0))

#: A copy of the filters for which all hot tables hold. Changed in place only: hot code holds a reference to it.
SNAPSHOT: list[Any] = [None]

_warm: list[dict[int, Any]] = []
_generation = 0
_hooked: Any = None
_original: Any = None


def current() -> list[Any]:
    """The filters in force here and now."""
    if CONTEXT_AWARE:
        return warnings._get_filters()  # type: ignore[attr-defined,no-any-return]
    return warnings.filters  # type: ignore[return-value]


def forget() -> None:
    """Empty every hot table: the next use of each site takes the slow path."""
    global _generation
    # The generation first: a slow path that is under way in another thread must see that its decision is stale.
    _generation += 1
    while _warm:
        try:
            _warm.pop().clear()
        except IndexError:
            break


def generation() -> int:
    """A number that changes whenever decisions taken before are void."""
    _hook()
    filters = current()
    if filters != SNAPSHOT:
        forget()
        SNAPSHOT[:] = filters
    return _generation


def keep(hot: dict[int, Any], key: int, frame: FrameType, cell: Iterator[object], decided: int) -> None:
    """Put a site into its hot table unless the filters have changed since generation ``decided``.

    It stands there twice: by ``key``, and with its code object by the bare offset of its instruction. Most often only one
    site of a move has that offset, and finding it costs a third less than making the key; of several the newest has it.
    """
    near = frame.f_lasti
    if near <= 0:
        return  # compiled code (Nuitka) has no offsets: all its lines would be one site
    if not hot:
        _warm.append(hot)
    hot[key] = cell
    hot[near] = (frame.f_code, cell)
    if _generation != decided or current() != SNAPSHOT:
        hot.pop(key, None)
        hot.pop(near, None)


def is_silent(text: str, category: type[Warning], module: str, line: int) -> bool:
    """Whether a warning that was just offered to ``warnings`` stays unseen until the filters change."""
    for action, message, kind, where, number in current():
        if (
            (message is None or _matches(message, text))
            and issubclass(category, kind)
            and (where is None or _matches(where, module))
            and (number == 0 or number == line)
        ):
            return action in ("ignore", "default", "once", "module")
    return getattr(warnings, "defaultaction", "default") in ("ignore", "default", "once", "module")


def _matches(pattern: Any, text: str) -> bool:
    # The interpreter's built-in filters hold plain strings, everything else compiled patterns.
    return pattern == text if isinstance(pattern, str) else bool(pattern.match(text))


def _hook() -> None:
    global _hooked, _original
    found = getattr(warnings, _MUTATED, None)
    if found is None or found is _hooked:
        return

    def mutated() -> None:
        forget()
        found()

    _hooked, _original = mutated, found
    setattr(warnings, _MUTATED, mutated)
    forget()


def unhook() -> None:
    """Give ``warnings`` its own function back, unless somebody else has wrapped ours."""
    global _hooked
    if _hooked is not None and getattr(warnings, _MUTATED, None) is _hooked:
        setattr(warnings, _MUTATED, _original)
        _hooked = None
    forget()
