"""Golden pairs of rewrites and of uses that are left, byte-exactness, atomic writing, names that others use."""

from __future__ import annotations

import ast
import gc
import os
import stat
import sys
from pathlib import Path

import pytest

from compat.analysis import fixer, scan
from compat.analysis.config import Settings
from compat.analysis.rewriting import rewriter, verifying
from compat.analysis.rewriting.edits import Edit, EditConflict, apply
from compat.analysis.scanning import re_exports
from compat.analysis.targets import Targets

GOLD = Path(__file__).parent.parent / "gold" / "fix"


def read_cases():
    for path in sorted(GOLD.glob("*.txt")):
        for section in path.read_text(encoding="utf-8").split("=== ")[1:]:
            head, _, body = section.partition("\n")
            kind, _, title = head.partition(": ")
            before, _, after = body.partition("---\n")
            yield pytest.param(path, kind, before, after, id=f"{path.stem}-{kind}-{title}")


def cases():
    return list(read_cases())


@pytest.mark.parametrize("path, kind, before, after", cases())
def test_golden_pair(staying, gold, path, kind, before, after):
    outcome = rewriter.fix_text(before, staying)
    told = "".join(f"{skip.line}: {skip.reason}\n" for skip in outcome.skips)
    found = outcome.after.decode() if kind == "rewrite" else told
    gold(path, f"{before}---\n{after}" if after else before, f"{before}---\n{found}" if found else before)
    if kind == "rewrite":
        assert outcome.status == "fixed", told
        again = rewriter.fix_text(after, staying)
        assert again.status != "fixed", again.diff()
    else:
        assert outcome.status == ("skipped" if after else "unchanged")


def test_at_least_as_many_are_left_as_rewritten():
    kinds = [case.values[1] for case in cases()]
    assert kinds.count("leave") >= kinds.count("rewrite")


EXACT = {
    "crlf": b"import os\r\nfrom shop_old.things import Widget, elsewhere\r\nx = 1\r\n",
    "no final newline": b"from shop_old.things import Widget",
    "lone cr": b"import os\rfrom shop_old.things import Widget, elsewhere\rx = 1\r",
    "bom": b"\xef\xbb\xbffrom shop_old.things import Widget\n",
    "latin-1": "# coding: latin-1\nname = 'é'; from shop_old.things import Widget\n# ü\n".encode("latin-1"),
    "form feed": b"import os\n\x0c\nfrom shop_old.things import Widget\n",
    "tabs": b"def f():\n\tfrom shop_old.things import Widget, elsewhere\n\treturn Widget\n",
    "non-ascii before": "x = 'żółć'; from shop_old.things import MAX; print('ż', MAX)\n".encode(),
}


@pytest.mark.parametrize("case", EXACT)
def test_all_other_bytes_stay(ledger, case):
    from compat.analysis.targets import Targets

    raw = EXACT[case]
    outcome = rewriter.fix_bytes("m.py", raw, Targets(ledger))
    assert outcome.status == "fixed"
    moved = outcome.after.replace(b"shop.core", b"shop_old.things").replace(b"LIMIT", b"MAX")
    for newline in (b"\r\n", b"\r", b"\n"):
        for lead in (b"", b"\t"):
            moved = moved.replace(b"Widget" + newline + lead + b"from shop.other import elsewhere", b"Widget, elsewhere")
    assert moved == raw


