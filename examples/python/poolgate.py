"""poolgate in Python: verifies tokens with the component, in wasmtime's sandbox."""

from __future__ import annotations

import json
import time
from concurrent.futures import wait
from dataclasses import dataclass, fields
from typing import Any, Callable, Mapping, Sequence

from wasmtime.component import Record

from claim_rules import ClaimRule
from configuration import AllOf, AnyOf, KeyPolicy, Limits, Pool, config
from head import is_unicode
from instance import VERIFIER, Guest, Instance
from key_server import fetch_keys
from sandbox import Sandbox, SandboxError

__all__ = [
    "AllOf", "AnyOf", "Check", "ClaimRule", "Claims", "Denial", "Explanation", "Guest", "KeyPolicy", "Limits", "Misfit", "Pool", "Verifier",
]

STATUS = {"invalid-token": 401, "insufficient-scope": 403, "unavailable": 503}
# The maximum time that `verify` waits for one fetch, in seconds. A fetch takes 5 seconds, and longer only while the host's name is being resolved.
KEY_WAIT = 30.0
# Not `None`: a nonce that the session has lost must not switch the check off.
NOT_COMPARED: Any = object()


@dataclass(frozen=True)
class Misfit:
    """A claim rule that a token does not fit. The pool, and the rule in the pool, are numbered from 0."""

    pool: int
    rule: int
    is_absent: bool


class Denial(Exception):
    """A rejection. Send `status` to the client, and nothing else. The rest is for logs; `reason` is a reason code of docs/reasons.md.

    `hint` names the claim of a wrong type, or says that only a slash in the issuer is wrong. `misfit` is set if the reason is claim-mismatch.
    """

    def __init__(
        self,
        reason: str,
        status: int,
        pending_key_url: str | None = None,
        hint: str | None = None,
        misfit: Misfit | None = None,
    ) -> None:
        super().__init__(f"the token was rejected: {reason}")
        self.reason = reason
        self.status = status
        self.pending_key_url = pending_key_url
        self.hint = hint
        self.misfit = misfit


@dataclass(frozen=True)
class Claims:
    """The claims of a verified token: the record `verified` of wit/verifier.wit. Times are seconds since the Unix epoch.

    `fits` has the names of the requirements that the token fits.
    """

    subject: str | None
    username: str | None
    token_use: str | None
    issuer: str | None
    client_id: str | None
    groups: list[str]
    scopes: list[str]
    issued_at: int | None
    expires_at: int
    auth_time: int | None
    payload: dict[str, Any]
    keys_are_stale: bool
    fits: list[str]


@dataclass(frozen=True)
class Check:
    """One check of a token. `result` is passed, failed or not-checked; `found` is the value that the token has; a long one is a text, cut off."""

    stage: str
    result: str
    reason: str | None
    member: str | None
    found: Any
    accepted: list[str]
    detail: str | None
    advice: str | None

    def __repr__(self) -> str:
        return f"Check(stage={self.stage!r}, result={self.result!r}, reason={self.reason!r})"


@dataclass(frozen=True)
class Explanation:
    """Why a token is accepted or rejected. It has the content of the token: show it only to who holds the token. `repr` omits the content.

    If the signature is not valid, anyone may have written the header and the payload. What is JSON is parsed.
    """

    reason: str | None
    header: Any
    payload: Any
    is_signature_valid: bool
    pool: int | None
    checks: list[Check]

    def __repr__(self) -> str:
        return f"Explanation(reason={self.reason!r}, is_signature_valid={self.is_signature_valid!r}, checks={self.checks!r})"


