"""Rewrite the files of whole trees, each atomically."""

from __future__ import annotations

import os
import warnings
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import chain
from typing import TYPE_CHECKING, Callable, Optional, Union

from compat._writing import whole_file

from .choice import Choice
from .config import Settings
from .hints import Hints, gather
from .leaving import Leaver
from .reading import batch, gc_pause, notebooks
from .reading.files import Found, Trees, matches
from .rewriting.options import SHOWN, Options, Verdict
from .rewriting.overrides import Facts
from .rewriting.rewriter import FAILED, FIXED, SKIPPED, UNCHANGED, Outcome, fix_bytes, overrides_in
from .rewriting.verifying import verify as verified
from .scanning import re_exports, shortcut
from .scanning.examine import Selection, read
from .scanning.file_scanner import Scanner
from .suggesting import Suggestion, suggest

if TYPE_CHECKING:
    from compat.ledger import Ledger

    from .findings import Finding
    from .hints import Ran
    from .reading.sources import Source
    from .rewriting import Skip
    from .targets import Targets

_STEP = 50


@dataclass
class Fix:
    """The result of a run over trees: outcomes of the files that hold something, and how many were seen."""

    outcomes: list[Outcome] = field(default_factory=list)
    files: int = 0
    written: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    fixing: Optional[_Fixing] = None

    @property
    def skips(self) -> list[Skip]:
        return [skip for outcome in self.outcomes for skip in outcome.skips]

    def meant(self, findings: Iterable[Finding]) -> list[Finding]:
        """Those of some findings that the run is about."""
        return [finding for finding in findings if self.fixing is None or self.fixing.is_meant(finding)]

    def suggestions(self, findings: Iterable[Finding]) -> dict[Finding, Suggestion]:
        """For each finding of the trees how sure its edit is, and the edit itself, which holds if it alone is made."""
        made: dict[Finding, Suggestion] = {}
        by_file: dict[str, list[Finding]] = {}
        for finding in findings:
            by_file.setdefault(finding.path, []).append(finding)
        for path, found in by_file.items():
            made.update(self.fixing.suggest(path, found) if self.fixing is not None else {})
        return made

    @property
    def failed(self) -> list[Outcome]:
        return [outcome for outcome in self.outcomes if outcome.status == FAILED]


def fix(
    paths: Iterable[str],
    ledger: Ledger,
    *,
    write: bool = False,
    verify: bool = False,
    settings: Optional[Settings] = None,
    gitignore: bool = True,
    progress: Optional[Callable[[int, int], None]] = None,
    unsafe: bool = False,
    select: Iterable[str] = (),
    ignore: Iterable[str] = (),
    evidence: Iterable[Ran] = (),
    types: bool = False,
) -> Fix:
    """Rewrite every file under ``paths`` that holds a legacy use; files change only with ``write``.

    A name of one module that another file of the trees imports or patches by its old name keeps that name. With ``verify``,
    each result is compiled and fixed again (nothing may be left to do), and ``problems`` says what is wrong. ``progress`` is
    called with the numbers of files done and of all files, now and then. ``unsafe`` makes likely edits too; ``select`` and
    ``ignore`` are rules, ids of rows or legacy paths (with ``*``); ``evidence`` are counted uses, which make likely edits;
    with ``types``, mypy is asked for the classes that the source does not tell.
    """
    settings = settings or Settings()
    trees = Trees(paths, exclude=settings.exclude, gitignore=gitignore, data=False)
    found = list(trees)
    result = Fix(files=len(found))
    result.problems.extend(f"{path}: {reason}" for path, reason in trees.errors)
    scanner = Scanner(ledger, settings, Selection(), trees.roots)
    fixing = _Fixing(scanner, settings, Choice(ledger, settings, select=select, ignore=ignore), unsafe)
    named = set(trees.roots)
    asked: dict[str, dict[tuple[int, int], str]] = {}
    if types:
        from . import type_checker

        asked = type_checker.ask((item for item in found if not _known_ignored(trees, item)), scanner.targets)
    fixing.hints.update(gather([item.path for item in found], evidence, asked))
    with warnings.catch_warnings(), gc_pause.paused():
        warnings.simplefilter("ignore")
        outcomes: dict[str, tuple[Found, Outcome]] = {}
        typed: dict[str, set[str]] = {}
        unasked: dict[str, list[tuple[Found, bytes]]] = {}
        wanted = (item for item in found if item.path in named or not _known_ignored(trees, item))
        for count, (item, raw) in enumerate(scanner.candidates(wanted), 1):
            if progress is not None and count % _STEP == 0:
                progress(count, len(found))
            if raw is None and item.path in fixing.hints:
                raw = read(item.path)[0]
            outcome = fixing.candidate(item, raw)
            if outcome is not None and outcome.carried:
                typed[outcome.module] = {*outcome.carried}
            elif outcome is not None and outcome.carried is None:
                unasked.setdefault(outcome.module, []).append((item, outcome.before))
            if outcome is not None and (outcome.status != UNCHANGED or outcome.held):
                outcomes[item.path] = (item, outcome)
        for module in re_exports.imported(found, unasked) if unasked else ():
            for item, raw in unasked[module]:
                given = fixing.candidate(item, raw, parses=True)
                if given is not None and given.carried:
                    typed.setdefault(module, set()).update(given.carried)
        _follow_types(fixing, [item for item in found if not item.is_data], outcomes, typed, trees)
        result.fixing = fixing
        fixing.items.update((item.path, item) for item in found)
        _hold_patched_methods(fixing, outcomes)
        seen = [item for item in found if item.path in named or not _known_ignored(trees, item)]
        _rename_overrides(fixing, seen, outcomes, is_whole=any(map(os.path.isdir, trees.roots)))
        _keep_names_others_use(fixing, found, outcomes)
        _follow_re_exports(fixing, seen, outcomes)
        for item, outcome in (outcomes[item.path] for item in found if item.path in outcomes):
            if outcome.status == UNCHANGED:
                continue
            if outcome.status == FIXED and verify:
                problem = fixing.problem(item, outcome)
                if problem:
                    result.problems.append(f"{item.path}: {problem}")
                    outcome = replace(outcome, status=FAILED, reason=problem)
            if outcome.status == FIXED and write:
                problem = write_file(item.path, outcome.before, outcome.after)
                if problem:
                    outcome = replace(outcome, status=FAILED, reason=problem)
                else:
                    result.written.append(item.path)
            result.outcomes.append(outcome)
    return result


