"""`python_keys.py COMPONENT JWKS-URL TOKEN ROTATED`: tests key fetches and rotation in the example. From the second fetch on, the
server returns the key of ROTATED, too. Its other paths simulate the failures below."""

import json
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urljoin

from poolgate import AllOf, AnyOf, Denial, Guest, Misfit, Pool, Verifier

component, url, token, rotated = sys.argv[1:]
TEMPLATE = "https://login.example/{tid}/v2.0"
TENANT = "3e7d5b1c-8f7a-4b8e-9d55-0a1b2c3d4e5f"
ARN = "arn:aws:elasticloadbalancing:eu-west-1:111122223333:loadbalancer/app/web/50dc6c495c0c9188"
IDENTITIES = {
    "issuer": None, "any_client": False, "token_use": "unchecked", "identity_pool_id": f"eu-west-1:{TENANT}", "guests": "refuse",
}
is_failing = False


def clock() -> int:
    if is_failing:
        raise RuntimeError("a clock that fails")
    return 1_700_000_000


def denied(verify, token: str, **options) -> tuple[str, int]:
    try:
        verify(token, **options)
    except Denial as denial:
        return denial.reason, denial.status
    raise AssertionError("it was allowed")


def refused(requirements=None, **words) -> str:
    try:
        Verifier(guest, [Pool(**words)], requirements=requirements)
    except (TypeError, ValueError) as error:
        return str(error)
    raise AssertionError("it was taken")


guest = Guest(component)
words = {
    "issuer": "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_EXAMPLE01", "jwks_url": url, "token_use": "access",
    "any_client": True,
}
verifier = Verifier(guest, [Pool(**words)], clock=clock)

# Without keys, a call that does not wait is denied. Calls that wait get their verdict after one fetch.
assert denied(verifier.verify_now, token) == ("keys-unavailable", 503)
with ThreadPoolExecutor(4) as threads:
    assert {claims.username for claims in threads.map(verifier.verify, [token] * 8)} == {"ada"}
assert verifier.verify_now(token).expires_at == 1_700_003_540
verifier.refresh_keys()

# An unknown kid causes a fetch at once.
assert verifier.verify(rotated).username == "ada"
assert len(getattr(verifier.key_reports()[0], "key-ids")) == 2

# An explanation has what was compared. It is asked for, and no denial has it.
explained = verifier.explain(token)
assert explained.reason is None and explained.is_signature_valid and explained.payload["username"] == "ada"
assert "ada" not in repr(explained) and not [check for check in explained.checks if check.result == "failed"]
altered = verifier.explain(token[:-8] + "AAAAAAAA")
assert (altered.reason, altered.is_signature_valid, altered.header["alg"]) == ("signature-invalid", False, "RS256")
assert [check.stage for check in altered.checks if check.result == "failed"] == ["signature"]
assert verifier.explain("e30.!.").payload is None

# An access token has neither a nonce nor `at_hash`. A nonce that was lost is an error.
assert denied(verifier.verify, token, nonce="n") == ("nonce-mismatch", 401)
assert denied(verifier.verify, token, access_token=token) == ("access-token-mismatch", 401)
try:
    verifier.verify(token, nonce=None)
    raise AssertionError("it was allowed")
except TypeError:
    pass

# A trap is a denial. The next instance fetches its keys again.
is_failing = True
assert denied(verifier.verify_now, token) == ("sandbox-failed", 503)
is_failing = False
assert verifier.verify(token).username == "ada"
verifier.close()

# If a fetch fails, the key report contains the cause.
for place, fault in (
    (urljoin(url, "/moved"), "bad-status"), (urljoin(url, "/huge"), "too-large"), (urljoin(url, "/cut"), "unreachable"),
    ("http://keys.invalid/", "refused"),
):
    faulty = Verifier(guest, [Pool(**{**words, "jwks_url": place})], clock=clock)
    assert denied(faulty.verify, token) == ("keys-unavailable", 503)
    error = getattr(faulty.key_reports()[0], "last-error")
    assert (error.tag, error.payload) == ("fetch", fault), f"{place}: {error}"

