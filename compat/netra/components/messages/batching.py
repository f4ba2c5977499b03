"""How many messages are sent together, and how long they wait for each other."""

from __future__ import annotations


class BatchConfig:
    """``max_batch_size`` messages at most, ``batch_timeout`` seconds at most."""

    def __init__(self, max_batch_size: int = 10, batch_timeout: float = 1.0) -> None:
        self.max_batch_size = max_batch_size
        self.batch_timeout = batch_timeout
