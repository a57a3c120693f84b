"""`python_keys.py COMPONENT JWKS-URL TOKEN ROTATED`: tests key fetches and rotation in the example. From the second fetch on, the
server returns the key of ROTATED, too. Its other paths simulate the failures below."""

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


def denied(verify, token: str) -> tuple[str, int]:
    try:
        verify(token)
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

# Without keys, a call that does not wait is denied. Calls that wait get their verdict after one fetch.
assert denied(verifier.verify_now, token) == ("keys-unavailable", 503)
with ThreadPoolExecutor(4) as threads:
    assert {claims.username for claims in threads.map(verifier.verify, [token] * 8)} == {"ada"}
assert verifier.verify_now(token).expires_at == 1_700_003_540
verifier.refresh_keys()

# An unknown kid causes a fetch at once.
assert verifier.verify(rotated).username == "ada"
assert len(getattr(verifier.key_reports()[0], "key-ids")) == 2

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
):
    error = refused(**{**words, **stated})
    assert problem in error, f"{stated}: {error}"
nearly = Verifier(guest, [Pool(**{**words, "issuer": words["issuer"] + "/"})], clock=clock)
try:
    nearly.verify_now(token)
    raise AssertionError("it was allowed")
except Denial as denial:
    assert (denial.reason, denial.hint) == ("issuer-unknown", "issuer-slash")
