"""One journey: an untouched legacy program runs, is counted, scanned and fixed, and runs again with no use left."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap

import pytest

pytest.importorskip("click", reason="the command line comes with the tools extra")

FILES = {
    "shop/__init__.py": "",
    "shop/cart.py": '''
        """The cart."""


        class Cart:
            def __init__(self, owner="nobody"):
                self.owner, self.lines = owner, []

            def add(self, name, quantity=1):
                self.lines.append((name, quantity))
                return len(self.lines)


        def total(cart):
            return sum(quantity for _, quantity in cart.lines)
    ''',
    "shop_moves.py": """
        from compat import Argument, Ledger, Method, Module, Name

        WHEN = {"since": "1.0", "removal": "3.0", "instead": None}
        LEDGER = Ledger("shop", version="2.0") + [
            Module("oldshop.basket", "shop.cart", **WHEN),
            Name("oldshop.util:Basket", "shop.cart:Cart", **WHEN),
            Name("oldshop.util:sum_up", "shop.cart:total", **WHEN),
        ]
    """,
    "program.py": """
        import oldshop.basket
        from oldshop.util import Basket, sum_up  # the old names


        def run():
            basket = Basket("eve")
            for name in ("tea", "milk"):
                basket.add(name, 2)
            return sum_up(basket), oldshop.basket.total(basket)


        if __name__ == "__main__":
            print(run())
    """,
}


@pytest.mark.slow
def test_from_legacy_to_nothing_left(tmp_path):
    for path, text in FILES.items():
        file = tmp_path / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(textwrap.dedent(text))
    info = tmp_path / "shop-2.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: shop\nVersion: 2.0\n")
    (info / "entry_points.txt").write_text("[compat.ledgers]\nshop = shop_moves:LEDGER\n")
    environment = {
        **os.environ,
        "PYTHONPATH": str(tmp_path),
        "COMPAT_TELEMETRY": "on",
        "COMPAT_DIR": str(tmp_path / "state"),
        "COMPAT_SERVICE": "journey",
    }

    def run(*arguments, code=0):
        done = subprocess.run(
            [sys.executable, *arguments], capture_output=True, text=True, timeout=120, cwd=tmp_path, env=environment
        )
        assert done.returncode == code, done.stdout + done.stderr
        return done

    def compat(*arguments, code=0):
        return run("-m", "compat", *arguments, code=code).stdout

    def uses():
        found = json.loads(compat("report", "--ledger", "shop", "--format", "json", "--since", "all"))
        return sum(row["total"] if "total" in row else row["uses"] for row in found["rows"])

    first = run("-W", "default", "program.py")
    assert first.stdout == "(4, 4)\n"
    assert "program.py:3: LegacyUseWarning: Importing Basket from 'oldshop.util' is deprecated since shop 1.0" in first.stderr
    assert uses() == 4

    found = json.loads(compat("scan", "--ledger", "shop", "--format", "json", "program.py", code=1))
    assert {finding["line"] for finding in found["findings"]} >= {2, 3}

    assert "+from shop.cart import Cart" in compat("fix", "--ledger", "shop", "program.py", code=1)
    compat("fix", "--ledger", "shop", "--write", "--verify", "program.py", code=0)
    fixed = (tmp_path / "program.py").read_text()
    assert "oldshop" not in fixed and "# the old names" in fixed
    compat("scan", "--ledger", "shop", "program.py")

    second = run("-W", "error", "program.py")
    assert (second.stdout, second.stderr) == ("(4, 4)\n", "")
    assert uses() == 4
