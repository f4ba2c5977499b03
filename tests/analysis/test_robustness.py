"""Nothing a file holds, and nothing that happens to it meanwhile, ends a run in a traceback or a half-written file."""

from __future__ import annotations

import gc
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from compat.analysis import fixer, rules, scan
from compat.analysis.debt import baseline
from compat.analysis.findings import Finding
from compat.analysis.model import file_uses
from compat.analysis.reading import batch, compatibility_characters, dialects, import_statements, lexer, sources
from compat.analysis.rewriting import rewriter
from compat.analysis.scanning import examine, prefilter
from compat.analysis.targets import Targets
from compat.ledger import Ledger, Module, names

TOLD = {"since": "1.0", "removal": "3.0", "instead": None}
LEDGER = Ledger("t", version="1.0", docs="")
LEDGER += [*names("old.things", "new.core", "Widget MAX=LIMIT", **TOLD), Module("old.whole", "new.whole", **TOLD)]
TARGETS = Targets(LEDGER)

FRAGMENTS = [
    b"from old.things import Widget\n",
    b"import old.whole as w\n",
    b"from old.things import (\n  MAX,  # x\n",
    b")\n",
    b"lazy from old.things import MAX\n",
    b"x = f'{MAX}'\n",
    b'x = t"{w.X!r:>{w.Y}}"\n',
    b"def f(",
    b"class C:\n    from old.things import MAX\n",
    b"    w.thing()\n",
    b"except A, B:\n",
    b"match x:\n  case w.X:\n",
    b"'''",
    b'"',
    b"#",
    b"\\\n",
    b"\0",
    b"\xff",
    b"\r",
    b"\t",
    b"{[(",
    b")]}",
    b"type X[T] = w.Y\n",
    b"# -*- coding: utf-16 -*-\n",
    b"\xef\xbb\xbf",
    b"patch('old.things.MAX')\n",
    b'"""\n>>> from old.things import MAX, Widget\n>>> MAX\n>>> def f():\n...     import old.whole\n"""\n',
    b'    """>>> w.X\n    >>> from old.things import (\n    ...   MAX)\n    """\n',
    b">>> import old.whole as w\n",
    b"...   w.X\n",
    b"x = 1  # type: w.X\n",
    b"def f(a, b):\n    # type: (w.X, MAX) -> MAX\n    return a\n",
    b'def f(x: \'list[w.X]\') -> """MAX\n  """: pass\n',
    b"from new.core import LIMIT, Other  # other\n",
    b"from new.core import (\n    Widget,  # one\n    # two\n)\n",
    b"import os; import new.whole\n",
    b"__all__ = ['MAX']\n",
    b"# compat: allow[name] x\n",
]


def check(raw: bytes) -> None:
    found = examine.examine("m.py", raw, TARGETS, examine.Selection(policy=True))
    assert all(isinstance(item, Finding) and item.line >= 1 and item.column >= 1 for item in found.findings)
    outcome = rewriter.fix_bytes("m.py", raw, TARGETS)
    assert outcome.status in ("fixed", "unchanged", "skipped", "failed")
    if outcome.status == "fixed":
        again = rewriter.fix_bytes("m.py", outcome.after, TARGETS)
        assert again.status != "failed"
        assert again.after == outcome.after


@pytest.mark.slow
@settings(max_examples=400)
@example([b"from old.things import Widget\n", b"# -*- coding: utf-16 -*-\n", b"from old.things import Widget\n"])
@given(st.lists(st.one_of(st.sampled_from(FRAGMENTS), st.binary(max_size=6)), max_size=14))
def test_fuzz_fragments(parts):
    check(b"".join(parts))


@settings(max_examples=200)
@given(st.binary(max_size=300))
def test_fuzz_bytes(raw):
    check(raw)


