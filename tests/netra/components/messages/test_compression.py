"""Messages above a size get smaller, come back whole, and a small one cannot hide a huge one."""

from __future__ import annotations

import asyncio
import zlib
from unittest.mock import patch

import pytest

pytest.importorskip("pydantic", reason="pydantic is not installed")

from compat.netra.components.messages.compression import (
    CompressionConfig,
    CompressionStats,
    PerformanceReport,
    TooLargeError,
    UnsupportedCompressionError,
    WebSocketCompressionHandler,
    WebSocketCompressor,
)
from compat.netra.components.messages.message_models import WebSocketMessage
from compat.netra.components.messages.message_types import MessageType


def message(size: int) -> WebSocketMessage:
    return WebSocketMessage(type=MessageType.USER_MESSAGE, payload={"text": "a" * size})


@pytest.mark.parametrize("algorithm", ["gzip", "deflate"])
def test_a_message_comes_back_whole(algorithm: str) -> None:
    async def scenario() -> None:
        handler = WebSocketCompressionHandler(CompressionConfig(preferred_algorithm=algorithm))
        result = await handler.compress_message(message(2000))
        assert result.was_compressed and result.compression_algorithm == algorithm
        assert result.compression_ratio == result.compressed_size / result.original_size < 0.1
        assert result.compressed_data is not None and len(result.compressed_data) == result.compressed_size
        assert await handler.decompress_message(result.compressed_data, algorithm, result.integrity_hash) == message(2000)
        with pytest.raises(ValueError, match=r"^Integrity check failed: expected hash 0, got "):
            await handler.decompress_message(result.compressed_data, algorithm, "0")
        with pytest.raises(ValueError, match=r"^Decompression failed: the data is incomplete"):
            await handler.decompress_message(result.compressed_data[:-10], algorithm)

    asyncio.run(scenario())


def test_what_is_left_as_it_is_and_what_is_refused() -> None:
    async def scenario() -> None:
        handler = WebSocketCompressionHandler(CompressionConfig(compression_threshold_bytes=500, max_uncompressed_size_mb=1))
        small = await handler.compress_message(message(1))
        assert (small.was_compressed, small.compressed_size, small.error_message) == (False, small.original_size, None)
        with pytest.raises(ValueError, match=r"^Message size \d+ bytes exceeds maximum size 1048576 bytes$"):
            await handler.compress_message(message(1024 * 1024))
        await handler.compress_message(message(1000))
        stats = handler.stats
        assert (stats.total_messages_processed, stats.messages_compressed, stats.messages_skipped) == (2, 1, 1)
        assert stats.messages_rejected_size == 1 and stats.bandwidth_savings_percent > 80
        report = await handler.generate_performance_report()
        assert (report.total_messages_processed, report.compression_efficiency_rating) == (2, "excellent")
        assert report.estimated_cost_savings.monthly_savings_usd > 0
        off = WebSocketCompressionHandler(CompressionConfig(compression_enabled=False))
        assert not off.compression_enabled and not (await off.compress_message(message(1000))).was_compressed

    asyncio.run(scenario())


def test_what_the_compressor_raises_leaves_the_message_as_it_is() -> None:
    handler = WebSocketCompressionHandler(CompressionConfig(compression_threshold_bytes=1, preferred_algorithm="gzip"))
    with patch("gzip.compress", side_effect=RuntimeError("broken")):
        result = asyncio.run(handler.compress_message(message(1000)))
    assert (result.was_compressed, result.error_message) == (False, "Compression failed: broken")
    assert (result.compression_algorithm, result.compression_ratio) == (None, 1.0)
    assert result.compressed_size == result.original_size


def test_a_small_message_cannot_hide_a_huge_one() -> None:
    handler = WebSocketCompressionHandler(CompressionConfig(max_uncompressed_size_mb=1))
    with pytest.raises(TooLargeError, match=r"more than 1048576 bytes"):
        asyncio.run(handler.decompress_message(zlib.compress(b"0" * (2 * 1024 * 1024)), "deflate"))


def test_other_algorithms_are_named() -> None:
    handler = WebSocketCompressionHandler(CompressionConfig(supported_algorithms=["deflate"]))
    assert handler.config.preferred_algorithm == "deflate"
    with pytest.raises(UnsupportedCompressionError, match=r"^Unsupported compression algorithm: gzip. Supported: deflate$"):
        asyncio.run(handler.decompress_message(b"", "gzip"))
    with pytest.raises(ValueError, match=r"compression_level must be between 0 and 9, not 10"):
        CompressionConfig(compression_level=10)


def test_figures_follow_from_sums() -> None:
    stats = CompressionStats(total_original_bytes=200, total_compressed_bytes=50)
    stats.update_stats()
    assert (stats.total_bytes_saved, stats.average_compression_ratio, stats.bandwidth_savings_percent) == (150, 0.25, 75.0)
    report = PerformanceReport(
        total_messages_processed=1, compression_rate_percent=100, total_bandwidth_saved_bytes=1024**3,
        average_compression_ratio=0.5, compression_efficiency_rating="good",
    )  # fmt: skip
    assert report.estimated_cost_savings.monthly_savings_usd == pytest.approx(0.12)


def test_the_envelope_is_used_only_where_it_pays() -> None:
    compressor = WebSocketCompressor()
    for data in ("x" * 1000, {"text": "x" * 1000}):
        packed = compressor.compress_message(data)
        assert packed != data and compressor.decompress_message(packed) == data
    assert compressor.compress_message("short") == "short" == compressor.decompress_message("short")
    compressor.disable_compression()
    assert compressor.compress_message("x" * 1000) == "x" * 1000
    compressor.enable_compression()
    assert compressor.is_compression_enabled() and compressor.get_stats()["compressed"] == 2
