"""A pickling function scans all modules and uses nothing; what stands beside a call of one is a use as any other."""

from __future__ import annotations

import pytest

from compat import Module, Name

V = {"since": "1.0", "removal": "2.0", "instead": None}
BESIDE = {
    "after it": "json.dumps(1); getattr(live, 'CONST')",
    "before it": "getattr(live, 'CONST'); json.dumps(1)",
    "as its argument": "json.dumps(getattr(live, 'CONST'))",
    "as an argument by name": "json.dumps(1, indent=getattr(live, 'CONST'))",
    "among several": "json.dumps(1, skipkeys=len(str(getattr(live, 'CONST'))) > 3)",
    "of what it gives": "len(json.dumps(1) + str(getattr(live, 'CONST')))",
    "within a choice": "str(json.dumps(1)) if json.dumps(2) == '1' else getattr(live, 'CONST')",
    "with arguments in a list": "json.dumps(*[1]); getattr(*[live, 'CONST'])",
    "with arguments in a dict": "json.dumps(**{'obj': 1}); getattr(live, *['CONST'])",
    "over lines": "json.dumps(\n    1,\n); getattr(live, 'CONST')",
    "as a method of another name": "Store().dump(1); getattr(live, 'CONST')",
}
HEAD = "import json, live\nclass Store:\n    def dump(self, x): return x\nfor _ in range(3):\n"
SCANS = {
    "pickle.dumps": "pickle.dumps(canon.core.Widget)",
    "from pickle": "dumps(canon.core.Widget, 4)",
    "by name": "pickle.dumps(obj=canon.core.Widget, protocol=4)",
    "with more arguments": "len(pickle.dumps([1, canon.core.Widget, str(2)], *[4]))",
    "a pickler": "pickle.Pickler(io.BytesIO(), 4).dump(canon.core.Widget)",
    "to a file": "pickle.dump(canon.core.Widget, io.BytesIO())",
}


@pytest.mark.parametrize("filters", ["always", "ignore"])
@pytest.mark.parametrize("code", BESIDE.values(), ids=BESIDE)
def test_a_use_beside_a_call_of_that_name_is_counted(world, installed, code, filters):
    installed(Name("live:CONST", "canon.core:CONST", **V))
    seen = world.ok(HEAD + "".join(f"    {line}\n" for line in code.split("\n")), filters=filters)
    assert [(kind, count) for (_, kind, _), count in seen.counted().items()] == [("attribute", 3)]


@pytest.mark.parametrize("code", SCANS.values(), ids=SCANS)
def test_a_scan_is_no_use(world, installed, code):
    installed(Name("live:Widget", "canon.core:Widget", **V), Module("old.mod", "canon.core", **V))
    seen = world.ok(
        "import io, pickle, live, old.mod, canon.core\nfrom pickle import dumps\n"
        "canon.core.Widget.__module__ = None\n"
        f"for _ in range(3):\n    {code}\n"
    )
    assert seen.counted() == {("old.mod", "import", 1): 1}


def test_an_expired_name_beside_such_a_call_says_what_to_write(world, ledger_of):
    import compat

    with compat.install(ledger_of(Name("live:CONST", "canon.core:CONST", **V), version="2.0")):
        seen = world.use("import json, live\njson.dumps(1); getattr(live, 'CONST')")
    assert isinstance(seen.error, compat.LegacyExpiredError) and isinstance(seen.error, AttributeError)
