"""Rule ``singleton``: a factory-built object is shared by the whole process."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from ..finding_text import place_of
from ..findings import HIGH, MEDIUM, Finding

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ..model.file_model import FileModel
    from ..model.receivers import Receivers
    from ..model.scopes import Chain, Names
    from ..targets import Targets

RULE = "singleton"
_ACCESSORS = ("_instance", "get_instance", "instance", "_instances")


def find(file: FileModel, targets: Targets, receivers: Receivers) -> Iterator[Finding]:
    """Report module-level and class-level instances, and ``_instance`` / ``get_instance`` of factory-built classes."""
    built = targets.members.adapters.factories
    if not built:
        return
    for scope in file.names.scopes:
        if scope.form not in ("module", "class"):
            continue
        for name, bindings in scope.bindings.items():
            for binding in bindings:
                made = receivers.of(binding.scope, binding.value) if binding.value is not None else ""
                if made in built:
                    where = "module" if scope.form == "module" else "class"
                    yield _finding(file, built, made, binding.node, f"{name} keeps one {_last(made)} for the whole {where}", HIGH)
    for chain in file.names.chains:
        kept = file.names.parents.get(chain.node)
        if isinstance(kept, (ast.Assign, ast.AnnAssign)) and kept.value is not chain.node and _is_on_class(file.names, chain):
            made = receivers.of(chain.scope, kept.value)
            if made in built:
                yield _finding(
                    file, built, made, chain.node, f"{chain.words[-1]} keeps one {_last(made)} for the whole class", HIGH
                )
        for node in chain.attributes:
            if node.attr in _ACCESSORS:
                path = receivers.path(chain.scope, node.value)
                if path in built:
                    yield _finding(
                        file, built, path, node, f"{_last(path)}.{node.attr} reaches for a process-wide instance", MEDIUM
                    )


def _is_on_class(names: Names, chain: Chain) -> bool:
    """Whether an attribute belongs to a class itself: ``cls.x``, ``self.__class__.x`` or ``Name.x`` of a class of the file."""
    bindings = names.lookup(chain.scope, chain.root.id)
    if len(bindings) != 1 or not chain.attributes:
        return False
    node, method = bindings[0].node, bindings[0].scope.node
    if isinstance(node, ast.arg) and isinstance(method, ast.FunctionDef):
        takes_class = method.name == "__new__" or any(getattr(word, "id", "") == "classmethod" for word in method.decorator_list)
        if takes_class and node in method.args.args[:1]:
            return len(chain.attributes) == 1
        return bindings[0].path == "<self>" and chain.words[:-1] == ["__class__"]
    return isinstance(node, ast.ClassDef) and len(chain.attributes) == 1


def _finding(file: FileModel, built: Mapping[str, str], path: str, node: ast.AST, said: str, confidence: str) -> Finding:
    factory = built[path]
    return Finding(
        rule=RULE,
        move=f"{RULE}:{path}",
        how="singleton",
        confidence=confidence,
        message=f"{said}: users would share its state.",
        replacement=f"Call {factory.partition(':')[2]}() for each user where it is needed.",
        symbol=path,
        **place_of(file.source, *file.span(node)),  # type: ignore[arg-type]
    )


def _last(path: str) -> str:
    return path.rpartition(".")[2]
