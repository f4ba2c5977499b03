"""A new kind of move is one file in each room and a line in each room's table: nothing else knows of it."""

from __future__ import annotations

import json
import os
import pathlib
import subprocess
import sys

import pytest

pytest.importorskip("click", reason="the command line is an extra")

HERE = pathlib.Path(__file__).parent

#: The lines that a new kind adds to the tables, one a room.
REGISTERED = """
import sys
from compat.ledger.kinds import KINDS
from seventh_kind import in_ledger
KINDS["constant"] = in_ledger.Constant
from compat.shim import kinds as in_shim
in_shim.KINDS["constant"] = "seventh_kind.in_shim"

def in_analysis():
    from compat.analysis import rules
    from compat.analysis.rewriting import kinds as rewriters
    from seventh_kind import in_rewriting, in_rules
    rules.KINDS = (*rules.KINDS, in_rules)
    rewriters.IMPORTS["constant"] = in_rewriting.decide
"""
FILES = {
    "new_settings.py": "NUMBER = 3\ndef timeout():\n    return 30\n",
    "old_settings.py": "OTHER = 1\n",
    "moves.py": """
from compat.ledger import Ledger
from seventh_kind.in_ledger import Constant
LEDGER = Ledger("kit", version="2.0", rows=[
    Constant("old_settings:TIMEOUT", "new_settings:timeout", unit="seconds", since="1.0", removal="3.0"),
    Constant("old_gone.settings:LIMIT", "new_settings:timeout", since="1.0", removal="3.0"),
])
""",
    "tree/app.py": "from old_settings import TIMEOUT\n\n\ndef wait(seconds=2):\n    return TIMEOUT * seconds\n",
    "tree/dotted.py": "import old_settings\n\nprint(old_settings.TIMEOUT)\n",
    "tree/patched.py": "from unittest import mock\n\nmock.patch('old_settings.TIMEOUT', 1)\n",
}
WORDS = (
    "Reading constant TIMEOUT of 'old_settings' is deprecated since kit 1.0 and will be removed in 3.0."
    " Call new_settings.timeout() instead."
)


@pytest.fixture
def run(tmp_path):
    for path, text in FILES.items():
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).write_text(text, encoding="utf-8")

    def run(code, *, errors=False, **more):
        paths = os.pathsep.join([str(tmp_path), str(HERE), str(HERE.parents[1])])
        environment = {**os.environ, "PYTHONPATH": paths, "COMPAT_TELEMETRY": "memory", **more}
        command = [sys.executable, "-c", REGISTERED + code]
        done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr
        return done.stdout + done.stderr * errors

    return run


USED = """
import warnings, compat, moves
compat.install(moves.LEDGER)
with warnings.catch_warnings(record=True) as seen:
    warnings.simplefilter("always")
    namespace = {"__name__": "user"}
    exec(compile("from old_settings import TIMEOUT\\nimport old_settings\\nresult = TIMEOUT + old_settings.TIMEOUT\\n"
                 "from old_gone.settings import LIMIT\\n", "user.py", "exec"), namespace)
import json
print(json.dumps([namespace["result"], namespace["LIMIT"], [(one.lineno, str(one.message)) for one in seen],
                  sorted((use.move, use.kind, use.line, use.count) for use in compat.usage())]))
"""


def test_it_is_served_warned_worded_and_counted(run):
    result, limit, warned, counted = json.loads(run(USED))
    assert (result, limit) == (60, 30)
    limit_words = WORDS.replace("TIMEOUT of 'old_settings'", "LIMIT of 'old_gone.settings'")
    assert warned == [[1, WORDS], [3, WORDS], [4, limit_words]]
    assert counted == [
        ["old_gone.settings:LIMIT", "import", 4, 1],
        ["old_settings:TIMEOUT", "attribute", 3, 1],
        ["old_settings:TIMEOUT", "import", 1, 1],
    ]


