"""Dotted paths as rows write them: ``"package.module"`` and ``"package.module:attribute"``."""

from __future__ import annotations


def dotted(path: str) -> str:
    """``"pkg.mod:Class.attr"`` as a reader writes it: ``pkg.mod.Class.attr``."""
    return path.replace(":", ".")


def import_line(path: str) -> str:
    """The statement that imports ``path``: ``from pkg.mod import Name`` or ``import pkg.mod``."""
    module, _, attribute = path.partition(":")
    return f"from {module} import {attribute.partition('.')[0]}" if attribute else f"import {module}"


def is_path(text: str) -> bool:
    """Whether ``text`` is a dotted path of identifiers."""
    return bool(text) and all(part.isidentifier() for part in text.split("."))


def resolve(path: str) -> tuple[object, str]:
    """Import what ``path`` names; return it and ``""``, or None and why it cannot be had."""
    name, _, attribute = path.partition(":")
    try:
        found: object = __import__(name, fromlist=["__name__"])
    except (Exception, SystemExit) as error:
        return None, f"cannot be imported ({type(error).__name__}: {error})"
    for part in attribute.split(".") if attribute else ():
        try:
            found = getattr(found, part)
        except AttributeError:
            return None, f"is missing: {name!r} has no {attribute!r}"
        except Exception as error:
            # A lazy module: what the name needs is imported when it is read.
            return None, f"cannot be imported ({type(error).__name__}: {error})"
    return found, ""


def what_to_install(fault: str, module: str) -> str:
    """The remedy where a module imports another that is not here; empty where it is the module itself that is missing."""
    name = fault.partition("No module named '")[2].partition("'")[0]
    return f"install what has {name!r}" if name and not f"{module}.".startswith(f"{name}.") else ""
