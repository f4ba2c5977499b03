"""The bounds of the core: how many, how much, how long."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from enum import Enum

from .errors import SettingsError


class OverflowPolicy(Enum):
    """What happens when a connection's outbox is full."""

    DROP_OLDEST = "drop_oldest"  # the oldest event that is not critical gives way; if there is none, as CLOSE
    CLOSE = "close"  # the connection is closed with 1013; the client reconnects and replays


@dataclass(frozen=True)
class Limits:
    """Every bound in one place; times in seconds, ``outbox_bytes`` in characters of JSON."""

    managers: int = 100_000
    managers_per_user: int = 100
    connections: int = 100_000
    connections_per_user: int = 20
    history_events: int = 512
    undelivered_events: int = 50
    replays_per_minute: int = 10_240
    outbox_events: int = 256
    outbox_bytes: int = 1_048_576
    overflow: OverflowPolicy = OverflowPolicy.DROP_OLDEST
    send_timeout: float = 10.0
    close_timeout: float = 5.0
    idle_timeout: float = 900.0

    def __post_init__(self) -> None:
        may_be_zero = ("history_events", "undelivered_events")
        faults = []
        for field in fields(self):
            value = getattr(self, field.name)
            if field.name == "overflow":
                continue
            if not 0 < value < math.inf and not (value == 0 and field.name in may_be_zero):
                faults.append(f"{field.name} is {value!r}; it must be greater than 0")
        if faults:
            raise SettingsError(faults)
