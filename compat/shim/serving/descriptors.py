"""Data descriptors on module classes: a legacy attribute is counted when read, and written through when set or deleted.

``mock.patch("old.mod.X")`` and ``monkeypatch.setattr`` therefore reach the canonical object, and are undone there.
"""

from __future__ import annotations

import sys

from ..recording import bytecode, callsite, lazy
from ..recording.frameless import frameless
from ..recording.funnel import FILTERS, HOT_GLOBALS, KEY, NO_STEPS, UseRecorder, lose, site_key
from .targets import load_for, load_module, loader_of, owner_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType
    from typing import Any

    from compat.ledger import Move

# Written out for the key of the running version and for the attribute's name: a call more, or a lookup by a variable name,
# would each cost a fifth of the whole read.
_GETTER = """
def get(self):
    try:
        _fr = _frame(1)
        code, cell = _hot[_fr.f_lasti]
        if code is not _fr.f_code:
            cell = _hot[{key}]
    except KeyError:
        return _slow(self, _fr)
    except ValueError:
        return _bare()
    if {filters} == _snap:
        for code in cell:
            break
        try:
            return {read}
        except (KeyError, AttributeError):
            return _load()
    return _slow(self, _fr)
"""


@callsite.unseen
def counted_getter(
    recorder: UseRecorder, path: str, load: Callable[[], object], slow: Callable[[Any, FrameType], object], *, own: bool = False
) -> Any:
    """A property getter that counts at known sites and asks ``slow(module, frame)`` elsewhere.

    ``path`` is ``"module:attribute"``; ``own`` where the module that is read holds the value itself, under the descriptor.
    Compiled at the first use: most rows of a ledger are never read in a process.
    """
    get: Any = None
    module, _, name = path.partition(":")

    def bare() -> object:
        """A read by no Python code at all."""
        recorder.use("attribute", None)
        return load()

    def first(self: Any) -> object:
        nonlocal get
        frame = callsite.stack_top(1)
        if frame is None:
            return bare()
        value = slow(self, callsite.asking(frame))
        if get is None and recorder.hot:
            made: dict[str, Any] = {**HOT_GLOBALS, "__name__": __name__, "_hot": recorder.hot, "_slow": slow}
            made.update(_modules=sys.modules, _load=load, _bare=bare)
            read = f"self.__dict__[{name!r}]" if own else f"_modules[{module!r}].{name or '__dict__'}"
            source = _GETTER.format(key=KEY, filters=FILTERS, read=read)
            exec(compile(source, f"<compat getter {callsite.UNSEEN}>", "exec"), made)
            get = made["get"]
            kind = type(self)
            found = vars(kind).get(recorder.move.attribute or name)
            if isinstance(found, property) and found.fget is first:
                setattr(kind, recorder.move.attribute or name, property(get, found.fset, found.fdel, found.__doc__))
        return value

    return first


@callsite.unseen
def name_property(recorder: UseRecorder, path: str) -> property:
    """The descriptor of a row that names one attribute of a legacy module, which gives what stands at ``path``."""
    move: Move = recorder.move
    attribute = move.attribute
    deleted: list[bool] = []
    find = loader_of(path, move.id, deleted)

    def load(is_import: bool = False) -> object:
        try:
            return load_for(find, move.id, path, is_import=is_import)
        except AttributeError as error:
            lose(error, attribute)
            raise

    def slow(module: Any, frame: FrameType) -> object:
        if callsite.is_looking(frame):
            return _quietly(recorder, load, frame)
        is_import = bytecode.is_import_from(frame)
        if lazy.use_lazily(recorder, frame):
            return load(is_import=True)
        recorder.use("import" if is_import else "attribute", frame)
        return load(is_import)

    def put(module: Any, value: object) -> None:
        if recorder.raises:
            define(module, attribute, value)
            return
        if isinstance(value, type(sys)) and callsite.is_importlib(sys._getframe(1)):
            vars(module)[attribute] = value  # the import system binds a submodule of that name, which the row stands before
            return
        owner, name = owner_of(path, move.id)
        count_write(recorder, sys._getframe(1))
        setattr(owner, name, value)
        if attribute in vars(module):
            vars(module)[attribute] = value  # what the module's own code reads
        deleted.clear()

    def delete(module: Any) -> None:
        if recorder.raises:
            raise AttributeError(f"module {module.__name__!r} has no attribute {attribute!r}")
        owner, name = owner_of(path, move.id)
        delattr(owner, name)
        deleted.append(True)

    get = gone_getter(recorder, slow) if recorder.raises else counted_getter(recorder, path, load, slow)
    return property(get, put, delete, f"{attribute}: {move.kind} moved to {path}")


@callsite.unseen
def _quietly(recorder: UseRecorder, load: Callable[[], object], frame: FrameType) -> object:
    # The import system asks whether to look for a submodule; the read that follows answers.
    if frame.f_code.co_name == "_handle_fromlist":
        return None
    if recorder.raises:
        raise AttributeError(f"module {recorder.move.module!r} has no attribute {recorder.move.attribute!r}")
    return load()


