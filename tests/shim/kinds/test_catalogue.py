"""Each kind of deprecation of the catalogue: declared, checked, served, counted, expired, found in source, and worded."""

from __future__ import annotations

import collections
import importlib
import sys

import pytest

import compat
from compat import Ledger
from compat.analysis import scan
from compat.analysis.documents import explain, guide
from compat.analysis.rewriting import rewriter
from compat.ledger import replacement
from compat.metrics import move_facts
from compat.telemetry.report.usage_report import row_of

from ...readiness.conftest import Fleet
from .catalogue import HEAD, KINDS, LEFT_OUT


def rows_of(kind):
    lines = ",\n".join(kind.rows.splitlines())
    namespace = {}
    exec(f"{HEAD}ROWS = [\n{lines},\n]\n", namespace)
    return namespace["ROWS"]


@pytest.fixture
def given(world, request):
    kind = request.param
    if kind.number == 27:
        pytest.importorskip("_json", reason="the C type whose members can be set is one of CPython's")
    for path, text in kind.files.items():
        world.write(path, text)
    lines = ",\n".join(kind.rows.splitlines())
    world.write("lib/rows.py", f"{HEAD}ROWS = [\n{lines},\n]\n")
    yield kind
    for name in [name for name in sys.modules if name.partition(".")[0] == "lib"]:
        del sys.modules[name]


every = pytest.mark.parametrize("given", KINDS, ids=lambda kind: f"{kind.number}-{kind.title}", indirect=True)


@every
def test_it_is_checked_served_and_counted_at_the_users_lines(world, given, ledger_of):
    ledger = ledger_of(*rows_of(given))
    assert compat.check(ledger) is None
    forget()
    with compat.install(ledger):
        seen = world.ok(given.use)
        assert seen.namespace["got"] == given.got
        assert seen.counted() == collections.Counter(given.counted)
        assert compat.check(ledger) is None


def forget():
    # What check() has imported is imported by its user again.
    for name in [name for name in sys.modules if name.partition(".")[0] == "lib"]:
        del sys.modules[name]
    importlib.invalidate_caches()


@every
def test_at_the_removal_version_its_uses_are_errors(world, given, ledger_of):
    with compat.install(ledger_of(*rows_of(given), version="2.0")):
        # PyPy shows a warning of the canonical side where that was asked, and not at the user's line.
        seen = world.use(given.use, elsewhere=sys.implementation.name == "pypy")
    if given.expired is None:
        assert seen.error is None and seen.counted() == {}
    elif "except" in given.use:  # it handles the error
        assert sum(seen.counted().values()) >= 1
    else:
        assert isinstance(seen.error, compat.LegacyExpiredError), seen.error
        assert len(seen.counted()) == 1


@every
def test_scan_finds_what_source_tells_and_fix_leaves_nothing_half_done(world, given, ledger_of):
    ledger = ledger_of(*rows_of(given))
    file = world.write("tree/user.py", given.use)
    wanted = given.found if given.found is not None else sorted({line for _id, _how, line in given.counted})
    assert [item.line for item in scan([str(file)], ledger).findings] == [*wanted]
    once = rewriter.fix_text(given.use, ledger)
    assert rewriter.fix_text(once.after.decode(), ledger).after == once.after
    compile(once.after, "user.py", "exec")


@every
def test_it_has_its_line_in_the_guide_and_is_explained(given, ledger_of):
    ledger = ledger_of(*rows_of(given))
    text = guide.generate(ledger)
    for row in ledger:
        assert explain.explain(ledger, row.id).replacement == replacement(row)
        assert (row.shown or row.attribute or row.module).replace("|", "\\|") in text


def test_the_catalogue_has_all_48_kinds_and_says_why_one_is_left_out():
    numbers = [kind.number for kind in KINDS] + [number for number, *_rest in LEFT_OUT]
    assert sorted(numbers) == list(range(1, 49))
    assert len(KINDS) >= 44 and all(reason for *_rest, reason in LEFT_OUT)


def test_the_rows_of_all_kinds_make_one_ledger():
    rows = {row.legacy: row for kind in KINDS for row in rows_of(kind)}
    assert len(Ledger("lib", version="1.5", rows=rows.values())) == len(rows)


@every
def test_ready_judges_each_row_by_its_uses_its_source_and_its_silence(given, ledger_of, tmp_path):
    facts = move_facts(ledger_of(*rows_of(given), version="2.0"))
    used = {row_of(facts, move) for move, _, _ in given.counted}
    assert used and None not in used, given.counted

    def verdicts(name, moves, places):
        (tmp_path / name).mkdir()
        fleet = Fleet(str(tmp_path / name))
        fleet.run("web", 40, 0)  # has been there all the time
        for move in moves:
            fleet.run("web", 5, 1, {3: 2}, move=move)
        return {answer.move: answer.verdict.value for answer in fleet.judge(facts, places=places)}

    counted = dict.fromkeys(move for move, _, _ in given.counted)
    assert verdicts("used", counted, {}) == {row: "in use" if row in used else "may go" for row in facts}
    assert verdicts("silent", [], {}) == dict.fromkeys(facts, "may go")
    written = {row: ["app.py:1"] for row in used}
    assert verdicts("written", [], written) == {row: "in source" if row in used else "may go" for row in facts}
    assert set(verdicts("unsearched", [], None).values()) == {"unproven"}
