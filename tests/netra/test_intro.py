"""The introductions of the migration guide belong to modules of the ledger, and their new forms are real."""

from __future__ import annotations

import importlib
import re
from pathlib import Path

import pytest

import compat.netra
from compat.netra.ledger import LEDGER

INTROS = sorted((Path(compat.netra.__file__).parent / "intro").glob("*.md"))


@pytest.mark.parametrize("path", INTROS, ids=lambda path: path.stem)
def test_each_introduces_a_module_of_the_ledger(path: Path) -> None:
    assert path.stem == "_head" or LEDGER.module_rows(path.stem)


@pytest.mark.parametrize("path", INTROS, ids=lambda path: path.stem)
def test_what_is_to_be_imported_instead_is_there(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    imports = re.findall(r"from (compat[.\w]*) import (\w+(?:, \w+)*)", text)
    for module, names in imports:
        for name in names.split(", "):
            assert hasattr(importlib.import_module(module), name), f"{module}.{name}"
    for module in re.findall(r"of `(compat[.\w]*)`", text):
        importlib.import_module(module)


def test_there_is_a_head() -> None:
    assert "_head" in [path.stem for path in INTROS]
    assert len(INTROS) > 10
