"""Draft rows for what no row covers: what moved and what was renamed is recognised by its name, signature and body."""

from __future__ import annotations

import ast
import textwrap
from typing import TYPE_CHECKING, Any, Optional

from . import breaks, surface

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from .breaks import Break

_UNSAID = "(say what to write instead)"


class Drafter:
    """Drafts rows, as source text, against the new version of a package."""

    def __init__(self, old: Any, new: Any, since: str, removal: str) -> None:
        self.old, self.new = old, new
        self.told = f"since={since!r}, removal={removal!r}"
        self.since = since
        self._tests = surface.test_packages(new)
        self._by_name: dict[str, list[Any]] = {}
        self._by_shape: dict[tuple[str, str], list[Any]] = {}
        self._modules: list[Any] = []
        for thing in _everything(new):
            if not self._is_public(thing):
                continue
            if _is_module(thing):
                self._modules.append(thing)
                continue
            self._by_name.setdefault(thing.name, []).append(thing)
            shape = _shape(thing)
            if shape:
                self._by_shape.setdefault((_holder(thing), shape), []).append(thing)

    def rows(self, found: Iterable[Break]) -> list[str]:
        """One row for each break, as a line or two of source; breaks of one function may share one."""
        made: dict[str, None] = {}
        found = list(found)
        renamed = {(broken.path, self._renamed(broken, found)) for broken in found if broken.kind == breaks.PARAMETER_REMOVED}
        for broken in found:
            if broken.kind == breaks.PARAMETER_ADDED and (broken.path, broken.parameter) in renamed:
                continue  # the row of its old name speaks of it
            if broken.kind == breaks.REMOVED:
                made[self._removed(broken)] = None
            elif broken.parameter:
                made[self._parameter(broken, found)] = None
            else:
                made[f"# {broken.message}: no row can serve it; compat.Behaviour(...) and compat.use() can tell of it."] = None
        return list(made)

    def _removed(self, broken: Break) -> str:
        thing, path = broken.was, broken.path
        if _is_module(thing):
            there = self._module(thing)
            if there:
                return f"Module({path!r}, {there!r}, {self.told}, instead=None),"
            return f"Removed({path!r}, since={self.since!r}, instead={_UNSAID!r}),"
        there = self._moved(thing, path)
        if "." in path.partition(":")[2]:
            if there:
                return f"Method({path!r}, {there!r}, {self.told}, instead=None),"
            return f"Removed({path!r}, since={self.since!r}, instead={_UNSAID!r}),"
        if there:
            return f"Name({path!r}, {there!r}, {self.told}, instead=None),"
        return f"Removed({path!r}, since={self.since!r}, instead={_UNSAID!r}),"

    def _moved(self, thing: Any, path: str) -> str:
        """Where something is now; ``""`` where nothing tells."""
        target = surface.final(thing)
        holder = _holder(thing)
        is_member = "." in path.partition(":")[2]
        alike = self._by_shape.get((holder if is_member else "", _shape(target)), []) if _shape(target) else []
        same = [
            item for item in self._by_name.get(thing.name, ()) if _holder(item) == "" and not is_member and _alike(item, target)
        ]
        for candidates in ([item for item in same if item in alike], same, alike):
            there = {surface.row_path(item) for item in candidates}
            paths = sorted(there, key=lambda at: (-_shared(at, path), at.count("."), at))
            if len(paths) == 1 or (paths and candidates is same):
                return paths[0]
        return ""

    def _is_public(self, thing: Any) -> bool:
        """Whether old users can be sent there: not what stubs alone have, nor a private name, nor one of tests."""
        return thing.runtime and surface.is_meant(surface.row_path(thing), self._tests)

    def _module(self, thing: Any) -> str:
        """The module that holds what a module held; ``""`` where none holds two thirds of it."""
        names = {
            name
            for name, member in thing.members.items()
            if not name.startswith("_") and not member.is_alias and not member.is_module
        }
        best, most = "", 0.0
        for module in self._modules:
            shared = names & set(module.members)
            share = len(shared) / len(names) if names else 0.0
            better = share > most or (share == most and module.name == thing.name)
            if share >= 2 / 3 and better:
                best, most = module.path, share
        return best

    def _parameter(self, broken: Break, found: list[Break]) -> str:
        function, name = broken.path, broken.parameter
        if broken.kind == breaks.PARAMETER_REMOVED:
            became = self._renamed(broken, found)
            return f"Argument({function!r}, {name!r}, became={became!r}, {self.told}, instead=None),"
        if broken.kind in (breaks.PARAMETER_ADDED, breaks.PARAMETER_REQUIRED):
            return f"Argument({function!r}, {name!r}, default='package.module:callable', {self.told}, instead=None),"
        if broken.kind == breaks.PARAMETER_MOVED:
            order = [item.name for item in _function(self.old, function).parameters if item.name not in ("self", "cls")]
            positional = " ".join(word for word in order if not word.startswith("*"))
            return f"Argument({function!r}, order={positional!r}, {self.told}, instead=None),"
        if broken.kind == breaks.PARAMETER_KIND and broken.new == "keyword-only":
            return f"Argument({function!r}, keyword_only={name!r}, {self.told}, instead=None),"
        if broken.kind == breaks.PARAMETER_DEFAULT and _is_literal(broken.old):
            return f"Argument({function!r}, {name!r}, was={broken.old}, {self.told}, instead=None),"
        return f"# {broken.message}: see which form of Argument fits."

    def _renamed(self, broken: Break, found: list[Break]) -> Optional[str]:
        """What a parameter is called now: the new one at its place, or the only new one where it is the only one that is gone."""
        try:
            before, after = (
                [item.name for item in _function(version, broken.path).parameters if item.name not in ("self", "cls")]
                for version in (self.old, self.new)
            )
        except (KeyError, AttributeError):
            return None
        place = before.index(broken.parameter) if broken.parameter in before else -1
        if 0 <= place < len(after) and after[place] not in before and len(before) == len(after):
            return str(after[place])
        added = [other.parameter for other in found if other.path == broken.path and other.kind == breaks.PARAMETER_ADDED]
        gone = [other.parameter for other in found if other.path == broken.path and other.kind == breaks.PARAMETER_REMOVED]
        return added[0] if len(added) == len(gone) == 1 else None


