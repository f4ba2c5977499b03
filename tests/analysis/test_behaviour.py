"""Odd programs print under the shim, once fixed, what they printed before; what stays legacy is told."""

from __future__ import annotations

import io
import sys
import types
import warnings
from contextlib import redirect_stdout
from pathlib import Path

import pytest

import compat
from compat.analysis.rewriting import rewriter
from compat.analysis.scanning import examine
from compat.analysis.targets import Targets

PROGRAMS = Path(__file__).parent.parent / "gold" / "behaviour.txt"


def programs():
    for section in PROGRAMS.read_text(encoding="utf-8").split("=== ")[1:]:
        name, _, text = section.partition("\n")
        yield pytest.param(text, id=name)
        yield pytest.param(text.rstrip("\n").replace("\n", "\r\n"), id=f"{name}, crlf, no final newline")


@pytest.fixture
def printed(ledger):
    def run(text: str) -> str:
        module = types.ModuleType("compat_program")
        sys.modules["compat_program"] = module
        stream = io.StringIO()
        code = compile(text, "<program>", "exec", dont_inherit=True)
        with warnings.catch_warnings(), redirect_stdout(stream):
            warnings.simplefilter("ignore")
            exec(code, module.__dict__)
        return stream.getvalue()

    with compat.install(ledger):
        yield run
    sys.modules.pop("compat_program", None)


@pytest.mark.parametrize("text", [*programs()])
def test_a_fixed_program_prints_what_it_printed(ledger, printed, text):
    try:
        compile(text, "<program>", "exec", dont_inherit=True)
    except SyntaxError:
        pytest.skip("newer syntax than this Python's")
    outcome = rewriter.fix_text(text, ledger)
    assert outcome.status in ("fixed", "skipped", "unchanged"), outcome.reason
    after = outcome.after.decode()
    expected = printed(text)
    assert expected.strip() or "print" not in text
    assert printed(after) == expected, outcome.diff()
    again = rewriter.fix_text(after, ledger)
    assert again.after.decode() == after
    assert after.count("\r\n") == (after.count("\n") if "\r\n" in text else 0)
    left = examine.examine("program.py", after.encode(), Targets(ledger), examine.Selection()).findings
    assert {finding.line for finding in left} <= {skip.line for skip in again.skips}