def _known_ignored(trees: Trees, item: Found) -> bool:
    return trees.is_ignored(item.path, item.root)


def fix_given(
    path: str,
    raw: bytes,
    ledger: Ledger,
    *,
    settings: Optional[Settings] = None,
    unsafe: bool = False,
    select: Iterable[str] = (),
    ignore: Iterable[str] = (),
    evidence: Iterable[Ran] = (),
    types: bool = False,
) -> Fix:
    """Rewrite the text of one file, which need not be on disk; nothing is written. Options are those of :func:`fix`."""
    settings = settings or Settings()
    root = os.path.dirname(path) or "."
    scanner = Scanner(ledger, settings, Selection(), [root])
    scanner.targets.carried = None
    fixing = _Fixing(scanner, settings, Choice(ledger, settings, select=select, ignore=ignore), unsafe)
    item, ran = Found(path, root, False), [*evidence]
    asked: dict[str, dict[tuple[int, int], str]] = {}
    if types:
        from . import type_checker

        asked = type_checker.ask_of_text(path, raw, scanner.targets)
    fixing.hints.update(gather([path], ran, asked))
    fixing.items[path], fixing.given[path] = item, raw
    outcome = fixing.candidate(item, raw)
    assert outcome is not None
    return Fix([outcome], files=1, fixing=fixing)


