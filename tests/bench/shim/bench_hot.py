"""What a legacy use costs at a place where it was warned before, beside what others charge for a warning alone.

    python tests/bench/shim/bench_hot.py [rounds]

Default filters, durable counting. Peers count nothing. A floor is what the least Python that can do the same was measured
to cost in this run: it tells its caller's instructions apart, compares the filters, counts in a mapped file and looks at the
clock once in 64 uses, without which it could not tell days apart. The cost of the loop is taken off everything.
"""

from __future__ import annotations

import importlib
import itertools
import mmap
import operator
import os
import pathlib
import sys
import tempfile
import time
import types
import warnings
from collections.abc import Iterator
from typing import Any, Callable

from measuring import Table, Turns

MODERN = sys.version_info >= (3, 11)
CALL_BAR = 0.35 if MODERN else 0.6
IN_PLACE_BAR = 0.3
ARGUMENT_BAR = 2.0
"""A call in the present form of a function that has an Argument row, beside the bare call."""
NEW_FORMS = ("(1)", "(1, 2)", "(1, quantity=2)")
UNMOVED_BAR = 1.5
"""Another name of a module that carries rows, beside the attribute of a plain module.

From 3.11 to 3.13 the interpreter specialises the read of a module's attribute only where the module is of the plain type and
has no ``__getattr__``: whatever sees the read of a moved name, PEP 562 too, ends that for all names of the module.
"""
READS = 20
SAME = 1.1
"""What is the same is within a tenth."""
DATES = {"since": "1.0", "removal": "2.0", "instead": None}

CANONICAL = """
CONST = 1
class Widget: pass
class Real:
    def __init__(self): self.value = 1
    def open(self, x=1): return x
def function(x=1): return x
def stays(x=1): return x
def stays_too(x=1): return x
def stays_also(x=1): return x
def nothing(item, quantity=1): return item
def put(item, quantity=1):
    held = {"item": item, "quantity": quantity}
    return [name for name in held if name != item]
"""
LEGACY_ADAPTERS = """
from compat import Adapter, legacy_method, renamed
class Old(Adapter, of="bench_core:Real"):
    start = renamed("open")
    @legacy_method(instead=None)
    def go(self, x=1): return x
"""
PEP_562 = """
import warnings, bench_core
valid = 1
def __getattr__(name):
    if name == "Widget":
        warnings.warn("Widget has moved to bench_core", DeprecationWarning, 2)
        return bench_core.Widget
    raise AttributeError(name)
"""
LIVE = "valid = 1\n"
FLOOR = """
def floor({parameter}):
    caller = frame(1)
    try:
        code, cell = hot[caller.f_lasti]
        if code is not caller.f_code:
            cell = hot[id(code)]
    except KeyError:
        cell = missing(caller)
    if warnings.filters == snapshot:
        for code in cell:
            break
    return {result}
"""


def floor_of(parameter: str, result: str, **names: Any) -> Callable[..., Any]:
    """Return the least function that tells call sites and days apart, honours the filters and keeps its counts at a kill."""
    hot: dict[int, Any] = {}

    def look(_: object) -> object:
        time.time()
        raise StopIteration

    def missing(caller: types.FrameType) -> Iterator[object]:
        view: Any = memoryview(mmap.mmap(-1, 8)).cast("Q", [1])
        looks = map(look, itertools.repeat(None))
        views = itertools.chain.from_iterable(itertools.cycle((looks, [view] * 64)))
        cell = map(operator.setitem, views, itertools.repeat(0), itertools.count(1))
        hot[caller.f_lasti] = (caller.f_code, cell)
        return cell

    made: dict[str, Any] = {**names, "hot": hot, "missing": missing, "snapshot": list(warnings.filters)}
    made.update(warnings=warnings, frame=sys._getframe)
    exec(FLOOR.format(parameter=parameter, result=result), made)
    built: Callable[..., Any] = made["floor"]
    return built


