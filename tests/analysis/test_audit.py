"""Audit: what vanished or changed between two versions, which row covers it, drafts for the rest; directories and revisions."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from textwrap import dedent

import pytest

pytest.importorskip("griffe")

OLD = {
    "__init__.py": "from .money import Money, total\n__all__ = ['Money', 'total']\n",
    "money.py": """
        LIMIT = 10

        class Base: pass

        class Money(Base):
            def add(self, amount, currency="EUR", *, round=True):
                return (amount, currency, round)
            def in_cents(self, places=2):
                '''In cents.'''
                value = self.add(places)
                return [value for value in value if value != places]
            def show(self): return 1

        class Coin(Money): pass

        def total(prices, tax=0): return sum(prices) + tax
        def spread(prices, parts=3):
            '''Spread.'''
            share = sum(prices) / parts
            return [share for _ in range(parts)] + [prices[0] - share]
        def moved(prices, parts=3):
            share = sum(prices) * parts
            return [share for _ in range(parts)] + [prices[0] + share]
        def need(a): return a
        def swap(a, b): return a
        def _private(): pass
    """,
    "gone.py": "def one(): return 1\ndef two(): return 2\ndef three(): return 3\n",
    "dead.py": "def last(): return 1\n",
}
NEW = {
    "__init__.py": "from .money import Money, total\n__all__ = ['Money', 'total']\n",
    "money.py": """
        class Base: pass

        class Money:
            def add(self, value, currency="USD", *, round=True):
                return (value, currency, round)
            def cents(self, places=2):
                value = self.add(places)
                return [value for value in value if value != places]

        class Coin(Money): pass

        def total(prices): return sum(prices)
        def share(prices, parts=3):
            share = sum(prices) / parts
            return [share for _ in range(parts)] + [prices[0] - share]
        def need(a, b): return a
        def swap(b, a): return a
    """,
    "other.py": """
        def moved(prices, parts=3):
            share = sum(prices) * parts
            return [share for _ in range(parts)] + [prices[0] + share]
    """,
    "kept.py": "def one(): return 1\ndef two(): return 2\ndef three(): return 3\n",
}
LEDGER = """
from compat import Argument, Ledger, Method, Module, Name, Removed
T = dict(since="1.0", removal="3.0", instead=None)
LEDGER = Ledger("purse", version="2.0") + [
    Name("purse.money:moved", "purse.other:moved", **T),
    Name("purse.money:spread", "purse.money:share", **T),
    Module("purse.gone", "purse.kept", **T),
    Removed("purse.dead", since="1.0", instead="nothing"),
    Method("purse.money:Money.in_cents", "purse.money:Money.cents", **T),
    Argument("purse.money:Money.add", "amount", became="value", **T),
]
"""


def write(root, files):
    for name, text in files.items():
        place = root / "purse" / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(dedent(text))


@pytest.fixture
def versions(tmp_path):
    write(tmp_path / "old", OLD)
    write(tmp_path / "new", NEW)
    (tmp_path / "new" / "purse" / "_moves.py").write_text(LEDGER)
    return tmp_path


def audit(folder, *arguments, env=None):
    told = {**os.environ, "COMPAT_TELEMETRY": "off", **(env or {})}
    command = [sys.executable, "-m", "compat", "audit", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, env=told)


ALL = {
    "purse.dead is gone",
    "purse.gone is gone",
    "purse.money:LIMIT is gone",
    "purse.money:Money has lost a base class: Base became none",
    "purse.money:Money.add has lost its parameter amount",
    "purse.money:Money.add has a new parameter value, which is required",
    "purse.money:Money.add has another default of currency: 'EUR' became 'USD'",
    "purse.money:Money.in_cents is gone",
    "purse.money:Money.show is gone",
    "purse.money:total has lost its parameter tax",
    "purse.money:spread is gone",
    "purse.money:moved is gone",
    "purse.money:need has a new parameter b, which is required",
    "purse.money:swap takes its parameter a at another position",
    "purse.money:swap takes its parameter b at another position",
}
COVERED = {
    line
    for line in ALL
    if any(word in line for word in ("dead", "purse.gone", "amount", "value,", "in_cents", "spread", "moved"))
}


def test_everything_that_vanished_or_changed_is_listed_once_and_rows_cover_it(versions):
    done = audit(versions, "old", "new", "--ledger", "purse._moves:LEDGER")
    assert done.returncode == 1, done.stderr
    lines = [line.partition(": ")[2] for line in done.stdout.splitlines()]
    assert len(lines) == len(set(lines)) and set(lines) == ALL - COVERED
    assert f"{len(ALL)} breaks from old to new; {len(COVERED)} covered, {len(ALL) - len(COVERED)} left." in done.stderr
    assert "purse/money.py:" in done.stdout


def test_json_names_the_row_of_each(versions):
    done = audit(versions, "old", "new", "--ledger", "purse._moves:LEDGER", "--format", "json")
    data = json.loads(done.stdout)
    assert data["format_version"] == 1 and data["package"] == "purse"
    assert {item["message"] for item in data["breaks"]} == ALL
    assert {item["message"] for item in data["breaks"] if item["row"]} == COVERED


def test_drafts_recognise_what_moved_and_what_was_renamed_and_cover_the_rest(versions, tmp_path):
    done = audit(versions, "old", "new", "--draft", "--since", "2.0", "--removal", "3.0")
    assert done.returncode == 1
    expected = [
        "Module('purse.gone', 'purse.kept', since='2.0', removal='3.0', instead=None)",
        "Name('purse.money:moved', 'purse.other:moved', since='2.0', removal='3.0', instead=None)",
        "Name('purse.money:spread', 'purse.money:share', since='2.0', removal='3.0', instead=None)",
        "Method('purse.money:Money.in_cents', 'purse.money:Money.cents', since='2.0', removal='3.0', instead=None)",
        "Argument('purse.money:Money.add', 'amount', became='value', since='2.0', removal='3.0', instead=None)",
        "Argument('purse.money:total', 'tax', became=None, since='2.0', removal='3.0', instead=None)",
        "Argument('purse.money:swap', order='a b', since='2.0', removal='3.0', instead=None)",
        "Removed('purse.money:LIMIT', since='2.0', instead='(say what to write instead)')",
    ]
    for line in expected:
        assert line in done.stdout
    place = versions / "new" / "purse" / "_drafted.py"
    place.write_text(done.stdout + "\nfrom compat import Ledger\nLEDGER = Ledger('purse', version='2.0') + ROWS\n")
    again = audit(versions, "old", "new", "--ledger", "purse._drafted:LEDGER")
    left = {line.partition(": ")[2] for line in again.stdout.splitlines()}
    assert left == {"purse.money:Money has lost a base class: Base became none"}


def test_revisions_of_git_and_the_working_tree(tmp_path):
    def git(*arguments):
        identity = ["-c", "user.name=Ann", "-c", "user.email=ann@example.org", "-c", "commit.gpgsign=false"]
        subprocess.run(["git", *identity, *arguments], cwd=tmp_path, check=True, capture_output=True)

    git("init", "-q")
    write(tmp_path / "src", OLD)
    git("add", "-A")
    git("commit", "-q", "-m", "one")
    git("tag", "v1.4.0")
    assert audit(tmp_path, "v1.4.0").returncode == 0
    for name in os.listdir(tmp_path / "src" / "purse"):
        os.remove(tmp_path / "src" / "purse" / name)
    write(tmp_path / "src", NEW)
    done = audit(tmp_path, "v1.4.0", "--format", "github")
    assert done.returncode == 1
    assert "::error file=purse/" in done.stdout and len(done.stdout.splitlines()) == len(ALL)


BAD = {
    "no such version": (["nowhere", "new"], "'nowhere' is no directory, and this is no git repository"),
    "no such package": (["old", "new", "--package", "wallet"], "'old' holds no package 'wallet' (found: purse)"),
    "no such ledger": (["old", "new", "--ledger", "purse._none:LEDGER"], "purse._none"),
    "a release that is none": (["purse-of-nobody==1.0", "new"], "release purse-of-nobody==1.0 cannot be had"),
}


@pytest.mark.parametrize("arguments, said", BAD.values(), ids=BAD)
def test_bad_input_is_one_sentence_and_exit_code_2(versions, arguments, said):
    done = audit(versions, *arguments, env={"PIP_NO_INDEX": "1"})
    assert done.returncode == 2
    assert said in done.stderr and len(done.stderr.splitlines()) == 1, done.stderr
    assert not done.stdout


def test_without_griffe_the_extra_is_named(versions):
    code = "import sys; sys.modules['griffe'] = None; from compat.cli.main import main; sys.exit(main(['audit', 'old', 'new']))"
    done = subprocess.run([sys.executable, "-c", code], cwd=versions, capture_output=True, text=True)
    assert done.returncode == 2 and "netra-compat[tools,audit]" in done.stderr
