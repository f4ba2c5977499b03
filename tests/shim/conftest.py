"""A small world to migrate: a canonical package, a live package, ledgers over them, and code that uses the old names."""

from __future__ import annotations

import importlib
import sys
import textwrap
import types
import warnings

import pytest

import compat
from compat import Ledger

FILES = {
    "canon/__init__.py": '"""The new home."""\n',
    "canon/core.py": '''
        """Core of the new home."""
        import dataclasses
        import enum
        import functools
        from typing import Generic, NamedTuple, Protocol, TypeVar, runtime_checkable

        T = TypeVar("T")
        CONST = 42


        class Widget:
            """A widget."""

            KIND = "plain"

            def __init__(self, x=1):
                self.x = x

            def __eq__(self, other):
                return isinstance(other, Widget) and self.x == other.x

            __hash__ = None


        class Box(Generic[T]):
            pass


        class Failure(Exception):
            pass


        class Color(enum.Enum):
            RED = 1


        @dataclasses.dataclass
        class Point:
            x: int = 0


        class Pair(NamedTuple):
            a: int
            b: int


        @runtime_checkable
        class Closable(Protocol):
            def close(self): ...


        def make(x=1):
            """Make one more."""
            return x + 1


        def use_make():
            return make()


        async def fetch(x):
            return x


        def count_up(n):
            yield from range(n)


        @functools.singledispatch
        def describe(value):
            return "other"
    ''',
    "canon/sub/__init__.py": "",
    "canon/sub/deep.py": "VALUE = 'deep'\n",
    "live/__init__.py": '"""A package that stays."""\n\ndef stay():\n    return "stays"\n',
    "live/mod.py": "__all__ = ['stay', 'Widget']\nstay = 1\n",
}


class Seen:
    """What one piece of user code caused."""

    def __init__(self, recorded, uses, error, namespace):
        self.recorded, self.uses, self.error, self.namespace = recorded, uses, error, namespace

    @property
    def warned(self):
        """``(line, first words)`` of each warning that names the user's own file."""
        return [(w.lineno, str(w.message)) for w in self.recorded]

    @property
    def lines(self):
        """The lines that were warned about."""
        return [w.lineno for w in self.recorded]

    def counted(self, kind=None):
        """``{(move, kind, line): count}`` of what this code used."""
        return {(u.move, u.kind, u.line): u.count for u in self.uses if kind in (None, u.kind)}

    def once(self, *uses):
        """Each use, ``(move, kind, line)``, is one warning at its own line of the user's file, and one count."""
        assert self.counted() == dict.fromkeys(uses, 1)
        assert sorted(self.lines) == sorted(line for *_, line in uses)
        return self.namespace


class World:
    """Files on ``sys.path``, an installed ledger, and users."""

    def __init__(self, root):
        self.root = root
        self.users = 0

    def write(self, path, text):
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(textwrap.dedent(text))
        importlib.invalidate_caches()
        return file

    def use(self, source, *, name=None, filters="always", module=None, elsewhere=False):
        """Run code as a file of a user; return what it caused.

        Every warning must stand in that file, unless ``elsewhere``.
        """
        self.users += 1
        name = name or f"user{self.users}"
        source = textwrap.dedent(source)
        file = self.write(f"{name}.py", source)
        module = module or types.ModuleType(name)
        module.__file__ = str(file)
        error = None
        with warnings.catch_warnings(record=True) as recorded:
            warnings.simplefilter(filters)
            try:
                exec(compile(source, str(file), "exec", dont_inherit=True), vars(module))
            except Exception as raised:
                error = raised
        for warning in recorded:
            assert elsewhere or warning.filename == str(file), f"{warning.filename}:{warning.lineno}: {warning.message}"
        uses = [use for use in compat.usage() if use.file == str(file)]
        return Seen(recorded, uses, error, vars(module))

    def ok(self, source, **options):
        """Like :meth:`use`, for code that must not raise."""
        seen = self.use(source, **options)
        if seen.error is not None:
            raise seen.error
        return seen


@pytest.fixture
def world(tmp_path, monkeypatch):
    """Canonical and live packages on disk; every module that a test imports from them is forgotten afterwards."""
    made = World(tmp_path)
    for path, text in FILES.items():
        made.write(path, text)
    monkeypatch.syspath_prepend(str(tmp_path))
    before = set(sys.modules)
    yield made
    for name in set(sys.modules) - before:
        file = getattr(sys.modules[name], "__file__", None) or ""
        if file.startswith(str(tmp_path)) or name.partition(".")[0] in ("canon", "live", "old", "oldns", "half"):
            del sys.modules[name]


DATES = {"since": "1.0", "removal": "2.0", "instead": None}


@pytest.fixture
def ledger_of():
    """Make a ledger, version 1.5 in force, of the given rows."""
    return lambda *rows, version="1.5": Ledger("kit", version=version, docs="MIGRATION.md") + list(rows)


@pytest.fixture
def installed(ledger_of):
    """Install rows for the length of a test."""
    done = []

    def install(*rows, **options):
        done.append(compat.install(ledger_of(*rows, **options)))
        return done[-1]

    yield install
    for installation in reversed(done):
        installation.remove()
