"""Every row of the two families: imported by its legacy path, it gives its canonical object or says what to write."""

from __future__ import annotations

import importlib
import warnings

import pytest

from compat.errors import LegacyUseWarning, RemovedAttribute, RemovedImport
from compat.netra.rows import auth, messages

pytest.importorskip("pydantic", reason="pydantic is in the server extra")
pytest.importorskip("jwt", reason="PyJWT is in the server extra")

ROWS = [*auth.ROWS, *messages.ROWS]


def _resolve(path):
    module, _, attribute = path.partition(":")
    found = importlib.import_module(module)
    return getattr(found, attribute) if attribute else found


def test_no_path_has_two_rows():
    paths = [row.legacy for row in ROWS]
    assert sorted({path for path in paths if paths.count(path) > 1}) == []


@pytest.mark.parametrize("row", [row for row in ROWS if row.kind == "name"], ids=lambda row: row.legacy)
def test_names_give_the_canonical_object_itself(served, row):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert _resolve(row.legacy) is _resolve(row.canonical)


@pytest.mark.parametrize("row", [row for row in ROWS if row.kind == "class"], ids=lambda row: row.legacy)
def test_classes_give_their_adapter(served, row):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert _resolve(row.legacy) is _resolve(row.adapter)


@pytest.mark.parametrize("row", [row for row in ROWS if row.kind == "removed"], ids=lambda row: row.legacy)
def test_tombstones_say_what_to_write(served, row):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with pytest.raises((RemovedAttribute, RemovedImport)) as caught:
            _resolve(row.legacy)
    assert row.instead in str(caught.value)


def test_a_use_is_warned_at_its_line(served):
    with pytest.warns(LegacyUseWarning, match=r"create_server_message .*1\.0") as caught:
        from netra_backend.app.websocket_core.types import create_server_message  # noqa: F401
    assert caught[0].filename == __file__


@pytest.mark.parametrize("row", [row for row in ROWS if row.kind == "module"], ids=lambda row: row.legacy)
def test_modules_give_what_their_canonical_module_has(served, row):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        module = importlib.import_module(row.legacy)
        assert module.__name__ == row.legacy
        assert set(importlib.import_module(row.canonical).__dict__.get("__all__", ())) <= set(dir(module))
