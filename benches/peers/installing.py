"""Prepares the measurement programs: cargo builds the Rust one, npm and pip install the other libraries in pinned versions.

Everything goes under the workspace's `target/peers/`; nothing is ever written among the sources.
"""

import os
import shutil
import sys
from pathlib import Path
from typing import Callable

from measurers import Measurer
from running import WORKSPACE, run

SOURCES = Path(__file__).resolve().parent
TARGET = WORKSPACE / "target" / "peers"

# The package of the benchmarks is not one of those that cargo takes by default.
CARGO_OPTIONS = ("--package", "benches", "--release", "--quiet", "--bin")
RUST_HINT = "cargo comes with Rust: https://rustup.rs"
NODE_HINT = "Node 20 or newer with npm is needed, and npm must reach its registry (its usual settings apply)."
VENV_HINT = "Python's venv and pip modules are needed (Debian and Ubuntu: apt-get install python3-venv)."
PIP_HINT = "pip must reach a package index (its usual settings, such as PIP_INDEX_URL, apply)."


def mint_tokens() -> Path:
    """Creates a file of tokens, which expire after a day."""
    tokens_file = TARGET / "tokens.json"
    TARGET.mkdir(parents=True, exist_ok=True)
    run("minting the tokens", ["cargo", "run", *CARGO_OPTIONS, "tokens", "--", str(tokens_file)], hint=RUST_HINT)
    return tokens_file


def rust_measurer() -> Measurer:
    """Builds the program for poolgate and the Rust libraries before the first round."""
    run("building the Rust measurer", ["cargo", "build", *CARGO_OPTIONS, "peers"], hint=RUST_HINT)
    return Measurer("the Rust measurer", ("cargo", "run", *CARGO_OPTIONS, "peers", "--"))


def node_measurers() -> list[Measurer]:
    """One process per library, so that no library affects the heap or the compiled code of another."""
    directory = TARGET / "node"
    directory.mkdir(parents=True, exist_ok=True)
    # The script is copied, because an ES module resolves packages from its own folder.
    for name in ("package.json", "package-lock.json", "measure.mjs"):
        shutil.copyfile(SOURCES / "node" / name, directory / name)

    def npm_ci() -> None:
        # The full path, because npm is a script on Windows.
        npm = shutil.which("npm") or "npm"
        run("npm ci", [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"], directory, NODE_HINT)

    install_once(directory, (directory / "package-lock.json").read_text(encoding="utf-8"), npm_ci)
    script = ("node", str(directory / "measure.mjs"), "--only")
    return [Measurer(f"{library} on Node", (*script, library)) for library in ("aws-jwt-verify", "jose")]


def python_measurer() -> Measurer:
    directory = TARGET / "python"
    interpreter = str(directory / ("Scripts/python.exe" if os.name == "nt" else "bin/python"))
    requirements = SOURCES / "python" / "requirements.txt"

    def make_environment() -> None:
        run("the virtual environment", [sys.executable, "-I", "-m", "venv", "--clear", str(directory)], hint=VENV_HINT)
        pip = [interpreter, "-I", "-m", "pip", "--disable-pip-version-check", "--no-input"]
        # Without dependencies: all packages are pinned, and `pip check` reports missing ones.
        run("pip install", [*pip, "install", "--quiet", "--no-deps", "-r", str(requirements)], hint=PIP_HINT)
        run("pip check", [*pip, "check"])

    install_once(directory, f"{sys.version}\n{requirements.read_text(encoding='utf-8')}", make_environment)
    return Measurer("PyJWT on Python", (interpreter, "-I", str(SOURCES / "python" / "measure.py")))


def install_once(directory: Path, wanted: str, install: Callable[[], None]) -> None:
    """Installs unless the same versions are installed. The record is deleted first and written last."""
    record = directory / "installed"
    if record.is_file() and record.read_text(encoding="utf-8") == wanted:
        return
    record.unlink(missing_ok=True)
    install()
    record.write_text(wanted, encoding="utf-8")
