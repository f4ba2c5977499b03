"""Every table of names in the documentation agrees with the code."""

from __future__ import annotations

import importlib
import pathlib
import re

import pytest

import compat
from compat import errors, ledger

ROOT = pathlib.Path(__file__).parents[2]
PACKAGE = pathlib.Path(compat.__file__).parent
#: What the commands of a page make.
MADE = {"build/site", "build/dist"}


def rows_of(path, head):
    """The rows of a table, by the text of its first heading."""
    text = (ROOT / path).read_text(encoding="utf-8")
    assert f"| {head} |" in text
    return text.partition(f"| {head} |")[2].partition("\n\n")[0].splitlines()[2:]


def names_in(path, head):
    """The names in backticks in the first cells of a table."""
    return [name for row in rows_of(path, head) for name in re.findall(r"`([^`]+)`", row.split("|")[1])]


def test_the_readme_is_short_and_has_the_two_commands_on_its_first_screen():
    lines = (ROOT / "README.md").read_text(encoding="utf-8").splitlines()
    assert len(lines) <= 200
    first = "\n".join(lines[:40])
    assert "python3 -m venv .venv && .venv/bin/pip install '.[server]' && .venv/bin/python -m compat demo" in first
    assert "python3 -m venv .venv && .venv/bin/pip install nox && .venv/bin/nox\n" in first


def test_every_kind_of_move_is_listed():
    assert names_in("README.md", "kind") == [kind.__name__ for kind in ledger.KINDS.values()]


def test_the_rows_of_readme_and_tutorial_are_of_every_kind():
    for path in ("README.md", "docs/tutorial.md"):
        text = (ROOT / path).read_text(encoding="utf-8")
        assert [kind.__name__ for kind in ledger.KINDS.values() if f"    {kind.__name__}(" not in text] == []


def test_every_error_and_warning_is_listed():
    kinds = {name for name, kind in vars(errors).items() if isinstance(kind, type) and issubclass(kind, errors.CompatError)}
    listed = names_in("docs/errors.md", "name")
    assert sorted(listed) == sorted(kinds | {"LegacyUseWarning", "LegacyAnnouncedWarning"})
    for name in listed:
        assert issubclass(getattr(errors, name), (errors.CompatError, DeprecationWarning))


def test_every_setting_of_a_project_is_listed():
    from compat import configuration

    assert rows_of("docs/settings.md", "key") == configuration.table().splitlines()[2:]


def test_every_variable_that_the_tool_reads_is_listed():
    listed = {name.partition("=")[0] for name in names_in("docs/settings.md", "variable") if name.startswith("COMPAT")}
    read = {
        name
        for path in PACKAGE.rglob("*.py")
        for name in re.findall(r'["\'](COMPAT(?:_[A-Z]+)*)["\']', path.read_text(encoding="utf-8"))
    }
    assert {name for name in read if not name.startswith("COMPAT_WS")} == listed


def test_every_module_that_the_map_names_is_there_and_every_room_is_on_it():
    places = re.findall(r"^    (\w+)/? {2,}", compat.__doc__, flags=re.M)
    rooms = {path.name for path in PACKAGE.iterdir() if (path / "__init__.py").exists()}
    assert rooms - set(places) == set()
    assert [name for name in places if not (PACKAGE / name).exists() and not (PACKAGE / f"{name}.py").exists()] == []


def test_the_files_of_which_there_is_one_are_there():
    files = re.findall(r"\| `(compat/[^`]+)` \|", (ROOT / "docs/architecture.md").read_text(encoding="utf-8"))
    assert len(files) == 7
    assert [name for name in files if not (PACKAGE.parent / name).is_file()] == []


def test_every_path_that_a_page_for_developers_names_is_there():
    for page in ("CONTRIBUTING.md", "docs/architecture.md", "tests/README.md"):
        named = re.findall(r"`([\w.-]+/[\w./-]*)`", (ROOT / page).read_text(encoding="utf-8"))
        missing = [name for name in named if not any((root / name).exists() for root in (ROOT, PACKAGE.parent, PACKAGE))]
        assert set(missing) <= MADE


def test_what_is_skipped_on_pypy_is_listed():
    skip = re.compile(r"""skipif\([^\n]*implementation[^\n]*reason=(["'])(.*?)\1\)""")
    skipped = {
        f"| {found[2]} | `{path.relative_to(ROOT).as_posix()}` |"
        for path in sorted((ROOT / "tests").rglob("test_*.py"))
        for found in skip.finditer(path.read_text(encoding="utf-8"))
    }
    assert set(rows_of("docs/limits.md", "not on PyPy | skipped")) == skipped


def test_hooks_that_a_page_names_are_in_the_manifest():
    named = re.findall(r"- id: (\S+)", (ROOT / "docs/how-to/ci.md").read_text(encoding="utf-8"))
    offered = re.findall(r"- id: (\S+)", (ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))
    assert named and set(named) <= set(offered)


def test_the_readme_counts_the_legacy_names_of_the_case():
    from compat.netra.ledger import LEDGER

    words = " ".join((ROOT / "README.md").read_text(encoding="utf-8").split())
    assert f"more than {len(LEDGER) // 100 * 100:,} legacy names" in words


#: What README has shown since 1.0.0, as the targets of a ledger are written.
SHOWN = """
compat:Adapter compat:Argument compat:Class compat:Ledger compat:Method compat:Module compat:Name compat:Removed
compat:check compat:converted compat:install compat:legacy_method compat:renamed
compat.canonical:Settings compat.canonical:UserExecutionContext compat.canonical:create_app
compat.canonical:get_websocket_manager compat.canonical.factory:get_websocket_manager_factory
"""


@pytest.mark.parametrize("path", SHOWN.split())
def test_what_readme_has_shown_can_be_imported(path):
    module, _, name = path.partition(":")
    if name == "create_app":
        pytest.importorskip("starlette", reason="the application needs the server extra")
    found = importlib.import_module(module)
    assert not name or getattr(found, name) is not None


def test_the_version_is_that_of_the_shipped_ledger_and_of_the_changelog():
    from compat.netra.ledger import LEDGER

    dated = re.findall(r"^## (\d\S+) - \d{4}-\d\d-\d\d$", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), flags=re.M)
    assert compat.__version__ == dated[0]
    assert LEDGER.origin(next(iter(LEDGER))).own_version == compat.__version__


def test_every_page_is_in_the_navigation_of_the_site():
    paths = re.findall(r'"([\w/-]+\.md)"', (ROOT / "zensical.toml").read_text(encoding="utf-8"))
    assert sorted(paths) == sorted(path.relative_to(ROOT / "docs").as_posix() for path in (ROOT / "docs").rglob("*.md"))


def test_every_folder_of_tests_is_listed():
    folders = {path.name for path in (ROOT / "tests").iterdir() if path.is_dir() and path.name != "__pycache__"}
    assert set(names_in("tests/README.md", "folder")) - {"surface.tsv", "case_*.py"} == folders


def test_every_fixture_that_is_listed_is_defined_there():
    for row in rows_of("tests/README.md", "fixture"):
        names, where = re.findall(r"`([^`]+)`", row.split("|")[1]), re.findall(r"`([^`]+)`", row.split("|")[3])[0]
        for name in names:
            assert re.search(rf"@pytest\.fixture.*\ndef {name}\(", (ROOT / where).read_text(encoding="utf-8")), name
