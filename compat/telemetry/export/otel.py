"""OpenTelemetry: the same numbers as observable counters, read when the SDK exports, never on the hot path."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from ..metric_names import LAST, LAST_NAME, NAME, PROCESSES, PROCESSES_NAME, USES
from .series import Exported, Facts, Source, labelled

if TYPE_CHECKING:
    from opentelemetry.metrics import CallbackOptions, Meter, Observation


def observe(
    meter: Meter | None = None,
    moves: Mapping[str, Facts] | None = None,
    *,
    ledger: str | Mapping[str, str] = "",
    directory: str | os.PathLike[str] | None = None,
    service: str | None = "",
) -> None:
    """Register observable instruments for legacy uses on ``meter`` (that of the global provider, unless given).

    The counter is ``compat_legacy_uses``, unit ``{use}``, which Prometheus exporters call
    ``compat_legacy_uses_total``; attributes and arguments are those of ``compat.telemetry.export.prometheus.collector``.
    """
    try:
        from opentelemetry.metrics import Observation, get_meter
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            "compat.telemetry.export.otel needs opentelemetry-sdk: pip install 'netra-compat[otel]'", name=error.name
        ) from error

    source = Source(moves, ledger=ledger, directory=directory, service=service)
    chosen = get_meter("compat") if meter is None else meter

    def instrument(create: Any, name: str, unit: str, help_text: str, values: Any) -> None:
        def callback(options: CallbackOptions) -> Iterable[Observation]:
            return [Observation(value, attributes) for value, attributes in values(source.read())]

        create(name, [callback], unit=unit, description=help_text)

    instrument(chosen.create_observable_counter, NAME, "{use}", USES, _uses)
    instrument(chosen.create_observable_gauge, LAST_NAME.replace("_seconds", ""), "s", LAST, _last)
    instrument(chosen.create_observable_gauge, PROCESSES_NAME, "{process}", PROCESSES, _processes)


def _uses(exported: Exported) -> Iterable[tuple[int, dict[str, str]]]:
    return [(series.uses, labelled(series.labels)) for series in exported.uses]


def _last(exported: Exported) -> Iterable[tuple[float, dict[str, str]]]:
    return [(series.last, labelled(series.labels)) for series in exported.uses if series.last]


def _processes(exported: Exported) -> Iterable[tuple[int, dict[str, str]]]:
    return [
        (count, {"service": service, "environment": environment})
        for (service, environment), (count, _) in exported.observed.items()
    ]
