"""poolgate in Python: the component in wasmtime's sandbox, with its two imports, a clock and a key fetch."""

from __future__ import annotations

import itertools
import json
import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Callable, Mapping, Sequence

from wasmtime import Engine, Store
from wasmtime.component import Component, Linker, Record, Variant

from checks import record
from claim_rules import ClaimRule
from configuration import AllOf, AnyOf, KeyPolicy, Limits, Pool, config
from key_server import fetch_keys, is_allowed

__all__ = [
    "AllOf", "AnyOf", "Check", "ClaimRule", "Claims", "Denial", "Explanation", "Guest", "KeyPolicy", "Limits", "Misfit", "Pool", "Verifier",
]

VERIFIER = "poolgate:auth/verifier@0.1.0"
STATUS = {"invalid-token": 401, "insufficient-scope": 403, "unavailable": 503}
MEMORY_LIMIT = 64 * 1024 * 1024
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


class Guest:
    """The compiled component. Create one for the process: compiling takes about a second."""

    def __init__(self, file: str | Path) -> None:
        self.engine = Engine()
        self.component = Component.from_file(self.engine, str(file))


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
        self._guest, self._clock = guest, clock
        given = {} if requirements is None else requirements
        self._config = config(pools, limits, key_policy or KeyPolicy(), given)
        # Each has the index of its bit.
        self._requirements = list(given)
        self._local_key_sets: dict[str, tuple[bytes, int]] = {}
        self._fetches: dict[str, Future[None]] = {}
        # The logical time of the contract: numbers tokens as they are received and fetches as they start.
        self._logical_time = itertools.count(1)
        self._fetchers = ThreadPoolExecutor(max_workers=4, thread_name_prefix="poolgate-keys")
        self._closing = threading.Event()
        # An instance does one thing at a time. This lock is not held during a fetch.
        self._lock = threading.RLock()
        self._instance: Instance | None = None
        self._running()

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
        received_at = next(self._logical_time)
        attempt: Callable[[], Claims] = lambda: self._call(requirement, "verify", token)
        # A fetch that started before the token arrived does not prove that its key does not exist: then one more fetch follows.
        for _ in range(2):
            try:
                return attempt()
            except Denial as denial:
                if denial.pending_key_url is None:
                    raise
                fetch = self._fetches.get(denial.pending_key_url)
            if fetch is not None:
                fetch.result()
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
        if not isinstance(token, str):
            raise TypeError("a token is a string")
        members = members_of(self._guarded("explain", token))
        checks = [check_of(members_of(check)) for check in members["checks"]]
        return Explanation(**{**members, "header": parsed(members["header"]), "payload": parsed(members["payload"]), "checks": checks})

    def refresh_keys(self) -> None:
        """Starts the fetches that are due, and waits for them."""
        self._guarded("maintain")
        for fetch in list(self._fetches.values()):
            fetch.result()

    def keep_keys_fresh(self) -> None:
        """Refreshes keys in the background, once per second if one is due, until `close` is called."""

        def refresh() -> None:
            while not self._closing.wait(1.0):
                try:
                    self._guarded("maintain")
                except Denial:
                    pass  # The instance failed; the next call starts a new one.

        threading.Thread(target=refresh, name="poolgate-refresh", daemon=True).start()

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
        return self._guarded("key-reports")

    def close(self) -> None:
        """Stops the thread of `keep_keys_fresh`."""
        self._closing.set()
        self._fetchers.shutdown(wait=False)

    def _known(self, requirement: str | None) -> None:
        """A name that is not configured is an error, not a denial."""
        if requirement is not None and requirement not in self._requirements:
            raise ValueError(f"there is no requirement {requirement!r} in the configuration")

    def _call(self, requirement: str | None, function: str, token: str, *received_at: int) -> Claims:
        if not isinstance(token, str):
            raise TypeError("a token is a string")
        # Only the tag "ok" accepts the token.
        result: Variant = self._guarded(function, token, *received_at)
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
        with self._lock:
            instance = self._running()
            try:
                return instance.call(function, *arguments)
            except Exception:
                self._instance = None
                # Without the cause, which could contain parts of the token.
                raise Denial("sandbox-failed", 503) from None

    def _running(self) -> Instance:
        with self._lock:
            if self._instance is None:
                instance = Instance(self._guest, self._clock, self._fetch)
                error = instance.call("configure", self._config)
                if error is not None:
                    raise ValueError(f"the configuration was rejected: {error}")
                for issuer, key_set in self._local_key_sets.items():
                    instance.call("load-key-set", issuer, *key_set)
                self._instance = instance
            return self._instance

    def _fetch(self, url: str, key_id: str | None, etag: str | None) -> None:
        """Starts a fetch. The component calls this within a call of ours, so the lock is held."""
        instance = self._instance

        def fetch() -> None:
            started_at = next(self._logical_time)
            outcome = fetch_keys(url, etag)
            with self._lock:
                self._fetches.pop(url, None)
                if instance is not None and instance is self._instance:
                    # If the key set is rejected, the previous one stays, and the key report has the error.
                    self._guarded("keys-fetched", url, key_id, started_at, int(self._clock()), outcome)

        self._fetches[url] = self._fetchers.submit(fetch)


def id_token_checks(nonce: str, access_token: str) -> tuple[str | None, str | None] | None:
    """Returns the arguments of `check-id-token`, or `None` if nothing is compared."""
    if nonce is NOT_COMPARED and access_token is NOT_COMPARED:
        return None
    for value in (nonce, access_token):
        if value is not NOT_COMPARED and not isinstance(value, str):
            raise TypeError("a nonce and an access token are strings")
    given = lambda value: None if value is NOT_COMPARED else value
    return given(nonce), given(access_token)


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


def members_of(made: Record) -> dict[str, Any]:
    """Returns the members of a record. The names of the contract have hyphens instead of underscores."""
    return {name.replace("-", "_"): value for name, value in vars(made).items()}


class Instance:
    """One instance of the component, with its two imports."""

    def __init__(self, guest: Guest, clock: Callable[[], float], fetch: Callable[..., None]) -> None:
        self._store = Store(guest.engine)
        self._store.set_limits(memory_size=MEMORY_LIMIT)

        def fetch_later(_store: Any, url: str, key_id: str | None, etag: str | None) -> str:
            if not is_allowed(url):
                return "refused"
            fetch(url, key_id, etag)
            return "deferred"

        linker = Linker(guest.engine)
        with linker.root() as root:
            with root.add_instance("wasi:clocks/wall-clock@0.2.6") as wall_clock:
                wall_clock.add_func("now", lambda _store: record(seconds=int(clock()), nanoseconds=0))
                wall_clock.add_func("resolution", lambda _store: record(seconds=1, nanoseconds=0))
            with root.add_instance("poolgate:auth/key-source@0.1.0") as key_source:
                key_source.add_func("fetch", fetch_later)
        self._instance = linker.instantiate(self._store, guest.component)
        self._verifier = self._instance.get_export_index(self._store, VERIFIER)
        self._functions: dict[str, Any] = {}

    def call(self, name: str, *arguments: Any) -> Any:
        if name not in self._functions:
            index = self._instance.get_export_index(self._store, name, self._verifier)
            self._functions[name] = self._instance.get_func(self._store, index)
        return self._functions[name](self._store, *arguments)
