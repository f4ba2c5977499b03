"""Scan trees: walk, examine, follow re-exports, sort."""

from __future__ import annotations

import os
import time
import warnings
from typing import TYPE_CHECKING, Callable, Optional

from ..config import Settings
from ..findings import CONSTRUCTS, Finding, Use
from ..reading import gc_pause
from ..reading.files import DATA, Found, Trees
from . import fragmentation, re_exports, workers
from .examine import Examined, Selection, kind_of, read, unreadable
from .file_scanner import Scanner

if TYPE_CHECKING:
    from collections.abc import Iterable

    from compat.ledger import Ledger

    from ..choice import Choice
    from ..hints import Ran


class Scan:
    """The result of a scan: findings in order of place, and how many files were seen and examined."""

    def __init__(self, paths: list[str]) -> None:
        self.findings: list[Finding] = []
        self.paths = paths
        self.files = len(paths)
        self.examined = 0
        self.seconds = 0.0
        self.symbols: list[fragmentation.SymbolImport] = []


@gc_pause.paused()
def scan(
    paths: Iterable[str],
    ledger: Ledger,
    *,
    policy: bool = False,
    select: Iterable[str] = (),
    ignore: Iterable[str] = (),
    strict: bool = False,
    settings: Optional[Settings] = None,
    gitignore: bool = True,
    config: bool = True,
    jobs: Optional[int] = 1,
    cache: Optional[str] = None,
    progress: Optional[Callable[[int, int], None]] = None,
    leave_out: Iterable[str] = (),
    evidence: Iterable[Ran] = (),
    types: bool = False,
) -> Scan:
    """Find every use of a ledger's rows under ``paths``.

    Parameters
    ----------
    policy:
        Also apply the policy rules: factory-bypass, singleton, fragmentation.
    select:
        Only these: constructs (``imports``, ``strings``, ``attributes``, ...), rules, ids of rows or legacy paths (with ``*``);
        all of them when empty.
    ignore:
        Rules, ids of rows or legacy paths (with ``*``) that are left out.
    strict:
        Parse every file in which something may be used, so that each that does not parse is a finding; else a file is parsed
        where its imports do not tell what it uses.
    gitignore, config:
        Respect .gitignore; search data files (TOML, YAML, JSON, INI) too.
    jobs:
        Processes; 1 stays in this one, ``None`` takes one a core where there are enough files.
    cache:
        A directory in which results are kept by path, size and modification time.
    progress:
        Called with the numbers of files done and of all files, now and then.
    leave_out:
        Files that are not looked at, such as a baseline, which names every legacy path itself.
    evidence:
        Uses that were counted when programs ran: each is a finding, with its count, if its line still holds it.
    types:
        Ask mypy for the classes that the source does not tell.
    """
    started = time.perf_counter()
    settings = settings or Settings()
    meant = Meant(ledger, settings, select, ignore)
    scope = Selection(policy or settings.rules, meant.scope, strict)
    wants_data = config and (not scope.select or "config" in scope.select)
    trees = Trees(paths, exclude=settings.exclude, gitignore=gitignore, data=wants_data)
    scanner = Scanner(ledger, settings, scope, trees.roots)
    left_out = {os.path.abspath(path) for path in leave_out}
    found = [item for item in trees if not left_out or os.path.abspath(item.path) not in left_out]
    named = set(trees.roots)
    result = Scan([item.path for item in found])
    store = None
    if cache:
        from . import caching

        store = caching.Cache.open(cache, ledger, settings, scope, scanner.targets.staying_modules)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        examined = workers.examine_all(scanner, found, ledger, settings, jobs=jobs, store=store, progress=progress)
        examined = {
            path: item
            for path, item in examined.items()
            if path in named or not trees.is_ignored(path, _root_of(path, trees.roots))
        }
        if store is None or not store.restore(examined):
            re_exports.follow(scanner, found, examined)
            if store is not None:
                store.keep(examined)
    if store is not None:
        store.save()
    ran = [*evidence]
    if ran or types:
        _examine_again(scanner, found, examined, ran, types=types)
    for item in examined.values():
        result.findings.extend(item.findings)
    result.findings.extend(unreadable(path, reason) for path, reason in trees.errors)
    if scope.policy and not scope.select:
        result.symbols = [symbol for item in examined.values() for symbol in item.symbols]
        result.findings.extend(fragmentation.find(result.symbols, scanner.targets.advised_paths))
    result.findings = [*filter(meant.keeps, result.findings)]
    result.findings.sort(key=Finding.sort_key)
    result.examined = len(examined)
    result.seconds = time.perf_counter() - started
    return result


