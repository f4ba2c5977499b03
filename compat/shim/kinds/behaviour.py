"""Behaviour: nothing is served or put in place; running code reports it (see :mod:`compat.shim.reporting`)."""

from __future__ import annotations

from .. import reporting  # noqa: F401 - a first report imports nothing: it may be a destructor's, or fall together with a fork
from .kind import Kind


class BehaviourKind(Kind):
    """Its rows stand at no place."""

    __slots__ = ()


KIND = BehaviourKind()
