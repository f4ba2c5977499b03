"""A ledger that is installed already, installed again for a block: what was in force before is in force after it."""

from __future__ import annotations

import importlib
import sys
import warnings

import pytest

import compat
from compat import Ledger, Name


@pytest.fixture
def ledger(world):
    world.write("again_kit.py", "def new(): return 1\n")
    return Ledger("again", version="1.0") + [Name("again_old:old", "again_kit:new", since="1.0", removal="2.0", instead=None)]


def is_served():
    sys.modules.pop("again_old", None)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return importlib.import_module("again_old").old() == 1
        except ModuleNotFoundError:
            return False


def test_a_block_ends_what_it_began(ledger):
    with compat.install(ledger):
        assert is_served()
    assert not is_served()


def test_a_block_leaves_what_was_there_before_it(ledger):
    before = compat.install(ledger)
    with compat.install(ledger) as within, compat.install(ledger):
        assert within is before
    assert is_served()
    before.remove()
    assert not is_served()


def test_an_installation_that_is_itself_a_block_ends_with_it(ledger):
    made = compat.install(ledger)
    with made:
        assert is_served()
    assert not is_served()


def test_removing_undoes_it_for_whoever_asked(ledger):
    compat.install(ledger)
    with compat.install(ledger) as installation:
        installation.remove()
        assert not is_served()
    assert not is_served()
    with compat.install(ledger):
        assert is_served()
    assert not is_served()
