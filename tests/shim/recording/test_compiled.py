"""Frames of code that a compiler of whole programs has made: they have lines, and stay at one instruction."""

from __future__ import annotations

import warnings

import pytest

import compat
from compat.ledger import Ledger, Name
from compat.shim.recording import bytecode
from compat.shim.recording.funnel import UseRecorder, record
from compat.telemetry.record import counters


class CompiledFrame:
    """What Nuitka's frames show."""

    f_back = None
    f_globals: dict[str, object] = {}

    def __init__(self, function, line, *, offset=0):
        self.f_code, self.f_lasti, self.f_lineno = function.__code__, offset, line


def one():
    """Two functions of one file."""


def other():
    """Two functions of one file."""


@pytest.fixture
def recorder():
    ledger = Ledger("kit", version="1.5") + [Name("old:f", "new:f", since="1.0", removal="2.0", instead=None)]
    counters.reset()
    CompiledFrame.f_globals = {"__name__": "program"}
    yield UseRecorder(next(iter(ledger)), ledger)
    counters.reset()


@pytest.mark.parametrize("offset", [0, -1])
@pytest.mark.parametrize("kind", ["call", "attribute", "import"])
def test_every_line_is_a_place_of_its_own(recorder, kind, offset):
    lines = [(one, 10), (one, 11), (other, 10), (one, 10), (one, 11), (one, 11)]
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("default")
        for function, line in lines:
            record(recorder, kind, CompiledFrame(function, line, offset=offset))
    assert sorted((use.function, use.line, use.count) for use in compat.usage()) == [
        ("one", 10, 2),
        ("one", 11, 3),
        ("other", 10, 1),
    ]
    assert [warning.lineno for warning in caught] == [10, 11]  # once per line of the file


def test_nothing_is_read_from_its_bytecode():
    frame = CompiledFrame(one, 10)
    assert bytecode.import_statement(frame) is None
    assert bytecode.is_awaited(frame) is None
    assert not bytecode.is_readable(frame)
    assert not any(
        ask(frame) for ask in (bytecode.is_importing, bytecode.is_import_from, bytecode.is_call, bytecode.loads_method)
    )
