"""The drop-in: nothing at start-up, everything at the first legacy import, nothing at all when it is off."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

#: The start module as it is installed, beside the package or for an editable one.
START = sys.modules["netra_compat_start"].__file__ if "netra_compat_start" in sys.modules else None


def run(code, *options, cwd=None, **environment):
    return subprocess.run(
        [sys.executable, *options, "-c", code],
        capture_output=True,
        text=True,
        timeout=120,
        cwd=cwd,
        env={**os.environ, "COMPAT_TELEMETRY": "memory", **environment},
    )


def test_the_environment_starts_the_drop_in_by_its_pth_file():
    done = run(
        "import sys; from compat import boot; print(boot.active.finder.started_by, sys.meta_path[0] is boot.active.finder)"
    )
    assert done.stdout == ".pth True\n", done.stderr


def started_with(*options):
    """What our start-up adds to that of the same environment: its other .pth files import what they like."""
    listing = "import sys; print(*sorted(sys.modules))"
    ours, without = (set(run(listing, *options, **extra).stdout.split()) for extra in ({}, {"COMPAT": "off"}))
    assert "netra_compat_start" in without and "compat" not in without
    return ours - without


def test_start_up_imports_nothing_but_the_boot_module():
    assert started_with("-I") == set()
    assert run("import sys; print([m for m in sys.modules if 'compat' in m])", "-I").stdout == "['netra_compat_start']\n"


def test_the_standard_librarys_own_probes_wake_nobody():
    code = "import copy, pickle, platform, os, sys; print(sorted(m for m in sys.modules if m.startswith('compat.')))"
    assert run(code).stdout == "[]\n"


def distribution(site, name, entry_points, **modules):
    """Modules in ``site``, and the metadata of a distribution that declares what it says."""
    site.mkdir(exist_ok=True)
    for module, text in {name: "", **modules}.items():
        (site / f"{module}.py").write_text(text)
    info = site / f"{name}-1.0.dist-info"
    info.mkdir()
    (info / "entry_points.txt").write_text(entry_points)


def test_an_import_from_outside_the_standard_library_loads_nothing_where_the_roots_of_all_ledgers_are_listed(tmp_path):
    distribution(tmp_path, "plain", "[console_scripts]\nplain = plain:main\n")
    distribution(tmp_path, "moved", "[compat.ledgers]\nmoved = moved:LEDGER\n\n[compat.roots]\nold_moved = moved:LEDGER\n")
    code = (
        "import sys\nimport plain\ntry:\n    import nowhere_at_all\nexcept ImportError:\n    pass\n"
        "print([name for name in sys.modules if name.partition('.')[0] in ('compat', 'moved')])"
    )
    assert run(code, cwd=tmp_path).stdout == "[]\n"


MOVES = """
print('the ledger is loaded')
from compat import Ledger, Module, Name
K = dict(since='1', removal='3', instead=None)
LEDGER = Ledger('kit', version='2', generic=['common']) + [
    Module('old_kit.jobs', 'new_kit', **K), Module('common.jobs', 'new_kit', **K)]
