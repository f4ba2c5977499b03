"""Class moves: old classes whose construction goes through a factory and whose instances stand before canonical ones.

    class Session(Adapter, of="shop.storage:Store", built_by="shop.storage:get_store"):
        disconnect = renamed("close")

Constructing, subclassing and each legacy method are counted; what the canonical instance has under the same name is passed
through uncounted. Code of an adapter talks to ``self.canonical``.
"""

from __future__ import annotations

import inspect
import sys
import types
from _weakref import ref
from abc import ABCMeta

from compat.ledger import Class, Ledger, Move

from . import wires
from .forward import compiled, made, shape
from .function_like import FunctionLike
from .methods import Legacy, Part
from .recording import callsite
from .recording.funnel import LateRecorder, UseRecorder, record
from .serving.targets import resolve

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any, Generic

    from typing_extensions import TypeVar

    Made = TypeVar("Made")
    Canonical = TypeVar("Canonical", default=Any)
else:
    # Type checkers see a generic class; at run time typing is not imported for it.
    Canonical, Generic = None, {None: object}

# What an adapter has of its own, or what Python keeps on every class.
_OWN_SPECIALS = frozenset(
    """
    __abstractmethods__ __annotations__ __annotate__ __annotate_func__ __annotations_cache__ __class__
    __class_getitem__ __copy__ __deepcopy__ __del__ __delattr__ __dict__ __dir__ __doc__ __firstlineno__
    __getattr__ __getattribute__ __getstate__ __init__ __init_subclass__ __module__ __new__ __orig_bases__
    __parameters__ __qualname__ __reduce__ __reduce_ex__ __setattr__ __setstate__ __sizeof__ __slots__
    __static_attributes__ __subclasshook__ __weakref__ __protocol_attrs__ __match_args__ __dataclass_fields__
    __dataclass_params__ __post_init__
    """.split()  # noqa: SIM905 - a table of words
)
_UNVERSIONED = Ledger("", version="0")


