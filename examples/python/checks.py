"""Checks the values of a configuration, and creates records."""

from __future__ import annotations

from typing import Any, Sequence

from wasmtime.component import Record

# Not a string, whose characters would count as the elements.
LISTS = (list, tuple)


def names(what: str, given: Any) -> list[str]:
    """Rejects an empty list, which would require nothing, or something that no token has."""
    if not isinstance(given, LISTS) or not given or not all(isinstance(it, str) and it for it in given):
        raise ValueError(f"{what} must be a list of names, and not empty")
    return list(given)


def texts(what: str, given: Any) -> list[str]:
    """Accepts an empty list: the component decides about it."""
    if not isinstance(given, LISTS) or not all(isinstance(it, str) for it in given):
        raise ValueError(f"{what} must be a list of strings")
    return list(given)


def optional_text(what: str, given: Any) -> None:
    if given is not None and not isinstance(given, str):
        raise ValueError(f"{what} must be a string")


def choice(what: str, given: Any, choices: Sequence[str]) -> None:
    if given not in choices:
        raise ValueError(f"{what} must be {', '.join(choices[:-1])} or {choices[-1]}")


def record(**members: Any) -> Record:
    """Returns a record with the names of the contract, which have hyphens instead of underscores."""
    made = Record()
    for name, value in members.items():
        setattr(made, name.replace("_", "-"), value)
    return made
