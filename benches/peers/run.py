#!/usr/bin/env python3
"""Compares poolgate with verifiers in Rust, JavaScript and Python, over the same tokens, in the same run.

    python3 benches/peers/run.py [--quick] [--rounds N] [--json FILE] [--markdown FILE] [--svg FILE]

In each round every measurer runs once, in a new order, so that a busy minute of the machine falls on all alike; the
median of the rounds counts. The table goes to standard output.
"""

import argparse
import random
import shlex
import sys
from pathlib import Path

# Otherwise Python would create __pycache__ in the source folder.
sys.dont_write_bytecode = True
sys.path.append(str(Path(__file__).resolve().parents[1] / "common"))

import installing
from chart import to_svg
from comparison import Comparison, compare, from_json, to_json, to_markdown
from measurers import Figure, Measurer, measure
from progress import failed, show
from running import CommandFailed

ROUNDS, QUICK_ROUNDS = 9, 3
# A fixed seed, so that all runs measure in the same order.
SEED = 7519
EPILOG = "exit codes: 0 all went well; 1 a measurer failed, or a file could not be written; 2 wrong usage"


def main() -> int:
    sys.stdout.reconfigure(encoding="utf-8")  # type: ignore[union-attr]
    parser = command_line()
    options = parser.parse_args()
    check(parser, options)
    try:
        comparison = read(parser, options.from_file) if options.from_file else measure_all(options)
        print(to_markdown(comparison), end="", flush=True)
        for path, render in ((options.json, to_json), (options.markdown, to_markdown), (options.svg, to_svg)):
            if path:
                path.write_text(render(comparison), encoding="utf-8", newline="\n")
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
    option("--rounds", type=number_of_rounds, metavar="N", help=f"number of rounds to measure (default {ROUNDS})")
    option("--quick", action="store_true", help=f"measure {QUICK_ROUNDS} rounds, unless --rounds is set")
    option("--json", type=Path, metavar="FILE", help="write the results of every round as JSON")
    option("--markdown", type=Path, metavar="FILE", help="write the printed table to a file")
    option("--svg", type=Path, metavar="FILE", help="write a bar chart")
    option("--from", dest="from_file", type=Path, metavar="FILE", help="do not measure; read the results of a run with --json")
    option("--tokens-file", type=Path, metavar="FILE", help="use these tokens instead of creating new ones with cargo")
    option("--ours", type=shlex.split, metavar="COMMAND", help="measure the Rust libraries with this command, not with cargo's")
    return parser


def number_of_rounds(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and int(text) > 0):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of rounds; the minimum is 1")
    return int(text)


def check(parser: argparse.ArgumentParser, options: argparse.Namespace) -> None:
    """Reports errors in the arguments before the measurement starts."""
    if options.from_file and (options.rounds or options.quick or options.tokens_file or options.ours is not None):
        parser.error("--from measures nothing: --rounds, --quick, --tokens-file and --ours don't go with it")
    if options.ours == []:
        parser.error("--ours is empty")
    if options.tokens_file and not options.tokens_file.is_file():
        parser.error(f"--tokens-file: there is no file {options.tokens_file}")
    for path in (options.json, options.markdown, options.svg):
        if path and path.is_dir():
            parser.error(f"{path} is a folder, not a file to write")
        if path and not path.parent.is_dir():
            parser.error(f"{path} can't be written: there is no folder {path.parent}")


def read(parser: argparse.ArgumentParser, path: Path) -> Comparison:
    try:
        return from_json(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        parser.error(f"--from: {path} can't be read: {error}")


def measure_all(options: argparse.Namespace) -> Comparison:
    if options.tokens_file:
        tokens_file = options.tokens_file.resolve()
    else:
        show("minting the tokens")
        tokens_file = installing.mint_tokens()
    show("making the measurers ready")
    ours = Measurer("ours", tuple(options.ours)) if options.ours else installing.rust_measurer()
    measurers = [ours, *installing.node_measurers(), installing.python_measurer()]
    last = options.rounds or (QUICK_ROUNDS if options.quick else ROUNDS)
    order = random.Random(SEED)
    rounds: list[list[Figure]] = []
    for number in range(1, last + 1):
        figures: list[Figure] = []
        for measurer in order.sample(measurers, len(measurers)):
            show(f"round {number} of {last}: {measurer.name}")
            figures += measure(measurer, tokens_file)
        rounds.append(figures)
    show("")
    return compare(rounds)


if __name__ == "__main__":
    sys.exit(main())