# An invalid configuration raises an error.
assert "client_id" in refused(**words, client_id="x")
assert "client_ids and any_client" in refused(**{**words, "any_client": False})
assert "list of strings" in refused(**{**words, "any_client": False, "client_ids": "x"})
assert "invalid-issuer" in refused(**{**words, "issuer": ""})
for stated, problem in (
    ({"groups": AnyOf([])}, "groups must be a list of names"),
    ({"groups": [AnyOf(["admins"]), AllOf([""])]}, "groups must be a list of names"),
    ({"groups": [AnyOf(["admins"]), AnyOf(["readers"])]}, "groups must be AnyOf, AllOf or one of each"),
    ({"groups": []}, "groups must be AnyOf, AllOf or one of each"),
    ({"scopes": AllOf([])}, "scopes must be a list of names"),
    ({"scopes": AllOf("a")}, "scopes must be a list of names"),
    ({"token_use": "id", "resources": ["https://api"]}, "resource-of-id-tokens"),
    ({"resources": []}, "empty-list"),
    ({"confirmation": "none"}, "confirmation must be refuse or ignore"),
    ({"resources": "https://api"}, "resources must be a list of strings"),
    ({"algorithms": "RS256"}, "algorithms must be a list of strings"),
    ({"algorithms": ["HS256"]}, "algorithms must be RS256,"),
    ({"issuers": ["a"]}, "user_pool_id, issuer, issuers, issuer_template, identity_pool_id and any_issuer"),
    ({"issuer": None, "issuers": "https://a"}, "issuers must be a list of names"),
    ({"issuer": None, "issuers": []}, "issuers must be a list of names"),
    ({"issuer": None, "issuers": ["https://a"], "jwks_url": None}, "keys-not-derivable"),
    ({"tenants": [TENANT]}, "tenants and any_tenant need issuer_template"),
    ({"issuer": None, "issuer_template": TEMPLATE}, "tenants and any_tenant"),
    ({"issuer": None, "issuer_template": TEMPLATE, "tenants": [TENANT], "any_tenant": True}, "tenants and any_tenant"),
    ({"issuer": None, "issuer_template": TEMPLATE, "tenants": []}, "tenants must be a list of names"),
    ({"issuer": None, "issuer_template": TEMPLATE, "any_tenant": "yes"}, "any_tenant must be True or False"),
    ({"issuer": None, "issuer_template": "https://a", "any_tenant": True}, "invalid-template"),
    ({"alb_arns": []}, "alb_arns must be a list of names"),
    ({"alb_arns": ["arn:aws:x"], "token_use": "unchecked"}, "invalid-load-balancer"),
    ({"issuer": None, "issuers": ["https://a"], "alb_arns": [ARN]}, "alb_arns needs issuer"),
    ({"alb_arns": [ARN], "token_use": "access"}, "invalid-load-balancer"),
    ({"guests": "accept"}, "guests needs identity_pool_id"),
    ({**IDENTITIES, "guests": None}, "guests must be refuse or accept"),
    ({**IDENTITIES, "client_ids": ["x"]}, "client_ids and any_client must not be set"),
    ({**IDENTITIES, "token_use": "access"}, "invalid-identity-pool"),
    ({"types": "JWT"}, "types must be a list of strings"),
    ({"types": []}, "types must be a list of strings, and not empty"),
    ({"types": ["logout+jwt"]}, "invalid-type"),
    ({"client_claim": "sub"}, "client_claim must be aud, client_id, azp, appid or cid"),
    ({"client_claim": "azp"}, "client-claim-unused"),
    ({"scope_claim": ["scp"]}, "scope_claim must be a string"),
    ({"unbound_clients": "x"}, "unbound_clients must be a list of names"),
    ({"unbound_clients": ["x"]}, "unbound-without-resources"),
    ({"claims": {}}, "claims must be a list of claim rules"),
    ({"claims": []}, "claims must be a list of claim rules, and not empty"),
    ({"claims": [["sub"]]}, "claims[0] must be a dictionary"),
    ({"requirements": [[{"claim": "a", "exists": True}]]}, "requirements must be a dictionary"),
    ({"requirements": {"staff": []}}, "requirements['staff'] must be a list of claim rules, and not empty"),
    ({"requirements": {"staff": {"claim": "a", "exists": True}}}, "requirements['staff'] must be a list of claim rules"),
):
    error = refused(**{**words, **stated})
    assert problem in error, f"{stated}: {error}"