def _examine_again(scanner: Scanner, found: list[Found], examined: dict[str, Examined], ran: list[Ran], *, types: bool) -> None:
    """Examine the files of which counted uses or checked types are known, with these."""
    from ..hints import gather

    asked: dict[str, dict[tuple[int, int], str]] = {}
    if types:
        from .. import type_checker

        asked = type_checker.ask(found, scanner.targets)
    items = {item.path: item for item in found if not item.is_data}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for path, hints in gather(items, ran, asked).items():
            raw, _reason = read(path)
            if raw is not None:
                examined[path] = scanner.examine(items[path], raw, hints)


def scan_one(
    path: str,
    raw: bytes,
    ledger: Ledger,
    *,
    policy: bool = False,
    select: Iterable[str] = (),
    ignore: Iterable[str] = (),
    strict: bool = False,
    settings: Optional[Settings] = None,
    evidence: Iterable[Ran] = (),
    types: bool = False,
) -> Scan:
    """Find every use in the text of one file, which need not be on disk; what is asked is as for :func:`scan`."""
    started = time.perf_counter()
    settings = settings or Settings()
    root = os.path.dirname(path) or "."
    meant = Meant(ledger, settings, select, ignore)
    scanner = Scanner(ledger, settings, Selection(policy or settings.rules, meant.scope, strict), [root])
    scanner.targets.carried = None
    result = Scan([path])
    ran, hints = [*evidence], None
    if ran or types:
        from .. import type_checker
        from ..hints import gather

        asked = type_checker.ask_of_text(path, raw, scanner.targets) if types else {}
        hints = gather([path], ran, asked).get(path)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        result.findings = [*scanner.examine(Found(path, root, path.endswith(DATA)), raw, hints).findings]
    result.findings = [*filter(meant.keeps, result.findings)]
    result.examined, result.seconds = 1, time.perf_counter() - started
    return result


class Meant:
    """What a scan was asked for: constructs, of which ``scope`` limits what is looked for, or rows and rules."""

    def __init__(self, ledger: Ledger, settings: Settings, select: Iterable[str], ignore: Iterable[str]) -> None:
        words, ignored = [*select], [*ignore]
        self._constructs = frozenset(word for word in words if word in CONSTRUCTS)
        rows = [word for word in words if word not in CONSTRUCTS]
        self.is_all = not words and not ignored
        #: The constructs to look for; all of them where rows may be selected in any.
        self.scope = self._constructs if not rows else frozenset()
        self._selected: Optional[Choice] = None
        self._choice: Optional[Choice] = None
        if rows or ignored or settings.per_file_ignores:
            from ..choice import Choice

            self._choice = Choice(ledger, settings, ignore=ignored)
            self._selected = Choice(ledger, settings, select=rows) if rows else None

    def keeps(self, found: Use) -> bool:
        """Whether a finding, or an entry of a baseline, is meant."""
        if self._choice is not None and not self._choice.keeps(found):
            return False
        if self._selected is None:
            return not self._constructs or found.rule == "unparsable" or kind_of(found) in self._constructs
        return self._selected.keeps(found) or kind_of(found) in self._constructs


def _root_of(path: str, roots: Iterable[str]) -> str:
    return max((root for root in roots if path.startswith(root)), key=len, default=".")
