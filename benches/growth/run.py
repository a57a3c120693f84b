#!/usr/bin/env python3
"""Measures how the cost of a verification grows, and draws charts.

    python3 benches/growth/run.py [--json FILE] [--svg FILE] [--from FILE]

It runs `cargo bench -p benches --bench growth`, which measures the points of a series in turn. The table goes to standard output.
"""

import argparse
import sys
from pathlib import Path

# Otherwise Python would create __pycache__ in the source folder.
sys.dont_write_bytecode = True
sys.path.append(str(Path(__file__).resolve().parents[1] / "common"))

from chart import to_svg
from data import Growth, from_json, from_lines, to_json, to_markdown
from progress import failed, show
from running import CommandFailed, run

# The package of the benchmarks is not one of those that cargo takes by default.
COMMAND = ("cargo", "bench", "--package", "benches", "--quiet", "--bench", "growth", "--", "--json")
HINT = "cargo comes with Rust: https://rustup.rs"
EPILOG = "exit codes: 0 all went well; 1 the benchmark failed, or a file could not be written; 2 wrong usage"


def main() -> int:
    sys.stdout.reconfigure(encoding="utf-8")  # type: ignore[union-attr]
    parser = command_line()
    options = parser.parse_args()
    for path in (options.json, options.svg):
        if path and not path.parent.is_dir():
            parser.error(f"cannot write {path}: the folder {path.parent} does not exist")
    try:
        growth = read(parser, options.from_file) if options.from_file else measure()
        print(to_markdown(growth), end="", flush=True)
        for path, render in ((options.json, to_json), (options.svg, to_svg)):
            if path:
                path.write_text(render(growth), encoding="utf-8", newline="\n")
    except (CommandFailed, OSError) as error:
        return failed(str(error))
    except KeyboardInterrupt:
        show("")
        return 130
    return 0


def command_line() -> argparse.ArgumentParser:
    summary = (__doc__ or "").partition("\n")[0]
    parser = argparse.ArgumentParser(description=summary, epilog=EPILOG, allow_abbrev=False)
    option = parser.add_argument
    option("--json", type=Path, metavar="FILE", help="write the results as JSON")
    option("--svg", type=Path, metavar="FILE", help="write an SVG with one panel per series")
    option("--from", dest="from_file", type=Path, metavar="FILE", help="do not measure; read the results of a run with --json")
    return parser


def read(parser: argparse.ArgumentParser, path: Path) -> Growth:
    try:
        return from_json(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        parser.error(f"--from: cannot read {path}: {error}")


def measure() -> Growth:
    show("measuring, for some two minutes after the build")
    output = run("the benchmark", COMMAND, hint=HINT)
    show("")
    try:
        return from_lines(output)
    except ValueError as error:
        raise CommandFailed(f"the benchmark: {error}") from None


if __name__ == "__main__":
    sys.exit(main())
