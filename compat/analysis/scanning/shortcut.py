"""Examine a file without parsing it whole, where its imports and strings tell that nothing else in it can be a use.

What a file binds decides: with no module object, no class whose methods rows speak of, and no function with legacy arguments at
hand, there is nothing to resolve. The result equals that of the full analysis, but for syntax errors away from any use, which
only ``--strict`` looks for; where it is not certain to, it is ``None``.
"""

from __future__ import annotations

import ast
import re
import unicodedata
from functools import lru_cache
from typing import TYPE_CHECKING, Optional, TypeVar

from ..reading.batch import Words
from . import quick_scan
from .examine import Examined, without_repeats
from .prefilter import ALLOWANCE

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..reading.sources import Source
    from ..targets import Target, Targets
    from .prefilter import Prefilter

Found = TypeVar("Found", bound="Finder")
#: Beside one of these an import and a string are not all there is.
_MORE = (ALLOWANCE, b"__package__")
_BLANKS = b" \t\r\n\f\\"
#: How far blanks may reach before it is not looked what stands behind them.
_AROUND = 200
_IN_WORD = re.compile(rb"\w\w")
_INDENT = re.compile(rb"[ \t\f]*")
_STATEMENT_END = re.compile(rb"[;\n]")
#: A name that occurs more often, or further from the start of its line, is for the full analysis.
_OFTEN, _LONG = 1000, 10_000
#: So many bytes are searched for names of one file, all told.
_ENOUGH = 20_000_000
# A line within the parentheses of an import, up to a name and behind it.
_LISTED = re.compile(rb"[ \t]*(?:\w+(?:[ \t]+as[ \t]+\w+)?[ \t]*,[ \t]*)*(?:\w+[ \t]+as[ \t]+)?")
_LIST_GOES_ON = re.compile(rb"[ \t]*(?:[,#)\\]|\r?$)", re.M)
_HEAD = re.compile(rb"[ \t\f]*(?:async[ \t]+def|def|class)\b")


def examine(
    path: str,
    raw: bytes,
    targets: Targets,
    prefilter: Prefilter,
    module: Callable[[], tuple[str, bool]],
    *,
    is_inside: bool,
) -> Optional[Examined]:
    """The results of one UTF-8 file; ``None`` where that takes a full analysis."""
    made = find(path, raw, targets, prefilter, module, Finder, is_inside=is_inside)
    if made is None:
        return None
    name = module()[0]
    given = None if name and made.gives else ()
    return Examined(without_repeats(made.findings), made.re_exported if name else {}, [], name, given)


def find(
    path: str,
    raw: bytes,
    targets: Targets,
    prefilter: Prefilter,
    module: Callable[[], tuple[str, bool]],
    finder: Callable[[Source, Targets, tuple[list[int], list[int]]], Found],
    *,
    is_inside: bool,
) -> Optional[Found]:
    """What a finder finds in one UTF-8 file that holds nothing else; ``None`` where that takes a full analysis."""
    if any(word in raw for word in _MORE) or prefilter.names_members(raw) or any(text in raw for text in targets.texts_as_bytes):
        return None
    made = quick_scan.find(path, raw, targets, prefilter, module=module if is_inside else None, finder=finder)
    if made is None or (b"__all__" in raw and any(_is_said(raw, local) for local in made.re_exported)):
        return None
    return made


class Mention:
    """Tells of a text whether a name in it may be that of a member, or a keyword of an argument."""

    def __init__(self, members: frozenset[str], keywords: Optional[frozenset[str]]) -> None:
        self._is_anywhere = keywords is None
        self._passed = frozenset(map(str.encode, keywords or ()))
        self._members = frozenset(map(str.encode, members))
        self._words = Words({*self._members, *self._passed})

    def is_in(self, source: Source) -> bool:
        if self._is_anywhere or not (source.text.isascii() or unicodedata.is_normalized("NFKC", source.text)):
            return True
        data = source.data
        for word, at in self._words.places(data):
            end = at + len(word)
            is_told = (word in self._members and _is_member(data, at)) or (word in self._passed and _is_passed(data, end))
            if is_told and not _IN_WORD.match(data, max(0, at - 1)) and not _IN_WORD.match(data, end - 1):
                return True
        return False


def _is_member(data: bytes, at: int) -> bool:
    """Whether a name stands behind a dot, in quotes, or is defined; a comment may stand between."""
    around = data[max(0, at - _AROUND) : at]
    before = around.rstrip(_BLANKS)
    if not before or before.endswith((b".", b'"', b"'", b"def")) or around.endswith(b"\\"):
        return True
    return len(around) > len(before) and b"#" in before[before.rfind(b"\n") + 1 :]


def _is_passed(data: bytes, end: int) -> bool:
    """Whether an equals sign follows a name; a comment may stand between."""
    after = data[end : end + _AROUND].lstrip(_BLANKS)
    return not after or after.startswith(b"#") or (after.startswith(b"=") and not after.startswith(b"=="))


