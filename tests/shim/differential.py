"""Drives random warning filters and uses through the funnel and through warnings.warn; prints where they differ.

Run as a script: ``differential.py SEED STEPS``. Both sides play the same sequence, one after the other, each from a fresh
state; what is shown, recorded and raised is compared step by step.
"""

from __future__ import annotations

import contextlib
import random
import sys
import types
import warnings

import compat
from compat.errors import LegacyAnnouncedWarning, LegacyUseWarning
from compat.ledger import Ledger, Method
from compat.shim.forward import forward
from compat.shim.recording.funnel import UseRecorder

LINES = 6
MODULES = ("__main__", "app.users", "app.orders", "lib")
CATEGORIES = (Warning, DeprecationWarning, PendingDeprecationWarning, LegacyUseWarning, LegacyAnnouncedWarning, UserWarning)
ACTIONS = ("ignore", "default", "once", "module", "always", "error")
VERSIONS = ("1.5", "0.5")


def recorder(version: str, name: str) -> UseRecorder:
    ledger = Ledger("kit", version=version) + [Method(f"m:C.{name}", f"m:C.new_{name}", since="1.0", removal="2.0", instead=None)]
    return UseRecorder(next(iter(ledger)), ledger)


def targets(stock: bool) -> list:
    """The used functions: forwarders of the shim, or functions that warn by hand with the same words."""
    made = []
    for number, version in enumerate(VERSIONS * 2):
        one = recorder(version, f"f{number}")
        _, warning = one._words("call")

        def plain(x=1):
            return x

        if not stock:
            made.append(forward(plain, one))
            continue

        def by_hand(x=1, *, warning=warning):
            warnings.warn(warning, stacklevel=2)
            return x

        made.append(by_hand)
    return made


def callers(functions: list) -> list:
    """Functions of several modules that use each target at several lines."""
    source = "".join(f"def use{line}(f):\n    return f({line})\n" for line in range(LINES))
    made = []
    for name in MODULES:
        module = types.ModuleType(name)
        exec(compile(source, f"/src/{name.replace('.', '/')}.py", "exec"), vars(module))
        made += [(vars(module)[f"use{line}"], function) for line in range(LINES) for function in functions]
    return made


def play(seed: int, steps: int, stock: bool) -> list:
    """One side of the comparison: the log of what was shown, recorded and raised at each step."""
    choose = random.Random(seed)
    log: list = []
    uses = callers(targets(stock))
    saved_filters, saved_show, saved_once = warnings.filters[:], warnings.showwarning, dict(warnings.onceregistry)
    warnings.onceregistry.clear()
    warnings.showwarning = lambda message, category, filename, line, *rest: log.append(
        ("shown", str(message), category.__name__, filename, line)
    )
    stack: list = []
    try:
        for step in range(steps):
            number = choose.random()
            if number < 0.86:
                use, function = choose.choice(uses)
                try:
                    use(function)
                except Warning as error:
                    log.append(("raised", step, type(error).__name__, str(error)))
            elif number < 0.90:
                change_filters(choose)
            elif number < 0.93:
                context = warnings.catch_warnings(record=choose.random() < 0.5)
                stack.append((context, context.__enter__()))
            elif number < 0.96 and stack:
                context, recorded = stack.pop()
                context.__exit__(None, None, None)
                log.append(("recorded", step, [(str(w.message), w.filename, w.lineno) for w in recorded or ()]))
            elif number < 0.97:
                edit_filters(choose)
            elif number < 0.985:
                with warnings.catch_warnings(record=True) as recorded:
                    warnings.simplefilter(choose.choice(ACTIONS[1:5]))
                    use, function = choose.choice(uses)
                    use(function)
                    use(function)
                log.append(("recorded", step, [(str(w.message), w.filename, w.lineno) for w in recorded]))
            if len(stack) > 5:
                context, _ = stack.pop(0)
                while stack:
                    stack.pop()[0].__exit__(None, None, None)
                context.__exit__(None, None, None)
    finally:
        while stack:
            stack.pop()[0].__exit__(None, None, None)
        warnings.filters[:] = saved_filters
        warnings._filters_mutated()
        warnings.showwarning = saved_show
        warnings.onceregistry.clear()
        warnings.onceregistry.update(saved_once)
    return log


def change_filters(choose: random.Random) -> None:
    number = choose.random()
    action, category = choose.choice(ACTIONS), choose.choice(CATEGORIES)
    append, line = choose.random() < 0.3, choose.choice((0, 0, 0, 2, 4))
    if number < 0.5:
        warnings.simplefilter(action, category, lineno=line, append=append)
    elif number < 0.9:
        message = choose.choice(("", "Calling C.f1", ".*2.0", "nothing"))
        module = choose.choice(("", "app", r"app\.users", "__main__", "other"))
        warnings.filterwarnings(action, message, category, module, line, append)
    else:
        warnings.resetwarnings()


def edit_filters(choose: random.Random) -> None:
    """Edits that tell the warnings module nothing; unseen by sites that stock has seen, seen by all others."""
    entry = (choose.choice(ACTIONS[:1] + ACTIONS[4:5]), None, choose.choice(CATEGORIES), None, 0)
    with contextlib.suppress(IndexError):
        if choose.random() < 0.5:
            warnings.filters.insert(0, entry)
        else:
            warnings.filters[choose.randrange(len(warnings.filters) + 1)] = entry


def compare(seed: int, steps: int) -> tuple[int, list]:
    """Play both sides; return the length of the log and the first differences."""
    stock, shim = play(seed, steps, True), play(seed, steps, False)
    different = [(a, b) for a, b in zip(stock, shim) if a != b][:3]
    if not different and len(stock) != len(shim):
        different = [(f"{len(stock)} entries", f"{len(shim)} entries")]
    return len(stock), different


if __name__ == "__main__":
    length, found = compare(int(sys.argv[1]), int(sys.argv[2]))
    assert compat.usage(), "the shim's side counted nothing"
    print(f"{sys.argv[2]} steps, {length} warnings, {len(found)} differences")
    for pair in found:
        print("stock:", pair[0], "\nshim: ", pair[1], sep="\n  ")
    sys.exit(bool(found))
