"""What need not be written again and again: versions of a group of rows, the version in force, a tuple of words."""

from __future__ import annotations

import sys
import zipfile

import pytest

import compat
from compat import Argument, Ledger, Name, common, names, removed
from compat.ledger import metadata
from compat.ledger.checking import find_faults

V = common(since="1.0", removal="2.0")


def test_rows_take_what_they_have_in_common():
    row = Name("old:A", "json:dumps", instead="B", **V)
    assert (row.since, row.removal, row.instead) == ("1.0", "2.0", "B")
    rows = [*names("old", "json", "dumps load=loads", **common(since="1.0", removal="2.0", instead=None))]
    assert [(row.legacy, row.canonical, row.instead) for row in rows] == [
        ("old:dumps", "json:dumps", None),
        ("old:load", "json:loads", None),
    ]
    assert [row.legacy for row in removed("old", "x y", since="1.0", instead="A")] == ["old:x", "old:y"]


@pytest.mark.parametrize(
    "words, fault",
    [
        ({"since": "1.0"}, "needs removal"),
        ({}, "needs removal and since"),
        ({"since": "1.0", "removal": "2.0", "note": "n"}, "does not take note"),
    ],
)
def test_what_is_common_is_what_every_row_needs(words, fault):
    with pytest.raises(TypeError) as raised:
        common(**words)
    assert str(raised.value) == (
        f"common() {fault}; write common(since='2.0', removal='3.0'), and instead= where it is one for all"
    )


def test_an_order_may_be_given_in_one_text():
    texts = Argument("json:dumps", order="b a", instead=None, **V)
    assert texts == Argument("json:dumps", order=("b", "a"), instead=None, **V)


@pytest.fixture
def place(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(metadata, "_known", {})
    return tmp_path


def installed(folder, name, version):
    (folder / f"{name}-{version}.dist-info").mkdir()
    (folder / f"{name}-{version}.dist-info" / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")


@pytest.mark.parametrize("asked", ["kit-parts", "kit_parts", "Kit.Parts"])
def test_the_version_is_that_of_the_distribution_of_the_same_name(place, asked):
    installed(place, "kit_parts", "1.5")
    row = Name("old:A", "json:dumps", instead=None, **V)
    ledger = Ledger(asked, rows=[row])
    assert (ledger.origins[0].version, ledger.stage(row)) == ("1.5", "deprecated")
    assert list(find_faults(ledger)) == []


def test_the_distribution_may_have_another_name(place):
    installed(place, "kit_dist", "2.5")
    row = Name("old:A", "json:dumps", instead=None, **V)
    assert Ledger("kit", distribution="kit-dist", rows=[row]).stage(row) == "expired"
    assert Ledger("kit", version="1.0", distribution="kit-dist", rows=[row]).stage(row) == "deprecated"


def test_a_version_is_read_when_it_is_asked_for_and_rehearsed_as_any(place, monkeypatch):
    row = Name("old:A", "json:dumps", instead=None, **V)
    ledger = Ledger("kit", rows=[row])
    installed(place, "kit", "0.5")
    assert ledger.stage(row) == "announced"
    monkeypatch.setenv("COMPAT_AS_OF", "kit=2.0")
    assert ledger.stage(row) == "expired"


def test_a_distribution_in_a_zip_file_is_found(place, monkeypatch):
    with zipfile.ZipFile(place / "kit.zip", "w") as archive:
        archive.writestr("kit_zipped-1.7.dist-info/METADATA", "Metadata-Version: 2.1\nName: kit-zipped\nVersion: 1.7\n")
    monkeypatch.syspath_prepend(str(place / "kit.zip"))
    assert Ledger("kit-zipped").origins[0].version == "1.7"


def test_without_its_distribution_a_ledger_is_a_fault_and_its_rows_go_on_serving(place):
    row = Name("old_kit:dumps", "json:dumps", instead=None, **V)
    ledger = Ledger("kit-nowhere", rows=[row])
    assert ledger.stage(row) == "deprecated"
    assert list(find_faults(ledger)) == [
        (
            "Ledger('kit-nowhere')",
            "distribution 'kit-nowhere' is not installed, so that no version is in force",
            "give version=, or the distribution that holds it as distribution=",
        )
    ]
    with compat.install(ledger), pytest.warns(compat.LegacyUseWarning, match=r"^Importing dumps from 'old_kit' is deprecated"):
        from old_kit import dumps
    assert dumps("a") == '"a"'
    sys.modules.pop("old_kit", None)


def test_an_adapter_may_name_the_class_of_its_canonical():
    import collections

    class Session(compat.Adapter[collections.OrderedDict], of="collections:OrderedDict"):
        def finish(self):
            return len(self.canonical)

    with pytest.warns(compat.LegacyUseWarning):
        made = Session({"a": 1})
    assert made.finish() == 1 and isinstance(made, collections.OrderedDict)
    assert Session.__mro__[1] is compat.Adapter and compat.Adapter.__mro__[1:] == (object,)
