"""Explain one legacy name: its replacement, versions and note, an example rewrite, and its remaining uses in a tree."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from compat.errors import CompatError
from compat.ledger import advice, replacement
from compat.ledger.move import MODULE

from ..targets import Targets

if TYPE_CHECKING:
    from collections.abc import Iterable

    from compat.ledger import Ledger, Move

    from ..findings import Finding

#: A place of a replacement that is filled by one argument.
_PLACE = re.compile(r"(?<!\{)\{([^\W\d]\w*)\}")


class UnknownName(CompatError):
    """No row speaks of a name; the message offers those that are spelt alike."""


@dataclass
class Explanation:
    """One row in words; ``before`` and ``after`` are empty where nothing can be rewritten.

    ``is_stopgap``: the target exists for old code only, and is no place to go.
    """

    row: Move
    stage: str
    message: str
    replacement: str
    before: str = ""
    after: str = ""
    is_stopgap: bool = False
    uses: list[Finding] = field(default_factory=list)


def find_row(ledger: Ledger, name: str) -> Move:
    """The row of a legacy name written with dots, with a colon, or by its id; raise :class:`UnknownName`."""
    targets = Targets(ledger)
    exact = ledger.get(name) or ledger.by_id(name)
    if exact is not None:
        return exact
    dotted = name.replace(":", ".")
    for row in ledger:
        if row.legacy.replace(":", ".") == dotted:
            return row
    found = targets.resolve(dotted)
    if found is not None and found[1] == dotted.count(".") + 1:
        row_ = targets.wording.row(found[0])
        if row_ is not None:
            return row_
    from difflib import get_close_matches

    near = get_close_matches(dotted, [row.legacy.replace(":", ".") for row in ledger], 3, 0.6)
    last = dotted.rpartition(".")[2]
    near += [path for path in (row.legacy.replace(":", ".") for row in ledger) if path.endswith(f".{last}") and path not in near]
    hint = f" Did you mean {' or '.join(near[:3])}?" if near else ""
    raise UnknownName(f"ledger {ledger.name!r} has no row for {name!r}.{hint}")


def explain(ledger: Ledger, name: str, uses: Iterable[Finding] = ()) -> Explanation:
    """Explain one legacy name; ``uses`` (of a scan) are filtered to it."""
    row = find_row(ledger, name)
    targets = Targets(ledger)
    before, after = _example(ledger, row)
    symbols = {row.legacy}
    return Explanation(
        row,
        ledger.stage(row),
        targets.wording.say(row, "import"),
        replacement(row),
        before,
        after,
        bool(row.canonical) and advice.lies_in(row.canonical, targets.stopgaps),
        [finding for finding in uses if finding.symbol in symbols or (finding.move == row.id and row.place == MODULE)],
    )


def _example(ledger: Ledger, row: Move) -> tuple[str, str]:
    """Legacy lines and what ``fix`` makes of them; a class is shown with its user's context where only that can be rewritten."""
    from ..rewriting.rewriter import FIXED, fix_text

    # The second way is that of a class whose factory builds one object for each user.
    ways = list(dict.fromkeys((row.example(), row.example("context"), _call(row))))
    for before in filter(None, ways):
        outcome = fix_text(before, ledger)
        if outcome.status == FIXED:
            return before, outcome.after.decode("utf-8")
    return ways[0], ""


def _call(row: Move) -> str:
    """A call of a function for which a row has a replacement as code; empty for any other row."""
    name = row.attribute
    if not row.replacement or not name.isidentifier():
        return ""
    taken = row.parameters if row.parameters is not None else ", ".join(_PLACE.findall(row.replacement))
    names = dict.fromkeys(item.partition("=")[0].strip() for item in taken.split(","))
    return f"{row.example()}\n{name}({', '.join(item for item in names if item.isidentifier())})"
