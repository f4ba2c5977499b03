"""The rows of a ledger declare moves: the file that holds them uses nothing by their paths."""

from __future__ import annotations

import pytest

from compat.analysis import Settings, fix, scan
from compat.ledger import Ledger, Module, Name, Removed

V = {"since": "1.0", "removal": "9.0", "instead": None}
ROWS = Ledger(
    "shop",
    version="2",
    rows=[
        Module("shop.old_cart", "shop.cart", **V),
        Name("shop.util:Money", "shop.money:Amount", **V),
        Removed("shop.util:magic", since="1.0", removal="9.0", instead="nothing"),
    ],
)

DECLARING = {
    "by name": "from compat import Name\nROW = Name('shop.util:Money', 'shop.money:Amount', since='1', removal='9', instead=None)\n",
    "by another name": "from compat.ledger import Module as M\nROW = M('shop.old_cart', 'shop.cart', since='1', removal='9', instead=None)\n",
    "through the package": "import compat\nROW = compat.Removed('shop.util:magic', since='1', instead='nothing')\n",
    "through an alias": "import compat as c\nROWS = c.names('shop.old_cart', 'shop.cart', 'Cart', since='1', removal='9', instead=None)\n",
}
USING = {
    "a string beside rows": "from compat import Name\nOTHER = 'shop.util:Money'\n",
    "a call of a foreign Name": "from things import Name\nROW = Name('shop.util:Money')\n",
    "an import beside rows": "from compat import Name\nfrom shop.util import Money\n",
    "a patch beside rows": "import compat\nfrom unittest.mock import patch\npatch('shop.util.Money')\n",
}
WAYS = [(), ("imports", "strings")]


def found(tmp_path, text, select):
    (tmp_path / "moves.py").write_text(text)
    settings = Settings(root=str(tmp_path))
    return [finding.symbol for finding in scan([str(tmp_path)], ROWS, settings=settings, select=select).findings]


@pytest.mark.parametrize("select", WAYS, ids=["all", "quick"])
@pytest.mark.parametrize("text", DECLARING.values(), ids=list(DECLARING))
def test_a_row_is_no_use_for_scan(tmp_path, text, select):
    assert found(tmp_path, text, select) == []


@pytest.mark.parametrize("select", WAYS, ids=["all", "quick"])
@pytest.mark.parametrize("text", USING.values(), ids=list(USING))
def test_a_use_beside_rows_is_found(tmp_path, text, select):
    assert found(tmp_path, text, select) == ["shop.util:Money"]


@pytest.mark.parametrize("text", DECLARING.values(), ids=list(DECLARING))
def test_fix_neither_rewrites_nor_skips_a_row(tmp_path, text):
    (tmp_path / "moves.py").write_text(text)
    done = fix([str(tmp_path)], ROWS, settings=Settings(root=str(tmp_path)))
    assert [(outcome.status, outcome.skips) for outcome in done.outcomes if outcome.skips or outcome.status != "unchanged"] == []
