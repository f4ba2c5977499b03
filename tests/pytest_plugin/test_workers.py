"""With xdist there is one summary of all workers, exact, also when one of them crashes."""

from __future__ import annotations

import pytest

from .conftest import COUNTED, LAST, lines_of

pytest_plugins = ["pytester"]

pytest.importorskip("xdist")

#: Each file imports a legacy name, and each of its tests uses one as often as its number says.
MANY = """\
import lib, pytest
from shop_util import Money

@pytest.mark.parametrize("number", range(1, 9))
def test_many(number):
    for _ in range(number):
        lib.old()
"""


@pytest.mark.parametrize("options", [["-n", "2"], ["-n", "2", "--dist", "loadfile"], ["-n", "0"]], ids=" ".join)
def test_the_figures_are_those_of_one_process(project, options):
    for name in "abc":
        project.write(f"tests/test_{name}.py", MANY)
    more = [("direct", "lib:old", "call", f"tests/test_{name}.py", 7, 36) for name in "abc"]
    more += [("self", "shop_util:Money", "import", f"tests/test_{name}.py", 2, 1) for name in "abc"]
    order = ["self", "direct", "indirect"]
    found = project.counted(*options)
    assert found == sorted([*COUNTED, *more], key=lambda use: (order.index(use[0]), *use[1:5]))
    by = {use["file"]: use["by"] for use in project.report()["uses"] if use["category"] == "direct"}
    assert sorted(by["tests/test_b.py"]) == [f"tests/test_b.py::test_many[{number}]" for number in range(1, 9)]


def test_the_controller_alone_says_it_once(project):
    shown = project.run("--compat", "-n", "2").stdout.str()
    assert shown.count(LAST) == 1 and shown.count("legacy uses are counted") == 1


@pytest.mark.parametrize("telemetry", ["memory", "off", "on"])
def test_what_a_worker_used_before_it_crashed_is_counted(project, telemetry):
    project.setenv("COMPAT_TELEMETRY", telemetry)
    project.setenv("COMPAT_DIR", str(project.path / "state"))
    project.write(
        "tests/test_shop.py",
        "import os, lib\nfrom shop_util import Money\n\n"
        "def test_before():\n    lib.old()\n\n"
        "def test_crash():\n    for _ in range(100):\n        lib.old()\n    os._exit(9)\n\n"
        "def test_after():\n    lib.old()\n",
    )
    assert project.counted("-n", "1") == [
        ("self", "shop_util:Money", "import", "tests/test_shop.py", 2, 1),
        ("direct", "lib:old", "call", "tests/test_shop.py", 5, 1),
        ("direct", "lib:old", "call", "tests/test_shop.py", 9, 100),
        ("direct", "lib:old", "call", "tests/test_shop.py", 13, 1),
    ]
    by = {use["line"]: use["by"] for use in project.report()["uses"]}
    assert by[9] == {"tests/test_shop.py::test_crash": 100}


def test_what_fails_one_process_fails_the_workers(project):
    result = project.run("--compat-max=direct=2", "-n", "2")
    assert result.ret == 1
    assert lines_of(result)[-1] == "compat: 3 direct uses, and compat_max allows 2"


def test_a_ratchet_of_one_process_is_that_of_workers(project):
    assert project.run("--compat-record").ret == 0
    written = project.read("compat-uses.txt")
    assert project.run("--compat", "-n", "2").ret == 0
    assert project.run("--compat-record", "-n", "2").ret == 0
    assert project.read("compat-uses.txt") == written
    # A deselection is made by the workers alone.
    assert project.run("--compat", "-n", "2", "-k", "direct").ret == 0
    project.write("compat-uses.txt", f"{written}lib:old gone.py 1\n")
    result = project.run("--compat", "-n", "2")
    assert result.ret == 1 and "gone: lib:old in gone.py" in lines_of(result)[-1]