def _is_literal(text: str) -> bool:
    try:
        ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return False
    return True


def _everything(root: Any) -> Iterator[Any]:
    """Everything that a package defines itself, members of classes included."""
    pending = [root]
    while pending:
        thing = pending.pop()
        yield thing
        for member in thing.members.values():
            if not member.is_alias:
                pending.append(member)
            elif member.is_public:
                yield member


def _is_module(thing: Any) -> bool:
    return not thing.is_alias and thing.is_module


def _holder(thing: Any) -> str:
    """The class that holds a member, by its name; ``""`` for what a module holds."""
    parent = thing.parent
    return parent.name if parent is not None and not parent.is_alias and parent.is_class else ""


def _alike(found: Any, gone: Any) -> bool:
    """Whether something of the same name may be what is gone: of the same kind and value, with its parameters or members."""
    found = surface.final(found)
    if found.is_alias or gone.is_alias:
        return True
    if found.kind is not gone.kind:
        return False
    if gone.is_function:
        return {item.name for item in gone.parameters} <= {item.name for item in found.parameters}
    if gone.is_class:
        members = {name for name in gone.members if not name.startswith("__")}
        return 2 * len(members & set(found.all_members)) >= len(members)
    return str(found.value) == str(gone.value)


def _shared(path: str, other: str) -> int:
    """How many packages two paths have in common."""
    words = zip(path.replace(":", ".").split("."), other.replace(":", ".").split("."))
    return next((index for index, (one, two) in enumerate(words) if one != two), 99)


def _shape(thing: Any) -> str:
    """The source of a function or class without its name and docstring; ``""`` where it is too small to tell it by."""
    try:
        if thing.is_alias or not (thing.is_function or thing.is_class):
            return ""
        node = ast.parse(textwrap.dedent("\n".join(thing.lines))).body[0]
    except Exception:
        return ""
    if not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        return ""
    node.decorator_list, node.name = [], "_"
    body = node.body
    if isinstance(body[0], ast.Expr) and isinstance(body[0].value, ast.Constant):
        node.body = body[1:]
    made = ast.dump(node) if node.body else ""
    return made if len(made) > 150 else ""


def _function(root: Any, path: str) -> Any:
    return surface.final(surface.at(root, path))