"""
LISTED = (
    "[compat.ledgers]\nkit = kit_moves:LEDGER\n\n[compat.roots]\nold_kit = kit_moves:LEDGER\ncommon.jobs = kit_moves:LEDGER\n"
)


@pytest.fixture
def kit(tmp_path):
    distribution(tmp_path, "kit", LISTED, kit_moves=MOVES, new_kit="VALUE = 5\n")
    return tmp_path


def test_a_ledger_whose_roots_are_listed_is_loaded_at_the_first_import_of_one(kit):
    code = "import new_kit\ntry:\n    import nowhere\nexcept ImportError:\n    print('none')\nfrom old_kit.jobs import VALUE\nprint(VALUE)"
    done = run(code, "-W", "always", cwd=kit)
    assert done.stdout == "none\nthe ledger is loaded\n5\n"
    assert "<string>:6: LegacyUseWarning: Importing 'old_kit.jobs' is deprecated since kit 1" in done.stderr


@pytest.mark.parametrize("before", ["", "import base64; ", "import platform, base64, json; "])
def test_a_name_of_the_standard_library_is_served_once_anything_else_is_imported(tmp_path, before):
    moves = (
        "from compat import Ledger, Name\n"
        "LEDGER = Ledger('kit', version='1.5', rows=[Name('base64:encodestring', 'base64:encodebytes',"
        " since='1.0', removal='2.0', instead=None)])\n"
    )
    declared = "[compat.ledgers]\nkit = kit_moves:LEDGER\n[compat.roots]\nbase64 = kit_moves:LEDGER\n"
    distribution(tmp_path / "site", "kit", declared, kit_moves=moves, app="from base64 import encodestring\n")
    done = run(f"{before}import app; print(app.encodestring(b'a'))", "-W", "default", PYTHONPATH=str(tmp_path / "site"))
    assert done.stdout == "b'YQ==\\n'\n", done.stderr
    assert "app.py:1: LegacyUseWarning: Importing encodestring from 'base64' is deprecated since kit 1.0" in done.stderr


@pytest.mark.slow
def test_a_generic_root_that_any_ledger_lists_is_served_for_what_is_listed_below_it(kit):
    done = run("from common.jobs import VALUE\nprint(VALUE)", "-W", "ignore", cwd=kit)
    assert (done.stdout, done.stderr) == ("the ledger is loaded\n5\n", "")
    for code in ("import common", "import common.other"):
        assert run(code, cwd=kit).stderr.endswith("ModuleNotFoundError: No module named 'common'\n")


def test_a_real_package_beside_a_listed_generic_root_does_not_load_the_ledger(kit):
    (kit / "common").mkdir()
    (kit / "common" / "__init__.py").write_text("")
    (kit / "common" / "own.py").write_text("OWN = 1\n")
    head = "import common\nfrom common.own import OWN\nprint(OWN)\n"
    done = run(head + "from common.jobs import VALUE\nprint(VALUE)", "-W", "ignore", cwd=kit)
    assert (done.stdout, done.stderr) == ("1\nthe ledger is loaded\n5\n", "")


@pytest.mark.parametrize("listed", [True, False])
def test_a_ledger_inside_the_package_that_it_serves_is_installed_when_that_is_loaded(tmp_path, listed):
    distribution(
        tmp_path, "x", "[compat.ledgers]\nlib = lib.moves:LEDGER\n" + "[compat.roots]\nlib = lib.moves:LEDGER\n" * listed
    )
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib" / "__init__.py").write_text("from . import util\nprint('lib is loaded')\n")
    (tmp_path / "lib" / "util.py").write_text("def slug():\n    return 1\n")
    (tmp_path / "lib" / "moves.py").write_text(
        "from compat import Ledger, Name\nLEDGER = Ledger('lib', version='2') + [\n"
        "    Name('lib.util:old', 'lib.util:slug', since='1', removal='3', instead=None)]\n"
    )
    done = run("from lib.util import old\nprint(old())", "-W", "always", cwd=tmp_path)
    assert done.stdout == "lib is loaded\n1\n"
    assert "<string>:1: LegacyUseWarning: Importing old from 'lib.util'" in done.stderr


def test_roots_of_any_ledger_can_be_narrowed(kit):
    done = run(
        "from old_kit.jobs import VALUE\nprint(VALUE)\nimport common.jobs", "-W", "ignore", cwd=kit, COMPAT_ROOTS="old_kit"
    )
    assert done.stdout == "the ledger is loaded\n5\n"
    assert done.stderr.endswith("ModuleNotFoundError: No module named 'common'\n")


def test_a_ledger_that_is_listed_and_broken_costs_a_log_line(kit):
    (kit / "kit_moves.py").write_text("1 / 0\n")
    done = run("try:\n    import old_kit.jobs\nexcept ImportError as error:\n    print(error)", cwd=kit)
    assert done.stdout == "No module named 'old_kit'\n"
    assert "ledger kit_moves:LEDGER of kit-1.0 is not served: " in done.stderr and "Traceback" not in done.stderr


def test_two_threads_that_import_a_root_at_once_are_both_served(kit):
    (kit / "kit_moves.py").write_text("import time\ntime.sleep(0.2)\n" + MOVES)
    code = (
        "import threading\ngot = []\ndef use(name):\n    got.append(__import__(name, fromlist=['VALUE']).VALUE)\n"
        "threads = [threading.Thread(target=use, args=(name,)) for name in ('old_kit.jobs', 'common.jobs') * 3]\n"
        "for one in threads: one.start()\nfor one in threads: one.join()\nprint(got)"
    )
    done = run(code, "-W", "ignore", cwd=kit)
    assert done.stdout == f"the ledger is loaded\n{[5] * 6}\n", done.stderr


@pytest.mark.parametrize("name", ["old_kit", "old_kit.other", "late", "real"])
@pytest.mark.parametrize("listed", [True, False])
def test_an_import_that_was_at_the_drop_in_while_another_thread_had_the_ledger_installed_is_served(kit, listed, name):
    # Its round of the finders goes on without the ones that were put in front since.
    (kit / "real.py").write_text("")
    (kit / "kit_moves.py").write_text(
        MOVES + "LEDGER += [Module('old_kit.other', 'new_kit', **K), Module('late', 'new_kit', **K),"
        " Name('real:old', 'new_kit:VALUE', **K)]\n"
    )
    declared = LISTED + "late = kit_moves:LEDGER\nreal = kit_moves:LEDGER\n"
    (kit / "kit-1.0.dist-info" / "entry_points.txt").write_text(declared if listed else declared.partition("[compat.roots]")[0])
    code = (
        "import sys, importlib.util\nround = list(sys.meta_path)\nimport old_kit.jobs\n"
        f"path = [] if '.' in {name!r} else None\n"
        f"spec = next(filter(None, (finder.find_spec({name!r}, path) for finder in round)))\n"
        "module = importlib.util.module_from_spec(spec)\nspec.loader.exec_module(module)\n"
        f"print(getattr(module, 'old' if {name!r} == 'real' else 'VALUE', None))"
    )
    done = run(code, "-W", "ignore", cwd=kit)
    assert (done.stdout, done.stderr) == (f"the ledger is loaded\n{None if name == 'old_kit' else 5}\n", "")


def test_a_folder_that_comes_to_the_path_later_is_read_too(kit, tmp_path_factory):
    code = f"import sys\ntry:\n    import nowhere\nexcept ImportError:\n    sys.path.append({str(kit)!r})\nfrom old_kit.jobs import VALUE\nprint(VALUE)"
    done = run(code, "-W", "ignore", cwd=tmp_path_factory.mktemp("elsewhere"))
    assert (done.stdout, done.stderr) == ("the ledger is loaded\n5\n", "")


def test_an_unlisted_ledger_whose_name_only_begins_like_ours_is_looked_at(tmp_path):
    distribution(tmp_path, "netra_compat_more", "[compat.ledgers]\nmore = moved_rows:LEDGER\n")
    done = run("try:\n    import nowhere\nexcept ImportError:\n    pass", cwd=tmp_path)
    assert "ledger moved_rows:LEDGER of netra_compat_more-1.0 is not served" in done.stderr


def test_every_other_finder_is_asked_too(tmp_path):
    code = (
        "import sys\n"
        "class Finder:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        print('asked for', name)\n"
        "sys.meta_path.insert(1, Finder())\nsys.meta_path.append(Finder())\n"
        "for name in 'first_of_all', 'nor_there':\n"
        "    try:\n        __import__(name)\n    except ImportError:\n        pass\n"
    )
    assert run(code).stdout == "asked for first_of_all\n" * 2 + "asked for nor_there\n" * 2


def test_importing_the_package_imports_no_room():
    done = run("import sys; before = set(sys.modules); import compat; dir(compat); print(sorted(set(sys.modules) - before))")
    assert done.stdout == "['compat', 'compat._forking']\n"


def test_untouched_legacy_code_runs():
    done = run("from shared.types.core_types import UserID\nprint(UserID('u'))", "-W", "always")
    assert done.stdout == "u\n"
    assert (
        "<string>:1: LegacyUseWarning: Importing UserID from 'shared.types.core_types' is deprecated since netra 1.0"
        in done.stderr
    )


@pytest.mark.parametrize("value", ["off", "0", "OFF"])
def test_off_means_pythons_own_error(value):
    done = run("import netra_backend.app.websocket_core", COMPAT=value)
    assert done.stderr.endswith("ModuleNotFoundError: No module named 'netra_backend'\n") and "compat" not in done.stderr


def test_as_of_the_removal_version_the_import_fails_and_names_the_replacement():
    done = run("from shared.isolated_environment import get_env", COMPAT_AS_OF="3.0")
    last = done.stderr.strip().splitlines()[-1]
    assert last.startswith("compat.errors.LegacyExpiredModule: Importing get_env from 'shared.isolated_environment' has expired")
    assert "Read os.environ" in last and last.endswith(" See MIGRATION.md.")
    caught = "try:\n    from shared.isolated_environment import get_env\nexcept ImportError as error:\n    import compat\n    print(isinstance(error, compat.LegacyExpiredError))"
    assert run(caught, COMPAT_AS_OF="3.0").stdout == "True\n"


def test_roots_can_be_narrowed():
    done = run("import netra_backend.app.websocket_core; import shared.types", COMPAT_ROOTS="netra_backend")
    assert done.stderr.endswith("ModuleNotFoundError: No module named 'shared'\n")


def test_generic_roots_are_served_for_declared_descendants_only(tmp_path):
    for code in ("import shared", "import app", "import shared.nothing_declared", "import dev_launcher"):
        name = code.split()[1].partition(".")[0]
        done = run(code, cwd=tmp_path)
        assert done.stderr.endswith(f"ModuleNotFoundError: No module named {name!r}\n"), (code, done.stderr)


# Nobody has heard of these, and each holds the name in its own way.
RESOLVERS = """
def by_parts(dotted):
    root, _, rest = dotted.partition(".")
    found, path = __import__(root), root
    for part in rest.split("."):
        path += "." + part
        if not hasattr(found, part):
            __import__(path)
        found = getattr(found, part)

