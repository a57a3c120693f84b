"""A self-contained SVG: deterministic, without scripts or external fonts.

It brings its own background and follows the reader's colour scheme, so it stands in GitHub's light and dark themes,
also where the page's theme and the browser's differ.
"""

from html import escape
from typing import Iterable

WIDTH = 860
MARGIN = 20

STYLE = """\
text{font:13px -apple-system,"Segoe UI",Helvetica,Arial,sans-serif;fill:#1f2328}
.t{font-size:16px;font-weight:600}.s{font-size:11px;fill:#59636e}.o{font-weight:600}
.v{stroke:#fff;stroke-width:4px;paint-order:stroke}
.p{fill:#fff;stroke:#d1d9e0}.b{fill:#afb8c1}.b.o{fill:#0969da}.l{stroke:#59636e;stroke-dasharray:3 3}
@media(prefers-color-scheme:dark){text{fill:#f0f6fc}.s{fill:#9198a1}.v{stroke:#0d1117}
.p{fill:#0d1117;stroke:#3d444d}.b{fill:#656c76}.b.o{fill:#4493f8}.l{stroke:#9198a1}}
"""


def document(title: str, subtitle: str, description: str, height: int, parts: Iterable[str], style: str = "") -> str:
    """`description` is the text alternative; `style` is appended to the common style."""
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" viewBox="0 0 {WIDTH} {height}" '
        f'role="img" aria-labelledby="t d"><title id="t">{escape(title)}</title>'
        f'<desc id="d">{escape(description)}</desc><style>{STYLE}{style}</style>',
        f'<rect class="p" x=".5" y=".5" width="{WIDTH - 1}" height="{height - 1}" rx="6"/>',
        text(MARGIN, 30, title, "t"),
        text(MARGIN, 48, subtitle, "s"),
        *parts,
        "</svg>",
    ]
    return "\n".join(lines) + "\n"


def text(x: float, y: float, what: str, classes: str = "", attributes: str = "") -> str:
    more = f' class="{classes}"' * bool(classes) + f" {attributes}" * bool(attributes)
    return f'<text{more} x="{place(x)}" y="{place(y)}">{escape(what)}</text>'


def place(value: float) -> str:
    """Formats a coordinate."""
    return f"{value:.1f}".removesuffix(".0")
