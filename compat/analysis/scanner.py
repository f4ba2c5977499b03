"""Scan trees: walk, prefilter, examine, follow names that the tree itself hands on."""

from __future__ import annotations

import os
import re
import time
import warnings
from collections.abc import Iterable, Iterator
from functools import cached_property, partial
from itertools import chain
from typing import TYPE_CHECKING, Callable, Optional, Union

from .config import Settings
from .debt import fragmentation
from .examine import Examined, Scope, examine, unreadable, without_repeats
from .findings import Finding
from .model.targets import Targets
from .reading import batch as reading
from .reading import gc_pause
from .reading.files import Found, ModuleNames, Trees

if TYPE_CHECKING:
    from compat.ledger import Ledger

    from .reading.prefilter import Module, Prefilter

# Literals come first, so that the search for them runs at memory speed.
_IMPORTED = tuple(re.compile(word + rb"(?<!\w" + word + rb")[ \t]+([.\w]+)") for word in (b"from", b"import"))
_FROM_LIST = re.compile(rb"from[ \t]+([.\w]+)[ \t]+import[ \t]*(\([^)]*|[^\r\n;#]*)")
_WORD = re.compile(rb"\w+")
_HAND_ON_ROUNDS = 5


class Scan:
    """The result of a scan: findings in order of place, and how many files were seen and examined."""

    def __init__(self, paths: list[str]) -> None:
        self.findings: list[Finding] = []
        self.paths = paths
        self.files = len(paths)
        self.examined = 0
        self.seconds = 0.0
        self.symbols: list[fragmentation.SymbolImport] = []


class Scanner:
    """One scan's means: targets, prefilter, module names. Made once per process."""

    def __init__(self, ledger: Ledger, settings: Settings, scope: Scope, roots: Iterable[str]) -> None:
        self.targets = Targets(ledger, settings.factories)
        self.scope = scope
        self._bases = sorted({base for root in roots for base in (root, os.path.join(root, "src"), os.path.dirname(root) or ".")})
        self._live: dict[str, bool] = {}

    # Made, and imported, when the first file is read: a run whose results are all cached reads none.

    @cached_property
    def prefilter(self) -> Prefilter:
        from .reading.prefilter import Prefilter

        return Prefilter(self.targets, policy=self.scope.policy, paths_only=self.scope.is_fast)

    @cached_property
    def modules(self) -> ModuleNames:
        return ModuleNames(self.prefilter.roots | self.prefilter.homes)

    def is_live(self, module: str) -> bool:
        """Whether a legacy module still exists in the scanned trees: then only its rows' names are legacy."""
        if module not in self._live:
            stems = [os.path.join(base, *module.split(".")) for base in self._bases]
            self._live[module] = any(
                os.path.isfile(f"{stem}.py") or os.path.isfile(os.path.join(stem, "__init__.py")) for stem in stems
            )
        return self._live[module]

    def candidates(self, found: Iterable[Found]) -> Iterator[tuple[Found, Union[bytes, OSError, None]]]:
        """Each file with its bytes where it may hold a use, ``None`` where not, and why where it cannot be read."""
        for batch in reading.batches(found):
            inside: dict[int, Module] = {}
            homes: set[int] = set()
            for index, item in enumerate(batch.items):
                if self.modules.is_inside(item.path):
                    inside[index] = partial(self.modules.of, item)
                    if not self.prefilter.homes.isdisjoint(item.path.split(os.sep)):
                        homes.add(index)
            # What follows may take long, and the batch's bytes are there until the next is read.
            contents = {index: batch.content(index) for index in self.prefilter.sift(batch, inside, homes)}
            yield from batch.failed
            for index, item in enumerate(batch.items):
                yield item, contents.get(index)

    def files(self, found: Iterable[Found]) -> Iterator[tuple[Found, Optional[Examined]]]:
        """Examine files; ``None`` for one that holds nothing, or has vanished."""
        for item, raw in self.candidates(found):
            if isinstance(raw, bytes):
                yield item, self._examine_candidate(item, raw)
            elif raw is None or isinstance(raw, FileNotFoundError):
                yield item, None
            else:
                yield item, Examined([unreadable(item.path, raw.strerror or str(raw))])

    def _examine_candidate(self, item: Found, raw: bytes) -> Optional[Examined]:
        if self.scope.is_fast and not item.is_data:
            from .reading import quick_scan

            told = partial(self.modules.of, item) if self.modules.is_inside(item.path) else None
            findings = quick_scan.find(item.path, raw, self.targets, self.prefilter, self.is_live, module=told)
            if findings is not None:
                kept = without_repeats([finding for finding in findings if self.scope.takes(finding)])
                return Examined(kept) if kept else None
        return self.examine(item, raw)

    def examine(self, item: Found, raw: bytes) -> Examined:
        """Examine a file in full."""
        module, is_package = ("", False) if item.is_data else self.modules.of(item)
        return examine(
            item.path,
            raw,
            self.targets,
            self.scope,
            module=module,
            is_package=is_package,
            is_data=item.is_data,
            is_live=self.is_live,
        )


