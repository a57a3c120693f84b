"""Draws the series as line charts, one panel each."""

import math
from statistics import linear_regression

from data import Growth, Point, Series, how, where
from figures import microseconds
from panels import PANEL_HEIGHT, PANEL_WIDTH, Panel, Tick, panel
from svg import MARGIN, document, text

ACROSS = 3
GAP = 20
PANELS_FROM = 66
NOTES = (
    "Dots and line: the median; upright strokes:",
    "from the lower to the upper quartile.",
    "",
    "Dashed, what would be expected:",
    "size: a straight line (least squares)",
    "pools, keys: what one costs",
    "threads: one's cost, divided by the threads",
    "that have a CPU to themselves",
    "cache: EdDSA, 100,000 different tokens",
)


def to_svg(growth: Growth) -> str:
    panels = [panel_of(series, growth.cpus) for series in growth.series]
    corners = [
        (MARGIN + number % ACROSS * (PANEL_WIDTH + GAP), PANELS_FROM + number // ACROSS * (PANEL_HEIGHT + GAP))
        for number in range(len(panels) + 1)
    ]
    left, top = corners[-1]
    height = top + PANEL_HEIGHT + 48
    parts = [
        *(panel(of, *corner) for of, corner in zip(panels, corners)),
        *(text(left, top + 30 + 17 * number, note, "s") for number, note in enumerate(NOTES) if note),
        text(MARGIN, height - 28, how(growth), "s"),
        text(MARGIN, height - 13, where(growth), "s"),
    ]
    title = "How the cost of a verification grows"
    subtitle = "microseconds a token, from zero; full verification of RS256 with RSA-2048, in the sandbox, except by cache"
    return document(title, subtitle, description(growth), height, parts, Panel.STYLE)


def panel_of(series: Series, cpus: int) -> Panel:
    points = series.points
    xs, first = [point.x for point in points], points[0].median_us
    if series.id == "size":
        ticks = [Tick(kib * 1024, f"{kib}") for kib in range(0, math.ceil(xs[-1] / 1024) + 1, 2)]
        slope, start = linear_regression(xs, [point.median_us for point in points])
        expected = [start + slope * x for x in xs]
        return Panel("size of the token, KiB", points, float, ticks, expected)
    if series.id == "threads":
        ticks = [Tick(x, str(x)) for x in xs]
        return Panel("threads", points, float, ticks, [first / min(x, cpus) for x in xs])
    if series.id == "cache":
        # A label is as wide as two doublings.
        ticks = [Tick(x, size(x) if x != 32 << 20 else "") for x in xs]
        return Panel("token cache, bytes (Zipf's law)", points, doublings, ticks, None)
    ticks = [Tick(10**power, f"{10**power:,}") for power in range(math.ceil(math.log10(xs[-1])) + 1)]
    return Panel(series.what, points, math.log10, ticks, [first] * len(xs))


def doublings(size: float) -> float:
    """No cache is drawn two doublings to the left of the smallest measured cache, 128 KiB."""
    return math.log2(size) if size else 15


def size(count: int) -> str:
    return "none" if count == 0 else f"{count >> 20}M" if count >= 1 << 20 else f"{count >> 10}K"


def description(growth: Growth) -> str:
    def ends(points: list[Point]) -> str:
        return " to ".join(f"{microseconds(point.median_us)} µs at {point.x:,}" for point in (points[0], points[-1]))

    return "; ".join(f"{series.what}: {ends(series.points)}" for series in growth.series)