def gone_getter(recorder: UseRecorder, served: Callable[[Any, FrameType], object] | None = None) -> Any:
    """A property getter that raises the error of a row, counted; ``served`` answers once the version in force went back."""

    def found(frame: FrameType | None) -> object:
        if frame is None:
            return recorder.refusal("attribute", None)
        frame = callsite.asking(frame)
        if served is not None and not recorder.raises:
            return served(None, frame)
        if callsite.is_looking(frame):
            try:
                return _quietly(recorder, tuple, frame)
            except AttributeError as error:
                return error
        lazily = lazy.refused_lazily(recorder, frame)
        return lazily or recorder.refusal("import" if bytecode.is_import_from(frame) else "attribute", frame)

    return frameless(found)


def define(module: Any, name: str, value: object) -> None:
    """Let what somebody sets in the place of a name that is gone answer for it: a test double, or a definition of his own."""
    vars(module)[name] = value
    hide(type(module), name)


def hide(kind: type, name: str) -> None:
    """Take a descriptor off a module class."""
    if name in vars(kind):
        delattr(kind, name)


@callsite.unseen
def module_property(recorder: UseRecorder, canonical: str, name: str) -> property:
    """The descriptor of one attribute of a wholly moved module."""
    load = loader_of(f"{canonical}:{name}", recorder.move.id)
    modules = sys.modules

    def slow(module: Any, frame: FrameType) -> object:
        value = found(module)
        record_module_read(recorder, frame)
        return value

    def found(module: Any) -> object:
        target = modules.get(canonical) or load_module(canonical, recorder.move.id)
        try:
            return getattr(target, name)
        except AttributeError:
            raise AttributeError(f"module {module.__name__!r} has no attribute {name!r}") from None

    def put(module: Any, value: object) -> None:
        count_write(recorder, sys._getframe(1))
        setattr(modules[canonical], name, value)

    def delete(module: Any) -> None:
        delattr(modules[canonical], name)

    return property(counted_getter(recorder, f"{canonical}:{name}", load, slow), put, delete)


def record_module_read(recorder: UseRecorder, frame: FrameType) -> None:
    """Count the read of an attribute of a wholly moved module."""
    if callsite.is_looking(frame):
        return
    if bytecode.is_import_from(frame):
        recorder.skip(frame)  # the statement was counted when it named the module
    elif not lazy.use_lazily(recorder, frame):
        # A call of C code (Cython, mypyc) may read and import by one and the same instruction.
        is_site = bytecode.is_attribute(frame) or "getattr" in frame.f_code.co_names
        recorder.use("attribute", frame, is_site=is_site)


def count_write(recorder: UseRecorder, frame: FrameType) -> None:
    """Count an attribute of a legacy module that is set by a statement."""
    frame = callsite.outside(frame)  # patching tools have counted their read already
    if bytecode.is_attribute(frame) and not callsite.is_looking(frame):
        recorder.use("set", frame)


def child_property(name: str, recorder: UseRecorder | None, child: Any = None, *, stays: bool = False) -> property:
    """The descriptor of a submodule on its parent package: ``from old import mod`` is seen each time.

    The submodule is kept here and not in the package's dict, where a lazy from-import would find it without asking. The code
    of the package itself reads that dict: there a submodule that ``stays`` is as well, where imports may be lazy only if
    that code imports it.
    """
    held = [child] if child is not None else []
    is_own = stays and (lazy.LAZY is None or child is not None)

    def get(module: Any) -> object:
        nonlocal is_own
        if not held:
            raise AttributeError(f"module {module.__name__!r} has no attribute {name!r}")
        frame = sys._getframe(1)
        if stays and frame.f_globals is module.__dict__:
            is_own = True
        elif not is_own and lazy.LAZY is not None:
            module.__dict__.pop(name, None)  # a lazy import puts it there while it resolves, before it asks here
        if recorder is not None and recorder.hot.get(site_key(frame)) is not NO_STEPS and not callsite.is_looking(frame):
            _count_child(recorder, frame)
        return held[0]

    def put(module: Any, value: object) -> None:
        nonlocal is_own
        held[:] = [value]
        is_own = is_own or (stays and _is_running(module, sys._getframe(1)))
        if is_own:
            module.__dict__[name] = value

    def delete(module: Any) -> None:
        held.clear()
        module.__dict__.pop(name, None)

    return property(get, put, delete)


def _is_running(module: Any, frame: FrameType | None) -> bool:
    """Whether code of a module is among the callers: importing another one binds it there, too."""
    while frame is not None and frame.f_globals is not module.__dict__:
        frame = frame.f_back
    return frame is not None


def _count_child(recorder: UseRecorder, frame: FrameType) -> None:
    if lazy.LAZY is not None and lazy.use_lazily(recorder, frame):
        return
    if not bytecode.is_import_from(frame):
        return  # on the way to an attribute, which is what counts
    statement = bytecode.import_statement(frame)
    if statement is not None and statement.fromlist is None:
        recorder.skip(frame)  # import old.mod as m: counted by its IMPORT_NAME
    else:
        recorder.use("import", frame)
