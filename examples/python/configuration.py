"""Converts a configuration with the field names of docs/envoy-reference.md to the records of wit/verifier.wit."""

from __future__ import annotations

import secrets
from dataclasses import asdict, dataclass, field
from typing import Any, Literal, Sequence, Union

from wasmtime.component import Record, Variant


@dataclass(frozen=True)
class AnyOf:
    """At least one of these groups or scopes."""

    names: Sequence[str]


@dataclass(frozen=True)
class AllOf:
    """Every one of these groups or scopes."""

    names: Sequence[str]


Membership = Union[AnyOf, AllOf, Sequence[Union[AnyOf, AllOf]]]
"""One of them, or both in a list: then both must hold."""


@dataclass(frozen=True, kw_only=True)
class Pool:
    """The checks on the tokens of one issuer. Leaving a field out disables no check; the fields `any_...` do.

    One of `user_pool_id`, `issuer` and `any_issuer`; one of `client_ids` and `any_client`. Keys come from the issuer, from
    `jwks_url`, or with `local_keys` from `Verifier.load_key_set` alone. Times are in seconds.
    """

    token_use: Literal["access", "id", "access_or_id", "unchecked"]
    user_pool_id: str | None = None
    region: str | None = None
    issuer: str | None = None
    any_issuer: bool = False
    jwks_url: str | None = None
    local_keys: bool = False
    client_ids: Sequence[str] | None = None
    any_client: bool = False
    algorithms: Sequence[str] = ("RS256",)
    groups: Membership | None = None
    scopes: Membership | None = None
    resources: Sequence[str] | None = None
    any_resource: bool = False
    any_subject: bool = False
    confirmation: Literal["refuse", "ignore"] = "refuse"
    max_age_seconds: int | None = None
    leeway_seconds: int = 0
    issued_at_skew_seconds: int = 60

    def __post_init__(self) -> None:
        one_of("user_pool_id, issuer and any_issuer", self.user_pool_id, self.issuer, self.any_issuer or None)
        one_of("client_ids and any_client", self.client_ids, self.any_client or None)
        if self.resources is not None and self.any_resource:
            raise ValueError("resources and any_resource must not be set together")
        if self.jwks_url is not None and self.local_keys:
            raise ValueError("jwks_url and local_keys must not be set together")
        if self.region is not None and self.user_pool_id is None:
            raise ValueError("region needs user_pool_id")
        if self.token_use not in ("access", "id", "access_or_id", "unchecked"):
            raise ValueError("token_use must be access, id, access_or_id or unchecked")
        if self.confirmation not in ("refuse", "ignore"):
            raise ValueError("confirmation must be refuse or ignore")
        for name in ("groups", "scopes"):
            membership(name, getattr(self, name))
        for name in ("client_ids", "algorithms", "resources"):
            if isinstance(getattr(self, name), str):
                raise ValueError(f"{name} must be a list of strings")


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Limits on the work that one input can cause."""

    token_bytes: int = 16_384
    json_depth: int = 16
    jwks_bytes: int = 262_144
    jwks_keys: int = 100


@dataclass(frozen=True, kw_only=True)
class KeyPolicy:
    """The lifetimes of key sets and the limits of fetches, in seconds; see wit/verifier.wit."""

    soft_ttl: int = 3_600
    soft_ttl_min: int = 300
    soft_ttl_max: int = 3_600
    hard_ttl: int = 86_400
    retry_min: int = 1
    retry_max: int = 60
    fetch_deadline: int = 30
    unknown_key_fetches: int = 5
    unknown_key_interval: int = 10
    unknown_key_ttl: int = 60
    unknown_key_entries: int = 256
    jitter_seed: int = field(default_factory=lambda: secrets.randbits(64))


def config(pools: Sequence[Pool], limits: Limits, key_policy: KeyPolicy) -> Record:
    """Returns the record `config`."""
    return record(
        pools=[pool_record(pool) for pool in pools],
        limits=record(**asdict(limits)),
        key_policy=record(**asdict(key_policy)),
        cache=None,
    )


def pool_record(pool: Pool) -> Record:
    # wasmtime selects the case of a variant by the Python type of its payload, if the types of the cases differ.
    issuer: Any = pool.issuer
    if pool.user_pool_id is not None:
        issuer = record(id=pool.user_pool_id, region=pool.region)
    if pool.jwks_url is not None:
        keys = Variant("url", pool.jwks_url)
    else:
        keys = Variant("local" if pool.local_keys else "derived")
    if pool.resources is not None:
        resource = Variant("one-of", list(pool.resources))
    else:
        resource = Variant("unchecked" if pool.any_resource else "unbound")
    return record(
        issuer=issuer,
        keys=keys,
        algorithms=[name.lower() for name in pool.algorithms],
        token_use=pool.token_use.replace("_", "-"),
        client=None if pool.client_ids is None else list(pool.client_ids),
        groups=membership("groups", pool.groups),
        scopes=membership("scopes", pool.scopes),
        resource=resource,
        subject="unchecked" if pool.any_subject else "required",
        confirmation=pool.confirmation,
        max_age=pool.max_age_seconds,
        leeway=pool.leeway_seconds,
        issued_at_skew=pool.issued_at_skew_seconds,
    )


def membership(what: str, required: Membership | None) -> Record:
    """Returns the record `membership`. Rejects an empty list, which would require nothing, or something that no token has."""
    lists: dict[str, list[str]] = {}
    if required is not None:
        given = [required] if isinstance(required, (AnyOf, AllOf)) else list(required)
        for one in given:
            kind = "any_of" if isinstance(one, AnyOf) else "all_of"
            if not isinstance(one, (AnyOf, AllOf)) or kind in lists:
                raise ValueError(f"{what} must be AnyOf, AllOf or one of each")
            if isinstance(one.names, str) or not one.names or not all(isinstance(it, str) and it for it in one.names):
                raise ValueError(f"{what} must be a list of names, and not empty")
            lists[kind] = list(one.names)
        if not lists:
            raise ValueError(f"{what} must be AnyOf, AllOf or one of each")
    return record(any_of=lists.get("any_of"), all_of=lists.get("all_of"))


def record(**members: Any) -> Record:
    """Returns a record with the names of the contract, which have hyphens instead of underscores."""
    made = Record()
    for name, value in members.items():
        setattr(made, name.replace("_", "-"), value)
    return made


def one_of(names: str, *values: Any) -> None:
    if sum(value is not None for value in values) != 1:
        raise ValueError(f"a pool must have one of {names}")
