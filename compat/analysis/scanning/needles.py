"""Choose the literals to search for before paths are matched: few, short and rare."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING, AnyStr

if TYPE_CHECKING:
    from collections.abc import Iterable

_FEW, _RARE = 3, 9


def path_pattern(root: str) -> re.Pattern[bytes]:
    """What a path looks like that begins with a top-level package, blanks around its dots included."""
    blank = rb"(?:[ \t\f]|\\\r?\n)*"
    word = re.escape(root.encode())
    # The literal comes first, so that the search for it runs at memory speed.
    return re.compile(word + rb"(?!\w)(?<![\w.]" + word + rb")(?:" + blank + rb"[.:]" + blank + rb"\w+)*")


def needles(root: str, modules: Iterable[str]) -> tuple[bytes, ...]:
    """What to look for before the paths of a package are looked up: one of these words stands in each of its modules' paths.

    The package's own name where that is rare in itself or its modules have no few rare words in common.
    """
    left = [module.split(".")[1:] for module in modules if module.partition(".")[0] == root]
    chosen: list[str] = []
    while left and len(chosen) < _FEW:
        counts = Counter(word for parts in left for word in {*parts} if len(word) >= _RARE or "_" in word)
        if not counts:
            break
        chosen.append(max(counts, key=lambda word: (counts[word], len(word), word)))
        left = [parts for parts in left if chosen[-1] not in parts]
    if left or (len(chosen) > 1 and (len(root) >= _RARE or "_" in root)):
        return (root.encode(),)
    return tuple(word.encode() for word in sorted(chosen))


def minimal(words: set[AnyStr]) -> set[AnyStr]:
    """Drop words that contain another one: finding the shorter finds them too."""
    kept: set[AnyStr] = set()
    sizes: dict[int, None] = {}
    for word in sorted(words, key=len):
        if not any(word[at : at + size] in kept for size in sizes for at in range(len(word) - size + 1)):
            kept.add(word)
            sizes[len(word)] = None
    return kept