class AdapterMeta(ABCMeta):
    """Counts constructions and subclassings, and maps class checks to the canonical class."""

    __compat_legacy__ = True
    __compat_front__: bool
    __compat_recorders__: dict[str, LateRecorder]

    if TYPE_CHECKING:
        # pyright takes what an instance is from here.
        def __call__(cls: type[Made], *args: Any, **kwargs: Any) -> Made: ...

    else:

        @callsite.unseen
        def __call__(cls, *args, **kwargs):
            record(cls.__compat_recorder__(), "construct", callsite.stack_top(1))
            return cls.__compat_make__(*args, **kwargs)

    @callsite.unseen
    def __compat_make__(cls, *args: Any, **kwargs: Any) -> Any:
        """Construct, uncounted. Of a factory that returns one object, the adapter instance is one as well."""
        if cls.__compat_front__ and not cls.__compat_adds__:
            # The adapter adds nothing: the canonical instance itself is quicker, and true to type().
            return cls.__build__(*args, **kwargs)  # type: ignore[attr-defined]
        made = super().__call__(*args, **kwargs)
        return cls.__compat_one__(made)

    def __compat_one__(cls, made: Any) -> Any:
        """The adapter instance that stands over the canonical one of ``made`` already, else ``made``."""
        if not cls.__compat_front__ or type.__getattribute__(cls, "__init__") is not Adapter.__dict__["__init__"]:
            return made  # its __init__ has made more than one already
        fronts: dict[int, Any] = vars(cls)["__compat_fronts__"]
        canonical = object.__getattribute__(made, "canonical")
        key = id(canonical)
        known = fronts.get(key)
        found = known() if known is not None else None
        if found is not None and object.__getattribute__(found, "canonical") is canonical:
            return found

        def forget(gone: Any) -> None:
            if fronts.get(key) is gone:
                fronts.pop(key, None)

        fronts[key] = ref(made, forget)
        return made

    def __instancecheck__(cls, instance: object) -> bool:
        if type.__instancecheck__(cls, instance):
            return True
        return cls.__compat_front__ and isinstance(instance, cls.__compat_canonical__())

    def __subclasscheck__(cls, other: type) -> bool:
        if type.__subclasscheck__(cls, other):
            return True
        return cls.__compat_front__ and issubclass(other, cls.__compat_canonical__())

    @callsite.unseen
    def __getattr__(cls, name: str) -> Any:
        if name.startswith("__compat_") or not any("__compat_of__" in vars(base) for base in cls.__mro__):
            raise AttributeError(f"type object {cls.__name__!r} has no attribute {name!r}")
        cls.__compat_prepare__()
        try:
            return type.__getattribute__(cls, name)
        except AttributeError:
            return getattr(cls.__compat_canonical__(), name)

    def __dir__(cls) -> list[str]:
        names = set(type.__dir__(cls))
        if cls is not Adapter:
            names.update(dir(cls.__compat_canonical__()))
        return sorted(names)

    @property
    def __signature__(cls) -> inspect.Signature:
        if cls is Adapter:
            raise AttributeError("__signature__")
        init = vars(cls).get("__init__")
        if init is not None:
            return _without_first(inspect.signature(init))
        build: Any = cls.__build__  # type: ignore[attr-defined]
        if getattr(build, "__func__", None) is Adapter.__dict__["__build__"].__func__:
            return inspect.signature(cls.__compat_builder__())
        return inspect.signature(build)

    def __compat_base__(cls) -> AdapterMeta:
        """The adapter class proper: ``cls`` or, for a user's subclass, the front it derives from."""
        for base in cls.__mro__:
            if "__compat_of__" in vars(base):
                return base  # type: ignore[return-value]
        raise TypeError(f"{cls.__name__} names no canonical class; write class {cls.__name__}(Adapter, of='module:Class')")

    def __compat_canonical__(cls) -> type:
        """The canonical class."""
        base = cls.__compat_base__()
        found: Any = resolve(vars(base)["__compat_of__"], base.__qualname__)
        return found if isinstance(found, type) else type(found)

    def __compat_builder__(cls) -> Callable[..., Any]:
        """The factory that builds canonical instances."""
        base = cls.__compat_base__()
        found: Any = resolve(vars(base)["__compat_built_by__"] or vars(base)["__compat_of__"], base.__qualname__)
        return found  # type: ignore[no-any-return]

    @property
    def __compat_adds__(cls) -> bool:
        """Whether an adapter class has anything of its own."""
        return any(
            not (name.startswith("__") and name.endswith("__"))
            for base in cls.__mro__
            if isinstance(base, AdapterMeta) and base is not Adapter
            for name in vars(base)
            if not name.startswith("_abc_") and not isinstance(vars(base)[name], _Passed)
        ) or any("__init__" in vars(base) for base in cls.__mro__ if isinstance(base, AdapterMeta) and base is not Adapter)

    def __compat_row__(cls) -> tuple[Move, Ledger]:
        """The row by which this adapter is served, and its ledger; a row without versions where no ledger lists it."""
        wires.trip()
        base = cls.__compat_base__()
        path = f"{base.__module__}:{base.__qualname__}"
        for one in list(wires.installed):
            row = _by_adapter(one.ledger).get(path)
            if row is not None:
                return row, one.ledger
        made = Class(path, vars(base)["__compat_of__"], adapter=path, since="0", removal="", instead=None)
        return made, _UNVERSIONED

    def __compat_recorder__(cls) -> LateRecorder:
        """The recorder of the class itself: constructions and subclassings."""
        base = cls.__compat_base__()
        found = vars(base).get("__compat_own_recorder__")
        if found is None:

            def make(hot: dict[int, Any]) -> UseRecorder:
                row, ledger = base.__compat_row__()
                return UseRecorder(row, ledger, hot)

            found = LateRecorder(make)
            type.__setattr__(base, "__compat_own_recorder__", found)
        return found

    def __compat_prepare__(cls) -> None:
        """Give the class what its canonical class has, once: methods and specials as forwarders, the rest as descriptors."""
        base = cls.__compat_base__()
        if vars(base).get("__compat_ready__"):
            return
        canonical = cls.__compat_canonical__()
        for name in dir(canonical):
            if name in _OWN_SPECIALS or any(name in vars(known) for known in base.__mro__[:-1] if known is not object):
                continue
            found = inspect.getattr_static(canonical, name)
            if getattr(object, name, None) is getattr(canonical, name, None) and hasattr(object, name):
                continue
            made = passed(name, found)
            if made is not None:
                type.__setattr__(base, name, made)
        type.__setattr__(base, "__compat_ready__", True)


