"""A canonical module whose methods and functions have rows."""

from __future__ import annotations

import pytest

from compat import Argument, Method

DATES = {"since": "1.0", "removal": "2.0", "instead": None}

SOURCE = '''
class Real:
    def __init__(self, user="u"):
        self.user = user

    def open(self, a, b=2):
        """Open it."""
        return (self.user, a, b)

    async def aopen(self, a):
        return a

    @property
    def health(self):
        return "good"

    @classmethod
    def make(cls, user):
        return cls(user)

    def resize(self, width, height):
        return (width, height)


def call(new, other=1, *rest, flag=False, **more):
    return (new, other, rest, flag, more)


async def acall(new):
    return new


def spread(n):
    yield from range(n)


def seconds(ms):
    return ms / 1000


def context():
    return "made"


def needs(ctx, x=0):
    return (ctx, x)


def area(width, height):
    return (width, height)
'''


@pytest.fixture
def home(world, installed):
    world.write("canon/real.py", SOURCE)
    installed(
        Method("canon.real:Real.old_open", "canon.real:Real.open", **DATES),
        Method("canon.real:Real.old_aopen", "canon.real:Real.aopen", **DATES),
        Method("canon.real:Real.old_health", "canon.real:Real.health", **DATES),
        Method("canon.real:Real.old_make", "canon.real:Real.make", **DATES),
        Argument("canon.real:call", "old", became="new", **DATES),
        Argument("canon.real:call", "gone", became=None, **DATES),
        Argument("canon.real:call", "ms", became="other", convert="canon.real:seconds", **DATES),
        Argument("canon.real:acall", "old", became="new", **DATES),
        Argument("canon.real:needs", "ctx", default="canon.real:context", **DATES),
        Argument("canon.real:area", order=("height", "width"), **DATES),
        Argument("canon.real:Real.resize", "h", became="height", **DATES),
    )
    return world


@pytest.fixture
def source():
    """The text of the module."""
    return SOURCE