@dataclass
class _Fixing:
    """What holds for every file of one run."""

    scanner: Scanner
    settings: Settings
    choice: Choice
    unsafe: bool
    hints: dict[str, Hints] = field(default_factory=dict)
    items: dict[str, Found] = field(default_factory=dict)
    #: Texts that take the place of what is in their files.
    given: dict[str, bytes] = field(default_factory=dict)
    #: Methods that keep their names, and by file the names that others know it by.
    held: set[str] = field(default_factory=set)
    kept: dict[str, set[str]] = field(default_factory=dict)
    #: Files whose own imports do not tell all that they use.
    parsed: set[str] = field(default_factory=set)
    #: How sure the renames of methods are that classes of the trees override; ``None`` before all files were read.
    overrides: Optional[dict[str, Verdict]] = None
    #: The files in which parts of such a rename stand.
    parts: dict[str, set[str]] = field(default_factory=dict)

    def options(self, item: Found) -> Options:
        """What is decided about the edits of a file."""
        return Options(
            kept_locals=frozenset(self.kept.get(item.path, ())),
            held=frozenset(self.held),
            skip_all=self._why_left(item),
            unsafe=self.unsafe,
            chosen=self.choice.for_file(item.path, item.root),
            overrides=self.overrides,
            whole=frozenset(legacy for legacy, paths in self.parts.items() if paths == {item.path}),
        )

    def candidate(self, item: Found, raw: Union[bytes, OSError, None], *, parses: bool = False) -> Optional[Outcome]:
        if raw is None or isinstance(raw, FileNotFoundError):
            return None
        if isinstance(raw, OSError):
            return Outcome(item.path, FAILED, reason=f"could not be read: {raw.strerror or raw}")
        module, is_package = self.scanner.modules.of(item)
        options = self.options(item)
        whole = True
        by: Collection[str] = ()
        if not (parses or item.path in self.parsed or item.path in self.hints or options.skip_all):
            left, whole, by = self._leave(item, raw, module, options)
            if left is not None:
                return left
        return fix_bytes(
            item.path,
            raw,
            self.scanner.targets,
            module=module,
            is_package=is_package,
            options=options,
            hints=self.hints.get(item.path),
            whole=whole,
            by=by,
        )

    def _leave(self, item: Found, raw: bytes, module: str, options: Options) -> tuple[Optional[Outcome], bool, Collection[str]]:
        """The outcome of a file in which nothing can be rewritten, as its imports tell.

        ``None`` where that takes parsing it, with whether it is likely then that something is, and the names by which alone
        something is used there (none where that is not known).
        """
        scanner = self.scanner
        if scanner.targets.carried is None or item.path.endswith(notebooks.SUFFIX):
            return None, True, ()
        named = partial(scanner.modules.of, item)
        is_inside = scanner.modules.is_inside(item.path)
        leaver: Optional[Leaver] = None

        def begin(source: Source, targets: Targets, spans: tuple[list[int], list[int]]) -> Leaver:
            nonlocal leaver
            leaver = Leaver(source, targets, spans)
            return leaver

        made = shortcut.find(item.path, raw, scanner.targets, scanner.prefilter, named, begin, is_inside=is_inside)
        if made is None:
            return None, leaver is None or leaver.is_promising, ()
        if made.is_undecided:
            return None, False, made.names
        skips = made.skips(options.chosen)
        carried = None if made.gives and module else ()
        status = SKIPPED if skips else UNCHANGED
        symbols = {skip.symbol for skip in skips} if module else ()
        given = {name: target for name, target in made.re_exported.items() if target.legacy in symbols}
        return Outcome(item.path, status, raw, raw, skips=skips, module=module, carried=carried, re_exported=given), False, ()

    def overrides_in(self, item: Found, raw: bytes, rows: frozenset[str]) -> Facts:
        """What a file says of methods that classes of the trees override."""
        module, is_package = self.scanner.modules.of(item)
        hints = self.hints.get(item.path)
        known = {"module": module, "is_package": is_package, "options": self.options(item), "hints": hints}
        return overrides_in(item.path, raw, self.scanner.targets, rows, **known)  # type: ignore[arg-type]

    def is_meant(self, finding: Finding) -> bool:
        chosen = self.choice.for_file(finding.path)
        return chosen is None or chosen(finding.rule, finding.symbol or finding.move, finding.span[0])

    def _why_left(self, item: Found) -> str:
        skipped, root = self.settings.fix_skip, self.settings.root or item.root
        listed = bool(skipped) and matches(skipped, os.path.relpath(item.path, root))
        return "the file is on the skip list of [tool.compat]" if listed else ""

    def suggest(self, path: str, findings: list[Finding]) -> dict[Finding, Suggestion]:
        """The suggestions for the findings of one file."""
        item = self.items.get(path)
        raw = self.given[path] if path in self.given else read(path)[0]
        if item is None or raw is None:
            return {finding: Suggestion(SHOWN, "only Python source is rewritten") for finding in findings}
        is_notebook = path.endswith(notebooks.SUFFIX)
        module, is_package = self.scanner.modules.of(item) if not is_notebook else ("", False)
        return suggest(
            findings,
            raw,
            self.scanner.targets,
            path=path,
            module=module,
            is_package=is_package,
            options=self.options(item),
            hints=self.hints.get(path),
        )

    def problem(self, item: Found, outcome: Outcome) -> str:
        """What is wrong with the rewritten file; empty where nothing is."""
        _module, is_package = self.scanner.modules.of(item)
        return verified(outcome, self.scanner.targets, is_package=is_package, options=self.options(item))


def _follow_types(
    fixing: _Fixing,
    found: list[Found],
    outcomes: dict[str, tuple[Found, Outcome]],
    typed: dict[str, set[str]],
    trees: Trees,
) -> None:
    """Fix the files that import names by which others give instances of classes that matter, in several rounds."""
    targets = fixing.scanner.targets
    for _round in range(re_exports.ROUNDS):
        if not typed:
            return
        re_exports.carry(targets, typed)
        given, typed = typed, {}
        for item, raw in re_exports.importers(found, given):
            is_left = item.path not in trees.roots and _known_ignored(trees, item)
            fixing.parsed.add(item.path)
            outcome = fixing.candidate(item, raw) if not is_left else None
            if outcome is None:
                continue
            more = {*(outcome.carried or ())} - targets.carried_by(outcome.module)
            if more:
                typed[outcome.module] = more
            if outcome.status != UNCHANGED or outcome.held:
                outcomes[item.path] = (item, outcome)