@pytest.mark.slow
def test_truncated_at_every_byte():
    text = b"".join(FRAGMENTS[:8]) + Path(__file__).read_bytes()[:1500]
    for end in range(0, len(text), 3):
        check(text[:end])


@settings(max_examples=300)
@given(st.text(alphabet="frt'\"\\{}[](): =!\nxa#", max_size=40))
def test_the_two_lexers_agree_where_the_fast_one_is_sure(text):
    data = text.encode()
    exact = lexer.tokens(data)
    if exact is None or any(token.is_format for token in exact):
        return
    for place in range(len(data) + 1):
        fast = lexer.spans(data, [place])
        if fast is not None:
            spans = [(token.start + len(token.prefix), token.end) for token in exact]
            assert around(place, zip(*fast)) == around(place, spans)
            assert {*zip(*fast)} <= {*spans}


def around(place, spans):
    """The span that a place lies in; a string's prefix is no part of it."""
    return next(((start, end) for start, end in spans if start <= place < end), None)


@settings(max_examples=300)
@given(
    st.lists(
        st.sampled_from(["lazy ", "from ", "import ", "a", ".", " as ", ",", "(", ")", "*", "#c\n", "\\\n", "\n", ";", " "]),
        max_size=12,
    )
)
def test_statement_reader_never_raises(parts):
    data = "".join(parts).encode()
    for start in range(len(data)):
        import_statements.read(data, start)


def test_downgrading_keeps_every_position():
    text = "lazy import a\ntry:\n    pass\nexcept A, B:\n    x = t'{a} {b!r}' 'c'\ntype X[T] = f\"{d['k']}\"\n"
    for formats in (False, True):
        data, changed = dialects.downgrade(text.encode(), formats=formats)
        assert len(data) == len(text.encode())
        assert [at for at, byte in enumerate(data) if byte == 10] == [at for at, char in enumerate(text) if char == "\n"]
        assert changed


SIZES = {
    "a line of 10 MB": b"from old.things import Widget\nx = '" + b"a" * 10_000_000 + b"'\n",
    "deep brackets": b"from old.things import Widget\nx = " + b"(" * 3000 + b")" * 3000 + b"\n",
    "deep unary": b"from old.things import Widget\nx = " + b"-" * 20000 + b"1\n",
    "deep attributes": b"import old.whole as w\nw" + b".a" * 20000 + b"\n",
    "deep blocks": b"from old.things import Widget\n"
    + b"".join(b" " * n + b"if x:\n" for n in range(99))
    + b" " * 99
    + b"pass\n",
    "many brackets in an import": b"from old.things import " + b"(" * 5000,
    "quotes": b"from old.things import Widget\n" + b"'" * 20001,
    "many imports": b"from old.things import Widget\n" * 2000,
}


@pytest.mark.slow
@pytest.mark.parametrize("case", SIZES)
def test_sizes(case):
    started = time.monotonic()
    check(SIZES[case])
    assert time.monotonic() - started < 60


def vanishing(monkeypatch, folder, owner, name):
    """Let b.py vanish as soon as a function is called for a.py."""
    real = getattr(owner, name)

    def hooked(path, *arguments):
        if path.endswith("a.py"):
            (folder / "b.py").unlink(missing_ok=True)
        return real(path, *arguments)

    monkeypatch.setattr(owner, name, hooked)


