"""Rewrite one text; pure, no files are touched."""

from __future__ import annotations

import difflib
import os
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Optional

from .. import finding_text
from ..config import Settings
from ..model import file_uses
from ..reading import dialects, gc_pause, notebooks, sources
from ..targets import Target, Targets
from . import overrides
from .edits import EditConflict, apply
from .import_blocks.order import tidy
from .options import PLAIN, Options
from .plan import Plan, Skip
from .planning import begin, make_plan

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from compat.ledger import Ledger

    from ..hints import Hints
    from ..model.file_uses import FileUses

_ROUNDS = 4
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
    moved: frozenset[str] = frozenset()
    held: frozenset[str] = frozenset()
    #: The names by which other files may come to instances of classes with legacy methods; ``None`` where that was not asked.
    carried: Optional[tuple[str, ...]] = ()
    #: Renamed methods that classes of the file override, by the legacy paths of their rows.
    overridden: frozenset[str] = frozenset()
    #: Legacy names that the module still imports, by their names in it: others may import them from there.
    re_exported: Mapping[str, Target] = field(default_factory=dict)
    #: The likely edits that were made, each with what is uncertain about it.
    taken: tuple[Skip, ...] = ()

    def diff(self) -> str:
        """The unified diff of the change; bytes that are not UTF-8 are shown escaped."""
        old = self.before.decode("utf-8", "backslashreplace").splitlines(keepends=True)
        new = self.after.decode("utf-8", "backslashreplace").splitlines(keepends=True)
        lines = difflib.unified_diff(old, new, f"a/{self.path}", f"b/{self.path}")
        return "".join(line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines)


def fix_text(
    text: str, ledger: Ledger, *, path: str = "<text>", module: str = "", settings: Optional[Settings] = None
) -> Outcome:
    """Rewrite one text; ``after`` of the outcome is UTF-8. ``module`` is its dotted name, for relative imports."""
    targets = Targets(ledger, (settings or Settings()).factories)
    return fix_bytes(path, text.encode("utf-8"), targets, module=module, is_package=os.path.basename(path) == "__init__.py")


def fix_bytes(
    path: str,
    raw: bytes,
    targets: Targets,
    *,
    module: str = "",
    is_package: bool = False,
    options: Options = PLAIN,
    hints: Optional[Hints] = None,
    whole: bool = True,
    by: Collection[str] = (),
    follows: bool = True,
) -> Outcome:
    """Rewrite the bytes of one file; encoding, BOM and line ends stay. Never raises for what the file holds.

    ``hints`` is what is known of the file from outside. With ``whole`` false, function bodies in which nothing legacy can stand
    are looked at only if something is to be rewritten: quicker for a file in which most likely nothing is, all the more where
    nothing legacy is used but ``by`` some names. What other files come to by it is not asked then. ``follows`` says whether to
    rewrite what inlined code uses in turn.
    """
    if path.endswith(notebooks.SUFFIX):
        return _fix_notebook(notebooks.Notebook(path, raw), targets, replace(options, kept_locals=frozenset()))
    made = Outcome(path, UNCHANGED, raw, raw, module=module)
    try:
        source = sources.decode(path, raw)
    except sources.Undecodable as error:
        return replace(made, status=FAILED, reason=str(error))
    gc_pause.between_files()
    known = {"module": module, "is_package": is_package, "hints": hints}
    try:
        uses = file_uses.read(source, targets, whole=whole, by=by, **known)  # type: ignore[arg-type]
    except dialects.Unparsable as error:
        return replace(made, status=FAILED, reason=f"line {error.line}: {finding_text.unparsable(error.reason)}")
    try:
        made = replace(made, carried=uses.carried() if whole or not module else None)
        plan, data, reason = rewrite(uses, options)
        overridden = frozenset(overrides.renamed_in(uses, plan.members))
        kept = {item.local: reference.target for item, (reference, _skip) in plan.left_imports().items()}
    finally:
        uses.close()
    if not whole and (plan.edits or plan.held or overridden or reason):
        return fix_bytes(path, raw, targets, options=options, follows=follows, **known)  # type: ignore[arg-type]
    made = replace(
        made,
        re_exported=kept if module else {},
        overridden=overridden,
        held=frozenset(plan.held),
        moved=frozenset(plan.moved),
        taken=tuple(plan.taken),
    )
    if reason:
        return replace(made, status=FAILED, reason=reason)
    if data is None:
        return replace(made, status=SKIPPED if plan.skips else UNCHANGED, skips=tuple(plan.skips))
    made = replace(
        made,
        status=FIXED,
        after=source.encode(data),
        edits=len(plan.edits),
        skips=tuple(plan.skips),
        renamed=frozenset(plan.renamed_locals),
    )
    may_follow = follows and any(plan.codes.values())
    return _fix_again(made, targets, options, is_package=is_package) if may_follow else made


