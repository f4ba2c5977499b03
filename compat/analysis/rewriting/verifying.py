"""Verify a rewritten file: it compiles, binds every name it reads, and a second run changes nothing."""

from __future__ import annotations

import builtins
from dataclasses import replace
from typing import TYPE_CHECKING

from ..model import name_resolution
from ..reading import dialects, notebooks, sources
from .options import PLAIN, Options
from .rewriter import FAILED, FIXED, Outcome, fix_bytes

if TYPE_CHECKING:
    from ..targets import Targets


def verify(outcome: Outcome, targets: Targets, *, is_package: bool, options: Options = PLAIN) -> str:
    """Say what is wrong with a file that was rewritten with some options; empty where nothing is."""
    path = outcome.path
    again = fix_bytes(
        path,
        outcome.after,
        targets,
        module=outcome.module,
        is_package=is_package,
        options=replace(options, kept_locals=options.kept_locals | outcome.renamed, held=outcome.held, skip_all=""),
    )
    if again.status == FIXED:
        return "a second run would change it again"
    if again.status == FAILED:
        return again.reason
    if path.endswith(notebooks.SUFFIX):
        return ""
    source = sources.decode(path, outcome.after)
    lost = unbound_names(path, outcome.after) - unbound_names(path, outcome.before)
    if lost:
        return f"nothing binds {', '.join(sorted(lost))} any more"
    try:
        compile(source.text, path, "exec", dont_inherit=True)
    except (SyntaxError, ValueError) as error:
        before = sources.decode(path, outcome.before)
        try:
            compile(before.text, path, "exec", dont_inherit=True)
        except (SyntaxError, ValueError):
            return ""
        return f"the result does not compile: {error}"
    return ""


def unbound_names(path: str, raw: bytes) -> set[str]:
    """Names that a file reads, but neither binds nor finds among the builtins; empty where a star import may bind them."""
    names = name_resolution.resolve(dialects.parse(sources.decode(path, raw)).module)
    if any(item.name == "*" for item in names.imports):
        return set()
    read_names = {chain.root.id for chain in names.chains if not names.lookup(chain.scope, chain.root.id)}
    return {name for name in read_names if not hasattr(builtins, name)}
