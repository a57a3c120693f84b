"""The comparison as a bar chart: an SVG of its own, deterministic from the data, without scripts or fonts from outside.

It brings its own background and follows the reader's colour scheme, so it stands in GitHub's light and dark themes,
also where the page's theme and the browser's differ.
"""

from html import escape

from comparison import Comparison, Row, how, microseconds, where

WIDTH = 860
MARGIN = 20
BARS_FROM = 330
# The longest bar's number stands behind it.
BARS_TO = WIDTH - MARGIN - 120
ROWS_FROM = 66
ROW_HEIGHT = 40
BAR_HEIGHT = 22
LONGEST_LABEL = 42

STYLE = """\
text{font:13px -apple-system,"Segoe UI",Helvetica,Arial,sans-serif;fill:#1f2328}
.t{font-size:16px;font-weight:600}.s{font-size:11px;fill:#59636e}.o{font-weight:600}
.v{stroke:#fff;stroke-width:4px;paint-order:stroke}
.p{fill:#fff;stroke:#d1d9e0}.b{fill:#afb8c1}.b.o{fill:#0969da}.l{stroke:#59636e;stroke-dasharray:3 3}
@media(prefers-color-scheme:dark){text{fill:#f0f6fc}.s{fill:#9198a1}.v{stroke:#0d1117}
.p{fill:#0d1117;stroke:#3d444d}.b{fill:#656c76}.b.o{fill:#4493f8}.l{stroke:#9198a1}}
"""


def to_svg(comparison: Comparison) -> str:
    slowest = max(row.median_us for row in comparison.rows)
    height = ROWS_FROM + ROW_HEIGHT * len(comparison.rows) + 48
    baseline = BARS_FROM + length(comparison.baseline, slowest)
    placed = [(row, ROWS_FROM + ROW_HEIGHT * place) for place, row in enumerate(comparison.rows)]
    title = "Microseconds to verify a Cognito access token"
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" viewBox="0 0 {WIDTH} {height}" '
        f'role="img" aria-labelledby="t d"><title id="t">{title}</title>'
        f'<desc id="d">{escape(description(comparison))}</desc><style>{STYLE}</style>',
        f'<rect class="p" x=".5" y=".5" width="{WIDTH - 1}" height="{height - 1}" rx="6"/>',
        f'<text class="t" x="{MARGIN}" y="30">{title}</text>',
        f'<text class="s" x="{MARGIN}" y="48">shorter is faster; the dashed line and × refer to '
        f"{escape(comparison.baseline.name)}</text>",
        *(bar(row, top, slowest) for row, top in placed),
        # Over the bars, under the numbers.
        f'<path class="l" d="M{baseline:.1f} {ROWS_FROM - 6}V{height - 48}"/>',
        *(words(row, top, slowest) for row, top in placed),
        f'<text class="s" x="{MARGIN}" y="{height - 28}">{escape(how(comparison))}</text>',
        f'<text class="s" x="{MARGIN}" y="{height - 13}">{escape(where(comparison))}</text>',
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def bar(row: Row, top: int, slowest: float) -> str:
    width = length(row, slowest)
    ours = " o" if row.is_ours else ""
    return f'<rect class="b{ours}" x="{BARS_FROM}" y="{top + 4}" width="{width:.1f}" height="{BAR_HEIGHT}" rx="2"/>'


def words(row: Row, top: int, slowest: float) -> str:
    end = BARS_FROM + length(row, slowest)
    ours = ' class="o"' if row.is_ours else ""
    return (
        f'<text{ours} x="{MARGIN}" y="{top + 12}">{label(f"{row.name} {row.version}")}</text>'
        f'<text class="s" x="{MARGIN}" y="{top + 27}">{label(row.runtime)}</text>'
        f'<text class="v{" o" if row.is_ours else ""}" x="{end + 6:.1f}" y="{top + 20}">'
        f"{microseconds(row.median_us)} µs · {row.ratio:.2f}×</text>"
    )


def length(row: Row, slowest: float) -> float:
    # From zero and linear: a bar twice as long is twice the time.
    return (BARS_TO - BARS_FROM) * row.median_us / slowest


def label(text: str) -> str:
    return escape(text if len(text) <= LONGEST_LABEL else text[: LONGEST_LABEL - 1] + "…")


def description(comparison: Comparison) -> str:
    return "; ".join(f"{row.name}: {microseconds(row.median_us)} µs" for row in comparison.rows)
