"""Runs a measurement program and reads its output.

A measurer is a command that takes a tokens file, verifies its tokens in rotation and prints one JSON object a library:

    {"id": "pyjwt", "name": "PyJWT decode", "version": "2.15.1", "runtime": "CPython 3.11.7", "us": [31.2, 31.0, …]}

`us` holds microseconds per token, a value for each slice of tokens; the run's figure is their median.
"""

import json
import math
import statistics
from dataclasses import dataclass
from pathlib import Path

from running import CommandFailed, run


class MeasurerFailed(CommandFailed):
    """The output of a measurement program is invalid. The text is for the user."""


@dataclass(frozen=True)
class Measurer:
    name: str
    command: tuple[str, ...]
    """The command. The file of tokens is appended as the last argument."""


@dataclass(frozen=True)
class Figure:
    """The result of one library in one run."""

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
