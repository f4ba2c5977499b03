"""Adapters read from their source: which canonical method stands behind which legacy name."""

from __future__ import annotations

from compat.analysis.targets.adapters import Adapters
from compat.ledger import Ledger

SOURCE = """
from compat import Adapter, renamed

from shop.core import Pool


class OldPool(Adapter, of="shop.core:Pool"):
    take = renamed("acquire")
    give = renamed(Pool.release, instead="Pool.release(item)")
    size = 3
"""


def test_a_renamed_method_is_known_by_its_name_or_as_the_method_itself(tmp_path, monkeypatch):
    (tmp_path / "pool_adapters.py").write_text(SOURCE, encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    found = Adapters(Ledger("shop", version="1.0"), {}).of("pool_adapters:OldPool")
    assert found is not None
    assert (found.members.renamed, list(found.members.legacy)) == ({"take": "acquire", "give": "release"}, ["size"])
