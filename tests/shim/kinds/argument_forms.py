"""The forms of arguments, with calls in the legacy and in the present form: the shim serves them, the scanner finds them."""

from __future__ import annotations

from compat import Argument

V = {"since": "1.0", "removal": "2.0", "instead": None}

ZOO = """
import dataclasses
from typing import NamedTuple


def feed(animal, food="hay", *, count=1):
    return (animal, food, count)


def size_of(width=0, height=0):
    return (width, height)


def axes(axis):
    return {"index": True} if axis == 0 else {"columns": True}


def draw(shape, size=None, index=False, columns=False):
    return (shape, size, index, columns)


def spelled(mode):
    return mode.lower() if isinstance(mode, str) else mode


def in_seconds(value):
    return value / 1000 if isinstance(value, int) else value


class Keeper:
    def __init__(self, name, *, age=0):
        self.got = (name, age)

    def call(self, food, count=1):
        return (food, count)

    @classmethod
    def hire(cls, name, *, age=0):
        return (name, age)

    @staticmethod
    def ring(tone, *, times=1):
        return (tone, times)


class Made:
    def __new__(cls, name, *, age=0):
        self = object.__new__(cls)
        self.got = (name, age)
        return self


@dataclasses.dataclass
class Point:
    x: int
    y: int = 0

    @property
    def got(self):
        return (self.x, self.y)


class Pair(NamedTuple):
    x: int
    y: int = 0

    @property
    def got(self):
        return (self.x, self.y)


async def later(animal, *, count=1):
    return (animal, count)
"""

