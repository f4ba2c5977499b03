"""What the instruction at a frame's position is doing: importing, reading an attribute, calling.

CPython and PyPy are read; elsewhere, and in code that a compiler of whole programs (Nuitka) has made, every answer is "unknown"
and the callers take their plain path.
"""

from __future__ import annotations

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import CodeType, FrameType
    from typing import Any

READABLE = sys.implementation.name in ("cpython", "pypy")
# Since 3.15 the argument of IMPORT_NAME carries two flag bits for lazy imports below the name's index.
_NAME_SHIFT = 2 if sys.version_info >= (3, 15) else 0

if READABLE:
    from opcode import HAVE_ARGUMENT, opname, stack_effect
    from opcode import opmap as _opmap

    _IMPORT_NAME = _opmap["IMPORT_NAME"]
    _IMPORT_FROM = _opmap["IMPORT_FROM"]
    _EXTENDED = _opmap["EXTENDED_ARG"]
    _LOAD_CONST = _opmap["LOAD_CONST"]
    _CACHE = _opmap.get("CACHE", -1)
    _GET_AWAITABLE = _opmap["GET_AWAITABLE"]
    _ATTRIBUTES = ("LOAD_ATTR", "LOAD_METHOD", "LOOKUP_METHOD", "LOAD_SUPER_ATTR", "STORE_ATTR", "DELETE_ATTR")
    _ATTRIBUTE = frozenset(_opmap[name] for name in _ATTRIBUTES if name in _opmap)
    _LOAD_NAME = frozenset(_opmap[name] for name in ("LOAD_NAME", "LOAD_GLOBAL", "LOAD_FROM_DICT_OR_GLOBALS") if name in _opmap)
    _LOADS = frozenset(_opmap[name] for name in ("LOAD_NAME", "LOAD_GLOBAL", "LOAD_ATTR", "LOAD_METHOD") if name in _opmap)
    _GLOBAL_SHIFT = 1 if sys.version_info >= (3, 11) else 0
    _ATTR_SHIFT = 1 if sys.version_info >= (3, 12) else 0
    _STAR = frozenset(_opmap[name] for name in ("IMPORT_STAR", "CALL_INTRINSIC_1") if name in _opmap)
    _LOAD_GLOBAL = _opmap["LOAD_GLOBAL"]
    _LOAD_ATTR = _opmap["LOAD_ATTR"]
    _LOAD_METHOD = _opmap.get("LOAD_METHOD", _opmap.get("LOOKUP_METHOD", -1))
    # A specialised call of 3.11 is made by the first of its two instructions.
    _CALL = frozenset(number for name, number in _opmap.items() if name.startswith(("CALL", "PRECALL")))

_PICKLERS = frozenset(("dumps", "dump"))


def is_readable(frame: FrameType) -> bool:
    """Whether a frame has an instruction to read: compiled code stays at offset 0, where no import, call or attribute is."""
    return READABLE and frame.f_lasti > 0


def _argument(code: bytes, at: int) -> int:
    """The whole argument of the instruction at ``at``, prefixes included."""
    value, shift, at = code[at + 1], 8, at - 2
    while at >= 0 and code[at] == _EXTENDED:
        value |= code[at + 1] << shift
        shift += 8
        at -= 2
    return value


def _before(code: bytes, at: int) -> int:
    """The offset of the instruction before the one at ``at``, its prefixes skipped; ``-1`` at the start."""
    at -= 2
    while at >= 0 and code[at] == _EXTENDED:
        at -= 2
    return at


class Statement:
    """An import statement: absolute module name and, for a from-import, the names."""

    __slots__ = ("fromlist", "name")

    def __init__(self, name: str, fromlist: tuple[str, ...] | None) -> None:
        self.name, self.fromlist = name, fromlist


def absolute(name: str, level: int, package: Any) -> str:
    """Resolve a relative import as the import system does; the bare name where the package is unknown."""
    if not level:
        return name
    base = str(package or "")
    for _ in range(level - 1):
        base = base.rpartition(".")[0]
    return f"{base}.{name}" if base and name else base or name


def _statement_at(frame: FrameType, raw: bytes, at: int) -> Statement:
    code = frame.f_code
    name = code.co_names[_argument(raw, at) >> _NAME_SHIFT]
    first = _before(raw, at)
    fromlist: Any = None
    if first >= 0 and raw[first] == _LOAD_CONST:
        fromlist = code.co_consts[_argument(raw, first)]
    second = _before(raw, first) if first >= 0 else -1
    level: Any = 0
    if second >= 0:
        argument = _argument(raw, second)
        level = code.co_consts[argument] if raw[second] == _LOAD_CONST else argument
    if not isinstance(level, int):
        level = 0
    found = frame.f_globals
    package = found.get("__package__")
    if package is None:
        package = str(found.get("__name__", ""))
        if "__path__" not in found:
            package = package.rpartition(".")[0]
    return Statement(absolute(name, level, package), fromlist if isinstance(fromlist, tuple) else None)


