"""Converts a configuration with the field names of docs/envoy-reference.md to the records of wit/verifier.wit."""

from __future__ import annotations

import secrets
from dataclasses import asdict, dataclass, field
from typing import Any, Literal, Mapping, Sequence, Union

from wasmtime.component import Record, Variant

from checks import choice, names, optional_text, record, texts
from claim_rules import ClaimRule, claim_rules


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

TOKEN_USES = ("access", "id", "access_or_id", "unchecked")
CLIENT_CLAIMS = ("aud", "client_id", "azp", "appid", "cid")
ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "Ed25519")


@dataclass(frozen=True, kw_only=True)
class Pool:
    """The checks on the tokens of one issuer. Leaving a field out disables no check; the fields `any_...` do.

    One of `user_pool_id`, `issuer`, `issuers`, `issuer_template`, `identity_pool_id` and `any_issuer`; with `issuer_template`, one of
    `tenants` and `any_tenant`; with `identity_pool_id`, `guests`; with `issuer`, `alb_arns` accepts the tokens of these load balancers. One of `client_ids` and `any_client`, except for an identity pool.
    Keys come from the issuer, from `jwks_url`, or with `local_keys` from `Verifier.load_key_set` alone. Times are in seconds.
    """

    token_use: Literal["access", "id", "access_or_id", "unchecked"]
    user_pool_id: str | None = None
    region: str | None = None
    issuer: str | None = None
    alb_arns: Sequence[str] | None = None
    issuers: Sequence[str] | None = None
    issuer_template: str | None = None
    tenants: Sequence[str] | None = None
    any_tenant: bool = False
    identity_pool_id: str | None = None
    guests: Literal["refuse", "accept"] | None = None
    any_issuer: bool = False
    jwks_url: str | None = None
    local_keys: bool = False
    client_ids: Sequence[str] | None = None
    any_client: bool = False
    client_claim: Literal["aud", "client_id", "azp", "appid", "cid"] | None = None
    algorithms: Sequence[str] = ()
    types: Sequence[str] | None = None
    groups: Membership | None = None
    scopes: Membership | None = None
    scope_claim: str | None = None
    resources: Sequence[str] | None = None
    any_resource: bool = False
    unbound_clients: Sequence[str] | None = None
    claims: Sequence[ClaimRule] | None = None
    any_subject: bool = False
    confirmation: Literal["refuse", "ignore"] = "refuse"
    max_age_seconds: int | None = None
    leeway_seconds: int = 0
    issued_at_skew_seconds: int = 60

    def __post_init__(self) -> None:
        for name in ("any_tenant", "any_issuer", "local_keys", "any_client", "any_resource", "any_subject"):
            if not isinstance(getattr(self, name), bool):
                raise ValueError(f"{name} must be True or False")
        one_of(
            "user_pool_id, issuer, issuers, issuer_template, identity_pool_id and any_issuer",
            self.user_pool_id, self.issuer, self.issuers, self.issuer_template, self.identity_pool_id,
            self.any_issuer or None,
        )
        if self.issuer_template is not None:
            one_of("tenants and any_tenant", self.tenants, self.any_tenant or None)
        elif self.tenants is not None or self.any_tenant:
            raise ValueError("tenants and any_tenant need issuer_template")
        if self.identity_pool_id is None:
            one_of("client_ids and any_client", self.client_ids, self.any_client or None)
            if self.guests is not None:
                raise ValueError("guests needs identity_pool_id")
        elif self.client_ids is not None or self.any_client:
            raise ValueError("client_ids and any_client must not be set: the client of an identity pool is its ID")
        else:
            choice("guests", self.guests, ("refuse", "accept"))
        if self.resources is not None and self.any_resource:
            raise ValueError("resources and any_resource must not be set together")
        if self.jwks_url is not None and self.local_keys:
            raise ValueError("jwks_url and local_keys must not be set together")
        if self.region is not None and self.user_pool_id is None:
            raise ValueError("region needs user_pool_id")
        if self.alb_arns is not None and self.issuer is None:
            raise ValueError("alb_arns needs issuer")
        choice("token_use", self.token_use, TOKEN_USES)
        choice("confirmation", self.confirmation, ("refuse", "ignore"))
        if self.client_claim is not None:
            choice("client_claim", self.client_claim, CLIENT_CLAIMS)
        for name in ("user_pool_id", "region", "issuer", "issuer_template", "identity_pool_id", "jwks_url", "scope_claim"):
            optional_text(name, getattr(self, name))
        for name in ("groups", "scopes"):
            membership(name, getattr(self, name))
        for name in ("client_ids", "algorithms", "resources"):
            if getattr(self, name) is not None:
                texts(name, getattr(self, name))
        for name in self.algorithms:
            choice("algorithms", name, ALGORITHMS)
        for name in ("issuers", "alb_arns", "tenants", "unbound_clients"):
            if getattr(self, name) is not None:
                names(name, getattr(self, name))
        if self.types is not None and not texts("types", self.types):
            raise ValueError("types must be a list of strings, and not empty")
        if self.claims is not None:
            claim_rules("claims", self.claims)


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