_indexes: dict[int, tuple[Ledger, dict[str, Move]]] = {}


def _by_adapter(ledger: Ledger) -> dict[str, Move]:
    known = _indexes.get(id(ledger))
    if known is None or known[0] is not ledger:
        index: dict[str, Move] = {}
        for row in ledger:
            if row.adapter:
                index.setdefault(row.adapter, row)
        known = _indexes[id(ledger)] = (ledger, index)
    return known[1]


def _without_first(signature: inspect.Signature) -> inspect.Signature:
    return signature.replace(parameters=list(signature.parameters.values())[1:])


class _Passed:
    """An attribute of the canonical instance, read, set and deleted there; on the class, the canonical class's own."""

    def __init__(self, name: str) -> None:
        self.name = name

    @callsite.unseen
    def on_class(self, owner: AdapterMeta) -> Any:
        return getattr(AdapterMeta.__compat_canonical__(owner), self.name)


_PASSED_FILE = f"<compat passed {callsite.UNSEEN}>"
_PASSED = """
def __get__(self, instance, owner=None):
    return self.on_class(owner) if instance is None else instance.canonical.{name}
def __set__(self, instance, value): instance.canonical.{name} = value
def __delete__(self, instance): del instance.canonical.{name}
"""
_METHOD = """
def {name}({parameters}): return {first}.canonical.{name}({rest})
"""


def passed_property(name: str) -> Any:
    """The descriptor of one canonical attribute on an adapter class."""
    made: dict[str, Any] = {"__name__": __name__}
    exec(compile(_PASSED.format(name=name), _PASSED_FILE, "exec"), made)
    kind = type("passed", (_Passed,), {key: made[key] for key in ("__get__", "__set__", "__delete__")})
    return kind(name)


def passed(name: str, found: Any) -> Any:
    """What stands on an adapter class for a canonical attribute that it does not define itself."""
    if isinstance(found, (staticmethod, classmethod, type)):
        return passed_property(name) if name.isidentifier() and not name.startswith("__") else None
    if not isinstance(found, types.FunctionType):
        return passed_property(name) if name.isidentifier() and not name.startswith("__") else None
    parameters, arguments = shape(found)
    first, _, rest = arguments.partition(", ")
    if first.startswith("*") or not name.isidentifier():
        parameters, first, rest = "self, *args, **kwargs", "self", "*args, **kwargs"
    source = _METHOD.format(name=name, parameters=parameters, first=first, rest=rest)
    plain = made(compiled(name, source, _PASSED_FILE), {"__name__": __name__}, found)
    plain.__qualname__, plain.__doc__, plain.__module__ = found.__qualname__, found.__doc__, found.__module__
    plain.__wrapped__ = found
    special = inspect.iscoroutinefunction(found) or inspect.isasyncgenfunction(found) or inspect.isgeneratorfunction(found)
    return FunctionLike.of(plain, found) if special else plain