for rule, problem in (
    ({"any_of": ["a"]}, "claim must be a string"),
    ({"claim": "a"}, "must have one of any_of, all_of, none_of, prefix, suffix, exists, and at_least or at_most"),
    ({"claim": "a", "anyOf": ["a"]}, "unknown member anyOf"),
    ({"claim": "a", "any_of": "admin"}, "any_of must be a list of strings, numbers and booleans"),
    ({"claim": "a", "any_of": []}, "any_of must be a list of strings, numbers and booleans, and not empty"),
    ({"claim": "a", "any_of": [None]}, "any_of must have numbers"),
    ({"claim": "a", "any_of": [2**53 + 1]}, "any_of must have numbers"),
    ({"claim": "a", "all_of": [float("nan")]}, "all_of must have numbers"),
    ({"claim": "a", "any_of": ["a"], "none_of": ["b"]}, "must have one of"),
    ({"claim": "a", "any_of": ["a"], "none_of": None}, "none_of must not be None"),
    ({"claim": "a", "any_of": ["a"], "at_least": 1}, "must have one of"),
    ({"claim": "a", "at_least": "1"}, "at_least must have numbers"),
    ({"claim": "a", "at_least": True}, "at_least must have numbers"),
    ({"claim": "a", "prefix": "repo:"}, "prefix must be a list of names"),
    ({"claim": "a", "suffix": [""]}, "suffix must be a list of names"),
    ({"claim": "a", "exists": "no"}, "exists must be True or False"),
    ({"claim": "a", "exists": True, "if_absent": "pass"}, "invalid-claim-rule"),
    ({"claim": "a", "any_of": ["a"], "if_absent": True}, "if_absent must be pass"),
    ({"claim": "a", "any_of": ["a"], "path": "roles"}, "path must be a list of strings"),
    ({"claim": "a", "any_of": ["a"], "split": ", "}, "split must be one character"),
    ({"claim": "a", "any_of": ["a"], "keys": False}, "keys must be True"),
    ({"claim": "a", "any_of": ["a"], "each": "id"}, "each must be a list of names"),
    ({"claim": "a", "any_of": ["a"], "split": ",", "keys": True}, "at most one of split, keys and each"),
    ({"claim": "exp", "at_least": 1}, "invalid-claim-rule"),
):
    for stated in ({"claims": [rule]}, {"requirements": {"staff": [rule]}}):
        error = refused(**words, **stated)
        assert problem in error, f"{stated}: {error}"

# The book has examples of rules, one a line, and of invalid rules.
book = (Path(__file__).parent / "../../docs/claims.md").read_text("utf-8")


def rules_of(language: str) -> list[dict]:
    blocks = [rest.partition("\n```")[0] for rest in book.split(f"```{language}\n")[1:]]
    return [json.loads(line) for block in blocks for line in block.split("\n")]


valid, invalid = rules_of("json,rule"), rules_of("json,invalid-rule")
assert len(valid) > 10 and len(invalid) > 15, f"{len(valid)} and {len(invalid)} rules"
for rule in valid:
    Verifier(guest, [Pool(**words, claims=[rule])])
for rule in invalid:
    assert "claim" in refused(**words, claims=[rule]), rule

# Claim rules: those of a pool reject a token, and a requirement applies to the call that names it.
requirements = {
    "editors": [{"claim": "scope", "split": " ", "any_of": ["orders/write"]}], "v3": [{"claim": "version", "at_least": 3}],
    "known": [{"claim": "username", "exists": True}],
}
fitting = Verifier(
    guest, [Pool(**words, claims=[{"claim": "version", "any_of": [2]}, {"claim": "act", "exists": False}])],
    requirements=requirements, clock=clock,
)
assert fitting.verify(token).fits == ["editors", "known"]
assert fitting.verify(token, requirement="editors").username == "ada"
assert denied(fitting.verify, token, requirement="v3") == ("claim-forbidden", 403)
assert denied(fitting.verify_now, token, requirement="v3") == ("claim-forbidden", 403)
try:
    fitting.verify(token, requirement="v4")
    raise AssertionError("it was allowed")
except ValueError as error:
    assert "no requirement 'v4'" in str(error)
rules = [{"claim": "version", "any_of": [2]}, {"claim": "tenant", "any_of": ["acme"]}]
misfitting = Verifier(guest, [Pool(**words, claims=rules)], clock=clock)
try:
    misfitting.verify(token)
    raise AssertionError("it was allowed")
except Denial as denial:
    assert (denial.reason, denial.status, denial.misfit) == ("claim-mismatch", 401, Misfit(0, 1, True))
nearly = Verifier(guest, [Pool(**{**words, "issuer": words["issuer"] + "/"})], clock=clock)
try:
    nearly.verify_now(token)
    raise AssertionError("it was allowed")
except Denial as denial:
    assert (denial.reason, denial.hint) == ("issuer-unknown", "issuer-slash")
