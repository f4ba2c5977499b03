"""Warnings are those of warnings.warn with a perfect stacklevel, and stand at the user's own line."""

from __future__ import annotations

import pathlib
import subprocess
import sys
import warnings

import pytest

import compat
from compat import Method, Name

DATES = {"since": "1.0", "removal": "2.0", "instead": None}
SCRIPT = pathlib.Path(__file__).with_name("differential.py")


def differential(seed, steps, *options):
    done = subprocess.run(
        [sys.executable, *options, str(SCRIPT), str(seed), str(steps)], capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0 and done.stdout.endswith(" 0 differences\n"), done.stdout + done.stderr
    return int(done.stdout.split()[0])


@pytest.mark.slow
def test_one_hundred_thousand_random_steps_differ_in_nothing():
    assert differential(20, 100_000) == 100_000


@pytest.mark.parametrize(
    "options",
    [
        ("-W", "error"),
        ("-W", "always"),
        ("-W", "ignore"),
        ("-W", "once::DeprecationWarning", "-W", "error::PendingDeprecationWarning"),
        ("-W", "default:::app.users", "-W", "module::DeprecationWarning"),
        ("-X", "dev"),
    ],
    ids=" ".join,
)
def test_no_difference_under_command_line_options(options):
    differential(7, 5_000, *options)


@pytest.mark.skipif(sys.version_info < (3, 14), reason="context-aware warnings came with 3.14")
@pytest.mark.parametrize("option", ["context_aware_warnings=1", "thread_inherit_context=1"])
def test_no_difference_with_context_aware_warnings(option):
    differential(9, 20_000, "-X", option)


@pytest.fixture
def legacy(world, installed):
    world.write(
        "canon/real.py",
        "def new(x=1):\n    return x\nclass C:\n    def new(self, x=1):\n        return x\n    async def anew(self):\n        return 1\n",
    )
    installed(
        Method("canon.real:C.old", "canon.real:C.new", **DATES),
        Method("canon.real:C.aold", "canon.real:C.anew", **DATES),
        Name("live:Widget", "canon.core:Widget", **DATES),
    )
    return world


HEAD = "from canon.real import C\nimport live\nc = C()\n"


@pytest.mark.parametrize(
    ("source", "lines"),
    [
        ("c.old()", [4]),
        ("\n\nc.old(\n    1\n)", [6]),
        ("class D(live.Widget):\n    pass", [4]),
        # Up to 3.10 Python itself gives the line of the function that is decorated.
        ("def deco(f): return f\n@c.old\ndef f():\n    pass", [5 if sys.version_info >= (3, 11) else 6]),
        ("r = [\n    c.old(i)\n    for i in range(3)]", [5, 5, 5]),
        ("r = list(map(c.old, [1, 2]))", [4, 4]),
        ("r = sorted([2, 1], key=c.old)", [4, 4]),
        ("r = f'{c.old(1)}'", [4]),
        ("r = (lambda: c.old())()", [4]),
        ("def f():\n    return c.old()\nf()", [5]),
        ("import functools\nr = functools.partial(c.old, 1)()", [5]),
        ("import asyncio\nasync def f():\n    return await c.aold()\nasyncio.run(f())", [6]),
        ("import asyncio\nasync def f():\n    return await asyncio.create_task(c.aold())\nasyncio.run(f())", [6]),
        (
            "import asyncio\nasync def f():\n    return await asyncio.gather(\n        c.aold(),\n        c.aold())\nasyncio.run(f())",
            [7, 8],
        ),
        ("def g():\n    yield c.old()\nr = list(g())", [5]),
        ("with __import__('contextlib').suppress(ValueError):\n    c.old()", [5]),
        ("r = getattr(live, 'Widget')", [4]),
        ("if c.old() and True: pass", [4]),
        ("import importlib\nr = importlib.import_module('live').Widget", [5]),
        ("try:\n    raise ValueError\nexcept ValueError:\n    c.old()", [7]),
    ],
)
def test_the_warning_stands_at_the_line_of_use(legacy, source, lines):
    seen = legacy.ok(HEAD + source)
    assert seen.lines == lines
    assert sum(use.count for use in seen.uses) == len(lines)
    assert sorted(use.line for use in seen.uses for _ in range(use.count)) == lines


def test_eval_and_exec_code_are_named_as_python_names_them(legacy):
    import canon.real

    space = {"c": canon.real.C(), "__name__": "shell"}
    with pytest.warns(DeprecationWarning) as caught:
        eval("c.old()", space)
        exec("\n\nc.old()", space)
    assert [(w.filename, w.lineno) for w in caught] == [("<string>", 1), ("<string>", 3)]


def test_code_compiled_again_and_again_stays_one_site_and_bounded(legacy):
    import canon.real

    space = {"c": canon.real.C(), "__name__": "shell"}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for _ in range(6000):
            exec(compile("c.old()", "<cell>", "exec"), space)
    (use,) = [use for use in compat.usage() if use.file == "<cell>"]
    assert (use.count, use.line) == (6000, 1)
    from compat.shim.installation import installed

    assert all(len(each._sites) <= 4096 and len(each.hot) <= 4096 for one in installed() for each in one.recorders.values())


def test_a_site_seen_before_still_satisfies_pytest_warns(legacy):
    import canon.real

    for _ in range(3):
        with pytest.warns(DeprecationWarning, match=r"Calling C.old\(\)"):
            canon.real.C().old()


def test_the_default_filter_shows_a_line_once_and_counts_every_time(legacy):
    seen = legacy.ok(HEAD + "for _ in range(50):\n    c.old()", filters="default")
    assert seen.lines == [5] and [use.count for use in seen.uses] == [50]


def test_an_error_filter_counts_before_it_raises(legacy):
    seen = legacy.use(
        HEAD + "for _ in range(3):\n    try:\n        c.old()\n    except DeprecationWarning:\n        pass", filters="error"
    )
    assert seen.error is None and [use.count for use in seen.uses] == [3]


def test_the_category_is_a_deprecated_warning_with_its_fields_and_survives_pickling():
    import pickle

    from deprecation import DeprecatedWarning

    from compat.errors import LegacyAnnouncedWarning, LegacyUseWarning

    warning = LegacyUseWarning("old:A", "1.0", "2.0", "Do it.")
    assert isinstance(warning, DeprecatedWarning) and isinstance(warning, DeprecationWarning) and str(warning) == "Do it."
    assert (warning.function, warning.deprecated_in, warning.removed_in) == ("old:A", "1.0", "2.0")
    assert str(pickle.loads(pickle.dumps(warning))) == "Do it."
    assert issubclass(LegacyAnnouncedWarning, PendingDeprecationWarning)
