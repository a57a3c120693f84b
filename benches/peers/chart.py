"""Draws the comparison as a bar chart."""

from comparison import Comparison, Row, how, where
from figures import microseconds
from svg import MARGIN, WIDTH, document, place, text

BARS_FROM = 330
# The number is drawn after the bar, so the longest bar needs space for it.
BARS_TO = WIDTH - MARGIN - 120
ROWS_FROM = 66
ROW_HEIGHT = 40
BAR_HEIGHT = 22
LONGEST_LABEL = 42


def to_svg(comparison: Comparison) -> str:
    slowest = max(row.median_us for row in comparison.rows)
    height = ROWS_FROM + ROW_HEIGHT * len(comparison.rows) + 48
    baseline = BARS_FROM + length(comparison.baseline, slowest)
    placed = [(row, ROWS_FROM + ROW_HEIGHT * number) for number, row in enumerate(comparison.rows)]
    parts = [
        *(bar(row, top, slowest) for row, top in placed),
        # Drawn above the bars and below the numbers.
        f'<path class="l" d="M{place(baseline)} {ROWS_FROM - 6}V{height - 48}"/>',
        *(words(row, top, slowest) for row, top in placed),
        text(MARGIN, height - 28, how(comparison), "s"),
        text(MARGIN, height - 13, where(comparison), "s"),
    ]
    title = "Microseconds to verify a Cognito access token"
    subtitle = f"shorter is faster; the dashed line and × refer to {comparison.baseline.name}"
    return document(title, subtitle, description(comparison), height, parts)


def bar(row: Row, top: int, slowest: float) -> str:
    width = place(length(row, slowest))
    ours = " o" if row.is_ours else ""
    return f'<rect class="b{ours}" x="{BARS_FROM}" y="{top + 4}" width="{width}" height="{BAR_HEIGHT}" rx="2"/>'


def words(row: Row, top: int, slowest: float) -> str:
    end = BARS_FROM + length(row, slowest)
    return (
        text(MARGIN, top + 12, label(f"{row.name} {row.version}"), "o" if row.is_ours else "")
        + text(MARGIN, top + 27, label(row.runtime), "s")
        + text(end + 6, top + 20, f"{microseconds(row.median_us)} µs · {row.ratio:.2f}×", "v o" if row.is_ours else "v")
    )


def length(row: Row, slowest: float) -> float:
    # A linear axis from zero: a bar of twice the length is twice the time.
    return (BARS_TO - BARS_FROM) * row.median_us / slowest


def label(what: str) -> str:
    return what if len(what) <= LONGEST_LABEL else what[: LONGEST_LABEL - 1] + "…"


def description(comparison: Comparison) -> str:
    return "; ".join(f"{row.name}: {microseconds(row.median_us)} µs" for row in comparison.rows)
