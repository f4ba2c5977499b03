"""Bodies in which nothing of interest stands are left out before a file is parsed; all else is parsed as it stands."""

from __future__ import annotations

import ast
import sysconfig
from pathlib import Path

import pytest

from compat.analysis.reading import skimming, sources


def _skimmed(text, word="\0"):
    data = text.encode()
    places, at = [], data.find(word.encode())
    while at >= 0:
        places.append(at)
        at = data.find(word.encode(), at + 1)
    made = skimming.without_bodies(data, places)
    return None if made is None else made.decode()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("def f(a, b=1):\n    return a\nx = 1\n", "def f(a, b=1):\n pass\nx = 1\n"),
        ("def f(a=(1, ')'),  # )\n      b: X[int] = {}) -> Y:\n    return a", "def f(a=(1, ')'),  # )\n      b: X[int] = {}) -> Y:\n pass"),
        ("class C(A):\n    def f(self):\n        return 1\n\n# end\n", "class C(A):\n pass\n\n\n\n"),
        (
            "class C:\n    x = WORD\n    async def f(self):\n        return 1\n    y = 1\n",
            "class C:\n    x = WORD\n    async def f(self):\n     pass\n    y = 1\n",
        ),
        ("def f():\n    '''\ndef g():\n    '''\n    return 1\n@d\ndef h(): return 1\n", "def f():\n pass\n\n\n\n@d\ndef h(): return 1\n"),
        ("'''\ndef g():\n    x\n'''\nif a:\n\tdef f():\n\t\tx\n\telse_\n", "'''\ndef g():\n    x\n'''\nif a:\n\tdef f():\n\t pass\n\telse_\n"),
        ("def f[T](a):\n    return a\n", "def f[T](a):\n pass\n"),
    ],
)  # fmt: skip
def test_bodies_are_left_out_and_lines_keep_their_numbers(text, expected):
    made = _skimmed(text, "WORD")
    assert made == expected
    assert made.count("\n") == text.count("\n")


@pytest.mark.parametrize(
    "text",
    [
        "x = 1\n",
        "def f(): return 1\n",
        "def f():\n    return WORD\n",
        "def f():\n    def g():\n        return 1\n    return WORD\n",
        "def f():\n    class C:\n        def g(self):\n            return 1\n    WORD\n",
        "class C:\n    x = WORD\n",
        "'''\ndef f():\n    return 1\n'''\n",
    ],
)
def test_what_may_matter_is_kept(text):
    assert _skimmed(text, "WORD") == text


@pytest.mark.parametrize(
    "text",
    [
        "def f():\r\n    return 1\r\n",
        "def f():\n    return 1\n\x0cclass C: pass\n",
        "def f():\n    x = 1 + \\\n2\n    return x\n",
        "x = 'a\\\ndef f(): \\\n    return 1\\\n'\n",
        'def f(a="""\n""", b=1):\n    return 1\n',
    ],
)
def test_nothing_is_left_out_where_the_end_of_a_body_is_not_sure(text):
    assert _skimmed(text) is None


@pytest.mark.parametrize(
    "text",
    [
        "def f():\n    x = [\n1, 2\n]\n    return x\n",
        "def f():\n    return g(\n)\n",
        "if x:\n    def f():\n        y = {\n    }\n",
    ],
)
def test_a_bracket_that_closes_further_left_than_its_function_takes_the_whole_tree(text):
    ast.parse(text)
    assert skimming.parse(sources.decode("m.py", text.encode()), []) is None


def _without_bodies(nodes):
    for node in nodes:
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            node.body = []
        if hasattr(node, "body"):
            node.end_lineno = node.end_col_offset = 0
        for name in ("body", "orelse", "handlers", "finalbody", "cases"):
            _without_bodies(getattr(node, name, ()))


@pytest.mark.parametrize("name", ["argparse", "typing", "textwrap", "zipfile", "ssl", "doctest", "string", "enum", "http/client"])
def test_the_rest_of_a_real_file_is_parsed_as_in_the_whole_file(name):
    path = Path(sysconfig.get_paths()["stdlib"], f"{name}.py")
    if not path.exists():
        path = path.with_suffix("") / "__init__.py"
    whole, skimmed = ast.parse(path.read_bytes()), skimming.parse(sources.decode(str(path), path.read_bytes()), [])
    assert skimmed is not None and skimmed.is_skimmed
    for tree in (whole, skimmed.module):
        _without_bodies(tree.body)
    assert ast.dump(skimmed.module, include_attributes=True) == ast.dump(whole, include_attributes=True)