class Adapter(Generic[Canonical], metaclass=AdapterMeta):
    """Base of legacy classes over canonical instances.

    Class keywords: ``of``, the canonical class; ``built_by``, the factory that makes its instances (the class itself unless
    given); ``parts``, the parts that answer for instances, by the attribute that keeps them (:class:`Part`).
    Override ``__build__`` where the legacy constructor's arguments differ from the factory's. Type checkers know what
    ``self.canonical`` is where the class is named once more: ``class Session(Adapter[Store], of="shop.storage:Store")``.
    """

    canonical: Canonical
    __compat_front__ = False
    __compat_recorders__: dict[str, LateRecorder] = {}

    def __init_subclass__(
        cls, *, of: str = "", built_by: str = "", parts: Mapping[str, type[Part]] | None = None, **kwargs: Any
    ) -> None:
        super().__init_subclass__(**kwargs)
        if of:
            type.__setattr__(cls, "__compat_of__", of)
            type.__setattr__(cls, "__compat_built_by__", built_by)
            type.__setattr__(cls, "__compat_front__", True)
            type.__setattr__(cls, "__compat_ready__", False)
            type.__setattr__(cls, "__compat_fronts__", {})
        # Not in __set_name__: that runs before the class knows what it stands for.
        # Plain bases of an adapter class may hold legacy methods as well; what a user derives from it has them already.
        written: dict[str, Any] = {}
        for attribute, part in (parts or {}).items():
            written.update(part.__compat_answers__(attribute))
        for base in reversed(cls.__mro__ if of else (cls,)):
            written.update(vars(base))
        for name, value in written.items():
            if isinstance(value, Legacy):
                type.__setattr__(cls, name, value.made(cls, name))
        if of:
            return
        type.__setattr__(cls, "__compat_front__", False)
        frame = _class_statement(sys._getframe(1))
        if frame is not None:
            record(cls.__compat_recorder__(), "subclass", frame)

    @classmethod
    @callsite.unseen
    def __build__(cls, *args: Any, **kwargs: Any) -> Any:
        """Make the canonical instance from the legacy constructor's arguments."""
        return cls.__compat_builder__()(*args, **kwargs)

    @callsite.unseen
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kind = type(self)
        kind.__compat_prepare__()
        object.__setattr__(self, "canonical", kind.__build__(*args, **kwargs))

    @classmethod
    def __over__(cls, canonical: Any) -> Any:
        """An adapter instance over a canonical instance that exists already."""
        made = object.__new__(cls)
        cls.__compat_prepare__()
        object.__setattr__(made, "canonical", canonical)
        return cls.__compat_one__(made)

    @property  # type: ignore[misc]
    def __class__(self) -> type:  # type: ignore[override]
        found = object.__getattribute__(self, "__dict__").get("canonical")
        kind = type(self)
        return kind if found is None or not kind.__compat_front__ else type(found)

    def __class_getitem__(cls, item: Any) -> Any:
        return types.GenericAlias(cls, item)

    @callsite.unseen
    def __getattr__(self, name: str) -> Any:
        kind = type(self)
        if name == "canonical":
            # A subclass whose __init__ never called ours: build what it would have built.
            kind.__compat_prepare__()
            made = kind.__build__()
            object.__setattr__(self, "canonical", made)
            return made
        if name.startswith("__") and name.endswith("__"):
            raise AttributeError(f"{kind.__name__!r} object has no attribute {name!r}")
        found = getattr(self.canonical, name)
        base = kind.__compat_base__()
        if name.isidentifier() and name not in vars(base):
            type.__setattr__(base, name, passed_property(name))
        return found

    @callsite.unseen
    def __setattr__(self, name: str, value: Any) -> None:
        kind = type(self)
        held = inspect.getattr_static(kind, name, None)
        if held is not None and not isinstance(held, _Passed):
            # A method replaced on the instance (a test's AsyncMock) or an attribute of the adapter's own.
            object.__setattr__(self, name, value)
        elif isinstance(held, _Passed) or hasattr(self.canonical, name):
            setattr(self.canonical, name, value)
        else:
            object.__setattr__(self, name, value)

    def __delattr__(self, name: str) -> None:
        if name in object.__getattribute__(self, "__dict__"):
            object.__delattr__(self, name)
        else:
            delattr(self.canonical, name)

    def __dir__(self) -> list[str]:
        return sorted({*dir(type(self)), *object.__getattribute__(self, "__dict__"), *dir(self.canonical)})

    def __repr__(self) -> str:
        return f"<{type(self).__name__} over {self.canonical!r}>"

    def __reduce_ex__(self, protocol: Any) -> Any:
        state = {key: value for key, value in object.__getattribute__(self, "__dict__").items() if key != "canonical"}
        return _rebuild, (type(self), self.canonical, state)


def _rebuild(kind: Any, canonical: Any, state: dict[str, Any]) -> Any:
    made = kind.__over__(canonical)
    for name, value in state.items():
        object.__setattr__(made, name, value)
    return made


def _class_statement(frame: Any) -> Any:
    # __init_subclass__ <- AdapterMeta/ABCMeta.__new__ <- the class statement
    while frame is not None and callsite.module_name(frame) in ("abc", "_py_abc", __name__):
        frame = frame.f_back
    return frame
