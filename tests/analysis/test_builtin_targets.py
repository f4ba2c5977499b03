"""Names that moved to builtins are read by their names alone, where these mean the builtins."""

from __future__ import annotations

import pytest

from compat.analysis.rewriting import rewriter
from compat.ledger import Ledger, Name

V = {"since": "1.0", "removal": "2.0", "instead": None}
LEDGER = Ledger("lib", version="1.5") + [Name(f"lib:{name}", f"builtins:{name}", **V) for name in ("int", "float")]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("import lib\nx = lib.int(1), lib.float\nlib.stay\n", "import lib\nx = int(1), float\nlib.stay\n"),
        (
            "import lib as l\ndef f(int):\n    return l.int(1), l.float\nl.stay\n",
            "import builtins\n\nimport lib as l\ndef f(int):\n    return builtins.int(1), float\nl.stay\n",
        ),
        (
            "import lib\nclass C:\n    int = 1\n    x = lib.int\n    def f(self):\n        return lib.int(2)\nlib.stay\n",
            "import builtins\nimport lib\nclass C:\n    int = 1\n    x = builtins.int\n    def f(self):\n        return int(2)\nlib.stay\n",
        ),
        ("from app import *\nimport lib\nlib.int(1)\n", "from app import *\nimport builtins\nbuiltins.int(1)\n"),
        ("from lib import int as number\nnumber(1)\n", "from builtins import int as number\nnumber(1)\n"),
    ],
    ids=["bare", "parameter", "class body", "star import", "by name"],
)
def test_a_builtin_is_read_by_its_name_where_that_means_it(before, after):
    outcome = rewriter.fix_text(before, LEDGER)
    assert sorted(outcome.after.decode().split()) == sorted(after.split())
    assert not rewriter.fix_text(outcome.after.decode(), LEDGER).edits
