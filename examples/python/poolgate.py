"""poolgate in Python: the component in wasmtime's sandbox, with one clock and one door to the network."""

from __future__ import annotations

import itertools
import json
import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Callable, Sequence

from wasmtime import Engine, Store
from wasmtime.component import Component, Linker, Record, Variant

from configuration import AllOf, AnyOf, KeyPolicy, Limits, Pool, config, record
from key_server import fetch_keys, is_allowed

__all__ = ["AllOf", "AnyOf", "Claims", "Denial", "Guest", "KeyPolicy", "Limits", "Pool", "Verifier"]

VERIFIER = "poolgate:auth/verifier@0.1.0"
STATUS = {"invalid-token": 401, "insufficient-scope": 403, "unavailable": 503}
MEMORY_LIMIT = 64 * 1024 * 1024


class Denial(Exception):
    """A refusal. Tell the caller the `status` alone; `reason` (one of README.md's table) and `hint` are for logs.

    `hint` says which claim is of a wrong type, or that an issuer is wrong by a slash alone.
    """

    def __init__(self, reason: str, status: int, pending_key_url: str | None = None, hint: str | None = None) -> None:
        super().__init__(f"the token is refused: {reason}")
        self.reason = reason
        self.status = status
        self.pending_key_url = pending_key_url
        self.hint = hint


@dataclass(frozen=True)
class Claims:
    """What a verified token says: the record `verified` of wit/verifier.wit. Times are seconds since the Unix epoch."""

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


class Guest:
    """The component, compiled. Make one for the process: it takes about a second."""

    def __init__(self, file: str | Path) -> None:
        self.engine = Engine()
        self.component = Component.from_file(self.engine, str(file))


class Verifier:
    """Verifies tokens in an instance of the guest. Make one and keep it: it holds the keys. Any thread may call it.

    Raises `ValueError` with the name of a `config-error` for what is not taken. `clock` tells the seconds since the Unix epoch.
    """

    def __init__(
        self,
        guest: Guest,
        pools: Sequence[Pool],
        *,
        limits: Limits = Limits(),
        key_policy: KeyPolicy | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._guest, self._clock = guest, clock
        self._config = config(pools, limits, key_policy or KeyPolicy())
        self._seeds: dict[str, tuple[bytes, int]] = {}
        self._fetches: dict[str, Future[None]] = {}
        # Numbers the tokens and the fetches in the order in which they come and begin.
        self._ticks = itertools.count(1)
        self._fetchers = ThreadPoolExecutor(max_workers=4, thread_name_prefix="poolgate-keys")
        self._closing = threading.Event()
        # An instance does one thing at a time. Nobody holds this lock while the network is waited for.
        self._lock = threading.RLock()
        self._instance: Instance | None = None
        self._running()

    def verify(self, token: str) -> Claims:
        """The claims of a good token. It waits for keys that are being fetched. Raises a `Denial` for every other token."""
        received_at = next(self._ticks)
        judge: Callable[[], Claims] = lambda: self.verify_now(token)
        # A fetch that began before the token came is no proof that its key is not there: then there is one more to wait for.
        for _ in range(2):
            try:
                return judge()
            except Denial as denial:
                if denial.pending_key_url is None:
                    raise
                fetch = self._fetches.get(denial.pending_key_url)
            if fetch is not None:
                fetch.result()
            judge = lambda: self._judge("verify-after-fetch", token, received_at)
        return judge()

    def verify_now(self, token: str) -> Claims:
        """The same at once: where keys are missing it raises a `Denial` with status 503, and starts to fetch them."""
        return self._judge("verify", token)

    def refresh_keys(self) -> None:
        """Fetches the keys that it is time to fetch, and waits for them."""
        self._guarded("maintain")
        for fetch in list(self._fetches.values()):
            fetch.result()

    def keep_keys_fresh(self) -> None:
        """Refreshes keys in the background, so that no token waits for them, until `close` is called."""

        def refresh() -> None:
            while not self._closing.wait(1.0):
                try:
                    self._guarded("maintain")
                except Denial:
                    pass  # The instance failed; the next call starts a new one.

        threading.Thread(target=refresh, name="poolgate-refresh", daemon=True).start()

    def load_key_set(self, issuer: str, jwks: str, fetched_at: int | None = None) -> None:
        """Takes a JWK Set (text) that no fetch brought. `issuer` is a configured one, or "" for a pool that checks none.

        Raises `ValueError` with the name of a `key-set-error`.
        """
        seed = (jwks.encode(), int(self._clock()) if fetched_at is None else fetched_at)
        report = self._guarded("load-key-set", issuer, *seed)
        if isinstance(report, str):
            raise ValueError(f"the keys are not taken: {report}")
        self._seeds[issuer] = seed

    def key_reports(self) -> list[Record]:
        """The state of the keys: the records `key-report` of wit/verifier.wit."""
        return self._guarded("key-reports")

    def close(self) -> None:
        """Ends what `keep_keys_fresh` began."""
        self._closing.set()
        self._fetchers.shutdown(wait=False)

    def _judge(self, function: str, token: str, *received_at: int) -> Claims:
        if not isinstance(token, str):
            raise TypeError("a token is a string")
        # What no verdict of the contract is, is no permission either.
        verdict: Variant = self._guarded(function, token, *received_at)
        said = {name.replace("-", "_"): value for name, value in vars(verdict.payload).items()}
        if verdict.tag == "ok":
            claims = {claim.name: said[claim.name] for claim in fields(Claims)}
            return Claims(**{**claims, "payload": json.loads(said["payload"])})
        raise Denial(said["reason"], STATUS.get(said["error"], 503), said["pending_key_url"], said["hint"])

    def _guarded(self, function: str, *arguments: Any) -> Any:
        """A trap denies with `sandbox-failed`; its instance is never used again, and the next call starts a new one."""
        with self._lock:
            instance = self._running()
            try:
                return instance.call(function, *arguments)
            except Exception:
                self._instance = None
                # Without the cause: it must tell nothing of the token.
                raise Denial("sandbox-failed", 503) from None

    def _running(self) -> Instance:
        with self._lock:
            if self._instance is None:
                instance = Instance(self._guest, self._clock, self._fetch)
                fault = instance.call("configure", self._config)
                if fault is not None:
                    raise ValueError(f"the configuration is not taken: {fault}")
                for issuer, seed in self._seeds.items():
                    instance.call("load-key-set", issuer, *seed)
                self._instance = instance
            return self._instance

    def _fetch(self, url: str, key_id: str | None, etag: str | None) -> None:
        """Called by the guest, within one of our calls: the lock is held."""
        instance = self._instance

        def fetch() -> None:
            started_at = next(self._ticks)
            outcome = fetch_keys(url, etag)
            with self._lock:
                self._fetches.pop(url, None)
                if instance is not None and instance is self._instance:
                    # A set that is not taken leaves the keys held before, and the key report tells of it.
                    self._guarded("keys-fetched", url, key_id, started_at, int(self._clock()), outcome)

        self._fetches[url] = self._fetchers.submit(fetch)


class Instance:
    """One instance of the guest and its two doors."""

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
