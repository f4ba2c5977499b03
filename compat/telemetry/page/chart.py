"""The burn-down: uses over time, stacked by service or owner, as inline SVG that needs neither script nor style attributes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from markupsafe import Markup

from ..history.queries import Selection
from ..report.usage_report import iso_day

SHADES = 6  # layers with a colour of their own; the style sheet has as many and one for the rest
OTHERS = "others"
# The script draws into the same frame.
WIDTH, HEIGHT, LEFT, BOTTOM, TOP = 420, 150, 40, 18, 8


class Chart(NamedTuple):
    """A drawn burn-down and its legend: ``(shade, name, uses)``, the lowest of the stack first."""

    svg: Markup
    legend: Sequence[tuple[int, str, int]]
    unit: str


def bucket_days(selection: Selection) -> int:
    """How many days a bar stands for, so that a chart has at most some fifty bars."""
    days = selection.today - selection.first + 1
    return 1 if days <= 35 else 7 if days <= 371 else 28


def unit_of(width: int) -> str:
    """What a bar of ``width`` days stands for, in words."""
    return {1: "day", 7: "week"}.get(width, f"{width} days")


def burn_down(ident: str, title: str, stacks: Mapping[str, Sequence[int]], today: int, width: int) -> Chart:
    """Draw ``name -> uses per bar`` of ``width`` days, the last of which ends today; ``ident`` is unique on the page."""
    count = max((len(bars) for bars in stacks.values()), default=1)
    ranked = sorted(stacks, key=lambda name: (-sum(stacks[name]), name))
    shown = ranked if len(ranked) <= SHADES else ranked[: SHADES - 1]
    layers = [(shade, name, list(stacks[name])) for shade, name in enumerate(shown)]
    if len(shown) < len(ranked):
        rest = [sum(stacks[name][at] for name in ranked[len(shown) :]) for at in range(count)]
        layers.append((SHADES, f"{len(ranked) - len(shown)} {OTHERS}", rest))
    totals = [sum(layer[at] for _, _, layer in layers) for at in range(count)]
    starts = [today - width * (count - at) + 1 for at in range(count)]
    svg = _draw(ident, title, unit_of(width), layers, totals, starts)
    return Chart(svg, [(shade, name, sum(layer)) for shade, name, layer in layers], unit_of(width))


def _draw(
    ident: str,
    title: str,
    unit: str,
    layers: Sequence[tuple[int, str, Sequence[int]]],
    totals: Sequence[int],
    starts: Sequence[int],
) -> Markup:
    top = _ceiling(max(totals, default=0))
    room = HEIGHT - BOTTOM - TOP
    pitch = (WIDTH - LEFT - 2) / len(totals)
    bar = min(36.0, max(1.0, pitch * 0.8))

    def x(at: int) -> float:
        return round(LEFT + at * pitch + (pitch - bar) / 2, 1)

    def y(uses: float) -> float:
        return round(TOP + room * (1 - uses / top), 1)

    peak = max(range(len(totals)), key=lambda at: totals[at])
    story = (
        f"Uses per {unit}: {totals[0]:,} at the start ({iso_day(starts[0])}), at most {totals[peak]:,} "
        f"({iso_day(starts[peak])}), {totals[-1]:,} in the last ({iso_day(starts[-1])})."
    )
    parts = [
        Markup('<svg class="chart" role="img" viewBox="0 0 {} {}" aria-labelledby="{}-t {}-d">').format(
            WIDTH, HEIGHT, ident, ident
        ),
        Markup('<title id="{}-t">{}</title><desc id="{}-d">{}</desc>').format(ident, title, ident, story),
    ]
    for share in (0, 0.5, 1):
        height = y(top * share)
        parts.append(Markup('<path class="grid" d="M{} {}H{}"/>').format(LEFT, height, WIDTH))
        parts.append(Markup('<text class="scale" x="{}" y="{}">{}</text>').format(LEFT - 5, height + 4, _short(top * share)))
    parts.append(Markup('<g class="bars">'))
    below = [0] * len(totals)
    for shade, _, layer in layers:
        path = []
        for at, uses in enumerate(layer):
            if uses:
                high, low = y(below[at] + uses), y(below[at])
                path.append(f"M{x(at)} {low}v{round(high - low, 1)}h{round(bar, 1)}V{low}z")
                below[at] += uses
        parts.append(Markup('<path class="s{}" d="{}"/>').format(shade, "".join(path)))
    parts.append(Markup("</g>"))
    step = max(1, -(-len(totals) // 5))
    for at in range(len(totals) - 1, -1, -step):
        parts.append(
            Markup('<text class="date" x="{}" y="{}">{}</text>').format(
                min(WIDTH - 14, round(x(at) + bar / 2, 1)), HEIGHT - 4, iso_day(starts[at])[5:]
            )
        )
    for at, total in enumerate(totals):
        if total:
            said = ", ".join(f"{name} {layer[at]:,}" for _, name, layer in layers if layer[at])
            parts.append(
                Markup('<rect class="hit" x="{}" y="{}" width="{}" height="{}"><title>{}: {} ({})</title></rect>').format(
                    round(LEFT + at * pitch, 1), TOP, round(pitch, 1), room, iso_day(starts[at]), f"{total:,}", said
                )
            )
    parts.append(Markup("</svg>"))
    return Markup("").join(parts)


def sparkle(trend: Sequence[int]) -> Markup:
    """Draw the uses of one move, small; the text beside it tells the numbers."""
    top = max(trend) or 1
    steps = "".join(f"V{32 - (max(1, round(30 * uses / top)) if uses else 0)}h8" for uses in trend)
    frame = Markup('<svg class="spark" aria-hidden="true" viewBox="0 0 {} 32"><path d="M0 32{}V32z"/></svg>')
    return frame.format(len(trend) * 8, steps)


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
