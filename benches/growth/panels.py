"""Draws a line chart of one series."""

import math
from dataclasses import dataclass
from typing import Callable, ClassVar, Sequence

from data import Point
from figures import microseconds
from svg import place, text

PANEL_WIDTH, PANEL_HEIGHT = 260, 190
# Margins of the plot: numbers on the left, the title above, ticks below.
LEFT, TOP, BOTTOM, RIGHT = 32, 26, 22, 12
STEPS = 4


@dataclass(frozen=True)
class Tick:
    x: float
    label: str


@dataclass(frozen=True)
class Panel:
    title: str
    points: Sequence[Point]
    scale: Callable[[float], float]
    """Maps a number to its position on the axis."""
    ticks: Sequence[Tick]
    expected: Sequence[float] | None
    """A reference cost for each point, drawn as a dashed line."""

    STYLE: ClassVar[str] = """\
.g{stroke:#d1d9e0}.c{fill:none;stroke:#0969da;stroke-width:2}.q{stroke:#0969da;stroke-width:1}.d{fill:#0969da}.l{fill:none}
@media(prefers-color-scheme:dark){.g{stroke:#3d444d}.c,.q{stroke:#4493f8}.d{fill:#4493f8}}
"""


def panel(of: Panel, left: float, top: float) -> str:
    most = nice(max(point.high_us for point in of.points))
    low, high = (of.scale(choose(point.x for point in of.points)) for choose in (min, max))
    low = min(low, of.scale(of.ticks[0].x))
    high = max(high, of.scale(of.ticks[-1].x))

    def across(x: float) -> float:
        return left + LEFT + (PANEL_WIDTH - LEFT - RIGHT) * (of.scale(x) - low) / (high - low)

    def down(us: float) -> float:
        return top + PANEL_HEIGHT - BOTTOM - (PANEL_HEIGHT - TOP - BOTTOM) * us / most

    def line(costs: Sequence[float]) -> str:
        return "M" + "L".join(f"{place(across(point.x))} {place(down(us))}" for point, us in zip(of.points, costs))

    right = place(left + PANEL_WIDTH - RIGHT)
    steps = [most * step / STEPS for step in range(STEPS + 1)]
    medians = [point.median_us for point in of.points]
    first, last = of.points[0], of.points[-1]
    below = 20 if last.median_us > 1.2 * first.median_us else -9
    return "\n".join(
        [
            text(left, top + 12, of.title, "o"),
            *(f'<path class="g" d="M{place(left + LEFT)} {place(down(us))}H{right}"/>' for us in steps),
            *(text(left + LEFT - 6, down(us) + 4, f"{us:g}", "s", 'text-anchor="end"') for us in steps),
            *(text(across(tick.x), top + PANEL_HEIGHT - 6, tick.label, "s", 'text-anchor="middle"') for tick in of.ticks),
            *([f'<path class="l" d="{line(of.expected)}"/>'] if of.expected else []),
            *(
                f'<path class="q" d="M{place(across(point.x))} {place(down(point.low_us))}V{place(down(point.high_us))}"/>'
                for point in of.points
            ),
            f'<path class="c" d="{line(medians)}"/>',
            *(
                f'<circle class="d" cx="{place(across(point.x))}" cy="{place(down(point.median_us))}" r="3"/>'
                for point in of.points
            ),
            # Below a rising line.
            text(across(first.x) - 4, down(first.median_us) + below, microseconds(first.median_us), "v o"),
            text(across(last.x) + 4, down(last.median_us) - 9, microseconds(last.median_us), "v o", 'text-anchor="end"'),
        ]
    )


def nice(value: float) -> float:
    """The next of 1, 2, 4, 6, 8 and 10 times a power of ten, with space for a number above the highest point."""
    power = 10 ** math.floor(math.log10(value * 1.1))
    return next(step * power for step in (1, 2, 4, 6, 8, 10) if step * power >= value * 1.1)