def by_a_list(name):
    name = name.split(".")
    used = name.pop(0)
    found = __import__(used)
    for part in name:
        used += "." + part
        try:
            found = getattr(found, part)
        except AttributeError:
            __import__(used)
            found = getattr(found, part)

def by_a_tuple(*parts):
    importlib.import_module(parts[0])
    importlib.import_module(".".join(parts[:2]))

def by_a_loop(wanted):
    for end in range(1, wanted.count(".") + 1):
        importlib.import_module(".".join(wanted.split(".")[:end]))
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    "resolved",
    [
        "unittest.mock.patch('shared.isolated_environment.get_env').start()",
        "pytest.MonkeyPatch().setattr('shared.isolated_environment.get_env', None)",
        "pkgutil.resolve_name('shared.isolated_environment:get_env')",
        "pkgutil.resolve_name('shared.isolated_environment.get_env')",
        "pydoc.locate('shared.isolated_environment.get_env')",
        "importlib.util.find_spec('shared.isolated_environment')",
        "logging.config.dictConfig({'version': 1, 'filters': {'f': {'()': 'shared.isolated_environment.get_env'}}})",
        "by_parts('shared.isolated_environment.get_env')",
        "by_a_list('shared.isolated_environment.get_env')",
        "by_a_tuple('shared', 'isolated_environment', 'get_env')",
        "by_a_loop('shared.isolated_environment.get_env')",
    ],
)
def test_a_generic_root_is_served_to_what_resolves_a_declared_path_part_by_part(resolved):
    head = f"import importlib.util, logging.config, pkgutil, pydoc, pytest, unittest.mock\n{RESOLVERS}"
    done = run(f"{head}{resolved}\nimport sys; print('shared' in sys.modules)", "-W", "ignore")
    assert (done.stdout, done.stderr) == ("True\n", "")
    other = resolved.replace("isolated_environment", "of_another_project")
    done = run(f"{head}try:\n    {other}\nexcept Exception: pass\nimport sys; print('shared' in sys.modules)", "-W", "ignore")
    assert (done.stdout, done.stderr) == ("False\n", "")