@pytest.mark.parametrize("when", ["before it is read", "after it was read"])
def test_a_file_that_vanishes_in_mid_run(tmp_path, monkeypatch, when):
    names = ("a.py", "b.py", "c.py")
    for name in names:
        (tmp_path / name).write_text("from old.things import Widget\n")
    vanishing(monkeypatch, tmp_path, *((batch, "_read") if when == "before it is read" else (sources, "decode")))
    from compat.analysis import scan

    found = [os.path.basename(item.path) for item in scan([str(tmp_path)], LEDGER).findings]
    assert found == [name for name in names if when == "after it was read" or name != "b.py"]
    (tmp_path / "b.py").write_text("from old.things import Widget\n")
    result = fixer.fix([str(tmp_path)], LEDGER, write=True)
    assert sorted(os.path.basename(path) for path in result.written) == ["a.py", "c.py"]
    failed = [outcome.reason for outcome in result.outcomes if outcome.status == rewriter.FAILED]
    assert failed == ([] if when == "before it is read" else ["could not be written: No such file or directory"])


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL is POSIX")
def test_killed_in_the_middle_of_writing_every_file_is_old_or_new(tmp_path):
    """The process is killed at random moments; each file holds exactly the old or exactly the new text."""
    old, new = b"from old.things import Widget\nx = 1\n" * 8, b"from new.core import Widget\nx = 1\n" * 8
    script = tmp_path / "writer.py"
    script.write_text(
        "import sys\n"
        f"sys.path[:0] = [{str(Path(__file__).parents[2])!r}]\n"
        "from compat.ledger import Ledger, names\n"
        "from compat.analysis import fixer\n"
        "ledger = Ledger('t', version='1.0')\n"
        "ledger += names('old.things', 'new.core', 'Widget', since='1.0', removal='3.0', instead=None)\n"
        "print('ready', flush=True)\n"
        "fixer.fix([sys.argv[1]], ledger, write=True)\n"
    )
    chance = random.Random(7)
    mixed = 0
    for turn in range(6):
        tree = tmp_path / f"tree{turn}"
        tree.mkdir()
        for number in range(120):
            (tree / f"m{number}.py").write_bytes(old)
        process = subprocess.Popen([sys.executable, str(script), str(tree)], stdout=subprocess.PIPE)
        assert process.stdout is not None
        process.stdout.readline()
        wanted = chance.randrange(1, 100)
        deadline = time.monotonic() + 60
        while process.poll() is None and time.monotonic() < deadline:
            if sum((tree / f"m{number}.py").read_bytes() == new for number in range(120)) >= wanted:
                break
            time.sleep(0.001)  # the writer needs the processor, too
        process.send_signal(signal.SIGKILL)
        process.wait()
        process.stdout.close()
        texts = [(tree / f"m{number}.py").read_bytes() for number in range(120)]
        assert all(text in (old, new) for text in texts)
        mixed += old in texts and new in texts
    assert mixed > 0


def test_the_fast_lexer_is_not_sure_where_a_later_field_of_a_format_string_nests_its_quotes():
    for text in (b'f"{a} {b("c")}"', b'rf"{a}{b["c"]}"', b't"}} {a:{b["c"]}}"', b"fR'{a}{b['c']}'"):
        assert lexer.spans(text, [len(text)]) is None
    for text in (b'f"{a} {b}"', b'"{a} {"', b"rb'{'", b"f'{{'"):
        assert lexer.spans(text, [len(text)]) or text == b"f'{{'"


def test_the_fast_lexer_is_not_sure_behind_quotes_that_nothing_closes():
    for text in (b'x = """a" + "b', b"y = '''a' + 'b", b'"""a" "\nb'):
        assert lexer.spans(text, [len(text)]) is None


def test_the_fast_lexer_reads_on_where_a_string_ends_behind_the_line_asked_for():
    text = b'x = 1\n"""a "b"\nc""" + "d"\n'
    assert lexer.spans(text, [text.index(b"b")]) == ([6], [19])
    assert lexer.spans(text, [text.index(b"b"), text.index(b"d")]) == ([6, 22], [19, 25])


