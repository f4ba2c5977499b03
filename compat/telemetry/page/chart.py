"""The burn-down: uses over time, stacked by caller, as inline SVG that needs neither script nor style attributes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from markupsafe import Markup

from ..history.queries import Selection
from ..report.usage_report import iso_day

SHADES = 6  # callers with a colour of their own; the style sheet has as many and one for the rest
OTHERS = "other callers"
_WIDTH, _HEIGHT, _LEFT, _BOTTOM, _TOP = 720, 170, 52, 22, 8


class Chart(NamedTuple):
    """A drawn burn-down and its legend: ``(shade, caller, uses)``, the lowest of the stack first."""

    svg: Markup
    legend: Sequence[tuple[int, str, int]]
    unit: str


def bucket_days(selection: Selection) -> int:
    """How many days a bar stands for, so that a chart has at most some fifty bars."""
    days = selection.today - selection.first + 1
    return 1 if days <= 35 else 7 if days <= 371 else 28


def burn_down(ident: str, title: str, series: Mapping[str, Mapping[int, int]], selection: Selection) -> Chart:
    """Draw ``caller -> day -> uses`` over the period of ``selection``; ``ident`` is unique on the page."""
    width = bucket_days(selection)
    unit = {1: "day", 7: "week"}.get(width, f"{width} days")
    # Bars end today: the last is whole, the first may be cut.
    count = -(-(selection.today - selection.first + 1) // width)
    stacks = {caller: [0] * count for caller in series}
    for caller, days in series.items():
        for day, uses in days.items():
            stacks[caller][count - 1 - (selection.today - day) // width] += uses
    ranked = sorted(stacks, key=lambda caller: (-sum(stacks[caller]), caller))
    shown = ranked if len(ranked) <= SHADES else ranked[: SHADES - 1]
    layers = [(shade, caller, stacks[caller]) for shade, caller in enumerate(shown)]
    if len(shown) < len(ranked):
        rest = [sum(stacks[caller][at] for caller in ranked[len(shown) :]) for at in range(count)]
        layers.append((SHADES, f"{len(ranked) - len(shown)} {OTHERS}", rest))
    totals = [sum(layer[at] for _, _, layer in layers) for at in range(count)]
    starts = [selection.today - width * (count - at) + 1 for at in range(count)]
    svg = _draw(ident, title, unit, layers, totals, starts)
    return Chart(svg, [(shade, caller, sum(layer)) for shade, caller, layer in layers], unit)


def _draw(
    ident: str,
    title: str,
    unit: str,
    layers: Sequence[tuple[int, str, Sequence[int]]],
    totals: Sequence[int],
    starts: Sequence[int],
) -> Markup:
    top = _ceiling(max(totals, default=0))
    room = _HEIGHT - _BOTTOM - _TOP
    pitch = (_WIDTH - _LEFT - 4) / len(totals)
    bar = min(44.0, max(1.0, pitch * 0.8))

    def x(at: int) -> float:
        return round(_LEFT + at * pitch + (pitch - bar) / 2, 1)

    def y(uses: float) -> float:
        return round(_TOP + room * (1 - uses / top), 1)

    peak = max(range(len(totals)), key=lambda at: totals[at])
    story = (
        f"Uses per {unit}: {totals[0]:,} at the start ({iso_day(starts[0])}), at most {totals[peak]:,} "
        f"({iso_day(starts[peak])}), {totals[-1]:,} in the last ({iso_day(starts[-1])})."
    )
    parts = [
        Markup('<svg class="chart" role="img" viewBox="0 0 {} {}" aria-labelledby="{}-t {}-d">').format(
            _WIDTH, _HEIGHT, ident, ident
        ),
        Markup('<title id="{}-t">{}</title><desc id="{}-d">{}</desc>').format(ident, title, ident, story),
    ]
    for share in (0, 0.5, 1):
        height = y(top * share)
        parts.append(Markup('<path class="grid" d="M{} {}H{}"/>').format(_LEFT, height, _WIDTH))
        parts.append(Markup('<text class="scale" x="{}" y="{}">{}</text>').format(_LEFT - 6, height + 4, _short(top * share)))
    below = [0] * len(totals)
    for shade, _, layer in layers:
        path = []
        for at, uses in enumerate(layer):
            if uses:
                high, low = y(below[at] + uses), y(below[at])
                path.append(f"M{x(at)} {low}v{round(high - low, 1)}h{round(bar, 1)}V{low}z")
                below[at] += uses
        parts.append(Markup('<path class="s{}" d="{}"/>').format(shade, "".join(path)))
    step = max(1, len(totals) // 6)
    for at in range(len(totals) - 1, -1, -step):
        parts.append(
            Markup('<text class="date" x="{}" y="{}">{}</text>').format(
                round(x(at) + bar / 2, 1), _HEIGHT - 5, iso_day(starts[at])[5:]
            )
        )
    for at, total in enumerate(totals):
        if total:
            said = ", ".join(f"{caller} {layer[at]:,}" for _, caller, layer in layers if layer[at])
            parts.append(
                Markup('<rect class="hit" x="{}" y="{}" width="{}" height="{}"><title>{}: {} ({})</title></rect>').format(
                    round(_LEFT + at * pitch, 1), _TOP, round(pitch, 1), room, iso_day(starts[at]), f"{total:,}", said
                )
            )
    parts.append(Markup("</svg>"))
    return Markup("").join(parts)


def _ceiling(value: int) -> int:
    """The next round number whose half is round too."""
    unit = 1
    while True:
        for factor in (2, 4, 6, 8, 10) if unit == 1 else (2, 3, 4, 5, 6, 8, 10):
            if value <= factor * unit:
                return factor * unit
        unit *= 10


def _short(value: float) -> str:
    for size, letter in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if value >= size:
            return f"{value / size:g}{letter}"
    return f"{value:g}"
