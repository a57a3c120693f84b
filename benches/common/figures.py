"""How figures are written."""


def microseconds(value: float) -> str:
    """Three digits that count, as the noise between rounds allows no more."""
    return f"{value:.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"