def test_a_real_package_of_a_generic_name_wins(tmp_path):
    (tmp_path / "shared").mkdir()
    (tmp_path / "shared" / "__init__.py").write_text("REAL = True\n")
    (tmp_path / "shared" / "own.py").write_text("OWN = 1\n")
    done = run(
        "import shared.own\nprint(shared.REAL, shared.own.OWN)\nfrom shared.types.core_types import UserID\nprint(UserID('x'))",
        "-W",
        "ignore",
        cwd=tmp_path,
    )
    assert (done.stdout, done.stderr) == ("True 1\nx\n", "")


def test_a_real_package_that_appears_later_wins(tmp_path):
    later = tmp_path / "later"
    (later / "shared").mkdir(parents=True)
    (later / "shared" / "__init__.py").write_text("REAL = True\n")
    (later / "shared" / "own.py").write_text("OWN = 1\n")
    code = f"import sys\nimport shared.types.core_types\nsys.path.insert(0, {str(later)!r})\nimport shared.own\nimport shared\nprint(shared.REAL, shared.own.OWN)\nfrom shared.types.core_types import UserID"
    done = run(code, "-W", "ignore", cwd=tmp_path)
    assert (done.stdout, done.stderr) == ("True 1\n", "")


def test_auto_starts_it_where_no_pth_was_read(tmp_path):
    here = os.path.dirname(os.path.dirname(__import__("compat").__file__))
    code = f"import sys; sys.path.insert(0, {here!r})\nimport compat.auto\nfrom compat import boot\nprint(boot.active.finder.started_by)\nimport netra_backend.app.websocket_core"
    assert run(code, "-S", "-W", "ignore").stdout == "import compat.auto\n"