@gc_pause.paused()
def scan(
    paths: Iterable[str],
    ledger: Ledger,
    *,
    policy: bool = False,
    select: Iterable[str] = (),
    settings: Optional[Settings] = None,
    gitignore: bool = True,
    config: bool = True,
    jobs: int = 1,
    cache: Optional[str] = None,
    progress: Optional[Callable[[int, int], None]] = None,
    leave_out: Iterable[str] = (),
) -> Scan:
    """Find every use of a ledger's rows under ``paths``.

    Parameters
    ----------
    policy:
        Also apply the policy rules: factory-bypass, singleton, fragmentation.
    select:
        Only these constructs (``imports``, ``strings``, ``attributes``, ...); all of them when empty.
    gitignore, config:
        Respect .gitignore; search data files (TOML, YAML, JSON, INI) too.
    jobs:
        Processes; 1 stays in this one.
    cache:
        A directory in which results are kept by path, size and modification time.
    progress:
        Called with the numbers of files done and of all files, now and then.
    leave_out:
        Files that are not looked at, such as a baseline, which names every legacy path itself.
    """
    from .reading import workers

    started = time.perf_counter()
    settings = settings or Settings()
    scope = Scope(policy or settings.rules, frozenset(select))
    wants_data = config and (not scope.select or "config" in scope.select)
    trees = Trees(paths, exclude=settings.exclude, gitignore=gitignore, data=wants_data)
    scanner = Scanner(ledger, settings, scope, trees.roots)
    left_out = {os.path.abspath(path) for path in leave_out}
    found = [item for item in trees if not left_out or os.path.abspath(item.path) not in left_out]
    named = set(trees.roots)
    result = Scan([item.path for item in found])
    store = None
    if cache:
        from .reading import caching

        store = caching.Cache.open(cache, ledger, settings, scope)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        examined = workers.examine_all(scanner, found, ledger, settings, jobs=jobs, store=store, progress=progress)
        examined = {
            path: item
            for path, item in examined.items()
            if path in named or not trees.is_ignored(path, _root_of(path, trees.roots))
        }
        if store is None or not store.restore(examined):
            _follow_hands(scanner, found, examined)
            if store is not None:
                store.keep(examined)
    if store is not None:
        store.save()
    for item in examined.values():
        result.findings.extend(item.findings)
    result.findings.extend(unreadable(path, reason) for path, reason in trees.errors)
    if scope.policy and not scope.select:
        result.symbols = [symbol for item in examined.values() for symbol in item.symbols]
        result.findings.extend(fragmentation.find(result.symbols, scanner.targets.told_paths))
    result.findings.sort(key=Finding.sort_key)
    result.examined = len(examined)
    result.seconds = time.perf_counter() - started
    return result


def _root_of(path: str, roots: Iterable[str]) -> str:
    return max((root for root in roots if path.startswith(root)), key=len, default=".")


def _follow_hands(scanner: Scanner, found: list[Found], examined: dict[str, Examined]) -> None:
    """Find imports of legacy names from modules of the tree that import them; those may hand them on in turn."""
    if scanner.scope.select and "re-exports" not in scanner.scope.select:
        return
    from .reading.prefilter import minimal

    fresh = {item.module: item.handed_on for item in examined.values() if item.handed_on}
    for _round in range(_HAND_ON_ROUNDS):
        if not fresh:
            return
        scanner.targets.handed_on.update(fresh)
        given: dict[bytes, set[bytes]] = {}
        for module, names in fresh.items():
            for end in _ends(module.encode()):
                given.setdefault(end, set()).update(name.encode() for name in names)
        words = minimal({name for names in given.values() for name in names})
        again: dict[str, dict[str, object]] = {}
        for item, raw in _with_any(found, words):
            if not _imports_one_of(raw, given):
                continue
            result = scanner.examine(item, raw)
            before = examined.get(item.path)
            if before is None and not result.findings:
                continue
            examined[item.path] = result
            new = {name: target for name, target in result.handed_on.items() if before is None or name not in before.handed_on}
            if new and result.module:
                again[result.module] = dict(result.handed_on)
        fresh = again  # type: ignore[assignment]


def _with_any(found: Iterable[Found], words: Iterable[bytes]) -> Iterator[tuple[Found, bytes]]:
    """The source files in which one of some words stands, with their bytes."""
    wanted = reading.Words(words)
    for batch in reading.batches(item for item in found if not item.is_data):
        yield from [(batch.items[index], batch.content(index)) for index in sorted(wanted.within(batch))]


def _imports_one_of(raw: bytes, given: dict[bytes, set[bytes]]) -> bool:
    """Whether a file imports one of the names, or a module that gives one, by that module's path or by an end of it."""
    lists = {match.start(): match for match in _FROM_LIST.finditer(raw)}
    for match in chain.from_iterable(pattern.finditer(raw) for pattern in _IMPORTED):
        base = match.group(1).strip(b".")
        listed = lists.get(match.start())
        if listed is None:
            if _reads(raw, given.get(base, ())):
                return True
            continue
        text = listed.group(2)
        names = {*_WORD.findall(text)}
        # What stands behind a comment or on the next line is not in the text.
        if base in given and (any(sign in text for sign in (b"*", b"#", b"\\")) or not names.isdisjoint(given[base])):
            return True
        if any(_reads(raw, given.get(base + b"." + name if base else name, ())) for name in names):
            return True
    return False


def _reads(raw: bytes, names: Iterable[bytes]) -> bool:
    """Whether one of the names is read as an attribute."""
    return any(name in raw and re.search(rb"\.[\s\\]*" + re.escape(name), raw) for name in names)


def _ends(module: bytes) -> list[bytes]:
    """The ends of a dotted path: itself, ``b.c`` and ``c`` of ``a.b.c``."""
    parts = module.split(b".")
    return [b".".join(parts[at:]) for at in range(len(parts))]
