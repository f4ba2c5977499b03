"""Find the references to legacy paths in one file: imports, attribute chains, strings, annotations."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Optional, Union

from ..findings import HIGH, LOW, MEDIUM
from ..reading import constructs
from . import scopes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..targets import Target, Targets
    from .file_model import FileModel
    from .receivers import Receivers

_DOTTED = re.compile(r"[^\W\d]\w*(?:[.:][^\W\d]\w*)+\Z|[^\W\d]\w*\Z")


@dataclass(eq=False)
class Reference:
    """One use of a target. ``subject`` is the import, chain or text that refers; offsets are spans of UTF-8 bytes."""

    target: Target
    how: str
    start: int
    end: int
    confidence: str
    subject: Union[scopes.ImportedName, scopes.Chain, scopes.Text]
    call: Optional[ast.Call] = None


def find(file: FileModel, targets: Targets, receivers: Receivers) -> list[Reference]:
    """All references of a file, in order of their place."""
    finder = _Finder(file, targets, receivers)
    return sorted(finder.find(), key=lambda item: (item.start, item.end))


class _Finder:
    def __init__(self, file: FileModel, targets: Targets, receivers: Receivers) -> None:
        self.file, self.names, self.targets, self.receivers = file, file.names, targets, receivers

    def find(self) -> Iterator[Reference]:
        yield from self._imports()
        yield from self._chains()
        yield from self._texts()

    # -- imports

    def _imports(self) -> Iterator[Reference]:
        for item in self.names.imports:
            target = self._imported(item)
            how = "star" if item.name == "*" else "import"
            confidence = HIGH if target is not None and target.move is not None else MEDIUM
            if target is None and item.module in self.targets.re_exported:
                target, how, confidence = self.targets.re_exported[item.module].get(item.name), "re-export", MEDIUM
            if target is None:
                continue
            start, end = self.file.alias_span(item)
            yield Reference(target, how, start, end, confidence, item)

    def _imported(self, item: scopes.ImportedName) -> Optional[Target]:
        targets = self.targets
        target = targets.module(item.module) if item.name in ("", "*") else targets.attribute(item.module, item.name)
        if target is not None and target.move is None and item.name != "*" and targets.stays(target.legacy):
            return None
        if target is not None and item.name == "*" and target.move is None and not self._reads_star(item.module):
            return target if not targets.stays(target.legacy) else None
        return target

    def _reads_star(self, module: str) -> bool:
        names = self.targets.names.get(module, {})
        return any(not chain.attributes and chain.root.id in names for chain in self.names.chains)

    # -- attribute chains

    def _path_of(self, chain: scopes.Chain) -> str:
        """The dotted path that a chain spells out from an import, before any move is applied; empty where unknown."""
        bindings = self.names.lookup(chain.scope, chain.root.id)
        paths = {binding.path for binding in bindings if binding.statement is not None}
        if len(paths) != 1 or not all(binding.statement is not None or _is_fallback(binding) for binding in bindings):
            return ""
        return ".".join([paths.pop(), *chain.words])

    def _chains(self) -> Iterator[Reference]:
        imported = {item.module for item in self.names.imports if not item.name}
        for chain in self.names.chains:
            if not chain.attributes:
                continue
            dotted = self._path_of(chain)
            found = self.targets.resolve(dotted, imported) if dotted else None
            if found is None and dotted and self.targets.re_exported:
                found = self.targets.resolve_re_exported(dotted)
            if found is None:
                continue
            target, used = found
            head = dotted.count(".") - len(chain.attributes) + 1
            # The root alone reaching the target is the import statement's own finding.
            if used <= head or target.is_module:
                continue
            node = chain.attributes[used - head - 1]
            start, end = self.file.span(node)
            how = chain.role or ("call" if chain.call and node is chain.node else "attribute")
            yield Reference(target, how, start, end, HIGH, chain, chain.call)

    # -- strings

    def _texts(self) -> Iterator[Reference]:
        for text in self.names.texts:
            if text.role == "all":
                yield from self._exported(text)
            elif text.role == "annotation":
                yield from self._annotated(text)
            else:
                yield from self._dotted(text)

    def _exported(self, text: scopes.Text) -> Iterator[Reference]:
        for binding in self.names.module.bindings.get(str(text.node.value), ()):
            found = self.targets.resolve(binding.path) if binding.statement is not None and binding.path else None
            if found is not None and found[1] == binding.path.count(".") + 1:
                yield Reference(found[0], "export", *self.file.span(text.node), HIGH, text)
                return

    def _annotated(self, text: scopes.Text) -> Iterator[Reference]:
        try:
            tree = ast.parse(str(text.node.value).strip(), mode="eval")
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return
        inner = [node.value for node in ast.walk(tree) if isinstance(node, ast.Attribute)]
        for node in ast.walk(tree):
            if not isinstance(node, ast.Attribute) or node in inner:
                continue
            words = ast.unparse(node).split(".")
            bindings = self.names.lookup(text.scope, words[0])
            paths = {binding.path for binding in bindings if binding.statement is not None}
            found = self.targets.resolve(".".join([paths.pop(), *words[1:]])) if len(paths) == 1 else None
            if found is not None and not found[0].is_module:
                yield Reference(found[0], "annotation", *self.file.span(text.node), HIGH, text)

    def _dotted(self, text: scopes.Text) -> Iterator[Reference]:
        value = str(text.node.value)
        if len(value) > constructs.LONGEST_PATH or " " in value:
            return
        if not _DOTTED.match(value) and not (value.startswith(".") and text.call is not None):
            return
        path = value.replace(":", ".")
        head = path.partition(".")[0]
        if self._is_declaration(text):
            return
        how, confidence = self._role(text)
        if value.startswith("."):
            package = self._package_argument(text)
            path = _relative(value, package) if package else ""
            if how != "import_module" or not path:
                return
        elif "." not in value and how != "import_module" and head not in self.targets.modules:
            yield from self._patched_member(text, value)
            return
        found = self.targets.resolve(path)
        if found is None:
            return
        target = found[0]
        if target.move is None and (self.targets.stays(target.legacy) or confidence == LOW or found[1] != path.count(".") + 1):
            return
        if "." not in path and how not in ("import_module", "patch"):
            return
        yield Reference(
            target, how, *self.file.span(text.node), confidence if target.move is not None else MEDIUM, text, text.call
        )

    def _is_declaration(self, text: scopes.Text) -> bool:
        """Whether a string is an argument of a row: ``compat.Name("old.mod:A", ...)``, however it is imported."""
        if text.call is None:
            return False
        head, *rest = callee(text.call).split(".")
        paths = (
            ".".join([binding.path, *rest]) for binding in self.names.lookup(text.scope, head) if binding.statement is not None
        )
        return any(path.startswith("compat.") and path.rpartition(".")[2] in constructs.DECLARATIONS for path in paths)

    def _role(self, text: scopes.Text) -> tuple[str, str]:
        if text.call is None:
            parent = self.names.parents.get(text.node)
            if isinstance(parent, ast.Subscript) and "modules" in ast.dump(parent.value):
                return "sys.modules", HIGH
            return "string", MEDIUM
        words = callee(text.call)
        role = constructs.role(words)
        if role is not None:
            return role, HIGH
        if words.rpartition(".")[2] in constructs.KEYED and "modules" in words + ast.dump(text.call.args[0]):
            return "sys.modules", HIGH
        return "string", MEDIUM

    def _package_argument(self, text: scopes.Text) -> str:
        assert text.call is not None
        given = [*text.call.args[1:2], *(word.value for word in text.call.keywords if word.arg == "package")]
        if given and isinstance(given[0], ast.Constant) and isinstance(given[0].value, str):
            return given[0].value
        if given and isinstance(given[0], ast.Name) and given[0].id == "__package__" and self.file.module:
            return self.file.module if self.names.module.form == "package" else self.file.module.rpartition(".")[0]
        return ""

    def _patched_member(self, text: scopes.Text, value: str) -> Iterator[Reference]:
        """``patch.object(module, "Old")``, ``monkeypatch.setattr(module, "Old", ...)``, ``getattr(module, "Old")``."""
        call = text.call
        if call is None or len(call.args) < 2 or call.args[1] is not text.node:
            return
        if callee(call).rpartition(".")[2] not in constructs.SETTERS:
            return
        module = self._raw_path(text.scope, call.args[0])
        target = self.targets.attribute(module, value) if module and self.targets.is_known(module) else None
        if target is not None and not target.is_module:
            yield Reference(target, "patch.object", *self.file.span(text.node), HIGH, text, call)

    def _raw_path(self, scope: scopes.Scope, node: ast.expr) -> str:
        words: list[str] = []
        while isinstance(node, ast.Attribute):
            words.append(node.attr)
            node = node.value
        if not isinstance(node, ast.Name):
            return ""
        head = self.receivers.root_path(scope, node.id)
        return ".".join([head, *reversed(words)]) if head else ""


def _is_fallback(binding: scopes.Binding) -> bool:
    """``except ImportError: name = None`` beside an import: the import stays the only thing the name means."""
    return isinstance(binding.value, ast.Constant) and binding.value.value is None


def callee(call: ast.Call) -> str:
    words: list[str] = []
    node: ast.expr = call.func
    while isinstance(node, ast.Attribute):
        words.append(node.attr)
        node = node.value
    if isinstance(node, ast.Name):
        words.append(node.id)
    return ".".join(reversed(words))


def _relative(value: str, package: str) -> str:
    level = len(value) - len(value.lstrip("."))
    parts = package.split(".")
    if level - 1 >= len(parts):
        return ""
    return ".".join([*parts[: len(parts) - (level - 1)], value.lstrip(".")])
