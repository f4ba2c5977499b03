"""Every place of one file that refers to a legacy path: imports, attribute chains, strings, annotations."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Optional, Union

from ..finding_text import IMPORTERS
from ..findings import HIGH, LOW, MEDIUM
from ..reading import embedded, import_statements
from . import doctests, relevance, scopes
from .receivers import Receivers

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ..reading.dialects import Tree
    from ..reading.sources import Source
    from .targets import Target, Targets

_DOTTED = re.compile(r"[^\W\d]\w*(?:[.:][^\W\d]\w*)+\Z|[^\W\d]\w*\Z")
_PATCHERS = ("patch", "patch.multiple", "patch.dict")
_SETTERS = ("setattr", "delattr", "object", "has", "hasattr", "getattr")


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


class Facts:
    """One parsed file and everything asked about it more than once."""

    def __init__(
        self,
        source: Source,
        tree: Tree,
        targets: Targets,
        *,
        module: str = "",
        is_package: bool = False,
        is_live: Callable[[str], bool] = lambda module: False,
        whole: bool = True,
    ) -> None:
        self.source, self.tree, self.targets, self.module, self.is_live = source, tree, targets, module, is_live
        data = source.data
        self.relevance = None if whole else relevance.Relevance(source, targets)
        self.model = scopes.build(
            tree.module,
            module,
            is_package=is_package,
            declares=b"global" in data or b"nonlocal" in data,
            relevance=self.relevance,
        )
        #: Type comments and doctests that could not be read.
        self.unread = embedded.add(self)
        self.programs = doctests.add(self)
        self.receivers = Receivers(self.model, targets, module)
        self.legacy_receivers = Receivers(self.model, targets, module, as_written=True)
        self._statements: dict[int, Optional[import_statements.Statement]] = {}
        self._references: Optional[list[Reference]] = None

    def close(self) -> None:
        """Untie what refers to one another, so that the tree is freed at once. Nothing can be asked of it any more."""
        for program in self.programs:
            program.facts.close()
        self.programs = []
        self.model.close()

    @property
    def references(self) -> list[Reference]:
        """All references of the file, in order of their place."""
        if self._references is None:
            found = [*self._imports(), *self._chains(), *self._texts()]
            self._references = sorted(found, key=lambda item: (item.start, item.end))
        return self._references

    def span(self, node: ast.AST) -> tuple[int, int]:
        """The byte span of an expression or statement."""
        source = self.source
        start = source.offset(node.lineno, node.col_offset)  # type: ignore[attr-defined]
        end = source.offset(node.end_lineno, node.end_col_offset)  # type: ignore[attr-defined]
        return start, end

    def statement(self, node: scopes.ImportNode) -> Optional[import_statements.Statement]:
        """The written parts of an import statement."""
        start = self.source.offset(node.lineno, node.col_offset)
        if start not in self._statements:
            self._statements[start] = import_statements.read(self.source.data, start)
        return self._statements[start]

    def alias_span(self, item: scopes.ImportedName) -> tuple[int, int]:
        """The byte span of one ``name as local`` of a statement."""
        read = self.statement(item.statement)
        index = item.statement.names.index(item.alias)
        if read is None or index >= len(read.aliases):
            return self.span(item.statement)
        return read.aliases[index].start, read.aliases[index].whole_end

    # -- imports

    def _imports(self) -> Iterator[Reference]:
        for item in self.model.imports:
            target = self._imported(item)
            how = "star" if item.name == "*" else "import"
            confidence = HIGH if target is not None and target.move is not None else MEDIUM
            if target is None and item.module in self.targets.handed_on:
                target, how, confidence = self.targets.handed_on[item.module].get(item.name), "re-export", MEDIUM
            if target is None:
                continue
            start, end = self.alias_span(item)
            yield Reference(target, how, start, end, confidence, item)

    def _imported(self, item: scopes.ImportedName) -> Optional[Target]:
        targets = self.targets
        target = targets.module(item.module) if item.name in ("", "*") else targets.attribute(item.module, item.name)
        if target is not None and target.move is None and item.name != "*" and self.is_live(target.legacy):
            return None
        if target is not None and item.name == "*" and target.move is None and not self._reads_star(item.module):
            return target if not self.is_live(target.legacy) else None
        return target

    def _reads_star(self, module: str) -> bool:
        names = self.targets.names.get(module, {})
        return any(not chain.attributes and chain.root.id in names for chain in self.model.chains)

    # -- attribute chains

    def path_of(self, chain: scopes.Chain) -> str:
        """The dotted path that a chain spells out from an import, before any move is applied; empty where unknown."""
        bindings = self.model.lookup(chain.scope, chain.root.id)
        paths = {binding.path for binding in bindings if binding.statement is not None}
        if len(paths) != 1 or not all(binding.statement is not None or _is_fallback(binding) for binding in bindings):
            return ""
        return ".".join([paths.pop(), *chain.words])

    def _chains(self) -> Iterator[Reference]:
        imported = {item.module for item in self.model.imports if not item.name}
        for chain in self.model.chains:
            if not chain.attributes:
                continue
            dotted = self.path_of(chain)
            found = self.targets.resolve(dotted, imported) if dotted else None
            if found is None and dotted and self.targets.handed_on:
                found = self.targets.resolve_handed_on(dotted)
            if found is None:
                continue
            target, used = found
            head = dotted.count(".") - len(chain.attributes) + 1
            # The root alone reaching the target is the import statement's own finding.
            if used <= head or target.is_module:
                continue
            node = chain.attributes[used - head - 1]
            start, end = self.span(node)
            how = chain.role or ("call" if chain.call and node is chain.node else "attribute")
            yield Reference(target, how, start, end, HIGH, chain, chain.call)

    # -- strings

    def _texts(self) -> Iterator[Reference]:
        for text in self.model.texts:
            if text.role == "all":
                yield from self._exported(text)
            elif text.role == "annotation":
                yield from self._annotated(text)
            else:
                yield from self._dotted(text)

    def _exported(self, text: scopes.Text) -> Iterator[Reference]:
        for binding in self.model.module.bindings.get(str(text.node.value), ()):
            found = self.targets.resolve(binding.path) if binding.statement is not None and binding.path else None
            if found is not None and found[1] == binding.path.count(".") + 1:
                yield Reference(found[0], "export", *self.span(text.node), HIGH, text)
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
            bindings = self.model.lookup(text.scope, words[0])
            paths = {binding.path for binding in bindings if binding.statement is not None}
            found = self.targets.resolve(".".join([paths.pop(), *words[1:]])) if len(paths) == 1 else None
            if found is not None and not found[0].is_module:
                yield Reference(found[0], "annotation", *self.span(text.node), HIGH, text)

    def _dotted(self, text: scopes.Text) -> Iterator[Reference]:
        value = str(text.node.value)
        if len(value) > 400 or " " in value:
            return
        path = value.replace(":", ".")
        head = path.partition(".")[0]
        if not _DOTTED.match(value) and not (value.startswith(".") and text.call is not None):
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
        if target.move is None and (self.is_live(target.legacy) or confidence == LOW or found[1] != path.count(".") + 1):
            return
        if "." not in path and how not in ("import_module", "patch"):
            return
        yield Reference(target, how, *self.span(text.node), confidence if target.move is not None else MEDIUM, text, text.call)

    def _role(self, text: scopes.Text) -> tuple[str, str]:
        if text.call is None:
            parent = self.model.parents.get(text.node)
            if isinstance(parent, ast.Subscript) and "modules" in ast.dump(parent.value):
                return "sys.modules", HIGH
            return "string", MEDIUM
        words = _callee(text.call)
        name = words.rpartition(".")[2]
        if name in IMPORTERS:
            return "import_module", HIGH
        if name == "patch" or any(words.endswith(f".{patcher}") or words == patcher for patcher in _PATCHERS) or name in _SETTERS:
            return "patch", HIGH
        if name in ("delitem", "setitem", "pop", "get") and "modules" in words + ast.dump(text.call.args[0]):
            return "sys.modules", HIGH
        return "string", MEDIUM

    def _package_argument(self, text: scopes.Text) -> str:
        assert text.call is not None
        given = [*text.call.args[1:2], *(word.value for word in text.call.keywords if word.arg == "package")]
        if given and isinstance(given[0], ast.Constant) and isinstance(given[0].value, str):
            return given[0].value
        if given and isinstance(given[0], ast.Name) and given[0].id == "__package__" and self.module:
            return self.module if self.model.module.kind == "package" else self.module.rpartition(".")[0]
        return ""

    def _patched_member(self, text: scopes.Text, value: str) -> Iterator[Reference]:
        """``patch.object(module, "Old")``, ``monkeypatch.setattr(module, "Old", ...)``, ``getattr(module, "Old")``."""
        call = text.call
        if call is None or len(call.args) < 2 or call.args[1] is not text.node:
            return
        if _callee(call).rpartition(".")[2] not in _SETTERS:
            return
        module = self._raw_path(text.scope, call.args[0])
        target = self.targets.attribute(module, value) if module and self.targets.is_known(module) else None
        if target is not None and not target.is_module:
            yield Reference(target, "patch.object", *self.span(text.node), HIGH, text, call)

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


def _callee(call: ast.Call) -> str:
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
