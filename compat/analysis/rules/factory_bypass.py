"""Factory bypass: a factory-built class is constructed outside its factory."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..findings import HIGH, Finding
from ..model.adapters import defined_at
from . import report

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..model.references import Facts

RULE = "factory-bypass"


def find(facts: Facts) -> Iterator[Finding]:
    """Report direct constructions, except in the module of the class and in the module of its factory."""
    factories = facts.targets.adapters.factories
    if not factories:
        return
    for scope, call, _chain in facts.model.calls:
        path = facts.receivers.path(scope, call.func)
        factory = factories.get(path, "")
        if not factory or facts.module in _homes(path, factory.replace(":", ".")):
            continue
        name, builder = path.rpartition(".")[2], factory.partition(":")[2]
        yield Finding(
            rule=RULE,
            move=f"{RULE}:{path}",
            how="construct",
            confidence=HIGH,
            message=f"{name} is built by its factory: direct construction bypasses {builder}().",
            replacement=f"Call {builder}() from '{factory.partition(':')[0]}' instead.",
            symbol=path,
            **report.place(facts, *facts.span(call.func)),  # type: ignore[arg-type]
        )


def _homes(*paths: str) -> set[str]:
    """The modules that things are spelt by, and those they are defined in."""
    return {path.rpartition(".")[0] for spelt in paths for path in (spelt, defined_at(spelt))}