IMPORTS = """from shop_old.things import Gadget
from shop_old.things import create, gone
from shop_old.things import Gadget as G
from shop_old.engines import Engine
from shop_old import things
import shop_old.things
import shop_old.whole as w
from shop.core import Widget, wait, get_engine
from shop import core
import shop.core
import os, shop_old.engines
from . import x
from shop_old.things import Gadget as f\u00fcr
from shop_old.things import *""".splitlines()
STATEMENTS = """Gadget().rotate()
it = Gadget()
it.rotate()
self.it = Widget()
self.it.rotate()
self.engine = Engine(1)
self.engine.warm_up()
cls.kept = get_engine()
Holder.kept = Engine()
Holder.kept = get_engine()
things.create(old=1)
shop_old.things.gone
create(old=it)
wait(timeout=1)
w.thing()
G
core.Widget().rotate()
shop.core.wait(tag='a')
patch('shop_old.things.Gadget')
patch.object(things, 'Gadget')
patch('shop_old' '.things.Gadget')
patch("shop_old"  r'.things.create')
patch('shop_old\\x2ethings.Gadget')
import_module('.things', package='shop_old')
import os, shop_old
x = ['shop_old', ', shop_old and others', 'shop_old.things']
given.rotate()
Gadget = None
global it
def inner(x: 'Gadget'): x.rotate()
helper = lambda: Gadget().rotate()
a = b = 1  # type: things.Gadget
'''>>> it.rotate()'''
'''>>> from shop_old.things import Gadget'''
__import__('shop_old.whole')
import_module('.things', __package__)
import_module('.things', package=__package__)
cls.kept = it
Holder.kept = it
f\u00fcr().rotate()
fu\u0308r
\uff27adget()
# \u2026 \u00bd
# \u2014
Holder = other
__all__ = ['Gadget']""".splitlines()
FRAMES = """def f():
def f(given: Gadget):
def f(given: 'things.Gadget' = None) -> 'G':
@patch('shop_old.things.create')
async def f(self):
class Holder:
class Holder(Widget):
class Holder(Engine):
class Holder(things.Gadget):
if True:
try:
for Holder in range(3):
def rotate(self):
def __init__(self, given: Gadget):
@classmethod
with Gadget() as it:""".splitlines()


def program(chance: random.Random, depth: int = 0) -> list[str]:
    lines: list[str] = []
    for _time in range(chance.randrange(1, 5)):
        kind = chance.random()
        if depth < 3 and kind < 0.5:
            frame = chance.choice(FRAMES)
            head = [frame, "def g(self, given: G = None):"] if frame.startswith("@") else [frame]
            inner = [f"    {line}" for line in program(chance, depth + 1)]
            lines += [*head, *inner, *(["except Gadget: pass"] if frame == "try:" else [])]
        else:
            lines.append(chance.choice(IMPORTS if kind > 0.85 else STATEMENTS))
    return lines


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("module", ["", "app.module", "shop.core", "shop_old.module"])
def test_a_look_at_the_parts_that_can_hold_a_use_finds_all_that_a_look_at_everything_finds(ledger, seed, module):
    chance, targets, used = random.Random(seed), Targets(ledger), 0
    for _time in range(60):
        imports = [line for line in chance.sample(IMPORTS, chance.randrange(4)) if "*" not in line or chance.random() < 0.1]
        text = "\n".join([*imports, *program(chance)]) + "\n"
        source = sources.decode("m.py", text.encode())
        seen = []
        for whole in (True, False):
            try:
                uses = file_uses.read(source, targets, module=module, whole=whole)
            except dialects.Unparsable as error:
                seen.append(str(error))
                continue
            found = examine.without_repeats([*rules.find(uses, policy=True), *examine.in_doctests(uses)])
            seen.append((found, examine.re_exported(uses)))
            used += bool(found)
        assert seen[0] == seen[1], text
    assert used > 40


def test_one_endless_word_beside_a_compatibility_character_takes_no_endless_time():
    made = prefilter.Prefilter(TARGETS, policy=True)
    word = b"a" * 3_000_000
    assert not made.hits_normalized(word + " \u00bd\n".encode())
    assert made.hits_normalized(word + " \uff4fld\n".encode())