class Verifier:
    """Verifies tokens in an instance of the component. Create one and keep it: it holds the keys. Any thread may call it.

    `requirements` are lists of claim rules by name, which `verify` can ask for. `clock` returns the seconds since the Unix epoch.
    Raises `ValueError` with the name of a `config-error` for an invalid configuration.
    """

    def __init__(
        self,
        guest: Guest,
        pools: Sequence[Pool],
        *,
        requirements: Mapping[str, Sequence[ClaimRule]] | None = None,
        limits: Limits = Limits(),
        key_policy: KeyPolicy | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._clock, self._token_limit = clock, limits.token_bytes
        given = {} if requirements is None else requirements
        self._config = config(pools, limits, key_policy or KeyPolicy(), given)
        # Each has the index of its bit.
        self._requirements = list(given)
        self._local_key_sets: dict[str, tuple[bytes, int]] = {}
        self._sandbox = Sandbox(guest, clock, self._start, fetch_keys)

    def verify(
        self, token: str, *, requirement: str | None = None, nonce: str = NOT_COMPARED, access_token: str = NOT_COMPARED
    ) -> Claims:
        """Returns the claims of a valid token, and raises a `Denial` for any other. Waits for keys that are being fetched.

        With `requirement`, the token must fit the requirement of this name, too; otherwise the status is 403.
        With `nonce` and `access_token`, an ID token is compared with the nonce of the request and with the access token of the same
        response (`at_hash`).
        """
        self._known(requirement)
        checks = id_token_checks(nonce, access_token)
        claims = self._verify(token, requirement)
        if checks is not None:
            # The instance verifies the token again, so that nothing depends on the order of these calls.
            denial = self._guarded("check-id-token", token, *checks)
            if denial is not None:
                raise denial_of(members_of(denial))
        return claims

    def _verify(self, token: str, requirement: str | None) -> Claims:
        received_at = self._sandbox.tick()
        attempt: Callable[[], Claims] = lambda: self._call(requirement, "verify", token)
        # A fetch that started before the token arrived does not prove that its key does not exist: then one more fetch follows.
        for _ in range(2):
            try:
                return attempt()
            except Denial as denial:
                if denial.pending_key_url is None:
                    raise
                fetch = self._sandbox.fetch_in_progress(denial.pending_key_url)
            if fetch is not None:
                wait([fetch], timeout=KEY_WAIT)
            attempt = lambda: self._call(requirement, "verify-after-fetch", token, received_at)
        return attempt()

    def verify_now(self, token: str, *, requirement: str | None = None) -> Claims:
        """Like `verify`, without waiting: if keys are missing, it raises a `Denial` with status 503, and starts to fetch them."""
        self._known(requirement)
        return self._call(requirement, "verify", token)

    def explain(self, token: str) -> Explanation:
        """Explains the verdict about a token: each check, what the token has, what is accepted, and what to change.

        It fetches no keys: call `refresh_keys` before. The explanation has the content of the token, verified or not: show it only to who holds the
        token, and never with a rejection.
        """
        if not isinstance(token, str) or not is_unicode(token):
            raise TypeError("a token is a string of Unicode characters")
        members = members_of(self._guarded("explain", token[: self._token_limit + 1]))
        checks = [check_of(members_of(check)) for check in members["checks"]]
        return Explanation(**{**members, "header": parsed(members["header"]), "payload": parsed(members["payload"]), "checks": checks})

    def refresh_keys(self) -> None:
        """Starts the fetches that are due, and waits for them."""
        self._guard(self._sandbox.refresh_keys)

    def keep_keys_fresh(self) -> None:
        """Refreshes keys in the background, once per second if one is due, until `close` is called."""
        self._guard(self._sandbox.keep_keys_fresh)

    def load_key_set(self, issuer: str, jwks: str, fetched_at: int | None = None) -> None:
        """Loads a JWK Set (text) that you supply. `issuer` is a configured one, or "" for a pool that does not check it.

        Raises `ValueError` with the name of a `key-set-error`.
        """
        key_set = (jwks.encode(), int(self._clock()) if fetched_at is None else fetched_at)
        report = self._guarded("load-key-set", issuer, *key_set)
        if isinstance(report, str):
            raise ValueError(f"the key set was rejected: {report}")
        self._local_key_sets[issuer] = key_set

    def key_reports(self) -> list[Record]:
        """Returns the state of the key sets: the records `key-report` of wit/verifier.wit."""
        reports: list[Record] = self._guarded("key-reports")
        return reports

    def close(self) -> None:
        """Stops the thread of `keep_keys_fresh`."""
        self._sandbox.close()

    def _known(self, requirement: str | None) -> None:
        """A name that is not configured is an error, not a denial."""
        if requirement is not None and requirement not in self._requirements:
            raise ValueError(f"there is no requirement {requirement!r} in the configuration")

    def _call(self, requirement: str | None, function: str, token: str, *received_at: int) -> Claims:
        if not isinstance(token, str):
            raise TypeError("a token is a string")
        if len(token) > self._token_limit:
            raise Denial("token-too-large", 401)
        if not is_unicode(token):
            raise Denial("encoding-invalid", 401)
        # Only the tag "ok" accepts the token.
        result = self._guarded(function, token, *received_at)
        members = members_of(result.payload)
        if result.tag == "ok":
            members["payload"] = json.loads(members["payload"])
            fitting = members["requirements"]
            members["fits"] = [name for index, name in enumerate(self._requirements) if fitting >> index & 1]
            if requirement is not None and requirement not in members["fits"]:
                raise Denial("claim-forbidden", 403)
            return Claims(**{claim.name: members[claim.name] for claim in fields(Claims)})
        raise denial_of(members)

    def _guarded(self, function: str, *arguments: Any) -> Any:
        """Calls the instance. After a trap it raises `sandbox-failed`, and the next call starts a new instance."""
        return self._guard(lambda: self._sandbox.call(function, *arguments))

    def _guard(self, act: Callable[[], Any]) -> Any:
        try:
            return act()
        except SandboxError as error:
            reason = error.reason
        # Not in the `except` block: the denial would have the cause, whose traceback leads to the token.
        raise Denial(reason, 503)

    def _start(self, instance: Instance) -> None:
        error = instance.call(VERIFIER, "configure", self._config)
        if error is not None:
            raise ValueError(f"the configuration was rejected: {error}")
        for issuer, key_set in self._local_key_sets.items():
            instance.call(VERIFIER, "load-key-set", issuer, *key_set)


def id_token_checks(nonce: str, access_token: str) -> tuple[str | None, str | None] | None:
    """Returns the arguments of `check-id-token`, or `None` if nothing is compared."""
    if nonce is NOT_COMPARED and access_token is NOT_COMPARED:
        return None
    for value in (nonce, access_token):
        if value is not NOT_COMPARED and not isinstance(value, str):
            raise TypeError("a nonce and an access token are strings")
    return None if nonce is NOT_COMPARED else nonce, None if access_token is NOT_COMPARED else access_token


def denial_of(members: dict[str, Any]) -> Denial:
    """Converts the record `denial`."""
    misfit = members["misfit"] and Misfit(**members_of(members["misfit"]))
    status = STATUS.get(members["error"], 503)
    return Denial(members["reason"], status, members["pending_key_url"], members["hint"], misfit)


def check_of(members: dict[str, Any]) -> Check:
    """Converts the record `check`."""
    result = members.pop("result")
    return Check(**{**members, "found": parsed(members["found"]), "result": result.tag, "reason": result.payload})


def parsed(text: str | None) -> Any:
    """Returns the value of a JSON text, or the text itself if it is no JSON."""
    try:
        return None if text is None else json.loads(text)
    except ValueError:
        return text


def members_of(made: Any) -> dict[str, Any]:
    """Returns the members of a record. The names of the contract have hyphens instead of underscores."""
    return {name.replace("-", "_"): value for name, value in vars(made).items()}
