"""Converts claim rules to the records of wit/verifier.wit.

A rule is a dictionary in the form of docs/claims.md: it is data, which is the same in every integration.
"""

from __future__ import annotations

import json
from typing import Any, Mapping, Sequence

from wasmtime.component import Record, Variant

from checks import names, optional_text, record, texts

ClaimRule = Mapping[str, Any]
"""A rule for one claim, such as `{"claim": "realm_access", "path": ["roles"], "any_of": ["editor"]}`."""

TESTS = ("any_of", "all_of", "none_of", "prefix", "suffix", "exists")
RULE_MEMBERS = {"name", "claim", "path", "split", "keys", "each", *TESTS, "at_least", "at_most", "if_absent"}


def claim_rules(what: str, rules: Sequence[ClaimRule]) -> list[Record]:
    """Returns the records `claim-rule`. Rejects an empty list, which every token would fit."""
    if not isinstance(rules, (list, tuple)) or not rules:
        raise ValueError(f"{what} must be a list of claim rules, and not empty")
    return [claim_rule(f"{what}[{index}]", rule) for index, rule in enumerate(rules)]


def claim_rule(what: str, rule: ClaimRule) -> Record:
    if not isinstance(rule, Mapping):
        raise ValueError(f"{what} must be a dictionary")
    for name, value in rule.items():
        if name not in RULE_MEMBERS:
            raise ValueError(f"{what} has an unknown member {name}")
        if value is None:
            raise ValueError(f"{what}.{name} must not be None")
    if not isinstance(rule.get("claim"), str):
        raise ValueError(f"{what}.claim must be a string")
    if rule.get("if_absent", "pass") != "pass":
        raise ValueError(f"{what}.if_absent must be pass")
    optional_text(f"{what}.name", rule.get("name"))
    return record(
        name=rule.get("name"),
        claim=rule["claim"],
        path=texts(f"{what}.path", rule.get("path", ())),
        selector=claim_selector(what, rule),
        test=claim_test(what, rule),
        fits_if_absent="if_absent" in rule,
    )


def claim_selector(what: str, rule: ClaimRule) -> Variant:
    selectors = []
    if "split" in rule:
        if not isinstance(rule["split"], str) or len(rule["split"]) != 1:
            raise ValueError(f"{what}.split must be one character")
        selectors.append(Variant("split", rule["split"]))
    if "keys" in rule:
        if rule["keys"] is not True:
            raise ValueError(f"{what}.keys must be True")
        selectors.append(Variant("keys"))
    if "each" in rule:
        selectors.append(Variant("each", names(f"{what}.each", rule["each"])))
    if len(selectors) > 1:
        raise ValueError(f"{what} must have at most one of split, keys and each")
    return selectors[0] if selectors else Variant("value")


def claim_test(what: str, rule: ClaimRule) -> Variant:
    tests = [name for name in TESTS if name in rule]
    bounds = [name for name in ("at_least", "at_most") if name in rule]
    if len(tests) + bool(bounds) != 1:
        raise ValueError(f"{what} must have one of {', '.join(TESTS)}, and at_least or at_most")
    if bounds:
        numbers = {name: number(f"{what}.{name}", rule[name]) for name in bounds}
        return Variant("range", record(at_least=numbers.get("at_least"), at_most=numbers.get("at_most")))
    name, tested = tests[0], rule[tests[0]]
    if name == "exists":
        if not isinstance(tested, bool):
            raise ValueError(f"{what}.exists must be True or False")
        return Variant("exists", tested)
    if name in ("prefix", "suffix"):
        return Variant(name, names(f"{what}.{name}", tested))
    if not isinstance(tested, (list, tuple)) or not tested:
        raise ValueError(f"{what}.{name} must be a list of strings, numbers and booleans, and not empty")
    return Variant(name.replace("_", "-"), [claim_value(f"{what}.{name}", value) for value in tested])


def claim_value(what: str, value: Any) -> Variant:
    if isinstance(value, bool):
        return Variant("boolean", value)
    return Variant("text", value) if isinstance(value, str) else Variant("number", number(what, value))


def number(what: str, value: Any) -> str:
    """Returns the number in the syntax of JSON, as the contract has it."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not abs(value) < 2**53:
        raise ValueError(f"{what} must have numbers between -2^53 and 2^53")
    return json.dumps(value)
