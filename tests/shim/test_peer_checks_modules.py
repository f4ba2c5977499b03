"""The checks that other packages for moved modules were put through, row by row."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys

import pytest

from compat import Module

DATES = {"since": "1.0", "removal": "2.0", "instead": None}
IMPORT = ("old.mod", "import")
READ = ("old.mod", "attribute")


@pytest.fixture
def moved(world, installed):
    """A moved module, a moved package, and a package of which only the root is declared."""
    installed(Module("old.mod", "canon.core", **DATES), Module("old.sub", "canon.sub", **DATES))
    return world


def test_import_old_mod(moved):
    moved.ok("\nimport old.mod").once((*IMPORT, 2))


def test_import_old_mod_then_old_mod_x(moved):
    names = moved.ok("import old.mod\nx = old.mod.CONST").once((*IMPORT, 1), (*READ, 2))
    assert names["x"] == 42


def test_from_old_mod_import_x(moved):
    assert moved.ok("\nfrom old.mod import CONST").once((*IMPORT, 2))["CONST"] == 42


def test_from_old_import_mod(moved):
    assert moved.ok("\nfrom old import mod").once((*IMPORT, 2))["mod"] is sys.modules["old.mod"]


def test_import_old_sub_deep_as_m(moved):
    assert moved.ok("\nimport old.sub.deep as m").once(("old.sub", "import", 2))["m"].__name__ == "old.sub.deep"


def test_importlib_import_module(moved):
    moved.ok("import importlib\n\nimportlib.import_module('old.mod')").once((*IMPORT, 3))


def test_2nd_importer_plain_import(moved):
    for _ in range(2):
        moved.ok("\nimport old.mod").once((*IMPORT, 2))


def test_2nd_importer_from_import(moved):
    for _ in range(2):
        moved.ok("\nfrom old.mod import CONST").once((*IMPORT, 2))


def test_submodule_not_declared_is_no_second_copy(moved):
    seen = moved.ok("import old.sub.deep as d\nimport canon.sub.deep as c\nc.VALUE = 'set'\nvalue = d.VALUE")
    assert seen.once(("old.sub", "import", 1), ("old.sub", "attribute", 4))["value"] == "set"


def test_from_old_mod_import_star(moved):
    names = moved.ok("\nfrom old.mod import *").once((*IMPORT, 2))
    assert {"CONST", "Widget", "make"} <= set(names)


def test_w_error_on_from_import(moved):
    for _ in range(2):
        seen = moved.use("\nfrom old.mod import CONST", filters="error")
        assert type(seen.error).__name__ == "LegacyUseWarning" and seen.counted() == {(*IMPORT, 2): 1}
        assert "CONST" not in seen.namespace


def test_old_x_is_new_x(moved):
    names = moved.ok("import old.mod, canon.core\nsame = old.mod.Widget is canon.core.Widget").namespace
    assert names["same"] and sys.modules["old.mod"] is not sys.modules["canon.core"]


def test_old_pickle_loads(moved):
    import canon.core

    seen = moved.ok(
        "import pickle\nw = pickle.loads(b'\\x80\\x04\\x8c\\x07old.mod\\x8c\\x06Widget\\x93)\\x81}\\x8c\\x01xK\\x05sb.')"
    )
    assert seen.namespace["w"] == canon.core.Widget(5)
    assert pickle.dumps(seen.namespace["w"]) == pickle.dumps(canon.core.Widget(5))


def test_mock_patch_old_mod_f_hits_canonical(moved):
    names = moved.ok(
        "from unittest import mock\nimport canon.core as c\nwith mock.patch('old.mod.make', lambda x=1: 'patched'):\n"
        "    inside = c.use_make()\nafter = c.use_make()"
    ).namespace
    assert (names["inside"], names["after"]) == ("patched", 2)


def test_setattr_old_mod_is_forwarded(moved):
    seen = moved.ok("import old.mod, canon.core\nold.mod.CONST = 7\nsetattr(old.mod, 'CONST', canon.core.CONST + 1)")
    assert sys.modules["canon.core"].CONST == 8
    assert seen.counted("set") == {("old.mod", "set", 2): 1}


def test_read_after_canonical_rebinding(moved):
    names = moved.ok("import old.mod, canon.core\nold.mod.CONST\ncanon.core.CONST = 7\nvalue = old.mod.CONST").namespace
    assert names["value"] == 7


def test_dir(moved):
    names = moved.ok("import old.mod, canon.core\nmissing = set(dir(canon.core)) - set(dir(old.mod))").once((*IMPORT, 1))
    assert names["missing"] == set()


def test_help(moved):
    names = moved.ok("import old.mod, pydoc\ntext = pydoc.render_doc(old.mod)").once((*IMPORT, 1))
    assert "Core of the new home." in names["text"] and "Make one more." in names["text"]


def test_inspect_getsource_gives_canonical(moved):
    names = moved.ok("import old.mod, inspect\ntext = inspect.getsource(old.mod)").once((*IMPORT, 1))
    assert names["text"] == (moved.root / "canon/core.py").read_text()


def test_find_spec_unloaded(moved):
    seen = moved.ok("import importlib.util as u\nspec = u.find_spec('old.mod')")
    assert seen.namespace["spec"].name == "old.mod" and not seen.recorded and "old.mod" not in sys.modules


def test_importlib_reload(moved):
    names = moved.ok(
        "import importlib, old.mod, canon.core as c\nc.CONST = 1\nmade = importlib.reload(old.mod)\nvalue = c.CONST"
    ).namespace
    assert names["made"] is sys.modules["old.mod"] and names["value"] == 42 and names["c"].__name__ == "canon.core"


def test_canonical_spec_untouched(moved):
    names = moved.ok(
        "import canon.core as c\nbefore = c.__spec__, c.__loader__, c.__name__\nimport old.mod\nold.mod.CONST"
    ).namespace
    c = names["c"]
    assert (c.__spec__, c.__loader__, c.__name__) == names["before"] and c.__spec__.name == "canon.core"


def test_python_m_old_mod(moved):
    moved.write("canon/core.py", "print(__name__)\n")
    code = (
        "import compat, runpy, sys\n"
        f"compat.install(compat.Ledger('k', version='1.5') + [compat.Module('old.mod', 'canon.core', **{DATES!r})])\n"
        "sys.argv[1:] = []\nrunpy._run_module_as_main('old.mod')\n"
    )
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code],
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, "PYTHONPATH": str(moved.root)},
    )
    assert "__main__" in done.stdout.splitlines() and done.returncode == 0, done.stderr
