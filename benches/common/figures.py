"""Formats numbers."""


def microseconds(value: float) -> str:
    """Formats a number with three significant digits; the noise between rounds does not justify more."""
    return f"{value:.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"
