"""A rename is done in code and in the patches of it, or in neither."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from compat.analysis import fix, scan
from compat.analysis.config import Settings
from compat.ledger import Ledger, Method

TOLD = {"since": "1.0", "removal": "3.0", "instead": None}
CARTS = "class Cart:\n    def add(self, item):\n        return ('added', item)\n"
USER = "from carts import Cart\n\ndef fill():\n    return Cart().addItem(1)\n"
PATCHED = """import user
from carts import Cart
from unittest import mock

with mock.patch.object(Cart, {name}) as fake:
    user.fill()
assert fake.call_count == 1
print("reached")
"""
SETUP = "import compat, ledger; compat.install(ledger.LEDGER); "
LEDGER = """from compat.ledger import Ledger, Method
LEDGER = Ledger("carts", version="1.0", docs="")
LEDGER += [Method("carts:Cart.addItem", "carts:Cart.add", since="1.0", removal="3.0", instead=None)]
"""


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib" / "carts.py").write_text(CARTS)
    (tmp_path / "lib" / "ledger.py").write_text(LEDGER)
    (tmp_path / "app").mkdir()
    (tmp_path / "app" / "user.py").write_text(USER)
    return tmp_path


def make_ledger() -> Ledger:
    ledger = Ledger("carts", version="1.0", docs="")
    ledger += [Method("carts:Cart.addItem", "carts:Cart.add", **TOLD)]
    return ledger


def run(tree: Path, *, shim: bool) -> str:
    code = (SETUP if shim else "") + "import test_user"
    paths = [str(tree / "lib"), str(tree / "app")]
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", f"import sys; sys.path[:0] = {paths!r}; {code}"], capture_output=True, text=True
    )
    return done.stdout.strip() or done.stderr.strip().splitlines()[-1]


def test_a_test_that_patches_a_method_passes_before_and_after(tree):
    (tree / "app" / "test_user.py").write_text(PATCHED.format(name='"add"'))
    assert run(tree, shim=True) == "reached"
    (tree / "app" / "test_user.py").write_text(PATCHED.format(name='"addItem"'))
    assert run(tree, shim=True) == "reached"
    result = fix([str(tree / "app")], make_ledger(), write=True, verify=True)
    assert (result.problems, result.skips, len(result.written)) == ([], [], 2)
    assert (tree / "app" / "test_user.py").read_text() == PATCHED.format(name='"add"')
    assert (run(tree, shim=True), run(tree, shim=False)) == ("reached", "reached")
    assert scan([str(tree / "app")], make_ledger()).findings == []


def test_neither_is_renamed_where_a_patch_in_another_file_cannot_be(tree):
    patched = PATCHED.format(name='"add" "Item"')
    (tree / "app" / "test_user.py").write_text(patched)
    result = fix([str(tree / "app")], make_ledger(), write=True, verify=True)
    assert (result.problems, result.written) == ([], [])
    assert [(Path(skip.path).name, skip.line, skip.reason) for skip in result.skips] == [
        ("test_user.py", 5, "a patch must follow the name that the tested code calls"),
        ("user.py", 4, "a patch of it cannot be rewritten, so that it keeps its name"),
    ]
    assert run(tree, shim=True) == "reached"


def test_neither_is_renamed_where_the_file_of_the_patch_is_not_to_be_changed(tree):
    (tree / "app" / "test_user.py").write_text(PATCHED.format(name='"addItem"'))
    settings = Settings(fix_skip=("test_user.py",), root=str(tree / "app"))
    result = fix([str(tree / "app")], make_ledger(), write=True, verify=True, settings=settings)
    assert (result.problems, result.written) == ([], [])
    assert (tree / "app" / "user.py").read_text() == USER
    assert run(tree, shim=True) == "reached"


def test_a_path_to_a_method_is_a_patch_of_it(tree):
    text = 'from unittest import mock\nmock.patch("carts.Cart.addItem")\nmock.patch("carts.Cart.other")\n"carts.Cart.addItem"\n'
    (tree / "app" / "test_user.py").write_text(text)
    found = scan([str(tree / "app" / "test_user.py")], make_ledger()).findings
    assert [(finding.line, finding.column, finding.how, finding.symbol) for finding in found] == [
        (2, 12, "patch", "carts:Cart.addItem")
    ]
    fix([str(tree / "app")], make_ledger(), write=True, verify=True)
    assert (tree / "app" / "test_user.py").read_text() == text.replace("addItem", "add", 1)
