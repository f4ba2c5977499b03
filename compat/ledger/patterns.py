"""Patterns: rows whose module paths hold words in braces, ``"flow.contrib.{x}_operator"`` -> ``"flow.providers.{x}"``.

Braces stand in the module's own name; a word in them stands for one identifier or a part of one, never for a dot. A row without
braces for a path that a pattern matches too goes before it; of several patterns, the first does.
"""

from __future__ import annotations

import re

from .paths import is_path, resolve

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from .move import Fault, Move

_WORD = re.compile(r"\{(\w*)\}")


class Pattern:
    """One row with braces in its module path."""

    __slots__ = ("_matches", "parent", "row")

    def __init__(self, row: Move) -> None:
        self.row = row
        self.parent = literal_parent(row.module)
        self._matches = _expression(row.module)

    def implied(self, module: str) -> Move | None:
        """The row for one legacy module; ``None`` where the pattern does not match it."""
        match = self._matches.match(module)
        if match is None:
            return None
        canonical = _WORD.sub(lambda word: match.group(word.group(1)), self.row.canonical)
        attribute = f":{self.row.attribute}" if self.row.attribute else ""
        return self.row.replace(legacy=f"{module}{attribute}", canonical=canonical)

    def modules(self, names: Iterable[str]) -> Iterator[str]:
        """The legacy modules whose canonical ones lie, by these names, in the package that the canonical path names."""
        module = self.row.canonical.partition(":")[0]
        last = _expression(module.rpartition(".")[2])
        for name in names:
            match = last.match(name)
            if match is not None and not set(_WORD.findall(self.row.module)) - set(match.groupdict()):
                yield _WORD.sub(lambda word, match=match: match.group(word.group(1)), self.row.module)  # type: ignore[misc]


def _expression(path: str) -> re.Pattern[str]:
    parts, seen, at = [], set(), 0
    for word in _WORD.finditer(path):
        parts.append(re.escape(path[at : word.start()]))
        name, at = word.group(1), word.end()
        if not name.isidentifier():
            parts.append(re.escape(word.group()))  # a fault of the row, which check() names
            continue
        parts.append(f"(?P={name})" if name in seen else rf"(?P<{name}>\w+?)")
        seen.add(name)
    return re.compile("".join([*parts, re.escape(path[at:]), r"\Z"]))


def literal_parent(module: str) -> str:
    """The package below which a pattern stands."""
    return module.partition("{")[0].rpartition(".")[0]


def faults(row: Move) -> Iterator[Fault]:
    """Yield each ``(reason, remedy)`` that is wrong with the braces of a row."""
    words, used = set(_WORD.findall(row.module)), set(_WORD.findall(row.canonical))
    plain = _WORD.sub("x", row.module), _WORD.sub("x", row.canonical.partition(":")[0])
    if not all(word.isidentifier() for word in words | used) or "{" in "".join(plain) + row.attribute:
        yield f"{row.legacy!r} is no pattern", "write words in braces in the module's path: 'old.{x}_operator'"
    elif not is_path(plain[0]) or not literal_parent(row.module):
        yield f"{row.legacy!r} is no legacy path", "write 'package.{x}_module', below a package that is written out"
    elif "." in row.module.partition("{")[2]:
        yield f"{row.legacy!r} has braces before its last part", "write words in braces in the module's own name"
    elif used - words:
        yield f"{sorted(used - words)[0]!r} stands in the canonical path alone", "write it in the legacy path, too"


def target_faults(row: Move) -> Iterator[Fault]:
    """Yield ``(reason, remedy)`` where the package below which the canonical modules lie is missing, or holds none of them."""
    import pkgutil  # most ledgers have no pattern, and none is checked where it is used

    module = row.canonical.partition(":")[0]
    parent = literal_parent(module) if "{" in module else module
    package, fault = resolve(parent)
    if fault:
        yield f"package {parent!r} {fault}", "correct the canonical path, or ship the package"
        return
    names = [name for _, name, _ in pkgutil.iter_modules(getattr(package, "__path__", ()))]
    if "{" in module and "{" not in module.rpartition(".")[0] and not any(Pattern(row).modules(names)):
        yield f"no module of {parent!r} is one of {row.canonical!r}", "correct the canonical path, or delete the row"
