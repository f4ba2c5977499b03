"""Rewrite legacy uses to canonical ones: pure text to text, then files, each whole or not at all."""

from __future__ import annotations

import builtins
import difflib
import os
import re
import stat
import tempfile
import warnings
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Callable, Optional, Union

from .config import Settings
from .examine import Scope, parse_facts, read
from .findings import Finding
from .model import scopes
from .reading import dialects, gc_pause, sources
from .reading.files import Found, Trees, matches
from .rewriting import Skip, make_plan, tidy
from .rewriting.edits import EditConflict, apply
from .scanner import Scanner

if TYPE_CHECKING:
    from compat.ledger import Ledger

    from .model.targets import Targets

_STEP = 50
FIXED, UNCHANGED, SKIPPED, FAILED = "fixed", "unchanged", "skipped", "failed"


@dataclass(frozen=True)
class Outcome:
    """What became of one file.

    ``status`` is ``fixed`` (with ``after``), ``unchanged`` (nothing legacy), ``skipped`` (legacy uses that were all left, see
    ``skips``) or ``failed`` (see ``reason``). A fixed file may have skips, too.
    """

    path: str
    status: str
    before: bytes = b""
    after: bytes = b""
    edits: int = 0
    skips: tuple[Skip, ...] = ()
    reason: str = ""
    renamed: frozenset[str] = frozenset()
    module: str = ""

    def diff(self) -> str:
        """The unified diff of the change; bytes that are not UTF-8 are shown escaped."""
        old = self.before.decode("utf-8", "backslashreplace").splitlines(keepends=True)
        new = self.after.decode("utf-8", "backslashreplace").splitlines(keepends=True)
        lines = difflib.unified_diff(old, new, f"a/{self.path}", f"b/{self.path}")
        return "".join(line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines)


@dataclass
class Fix:
    """The result of a run over trees: outcomes of the files that hold something, and how many were seen."""

    outcomes: list[Outcome] = field(default_factory=list)
    files: int = 0
    written: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    @property
    def skips(self) -> list[Skip]:
        return [skip for outcome in self.outcomes for skip in outcome.skips]

    @property
    def failed(self) -> list[Outcome]:
        return [outcome for outcome in self.outcomes if outcome.status == FAILED]


def fix_text(
    text: str, ledger: Ledger, *, path: str = "<text>", module: str = "", settings: Optional[Settings] = None
) -> Outcome:
    """Rewrite one text; ``after`` of the outcome is UTF-8. ``module`` is its dotted name, for relative imports."""
    from .model.targets import Targets

    targets = Targets(ledger, (settings or Settings()).factories)
    return fix_bytes(path, text.encode("utf-8"), targets, module=module, is_package=os.path.basename(path) == "__init__.py")


def fix_bytes(
    path: str,
    raw: bytes,
    targets: Targets,
    *,
    module: str = "",
    is_package: bool = False,
    kept_locals: Iterable[str] = (),
    skip_all: str = "",
) -> Outcome:
    """Rewrite the bytes of one file; encoding, BOM and line ends stay. Never raises for what the file holds."""
    made = Outcome(path, UNCHANGED, raw, raw, module=module)
    try:
        source = sources.decode(path, raw)
    except sources.Undecodable as error:
        return replace(made, status=FAILED, reason=str(error))
    facts = parse_facts(source, targets, module=module, is_package=is_package)
    if isinstance(facts, Finding):
        return replace(made, status=FAILED, reason=f"line {facts.line}: {facts.message}")
    try:
        plan = make_plan(facts, kept_locals=kept_locals, skip_all=skip_all)
        if not plan.edits:
            return replace(made, status=SKIPPED if plan.skips else UNCHANGED, skips=tuple(plan.skips))
        if not source.round_trips:
            return replace(made, status=FAILED, reason=f"{source.encoding} text that does not encode back to the same bytes")
        applied = apply(source.data, plan.edits)
        data = tidy(facts, plan.edits, plan.rewritten, applied)
        after = source.encode(data)
        again = sources.decode(path, after)
        if again.encoding != source.encoding:
            # A comment that was too far down for Python to obey it has come up.
            reason = f"the rewritten text would be read as {again.encoding}, as a comment at its top would say"
            return replace(made, status=FAILED, reason=reason)
        if source.encoding != "utf-8":
            dialects.parse(again)
    except (EditConflict, UnicodeError, sources.Undecodable, dialects.Unparsable) as error:
        return replace(made, status=FAILED, reason=f"the rewritten text would not hold: {error}")
    except (RecursionError, MemoryError):
        return replace(made, status=FAILED, reason="nested too deeply to be rewritten")
    finally:
        facts.close()
    return replace(
        made,
        status=FIXED,
        after=after,
        edits=len(plan.edits),
        skips=tuple(plan.skips),
        renamed=frozenset(plan.renamed_locals),
    )


def fix(
    paths: Iterable[str],
    ledger: Ledger,
    *,
    write: bool = False,
    verify: bool = False,
    settings: Optional[Settings] = None,
    gitignore: bool = True,
    progress: Optional[Callable[[int, int], None]] = None,
) -> Fix:
    """Rewrite every file under ``paths`` that holds a legacy use; files change only with ``write``.

    A name of one module that another file of the trees imports or patches by its old name keeps that name. With ``verify``,
    each result is compiled and fixed again (nothing may be left to do), and ``problems`` says what is wrong. ``progress`` is
    called with the numbers of files done and of all files, now and then.
    """
    settings = settings or Settings()
    trees = Trees(paths, exclude=settings.exclude, gitignore=gitignore, data=False)
    found = list(trees)
    result = Fix(files=len(found))
    result.problems.extend(f"{path}: {reason}" for path, reason in trees.errors)
    scanner = Scanner(ledger, settings, Scope(), trees.roots)
    named = set(trees.roots)
    with warnings.catch_warnings(), gc_pause.paused():
        warnings.simplefilter("ignore")
        outcomes: dict[str, tuple[Found, Outcome]] = {}
        wanted = (item for item in found if item.path in named or not _known_ignored(trees, item))
        for count, (item, raw) in enumerate(scanner.candidates(wanted), 1):
            if progress is not None and count % _STEP == 0:
                progress(count, len(found))
            outcome = _fix_candidate(scanner, item, raw, settings)
            if outcome is not None and outcome.status != UNCHANGED:
                outcomes[item.path] = (item, outcome)
        _keep_names_others_use(scanner, found, outcomes, settings)
        for item, outcome in (outcomes[item.path] for item in found if item.path in outcomes):
            if outcome.status == FIXED and verify:
                problem = _verify(scanner, item, outcome)
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


