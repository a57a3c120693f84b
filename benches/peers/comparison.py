"""The results of the rounds, with one row per library, as JSON and as a Markdown table."""

import json
import math
import statistics
from dataclasses import asdict, dataclass
from datetime import datetime, timezone
from typing import Any, Sequence

from figures import microseconds
from host import cpu, operating_system
from measurers import Figure, MeasurerFailed

# The baseline: jsonwebtoken with aws_lc_rs, native.
BASELINE = "jsonwebtoken-aws-lc-rs"
OURS = "poolgate"


@dataclass(frozen=True)
class Row:
    id: str
    name: str
    version: str
    runtime: str
    median_us: float
    """Microseconds per token, the median of the rounds."""
    ratio: float
    """The ratio to the baseline's median; below 1 is faster."""
    rounds: list[float]
    """Microseconds per token in each round."""

    @property
    def is_ours(self) -> bool:
        return self.id.startswith(OURS)


@dataclass(frozen=True)
class Comparison:
    cpu: str
    os: str
    date: str
    rows: list[Row]
    """Sorted by speed, the fastest first."""

    @property
    def baseline(self) -> Row:
        return next(row for row in self.rows if row.id == BASELINE)


def compare(rounds: Sequence[Sequence[Figure]]) -> Comparison:
    """Computes the median of each library over the rounds, and adds the machine and the date."""
    by_id: dict[str, list[Figure]] = {}
    for figures in rounds:
        for figure in figures:
            by_id.setdefault(figure.id, []).append(figure)
    for id, figures in by_id.items():
        if len(figures) != len(rounds):
            raise MeasurerFailed(f"there are {len(figures)} figures for {id!r}, but {len(rounds)} rounds were measured")
    if BASELINE not in by_id:
        raise MeasurerFailed(f"no measurer gave a figure for {BASELINE!r}, which all others are compared with")
    medians = {id: statistics.median(figure.us for figure in figures) for id, figures in by_id.items()}
    rows = []
    for id, (first, *_) in by_id.items():
        median, each = medians[id], [round(figure.us, 3) for figure in by_id[id]]
        ratio = round(median / medians[BASELINE], 4)
        rows.append(Row(id, first.name, first.version, first.runtime, round(median, 3), ratio, each))
    return Comparison(cpu(), operating_system(), datetime.now(timezone.utc).date().isoformat(), fastest_first(rows))


def fastest_first(rows: list[Row]) -> list[Row]:
    return sorted(rows, key=lambda row: (row.median_us, row.id))


def to_json(comparison: Comparison) -> str:
    host = {"cpu": comparison.cpu, "os": comparison.os}
    rows = [asdict(row) for row in comparison.rows]
    return json.dumps({"host": host, "date": comparison.date, "rows": rows}, ensure_ascii=False, indent=2) + "\n"


def from_json(text: str) -> Comparison:
    """Raises ValueError with a description if the data was not written by `to_json`."""
    try:
        said = json.loads(text)
        host, rows = said["host"], fastest_first([read_row(of) for of in said["rows"]])
        comparison = Comparison(str(host["cpu"]), str(host["os"]), str(said["date"]), rows)
    except KeyError as error:
        raise ValueError(f"the member {error} is missing") from None
    except (TypeError, AttributeError):
        raise ValueError("a member is not of the type that --json writes") from None
    if not any(row.id == BASELINE for row in comparison.rows):
        raise ValueError(f"it has no row {BASELINE!r}")
    return comparison


def read_row(of: dict[str, Any]) -> Row:
    median_us, ratio, *rounds = (float(value) for value in (of["median_us"], of["ratio"], *of["rounds"]))
    if not rounds or not all(math.isfinite(value) and value > 0 for value in (median_us, ratio, *rounds)):
        raise ValueError(f"the row {of['id']!r} holds no rounds, or a number that is not a time")
    return Row(str(of["id"]), str(of["name"]), str(of["version"]), str(of["runtime"]), median_us, ratio, rounds)


def to_markdown(comparison: Comparison) -> str:
    lines = [
        "| verifier | version | runtime | µs per token | lowest to highest round | ratio |",
        "|---|---|---|---:|---:|---:|",
    ]
    for row in comparison.rows:
        spread = f"{microseconds(min(row.rounds))} to {microseconds(max(row.rounds))}"
        cells = [row.name, row.version, row.runtime, microseconds(row.median_us), spread, f"{row.ratio:.2f}×"]
        mark = "**" if row.is_ours else ""
        lines.append("| " + " | ".join(f"{mark}{in_a_cell(cell)}{mark}" for cell in cells) + " |")
    reference = f"ratio to {comparison.baseline.name}, lower is faster"
    return "\n".join([*lines, "", f"{how(comparison)}; {reference}. {where(comparison)}.", ""])


def how(comparison: Comparison) -> str:
    rounds = len(comparison.baseline.rounds)
    return f"Full verification, RS256 with RSA-2048; the median of {rounds} round{'s' if rounds > 1 else ''}"


def where(comparison: Comparison) -> str:
    return f"{comparison.cpu}; {comparison.os}; {comparison.date}"


def in_a_cell(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "&lt;")
