"""Progress and errors on the terminal."""

import os
import sys


def show(progress: str) -> None:
    """Prints a line that replaces the previous one, if standard error is a terminal."""
    if sys.stderr.isatty():
        print(f"\r\x1b[K{coloured(progress, 36)}", end="", file=sys.stderr, flush=True)


def failed(message: str) -> int:
    show("")
    print(f"{coloured('error:', 31)} {message}", file=sys.stderr)
    return 1


def coloured(text: str, colour: int) -> str:
    plain = not text or not sys.stderr.isatty() or os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb"
    return text if plain else f"\x1b[{colour}m{text}\x1b[0m"