def least_wrapper(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return the least function that can tell whether an old argument was given.

    What is in place asks more: whether one position too many was given, and whether the new argument was given beside the old.
    Questions cost as much as the call: asked by the function itself, in code put before its own, an empty one takes 2.1 to 2.6.
    """

    def wrapper(item: Any, quantity: Any = 1, qty: Any = NEW_FORMS) -> Any:
        if qty is not NEW_FORMS:
            raise TypeError
        return function(item, quantity)

    return wrapper


def call_peers(function: Callable[..., Any]) -> dict[str, Callable[..., Any] | None]:
    """Return the function as others deprecate it; ``None`` where a peer is not installed."""

    def forwarder(*args: Any, **kwargs: Any) -> Any:
        return function(*args, **kwargs)

    makers: dict[str, Callable[[Any], Callable[..., Any]]] = {
        "typing_extensions": lambda peer: peer.deprecated("moved")(function),
        "zope.deprecation": lambda peer: peer.deprecate("moved")(function),
        "debtcollector": lambda peer: importlib.import_module("debtcollector.removals").remove(function),
        "deprecated": lambda peer: peer.deprecated(version="1.0", reason="moved")(function),
        "deprecation": lambda peer: peer.deprecated(deprecated_in="1.0", removed_in="3.0", current_version="1.5")(function),
    }
    made: dict[str, Callable[..., Any] | None] = {"plain *args forwarder": forwarder}
    for name, make in makers.items():
        try:
            made[name] = make(importlib.import_module(name))
        except ImportError:
            made[name] = None
    return made


def module(name: str, source: str) -> types.ModuleType:
    """Make a loaded module from source."""
    made = sys.modules[name] = types.ModuleType(name)
    exec(source, made.__dict__)
    return made


def main() -> int:
    """Measure and print; return the exit code."""
    with tempfile.TemporaryDirectory() as folder:
        os.environ["COMPAT_DIR"] = folder
        os.environ.pop("COMPAT_TELEMETRY", None)
        sys.path.insert(0, folder)
        (pathlib.Path(folder) / "bench_live.py").write_text(LIVE)
        (pathlib.Path(folder) / "bench_core.py").write_text(CANONICAL)
        return measure(int(sys.argv[1]) if len(sys.argv) > 1 else 25)


def measure(rounds: int) -> int:
    """Install a ledger of one row for each way of use, and time them all in turn."""
    import wrapt

    import compat
    from compat import Argument, Class, Deprecated, Ledger, Method, Module, Name

    core = importlib.import_module("bench_core")
    bare = {name: getattr(core, name) for name in ("nothing", "put")}
    module("bench_adapters", LEGACY_ADAPTERS)
    ledger = Ledger("bench", version="1.5")
    ledger += [
        Module("bench_old.mod", "bench_core", **DATES),
        Name("bench_live:Widget", "bench_core:Widget", **DATES),
        Class("bench_classes:Old", "bench_core:Real", adapter="bench_adapters:Old", **DATES),
        Method("bench_core:Real.old_open", "bench_core:Real.open", **DATES),
        Deprecated("bench_core:stays", **DATES),
        Deprecated("bench_core:stays_too", **DATES),
        Deprecated("bench_core:stays_also", **DATES),
        Argument("bench_core:nothing", "qty", became="quantity", **DATES),
        Argument("bench_core:put", "qty", became="quantity", **DATES),
    ]
    compat.install(ledger)
    live, moved = importlib.import_module("bench_live"), importlib.import_module("bench_old.mod")
    by_hand = module("bench_by_hand", PEP_562)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        old = importlib.import_module("bench_classes").Old()
    real, proxy = core.Real(), wrapt.ObjectProxy(core.Real())
    peers = call_peers(core.function)
    turns = Turns(rounds=rounds)
    turns.add("direct", "f(1)", f=core.function)
    turns.add("direct method", "o.open(1)", o=real)
    turns.add("ours", "o.old_open(1)", o=real)
    turns.add("in place", "f(1)", f=core.stays)
    turns.add("in turn", "f(1); g(1)", f=core.stays_too, g=core.stays_also)
    turns.add("floor", "f(1)", f=floor_of("x=None", "fn(x)", fn=core.function))
    read = property(floor_of("self", "self.__dict__['valid']"))
    floor_module = type("FloorModule", (types.ModuleType,), {"floor": read})("bench_floor")
    floor_module.valid = 1  # type: ignore[attr-defined]
    turns.add("floor of a read", "m.floor", m=floor_module)
    for name, how in itertools.product(bare, NEW_FORMS):
        turns.add(f"bare {name}{how}", f"f{how}", f=bare[name])
        turns.add(f"argument {name}{how}", f"f{how}", f=getattr(core, name))
        turns.add(f"wrapped {name}{how}", f"f{how}", f=least_wrapper(bare[name]))
    for name, peer in peers.items():
        if peer is not None:
            turns.add(name, "f(1)", f=peer)
    for what, names in {"attribute": "m.Widget", "valid": "m.valid"}.items():
        turns.add(f"{what} live", names, m=live)
        turns.add(f"{what} by hand", names, m=by_hand)
    for what, read in {"live": live, "by hand": by_hand, "plain": module("bench_plain", LIVE)}.items():
        turns.add(f"unmoved {what}", "m.valid; " * READS, m=read)
    turns.add("loop", "pass")
    turns.add("attribute moved", "m.CONST", m=moved)
    turns.add("plain attribute", "m.CONST", m=core)
    turns.add("proxy attribute", "o.value", o=proxy)
    turns.add("proxy method", "o.open(1)", o=proxy)
    turns.add("old attribute", "o.value", o=old)
    turns.add("old pass", "o.open(1)", o=old)
    turns.add("old renamed", "o.start(1)", o=old)
    turns.add("old method", "o.go(1)", o=old)
    turns.add("import plain", "import bench_core")
    turns.add("import ours", "import bench_old.mod")
    return show(turns.run(), peers)


def show(ns: dict[str, float], peers: dict[str, Any]) -> int:
    """Print the table; return the exit code."""
    table = Table("A use at a known place, default filters", "ns")

    loop = ns["loop"]
    ns = {name: taken - (0 if name.startswith("unmoved") else loop) for name, taken in ns.items()}
    ns["in turn"] /= 2

    def row(what: str, name: str, against: str, peer: str, *, bar: float | None = None, floor: str = "") -> None:
        ratio = ns[name] / ns[against]
        shown = "" if bar is None else f"<= {bar:g}"
        table.add(what, ns[name], f"{ratio:.2f} of {peer}", bar=shown, met=bar is None or ratio <= bar, floor=floor)

    def floor(against: str, bar: float, cost: float) -> str:
        least = cost / ns[against]
        return f"{least:.2f}" if least > bar else ""

    cheapest = "typing_extensions"
    table.add("direct call", ns["direct"])
    row("legacy method, counted", "ours", cheapest, cheapest, bar=CALL_BAR, floor=floor(cheapest, CALL_BAR, ns["floor"]))
    row(
        "function deprecated in place, counted",
        "in place",
        cheapest,
        cheapest,
        bar=IN_PLACE_BAR,
        floor=floor(cheapest, IN_PLACE_BAR, ns["floor"]),
    )
    row("two such functions of one signature in turn", "in turn", cheapest, cheapest)
    row("floor: site, filters, count in a mapped file", "floor", cheapest, cheapest)
    for name, peer in peers.items():
        if peer is None:
            table.add(name, None)
        else:
            row(name, name, cheapest, cheapest)
    least = ns["floor of a read"]
    by_hand = "attribute by hand"
    row(
        "moved name read from a live module",
        "attribute live",
        by_hand,
        "PEP 562",
        bar=0.25,
        floor=floor(by_hand, 0.25, least),
    )
    row("attribute of a moved module", "attribute moved", by_hand, "PEP 562", bar=0.25, floor=floor(by_hand, 0.25, least))
    table.add("PEP 562 by hand, warns", ns[by_hand], "1")
    row("valid name in an overlaid module", "valid live", "valid by hand", "plain", bar=SAME)
    table.add("plain attribute", ns["valid by hand"], "1")
    unmoved = {what: (ns[f"unmoved {what}"] - loop) / READS for what in ("live", "by hand", "plain")}
    ratio, least = unmoved["live"] / unmoved["plain"], unmoved["by hand"] / unmoved["plain"]
    table.add(
        "another name of that module, specialised loop",
        unmoved["live"],
        f"{ratio:.2f} of a plain module",
        bar=f"<= {UNMOVED_BAR:g}",
        met=ratio <= UNMOVED_BAR,
        floor=f"{least:.2f}" if least > UNMOVED_BAR else "",
        digits=1,
    )
    table.add("plain module, specialised loop", unmoved["plain"], "1", digits=1)
    for name, how in itertools.product(("put", "nothing"), NEW_FORMS):
        what, plain = ("a function of two lines" if name == "put" else "an empty function"), f"bare {name}{how}"
        peer, bar = "bare", ARGUMENT_BAR if name == "put" else None
        if bar is None:  # any wrapper doubles what an empty function takes
            peer = f"bare, and a wrapper that asks once {ns[f'wrapped {name}{how}'] / ns[plain]:.2f}"
        row(f"new form of {what} with a row for an argument, {how}", f"argument {name}{how}", plain, peer, bar=bar)
    row("instance attribute, passed through", "old attribute", "proxy attribute", "wrapt", bar=1)
    row("instance method, passed through", "old pass", "proxy method", "wrapt", bar=1)
    row("renamed method, counted", "old renamed", "proxy method", "wrapt", bar=1)
    row("legacy method of an adapter, counted", "old method", "proxy method", "wrapt", bar=1)
    table.add("wrapt.ObjectProxy attribute", ns["proxy attribute"], "1")
    table.add("wrapt.ObjectProxy method", ns["proxy method"], "1")
    cached = ns["import ours"]
    told = f"{cached / ns['import plain']:.2f} of plain"
    table.add("cached import of a moved module, counted", cached, told, bar="<= 3,000 ns", met=cached <= 3000)
    table.add("cached import, plain", ns["import plain"], "1")
    return table.show()


if __name__ == "__main__":
    sys.exit(main())
