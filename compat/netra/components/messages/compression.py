"""Compression of messages above a size, with integrity hashes and figures; the ``server`` extra installs pydantic."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import threading
import time
import zlib
from collections.abc import Callable
from typing import Any, Optional, Union

from compat.canonical.core.logged import get_logger

try:
    from pydantic import BaseModel, Field
except ImportError as error:
    raise ImportError("message compression needs pydantic: pip install 'netra-compat[server]'") from error

from .message_models import WebSocketMessage

logger = get_logger(__name__)

#: US dollars per GB of outgoing traffic, for the estimate of :class:`CostSavings`.
USD_PER_GB = 0.12

_COMPRESS: dict[str, Callable[[bytes, int], bytes]] = {
    "gzip": lambda data, level: gzip.compress(data, level, mtime=0),
    "deflate": zlib.compress,
}


class UnsupportedCompressionError(Exception):
    """A compression algorithm that is unknown or not allowed."""


class TooLargeError(ValueError):
    """Compressed data that would unfold to more than the allowed size."""


class CompressionConfig(BaseModel):
    """What is compressed, how, and up to which size."""

    compression_enabled: bool = True
    compression_threshold_bytes: int = 100
    compression_level: int = 6
    supported_algorithms: list[str] = Field(default_factory=lambda: ["gzip", "deflate"])
    max_uncompressed_size_mb: int = 10
    preferred_algorithm: str = "gzip"
    enable_integrity_checks: bool = True

    def model_post_init(self, __context: Any) -> None:
        if not 0 <= self.compression_level <= 9:
            raise ValueError(f"compression_level must be between 0 and 9, not {self.compression_level}")
        if self.supported_algorithms and self.preferred_algorithm not in self.supported_algorithms:
            self.preferred_algorithm = self.supported_algorithms[0]


class CompressionResult(BaseModel):
    """One message, compressed or not; ``compression_ratio`` is compressed size over original size."""

    was_compressed: bool
    original_size: int
    compressed_size: int
    compression_algorithm: Optional[str] = None
    compression_ratio: float = 1.0
    compressed_data: Optional[bytes] = None
    integrity_hash: Optional[str] = None
    error_message: Optional[str] = None
    processing_time_ms: float = 0.0

    def model_post_init(self, __context: Any) -> None:
        if self.was_compressed and self.original_size > 0:
            self.compression_ratio = self.compressed_size / self.original_size


class CompressionStats(BaseModel):
    """Sums over all messages."""

    total_messages_processed: int = 0
    messages_compressed: int = 0
    messages_skipped: int = 0
    messages_rejected_size: int = 0
    total_original_bytes: int = 0
    total_compressed_bytes: int = 0
    total_bytes_saved: int = 0
    average_compression_ratio: float = 1.0
    bandwidth_savings_percent: float = 0.0
    processing_time_ms: float = 0.0

    def update_stats(self) -> None:
        """Work out what follows from the sums."""
        self.total_bytes_saved = self.total_original_bytes - self.total_compressed_bytes
        if self.total_original_bytes > 0:
            self.average_compression_ratio = self.total_compressed_bytes / self.total_original_bytes
            self.bandwidth_savings_percent = self.total_bytes_saved / self.total_original_bytes * 100


class CostSavings(BaseModel):
    """An estimate in US dollars."""

    monthly_savings_usd: float = 0.0


class PerformanceReport(BaseModel):
    """What compression is worth; the estimate follows from the saved bytes where it is not given."""

    total_messages_processed: int
    compression_rate_percent: float
    total_bandwidth_saved_bytes: int
    average_compression_ratio: float
    compression_efficiency_rating: str
    estimated_cost_savings: CostSavings = Field(default_factory=CostSavings)

    def model_post_init(self, __context: Any) -> None:
        if self.estimated_cost_savings.monthly_savings_usd == 0.0 and self.total_bandwidth_saved_bytes > 0:
            saved = self.total_bandwidth_saved_bytes / 1024**3 * USD_PER_GB
            self.estimated_cost_savings = CostSavings(monthly_savings_usd=saved)


class WebSocketCompressionHandler:
    """Compresses and unfolds messages, and keeps figures of it."""

    def __init__(self, config: CompressionConfig) -> None:
        self.config = config
        self.stats = CompressionStats()
        self._lock = threading.Lock()

    @property
    def compression_enabled(self) -> bool:
        """Whether anything is compressed."""
        return self.config.compression_enabled

    async def compress_message(self, message: WebSocketMessage) -> CompressionResult:
        """Compress one message.

        It is left as it is when compression is off, it is not above the threshold, it would not get smaller, or the
        compressor fails, with an ``error_message`` then. ValueError above the largest size; UnsupportedCompressionError for
        a preferred algorithm that is unknown.
        """
        start = time.perf_counter()
        data = message.model_dump_json().encode()
        size = len(data)
        limit = self.config.max_uncompressed_size_mb * 1024 * 1024
        if size > limit:
            with self._lock:
                self.stats.messages_rejected_size += 1
            raise ValueError(f"Message size {size} bytes exceeds maximum size {limit} bytes")
        result = CompressionResult(was_compressed=False, original_size=size, compressed_size=size)
        if self.config.compression_enabled and size > self.config.compression_threshold_bytes:
            algorithm = self.config.preferred_algorithm
            compress = self._algorithm(algorithm)
            try:
                compressed = compress(data, self.config.compression_level)
            except Exception as error:
                result.error_message = f"Compression failed: {error}"
                return self._count(result, start)
            if len(compressed) < size:
                result = CompressionResult(
                    was_compressed=True,
                    original_size=size,
                    compressed_size=len(compressed),
                    compression_algorithm=algorithm,
                    compressed_data=compressed,
                    integrity_hash=hashlib.sha256(data).hexdigest() if self.config.enable_integrity_checks else None,
                )
        return self._count(result, start)

    async def decompress_message(
        self, compressed_data: bytes, algorithm: str, expected_hash: Optional[str] = None
    ) -> WebSocketMessage:
        """Return the message. ValueError if it is damaged, unfolds to too much, or its hash is another one."""
        self._algorithm(algorithm)
        limit = self.config.max_uncompressed_size_mb * 1024 * 1024
        data = _unfold(compressed_data, algorithm, limit)
        if expected_hash is not None and self.config.enable_integrity_checks:
            actual = hashlib.sha256(data).hexdigest()
            if actual != expected_hash:
                raise ValueError(f"Integrity check failed: expected hash {expected_hash}, got {actual}")
        return WebSocketMessage.model_validate_json(data)

    async def generate_performance_report(self) -> PerformanceReport:
        """What compression has been worth so far."""
        with self._lock:
            stats = self.stats.model_copy()
        saved = stats.bandwidth_savings_percent
        rating = "excellent" if saved >= 60 else "good" if saved >= 40 else "fair" if saved >= 20 else "poor"
        total = stats.total_messages_processed
        return PerformanceReport(
            total_messages_processed=total,
            compression_rate_percent=stats.messages_compressed / total * 100 if total else 0.0,
            total_bandwidth_saved_bytes=stats.total_bytes_saved,
            average_compression_ratio=stats.average_compression_ratio,
            compression_efficiency_rating=rating,
        )

    def _algorithm(self, name: str) -> Callable[[bytes, int], bytes]:
        compress = _COMPRESS.get(name)
        if compress is None or name not in self.config.supported_algorithms:
            raise UnsupportedCompressionError(
                f"Unsupported compression algorithm: {name}. Supported: {', '.join(self.config.supported_algorithms)}"
            )
        return compress

    def _count(self, result: CompressionResult, start: float) -> CompressionResult:
        result.processing_time_ms = (time.perf_counter() - start) * 1000
        with self._lock:
            stats = self.stats
            stats.total_messages_processed += 1
            stats.processing_time_ms += result.processing_time_ms
            if result.was_compressed:
                stats.messages_compressed += 1
                stats.total_original_bytes += result.original_size
                stats.total_compressed_bytes += result.compressed_size
                stats.update_stats()
            else:
                stats.messages_skipped += 1
        return result


def _unfold(data: bytes, algorithm: str, limit: int) -> bytes:
    """Unfold at most ``limit`` bytes: a small message may hide a huge one."""
    unfolding = zlib.decompressobj(wbits=31 if algorithm == "gzip" else 15)
    try:
        plain = unfolding.decompress(data, limit + 1)
    except zlib.error as error:
        raise ValueError(f"Decompression failed: {error}") from error
    if len(plain) > limit:
        raise TooLargeError(f"Decompression failed: more than {limit} bytes")
    if not unfolding.eof:
        raise ValueError("Decompression failed: the data is incomplete")
    return plain


class WebSocketCompressor:
    """Compresses text or dictionaries into an envelope that JSON can carry, where that makes them smaller."""

    def __init__(self, compression_level: int = 6) -> None:
        self.compression_level = compression_level
        self.enabled = True
        self._counts = {"messages": 0, "compressed": 0, "original_bytes": 0, "compressed_bytes": 0}

    def compress_message(self, data: Union[str, dict[str, Any]]) -> Union[str, dict[str, Any]]:
        """Return the envelope, or the data itself where compression is off or does not make it smaller."""
        if not self.enabled:
            return data
        plain = (data if isinstance(data, str) else json.dumps(data)).encode()
        packed = base64.b64encode(zlib.compress(plain, self.compression_level)).decode()
        self._counts["messages"] += 1
        self._counts["original_bytes"] += len(plain)
        if len(packed) + 64 >= len(plain):
            self._counts["compressed_bytes"] += len(plain)
            return data
        self._counts["compressed"] += 1
        self._counts["compressed_bytes"] += len(packed)
        return {"__compressed__": "zlib", "json": not isinstance(data, str), "data": packed}

    def decompress_message(self, data: Union[str, dict[str, Any]]) -> Union[str, dict[str, Any]]:
        """Return what the envelope holds; anything else as it is."""
        if not isinstance(data, dict) or data.get("__compressed__") != "zlib":
            return data
        text = zlib.decompress(base64.b64decode(data["data"])).decode()
        return json.loads(text) if data.get("json") else text

    def enable_compression(self) -> None:
        """Compress from now on."""
        self.enabled = True

    def disable_compression(self) -> None:
        """Leave messages as they are from now on."""
        self.enabled = False

    def is_compression_enabled(self) -> bool:
        """Whether messages are compressed."""
        return self.enabled

    def get_stats(self) -> dict[str, Any]:
        """Level, and sums over all messages."""
        return {"enabled": self.enabled, "compression_level": self.compression_level, **self._counts}
