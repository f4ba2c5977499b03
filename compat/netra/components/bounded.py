"""Memory that what clients choose cannot grow without end."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

K = TypeVar("K")
V = TypeVar("V")

#: How many entries are kept of what comes one by one: events of a user, attempts, samples.
KEPT = 10_000


class Newest(dict[K, V]):
    """A dict of at most ``limit`` entries: what was set longest ago goes."""

    def __init__(self, limit: int = KEPT, entries: Mapping[K, V] | Iterable[tuple[K, V]] = ()) -> None:
        super().__init__()
        self.limit = limit
        self.update(entries)

    def __setitem__(self, key: K, value: V) -> None:
        self.pop(key, None)
        super().__setitem__(key, value)
        while len(self) > self.limit:
            del self[next(iter(self))]

    def setdefault(self, key: K, default: Any = None) -> Any:
        """As ``dict.setdefault``; one that is there is as new as if it were set."""
        value = self.get(key, default)
        self[key] = value
        return value

    def update(self, *others: Any, **named: Any) -> None:
        """As ``dict.update``."""
        for key, value in dict(*others, **named).items():
            self[key] = value


def append(entries: list[Any], entry: Any, limit: int = KEPT) -> None:
    """Append to a list that holds at most ``limit`` entries: the oldest go."""
    entries.append(entry)
    if len(entries) > limit:
        del entries[: len(entries) - limit]
