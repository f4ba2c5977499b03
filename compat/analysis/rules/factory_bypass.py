"""Rule ``factory-bypass``: a factory-built class is constructed outside its factory."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..finding_text import place_of
from ..findings import HIGH, Finding
from ..targets.adapters import defined_at

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..model.file_model import FileModel
    from ..model.receivers import Receivers
    from ..targets import Targets

RULE = "factory-bypass"


def find(file: FileModel, targets: Targets, receivers: Receivers) -> Iterator[Finding]:
    """Report direct constructions, except in the module of the class and in the module of its factory."""
    factories = targets.members.adapters.factories
    if not factories:
        return
    for scope, call, _chain in file.names.calls:
        path = receivers.path(scope, call.func)
        factory = factories.get(path, "")
        if not factory or file.module in _homes(path, factory.replace(":", ".")):
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
            **place_of(file.source, *file.span(call.func)),  # type: ignore[arg-type]
        )


def _homes(*paths: str) -> set[str]:
    """The modules that things are spelt by, and those they are defined in."""
    return {path.rpartition(".")[0] for spelt in paths for path in (spelt, defined_at(spelt))}