def _fix_again(first: Outcome, targets: Targets, options: Options, *, is_package: bool) -> Outcome:
    """Rewrite what the inlined code uses itself, until nothing changes; code that leads back to itself is left as it stands."""
    made = first
    for _round in range(_ROUNDS):
        again = replace(options, kept_locals=options.kept_locals | made.renamed, held=options.held | made.held)
        more = fix_bytes(made.path, made.after, targets, module=made.module, is_package=is_package, options=again, follows=False)
        if more.status != FIXED:
            return made
        total = {"edits": made.edits + more.edits, "renamed": made.renamed | more.renamed, "moved": made.moved | more.moved}
        made = replace(made, after=more.after, **total)  # type: ignore[arg-type]
    return first


def overrides_in(
    path: str,
    raw: bytes,
    targets: Targets,
    rows: Collection[str],
    *,
    module: str = "",
    is_package: bool = False,
    options: Options = PLAIN,
    hints: Optional[Hints] = None,
) -> overrides.Facts:
    """What the bytes of one file say of methods that classes of the tree override, by the legacy paths of their rows."""
    if path.endswith(notebooks.SUFFIX):
        raw = notebooks.Notebook(path, raw).program.encode()
    try:
        uses = file_uses.read(sources.decode(path, raw), targets, module=module, is_package=is_package, hints=hints)
    except (sources.Undecodable, dialects.Unparsable):
        return overrides.Facts(doubts=dict.fromkeys(rows, f"a file that mentions it cannot be parsed ({path})"))
    try:
        return overrides.gather(begin(uses, options), uses, rows)
    except (RecursionError, MemoryError):
        return overrides.Facts(doubts=dict.fromkeys(rows, f"a file that mentions it is nested too deeply ({path})"))
    finally:
        uses.close()


def _fix_notebook(notebook: notebooks.Notebook, targets: Targets, options: Options) -> Outcome:
    """Rewrite the code of a notebook; its other bytes stay. Raises ``NotebookError`` for one that is broken."""
    program = notebook.program.encode()
    made = fix_bytes("<cells>", program, targets, options=options)
    rewritten = made.after.decode()
    placed = {"path": notebook.path, "before": notebook.raw, "after": notebook.raw, "renamed": frozenset()}
    skips = tuple(_in_file(skip, notebook) for skip in made.skips)
    made = replace(made, skips=skips, taken=tuple(_in_file(skip, notebook) for skip in made.taken), **placed)  # type: ignore[arg-type]
    if made.status != FIXED:
        return made
    after = notebook.rewritten(rewritten)
    if after is None:
        return replace(made, status=FAILED, reason="the cells cannot be told apart after the rewrite")
    return replace(made, after=after)


def _in_file(skip: Skip, notebook: notebooks.Notebook) -> Skip:
    line, column, _start, cell = notebook.place(skip.line, skip.column)
    return replace(skip, path=notebook.path, line=line, column=column, reason=f"{skip.reason} ({cell})")


def rewrite(uses: FileUses, options: Options) -> tuple[Plan, Optional[bytes], str]:
    """The plan for a file, its text in UTF-8 afterwards (``None`` where nothing changes), and why it cannot be rewritten."""
    source = uses.file.source
    plan = Plan(uses.file, uses.targets, uses.references)
    try:
        plan = make_plan(uses, options)
        if not plan.edits:
            return plan, None, ""
        if not source.round_trips:
            return plan, None, f"{source.encoding} text that does not encode back to the same bytes"
        applied = apply(source.data, plan.edits)
        data = tidy(uses.file, plan.edits, plan.rewritten, applied)
        again = sources.decode(source.path, source.encode(data))
        if again.encoding != source.encoding:
            # A comment that was too far down for Python to obey it has come up.
            return plan, None, f"the rewritten text would be read as {again.encoding}, as a comment at its top would say"
        if source.encoding != "utf-8":
            dialects.parse(again)
    except (EditConflict, UnicodeError, sources.Undecodable, dialects.Unparsable) as error:
        return plan, None, f"the rewritten text would not hold: {error}"
    except (RecursionError, MemoryError):
        return plan, None, "nested too deeply to be rewritten"
    return plan, data, ""
