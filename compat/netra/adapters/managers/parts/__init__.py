"""What legacy managers are made of: one part for each thing they do, over the users' canonical managers."""

from __future__ import annotations

from .part import Face, ManagerPart

__all__ = ["Face", "ManagerPart"]
