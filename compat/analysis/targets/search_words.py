"""Words to search a file for: wherever the ledger is used, one of them occurs."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from ..reading.batch import Words

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .member_rows import MemberRows


class SearchWords:
    """Words made from a ledger's rows; each set is made when it is first asked for."""

    def __init__(self, members: MemberRows, tops: Iterable[str], texts: Iterable[str] = ()) -> None:
        self._members, self._tops = members, tops
        self._among: dict[frozenset[bytes], Words] = {}
        self.texts = frozenset(text.encode() for text in texts)

    def among(self, words: frozenset[bytes]) -> Words:
        """Some words, to be looked for in many files."""
        if words not in self._among:
            self._among[words] = Words(words)
        return self._among[words]

    @cached_property
    def telling(self) -> frozenset[bytes]:
        """Names one of which stands wherever something of the ledger is used in the module that defines it."""
        built = self._members.adapters.factories
        found = {path.rpartition(".")[2] for path in built}
        found.update(path.partition(":")[2] for path in built.values())
        found.update(path.rpartition(".")[2] for path in self._members.methods)
        for path in self._members.arguments:
            owner, _, name = path.rpartition(".")
            found.add(owner.rpartition(".")[2] if name == "__init__" else name)
        return frozenset(word.encode() for word in found)

    @cached_property
    def all(self) -> Words:
        """What to look for in a file to know where in it something of the ledger may be named."""
        return Words({b"__package__", *self.telling, *self.tops, *self.texts} - {b""})

    @cached_property
    def tops(self) -> frozenset[bytes]:
        """The top-level packages, as bytes."""
        return frozenset(map(str.encode, self._tops))

    @cached_property
    def members(self) -> frozenset[bytes]:
        """Names of legacy methods, and of methods with legacy arguments: there, receivers' types matter."""
        found = {*self._members.own_methods}
        found.update(
            path.rpartition(".")[2]
            for path in self._members.arguments
            if path.rpartition(".")[0].rpartition(".")[2][:1].isupper()
        )
        return frozenset(word.encode() for word in found)

    @cached_property
    def adapted(self) -> frozenset[bytes]:
        """Names of the methods that adapters define."""
        return frozenset(name.encode() for name in self._members.adapted_names)