def _fix_candidate(
    scanner: Scanner, item: Found, raw: Union[bytes, OSError, None], settings: Settings, kept: Iterable[str] = ()
) -> Optional[Outcome]:
    if raw is None or isinstance(raw, FileNotFoundError):
        return None
    if isinstance(raw, OSError):
        return Outcome(item.path, FAILED, reason=f"could not be read: {raw.strerror or raw}")
    module, is_package = scanner.modules.of(item)
    listed = bool(settings.fix_skip) and matches(settings.fix_skip, os.path.relpath(item.path, settings.root or item.root))
    reason = "the file is on the skip list of [tool.compat]" if listed else ""
    return fix_bytes(item.path, raw, scanner.targets, module=module, is_package=is_package, kept_locals=kept, skip_all=reason)


def _keep_names_others_use(
    scanner: Scanner, found: list[Found], outcomes: dict[str, tuple[Found, Outcome]], settings: Settings
) -> None:
    """Fix again, with the local name kept, what other files import or patch in a module by a name that would change."""
    wanted: dict[str, list[tuple[str, bytes, re.Pattern[bytes]]]] = {}
    for path, (_item, outcome) in outcomes.items():
        for name in outcome.renamed:
            last = (outcome.module.rpartition(".")[2] or os.path.splitext(os.path.basename(path))[0]).encode()
            wanted.setdefault(path, []).append((name, name.encode(), _takes_from(last, name.encode())))
    if not wanted:
        return
    kept: dict[str, set[str]] = {}
    for item in found:
        raw, _reason = read(item.path)
        if raw is None:
            continue
        for path, entries in wanted.items():
            if path != item.path:
                for name, word, takes in entries:
                    if word in raw and takes.search(raw):
                        kept.setdefault(path, set()).add(name)
    for path, names in kept.items():
        item = outcomes[path][0]
        for _item, content in scanner.candidates([item]):
            again = _fix_candidate(scanner, item, content, settings, names)
            if again is not None:
                outcomes[path] = (item, again)


def _takes_from(module: bytes, name: bytes) -> re.Pattern[bytes]:
    """Where a text may get at a name of a module: the module stands in an import or alone in a string, or before the name."""
    last, word = re.escape(module), re.escape(name)
    imported = rb"\b(?:from|import)\b[^#\r\n]*\b%s\b|\bimport\s*\([^)]*\b%s\b" % (last, last)
    return re.compile(rb"%s|[\"'.]%s[\"']|\b%s(?:\s*\.\s*|:)%s\b" % (imported, last, last, word))


def _verify(scanner: Scanner, item: Found, outcome: Outcome) -> str:
    """What is wrong with a result; empty where nothing is."""
    module, is_package = scanner.modules.of(item)
    again = fix_bytes(
        item.path, outcome.after, scanner.targets, module=module, is_package=is_package, kept_locals=outcome.renamed
    )
    if again.status == FIXED:
        return "a second run would change it again"
    if again.status == FAILED:
        return again.reason
    source = sources.decode(item.path, outcome.after)
    lost = unbound_names(outcome.path, outcome.after) - unbound_names(outcome.path, outcome.before)
    if lost:
        return f"nothing binds {', '.join(sorted(lost))} any more"
    try:
        compile(source.text, item.path, "exec", dont_inherit=True)
    except (SyntaxError, ValueError) as error:
        before = sources.decode(item.path, outcome.before)
        try:
            compile(before.text, item.path, "exec", dont_inherit=True)
        except (SyntaxError, ValueError):
            return ""
        return f"the result does not compile: {error}"
    return ""


def unbound_names(path: str, raw: bytes) -> set[str]:
    """Names that a file reads, but neither binds nor finds among the builtins; empty where a star import may bind them."""
    model = scopes.build(dialects.parse(sources.decode(path, raw)).module)
    if any(item.name == "*" for item in model.imports):
        return set()
    read_names = {chain.root.id for chain in model.chains if not model.lookup(chain.scope, chain.root.id)}
    return {name for name in read_names if not hasattr(builtins, name)}


def write_file(path: str, before: bytes, after: bytes) -> str:
    """Replace a file atomically, keeping its mode; return why not, empty when done. A link's target is what is replaced."""
    place = os.path.realpath(path)
    temporary = ""
    try:
        with open(place, "rb") as file:
            found = file.read()
        if found == after:
            # Reached by another link of the tree, it was written already.
            return ""
        if found != before:
            return "it changed while it was rewritten"
        mode = stat.S_IMODE(os.stat(place).st_mode)
        handle, temporary = tempfile.mkstemp(dir=os.path.dirname(place), prefix=".compat-", suffix=".tmp")
        with open(handle, "wb") as file:
            file.write(after)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, mode)
        os.replace(temporary, place)
    except OSError as error:
        if temporary and os.path.exists(temporary):
            os.unlink(temporary)
        return f"could not be written: {error.strerror or error}"
    return ""