@given(st.text("aZ0_. \n\r\x85\u2028\u00e9\u0301\U0001d41a", max_size=30))
def test_runs_beyond_ascii_are_those_of_the_whole_text(text):
    assert compatibility_characters.foreign_runs(text) == {*compatibility_characters.FOREIGN_RUN.findall(text)}


def test_the_fast_lexer_comes_to_the_end_of_a_file_whose_last_line_goes_on():
    for text in (b"a \\\n", b"'a \\\n", b"a = 1 \\\n\\\n", b"a \\"):
        found = lexer.spans(text, [0])
        assert found == (None if text.startswith(b"'") else ([], []))


@pytest.mark.parametrize("is_enabled", [True, False])
def test_a_scan_leaves_the_search_for_cycles_as_it_was(tmp_path, is_enabled):
    for number in range(40):
        (tmp_path / f"m{number}.py").write_text("from old.things import Widget\nWidget()\n")
    (gc.enable if is_enabled else gc.disable)()
    try:
        assert len(scan([str(tmp_path)], LEDGER).findings) == 40
        assert gc.isenabled() is is_enabled
    finally:
        gc.enable()


@pytest.mark.skipif(sys.platform != "linux", reason="names are bytes")
@pytest.mark.parametrize("name", [b"caf\xe9.py", b"\xff/mod.py", b"a b\n.py"])
def test_a_path_that_is_no_text_is_scanned_accepted_and_fixed(ledger, tmp_path, name):
    place = os.path.join(os.fsencode(tmp_path), b"tree", name)
    os.makedirs(os.path.dirname(place))
    with open(place, "wb") as file:
        file.write(b"from shop_old.things import Widget\nWidget()\n")
    tree = str(tmp_path / "tree")
    findings = scan([tree], ledger).findings
    assert len(findings) == 1
    known = baseline.Baseline(str(tmp_path / "debt.json"))
    known.update(known.compare(findings), accept_new=True)
    known.save()
    compared = baseline.Baseline.load(known.path).compare(findings)
    assert len(compared.known) == 1 and not compared.new
    result = fixer.fix([tree], ledger, write=True, verify=True)
    assert len(result.written) == 1 and not result.problems
    with open(place, "rb") as file:
        assert file.read() == b"from shop.core import Widget\nWidget()\n"


@pytest.mark.parametrize(
    "text",
    [
        "; ".join(["from shop_old.things import Gadget as g"] * 1500),
        "from shop_old.things import " + ", ".join(["Gadget as g"] * 3000),
        "".join(f"from shop_old.things import Gadget as g{number}\n" for number in range(1500)),
        "from shop_old.things import Gadget as g\nx = [" + "g, " * 50_000 + "]",
    ],
    ids=["on one line", "in one statement", "of many names", "and its uses on one line"],
)
def test_many_imports_of_one_name_take_time_as_their_number(ledger, tmp_path, text):
    """The first two took minutes: each import searched the whole line once for every other."""
    (tmp_path / "m.py").write_text(f"{text}\n")
    started = time.process_time()
    found = scan([str(tmp_path)], ledger).findings
    assert len(found) == text.count("Gadget")
    assert time.process_time() - started < 5


def test_many_renames_are_looked_for_in_many_files_at_once(ledger, tmp_path):
    """Each file renames a name, and one other takes it: looked for one by one, they took the square of their number."""
    for number in range(600):
        (tmp_path / f"m{number}.py").write_text("from shop_old.things import Gadget\n\nGadget()\n")
        (tmp_path / f"n{number}.py").write_text(f"from m{number} import Gadget\n" if number % 2 else "import other\n")
    started = time.process_time()
    done = {Path(item.path).stem: item.after.decode() for item in fixer.fix([str(tmp_path)], ledger).outcomes if item.edits}
    assert time.process_time() - started < 10
    assert done["m4"].startswith("from shop.core import Widget\n")
    assert done["m5"].startswith("from shop.core import Widget as Gadget\n")