#: Row, a legacy call, a call in the present form, and what each gives.
FORMS = {
    "dropped, by position": (
        Argument("zoo:feed", "colour", position=1, **V),
        [("feed('cow', 'red', 'oats')", ("cow", "oats", 1))],
        [("feed('cow', 'oats')", ("cow", "oats", 1)), ("feed('cow')", ("cow", "hay", 1))],
    ),
    "dropped at the end, by position and by keyword": (
        Argument("zoo:feed", "colour", position=2, **V),
        [("feed('cow', 'oats', 'red')", ("cow", "oats", 1)), ("feed('cow', colour='red')", ("cow", "hay", 1))],
        [("feed('cow', 'oats', count=2)", ("cow", "oats", 2))],
    ),
    "keyword-only now": (
        Argument("zoo:feed", keyword_only="count", **V),
        [("feed('cow', 'oats', 2)", ("cow", "oats", 2))],
        [("feed('cow', 'oats', count=2)", ("cow", "oats", 2)), ("feed('cow')", ("cow", "hay", 1))],
    ),
    "keyword-only now, declared by order": (
        Argument("zoo:feed", order="animal food count", **V),
        [("feed('cow', 'oats', 2)", ("cow", "oats", 2))],
        [("feed('cow', 'oats', count=2)", ("cow", "oats", 2)), ("feed('cow')", ("cow", "hay", 1))],
    ),
    "a value": (
        Argument("zoo:draw", "shape", values={"sq": "square", "ci": "circle"}, **V),
        [("draw('sq')", ("square", None, False, False)), ("draw(shape='ci')", ("circle", None, False, False))],
        [("draw('square')", ("square", None, False, False)), ("draw(shape=1)", (1, None, False, False))],
    ),
    "a value that is passed on": (
        Argument("zoo:draw", "size", values=(1,), **V),
        [("draw('a', 1)", ("a", 1, False, False)), ("draw('a', size=1)", ("a", 1, False, False))],
        [("draw('a', True)", ("a", True, False, False)), ("draw('a', 1.0)", ("a", 1.0, False, False))],
    ),
    "a form of value, converted where it stands": (
        Argument("zoo:draw", "shape", became="shape", convert="zoo:spelled", **V),
        [("draw('SQ')", ("sq", None, False, False)), ("draw(shape='SQ')", ("sq", None, False, False))],
        [("draw(1)", (1, None, False, False)), ("draw(shape=None)", (None, None, False, False))],
    ),
    "renamed and converted, by position": (
        Argument("zoo:draw", "ms", became="size", convert="zoo:in_seconds", position=1, **V),
        [("draw('a', 500)", ("a", 0.5, False, False)), ("draw('a', ms=500)", ("a", 0.5, False, False))],
        [("draw('a', 0.5)", ("a", 0.5, False, False)), ("draw('a', size=7)", ("a", 7, False, False))],
    ),
    "several in one": (
        Argument("zoo:draw", several="width height", became="size", convert="zoo:size_of", **V),
        [("draw('a', width=1, height=2)", ("a", (1, 2), False, False)), ("draw('a', height=2)", ("a", (0, 2), False, False))],
        [("draw('a', (1, 2))", ("a", (1, 2), False, False))],
    ),
    "one in several": (
        Argument("zoo:draw", several=("axis", "ax"), convert="zoo:axes", **V),
        [("draw('a', axis=0)", ("a", None, True, False)), ("draw('a', axis=1)", ("a", None, False, True))],
        [("draw('a', index=True)", ("a", None, True, False))],
    ),
    "a combination": (
        Argument("zoo:draw", together="index columns", **V),
        [("draw('a', None, True, columns=True)", ("a", None, True, True))],
        [("draw('a', None, True)", ("a", None, True, False)), ("draw('a', columns=True)", ("a", None, False, True))],
    ),
    "a changed default": (
        Argument("zoo:feed", "count", was=5, **V),
        [("feed('cow')", ("cow", "hay", 5))],
        [("feed('cow', count=1)", ("cow", "hay", 1))],
    ),
    "a changed default that was None": (
        Argument("zoo:feed", "food", was=None, **V),
        [("feed('cow')", ("cow", None, 1))],
        [("feed('cow', 'hay')", ("cow", "hay", 1)), ("feed('cow', food='oats')", ("cow", "oats", 1))],
    ),
    "of a method": (
        Argument("zoo:Keeper.call", "colour", position=0, **V),
        [("Keeper('a').call('red', 'oats', 2)", ("oats", 2))],
        [("Keeper('a').call('oats', 2)", ("oats", 2))],
    ),
    "of a class method": (
        Argument("zoo:Keeper.hire", keyword_only="age", **V),
        [("Keeper.hire('a', 3)", ("a", 3))],
        [("Keeper.hire('a', age=3)", ("a", 3))],
    ),
    "of a static method": (
        Argument("zoo:Keeper.ring", keyword_only="times", **V),
        [("Keeper.ring('c', 3)", ("c", 3)), ("Keeper('a').ring('c', 3)", ("c", 3))],
        [("Keeper.ring('c', times=3)", ("c", 3))],
    ),
    "of a constructor": (
        Argument("zoo:Keeper", keyword_only="age", **V),
        [("Keeper('a', 3).got", ("a", 3))],
        [("Keeper('a', age=3).got", ("a", 3))],
    ),
    "of a __new__": (
        Argument("zoo:Made", keyword_only="age", **V),
        [("Made('a', 3).got", ("a", 3))],
        [("Made('a', age=3).got", ("a", 3))],
    ),
    "of a dataclass": (
        Argument("zoo:Point", "z", position=1, **V),
        [("Point(1, 'z', 2).got", (1, 2)), ("Point(1, z=3).got", (1, 0))],
        [("Point(1, 2).got", (1, 2))],
    ),
    "of a named tuple": (
        Argument("zoo:Pair", "y", was=9, **V),
        [("Pair(1).got", (1, 9))],
        [("Pair(1, 2).got", (1, 2)), ("Pair(1, y=2).got", (1, 2))],
    ),
    "of a coroutine function": (
        Argument("zoo:later", keyword_only="count", **V),
        [("asyncio.run(later('cow', 2))", ("cow", 2))],
        [("asyncio.run(later('cow', count=2))", ("cow", 2))],
    ),
}
