"""What the canonical side does by itself reaches the user as if no legacy path stood between."""

from __future__ import annotations

import pytest

from compat import Module, Name

V = {"since": "1.0", "removal": "2.0", "instead": None}
READS = {
    "an attribute of a moved module": "import oldroot.lazy as m\nm.Late\n",
    "a name that is imported from it": "import oldroot.lazy\nfrom oldroot.lazy import Late\n",
    "a moved name": "import oldns.mod as m\nm.Late\n",
    "a moved name that is imported": "import oldns.mod\nfrom oldns.mod import Late\n",
    "a star import": "import oldns.mod\nfrom oldns.mod import *\n",
    "by getattr": "import oldns.mod\ngetattr(oldns.mod, 'Late')\n",
}


@pytest.fixture
def lazy(world, installed):
    world.write(
        "canon/lazy.py",
        "import warnings\nREAD = []\n"
        "def __getattr__(name):\n    if name != 'Late': raise AttributeError(name)\n    READ.append(name)\n"
        "    warnings.warn('the canonical says so', FutureWarning, stacklevel=2)\n    return 1\n",
    )
    installed(Module("oldroot", "canon", **V), Name("oldns.mod:Late", "canon.lazy:Late", **V))
    return world


@pytest.mark.parametrize("code", READS.values(), ids=READS)
@pytest.mark.parametrize("filters", ["always", "ignore"])
def test_its_own_warning_names_the_line_of_the_user_and_it_is_read_once(lazy, code, filters):
    for _ in range(3):
        seen = lazy.ok(
            "import canon.lazy\nfrom canon.lazy import READ\nREAD.clear()\n" + code + "times = len(READ)\n", filters=filters
        )
        assert seen.namespace["times"] == 1
        if filters == "always":
            assert [(w.lineno, str(w.message)) for w in seen.recorded if w.category is FutureWarning] == [
                (5, "the canonical says so")
            ]


def test_the_sentence_names_the_module_that_was_asked_for(world, installed):
    installed(Module("oldroot", "canon", **V))
    seen = world.ok("import oldroot\nimport oldroot.sub.deep\nfrom oldroot.core import Widget\n")
    assert [
        (line, text.partition(" is ")[0], text.partition("Use canonical path ")[2].partition(" instead")[0])
        for line, text in seen.warned
    ] == [
        (1, "Importing 'oldroot'", "'import canon'"),
        (2, "Importing 'oldroot.sub.deep'", "'import canon.sub.deep'"),
        (3, "Importing 'oldroot.core'", "'import canon.core'"),
    ]
    assert set(seen.counted()) == {("oldroot", "import", line) for line in (1, 2, 3)}
