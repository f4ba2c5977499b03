"""Calls in legacy forms, translated into the form that a function takes now; each legacy form is counted at the caller's line."""

from __future__ import annotations

import inspect
import sys

from compat.ledger.move import EXPIRED

from .recording.funnel import record
from .serving.targets import resolve

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from types import FrameType
    from typing import Any

    from compat.ledger import Argument

    from .recording.funnel import UseRecorder

    Row = tuple[Argument, UseRecorder]
    Given = tuple[tuple[Any, ...], dict[str, Any]]

_POSITIONAL = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
_MISSING: Any = object()


class Forms:
    """The legacy forms of one function; ``bound`` is how many parameters the interpreter passes (``self``, ``cls``).

    A call is in the present form, and need not be translated, where none of :attr:`legacy` is among its keywords, it has at most
    :attr:`limit` positional arguments, and :attr:`always` is false.
    """

    def __init__(self, function: Callable[..., Any], rows: Sequence[Row], bound: int) -> None:
        self.function, self.bound = function, bound
        self.name = function.__qualname__
        self.signature: inspect.Signature | None = None
        try:
            self.signature = inspect.signature(function)
            parameters = list(self.signature.parameters.values())
        except (TypeError, ValueError):  # C code that does not tell
            parameters = [inspect.Parameter("args", inspect.Parameter.VAR_POSITIONAL)]
        self.positional = tuple(one.name for one in parameters if one.kind in _POSITIONAL)[bound:]
        takes_rest = any(one.kind is inspect.Parameter.VAR_POSITIONAL for one in parameters)
        self.by_name = {row.argument: (row, recorder) for row, recorder in rows if row.is_passed_on}
        self.valued = [one for one in rows if one[0].values]
        self.several = [one for one in rows if one[0].several]
        self.together = [one for one in rows if one[0].together]
        self.orders = [one for one in rows if one[0].order]
        self.supplied = [one for one in rows if one[0].default or (one[0].was and one[1].stage != EXPIRED)]
        #: The positional parameters as they were, with the row that speaks of each.
        self.former = [] if takes_rest else self._former(rows)
        #: Indices of what is converted in its place, and the row.
        self.in_place = [
            (self.positional.index(became), one) for became, one in self._kept_in_place() if became in self.positional
        ]
        legacy = {*self.by_name, *(row.argument for row, _ in self.valued)}
        self.legacy = frozenset(legacy.union(*(row.several for row, _ in self.several)))
        limits = [index for index, _one in self.in_place]
        limits += [len(self.positional)] if self.former else []
        limits += [0] if self.orders else []
        self.limit = bound + min(limits, default=sys.maxsize - bound)
        self.always = bool(self.supplied or self.together)

    def _former(self, rows: Sequence[Row]) -> list[tuple[str, Row | None]]:
        placed = sorted((one for one in rows if one[0].position is not None), key=lambda one: one[0].position or 0)
        ending = [(name, one) for one in rows for name in one[0].keyword_only]
        if not placed and not ending:
            return []
        renamed = {row.became for row, _ in placed}
        former: list[tuple[str, Row | None]] = [(name, None) for name in self.positional if name not in renamed]
        former += [(name, one) for name, one in ending if name not in renamed]
        for one in placed:
            former.insert(one[0].position or 0, (one[0].argument, one))
        return former

    def _kept_in_place(self) -> list[tuple[str, Row]]:
        kept = [(row.argument, (row, recorder)) for row, recorder in self.valued]
        for row, recorder in self.by_name.values():
            if row.became and row.convert and (row.became == row.argument or row.position is not None):
                kept.append((row.became, (row, recorder)))
        return kept

    def translate(self, args: tuple[Any, ...], kwargs: dict[str, Any], frame: FrameType | None) -> Given:
        """The arguments in the present form. What is given in both forms raises TypeError, as giving it twice does."""
        if self.former and len(args) - self.bound > len(self.positional):
            args, kwargs = self._by_position(args, kwargs, frame)
        for row, recorder in self.orders:
            args, kwargs = self._reordered(row, recorder, args, kwargs, frame)
        for index, (row, recorder) in self.in_place:
            at = self.bound + index
            if at < len(args):
                value = self._converted(row, recorder, args[at], frame)
                if value is not args[at]:
                    args = (*args[:at], value, *args[at + 1 :])
        if not self.legacy.isdisjoint(kwargs):
            kwargs = self._by_name(args, kwargs, frame)
            for row, recorder in self.several:
                kwargs = self._joined(row, recorder, args, kwargs, frame)
        for row, recorder in self.together:
            if all(self._is_given(name, args, kwargs) for name in row.together):
                record(recorder, "argument", frame)
        for row, recorder in self.supplied:
            if not self._is_given(row.argument, args, kwargs):
                record(recorder, "argument", frame)
                supply: Any = resolve(row.default, row.id) if row.default else None
                kwargs = {**kwargs, row.argument: supply() if row.default else row.was[0]}
        return args, kwargs

    def _by_position(self, args: tuple[Any, ...], kwargs: dict[str, Any], frame: FrameType | None) -> Given:
        given = args[self.bound :]
        if len(given) > len(self.former):
            return args, kwargs  # more than it ever took: the function says so
        kept, named, counted = [*args[: self.bound]], dict(kwargs), set()
        for value, (name, one) in zip(given, self.former):
            row, recorder = one or (None, None)
            if row is not None and recorder is not None and (row.keyword_only or (row.became is None and row.id not in counted)):
                if row.id not in counted:
                    record(recorder, "argument", frame)
                counted.add(row.id)
            if row is not None and row.argument and row.became is None:
                continue
            if row is None and len(named) == len(kwargs):
                kept.append(value)
                continue
            if name in kwargs or (row is not None and row.became in kwargs):
                raise self._twice(name)
            named[name] = value
        return tuple(kept), named

    def _reordered(
        self, row: Argument, recorder: UseRecorder, args: tuple[Any, ...], kwargs: dict[str, Any], frame: FrameType | None
    ) -> Given:
        given = args[self.bound :]
        if not given or self.positional[: len(given)] == row.order[: len(given)]:
            return args, kwargs  # the same in both orders
        if len(given) > len(row.order):
            least = len(row.order) + self.bound
            raise TypeError(f"{self.name}() takes {least} positional arguments but {len(args)} were given")
        record(recorder, "argument", frame)
        named = dict(kwargs)
        for key, value in zip(row.order, given):
            if key in named:
                raise self._twice(key)
            named[key] = value
        return args[: self.bound], named

    def _converted(self, row: Argument, recorder: UseRecorder, value: Any, frame: FrameType | None) -> Any:
        """A value that stays under its name in its present form: counted where it was not in that already."""
        if row.values:
            for old, new in row.values:
                if value is old or (type(value) is type(old) and value == old):
                    record(recorder, "argument", frame)
                    return value if new is old else new
            return value
        convert: Any = resolve(row.convert, row.id)
        made = convert(value)
        if made is not value:
            record(recorder, "argument", frame)
        return made

    def _by_name(self, args: tuple[Any, ...], kwargs: dict[str, Any], frame: FrameType | None) -> dict[str, Any]:
        changed: dict[str, Any] = {}
        for key, value in kwargs.items():
            if key not in self.by_name:
                changed[key] = value
                continue
            row, recorder = self.by_name[key]
            if row.became == key:
                changed[key] = self._converted(row, recorder, value, frame) if row.convert else value
                continue
            if row.convert:
                convert: Any = resolve(row.convert, row.id)
                value = convert(value)
            record(recorder, "argument", frame)
            became, value = self._last_name(row, value)
            if became is None:
                continue
            if became in kwargs or became in changed or self._is_given(became, args, {}):
                raise self._twice(became)
            changed[became] = value
        for row, recorder in self.valued:
            if row.argument in changed:
                changed[row.argument] = self._converted(row, recorder, changed[row.argument], frame)
        return changed

    def _last_name(self, row: Argument, value: Any) -> tuple[str | None, Any]:
        """The argument's name and value after those later rows for which the new name is an old one again."""
        passed = {row.argument}
        while row.became is not None and row.became not in passed and row.became in self.by_name:
            passed.add(row.became)
            row = self.by_name[row.became][0]
            if row.convert:
                convert: Any = resolve(row.convert, row.id)
                value = convert(value)
        return row.became, value

    def _joined(
        self, row: Argument, recorder: UseRecorder, args: tuple[Any, ...], kwargs: dict[str, Any], frame: FrameType | None
    ) -> dict[str, Any]:
        given = {name: kwargs[name] for name in row.several if name in kwargs}
        if not given:
            return kwargs
        record(recorder, "argument", frame)
        convert: Any = resolve(row.convert, row.id)
        made = {row.became: convert(**given)} if row.became else dict(convert(**given))
        rest = {name: value for name, value in kwargs.items() if name not in given}
        for name, value in made.items():
            if self._is_given(name, args, rest):
                raise self._twice(name)
            rest[name] = value
        return rest

    def _is_given(self, argument: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> bool:
        return argument in kwargs or argument in self.positional[: max(0, len(args) - self.bound)]

    def _twice(self, argument: str) -> TypeError:
        return TypeError(f"{self.name}() got multiple values for argument {argument!r}")
