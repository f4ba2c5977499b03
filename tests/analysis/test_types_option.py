"""``--types``: a type checker answers for receivers that the source does not tell; without it, or where it fails, one sentence."""

from __future__ import annotations

import sys

import pytest

from compat.analysis import fixer, scan, type_checker

TEXT = """\
import functools
from shop.core import Widget


def same(function):
    @functools.wraps(function)
    def inner(*args): return function(*args)
    return inner


def pairs() -> "dict[str, tuple[Widget, int]]": ...
best = max(pairs().values(), key=lambda pair: pair[0].rotate() or pair[1])[0]
best.rotate()
def narrowed(x: object) -> None:
    if isinstance(x, Widget):
        x.rotate()
    x.rotate()  # other
class Own(Widget):
    def rotate(self) -> None: ...  # override
def more(own: Own, either: "Widget | Own", any_: "Widget | str") -> None:
    [own][0].rotate()  # other
    any_.rotate()  # other
"""


@pytest.fixture
def tree(ledger, tmp_path, monkeypatch):
    folder = tmp_path / "tree"
    folder.mkdir()
    (folder / "app.py").write_text(TEXT)
    monkeypatch.chdir(folder)
    # Where mypy looks for what is imported.
    monkeypatch.setenv("MYPYPATH", next(path for path in sys.path if "canonical" in path))
    return folder


def test_what_the_checker_knows_is_certain(ledger, tree):
    pytest.importorskip("mypy")
    expected = [number for number, line in enumerate(TEXT.splitlines(), 1) if ".rotate" in line and "# other" not in line]
    uses = [item.line for item in scan(["."], ledger, types=True).findings if item.how != "override"]
    assert uses == expected
    assert len([item for item in scan(["."], ledger).findings if item.how != "override"]) < len(expected)
    result = fixer.fix(["."], ledger, types=True, write=True, verify=True)
    assert not result.problems
    after = "".join(line if "# other" in line else line.replace(".rotate", ".spin") for line in TEXT.splitlines(keepends=True))
    assert (tree / "app.py").read_text() == after


def test_a_text_that_is_given_is_checked_instead_of_its_file(ledger, tree):
    pytest.importorskip("mypy")
    text = "from shop.core import Widget\ndef f(x: object) -> None:\n    if isinstance(x, Widget):\n        x.rotate()\n"
    (tree / "user.py").write_text("(\n")
    made = fixer.fix_given("user.py", text.encode(), ledger, types=True).outcomes[0]
    assert made.after.decode() == text.replace("rotate", "spin")
    for name in ("absent.py", "<stdin>"):
        with type_checker._shadow(name, text) as arguments:
            assert arguments == ["-c", text]


def test_a_checker_that_fails_or_is_missing_is_one_sentence(ledger, tree, monkeypatch):
    with monkeypatch.context() as patched:
        patched.setitem(sys.modules, "mypy", None)
        with pytest.raises(type_checker.CheckerError, match=r"^--types asks mypy, .* 'netra-compat\[types\]'$"):
            scan(["."], ledger, types=True)
    pytest.importorskip("mypy")
    (tree / "broken.py").write_text("x = (\nw.rotate()\n")
    with pytest.raises(type_checker.CheckerError, match=r"^mypy could not check the files: .*broken.py"):
        fixer.fix(["."], ledger, types=True, write=True)
    assert (tree / "app.py").read_text() == TEXT
