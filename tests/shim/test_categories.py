"""A category of a ledger's or a row's own: filters by it work, and LegacyUseWarning goes on being one for filters and checks."""

from __future__ import annotations

import os
import pathlib
import pickle
import subprocess
import sys
import warnings

import pytest

import compat
from compat import Deprecated, Ledger, LegacyUseWarning, Module, Name
from compat.errors import category_of
from compat.ledger.checking import find_faults

ROOT = pathlib.Path(compat.__file__).parents[1]
V = {"since": "1.0", "removal": "2.0", "instead": None}


class RemovedInKit20Warning(DeprecationWarning):
    """Goes with version 2.0."""


class ForEverybody(UserWarning):
    """Shown by default."""


OWN = [FutureWarning, ForEverybody, RemovedInKit20Warning, UserWarning, DeprecationWarning, PendingDeprecationWarning]


@pytest.mark.parametrize("own", OWN)
def test_what_is_warned_is_of_the_own_category_and_of_ours(world, installed, own):
    installed(Name("old.core:Widget", "canon.core:Widget", category=own, **V))
    seen = world.ok("from old.core import Widget\n")
    assert seen.once(("old.core:Widget", "import", 1))
    category = seen.recorded[0].category
    assert issubclass(category, own) and issubclass(category, LegacyUseWarning)
    assert isinstance(seen.recorded[0].message, (own,)) and isinstance(seen.recorded[0].message, LegacyUseWarning)
    assert seen.warned[0][1].startswith("Importing Widget from 'old.core' is deprecated since kit 1.0")
    assert issubclass(category, DeprecationWarning) is issubclass(own, DeprecationWarning)


@pytest.mark.parametrize("own", OWN)
@pytest.mark.parametrize("action, is_seen", [("ignore", False), ("always", True), ("error", True)])
def test_filters_by_either_category_work(world, installed, own, action, is_seen):
    installed(Name("old.core:Widget", "canon.core:Widget", category=own, **V))
    for asked in (own, LegacyUseWarning):
        source = f"""\
            import warnings
            from compat.errors import LegacyUseWarning
            warnings.filterwarnings({action!r}, category=ASKED)
            from old.core import Widget
            """
        module = type(sys)("asking")
        module.ASKED = asked
        seen = world.use(source, filters="ignore" if is_seen else "always", module=module)
        assert bool(seen.recorded or seen.error) is is_seen, asked
        assert [count for (path, _kind, _line), count in seen.counted().items() if path == "old.core:Widget"] == [1]


@pytest.mark.parametrize("own", OWN)
def test_either_category_catches_what_a_filter_raises(world, installed, own):
    installed(Name("old.core:Widget", "canon.core:Widget", category=own, **V))
    for asked in (own, LegacyUseWarning):
        module = type(sys)("asking")
        module.ASKED = asked
        seen = world.ok(
            "caught = 0\ntry:\n    from old.core import Widget\nexcept ASKED:\n    caught = 1\n", filters="error", module=module
        )
        assert seen.namespace["caught"] == 1


def test_other_categories_are_not_ours():
    assert not issubclass(FutureWarning, LegacyUseWarning) and not isinstance(UserWarning("x"), LegacyUseWarning)
    assert not issubclass(category_of(FutureWarning), compat.errors.LegacyAnnouncedWarning)
    assert category_of(None) is LegacyUseWarning and category_of(LegacyUseWarning) is LegacyUseWarning
    assert category_of(FutureWarning) is category_of("FutureWarning") is not FutureWarning
    assert category_of(DeprecationWarning) is LegacyUseWarning


@pytest.mark.parametrize("own", OWN)
def test_a_warning_keeps_its_fields_through_pickle(own):
    warning = category_of(own)("old:A", "1.0", "2.0", "A sentence.")
    again = pickle.loads(pickle.dumps(warning))
    assert type(again) is type(warning) and str(again) == "A sentence."
    assert (again.function, again.deprecated_in, again.removed_in) == ("old:A", "1.0", "2.0")


def test_the_category_of_a_row_goes_before_that_of_its_ledger(world):
    rows = [
        Name("old.core:Widget", "canon.core:Widget", **V),
        Name("old.core:make", "canon.core:make", category=RemovedInKit20Warning, **V),
        Module("old.whole", "canon.core", **V),
        Deprecated("canon.core:Color", category="UserWarning", **V),
    ]
    with compat.install(Ledger("kit", version="1.5", category=FutureWarning, rows=rows)):
        seen = world.ok(
            "from old.core import Widget\nfrom old.core import make\nimport old.whole\nfrom canon.core import Color\nColor(1)\n"
        )
    own = [next(kind for kind in OWN if issubclass(warning.category, kind)) for warning in seen.recorded]
    assert own == [FutureWarning, RemovedInKit20Warning, FutureWarning, UserWarning]


def test_ledgers_that_are_added_keep_their_own():
    one = Ledger("one", version="1.5", category=FutureWarning, rows=[Name("old:A", "json:dumps", **V)])
    two = Ledger("two", version="1.5") + [Name("old:B", "json:loads", **V)] + one
    assert [row.category for row in two] == [None, FutureWarning]
    assert [row.category for row in one + [Name("old:C", "json:load", **V)]] == [FutureWarning, FutureWarning]


def test_end_users_see_a_future_warning_by_default(tmp_path):
    (tmp_path / "app.py").write_text(
        "import compat\nfrom compat import Ledger, Name\n"
        "ROWS = [Name('old_app:dumps', 'json:dumps', since='1.0', removal='2.0', instead=None)]\n"
        "compat.install(Ledger('app', version='1.5', category=FutureWarning, rows=ROWS))\n"
        "import library\n"
    )
    (tmp_path / "library.py").write_text("from old_app import dumps\n")
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "COMPAT_TELEMETRY": "memory"}
    environment.pop("PYTHONWARNINGS", None)
    command = [sys.executable, "app.py"]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=60)
    assert "library.py:1: FutureWarning: Importing dumps from 'old_app' is deprecated since app 1.0" in done.stderr


@pytest.mark.parametrize(
    "category, reason",
    [
        (int, "category <class 'int'> is no warning category"),
        ("int", "category 'int' is no warning category"),
        ("json:dumps", "category 'json:dumps' is no warning category"),
        ("json:Nothing", "category 'json:Nothing' is missing: 'json' has no 'Nothing'"),
        (FutureWarning, ""),
        ("FutureWarning", ""),
        (
            "tests.nothing:Warned",
            "category 'tests.nothing:Warned' cannot be imported (ModuleNotFoundError: No module named 'tests.nothing')",
        ),
    ],
)
def test_what_is_no_category_is_a_fault_and_no_use_fails_for_it(category, reason):
    row = Name("old:A", "json:dumps", category=category, **V)
    found = [said for _row, said, _remedy in find_faults(Ledger("t", version="1.5", rows=[row]))]
    assert found == ([reason] if reason else [])
    if reason and isinstance(category, str):
        assert category_of(category) is LegacyUseWarning


def test_nothing_changes_where_no_category_is_given():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert LegacyUseWarning.__mro__[-5:-1] == (DeprecationWarning, Warning, Exception, BaseException)
    with pytest.raises(LegacyUseWarning):
        raise LegacyUseWarning("old:A", "1.0", "2.0", "A sentence.")
