"""The public surface of one version of a package, as griffe reads it: which names users may rely on, and where each is."""

from __future__ import annotations

import ast
import functools
import importlib
import importlib.util
import logging
import os
import sysconfig
from typing import TYPE_CHECKING, Any

from compat.errors import CompatError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator


def load(package: str, search_path: str, version: str) -> Any:
    """A package as griffe reads it: from its source, nothing imported."""
    import griffe

    class Conventions(griffe.Extension):  # type: ignore[misc, unused-ignore]
        def on_module_members(self, *, node: Any, mod: Any, **others: Any) -> None:
            if isinstance(node, ast.Module):
                _exports(node, mod)
                _re_exports(node, mod)

    logging.getLogger("griffe").setLevel(logging.CRITICAL)
    try:
        return griffe.load(
            package,
            search_paths=[search_path],
            allow_inspection=False,
            resolve_aliases=True,
            extensions=griffe.load_extensions(Conventions),
        )
    except Exception as error:
        said = str(error).strip().partition("\n")[0] or type(error).__name__
        raise CompatError(f"package {package!r} of {version!r} cannot be read: {said}") from None


def _exports(tree: ast.Module, module: Any) -> None:
    """What ``__all__.extend([...])`` and ``__all__.append("...")`` add."""
    for statement in tree.body:
        call = statement.value if isinstance(statement, ast.Expr) else None
        if (
            not isinstance(call, ast.Call)
            or len(call.args) != 1
            or ast.unparse(call.func) not in ("__all__.extend", "__all__.append")
        ):
            continue
        try:
            added = ast.literal_eval(call.args[0])
        except ValueError:
            continue
        names = [added] if isinstance(added, str) else [name for name in added if isinstance(name, str)]
        module.exports = [*(module.exports or ()), *names]


def _re_exports(tree: ast.Module, module: Any) -> None:
    """Where there is no ``__all__``: ``import a as a``, and what a package imports from below itself, are public."""
    if module.exports:
        return
    for node in tree.body:
        if not isinstance(node, ast.ImportFrom):
            continue
        for alias in node.names:
            name = alias.asname or alias.name
            member = module.members.get(name)
            if member is None or not member.is_alias or name.startswith("_"):
                continue
            below = module.is_init_module and member.target_path.startswith(f"{module.path}.")
            if alias.asname == alias.name or (below and member.target_path.count(".") > module.path.count(".") + 1):
                member.public = True


def row_path(thing: Any) -> str:
    """The path of something as rows write it; ``""`` where its module is not known."""
    words: list[str] = []
    at = thing
    while at is not None and not _is_module(at):
        words.append(at.name)
        at = at.parent
    if at is None:
        return ""
    module = at.path
    return f"{module}:{'.'.join(reversed(words))}" if words else module


def _is_module(thing: Any) -> bool:
    # What an import binds may lead out of the package; the name itself is no module of it.
    return not thing.is_alias and thing.is_module


def is_meant(path: str, tests: Collection[str]) -> bool:
    """Whether users may rely on a path: no private name, no hook of a module, nothing of tests that are shipped."""
    module, _, attribute = path.partition(":")
    words, modules = attribute.split("."), module.split(".")
    if len(words) == 1 and attribute.startswith("__"):
        return False
    if any(word in ("tests", "conftest") or word.startswith("test_") for word in modules):
        return False
    if any(".".join(modules[: index + 1]) in tests for index in range(len(modules))):
        return False
    return not any(word.startswith("_") and not word.endswith("__") for word in (*words, *modules))


def test_packages(root: Any) -> set[str]:
    """The packages called ``test`` that hold tests; one that holds helpers for tests of users is as public as any."""
    return {
        module.path
        for module in modules(root)
        if module.name == "test" and any(name.startswith("test_") or name == "tests" for name in module.members)
    }


def modules(root: Any) -> Iterator[Any]:
    """A package and all modules below it."""
    pending = [root]
    while pending:
        module = pending.pop()
        yield module
        pending.extend(member for member in module.members.values() if not member.is_alias and member.is_module)


def at(root: Any, path: str) -> Any:
    """What stands at the path of a row, imports and bases followed; ``None`` where nothing does."""
    thing = root
    for word in path.replace(":", ".").split(".")[1:]:
        try:
            holder = final(thing)
            thing = holder.members.get(word)
            if thing is None and holder.is_class:
                thing = holder.inherited_members.get(word)
        except Exception:
            return None
        if thing is None:
            return None
    return thing


def final(thing: Any) -> Any:
    """What an import leads to; the import itself where that lies outside of the package."""
    try:
        return thing.final_target if thing.is_alias else thing
    except Exception:
        return thing


def moved(old: Any, new: Any) -> Iterator[tuple[str, Any, Any]]:
    """What is public under one path in both versions, defined at two: ``(path, old thing, new thing)``, each once."""
    seen: set[str] = set()
    pairs = [(holder, at(new, row_path(holder))) for holder in _holders(old)]
    for definitions in (True, False):
        for holder, other in pairs:
            for name, member in holder.members.items() if other is not None else ():
                if member.is_alias == definitions or not member.is_public:
                    continue
                before, after = final(member), final(at(other, f"it.{name}"))
                if after is None or before.is_alias or after.is_alias or before.is_module or after.is_module:
                    continue
                if before.path != after.path and before.path not in seen:
                    seen.add(before.path)
                    yield row_path(member), before, after


def _holders(root: Any) -> Iterator[Any]:
    """All modules of a package, and the classes in them."""
    for module in modules(root):
        yield module
        yield from (member for member in module.members.values() if not member.is_alias and member.is_class)


def alone(thing: Any) -> Any:
    """A module that holds one thing, to compare it with another whatever their paths are."""
    import griffe

    thing.public = True
    holder = griffe.Module("alone")
    holder.members["it"] = thing
    return holder


def inherits(owner: Any, name: str) -> bool:
    """Whether a class has a member from ``object``, its constructor apart, or from a base of the standard library."""
    if name in dir(object) and name != "__init__":
        return True
    pending, seen = [owner], set()
    while pending:
        kind = final(pending.pop())
        if kind.path in seen or kind.is_alias or not kind.is_class:
            continue
        seen.add(kind.path)
        for base in kind.bases:
            path = base if isinstance(base, str) else base.canonical_path
            try:
                pending.append(kind.modules_collection[path])
            except Exception:
                if name != "__init__" and name in _members(path):
                    return True
    return False


@functools.cache
def _members(path: str) -> frozenset[str]:
    """The names of a class of the standard library; none of any other, which would have to be imported."""
    words = path.split(".")
    found: Any = None
    try:
        spec = importlib.util.find_spec(words[0])
        origin, own = getattr(spec, "origin", None) or "", sysconfig.get_paths()["stdlib"]
        if origin in ("built-in", "frozen") or (origin.startswith(own + os.sep) and "-packages" not in origin):
            found = importlib.import_module(words[0])
            for index, word in enumerate(words[1:], 2):
                found = getattr(found, word, None) or importlib.import_module(".".join(words[:index]))
    except Exception:
        return frozenset()
    return frozenset(dir(found)) if isinstance(found, type) else frozenset()
