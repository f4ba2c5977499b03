"""Stubs of legacy paths: type checkers report old names with the ledger's sentence (PEP 702).

They are for a directory that the checker's configuration names. Parents of modules below a generic root get no stub of their own,
so that checkers go on to the installed packages of that name.

A moved class is a deprecated subclass of the canonical one, a moved function a deprecated function of the same signature.
What stays where it is and is deprecated there is marked in a copy of its module's source.
Constants, enumerations and whole modules cannot be marked in PEP 702's terms: they are typed by the canonical object, and
:mod:`compat.analysis.scanning.scanner` finds them.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from compat.ledger import advice
from compat.ledger.move import TARGET

from ..targets import Targets
from ..targets.adapters import parse_module
from ..targets.module_files import find_module_file, importable
from . import marked_source, signatures

if TYPE_CHECKING:
    from collections.abc import Iterator

    from compat.ledger import Ledger, Move

    from ..targets import Target

# A class that hides its canonical base's members is meant to; checkers report what stands in a project's own directories.
_QUIET = (
    "# mypy: ignore-errors\n"
    "# pyright: reportGeneralTypeIssues=false, reportIncompatibleMethodOverride=false\n"
    "# pyright: reportIncompatibleVariableOverride=false, reportPrivateImportUsage=false\n"
    "# pyright: reportOverlappingOverload=false, reportInconsistentOverload=false\n"
)
_CATCH_ALL = "def __getattr__(name: str) -> Any: ..."


def generate(ledger: Ledger) -> dict[str, str]:
    """The stub files of a ledger: path relative to the output directory -> text."""
    targets = Targets(ledger)
    for pattern in ledger.patterns:
        for module in pattern.modules(signatures.submodules(pattern.row.canonical)):
            targets.match(module)
    moved = {*(module for module in targets.legacy_modules if module in targets.moved), *_below(targets)}
    staying = {module for module in moved if targets.covering(module) is None and targets.stays(module)}
    # Of a module that stays, a stub names all that it has, or there is none.
    staying = {module for module in staying if parse_module(module) is not None}
    modules = {module: _Module(targets, module) for module in moved - staying if not _is_open(targets, module)}
    files: dict[str, str] = {}
    live = _in_place(ledger, targets, staying)
    packages = {*targets.shells, *(parent for module in (*modules, *live) for parent in _parents(module))}
    for name in sorted(packages | set(modules) | set(live)):
        parts = name.split(".")
        made = modules.get(name)
        if made is None and name not in live and (parts[0] in ledger.generic or _is_there(targets, name)):
            continue
        is_package = name in packages or (name in live and marked_source.is_package(name))
        place = "/".join(parts)
        path = f"{place}/__init__.pyi" if is_package or len(parts) == 1 else f"{place}.pyi"
        body = made.text() if made is not None else "" if name in live else f"from typing import Any\n\n{_CATCH_ALL}\n"
        body = "\n".join(filter(None, (live.get(name), body)))
        files[path] = f"{_header(ledger)}\n{body}"
    return files


def _parents(module: str) -> Iterator[str]:
    while "." in module:
        module = module.rpartition(".")[0]
        yield module


def _is_there(targets: Targets, module: str) -> bool:
    """Whether a module without a row of its own is there to be imported: its own source says what it has."""
    return targets.covering(module) is None and bool(find_module_file(module))


def _is_open(targets: Targets, module: str) -> bool:
    """Whether a module stays whose source cannot be read, as one that is written in C."""
    return module not in targets.shells and targets.covering(module) is None and importable(module)


def _below(targets: Targets) -> list[str]:
    """The submodules of packages that moved, by their legacy paths."""
    found = []
    for module, row in targets.modules.items():
        for name in signatures.modules_below(row.canonical) if row.canonical and not row.stays else ():
            found.append(f"{module}.{name}")
    return found


def _in_place(ledger: Ledger, targets: Targets, staying: set[str]) -> dict[str, str]:
    """The texts of modules that stay, with what is deprecated marked, and what is gone from them beside what replaces it;
    without those whose source is not found."""
    rows: dict[str, list[Move]] = {module: [] for module in sorted(staying)}
    for row in ledger:
        if row.stays or row.function or (row.place == TARGET and not row.is_pattern):
            if advice.lies_in(row.home, targets.stopgaps):
                continue
            rows.setdefault(row.function.partition(":")[0] or row.module, []).append(row)
    texts = {}
    for module, found in rows.items():
        names, imports = _Module(targets, module).definitions() if module in staying else ([], set())
        texts[module] = marked_source.mark(module, found, targets.wording.say, names=names, imports=imports)
    return {module: text for module, text in texts.items() if text}


def write(files: dict[str, str], folder: str) -> list[str]:
    """Write stub files below a directory, and remove what an earlier run left there; return the paths."""
    for root in {path.partition("/")[0] for path in files}:
        for at, _folders, names in os.walk(os.path.join(folder, root)):
            for name in names:
                relative = os.path.relpath(os.path.join(at, name), folder).replace(os.sep, "/")
                if relative not in files and name.endswith(".pyi"):
                    os.unlink(os.path.join(at, name))
    for path, text in files.items():
        place = os.path.join(folder, *path.split("/"))
        os.makedirs(os.path.dirname(place), exist_ok=True)
        with open(place, "w", encoding="utf-8", newline="\n") as file:
            file.write(text)
    return sorted(files)


def stale(files: dict[str, str], folder: str) -> list[str]:
    """The paths below a directory that are missing, differ, or should not be there."""
    wrong = []
    for path, text in files.items():
        try:
            with open(os.path.join(folder, *path.split("/")), encoding="utf-8") as file:
                if file.read() != text:
                    wrong.append(path)
        except OSError:
            wrong.append(path)
    for root in {path.partition("/")[0] for path in files}:
        for at, _folders, names in os.walk(os.path.join(folder, root)):
            for name in names:
                relative = os.path.relpath(os.path.join(at, name), folder).replace(os.sep, "/")
                if relative not in files and name.endswith(".pyi"):
                    wrong.append(relative)
    return sorted(wrong)


def _header(ledger: Ledger) -> str:
    return f"# Generated by `python -m compat stubs --ledger {ledger.name} --out DIR`. Do not edit.\n{_QUIET}"


class _Module:
    """The stub of one legacy module."""

    def __init__(self, targets: Targets, module: str) -> None:
        self.targets, self.module = targets, module
        self.imports: set[str] = set()
        self.typing = {"Any"}
        self.deprecated = False

    def definitions(self) -> tuple[list[str], set[str]]:
        """The definitions of the module's legacy names, and the modules that they need."""
        members = dict(self.rows())
        return [self.member(name, target) for name, target in sorted(members.items())], self.imports

    def text(self) -> str:
        bodies, _imports = self.definitions()
        imports = [f"from typing import {', '.join(sorted(self.typing))}"]
        imports += [f"import {module}" for module in sorted(self.imports)]
        if self.deprecated:
            imports.append("from typing_extensions import deprecated")
        blocks = ["\n".join(sorted(imports)), *bodies, _CATCH_ALL]
        return "\n\n".join(block for block in blocks if block) + "\n"

    def rows(self) -> dict[str, Target]:
        """The names of the module: its own rows, and the public names of the module it moved to."""
        found: dict[str, Target] = {}
        cover = self.targets.covering(self.module)
        if cover is not None and cover[1]:
            for name in signatures.public_names(cover[1]):
                target = self.targets.attribute(self.module, name)
                if target is not None and not target.is_module:
                    found[name] = target
        for name in self.targets.names.get(self.module, {}):
            target = self.targets.attribute(self.module, name)
            if target is not None and not target.is_module and not (target.move is not None and target.move.stays):
                found[name] = target
        return {name: target for name, target in found.items() if name.isidentifier()}

    def member(self, name: str, target: Target) -> str:
        row = self.targets.wording.row(target)
        assert row is not None
        said = self.targets.wording.say(row, "import")
        own = row.stub(name, said)
        if own:
            self.deprecated |= "@deprecated(" in own
            self.typing.update(word for word in ("NoReturn",) if word in own)
            return own
        module, _, attribute = target.canonical.partition(":")
        shape = signatures.shape_of(target.canonical)
        home = shape.module or module
        if target.adapter or shape.form == "class":
            self.imports.add(home)
            return self.class_(name, f"{home}.{shape.name or attribute}", said, row)
        if shape.form == "function":
            return self.function(name, shape, said)
        self.imports.add(module)
        return f"# {said}\n{name} = {module}.{attribute}"

    def class_(self, name: str, base: str, said: str, row: Move) -> str:
        self.deprecated = True
        body = self.adapter_members(row)
        return f"@deprecated({said!r})\nclass {name}({base}):{body}"

    def adapter_members(self, row: Move) -> str:
        methods = self.targets.members.adapted_methods(row.legacy.replace(":", "."))
        if not row.adapter:
            return " ..."
        lines = ["    def __init__(self, *args: Any, **kwargs: Any) -> None: ..."]
        for word, method in sorted(methods.items()):
            if not word.startswith("_"):
                home = self.targets.members.home(method) or ("" if method.instead is not None else method.canonical)
                shape = signatures.method_at(home)
                self.imports.update(shape.imports)
                is_read = shape.decorator == "property" or (shape.form == "other" and word in self.targets.members.values_of(row))
                said = self.targets.wording.say(method, "attribute" if is_read else "call")
                decorator = "property" if is_read else shape.decorator
                lines += [f"    @{decorator}"] if decorator else []
                lines.append(f"    @deprecated({said!r})")
                first = {"staticmethod": [], "classmethod": ["cls"]}.get(decorator, ["self"])
                given = ", ".join([*first, *([] if is_read or not shape.parameters else [shape.parameters])])
                keyword = "async def" if shape.is_async else "def"
                lines.append(f"    {keyword} {word}({given}) -> {shape.returns}: ...")
        return "\n" + "\n".join(lines)

    def function(self, name: str, shape: signatures.Shape, said: str) -> str:
        self.deprecated = True
        self.imports.update(shape.imports)
        word = "async def" if shape.is_async else "def"
        return f"@deprecated({said!r})\n{word} {name}({shape.parameters}) -> {shape.returns}: ..."
