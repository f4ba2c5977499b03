"""Adapters read from their source: which canonical method stands behind which legacy name."""

from __future__ import annotations

import pytest

from compat.analysis.rewriting import rewriter
from compat.analysis.targets.adapters import Adapters, defined_at
from compat.ledger import Class, Ledger

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


def test_a_name_is_followed_through_star_imports_to_where_it_is_defined(tmp_path, monkeypatch):
    sources = {
        "star/__init__.py": "from .first import *\nfrom .second import *\nfrom star.third import *\n\n\ndef own(): ...\n",
        "star/first.py": "class Both: ...\n\n\nclass First: ...\n\n\nclass _Hidden: ...\n\n\ndef own(): ...\n",
        "star/second.py": "from .deep import Deep\n\n\nclass Both: ...\n",
        "star/third.py": "VALUE = 1\n",
        "star/deep.py": "class Deep: ...\n",
    }
    (tmp_path / "star").mkdir()
    for path, text in sources.items():
        (tmp_path / path).write_text(text)
    monkeypatch.syspath_prepend(str(tmp_path))
    assert defined_at("star.First") == "star.first.First"
    assert defined_at("star.Both") == "star.second.Both"
    assert defined_at("star.Deep") == "star.deep.Deep"
    assert defined_at("star.VALUE") == "star.third.VALUE"
    for name in ("own", "_Hidden", "missing"):
        assert defined_at(f"star.{name}") == f"star.{name}"


def test_a_converted_attribute_is_advised_by_the_attribute_that_it_converts(ledger, tmp_path, monkeypatch):
    (tmp_path / "pool_adapters.py").write_text(
        "from compat import Adapter, converted\n\n\nclass OldPool(Adapter, of='shop.core:Pool'):\n"
        "    ms = converted('seconds', to_legacy=lambda s: s * 1000, to_canonical=lambda ms: ms / 1000)\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    rows = Ledger("pools", version="1.0")
    rows += [Class("pools.old:Pool", "shop.core:Pool", adapter="pool_adapters:OldPool", since="1", removal="3", instead="a pool")]
    made = rewriter.fix_text("from pools.old import Pool\nPool().ms = 5\n", rows)
    assert [skip.reason for skip in made.skips][1:] == ["what replaces it differs: Pool.seconds"]


PARTS = """
from compat.shim import Part, legacy_method


class Base(Part):
    @legacy_method(instead="Pool.size")
    def count(self): ...


class Stock(Base):
    @legacy_method(instead="Pool.acquire()")
    def take(self): ...

    def helper(self): ...


PARTS: dict = {"_stock": Stock}
"""
USERS = {
    "by name": 'from pool_parts import PARTS\n\n\nclass OldPool(Adapter, of="shop.core:Pool", built_by="shop.core:get_pool", parts=PARTS):\n    mode = 1\n',
    "in place": 'from pool_parts import Stock\n\n\nclass OldPool(Adapter, of="shop.core:Pool", built_by="shop.core:get_pool", parts={"_stock": Stock}):\n    mode = 1\n',
}


@pytest.mark.parametrize("text", USERS.values(), ids=USERS)
def test_the_legacy_methods_of_parts_are_those_of_the_adapter(text, tmp_path, monkeypatch):
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop" / "core.py").write_text("class Pool: ...\n\n\ndef get_pool(): ...\n")
    (tmp_path / "pool_parts.py").write_text(PARTS)
    (tmp_path / "pool_adapters.py").write_text(f"from compat import Adapter\n{text}")
    monkeypatch.syspath_prepend(str(tmp_path))
    found = Adapters(Ledger("shop", version="1.0"), {}).of("pool_adapters:OldPool")
    assert found is not None
    assert found.members.legacy == {"count": "Pool.size", "take": "Pool.acquire()", "mode": ""}
    rows = Ledger("shop", version="1.0", docs="")
    rows += [Class("old:Pool", "shop.core:Pool", adapter="pool_adapters:OldPool", since="1.0", removal="2.0", instead=None)]
    outcome = rewriter.fix_text("from old import Pool\n\npool = Pool()\npool.take()\n", rows)
    assert outcome.status == "skipped"
    assert any(".take is used here, which only the legacy class has" in skip.reason for skip in outcome.skips)