def test_without_any_other_distribution_on_the_path_legacy_code_runs_and_is_warned(tmp_path):
    package = os.path.dirname(__import__("compat").__file__)
    (tmp_path / "compat").symlink_to(package)
    head = "import sys; sys.path[:] = [p for p in sys.path if 'site-packages' not in p]\nimport compat.auto\n"
    done = run(head + "from shared.types.core_types import UserID\nprint(UserID('u'))", "-S", "-W", "always", cwd=tmp_path)
    assert done.stdout == "u\n" and "<string>:3: LegacyUseWarning: Importing UserID" in done.stderr, done.stderr


def test_booting_twice_is_booting_once_and_can_be_undone():
    code = (
        "import sys\nfrom compat import boot\nn = len(sys.meta_path)\nboot.boot('again')\n"
        "assert len(sys.meta_path) == n and boot.active.finder.started_by == '.pth'\nboot.unboot()\nprint(n - len(sys.meta_path))"
    )
    assert run(code).stdout == "1\n"


@pytest.mark.parametrize("first", ["boot.boot('first')", "other.boot('first')", "netra_compat_start.boot('first')"])
def test_the_copies_of_the_start_module_start_it_once_between_them(first):
    code = (
        "import importlib.util, sys, netra_compat_start\nfrom compat import boot\nboot.unboot()\n"
        "spec = importlib.util.spec_from_file_location('compat.boot.start', netra_compat_start.__file__)\n"
        "other = importlib.util.module_from_spec(spec)\nspec.loader.exec_module(other)\n"
        f"{first}\nnetra_compat_start.boot()\nboot.boot('second')\nother.boot('third')\n"
        "print([finder.started_by for finder in sys.meta_path if getattr(finder, '__name__', '') == 'compat drop-in'])"
    )
    assert run(code).stdout == "['first']\n"


def test_a_program_with_a_compat_of_its_own_runs_on_that(tmp_path):
    (tmp_path / "compat.py").write_text("print('mine')\n")
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "__init__.py").write_text("")
    (tmp_path / "main.py").write_text(
        "import time; time.sleep(0.3)\nimport tests\n"
        "try:\n    import nowhere_at_all\nexcept ImportError as error:\n    print(error)\n"
        "import compat\ntry:\n    import netra_backend\nexcept ImportError as error:\n    print(error)\n"
    )
    variables = {**os.environ, "COMPAT_TELEMETRY": "on", "COMPAT_DIR": str(tmp_path / "state")}
    done = subprocess.run([sys.executable, tmp_path / "main.py"], capture_output=True, text=True, cwd=tmp_path, env=variables)
    assert done.stdout == "No module named 'nowhere_at_all'\nmine\nNo module named 'netra_backend'\n"
    assert (done.returncode, done.stderr) == (0, "")


def test_a_read_only_home_costs_the_program_nothing(tmp_path):
    done = run(
        "from shared.types.core_types import UserID\nprint('ran')",
        "-W",
        "ignore",
        COMPAT_TELEMETRY="on",
        COMPAT_DIR="/proc/nowhere",
    )
    assert done.returncode == 0 and done.stdout == "ran\n" and "Traceback" not in done.stderr


