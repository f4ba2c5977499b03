"""Which function bodies of a file can hold a use: those that spell a legacy package, or a name that means something from one."""

from __future__ import annotations

import re
from bisect import bisect_left
from typing import TYPE_CHECKING, Callable

if TYPE_CHECKING:
    from .scopes import Model
    from .sources import Source
    from .targets import Targets

_WORD = re.compile(rb"\w+")


def choose(source: Source, targets: Targets, model: Model) -> Callable[[int, int], bool]:
    """Say of a range of lines whether it matters, given the model of everything outside function bodies."""
    data = source.data
    words = set(targets.telling_words)
    if not source.text.isascii() or any(item.name == "*" for item in model.imports):
        # Identifiers may be spelt in compatibility characters; a star import may bind any name.
        return _always
    members = targets.member_words
    for item in model.imports:
        if item.module in targets.handed_on or item.module.partition(".")[0] in targets.tops:
            words.add(item.local)
            target = targets.attribute(item.module, item.name) if item.name else targets.module(item.module)
            if target is not None and (target.is_module or target.kind == "class"):
                members = members | targets.adapted_words
    spelt = {*_WORD.findall(data)}
    parts = [re.escape(word) for word in sorted(map(str.encode, words)) if word in spelt]
    parts += [rb"__package__", rb"from[ \t]*\."]
    used = sorted(members & spelt)
    if used:
        # What an attribute of `self` is may be said in any method: those that assign one matter, too.
        parts += [rb"(?:self|cls)\.\w+[ \t]*(?:=(?!=)|:)", rb"[\"'.](?:" + b"|".join(map(re.escape, used)) + rb")\b"]
    pattern = re.compile(b"|".join(parts))
    starts = source.starts
    places = [match.start() for match in pattern.finditer(data)]

    def matters(first: int, last: int) -> bool:
        end = starts[last] if last < len(starts) else len(data)
        at = bisect_left(places, starts[first - 1])
        return at < len(places) and places[at] < end

    return matters


def _always(_first: int, _last: int) -> bool:
    return True