def config(
    pools: Sequence[Pool], limits: Limits, key_policy: KeyPolicy, requirements: Mapping[str, Sequence[ClaimRule]]
) -> Record:
    """Returns the record `config`."""
    if not isinstance(requirements, Mapping) or not all(isinstance(name, str) for name in requirements):
        raise ValueError("requirements must be a dictionary: lists of claim rules by name")
    return record(
        pools=[pool_record(pool) for pool in pools],
        limits=record(**asdict(limits)),
        key_policy=record(**asdict(key_policy)),
        cache=None,
        requirements=[claim_rules(f"requirements[{name!r}]", rules) for name, rules in requirements.items()],
    )


def pool_record(pool: Pool) -> Record:
    if pool.jwks_url is not None:
        keys = Variant("url", pool.jwks_url)
    else:
        keys = Variant("local" if pool.local_keys else "derived")
    if pool.resources is not None:
        resource = Variant("one-of", list(pool.resources))
    else:
        resource = Variant("unchecked" if pool.any_resource else "unbound")
    clients = pool.client_ids if pool.identity_pool_id is None else [pool.identity_pool_id]
    return record(
        issuer=issuer_rule(pool),
        keys=keys,
        algorithms=["eddsa" if name == "Ed25519" else name.lower() for name in pool.algorithms],
        types=list(pool.types or ()),
        token_use=pool.token_use.replace("_", "-"),
        # wasmtime selects the case of a variant by the Python type of its payload, if the types of the cases differ.
        client=None if clients is None else list(clients),
        client_claim=None if pool.client_claim is None else pool.client_claim.replace("_", "-"),
        groups=membership("groups", pool.groups),
        scopes=membership("scopes", pool.scopes),
        scope_claim=pool.scope_claim,
        resource=resource,
        unbound_clients=list(pool.unbound_clients or ()),
        claims=[] if pool.claims is None else claim_rules("claims", pool.claims),
        subject="unchecked" if pool.any_subject else "required",
        confirmation=pool.confirmation,
        max_age=pool.max_age_seconds,
        leeway=pool.leeway_seconds,
        issued_at_skew=pool.issued_at_skew_seconds,
    )


def issuer_rule(pool: Pool) -> Variant:
    if pool.user_pool_id is not None:
        return Variant("user-pool", record(id=pool.user_pool_id, region=pool.region))
    if pool.issuer is not None and pool.alb_arns is not None:
        return Variant("load-balancers", record(issuer=pool.issuer, arns=list(pool.alb_arns)))
    if pool.issuer is not None:
        return Variant("exactly", pool.issuer)
    if pool.issuers is not None:
        return Variant("one-of", list(pool.issuers))
    if pool.issuer_template is not None:
        tenants = None if pool.tenants is None else list(pool.tenants)
        return Variant("tenants", record(template=pool.issuer_template, tenants=tenants))
    if pool.identity_pool_id is not None:
        return Variant("identity-pool", pool.guests)
    return Variant("unchecked")


def membership(what: str, required: Membership | None) -> Record:
    """Returns the record `membership`. Rejects an empty list, which would require nothing, or something that no token has."""
    lists: dict[str, list[str]] = {}
    if required is not None:
        given = [required] if isinstance(required, (AnyOf, AllOf)) else list(required)
        for one in given:
            kind = "any_of" if isinstance(one, AnyOf) else "all_of"
            if not isinstance(one, (AnyOf, AllOf)) or kind in lists:
                raise ValueError(f"{what} must be AnyOf, AllOf or one of each")
            lists[kind] = names(what, one.names)
        if not lists:
            raise ValueError(f"{what} must be AnyOf, AllOf or one of each")
    return record(any_of=lists.get("any_of"), all_of=lists.get("all_of"))


def one_of(what: str, *values: Any) -> None:
    if sum(value is not None for value in values) != 1:
        raise ValueError(f"a pool must have one of {what}")
