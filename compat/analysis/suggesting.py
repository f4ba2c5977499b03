"""For each finding of a file the edit that removes it, by itself: what editors and code scanning services apply one by one."""

from __future__ import annotations

import difflib
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple, Optional

from .model import file_uses
from .reading import dialects, notebooks, sources
from .rewriting.options import CERTAIN, LIKELY, PLAIN, SHOWN, Options
from .rewriting.rewriter import rewrite

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from .findings import Finding
    from .hints import Hints
    from .model.file_uses import FileUses
    from .rewriting.options import Chosen
    from .rewriting.plan import Skip
    from .targets import Targets

WHOLE = "a class overrides it: compat fix renames it together with all that calls it, in several files"


class Replacement(NamedTuple):
    """Replace a span by a text. Lines and columns count from 1, columns in characters; ``span`` is in bytes of UTF-8."""

    line: int
    column: int
    end_line: int
    end_column: int
    span: tuple[int, int]
    text: str


class Suggestion(NamedTuple):
    """How sure the edit of a finding is (``certain``, ``likely``, ``shown``), what speaks against it, and its replacements.

    Those in a notebook are of the text of its file; ``cells`` says the same cell by cell: the cell's number from 1, and
    replacements in its source.
    """

    degree: str
    reason: str = ""
    replacements: tuple[Replacement, ...] = ()
    cells: tuple[tuple[int, Replacement], ...] = ()


def suggest(
    findings: Iterable[Finding],
    raw: bytes,
    targets: Targets,
    *,
    path: str,
    module: str = "",
    is_package: bool = False,
    options: Options = PLAIN,
    hints: Optional[Hints] = None,
) -> dict[Finding, Suggestion]:
    """The suggestions for the findings of one file; each edit is whole, and holds if it alone is made."""
    findings = [*findings]
    notebook = notebooks.Notebook(path, raw) if path.endswith(notebooks.SUFFIX) else None
    try:
        source = sources.decode("<cells>", notebook.program.encode()) if notebook is not None else sources.decode(path, raw)
        uses = file_uses.read(source, targets, module=module, is_package=is_package, hints=hints)
    except (sources.Undecodable, dialects.Unparsable):
        return {finding: Suggestion(SHOWN, "the file cannot be analysed") for finding in findings}
    try:
        return {finding: _suggestion(finding, uses, options, notebook) for finding in findings}
    finally:
        uses.close()


def _suggestion(finding: Finding, uses: FileUses, options: Options, notebook: Optional[notebooks.Notebook]) -> Suggestion:
    if notebook is not None:
        start = notebook.offset(finding.span[0])
        finding = finding._replace(span=(start, start + finding.span[1] - finding.span[0]))
    verdict = (options.overrides or {}).get(finding.symbol)
    is_part = verdict is not None and _is_part(finding, uses)
    if verdict is not None and is_part and (verdict.degree == SHOWN or finding.symbol not in options.whole):
        return Suggestion(verdict.degree, verdict.reason or WHOLE)
    chosen = _only(finding, uses, together=is_part)
    made = [rewrite(uses, replace(options, unsafe=unsafe, chosen=chosen)) for unsafe in (False, True)]
    for degree, (plan, data, reason) in zip((CERTAIN, LIKELY), made):
        if data is not None and data != uses.file.source.data:
            doubt = plan.taken[0].reason if plan.taken else ""
            return Suggestion(degree, reason or doubt, *_edits(uses.file.source, data, notebook))
    return Suggestion(SHOWN, made[0][2] or _reason(made[0][0].skips))


def _edits(
    source: sources.Source, after: bytes, notebook: Optional[notebooks.Notebook]
) -> tuple[tuple[Replacement, ...], tuple[tuple[int, Replacement], ...]]:
    if notebook is None:
        return tuple(_replacements(source, after)), ()
    program = after.decode()
    whole, cells = notebook.rewritten(program), notebook.cells_of(program)
    if whole is None or cells is None:
        return (), ()
    by_cell = [
        (number, edit)
        for number, old, new in cells
        for edit in _replacements(sources.decode("<cell>", old.encode()), new.encode())
    ]
    return tuple(_replacements(sources.decode(notebook.path, notebook.raw), whole)), tuple(by_cell)


def _is_part(finding: Finding, uses: FileUses) -> bool:
    """Whether a finding is a part of a rename that is made whole or not at all."""
    from .rules import method

    return any(use.is_part and (use.start, use.row.legacy) == (finding.span[0], finding.symbol) for use in method.reads(uses))


def _only(finding: Finding, uses: FileUses, *, together: bool = False) -> Chosen:
    """What belongs to one finding: a method that the file patches or overrides is renamed everywhere in it, or nowhere."""
    from .rules import method

    wanted, start = finding.symbol, finding.span[0]
    if finding.rule == method.RULE and not together:
        together = any(use.how == "patch" and use.row.legacy == wanted for use in method.reads(uses))
    return lambda _rule, symbol, at: symbol == wanted and (together or at == start)


def _reason(skips: Iterable[Skip]) -> str:
    return next((skip.reason for skip in skips), "")


def _replacements(source: sources.Source, after: bytes) -> Iterator[Replacement]:
    """The smallest whole lines, without what is alike at their ends, in which a text differs from the source."""
    old, new = source.data.splitlines(keepends=True), after.splitlines(keepends=True)
    at = [0]
    for line in old:
        at.append(at[-1] + len(line))
    for tag, first, last, begin, end in difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if tag == "equal":
            continue
        was, now = b"".join(old[first:last]).decode(), b"".join(new[begin:end]).decode()
        head = tail = 0
        if "\r" not in was + now:  # a line's end of two characters is not parted
            head = _alike(was, now)
            tail = _alike(was[head:][::-1], now[head:][::-1])
        start = at[first] + len(was[:head].encode())
        stop = at[last] - len(was[len(was) - tail :].encode())
        yield Replacement(*source.position(start), *source.position(stop), (start, stop), now[head : len(now) - tail])


def _alike(one: str, two: str) -> int:
    """How many characters two texts have in common at their start."""
    return next((index for index, (a, b) in enumerate(zip(one, two)) if a != b), min(len(one), len(two)))
