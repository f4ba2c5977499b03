"""One case for each row of the ledger: imported by its legacy path it is what the row says, warned and counted once."""

from __future__ import annotations

import importlib
import inspect
import warnings
from typing import Any

import pytest

import compat
from compat.errors import LegacyUseWarning
from compat.ledger import Move, sentence
from compat.netra.ledger import LEDGER

ROWS = list(LEDGER)


@pytest.fixture(scope="module", autouse=True)
def installed() -> Any:
    with compat.install(LEDGER):
        yield


def resolve(path: str) -> Any:
    module, _, attribute = path.partition(":")
    found = importlib.import_module(module)
    for part in attribute.split(".") if attribute else ():
        found = getattr(found, part)
    return found


def run(statement: str, file: str) -> tuple[dict[str, Any], list[str]]:
    """Execute one statement of user code; its names, and the warnings at its line."""
    code = compile(statement, file, "exec")
    space: dict[str, Any] = {"__name__": "user_code", "__file__": file}
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        exec(code, space)
    said = [str(one.message) for one in caught if issubclass(one.category, LegacyUseWarning) and one.filename == file]
    return space, said


def statement_of(move: Move) -> str:
    return f"from {move.module} import {move.attribute} as found" if move.attribute else f"import {move.module} as found"


def skip_without_extra(error: BaseException) -> None:
    if "netra-compat[" in str(error):
        pytest.skip(f"an extra is not installed: {error}")


@pytest.mark.slow
@pytest.mark.parametrize("move", [row for row in ROWS if row.kind in ("name", "class", "module")], ids=lambda move: move.id)
def test_a_moved_name_is_handed_out_warned_and_counted(move: Move) -> None:
    file = f"/user/{move.id}.py"
    try:
        target = resolve(move.adapter or move.canonical)
        space, said = run(statement_of(move), file)
    except ImportError as error:
        skip_without_extra(error)
        raise
    if move.kind != "module":
        # A bound method is made anew each time it is read.
        assert space["found"] is target or (inspect.ismethod(target) and space["found"] == target)
    assert said == [sentence(move, "import", LEDGER.stage(move), docs=LEDGER.docs)]
    assert [use.count for use in compat.usage() if use.file == file and use.move == move.id] == [1]


@pytest.mark.parametrize("move", [row for row in ROWS if row.kind == "removed"], ids=lambda move: move.id)
def test_a_removed_name_says_what_to_write_instead_and_is_counted(move: Move) -> None:
    file = f"/user/{move.id}.py"
    with pytest.raises(ImportError) as caught:
        run(statement_of(move), file)
    assert str(caught.value) == sentence(move, "import", docs=LEDGER.docs)
    assert [use.count for use in compat.usage() if use.file == file and use.move == move.id] == [1]


def test_the_ledger_has_no_faults() -> None:
    try:
        compat.check(LEDGER)
    except compat.LedgerError as error:
        if all("netra-compat[" in reason for _, reason, _ in error.faults):
            pytest.skip("an extra is not installed: some canonical targets need it")
        raise


def test_no_path_has_two_rows() -> None:
    paths = [row.legacy for row in ROWS]
    assert sorted(paths) == sorted(set(paths))