def test_at_its_removal_version_it_raises(run):
    printed = run(
        """
import compat, moves
compat.install(moves.LEDGER)
try:
    from old_settings import TIMEOUT
except compat.LegacyExpiredError as error:
    print(type(error).__name__, isinstance(error, ImportError))
""",
        COMPAT_AS_OF="3.0",
    )
    assert printed == "LegacyExpiredImport True\n"


def test_it_is_checked(run):
    printed = run(
        """
import compat
from compat.ledger import Ledger
from seventh_kind.in_ledger import Constant
import moves
compat.check(moves.LEDGER)
bad = Ledger("bad", version="2.0", rows=[
    Constant("old_settings:A", "new_settings:NUMBER", unit="a second", since="1.0", removal="3.0"),
    Constant("old_settings", "new_settings:timeout", since="1.0", removal="3.0"),
])
try:
    compat.check(bad)
except compat.LedgerError as error:
    print(error)
"""
    )
    assert printed == (
        "ledger 'bad' has 3 faults:\n"
        "  Constant('old_settings:A'): unit 'a second' is not one word. write one such as unit='seconds'\n"
        "  Constant('old_settings:A'): 'new_settings:NUMBER' is not callable. name a function, or use Name(...)\n"
        "  Constant('old_settings'): a name is missing after the module. write 'old_settings:Name', or use Module(...)\n"
    )


def command(line):
    return f"""
in_analysis()
import sys
from compat.cli.main import main
sys.argv = ["compat", *{line.split()!r}]
code = main(sys.argv[1:])
"""


def test_it_is_scanned_in_every_format(run):
    ledger = "--ledger moves:LEDGER"
    found = json.loads(run(command(f"scan {ledger} --format json tree")))["findings"]
    assert [(one["rule"], one["path"], one["line"], one["how"]) for one in found] == [
        ("constant", "tree/app.py", 1, "import"),
        ("constant", "tree/dotted.py", 3, "attribute"),
        ("constant", "tree/patched.py", 3, "patch"),
    ]
    assert {one["message"] for one in found} == {WORDS}
    sarif = json.loads(run(command(f"scan {ledger} --format sarif tree")))
    legend = {rule["id"]: rule["shortDescription"]["text"] for rule in sarif["runs"][0]["tool"]["driver"]["rules"]}
    assert legend["constant"] == "A constant that became a function is read."


def test_it_is_fixed_where_that_is_certain(run, tmp_path):
    run(command("fix --ledger moves:LEDGER --write tree"))
    assert (tmp_path / "tree/app.py").read_text() == (
        "from new_settings import timeout\n\n\ndef wait(seconds=2):\n    return timeout() * seconds\n"
    )
    assert (tmp_path / "tree/dotted.py").read_text() == FILES["tree/dotted.py"]
    assert (tmp_path / "tree/patched.py").read_text() == FILES["tree/patched.py"]
    printed = run(command("fix --ledger moves:LEDGER tree") + "print(code)\n", errors=True)
    assert "old_settings.TIMEOUT is a function now; import it by name" in printed
    assert "it is a function now: patch what replaces it, where the tested code looks that up" in printed


def test_it_has_its_line_in_stub_guide_and_export_and_is_explained(run):
    printed = run(
        """
in_analysis()
import moves
from compat.analysis.documents import explain, guide, linter_export, stubs
print(stubs.generate(moves.LEDGER)["old_settings/__init__.pyi"])
print(guide.generate(moves.LEDGER))
print(linter_export.ruff(moves.LEDGER))
told = explain.explain(moves.LEDGER, "old_settings.TIMEOUT")
print(repr((told.message, told.replacement, told.before, told.after)))
"""
    )
    assert f"# {WORDS}\nTIMEOUT: Any\n" in printed
    assert "| `TIMEOUT` | Call new_settings.timeout() instead. |\n" in printed
    assert '"old_settings.TIMEOUT".msg = "Call new_settings.timeout() instead."\n' in printed
    before, after = "from old_settings import TIMEOUT\n", "from new_settings import timeout\n"
    assert repr((WORDS, "Call new_settings.timeout() instead.", before, after)) in printed
