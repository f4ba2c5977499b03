"""Which global names of a file other files may come to instances by: of the classes whose methods a ledger speaks of."""

from __future__ import annotations

import re
from bisect import bisect_left
from typing import TYPE_CHECKING, Optional

from .types import CLASS, FUNCTION, INSTANCE, Type

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ...targets import Targets
    from ..file_model import FileModel
    from .inference import Inference

_HOPS = 4
_IN_WORD = re.compile(rb"\w\w")


class Carrying:
    """The global names of one file and what they lead to."""

    def __init__(self, file: FileModel, targets: Targets, inference: Inference) -> None:
        self.file, self.targets, self.inference, self.receivers = file, targets, inference, inference.receivers
        self._known: dict[str, bool] = {}

    def names(self) -> set[str]:
        """What matters among the global names whose definitions mention what does: an import first, and then each other."""
        modules, names = self._imported()
        found = {name for name in names if name in self.file.names.module.bindings}
        words = modules | names
        if not words:
            return found
        data = self.file.source.data
        pending = {name: spans for name, spans in self._spans().items() if name not in found}
        while words and pending:
            places = sorted(at for word in words for at in _mentions(data, word.encode()))
            words = set()
            for name, spans in [*pending.items()]:
                is_near = any(bisect_left(places, first) < bisect_left(places, end) for first, end in spans)
                if is_near and self._matters(name):
                    del pending[name]
                    words.add(name)
            found |= words
        return found

    def _spans(self) -> dict[str, list[tuple[int, int]]]:
        """The lines of the definitions of each global name that is not imported, as spans in bytes."""
        starts, size = self.file.source.starts, len(self.file.source.data)
        found: dict[str, list[tuple[int, int]]] = {}
        for name, bindings in self.file.names.module.bindings.items():
            for binding in bindings:
                node = binding.node if binding.value is None else binding.value
                first, last = getattr(node, "lineno", 0), getattr(node, "end_lineno", 0) or 0
                if first and binding.statement is None:
                    found.setdefault(name, []).append((starts[first - 1], starts[last] if last < len(starts) else size))
        return found

    def _imported(self) -> tuple[set[str], set[str]]:
        """The local names by which a file imports modules of what matters, and classes, factories or what another file gives."""
        known = self.targets.carried or {}
        modules: set[str] = set()
        for path in self.receivers.classes:
            module = path.rpartition(".")[0]
            while module and module not in modules:
                modules.add(module)  # the packages around it may hand it on
                module = module.rpartition(".")[0]
        found: tuple[set[str], set[str]] = set(), set()
        for item in self.file.names.imports:
            written = f"{item.module}.{item.name}" if item.name else item.module
            path = written
            if item.name and not self.receivers.as_written and item.module.partition(".")[0] in self.targets.tops:
                path = self.targets.spelt(self.targets.canonical_dotted(written))
            if item.name in known.get(item.module, ()) or path in self.receivers.classes or self.receivers.built(path):
                found[1].add(item.local)
            elif written in known or written in modules or path in modules:
                found[0].add(item.local)
        return found

    def _matters(self, name: str) -> bool:
        """Whether other files may come to an instance of a class that matters by a global name."""
        return self._come_to(self.inference.given(name), 0)

    def _come_to(self, made: Optional[Type], depth: int) -> bool:
        if made is None or depth > _HOPS:
            return False
        if made.form == FUNCTION:
            return made.owner is not None and self._come_to(made.owner.returned(made), depth + 1)
        if made.form not in (INSTANCE, CLASS):
            return any(self._come_to(one, depth + 1) for one in made.inner)
        if made.path not in self._known:
            self._known[made.path] = False
            self._known[made.path] = self._class_matters(made.path, depth)
        return self._known[made.path]

    def _class_matters(self, path: str, depth: int) -> bool:
        """Whether a class is one that matters, derives from one, or has a member by which one comes to an instance."""
        if path in self.receivers.classes:
            return True
        found = self.inference.class_at(path)
        if found is None:
            return False
        home, scope = found
        if any(self._come_to(Type(CLASS, base), depth + 1) for base in home.bases(scope) if base):
            return True
        for name in {*scope.members, *scope.bindings}:
            bindings = [*scope.members.get(name, ()), *scope.bindings.get(name, ())]
            if self._come_to(home.agreed(bindings), depth + 1):
                return True
        return False


def _mentions(data: bytes, word: bytes) -> Iterator[int]:
    """Where a name stands; a literal is found at memory speed."""
    at = data.find(word)
    while at >= 0:
        end = at + len(word)
        if not _IN_WORD.match(data, max(0, at - 1)) and not _IN_WORD.match(data, end - 1):
            yield at
        at = data.find(word, end)
