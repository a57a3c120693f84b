#!/usr/bin/env python3
"""Measures how many requests a second `poolgate serve --config` decides, beside its own /healthz and Envoy's jwt_authn.

    python3 benches/gateway/run.py [--rounds N] [--seconds S] [--json FILE]

In each round every row is measured once, in a new order, so that a busy minute of the machine falls on all alike; the median of the rounds counts.
The load comes from the same machine, over loopback: wrk sends HTTP/1.1, and h2load HTTP/2. Both are Debian's packages (wrk, nghttp2-client).
"""

import argparse
import json
import random
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

# Otherwise Python would create __pycache__ in the source folder.
sys.dont_write_bytecode = True
sys.path.append(str(Path(__file__).resolve().parents[1] / "common"))
sys.path.append(str(Path(__file__).resolve().parents[1] / "peers"))

import host
import installing
import servers
from progress import failed, show
from running import CommandFailed, run

# A fixed seed, so that all runs measure in the same order.
SEED = 7519
CONNECTIONS = 32
CHECK = "/envoy.service.auth.v3.Authorization/Check"
GRPC = ["content-type: application/grpc", "te: trailers"]
LOAD_HINT = "Debian and Ubuntu: apt-get install wrk nghttp2-client"
EPILOG = "exit codes: 0 all went well; 1 a server or a load generator failed; 2 wrong usage"


def main() -> int:
    sys.stdout.reconfigure(encoding="utf-8")  # type: ignore[union-attr]
    summary = (__doc__ or "").partition("\n")[0]
    parser = argparse.ArgumentParser(description=summary, epilog=EPILOG, allow_abbrev=False)
    parser.add_argument("--rounds", type=int, default=9, metavar="N", help="number of rounds to measure (default 9)")
    parser.add_argument("--seconds", type=int, default=3, metavar="S", help="duration of one measurement (default 3)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the results of every round as JSON")
    options = parser.parse_args()
    if options.rounds < 1 or not 1 <= options.seconds <= 60:
        parser.error("--rounds is at least 1, and --seconds is from 1 to 60")
    try:
        figures = measure_all(options.rounds, options.seconds)
    except (CommandFailed, OSError) as error:
        return failed(str(error))
    except KeyboardInterrupt:
        show("")
        return 130
    print(table(figures, options), end="")
    if options.json:
        options.json.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    return 0


def measure_all(rounds: int, seconds: int) -> dict[str, list[float]]:
    for program in ("wrk", "h2load", "nghttp"):
        if not shutil.which(program):
            raise CommandFailed(f"there is no program {program}\n{LOAD_HINT}")
    show("building poolgate, and making the tokens")
    poolgate = built_command()
    tokens = json.loads(installing.mint_tokens().read_text(encoding="utf-8"))
    with tempfile.TemporaryDirectory() as folder:
        with servers.started(poolgate, tokens, Path(folder)) as urls:
            rows = all_rows(urls, tokens["tokens"][0], Path(folder), seconds)
            figures: dict[str, list[float]] = {name: [] for name in rows}
            order = random.Random(SEED)
            for number in range(rounds + 1):
                for name in order.sample(list(rows), len(rows)):
                    show(f"round {number} of {rounds}: {name}")
                    figure = rows[name]()
                    # The first round warms up.
                    if number:
                        figures[name].append(figure)
    show("")
    return figures


def built_command() -> Path:
    run("building poolgate", ["cargo", "build", "--release", "--quiet", "--package", "poolgate"], hint=installing.RUST_HINT)
    return installing.WORKSPACE / "target" / "release" / "poolgate"


def all_rows(urls: servers.Urls, token: str, folder: Path, seconds: int) -> dict:
    """Returns the rows by name, each a function that measures and returns requests per second."""
    bearer = f"Authorization: Bearer {token}"
    asked = [bearer, "X-Original-Method: GET", "X-Original-URI: /users/7/orders?limit=20", "X-Original-Host: api.example.com"]
    message = folder / "check.bin"
    message.write_bytes(servers.check_request(token))

    def http(url: str, headers: list[str]):
        return lambda: wrk(url, headers, seconds)

    must_admit(urls.gateway + CHECK, message)

    def grpc() -> float:
        return h2load(urls.gateway + CHECK, GRPC, seconds, message)

    return {
        "HTTP/1.1: poolgate, /healthz": http(urls.gateway + "/healthz", []),
        "HTTP/1.1: poolgate, /v1/verify": http(urls.gateway + "/v1/verify", asked),
        "HTTP/1.1: Envoy, jwt_authn with its cache": http(urls.jwt_authn + "/users/7/orders?limit=20", [bearer]),
        "HTTP/2: poolgate, /healthz": lambda: h2load(urls.gateway + "/healthz", [], seconds, None),
        "HTTP/2: poolgate, ext_authz over gRPC": grpc,
    }


def must_admit(url: str, message: Path) -> None:
    """Over gRPC, a denial has the HTTP status 200, too: the message says what was decided."""
    fields = [f"--header={header}" for header in GRPC]
    answer = subprocess.run(["nghttp", *fields, f"--data={message}", url], capture_output=True, check=False).stdout
    # After the five bytes of gRPC, `CheckResponse.status` comes first. Without a code, it is 0.
    if answer[5:7] != b"\x0a\x00":
        raise CommandFailed(f"{url} does not admit the request")


def wrk(url: str, headers: list[str], seconds: int) -> float:
    fields = [part for header in headers for part in ("--header", header)]
    command = ["wrk", "--threads", "1", "--connections", str(CONNECTIONS), "--duration", f"{seconds}s", *fields, url]
    printed = run("wrk", command, hint=LOAD_HINT)
    if "Non-2xx" in printed or "Socket errors" in printed:
        raise CommandFailed(f"wrk: not every response of {url} was 200:\n{printed}")
    return float(re.search(r"Requests/sec:\s+([0-9.]+)", printed)[1])  # type: ignore[index]


def h2load(url: str, headers: list[str], seconds: int, body: Path | None) -> float:
    """32 streams, as wrk has 32 connections: 4 connections with 8 streams each."""
    fields = [f"--header={header}" for header in headers]
    data = [f"--data={body}"] if body else []
    load = ["--threads=1", "--clients=4", "--max-concurrent-streams=8", f"--duration={seconds}", "--warm-up-time=0"]
    printed = run("h2load", ["h2load", *load, *fields, *data, url], hint=LOAD_HINT)
    statuses = re.search(r"status codes: (\d+) 2xx, (\d+) 3xx, (\d+) 4xx, (\d+) 5xx", printed)
    if not statuses or any(int(count) for count in statuses.groups()[1:]):
        raise CommandFailed(f"h2load: not every response of {url} was 200:\n{printed}")
    return float(re.search(r"finished in [^,]+, ([0-9.]+) req/s", printed)[1])  # type: ignore[index]


def table(figures: dict[str, list[float]], options: argparse.Namespace) -> str:
    medians = {name: statistics.median(figure) for name, figure in figures.items()}
    lines = [
        f"{host.cpu()}; {options.rounds} rounds of {options.seconds} s, medians",
        "",
        "| what | requests per second | of /healthz |",
        "|---|---|---|",
    ]
    for name, median in medians.items():
        health = medians[name.partition(":")[0] + ": poolgate, /healthz"]
        lines.append(f"| {name} | {median:,.0f} | {median / health:.2f} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.exit(main())
