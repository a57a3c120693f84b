"""What a measurer is, how it is run, and how what it says is read.

A measurer is a command that takes a tokens file, verifies its tokens in rotation and prints one JSON object a library:

    {"id": "pyjwt", "name": "PyJWT decode", "version": "2.15.1", "runtime": "CPython 3.11.7", "us": [31.2, 31.0, …]}

`us` holds microseconds per token, a value for each slice of tokens; the run's figure is their median.
"""

import json
import math
import statistics
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Sequence

WORKSPACE = Path(__file__).resolve().parents[2]
# A compiler can say a great deal; the end of it says why it stopped.
LINES_OF_A_FAILURE = 20


class MeasurerFailed(Exception):
    """A measurer could not be made ready, failed, or said what can't be understood. The text is for the user."""


@dataclass(frozen=True)
class Measurer:
    name: str
    command: tuple[str, ...]
    """The tokens file follows as the last argument."""


@dataclass(frozen=True)
class Figure:
    """What one run of a measurer says of one library."""

    id: str
    name: str
    version: str
    runtime: str
    us: float
    """Microseconds per token, the median of the run's slices."""


def measure(measurer: Measurer, tokens_file: Path) -> list[Figure]:
    output = run(measurer.name, [*measurer.command, str(tokens_file)])
    figures = [read_figure(measurer, line) for line in output.splitlines() if line.strip()]
    if not figures:
        raise MeasurerFailed(f"{measurer.name}: it succeeded, but printed no figure")
    return figures


def read_figure(measurer: Measurer, line: str) -> Figure:
    try:
        said = json.loads(line)
        slices = [float(value) for value in said["us"]]
        if not slices or not all(math.isfinite(value) and value > 0 for value in slices):
            raise ValueError
        id, name, version, runtime = (str(said[key]) for key in ("id", "name", "version", "runtime"))
        return Figure(id, name, version, runtime, statistics.median(slices))
    except (ValueError, KeyError, TypeError):
        expected = '{"id", "name", "version", "runtime", "us": [microseconds per token, …]}'
        raise MeasurerFailed(f"{measurer.name}: a line of its output is not {expected}") from None


def run(what: str, command: Sequence[str], directory: Path = WORKSPACE, hint: str = "") -> str:
    """The command's standard output. `hint` says what to do if it can't be found or fails."""
    advice = f"\n{hint}" if hint else ""
    try:
        done = subprocess.run(
            command, cwd=directory, stdin=subprocess.DEVNULL, capture_output=True, encoding="utf-8", errors="replace"
        )
    except OSError as error:
        raise MeasurerFailed(f"{what}: can't run {command[0]}: {error.strerror}{advice}") from None
    if done.returncode != 0:
        # npm and venv say what they miss on standard output.
        said = (done.stderr.strip() or done.stdout.strip()).splitlines()[-LINES_OF_A_FAILURE:]
        text = "".join(f"\n  {line}" for line in said)
        raise MeasurerFailed(f"{what}: {command[0]} ended with {ending(done.returncode)}{text}{advice}")
    return done.stdout


def ending(code: int) -> str:
    return f"signal {-code}" if code < 0 else f"exit code {code}"
