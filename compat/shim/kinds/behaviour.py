"""Behaviour: nothing is served or put in place; running code reports it (see :mod:`compat.shim.reporting`)."""

from __future__ import annotations

from .kind import Kind


class BehaviourKind(Kind):
    """Its rows stand at no place."""

    __slots__ = ()


KIND = BehaviourKind()
