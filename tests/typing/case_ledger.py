"""A ledger of every kind is typed, with what rows have in common written once, and so is the canonical of an adapter."""

from __future__ import annotations

from typing_extensions import reveal_type

import compat
from compat import Argument, Behaviour, Class, Deprecated, Ledger, Method, Module, Name, Removed, common, names, removed

PLAIN = {"since": "2.0", "removal": "3.0"}
V = common(since="2.0", removal="3.0")
ALL = common(since="2.0", removal="3.0", instead=None)

LEDGER = Ledger("shop", category=FutureWarning) + [
    Module("shop.old", "shop.new", **ALL),
    Name("shop.old:A", "shop.new:A", instead="A", **V),
    Name("shop.old:B", "shop.new:B", instead=None, **PLAIN),
    Class("shop.old:C", "shop.new:C", adapter="shop.legacy:C", **ALL),
    Method("shop.new:C.old", "shop.new:C.new", **ALL),
    Argument("shop.new:f", "old", became="new", **ALL),
    Argument("shop.new:f", order="b a", instead=None, **PLAIN),
    Removed("shop.old:D", instead="A", **PLAIN),
    Deprecated("shop.new:g", on="construct", instead="h", **V),
    Behaviour("shop.mode", "Old mode", instead="the new one", **PLAIN),
    *names("shop.old", "shop.new", "E F=G", instead=None, **PLAIN),
    *names("shop.old", "shop.new", "H", **ALL),
    *removed("shop.old", "I J", since="2.0", instead="A"),
]
reveal_type(LEDGER)


class Store:
    timeout = 3.0

    def close(self) -> str:
        return "closed"


class Session(compat.Adapter[Store], of="shop.storage:Store"):
    def finish(self) -> str:
        reveal_type(self.canonical)
        return self.canonical.close()


class Loose(compat.Adapter, of="shop.storage:Store"):
    def finish(self) -> str:
        return str(self.canonical.anything())


@compat.deprecated(Deprecated("shop.new:g", instead="h", **V))
def g(value: int) -> int:
    return value


reveal_type(g)
reveal_type(compat.getenv(Behaviour("shop.mode", "Old mode", instead="the new one", **PLAIN)))
Name("shop.old:A", "shop.new:A", **V)