def _mention(targets: Targets, target: Target) -> Optional[Mention]:
    """How a method or an argument that a row speaks of is used through a target; ``None`` where there is none."""
    members = targets.members
    legacy = target.legacy.replace(":", ".")
    canonical = targets.spelt(target.canonical.replace(":", ".")) if target.canonical else ""
    made = members.adapters.built_class(canonical) if canonical else ""
    names = frozenset((*members.methods_of(legacy), *members.methods_of(canonical), *members.methods_of(made)))
    if target.adapter:
        names |= members.names_adapted(legacy)
    found = [members.telling_keywords(path) for path in (canonical, made)]
    keywords = None if None in found else frozenset(word for words in found for word in words or ())
    if not names and keywords is not None and not keywords:
        return None
    # Many legacy paths lead to one class.
    key = names, keywords
    if key not in targets.mentions:
        targets.mentions[key] = Mention(names, keywords)
    mention: Mention = targets.mentions[key]
    return mention


@lru_cache(maxsize=4096)
def _word(name: str) -> re.Pattern[bytes]:
    # The literal comes first, so that the search for it runs at memory speed.
    word = re.escape(name.encode())
    return re.compile(word + rb"(?<!\w" + word + rb")(?!\w)")


def _is_said(raw: bytes, name: str) -> bool:
    """Whether a name stands in quotes, as in ``__all__``."""
    word = name.encode()
    return b"'%s'" % word in raw or b'"%s"' % word in raw


class Finder(quick_scan.Finder):
    """Gives up where an import binds something that has to be followed."""

    def __init__(self, source: Source, targets: Targets, spans: tuple[list[int], list[int]]) -> None:
        super().__init__(source, targets, spans)
        #: Whether it imports a class that matters, or what makes one: other files may come to instances by names of this one.
        self.gives = False
        self._bound_otherwise: dict[str, bool] = {}

    def alias(self, node: ast.AST, alias: ast.alias, start: int, end: int) -> bool:
        return super().alias(node, alias, start, end) and self._is_enough(node, alias, start)

    def string(self, start: int, end: int, places: list[int]) -> bool:
        if self.source.data.find(b">>>", start, end) >= 0:
            return False  # a doctest
        last = re.search(rb"(\w+)[\"']+\Z", self.source.data[start:end])
        if last is not None and last.group(1).decode("utf-8", "replace") in self.targets.members.own_methods:
            return False
        return super().string(start, end, places)

    def _is_enough(self, node: ast.AST, alias: ast.alias, start: int) -> bool:
        """Whether the import itself is all that can be found of what it binds."""
        targets = self.targets
        if not isinstance(node, ast.ImportFrom) or node.level or not node.module:
            return not any(targets.is_known(name) for name in (alias.name, alias.name.partition(".")[0]))
        if alias.name == "*":
            return not targets.is_known(node.module)
        target = targets.attribute(node.module, alias.name)
        if target is None:
            return not targets.is_known(f"{node.module}.{alias.name}")
        if target.is_module or target.stays or not self._has_no_members(target):
            return False
        if self._is_global(start):
            local = alias.asname or alias.name
            if self._is_bound_otherwise(local):
                return False
            self.re_exported[local] = target
        return True

    def _has_no_members(self, target: Target) -> bool:
        """Whether no method and no argument that a row speaks of can be used through a target here."""
        known = self.targets.mentioned
        key = target.legacy, target.canonical
        if key not in known:
            known[key] = _mention(self.targets, target)
        mention = known[key]
        if mention is None:
            return True
        self.gives = True
        return not mention.is_in(self.source)

    def _is_bound_otherwise(self, local: str) -> bool:
        """Whether another import of the file may bind a name that one binds; also where that takes long to tell."""
        known = self._bound_otherwise
        if local not in known:
            is_long = len(known) * len(self.source.data) > _ENOUGH
            known[local] = is_long or self._is_bound_by_several(_word(local), 0)
        return known[local]

    def _is_bound_by_several(self, word: re.Pattern[bytes], at: int) -> bool:
        data, is_found = self.source.data, False
        for _time in range(_OFTEN):
            match = word.search(data, at)
            if match is None:
                return False
            at = match.end()
            begin = data.rfind(b"\n", 0, match.start()) + 1
            if match.start() - begin > _LONG:
                return True
            begin = max(begin, data.rfind(b";", begin, match.start()) + 1)
            is_listed = _LISTED.fullmatch(data, begin, match.start()) and _LIST_GOES_ON.match(data, at)
            if is_listed or b"import" in data[begin : match.start()]:
                if is_found:
                    return True
                is_found = True
                end = _STATEMENT_END.search(data, at)
                at = end.start() if end is not None else len(data)
        return True

    def _is_global(self, start: int) -> bool:
        """Whether a statement stands at module level: not below a ``def`` or ``class``."""
        data = self.source.data
        at = data.rfind(b"\n", 0, start) + 1
        indent = self._indent(at)
        while indent and at:
            end = at - 1
            at = data.rfind(b"\n", 0, end) + 1
            if data[at:end].strip() and self._indent(at) < indent:
                indent = self._indent(at)
                if _HEAD.match(data, at):
                    return False
        return True

    def _indent(self, at: int) -> int:
        match = _INDENT.match(self.source.data, at)
        return len(match.group()) if match is not None else 0
