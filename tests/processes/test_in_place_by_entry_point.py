"""A distribution declares what it deprecates in place: its users are counted without a line of code, at the version of its metadata."""

from __future__ import annotations

import json
import os
import pathlib
import subprocess
import sys

import pytest

import compat

ROOT = pathlib.Path(compat.__file__).parents[1]
FILES = {
    "shop/__init__.py": "LIMIT = 3\ndef total(): return 1\nclass Basket: pass\n",
    "shop/old.py": "VALUE = 1\n",
    "shop/moves.py": (
        "from compat import Deprecated, Ledger, common\n"
        "V = common(since='1.0', removal='3.0', instead=None)\n"
        "LEDGER = Ledger('shop', rows=[Deprecated(path, **V) for path in ('shop:total', 'shop:LIMIT', 'shop:Basket', 'shop.old')])\n"
    ),
    "use.py": "import shop\nfrom shop import LIMIT\nshop.total()\nshop.Basket()\nimport shop.old\n",
    "go.py": (
        "import json, compat.auto, compat\n"
        "try:\n    import use\n    error = None\nexcept Exception as raised:\n    error = type(raised).__name__\n"
        "print(json.dumps([error, sorted((use.move, use.kind, use.line, use.count) for use in compat.usage())]))\n"
    ),
}


@pytest.mark.parametrize("version, error", [("2.3", None), ("3.0", "LegacyExpiredImport"), ("0.9", None)])
def test_users_of_a_distribution_are_counted_at_its_version(tmp_path, version, error):
    for path, text in FILES.items():
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).write_text(text)
    folder = tmp_path / f"shop-{version}.dist-info"
    folder.mkdir()
    (folder / "entry_points.txt").write_text("[compat.ledgers]\nshop = shop.moves:LEDGER\n")
    (folder / "METADATA").write_text(f"Metadata-Version: 2.1\nName: shop\nVersion: {version}\n")
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path), str(ROOT)]), "COMPAT_TELEMETRY": "memory"}
    command = [sys.executable, "-W", "ignore", "go.py"]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    uses = [
        ["shop.old", "import", 5, 1],
        ["shop:Basket", "construct", 4, 1],
        ["shop:LIMIT", "import", 2, 1],
        ["shop:total", "call", 3, 1],
    ]
    assert json.loads(done.stdout) == [error, uses if error is None else [["shop:LIMIT", "import", 2, 1]]]
