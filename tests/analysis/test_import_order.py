"""Imports that ruff finds in order are in order after a fix, and comments, bindings and order hold in generated blocks."""

from __future__ import annotations

import ast
import random
import subprocess
import sys
from pathlib import Path
from textwrap import indent

import pytest

from compat.analysis import fixer
from compat.analysis.rewriting import rewriter
from compat.analysis.rewriting.import_blocks import ruff_settings
from compat.ledger import Ledger, Removed

PLAIN = ["import os", "import abc", "import numpy", "import shop.whole", "import shop_old.whole", "import zebra as z"]
MODULES = {
    "shop_old.things": ["Widget", "create", "LIMIT", "MAX", "Gadget", "elsewhere", "other"],
    "shop.core": ["Widget", "create", "LIMIT", "swap", "Engine", "Pool"],
    "shop.other": ["elsewhere", "more"],
    "shopping": ["cart"],
    "zebra": ["stripes", "Herd"],
}


def statements(chance: random.Random) -> list[str]:
    """Import statements that bind no name to two things."""
    made, bound = chance.sample(PLAIN, chance.randrange(3)), set()
    for module in chance.sample(sorted(MODULES), chance.randrange(2, 5)):
        names = [name for name in MODULES[module] if name not in bound]
        chosen = chance.sample(names, min(len(names), chance.randrange(1, 4)))
        bound.update(chosen)
        if chosen and chance.random() < 0.3:
            rows = "".join(f"    {name},{chance.choice(['', f'  # {name}'])}\n" for name in chosen)
            made.append(f"from {module} import (\n{rows})")
        elif chosen:
            made.append(f"from {module} import {', '.join(chosen)}{f'  # {chosen[0]}' if len(chosen) == 1 else ''}")
    return made


def blocks(count: int) -> list[str]:
    chance = random.Random(11)
    return ["\n".join(statements(chance)) + "\n" for _ in range(count)]


