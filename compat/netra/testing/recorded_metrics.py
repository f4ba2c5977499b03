"""What a test records of itself: durations in seconds, counts, its own metrics, and who it runs as."""

from __future__ import annotations

import time
import uuid
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Optional


class CategoryType(Enum):
    """What kind of test it is."""

    UNIT = "unit"
    INTEGRATION = "integration"
    E2E = "e2e"
    SMOKE = "smoke"
    CRITICAL = "critical"


@dataclass
class SsotTestMetrics:
    """Counters and durations of one test; ``memory_usage`` in bytes."""

    # The class is importable under a name that begins with "Test": pytest must not collect it.
    __test__ = False

    execution_time: float = 0.0
    memory_usage: Optional[int] = None
    database_queries: int = 0
    redis_operations: int = 0
    websocket_events: int = 0
    llm_requests: int = 0
    custom_metrics: dict[str, Any] = field(default_factory=dict)
    start_time: Optional[float] = None
    end_time: Optional[float] = None

    def record_custom(self, name: str, value: Any) -> None:
        """Record a metric of the test's own."""
        self.custom_metrics[name] = value

    def get_custom(self, name: str, default: Any = None) -> Any:
        """A metric of the test's own, or the default."""
        return self.custom_metrics.get(name, default)

    def start_timing(self) -> None:
        """Begin the time that counts."""
        self.start_time = time.time()

    def end_timing(self) -> None:
        """End it; without a beginning there is nothing to measure."""
        self.end_time = time.time()
        if self.start_time is not None:
            self.execution_time = self.end_time - self.start_time


@dataclass
class SsotTestContext:
    """Who and what one test is; missing IDs are made."""

    __test__ = False

    test_id: str
    test_name: str
    test_category: CategoryType = CategoryType.UNIT
    user_id: Optional[str] = None
    trace_id: Optional[str] = None
    session_id: Optional[str] = None
    environment: str = "test"
    metadata: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.trace_id is None:
            self.trace_id = f"test_trace_{uuid.uuid4().hex[:8]}"
        if self.user_id is None:
            self.user_id = f"test_user_{uuid.uuid4().hex[:8]}"
        if self.session_id is None:
            self.session_id = f"test_session_{uuid.uuid4().hex[:8]}"