@pytest.mark.skipif(sys.version_info < (3, 15), reason="lazy imports came with 3.15")
def test_start_up_stays_cheap_under_lazy_imports_everywhere():
    assert started_with("-I", "-X", "lazy_imports=all") == set()
    code = "from shared.types.core_types import UserID\nprint(UserID('u'))"
    assert run(code, "-W", "ignore", "-X", "lazy_imports=all").stdout == "u\n"


@pytest.mark.skipif(sys.version_info < (3, 15), reason="start files came with 3.15")
def test_a_start_file_beside_the_pth_boots_once(tmp_path):
    root = tmp_path / "site"
    root.mkdir()
    (root / "x.start").write_text("compat.boot:boot\n")
    (root / "x.pth").write_text("import netra_compat_start; netra_compat_start.boot()\n")
    code = (
        f"import site, sys\nfrom compat import boot\nboot.unboot()\nsite.addsitedir({str(root)!r})\n"
        "print(boot.active.finder.started_by, sum(finder is boot.active.finder for finder in sys.meta_path))"
    )
    assert run(code).stdout == "start file 1\n"


def test_a_process_that_has_taken_the_package_away_ends_in_peace(tmp_path):
    package = os.path.dirname(__import__("compat").__file__)
    (tmp_path / "netra_compat_start.py").symlink_to(START)
    (tmp_path / "compat").mkdir()
    for name in os.listdir(package):
        if name.endswith(".py") or name == "boot":
            (tmp_path / "compat" / name).symlink_to(os.path.join(package, name))
    code = (
        f"import sys, time; sys.path.insert(0, {str(tmp_path)!r}); import compat.boot, netra_compat_start\n"
        "netra_compat_start.end(time.time() - 1)\nprint('ended')"
    )
    done = run(code, "-I", "-S", COMPAT_TELEMETRY="on")
    assert (done.stdout, done.stderr) == ("ended\n", "")


@pytest.mark.parametrize(("seconds", "records"), [(0.3, 1), (0, 0)])
def test_a_process_leaves_a_record_that_it_was_observed_unless_it_lived_for_a_moment_only(tmp_path, seconds, records):
    done = run(f"import time; time.sleep({seconds})", COMPAT_TELEMETRY="on", COMPAT_DIR=str(tmp_path))
    assert (done.stdout, done.stderr) == ("", "")
    assert sum(len(file.read_bytes().splitlines()) for file in tmp_path.rglob("observed/*")) == records


@pytest.mark.parametrize(
    ("asked", "is_recorded"),
    [
        ({}, False),
        ({"COMPAT_SERVICE": "shop"}, True),
        ({"COMPAT_TELEMETRY": "on"}, True),
        ({"COMPAT_TELEMETRY": "memory", "COMPAT_SERVICE": "shop"}, False),
        ({"COMPAT_TELEMETRY": "off", "COMPAT_SERVICE": "shop"}, False),
    ],
    ids=lambda value: " ".join(f"{name}={word}" for name, word in value.items()) if isinstance(value, dict) else "",
)
def test_a_process_that_uses_nothing_writes_no_file_unless_that_was_asked_for(tmp_path, asked, is_recorded):
    words = {"COMPAT_TELEMETRY": "", "COMPAT_DIR": "", "COMPAT_SERVICE": "", **asked}
    homes = {"HOME": str(tmp_path), "XDG_STATE_HOME": str(tmp_path / "state")}
    done = run("import time; time.sleep(0.3)", **words, **homes)
    assert (done.stdout, done.stderr) == ("", "")
    assert any(path.is_file() for path in tmp_path.rglob("*")) == is_recorded


@pytest.mark.parametrize("is_pip", [True, False])
def test_a_process_that_refuses_imports_as_pip_does_while_it_installs_ends_in_peace(is_pip):
    code = (
        "import sys, time, netra_compat_start\n"
        f"if {is_pip}: sys.modules['pip'] = type(sys)('pip')\n"
        "def refuse(event, details):\n"
        "    if event == 'import' and details[0].startswith('compat'):\n"
        "        print('asked')\n"
        "        raise RuntimeError('blocked')\n"
        "sys.addaudithook(refuse)\n"
        "netra_compat_start.end(time.time() - 1)\nprint('ended')"
    )
    done = run(code, COMPAT_TELEMETRY="on")
    assert done.stderr == "" and done.stdout.endswith("ended\n")
    assert not is_pip or done.stdout == "ended\n"
