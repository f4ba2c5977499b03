"""Ask mypy for the classes of receivers that the source alone does not tell: ``--types``."""

from __future__ import annotations

import ast
import contextlib
import io
import os
import tempfile
from typing import TYPE_CHECKING, Any, Optional

from compat.errors import CompatError

from .reading import batch as batches

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from .reading.files import Found
    from .targets import Targets

    #: Where an attribute ends (line from 1, column in UTF-8 bytes) -> the dotted class of its object.
    Answers = dict[tuple[int, int], str]

_SOURCES = (".py", ".pyi", ".pyw")
#: What mypy is to look at, whatever the project's own configuration forbids it.
_OPTIONS = {
    "export_types": True,
    "preserve_asts": True,
    "check_untyped_defs": True,
    "ignore_missing_imports": True,
    "follow_untyped_imports": True,
    "follow_imports": "normal",
    "incremental": False,
    "fine_grained_incremental": False,
    "semantic_analysis_only": False,
}


class CheckerError(CompatError):
    """The type checker is not installed, or cannot check the files; the message says what to do."""


def ask(found: Iterable[Found], targets: Targets) -> dict[str, Answers]:
    """The classes of all objects of which a method is read that a row speaks of, by file.

    Raises :class:`CheckerError` where mypy is not installed or cannot check the files.
    """
    words = _words(targets)
    paths = _files_with(found, {word.encode() for word in words}) if words else []
    asked: dict[str, Answers] = {}
    for path, tree, types in _checked(paths) if paths else ():
        with open(path, "rb") as file:
            answers = _answers(file.read(), tree, types, words, targets)
        if answers:
            asked[path] = answers
    return asked


def ask_of_text(path: str, raw: bytes, targets: Targets) -> dict[str, Answers]:
    """The same of one text, which stands for what is in the file, or belongs to none. Raises as :func:`ask`."""
    from .reading import sources

    words = _words(targets)
    if os.path.splitext(path)[1] not in (*_SOURCES, "") or not any(word.encode() in raw for word in words):
        return {}
    try:
        text = sources.decode(path, raw).text
    except sources.Undecodable as error:
        raise CheckerError(f"mypy could not check the file: {error}") from None
    ((_path, tree, types),) = _checked([path], text)
    return {path: _answers(raw, tree, types, words, targets)}


def _words(targets: Targets) -> set[str]:
    """The names of members and functions that rows speak of."""
    members = targets.members
    return {*members.own_methods, *members.adapted_names, *(path.rpartition(".")[2] for path in members.arguments)}


def _files_with(found: Iterable[Found], words: set[bytes]) -> list[str]:
    from .scanning.needles import minimal

    wanted = batches.Words(minimal(words))
    named: list[str] = []
    for batch in batches.batches(item for item in found if item.path.endswith(_SOURCES)):
        named += [batch.items[index].path for index in sorted(wanted.within(batch))]
    return named


def _checked(paths: list[str], text: Optional[str] = None) -> list[tuple[str, Any, Any]]:
    """The files with their trees and the types of expressions, as mypy has them; ``text`` takes the place of what is in one."""
    try:
        from mypy import build, errors, main
    except ImportError:
        raise CheckerError(
            "--types asks mypy, which is not installed; install it with: pip install 'netra-compat[types]'"
        ) from None
    said = io.StringIO()
    try:
        with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said), _shadow(paths[0], text) as what:
            arguments = ["--no-error-summary", "--no-color-output", *(what or ["--", *paths])]
            sources, options = main.process_options(arguments, stdout=said, stderr=said)
            for name, value in _OPTIONS.items():
                setattr(options, name, value)
            options.per_module_options = {}
            result = build.build(sources, options=options, stdout=said, stderr=said)
    except SystemExit:
        raise CheckerError(f"mypy could not be run: {_first(said.getvalue())}") from None
    except errors.CompileError as error:
        raise CheckerError(f"mypy could not check the files: {_first(os.linesep.join(error.messages))}") from None
    except Exception as error:
        raise CheckerError(f"mypy failed: {type(error).__name__}: {_first(str(error))}") from None
    by_place = {os.path.abspath(path): path for path in paths}
    trees = [(by_place.get(os.path.abspath(tree.path)), tree) for tree in result.files.values()]
    if text is not None:
        trees = [(paths[0], result.files[sources[0].module])]
    return [(path, tree, result.types) for path, tree in trees if path is not None]


@contextlib.contextmanager
def _shadow(path: str, text: Optional[str]) -> Iterator[list[str]]:
    """The arguments by which mypy takes a text for what is in a file, or for a program of no file; none without a text."""
    if text is None or not os.path.isfile(path):
        yield [] if text is None else ["-c", text]
        return
    with tempfile.TemporaryDirectory() as folder:
        shadow = os.path.join(folder, "text.py")
        with open(shadow, "w", encoding="utf-8", newline="") as file:
            file.write(text)
        yield ["--shadow-file", path, shadow, "--", path]


def _first(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[0] if lines else "it gave no reason"


def _answers(raw: bytes, tree: Any, types: Any, words: Collection[str], targets: Targets) -> Answers:
    from mypy.inspections import find_by_location

    classes = targets.members.canonical_classes | targets.members.adapted_classes
    nodes = ast.walk(ast.parse(raw))
    found: Answers = {}
    for node in nodes:
        if isinstance(node, ast.Attribute) and node.attr in words:
            value = node.value
            end = value.end_lineno or value.lineno, value.end_col_offset or 0
            made = _class_of(types.get(find_by_location(tree, value.lineno, value.col_offset, *end)), node.attr, classes)
            if made:
                found[node.end_lineno or 0, node.end_col_offset or 0] = made
    return found


def _class_of(given: Any, name: str, classes: Collection[str]) -> str:
    """The class that matters of which all values of a type are instances, and whose attribute no class before it defines."""
    from mypy.types import Instance, NoneType, TypeVarType, UnionType, get_proper_type

    proper = get_proper_type(given)
    if isinstance(proper, TypeVarType):
        proper = get_proper_type(proper.upper_bound)
    if isinstance(proper, UnionType):
        parts = [part for part in map(get_proper_type, proper.items) if not isinstance(part, NoneType)]
        paths = {_class_of(part, name, classes) for part in parts}
        return paths.pop() if len(paths) == 1 else ""
    if not isinstance(proper, Instance):
        return ""
    return _inherited(proper.type, name, classes) or ""


def _inherited(info: Any, name: str, classes: Collection[str]) -> Optional[str]:
    for base in info.mro:
        if base.fullname in classes:
            path: str = base.fullname
            return path
        if name in base.names:
            return None
    return None
