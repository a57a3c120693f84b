"""`python_keys.py COMPONENT JWKS-URL TOKEN ROTATED`: the life of keys in the example. The server has the key of ROTATED the second time, and
beside the keys the faults that are named below."""

import sys
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urljoin

from poolgate import AllOf, AnyOf, Denial, Guest, Pool, Verifier

component, url, token, rotated = sys.argv[1:]
is_failing = False


def clock() -> int:
    if is_failing:
        raise RuntimeError("a clock that fails")
    return 1_700_000_000


def denied(judge, token: str) -> tuple[str, int]:
    try:
        judge(token)
    except Denial as denial:
        return denial.reason, denial.status
    raise AssertionError("it was allowed")


def refused(**words) -> str:
    try:
        Verifier(guest, [Pool(**words)])
    except (TypeError, ValueError) as error:
        return str(error)
    raise AssertionError("it was taken")


guest = Guest(component)
words = {
    "issuer": "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_EXAMPLE01", "jwks_url": url, "token_use": "access",
    "any_client": True,
}
verifier = Verifier(guest, [Pool(**words)], clock=clock)

# No key yet: a call that does not wait is denied, and calls that wait get their verdict, from one fetch.
assert denied(verifier.verify_now, token) == ("keys-unavailable", 503)
with ThreadPoolExecutor(4) as threads:
    assert {claims.username for claims in threads.map(verifier.verify, [token] * 8)} == {"ada"}
assert verifier.verify_now(token).expires_at == 1_700_003_540
verifier.refresh_keys()

# A key that was not there at first is looked for at once.
assert verifier.verify(rotated).username == "ada"
assert len(getattr(verifier.key_reports()[0], "key-ids")) == 2

# A trap: denied, and the next instance fetches its keys anew.
is_failing = True
assert denied(verifier.verify_now, token) == ("sandbox-failed", 503)
is_failing = False
assert verifier.verify(token).username == "ada"
verifier.close()

# A server that misbehaves brings no keys, and the report says why.
for place, fault in (
    (urljoin(url, "/moved"), "bad-status"), (urljoin(url, "/huge"), "too-large"), (urljoin(url, "/cut"), "unreachable"),
    ("http://keys.invalid/", "refused"),
):
    faulty = Verifier(guest, [Pool(**{**words, "jwks_url": place})], clock=clock)
    assert denied(faulty.verify, token) == ("keys-unavailable", 503)
    error = getattr(faulty.key_reports()[0], "last-error")
    assert (error.tag, error.payload) == ("fetch", fault), f"{place}: {error}"

# What can't be understood is no verifier.
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
):
    said = refused(**{**words, **stated})
    assert problem in said, f"{stated}: {said}"
nearly = Verifier(guest, [Pool(**{**words, "issuer": words["issuer"] + "/"})], clock=clock)
try:
    nearly.verify_now(token)
    raise AssertionError("it was allowed")
except Denial as denial:
    assert (denial.reason, denial.hint) == ("issuer-unknown", "issuer-slash")