def import_statement(frame: FrameType) -> Statement | None:
    """The import statement that a frame is executing: at IMPORT_NAME, or at an IMPORT_FROM that belongs to it."""
    if not is_readable(frame):
        return None
    raw = frame.f_code.co_code
    at = frame.f_lasti
    if raw[at] == _IMPORT_NAME:
        return _statement_at(frame, raw, at)
    if raw[at] == _IMPORT_FROM or raw[at] in _STAR:
        while at >= 0 and raw[at] != _IMPORT_NAME:
            at -= 2
        if at >= 0:
            return _statement_at(frame, raw, at)
    return None


def is_importing(frame: FrameType) -> bool:
    """Whether the frame executes IMPORT_NAME right now."""
    return is_readable(frame) and frame.f_code.co_code[frame.f_lasti] == _IMPORT_NAME


def is_import_from(frame: FrameType) -> bool:
    """Whether the frame binds a name of an import statement: ``from m import x``, ``import a.b as m``, ``*``."""
    if not is_readable(frame):
        return False
    op = frame.f_code.co_code[frame.f_lasti]
    return op == _IMPORT_FROM or (op in _STAR and import_statement(frame) is not None)


def is_name_read(frame: FrameType) -> bool:
    """Whether the frame reads a variable: what a lazy import looks like when it is reified (3.15)."""
    return is_readable(frame) and frame.f_code.co_code[frame.f_lasti] in _LOAD_NAME


def is_attribute(frame: FrameType) -> bool:
    """Whether the frame reads, sets or deletes an attribute by syntax."""
    return is_readable(frame) and frame.f_code.co_code[frame.f_lasti] in _ATTRIBUTE


def loads_method(frame: FrameType) -> bool:
    """Whether the frame reads an attribute in order to call it at once: ``x.f()``."""
    if not is_readable(frame):
        return False
    raw = frame.f_code.co_code
    op = raw[frame.f_lasti]
    return op == _LOAD_METHOD or (_ATTR_SHIFT == 1 and op == _LOAD_ATTR and bool(_argument(raw, frame.f_lasti) & 1))


def is_call(frame: FrameType) -> bool:
    """Whether the frame calls something."""
    return is_readable(frame) and frame.f_code.co_code[frame.f_lasti] in _CALL


def is_awaited(frame: FrameType) -> bool | None:
    """Whether the result of the call at the frame's position is awaited at once; ``None`` where unknown."""
    if not is_readable(frame):
        return None
    raw = frame.f_code.co_code
    at = frame.f_lasti + 2
    while at < len(raw) and raw[at] in (_CACHE, _EXTENDED):
        at += 2
    return at < len(raw) and raw[at] == _GET_AWAITABLE


def name_read(frame: FrameType) -> str:
    """The variable, attribute or imported name that a frame's instruction reads, ``""`` for another instruction."""
    if not is_readable(frame):
        return ""
    code = frame.f_code
    raw = code.co_code
    op, argument = raw[frame.f_lasti], _argument(raw, frame.f_lasti)
    if op == _LOAD_GLOBAL:
        return code.co_names[argument >> _GLOBAL_SHIFT]
    if op in _LOAD_NAME:
        return code.co_names[argument]
    if op == _LOAD_ATTR:
        return code.co_names[argument >> _ATTR_SHIFT]
    if op == _IMPORT_FROM:
        return code.co_names[argument]
    return ""


def calls_pickler(frame: FrameType) -> bool:
    """Whether the call that a frame executes is one of a pickling function: C code then scans ``sys.modules`` for names."""
    if not is_readable(frame):
        return False
    code = frame.f_code
    raw = code.co_code
    at = frame.f_lasti
    if raw[at] not in _CALL or _PICKLERS.isdisjoint(code.co_names):
        return False
    for back in _callable_at(code, raw, at):
        if raw[back] in _LOADS:
            shift = _GLOBAL_SHIFT if raw[back] == _LOAD_GLOBAL else _ATTR_SHIFT if raw[back] == _LOAD_ATTR else 0
            return code.co_names[_argument(raw, back) >> shift] in _PICKLERS
    return False


if sys.version_info >= (3, 11):

    def _callable_at(code: CodeType, raw: bytes, at: int) -> Iterator[int]:
        """The instructions that load what the call at ``at`` calls, last first: they begin where the call does."""
        places = list(code.co_positions())
        line, _, column, _ = places[at // 2]
        before = range(at - 2, -1, -2)
        # Without columns (-X no_debug_ranges) the line is all there is.
        return (
            back for back in before if raw[back] != _CACHE and places[back // 2][0] == line and places[back // 2][2] == column
        )
else:

    def _callable_at(code: CodeType, raw: bytes, at: int) -> Iterator[int]:
        """The instruction that leaves on the stack what the call at ``at`` calls: it lies below the arguments."""
        argument = _argument(raw, at)
        name = opname[raw[at]]
        above = 1 + (argument & 1) if name == "CALL_FUNCTION_EX" else argument + (name == "CALL_FUNCTION_KW")
        height = 0
        for back in range(at - 2, -1, -2):
            if height <= -above:
                yield back
                return
            op = raw[back]
            if op != _EXTENDED:
                height -= stack_effect(op, _argument(raw, back) if op >= HAVE_ARGUMENT else None, jump=False)
