"""Values in the shape that the argument has which stands for the caller's other word."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ..components.events.message_buffer import BufferConfig


def organization_id(value: Any) -> dict[str, Any]:
    """An organisation, as metadata of a context."""
    return {"organization_id": value}


def session_id(value: Any) -> dict[str, Any]:
    """A session, as metadata of a context."""
    return {"session_id": value}


def buffer_config(size: int) -> BufferConfig:
    """The settings of a buffer of that many messages for each user."""
    from ..components.events.message_buffer import BufferConfig

    return BufferConfig(max_buffer_size_per_user=size)
