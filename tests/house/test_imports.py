"""No module of the package imports itself in a circle: not at module level, not in a function, not for its annotations alone."""

from __future__ import annotations

import ast
import pathlib
from functools import lru_cache

import compat

ROOT = pathlib.Path(compat.__file__).parent

#: Imports that close a circle, importer first, and why each stays.
ALLOWED = {
    # A manager and its streams are parts of one factory and call it back; only their annotations name it.
    ("compat.canonical.core.manager", "compat.canonical.factory"): "the owner of the object",
    ("compat.canonical.core.stream", "compat.canonical.factory"): "the owner of the object",
    ("compat.canonical.core.stream", "compat.canonical.core.manager"): "the owner of the object",
    # Models need pydantic, an extra: modules that work without it offer them under the names that old code imports.
    ("compat.netra.components.agents.execution_types", "compat.netra.components.agents.execution_models"): "models on demand",
    (
        "compat.netra.components.connections.connection_utils",
        "compat.netra.components.messages.message_models",
    ): "models on demand",
    ("compat.netra.components.messages.creation", "compat.netra.components.messages.message_models"): "models on demand",
    ("compat.netra.components.types.core", "compat.netra.components.types.models"): "models on demand",
    # The old class has a constructor of its own subclass.
    ("compat.netra.components.agents.emitters.unified", "compat.netra.components.agents.emitters.sign_in"): "a subclass built",
    # Each of the two contexts converts to the other; only an annotation names the way back.
    ("compat.netra.components.context.execution", "compat.netra.components.context.user"): "converted from",
    # Tests replace `environment.get_env`: the validator has to look it up in the package at the time of the call.
    ("compat.netra.components.environment.validation", "compat.netra.components.environment"): "looked up when called",
}


def modules(root):
    """The modules below a package: name -> (path, whether it is a package)."""
    found = {}
    for path in sorted(root.rglob("*.py")):
        parts = path.relative_to(root.parent).with_suffix("").parts
        is_package = parts[-1] == "__init__"
        found[".".join(parts[:-1] if is_package else parts)] = (path, is_package)
    return found


def imports(name, path, is_package, known):
    """The modules among ``known`` that one of them imports, wherever in it the statement stands."""
    package = name.split(".") if is_package else name.split(".")[:-1]
    found = set()
    for node in ast.walk(ast.parse(path.read_bytes())):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            head = package[: len(package) - node.level + 1] if node.level else []
            base = ".".join([*head, *([node.module] if node.module else [])])
            # `from package import module` imports the module; any other name, the package.
            found.update(inner if (inner := f"{base}.{alias.name}") in known else base for alias in node.names)
    return (found & known) - {name}


@lru_cache
def graph(root):
    every = modules(root)
    return {name: imports(name, path, is_package, every.keys()) for name, (path, is_package) in every.items()}


def reached(edges, start):
    """What a module imports, directly or through others; itself only where it does so in a circle."""
    seen, pending = set(), [*edges[start]]
    while pending:
        name = pending.pop()
        if name not in seen:
            seen.add(name)
            pending.extend(edges[name])
    return seen


def circles(edges):
    """The sets of modules each of which imports all others of its set."""
    reach = {name: reached(edges, name) for name in edges}
    return {frozenset(other for other in reach[name] if name in reach[other]) for name in edges if name in reach[name]}


def test_no_module_imports_itself_through_others():
    edges = graph(ROOT)
    assert len(edges) > 300
    left = {name: {other for other in found if (name, other) not in ALLOWED} for name, found in edges.items()}
    assert sorted(map(sorted, circles(left))) == []


def test_each_allowed_import_would_close_a_circle():
    edges = graph(ROOT)
    allowed = set(ALLOWED)
    left = {name: {other for other in found if (name, other) not in ALLOWED} for name, found in edges.items()}
    closing = {(name, other) for name, other in allowed if other in edges[name] and name in reached(left, other)}
    assert allowed - closing == set()


def test_circles_are_seen_through_imports_of_every_kind(tmp_path):
    house = tmp_path / "house"
    files = {
        "__init__": "",
        "a": "from . import b\n",
        "b": "def f():\n    import house.c\n",
        "c": "TYPE_CHECKING = False\nif TYPE_CHECKING:\n    from .a import X\n",
        "d": "import house.a\n",
        "room/__init__": "from .door import open\n",
        "room/door": "from ..room import wall\n",
        "room/wall": "from house import room\n",
    }
    for name, text in files.items():
        path = house / f"{name}.py"
        path.parent.mkdir(exist_ok=True, parents=True)
        path.write_text(text, encoding="utf-8")
    assert circles(graph(house)) == {
        frozenset({"house.a", "house.b", "house.c"}),
        frozenset({"house.room", "house.room.door", "house.room.wall"}),
    }