def _hold_patched_methods(fixing: _Fixing, outcomes: dict[str, tuple[Found, Outcome]]) -> None:
    """Fix again, with their names kept, files that call methods of which a patch in some file must stay as it is."""
    held = frozenset().union(*(outcome.held for _item, outcome in outcomes.values()))
    fixing.held.update(held)
    for path, (item, outcome) in outcomes.items():
        if outcome.moved & held:
            again = fixing.candidate(item, outcome.before)
            if again is not None:
                outcomes[path] = (item, again)


def _rename_overrides(fixing: _Fixing, found: list[Found], outcomes: dict[str, tuple[Found, Outcome]], *, is_whole: bool) -> None:
    """Decide about renamed methods that classes of the trees override by all files that mention them, and fix these again."""
    rows = frozenset().union(*(outcome.overridden for _item, outcome in outcomes.values()))
    fixing.overrides = {}
    if not rows:
        return
    facts = Facts()
    again: list[tuple[Found, bytes]] = []
    for item, raw in re_exports.with_any(found, {legacy.rpartition(".")[2].encode() for legacy in rows}):
        told = fixing.overrides_in(item, raw, rows)
        facts.add(told)
        for legacy in told.spans:
            fixing.parts.setdefault(legacy, set()).add(item.path)
        if told.spans or item.path in outcomes:
            again.append((item, raw))
    fixing.overrides.update(facts.verdicts(rows, is_alone=not is_whole))
    for item, raw in again:
        outcome = fixing.candidate(item, raw)
        if outcome is not None:
            outcomes[item.path] = (item, outcome)


def _keep_names_others_use(fixing: _Fixing, found: list[Found], outcomes: dict[str, tuple[Found, Outcome]]) -> None:
    """Fix again, with the local name kept, what other files import or patch in a module by a name that would change."""
    wanted: dict[bytes, dict[bytes, list[str]]] = {}
    for path, (_item, outcome) in outcomes.items():
        module = outcome.module.rpartition(".")[2] or os.path.splitext(os.path.basename(path))[0]
        for name in outcome.renamed:
            wanted.setdefault(module.encode(errors="surrogateescape"), {}).setdefault(name.encode(), []).append(path)
    if not wanted:
        return
    words = batch.Words({*wanted, *chain.from_iterable(wanted.values())})
    pending = found
    while pending:
        # What a file takes once it is rewritten counts: a second run would see that.
        fresh: set[str] = set()
        for item in pending:
            done = outcomes[item.path][1] if item.path in outcomes else None
            raw = done.after if done is not None and done.status == FIXED else read(item.path)[0]
            if raw is None:
                continue
            there = words.among(raw)
            for last in there & wanted.keys():
                for word in there & wanted[last].keys():
                    name = word.decode()
                    others = [path for path in wanted[last][word] if path != item.path]
                    others = [path for path in others if name not in fixing.kept.setdefault(path, set())]
                    if others and re_exports.Taking(last, word).is_in(raw):
                        fresh.update(others)
                        for path in others:
                            fixing.kept[path].add(name)
        pending = []
        for path in sorted(fresh):
            item, outcome = outcomes[path]
            again = fixing.candidate(item, outcome.before)
            if again is not None:
                outcomes[path] = (item, again)
                pending.append(item)


def _follow_re_exports(fixing: _Fixing, found: list[Found], outcomes: dict[str, tuple[Found, Outcome]]) -> None:
    """Say of what is imported from modules that keep a legacy name that these are to be changed, in several rounds."""
    fresh = {outcome.module: outcome.re_exported for _item, outcome in outcomes.values() if outcome.re_exported}
    known = fixing.scanner.targets.re_exported
    for _round in range(re_exports.ROUNDS):
        if not fresh:
            return
        known.update(fresh)
        given, fresh = fresh, {}
        for item, raw in re_exports.importers(found, given):
            fixing.parsed.add(item.path)
            outcome = fixing.candidate(item, raw)
            if outcome is None or outcome.status == UNCHANGED:
                continue
            outcomes[item.path] = (item, outcome)
            if outcome.re_exported.keys() - known.get(outcome.module, {}).keys():
                fresh[outcome.module] = outcome.re_exported


def write_file(path: str, before: bytes, after: bytes) -> str:
    """Write a file whole, keeping its mode and a link to it; return why not, empty when done."""
    place = os.path.realpath(path)
    try:
        with open(place, "rb") as file:
            found = file.read()
        if found == after:
            # Reached by another link of the tree, it was written already.
            return ""
        if found != before:
            return "it changed while it was rewritten"
        with whole_file(place, durable=True) as stream:
            stream.write(after)
    except OSError as error:
        return f"could not be written: {error.strerror or error}"
    return ""