def ruff(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    tool = Path(sys.executable).with_name("ruff")
    return subprocess.run([tool, *arguments], cwd=cwd, capture_output=True, text=True)


@pytest.mark.slow
def test_what_ruff_finds_sorted_is_sorted_after_a_fix(ledger, tmp_path):
    if not Path(sys.executable).with_name("ruff").exists():
        pytest.skip("ruff is not installed beside this Python")
    (tmp_path / "ruff.toml").write_text('[lint]\nselect = ["I"]\n[lint.isort]\nknown-third-party = ["shop", "shop_old"]\n')
    for number, text in enumerate(blocks(300)):
        (tmp_path / f"m{number}.py").write_text(text)
    ruff("check", "--no-cache", "--fix", ".", cwd=tmp_path)
    before = {path: path.read_text() for path in tmp_path.glob("*.py")}
    result = fixer.fix([str(tmp_path)], ledger, write=True, verify=True)
    assert result.problems == []
    assert len(result.written) > 150
    after = ruff("check", "--no-cache", "--output-format", "concise", ".", cwd=tmp_path)
    wrong = sorted({line.partition(":")[0] for line in after.stdout.splitlines() if "I001" in line})
    shown = [before[tmp_path / name] + "->\n" + (tmp_path / name).read_text() for name in wrong[:3]]
    assert wrong == [], "\n".join(shown)


SETTINGS = {
    "force-single-line": "force-single-line = true",
    "force-sort-within-sections": "force-sort-within-sections = true",
    "combine-as-imports": "combine-as-imports = true",
    "order-by-type": "order-by-type = false",
    "short lines": "",
}


@pytest.mark.slow
@pytest.mark.parametrize("name", SETTINGS)
def test_what_the_projects_settings_find_sorted_is_sorted_after_a_fix(ledger, tmp_path, name):
    if not Path(sys.executable).with_name("ruff").exists():
        pytest.skip("ruff is not installed beside this Python")
    length = 44 if name == "short lines" else 100
    (tmp_path / "pyproject.toml").write_text(
        f'[tool.ruff]\nline-length = {length}\n[tool.ruff.lint]\nselect = ["I", "E501"]\n'
        f'[tool.ruff.lint.isort]\nknown-third-party = ["shop", "shop_old"]\n{SETTINGS[name]}\n'
    )
    (tmp_path / "deep").mkdir()
    for number, text in enumerate(blocks(60)):
        (tmp_path / "deep" / f"m{number}.py").write_text(text)
    ruff("check", "--no-cache", "--fix", ".", cwd=tmp_path)
    before = {path: path.read_text() for path in (tmp_path / "deep").glob("*.py")}
    result = fixer.fix([str(tmp_path)], ledger, write=True, verify=True)
    assert result.problems == [] and len(result.written) > 25
    after = ruff("check", "--no-cache", "--output-format", "concise", ".", cwd=tmp_path)
    wrong = sorted({line.partition(":")[0] for line in after.stdout.splitlines() if "I001" in line or "E501" in line})
    shown = [before[tmp_path / one] + "->\n" + (tmp_path / one).read_text() for one in wrong[:3]]
    assert wrong == [], f"{len(wrong)}\n" + "\n".join(shown)


@pytest.mark.parametrize(
    "file, text, length",
    [
        ("ruff.toml", "line-length = 30\n", 30),
        (".ruff.toml", "line-length = 30\n", 30),
        ("pyproject.toml", "[tool.ruff]\nline-length = 30\n", 30),
        ("pyproject.toml", '[tool.ruff]\nextend = "base.toml"\n', 40),
        ("ruff.toml", "line-length = [\n", None),
        ("pyproject.toml", "[tool.other]\nline-length = 30\n", None),
        ("ruff.toml", 'line-length = "x"\n', 88),
    ],
)
def test_the_nearest_settings_of_ruff_hold(tmp_path, file, text, length):
    (tmp_path / "base.toml").write_text("line-length = 40\n")
    (tmp_path / file).write_text(text)
    (tmp_path / "m.py").write_text("")
    assert ruff_settings.of(str(tmp_path / "m.py")).line_length == length
    assert ruff_settings.of(str(tmp_path / "missing.py")).line_length is None


def test_no_name_or_comment_is_lost_and_no_name_bound_twice(ledger):
    for text in blocks(600):
        outcome = rewriter.fix_text(text, ledger)
        after = outcome.after.decode()
        renamed = {"MAX": "LIMIT", "Gadget": "Widget", "shop_old": "shop"}
        new = bound(after)
        assert [name for name in bound(text) if name not in new and renamed.get(name) not in new] == [], after
        assert len(new) - new.count("shop") == len(set(new) - {"shop"}), after
        if outcome.status == "fixed":
            assert sorted(comment(text)) == sorted(comment(after)), after
            assert rewriter.fix_text(after, ledger).after.decode() == after


def bound(text: str) -> list[str]:
    return [
        alias.asname or alias.name.partition(".")[0]
        for node in ast.walk(ast.parse(text))
        if isinstance(node, (ast.Import, ast.ImportFrom))
        for alias in node.names
    ]


def comment(text: str) -> list[str]:
    return [line.partition("#")[2].strip() for line in text.splitlines() if "#" in line]


class WithoutImports(ast.NodeTransformer):
    def visit_Import(self, node):
        return None

    visit_ImportFrom = visit_Import


def test_everything_between_blocks_stays(ledger):
    """Blocks at every depth, with code between them: the code is the same, and each scope binds what it bound."""
    chance = random.Random(5)
    made = blocks(600)
    for _ in range(200):
        first, second, third, fourth = chance.sample(made, 4)
        text = (
            f"'''Text.'''\n{first}x = 1\ndef f():\n{indent(second, '    ')}    y = 2\n    if y:\n{indent(third, '        ')}"
            f"    return y\n{fourth}z = 3\n"
        )
        outcome = rewriter.fix_text(text, ledger)
        assert outcome.status != "failed", outcome.reason
        after = outcome.after.decode()
        trees = [ast.parse(text), ast.parse(after)]
        assert sorted(comment(text)) == sorted(comment(after)), outcome.diff()
        renamed = {"MAX": "LIMIT", "Gadget": "Widget", "shop_old": "shop"}
        for old, new in zip(*(bodies(tree) for tree in trees)):
            have = bound(new)
            assert [name for name in bound(old) if name not in have and renamed.get(name) not in have] == [], outcome.diff()
        rest = [ast.dump(WithoutImports().visit(tree)) for tree in trees]
        assert rest[0] == rest[1], outcome.diff()


def bodies(tree: ast.Module) -> list[str]:
    """The source of the module, of its function, and of the block inside of that."""
    function = next(node for node in tree.body if isinstance(node, ast.FunctionDef))
    inner = next(node for node in function.body if isinstance(node, ast.If))
    parts = [[node for node in body if node not in (function, inner)] for body in (tree.body, function.body, inner.body)]
    return [ast.unparse(ast.Module(part, [])) for part in parts]


@pytest.mark.parametrize(
    "others",
    [
        "from omega import fol\nfrom omega import logic\n",
        "from omega import fol\nfrom omega import logic  # two\n",
        "from omega import fol as _fol\nfrom omega import logic, fol\nfrom omega import zeta\n",
        "from omega import logic, fol\n",
    ],
)
def test_statements_beside_an_import_that_is_added_stay_as_they_are(others):
    row = Removed(
        "lib:Graph.link", since="1.0", instead=None, replacement="pack.link({self})", parameters="", imports="import pack"
    )
    text = f"from lib import Graph\n{others}\nGraph().link()\n"
    outcome = rewriter.fix_text(text, Ledger("lib", version="1.5") + [row])
    after = outcome.after.decode()
    assert after.replace("import pack\n", "").replace("pack.link(Graph())", "Graph().link()") == text
    assert after.count("import pack\n") == 1