def write(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


def test_a_name_that_others_import_or_patch_is_kept(ledger, tmp_path):
    write(
        tmp_path,
        {
            "app/__init__.py": "",
            "app/used.py": "from shop_old.things import MAX\nprint(MAX)\n",
            "app/patched.py": "from shop_old.things import MAX\nprint(MAX)\n",
            "app/alone.py": "from shop_old.things import MAX\nprint(MAX)\n",
            "user.py": "from app.used import MAX\n",
            "test_it.py": "patch('app.patched.MAX', 1)\n",
        },
    )
    result = fixer.fix([str(tmp_path)], ledger, write=True, verify=True)
    assert result.problems == []
    assert (tmp_path / "app/used.py").read_text() == "from shop.core import LIMIT as MAX\nprint(MAX)\n"
    assert (tmp_path / "app/patched.py").read_text() == "from shop.core import LIMIT as MAX\nprint(MAX)\n"
    assert (tmp_path / "app/alone.py").read_text() == "from shop.core import LIMIT\nprint(LIMIT)\n"
    assert (tmp_path / "user.py").read_text() == "from app.used import MAX\n"


def test_a_class_that_others_import_or_patch_where_it_is_constructed_is_left(ledger, tmp_path):
    """The factory cannot take its name: who imports it would call, and who patches it would replace, something else."""
    constructs = "from shop_old.engines import Engine\nengine = Engine()\n"
    files = {
        "app/used.py": constructs,
        "app/patched.py": constructs,
        "app/package/__init__.py": constructs,
        "app/alone.py": constructs,
        "app/named.py": "from shop_old.hubs import Hub\ndef f(hub: Hub): ...\n",
        "user.py": "from app.used import Engine\nfrom app.named import Hub\n",
        "other.py": "from shop_old.engines import Engine\ndef f(alone: Engine): return alone.speed\n",
        "test_it.py": "patch('app.patched.Engine')\n",
    }
    write(tmp_path, files)
    result = fixer.fix([str(tmp_path)], ledger, write=True, verify=True)
    assert result.problems == []
    reasons = {Path(skip.path).relative_to(tmp_path).as_posix(): skip.reason for skip in result.skips}
    left = ["app/package/__init__.py", "app/patched.py", "app/used.py"]
    assert [path for path, reason in sorted(reasons.items()) if "others may import or patch it" in reason] == left
    assert all((tmp_path / path).read_text() == constructs for path in left)
    assert (tmp_path / "app/alone.py").read_text() == "from shop.core import get_engine\nengine = get_engine()\n"
    assert (tmp_path / "app/named.py").read_text() == "from shop.core import Engine as Hub\ndef f(hub: Hub): ...\n"


@pytest.mark.parametrize(
    "text, takes",
    [
        ("from .used import X, Engine\n", True),
        ("from app import (\n    used,\n)\nused.Engine\n", True),
        ("import app.used as u\nu.Engine\n", True),
        ("patch('app.used.Engine')\n", True),
        ("EntryPoint('app.used:Engine')\n", True),
        ("import_module('app.used').Engine\n", True),
        ("used = Engine()\n", False),
        ("from app import x, \\\n    used\nused.Engine\n", True),
        ("from app.used import x, \\\n    Engine\n", True),
        ("from app.used import (  # (all)\n    x,  # )\n    Engine,\n)\n", True),
        ("from .used import *\n", True),
        ('{"source": ["from shop_old import x\\\\n", "Engine()"]}', False),
        ("from app import used as u\npatch.object(u, 'Engine')\n", True),
        ("used = app.used\nused\\\n  .Engine\n", True),
        ("from app.unused import Engine\nused.speed\n", False),
        ("from app import used\nfrom shop_old import Engine\nused.start(Engine())\n", False),
        ("import app.used\nfrom shop_old import (\n    Engine,\n)\n", False),
        ("from app.used import (\n    x,\n)\nfrom shop_old import Engine\n", False),
    ],
)
def test_who_may_take_a_name_from_a_module_is_seen(text, takes):
    assert re_exports.Taking(b"used", b"Engine").is_in(text.encode()) is takes


def test_relative_imports_of_the_legacy_package(ledger, tmp_path):
    write(tmp_path, {"shop_old/user.py": "from .things import Widget\nfrom . import whole, stock\nfrom.whole import thing\n"})
    fixer.fix([str(tmp_path)], ledger, write=True)
    assert (tmp_path / "shop_old/user.py").read_text() == (
        "from shop.core import Widget\nfrom . import stock\nfrom shop import whole\nfrom shop.whole import thing\n"
    )


def test_skip_list(ledger, tmp_path):
    pytest.importorskip("pathspec")
    write(tmp_path, {"tests/legacy/test_old.py": "from shop_old.things import Widget\n"})
    settings = Settings(fix_skip=("tests/legacy/",), root=str(tmp_path))
    result = fixer.fix([str(tmp_path)], ledger, write=True, settings=settings)
    assert [(item.status, item.skips[0].reason) for item in result.outcomes] == [
        ("skipped", "the file is on the skip list of [tool.compat]")
    ]
    assert result.written == []


def test_nothing_is_written_without_write_and_mode_and_links_stay(ledger, tmp_path):
    write(tmp_path, {"run.py": "#!/usr/bin/python\nfrom shop_old.things import Widget\n"})
    path = tmp_path / "run.py"
    path.chmod(0o755)
    (tmp_path / "link.py").symlink_to(path)
    before = path.read_bytes()
    result = fixer.fix([str(path)], ledger)
    assert path.read_bytes() == before
    assert result.outcomes[0].diff().splitlines()[2:] == [
        "@@ -1,2 +1,2 @@",
        " #!/usr/bin/python",
        "-from shop_old.things import Widget",
        "+from shop.core import Widget",
    ]
    fixer.fix([str(tmp_path / "link.py")], ledger, write=True)
    assert (tmp_path / "link.py").is_symlink()
    assert stat.S_IMODE(path.stat().st_mode) == 0o755
    assert path.read_text() == "#!/usr/bin/python\nfrom shop.core import Widget\n"
    assert sorted(os.listdir(tmp_path)) == ["link.py", "run.py"]


def test_a_name_that_nothing_binds_any_more_is_seen():
    before = b"from old import A as B\nprint(B, [B for B in ()], missing)\n"
    assert verifying.unbound_names("m.py", before) == {"missing"}
    assert verifying.unbound_names("m.py", before.replace(b" as B", b"")) == {"missing", "B"}
    assert verifying.unbound_names("m.py", before.replace(b"A as B", b"*")) == set()


def test_a_file_that_changed_meanwhile_is_not_overwritten(tmp_path):
    path = tmp_path / "m.py"
    path.write_bytes(b"new")
    assert fixer.write_file(str(path), b"old", b"other") == "it changed while it was rewritten"
    assert path.read_bytes() == b"new"


def test_a_file_that_the_tree_links_to_twice_is_written_once(ledger, tmp_path):
    write(tmp_path, {"real.py": "from shop_old.things import Widget\n"})
    (tmp_path / "link.py").symlink_to("real.py")
    result = fixer.fix([str(tmp_path)], ledger, write=True, verify=True)
    assert result.failed == [] and result.problems == []
    assert (tmp_path / "link.py").is_symlink() and not (tmp_path / "real.py").is_symlink()
    assert (tmp_path / "real.py").read_text() == "from shop.core import Widget\n"


def test_a_file_that_cannot_be_written_is_whole(tmp_path):
    missing = tmp_path / "gone" / "m.py"
    assert fixer.write_file(str(missing), b"", b"x") == "could not be written: No such file or directory"


def test_a_use_of_a_stopgap_is_left_with_the_advice_of_its_row(ledger):
    from compat.ledger import Class, Ledger, Module, Name

    told = {"since": "1.0", "removal": "3.0"}
    both = Ledger("s", version="1.0", docs="", stopgaps=("s_kept",))
    both += [
        Class("s_old:A", "s_new:A", adapter="s_new.legacy.a:A", instead=None, **told),
        Name("s_old:get", "s_new.legacy.get:get", instead="make(x)", **told),
        Name("s_old:fine", "s_new:fine", instead=None, **told),
        Name("s_old:env", "s_kept.env:env", instead="os.environ", **told),
        Name("s_old:let", "s_kept.let:let", instead="s_new.Let(1)", **told),
        Module("s_old.whole", "s_kept.whole", instead="A model of your own.", **told),
    ]
    text = """\
from s_old import get, fine, env, let
import s_old as s
s.get
patch('s_old.env')
from s_old.whole import Model
import s_old.whole as w
patch.object(w, "Model")
"""
    outcome = rewriter.fix_text(text, both)
    assert outcome.after.decode() == text.replace("import get, fine, env, let", "import get, env, let\nfrom s_new import fine")
    by_hand = "has no canonical replacement; rewrite it by hand: "
    assert [(skip.line, skip.symbol, skip.reason) for skip in outcome.skips] == [
        (1, "s_old:get", f"it {by_hand}Use make(x) instead."),
        (1, "s_old:env", f"it {by_hand}Use os.environ instead."),
        (1, "s_old:let", "it has no one-to-one replacement; rewrite it by hand: Use s_new.Let(1) instead."),
        (2, "s_old", f"s_old.get {by_hand}Use make(x) instead."),
        (3, "s_old:get", f"s_old.get {by_hand}Use make(x) instead."),
        (4, "s_old:env", f"it {by_hand}Use os.environ instead."),
        (5, "s_old.whole:Model", f"it {by_hand}A model of your own."),
        (6, "s_old.whole", f"it {by_hand}A model of your own."),
        (7, "s_old.whole:Model", f"it {by_hand}A model of your own."),
    ]


def test_a_module_whose_patched_name_is_a_stopgap_is_left():
    from compat.ledger import Ledger, Name

    told = {"since": "1.0", "removal": "3.0"}
    both = Ledger("s", version="1.0", stopgaps=("s_kept",))
    both += [Name("s_old:env", "s_kept.env:env", instead="os.environ", **told)]
    outcome = rewriter.fix_text('import s_old as s\npatch.object(s, "env")\n', both)
    assert outcome.status == "skipped"
    assert {skip.reason for skip in outcome.skips} >= {
        "s_old.env has no canonical replacement; rewrite it by hand: Use os.environ instead."
    }


def test_a_class_whose_factory_is_a_stopgap_is_not_sent_there(tmp_path, monkeypatch):
    from compat.ledger import Class, Ledger

    (tmp_path / "sg_kept.py").write_text(
        "from compat import Adapter\n\nclass Db(Adapter, of='sg_new:Db', built_by='sg_kept:make_db'):\n    pass\n\ndef make_db(): ...\n"
    )
    (tmp_path / "sg_new.py").write_text("class Db: ...\n")
    monkeypatch.syspath_prepend(tmp_path)
    row = Class("sg_old:Db", "sg_new:Db", adapter="sg_kept:Db", instead="sg_new.Db(url)", since="1.0", removal="2.0")
    outcome = rewriter.fix_text("from sg_old import Db\n\nDb()\n", Ledger("sg", version="1.0", rows=[row]))
    assert [(skip.line, skip.reason) for skip in outcome.skips] == [
        (1, "what builds it exists for old code only; rewrite it by hand: Use sg_new.Db(url) instead.")
    ]
    assert outcome.status == "skipped"


def test_a_package_that_holds_its_adapters_and_what_they_stand_for_is_something_to_move_to():
    from compat.ledger import Class, Ledger, Name

    told = {"since": "1.0", "removal": "3.0", "instead": None}
    mixed = Ledger("s", version="1.0") + [
        Class("s.db:A", "s.store:A", adapter="s.compat:A", **told),
        Name("s.util:fine", "s.new:fine", **told),
        Name("s.util:stays", "s.compat:stays", **told),
    ]
    outcome = rewriter.fix_text("from s.util import fine\nfrom s.util import stays\n", mixed)
    assert outcome.after.decode() == "from s.new import fine\nfrom s.util import stays\n"
    assert [skip.line for skip in outcome.skips] == [2]


FAILING = {
    "syntax error": (b"from shop_old.things import Widget\nprint 'x'\n", "cannot be analysed"),
    "bad utf-8": (b"from shop_old.things import Widget\n# \xff\n", "not valid utf-8"),
    "nul": (b"from shop_old.things import Widget\n\0\n", "cannot be analysed"),
}


@pytest.mark.parametrize("case", FAILING)
def test_files_that_do_not_parse_are_never_edited(ledger, tmp_path, case):
    raw, reason = FAILING[case]
    path = tmp_path / "m.py"
    path.write_bytes(raw)
    result = fixer.fix([str(path)], ledger, write=True)
    assert [item.status for item in result.outcomes] == ["failed"]
    assert reason in result.outcomes[0].reason
    assert path.read_bytes() == raw


def test_edits_that_overlap_or_expect_other_text_change_nothing():
    with pytest.raises(EditConflict, match="bytes 0-2 and 1-3 overlap"):
        apply(b"abcd", [Edit(0, 2, b"ab", b"x"), Edit(1, 3, b"bc", b"y")])
    with pytest.raises(EditConflict, match="bytes 0-2 hold b'ab', not b'zz'"):
        apply(b"abcd", [Edit(0, 2, b"zz", b"x")])
    assert apply(b"abcd", [Edit(2, 4, b"cd", b""), Edit(0, 1, b"a", b"xyz")]) == b"xyzb"


def test_bindings_are_neither_lost_nor_gained(ledger):
    """Every import binding of the rewrites stays bound in its scope, but for renamed ones, factories and modules read by parts."""
    for case in cases():
        _, kind, before, after = case.values
        if kind != "rewrite" or "lazy" in before or "except ValueError, " in before or "class" in case.id.split("-")[0]:
            continue
        try:
            ast.parse(before)
        except SyntaxError:
            continue  # of a newer Python
        assert not verifying.unbound_names("m.py", after.encode()) - verifying.unbound_names("m.py", before.encode()), case.id
        if case.id.startswith(("attribute-", "path-")) or "several homes" in case.id:
            continue
        old, new = bindings(before), bindings(after)
        roots = {"shop_old": "shop", "MAX": "LIMIT", "Gadget": "Widget"}
        assert {roots.get(name, name) if name not in new else name for name in old} == set(new), case.id


def bindings(text: str) -> list[str]:
    found = []
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            found += [alias.asname or alias.name.partition(".")[0] for alias in node.names]
    return found


def test_a_warning_about_a_files_own_escapes_is_no_reason_to_leave_it(ledger):
    """Warnings are errors here, as under ``-W error``."""
    outcome = rewriter.fix_text('from shop_old.things import Widget\nx = "\\d"\ny = 1 is 1\n', ledger)
    assert (outcome.status, outcome.after) == ("fixed", b'from shop.core import Widget\nx = "\\d"\ny = 1 is 1\n')


def test_lazy_stays_lazy_on_every_python(ledger):
    text = "lazy from shop.core import Widget\nlazy from shop_old.things import create as make, elsewhere\nlazy import shop_old.whole\n"
    assert rewriter.fix_text(text, ledger).after.decode() == (
        "lazy from shop.core import Widget\nlazy from shop.core import create as make\nlazy from shop.other import elsewhere\n"
        "lazy import shop.whole\n"
    )


@pytest.mark.parametrize("cookie", ["latin-1", "utf-16", "nothing-known"])
def test_no_comment_comes_up_to_where_python_reads_a_cookie(ledger, cookie):
    line = "from shop_old.things import Widget\n"
    outcome = rewriter.fix_text(f"{line}# coding: {cookie}\n{line}", ledger)
    assert outcome.status == "failed" and outcome.after == outcome.before
    assert "the rewritten text would" in outcome.reason
    assert rewriter.fix_text(f"{line}# coding: utf8\n{line}", ledger).status == "fixed"


def test_a_type_parameter_hides_the_name(ledger):
    """Where the running Python does not parse type parameters, the old name is kept."""
    text = "from shop_old.things import Gadget\nclass C[Gadget]:\n    def m(self) -> Gadget:\n        return Gadget\nx: Gadget\n"
    after = rewriter.fix_text(text, ledger).after.decode()
    if sys.version_info >= (3, 12):
        expected = text.replace("shop_old.things import Gadget", "shop.core import Widget").replace("x: Gadget", "x: Widget")
    else:
        expected = text.replace("shop_old.things import Gadget", "shop.core import Widget as Gadget")
    assert after == expected


@pytest.mark.parametrize("known, expected", [(True, "from shop.core import LIMIT\nprint(LIMIT)\n"), (False, None)])
def test_the_old_name_is_kept_where_a_place_in_code_is_not_accounted_for(ledger, monkeypatch, known, expected):
    text = "from shop_old.things import MAX\nprint(MAX)\n"
    from compat.analysis.rewriting.plan import Plan

    if not known:
        monkeypatch.setattr(Plan, "code", text.encode() + b"[MAX]")
    assert rewriter.fix_text(text, ledger).after.decode() == (expected or "from shop.core import LIMIT as MAX\nprint(MAX)\n")


@pytest.mark.skipif(sys.implementation.name != "cpython", reason="counts what CPython frees at once")
def test_a_file_that_was_rewritten_leaves_no_tree_for_the_collector(ledger):
    text = b"from shop_old.engines import Engine\nfrom shop_old.things import Widget\n\n\ndef f(e: Engine):\n    Widget().rotate()\n    e.begin()\n"
    targets = Targets(ledger)
    rewriter.fix_bytes("m.py", text, targets, module="m")
    gc.collect()
    gc.disable()
    try:
        rewriter.fix_bytes("m.py", text, targets, module="m")
        assert gc.collect() < 20
    finally:
        gc.enable()


@pytest.mark.parametrize("blanks", [("", ""), (" ", ""), ("", " "), (" ", " ")], ids=repr)
@pytest.mark.parametrize("what, after", [("whole", "from shop import whole"), ("whole as w", "from shop import whole as w")])
def test_a_relative_import_written_without_blanks_gets_them(ledger, blanks, what, after):
    outcome = rewriter.fix_text(f"from{blanks[0]}.{blanks[1]}import {what}\n", ledger, module="shop_old.user")
    assert outcome.after.decode() == f"{after}\n"


GUARDED = {
    "a fallback": "try:\n    from shop.core import Widget\nexcept ImportError:\n    from shop_old.things import Widget\n",
    "a fallback under another name": (
        "try:\n    from shop.core import Engine as Widget\nexcept ImportError:\n    from shop_old.things import Widget\n"
    ),
    "a fallback in brackets": (
        "try:\n    from other.place import (\n        Widget,\n    )\nexcept ImportError:\n    from shop_old.things import Widget\n"
    ),
    "a branch": "import sys\nif sys.version_info > (3, 99):\n    from shop_old.things import Widget\nelse:\n    from other import Widget\n",
}


@pytest.mark.parametrize("guarded", GUARDED.values(), ids=GUARDED)
def test_what_is_legacy_in_one_branch_alone_is_found_there_alone(ledger, tmp_path, guarded):
    write(
        tmp_path, {"app/__init__.py": "", "app/guarded.py": guarded, "app/user.py": "from app.guarded import Widget\nWidget()\n"}
    )
    places = {(Path(item.path).name, item.line) for item in scan([str(tmp_path)], ledger).findings}
    line = next(number for number, text in enumerate(guarded.splitlines(), 1) if "shop_old" in text)
    assert places == {("guarded.py", line)}
    write(tmp_path, {"app/guarded.py": "from shop_old.things import Widget\n"})
    places = {(Path(item.path).name, item.line) for item in scan([str(tmp_path)], ledger).findings}
    assert places == {("guarded.py", 1), ("user.py", 1)}


@pytest.mark.parametrize("head", ["class Mine(Engine):", "class Mine(object, Engine):", "class Mine(Engine):\n    @property"])
def test_an_override_of_an_adapters_method_is_left_with_what_to_do_instead(ledger, head):
    text = f"from shop_old.engines import Engine\n\n{head}\n    def begin(self):\n        return 1\n"
    outcome = rewriter.fix_text(text, ledger)
    assert outcome.status == "skipped"
    assert outcome.skips[-1].reason == (
        "its class derives from an adapter, which has it under this name: derive from shop.core.Engine instead, and call it start"
    )
