"""The measured series, as JSON and as a Markdown table."""

import json
import os
import statistics
from dataclasses import asdict, dataclass
from datetime import datetime, timezone
from typing import Any

from figures import microseconds
from host import cpu, operating_system

IDS = ("size", "pools", "keys", "cache", "threads")


@dataclass(frozen=True)
class Point:
    x: int
    median_us: float
    """Microseconds per token, the median of the rounds."""
    low_us: float
    high_us: float
    """The quartiles."""


@dataclass(frozen=True)
class Series:
    id: str
    what: str
    """The meaning of `x`."""
    points: list[Point]


@dataclass(frozen=True)
class Growth:
    cpu: str
    cpus: int
    os: str
    date: str
    rounds: int
    series: list[Series]


def from_lines(output: str) -> Growth:
    """Reads the output of the benchmark, and adds the machine and the date."""
    try:
        said = [json.loads(line) for line in output.splitlines() if line.startswith("{")]
        series = [Series(of["id"], of["what"], [summarised(point) for point in of["points"]]) for of in said]
        rounds = len(said[0]["points"][0]["us"])
    except (LookupError, TypeError, statistics.StatisticsError):
        raise ValueError("its output is not what --json prints") from None
    today = datetime.now(timezone.utc).date().isoformat()
    return checked(Growth(cpu(), os.cpu_count() or 1, operating_system(), today, rounds, series))


def summarised(point: dict[str, Any]) -> Point:
    low, median, high = (round(value, 3) for value in statistics.quantiles(point["us"], n=4, method="inclusive"))
    return Point(int(point["x"]), median, low, high)


def to_json(growth: Growth) -> str:
    host = {"cpu": growth.cpu, "cpus": growth.cpus, "os": growth.os}
    series = [asdict(of) for of in growth.series]
    said = {"host": host, "date": growth.date, "rounds": growth.rounds, "series": series}
    return json.dumps(said, ensure_ascii=False, indent=2) + "\n"


def from_json(text: str) -> Growth:
    """Raises ValueError with a description if the data was not written by `to_json`."""
    try:
        said = json.loads(text)
        series = [Series(of["id"], of["what"], [Point(**point) for point in of["points"]]) for of in said["series"]]
        host = said["host"]
        growth = Growth(host["cpu"], int(host["cpus"]), host["os"], said["date"], int(said["rounds"]), series)
    except KeyError as error:
        raise ValueError(f"the member {error} is missing") from None
    except (TypeError, AttributeError):
        raise ValueError("a member is not of the type that --json writes") from None
    return checked(growth)


def checked(growth: Growth) -> Growth:
    if tuple(series.id for series in growth.series) != IDS or not all(len(series.points) > 1 for series in growth.series):
        raise ValueError(f"it has not the series {', '.join(IDS)}, of two points or more each")
    return growth


def to_markdown(growth: Growth) -> str:
    lines = ["| by | | µs per token | quartiles |", "|---|---:|---:|---:|"]
    for series in growth.series:
        for point in series.points:
            quartiles = f"{microseconds(point.low_us)} to {microseconds(point.high_us)}"
            lines.append(f"| {series.what} | {point.x:,} | {microseconds(point.median_us)} | {quartiles} |")
    return "\n".join([*lines, "", f"{how(growth)}. {where(growth)}.", ""])


def how(growth: Growth) -> str:
    return f"The median of {growth.rounds} rounds, the points of a series measured in turn"


def where(growth: Growth) -> str:
    return f"{growth.cpu}; {growth.os}; {growth.date}"
