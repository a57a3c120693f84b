"""Runs a command and returns its output."""

import subprocess
from pathlib import Path
from typing import Sequence

WORKSPACE = Path(__file__).resolve().parents[2]
# A compiler can print a lot; the last lines contain the error.
LINES_OF_A_FAILURE = 20


class CommandFailed(Exception):
    """A command failed. The text is for the user."""


def run(what: str, command: Sequence[str], directory: Path = WORKSPACE, hint: str = "") -> str:
    """Returns the command's standard output. `hint` says what to do if the command is missing or fails."""
    advice = f"\n{hint}" if hint else ""
    try:
        done = subprocess.run(
            command, cwd=directory, stdin=subprocess.DEVNULL, capture_output=True, encoding="utf-8", errors="replace"
        )
    except OSError as error:
        raise CommandFailed(f"{what}: cannot run {command[0]}: {error.strerror}{advice}") from None
    if done.returncode != 0:
        # npm and venv print some errors to standard output.
        said = (done.stderr.strip() or done.stdout.strip()).splitlines()[-LINES_OF_A_FAILURE:]
        text = "".join(f"\n  {line}" for line in said)
        raise CommandFailed(f"{what}: {command[0]} ended with {ending(done.returncode)}{text}{advice}")
    return done.stdout


def ending(code: int) -> str:
    return f"signal {-code}" if code < 0 else f"exit code {code}"
