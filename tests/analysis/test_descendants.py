"""What classes of an installed library inherit of a class whose members rows speak of."""

from __future__ import annotations

import pytest

from compat.analysis import fixer, scan
from compat.ledger import Argument, Ledger, Method

LIBRARY = {
    "__init__.py": "from lib.kinds import *\n",
    "kinds/__init__.py": "from .plain import Graph\nfrom .far import Directed, Multi, Own, Named\n",
    "kinds/plain.py": "class Graph:\n    def all(self): ...\n    def add(self, thing): ...\n    def left(self): ...\n",
    "kinds/far.py": """
import lib.kinds.plain as plain
from . import plain as near
from .other import Multiple
from .plain import Graph as Base


class Directed(plain.Graph):
    pass


class Multi(Multiple, Directed):
    pass


class Own(Base):
    def every(self): ...


class Named(Own):
    pass


class Nobody:
    class Graph: ...
""",
    "kinds/other.py": "from lib.kinds import plain\n\n\nclass Multiple(plain.Graph):\n    def add(self, one): ...\n",
}
V = {"since": "1.0", "removal": "2.0", "instead": None}
LEDGER = Ledger("lib", version="1.5") + [
    Method("lib.kinds.plain:Graph.every", "lib.kinds.plain:Graph.all", **V),
    Method("lib.kinds.far:Directed.lefts", "lib.kinds.far:Directed.left", **V),
    Argument("lib.kinds.plain:Graph.add", "item", became="thing", **V),
]

#: Each line with a comment is left.
USER = """
import lib as l
from lib.kinds.far import Directed, Multi


class Mine(l.Multi):
    def run(self):
        return self.every()


l.Graph().every()
l.Directed().every()
Multi().every()
Multi().lefts()
Mine().lefts()
Directed().add(item=1)
l.Graph().add(item=1)
Multi().add(item=1)  # it has an add of its own
l.Own().every()  # and this an every
l.Named().every()  # as has what is above this
l.Graph().lefts()  # a Directed has it
l.Nobody.Graph().every()  # another class
"""


@pytest.fixture
def library(tmp_path, monkeypatch):
    for name, text in LIBRARY.items():
        file = tmp_path / "site" / "lib" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    (tmp_path / "app").mkdir()
    monkeypatch.chdir(tmp_path / "app")
    return tmp_path / "app"


def test_uses_of_them_are_found_and_rewritten(library):
    (library / "user.py").write_text(USER)
    found = scan(["."], LEDGER).findings
    lines = USER.splitlines()
    wanted = [
        at for at, line in enumerate(lines, 1) if "#" not in line and ("every" in line or "lefts" in line or "item" in line)
    ]
    assert [finding.line for finding in found] == wanted
    fixer.fix(["."], LEDGER, write=True)
    after = (library / "user.py").read_text().splitlines()
    changed = {"every": "all", "lefts": "left", "item=": "thing="}
    for at, line in enumerate(lines, 1):
        for old, new in changed.items() if at in wanted else ():
            line = line.replace(old, new)
        assert after[at - 1] == line
    assert not scan(["."], LEDGER).findings


@pytest.mark.parametrize(
    "body",
    ["from lib import Multi\n\n\ndef made():\n    return Multi()\n", "import lib\n\nmade = lib.Multi\n"],
    ids=["from", "module"],
)
def test_what_a_file_of_the_tree_gives_of_them_is_known_to_the_others(library, body):
    (library / "making.py").write_text(body)
    (library / "user.py").write_text("from making import made\n\nmade().every()\n")
    (finding,) = scan(["."], LEDGER).findings
    assert (finding.path, finding.line) == ("user.py", 3)


def test_a_library_that_lies_in_the_tree_is_read_with_it(library):
    site = library.parent / "site"
    (site / "user.py").write_text("import lib\n\nlib.Multi().every()\nlib.Own().every()\n")
    found = [(finding.path, finding.line) for finding in scan([str(site)], LEDGER).findings]
    assert found[-1] == (str(site / "user.py"), 3) and len(found) == 2  # the other: Own overrides it
