"""A canonical target that is not there raises what Python raises for what is not there: targets may be optional."""

from __future__ import annotations

import pickle

import pytest

import compat
from compat import Class, Module, Name
from compat.errors import TargetAttributeError, TargetError, TargetImportError

V = {"since": "1.0", "removal": "2.0", "instead": None}
ROWS = {
    "a missing attribute": "canon.core:NoSuchThing",
    "a missing module": "canon.nowhere:Thing",
    "a missing package": "nowhere:Thing",
    "a module that needs a missing package": "canon.needy:Thing",
}


@pytest.fixture(params=["live", "old"])
def home(request, world):
    """A module that still exists, and one that does not."""
    world.write("canon/needy.py", "import no_such_package\nThing = 1\n")
    return request.param


@pytest.mark.parametrize("target", ROWS.values(), ids=ROWS)
@pytest.mark.parametrize("kind", [Name, Class])
def test_a_name_is_not_there(world, installed, home, target, kind):
    row = Name(f"{home}:Lost", target, **V) if kind is Name else Class(f"{home}:Lost", "canon.core:Widget", adapter=target, **V)
    installed(row)
    seen = world.ok(
        f"""
        import inspect
        import {home} as m
        told = hasattr(m, "Lost"), getattr(m, "Lost", None)
        members = dict(inspect.getmembers(m))
        try:
            m.Lost
        except AttributeError as error:
            read = error
        try:
            from {home} import Lost
        except ImportError as error:
            imported = error
        """
    )
    names = seen.namespace
    assert names["told"] == (False, None) and "Lost" not in names["members"]
    assert type(names["read"]) is TargetAttributeError and names["read"].move == f"{home}:Lost"
    assert isinstance(names["imported"], ImportError)
    assert seen.counted("attribute") == {(f"{home}:Lost", "attribute", 4): 2, (f"{home}:Lost", "attribute", 7): 1}
    assert seen.counted("import") == {(f"{home}:Lost", "import", 11): 1}


STAYS = {"since": "1.0", "removal": "3.0", "instead": None}
STARRED = {
    "a module that stays": ("live", []),
    "a module of single names": ("oldns.mod", []),
    "a module that moved": ("old.mod", [Module("old.mod", "canon.sub.deep", **STAYS)]),
}


@pytest.mark.parametrize("version", ["1.5", "2.0"])
@pytest.mark.parametrize("target", ROWS.values(), ids=ROWS)
@pytest.mark.parametrize("module, rows", STARRED.values(), ids=STARRED)
def test_what_is_not_there_is_in_no_star_import(world, installed, module, rows, target, version):
    world.write("canon/needy.py", "import no_such_package\nThing = 1\n")
    expires, lost = Name(f"{module}:Expires", "canon.core:CONST", **V), Name(f"{module}:Lost", target, **STAYS)
    installed(*rows, expires, lost, Name(f"{module}:Kept", "canon.core:make", **STAYS), version=version)
    seen = world.ok(f"from {module} import *\n")
    assert "Kept" in seen.namespace and "Lost" not in seen.namespace
    assert ("Expires" in seen.namespace) == (version == "1.5")
    assert not [move for move, *_ in seen.counted() if move.endswith("Lost")]


def test_the_sentence_names_the_row_and_what_is_missing(world, installed, home):
    installed(Name(f"{home}:Lost", "canon.core:NoSuchThing", **V))
    seen = world.use(f"from {home} import Lost")
    assert type(seen.error) is TargetImportError
    assert str(seen.error) == (
        f"{home}:Lost: canonical target 'canon.core:NoSuchThing' cannot be resolved: "
        f"{__import__('canon.core').core!r} has no attribute 'NoSuchThing'"
    )


@pytest.mark.parametrize("probe", ["import old.mod", "import old.mod as m", "from old import mod", "from old.mod import x"])
def test_a_module_is_not_there(world, installed, probe):
    installed(Module("old.mod", "canon.nowhere", **V), Name("old:x", "canon.core:CONST", **V))
    seen = world.ok(f"try:\n    {probe}\nexcept ImportError as error:\n    said = error\n")
    assert isinstance(seen.namespace["said"], ImportError)
    seen = world.ok("import importlib.util\nfound = importlib.util.find_spec('old.mod'), importlib.util.find_spec('old')\n")
    assert seen.namespace["found"][0] is None and seen.namespace["found"][1].name == "old"
    seen = world.use("import old.mod")
    assert type(seen.error) is TargetImportError and seen.error.name == "old.mod"


@pytest.mark.parametrize("kind", [TargetError, TargetImportError, TargetAttributeError])
def test_the_error_survives_pickling(kind):
    error = pickle.loads(pickle.dumps(kind("row", "target", "gone")))
    assert type(error) is kind and str(error) == "row: canonical target 'target' cannot be resolved: gone"


def test_an_error_names_what_to_install_for_a_target_of_another_distribution(world, installed, ledger_of):
    rows = (
        Name("old.names:Extra", "no_such_extras.core:Extra", requires="shop-extras>=2", since="1.0", removal="2.0", instead=None),
        Name("old.names:Missing", "canon.core:Missing", requires="shop-core>=9", since="1.0", removal="2.0", instead=None),
        Module("old.extras", "no_such_extras", requires="shop-extras", since="1.0", removal="2.0", instead=None),
    )
    with pytest.raises(compat.LedgerError) as caught:
        compat.check(ledger_of(*rows))
    assert [row for row, _reason, _remedy in caught.value.faults] == ["Name('old.names:Missing')"]
    installed(*rows)
    for source, needed in (
        ("from old.names import Extra", "'shop-extras>=2'"),
        ("import old.names\nold.names.Extra", "'shop-extras>=2'"),
        ("from old.names import Missing", "'shop-core>=9'"),
        ("import old.extras", "'shop-extras'"),
    ):
        seen = world.use(source)
        assert isinstance(seen.error, (ImportError, AttributeError)), source
        assert str(seen.error).endswith(f"; install what has it: pip install {needed}"), source
