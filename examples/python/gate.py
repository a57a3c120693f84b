"""Decides about whole requests by one configuration: docs/gate.md describes it, and docs/envoy-reference.md each of its members."""

from __future__ import annotations

import asyncio
import inspect
import json
import secrets
import threading
import time
from concurrent.futures import Future, wait
from dataclasses import dataclass, fields
from typing import Any, Callable, Generator, Union

from wasmtime.component import Record

from decision import Admission, Decision, HeaderChange, Rejection, Remove, Response, Set, undecided
from discovery import Document
from head import RequestHead
from instance import GATE, VERIFIER, Guest, Instance
from key_server import get, is_allowed
from poolgate import Claims, members_of
from sandbox import Sandbox, SandboxError

__all__ = [
    "Admission", "Claims", "ConfigWarning", "Decision", "Gate", "Guest", "HeaderChange", "Rejection", "Remove", "RequestHead", "Response", "Set",
]

# The maximum time that a coroutine waits for a thread that uses the instance, in seconds.
THREAD_DEADLINE = 5.0


@dataclass(frozen=True)
class ConfigWarning:
    """A warning about the configuration, and where in it, such as `routes[2].methods`."""

    at: str
    message: str

    def __str__(self) -> str:
        return f"{self.at}: {self.message}" if self.at else self.message


@dataclass(frozen=True)
class PendingKeys:
    """The keys of the request are being fetched from this URL."""

    url: str


Wait = tuple["Future[None]", float]
Deciding = Generator[Wait, None, Decision]
"""The steps of a decision. It yields a fetch to wait for, and for how many seconds at most."""


class Gate:
    """Decides about requests in an instance of the component. Create one and keep it: it holds the keys. Any thread may call it.

    `configuration` is the text of the file. `clock` returns the seconds since the Unix epoch. Raises `ValueError` with the position and the message
    if the configuration is not valid.
    """

    def __init__(self, guest: Guest, configuration: str, *, clock: Callable[[], float] = time.time) -> None:
        if not isinstance(configuration, str):
            raise TypeError("the configuration is the text of a file")
        self._clock, self._configuration = clock, configuration
        self._sandbox = Sandbox(guest, clock, self._start, self._fetch, self._judge)
        self._check_key_urls()

    @property
    def warnings(self) -> list[ConfigWarning]:
        """Keys that can't be used, and rules that never match or are weaker than they seem."""
        return [ConfigWarning(**members_of(it)) for it in self._settings.warnings]

    @property
    def claim_headers(self) -> list[str]:
        """The names of the headers that claims are forwarded in."""
        return list(getattr(self._settings, "claim-headers"))

    @property
    def forwards_tokens(self) -> bool:
        """Whether the application receives the token. If not, the changes of an admission remove it."""
        return bool(getattr(self._settings, "forwards-tokens"))

    def decide(self, head: RequestHead) -> Decision:
        """Decides about a request. Waits for keys that are being fetched, at most as long as `limits.wait_ms` of the configuration says.

        **Make all changes of an `Admission` before you forward the request**: they remove what a client has forged, and the token if the
        configuration says so. The middleware in `asgi.py` and `wsgi.py` does this.

        Raises `TypeError` if a part of the head has the wrong type, and nothing else.
        """
        steps = self._steps(head)
        try:
            while True:
                fetch, seconds = next(steps)
                wait([fetch], timeout=seconds)
        except StopIteration as end:
            decision: Decision = end.value
            return decision

    async def decide_async(self, head: RequestHead) -> Decision:
        """Like `decide`, in an event loop. While another thread uses the instance, and while keys are fetched, other tasks run."""
        steps = self._steps(head)
        try:
            while True:
                step = await self._next_step(steps)
                if not isinstance(step, tuple):
                    return step
                fetch, seconds = step
                # This does not cancel the fetch if the task is cancelled or waits too long.
                await asyncio.wait([asyncio.wrap_future(fetch)], timeout=seconds)
        except asyncio.TimeoutError:
            return undecided("overloaded")
        finally:
            if inspect.getgeneratorstate(steps) != inspect.GEN_RUNNING:
                steps.close()

    def refresh_keys(self) -> None:
        """Starts the fetches that are due, and waits for them, at most a minute. Raises a `SandboxError`."""
        self._sandbox.refresh_keys()

    def keep_keys_fresh(self) -> None:
        """Refreshes keys in the background, once per second if one is due, until `close` is called. Raises a `SandboxError`."""
        self._sandbox.keep_keys_fresh()

    def key_reports(self) -> list[Record]:
        """Returns the state of the key sets: the records `key-report` of wit/verifier.wit. Raises a `SandboxError`."""
        reports: list[Record] = self._sandbox.call("key-reports")
        return reports

    def close(self) -> None:
        """Stops the thread of `keep_keys_fresh`."""
        self._sandbox.close()

    def _steps(self, head: RequestHead) -> Deciding:
        fault = head.fault()
        if fault is not None:
            return undecided(*fault)
        try:
            return (yield from self._decide_and_wait(head))
        except SandboxError as error:
            return undecided(error.reason)

    def _decide_and_wait(self, head: RequestHead) -> Deciding:
        received_at = self._sandbox.tick()
        step = self._ask("decide", head)
        if isinstance(step, PendingKeys):
            deadline = time.monotonic() + getattr(self._settings, "wait-ms") / 1000
            # A fetch that started before the request arrived does not prove that its key does not exist: then one more fetch follows.
            for _ in range(2):
                fetch = self._sandbox.fetch_in_progress(step.url)
                if fetch is not None:
                    if not (yield from self._wait(fetch, deadline)):
                        break
                step = self._ask("decide-after-fetch", head, received_at)
                if not isinstance(step, PendingKeys):
                    return step
            # The route may admit a request without keys: it may only report.
            step = self._ask("decide-without-keys", head)
        return undecided("keys-unavailable") if isinstance(step, PendingKeys) else step

    def _wait(self, fetch: Future[None], deadline: float) -> Generator[Wait, None, bool]:
        """Waits for a fetch. Returns whether it has ended."""
        waiting = self._waiting
        if not waiting.acquire(blocking=False):
            return False
        try:
            yield fetch, max(0.0, deadline - time.monotonic())
            return fetch.done()
        finally:
            waiting.release()

    async def _next_step(self, steps: Deciding) -> Union[Wait, Decision]:
        """Runs the next step: in this thread if the instance is free, and otherwise in another one."""
        if self._sandbox.try_lock():
            try:
                return following(steps)
            finally:
                self._sandbox.unlock()
        return await asyncio.wait_for(asyncio.to_thread(following, steps), THREAD_DEADLINE)

    def _ask(self, function: str, head: RequestHead, *received_at: int) -> Union[Decision, PendingKeys]:
        return self._sandbox.run(lambda instance: decided(instance, instance.call_with_head(function, head, *received_at)))

    def _start(self, instance: Instance) -> None:
        # Instances do not share their fetches, so each has a random number of its own, also after a fork.
        result = instance.call(GATE, "configure", self._configuration, secrets.randbits(64))
        if result.tag != "ok":
            raise ValueError(str(ConfigWarning(**members_of(result.payload))))
        self._settings: Any = result.payload
        # These have locks, so the child of a fork needs its own: a thread of the parent may hold the old ones.
        self._documents = documents_of(self._settings)
        self._waiting = threading.Semaphore(getattr(self._settings, "waiting-requests"))

    def _check_key_urls(self) -> None:
        for report in map(members_of, self.key_reports()):
            if report["url"] is not None and not is_allowed(report["url"]):
                raise ValueError(f"keys are fetched by https, or by http from this machine only: {report['url']}")

    def _fetch(self, url: str, etag: str | None) -> Any:
        settings = members_of(self._settings)
        timeout, limit = settings["fetch_timeout_ms"] / 1000, settings["jwks_bytes"]
        document = self._documents.get(url)
        if document is None:
            return get(url, etag, timeout, limit)[0]
        return document.fetch_keys(
            etag, lambda url, etag, limit: get(url, etag, timeout, limit),
            limit, settings["json_depth"], settings["soft_ttl_min"], int(self._clock()),
        )

    def _judge(self, url: str, is_accepted: bool) -> None:
        if url in self._documents:
            self._documents[url].judge(is_accepted)


def documents_of(settings: Any) -> dict[str, Document]:
    documents: dict[str, Document] = {}
    for it in getattr(settings, "discovery-documents"):
        document = Document(it.url, it.issuers, getattr(it, "key-hosts"))
        other = documents.setdefault(it.url, document)
        if (other.issuers, other.hosts) != (document.issuers, document.hosts):
            raise ValueError(f"two pools expect different content of the discovery document {it.url}")
    return documents


def following(steps: Deciding) -> Union[Wait, Decision]:
    """Returns what the generator yields or, at its end, returns. No `StopIteration` may leave a coroutine or a thread."""
    try:
        return next(steps)
    except StopIteration as end:
        decision: Decision = end.value
        return decision


def decided(instance: Instance, decision: Any) -> Union[Decision, PendingKeys]:
    """Converts the variant `decision`. Raises if it is not what the contract says. Only the tag `admit` admits."""
    if decision.tag == "admit":
        admission = decision.payload
        changes = [change_of(it) for it in admission.changes]
        return Admission(claims_of(instance, admission.claims), changes, admission.reported)
    if decision.tag == "reject":
        members = members_of(decision.payload)
        status, message = members["grpc_status"], members["grpc_message"]
        return Rejection(
            members["status"], fields_of(members["headers"]), members["body"].encode(), members["reason"], members["log"],
            None if status is None else (status, message),
        )
    if decision.tag == "respond":
        response = decision.payload
        return Response(response.status, fields_of(response.headers), response.body.encode())
    if decision.tag == "pending-keys":
        return PendingKeys(decision.payload)
    # The revocation check was not enabled.
    raise ValueError("an unknown decision")


def change_of(change: Any) -> HeaderChange:
    """wasmtime converts the cases of this variant to their payloads, because these have different types."""
    if isinstance(change, str):
        return Remove(change)
    name, value = change
    return Set(name, value)


def fields_of(headers: list[Any]) -> list[tuple[str, bytes]]:
    return [(it.name, it.value) for it in headers]


def claims_of(instance: Instance, claims: Any) -> Claims | None:
    """Stores new claims in the instance, or returns the stored ones. The application gets a copy of its own."""
    if claims.tag == "none":
        return None
    if claims.tag == "new":
        verified = members_of(claims.payload.verified)
        handle = claims.payload.handle
        if handle is not None:
            instance.claims_by_slot[handle.slot] = (handle.version, verified)
    elif claims.tag == "cached":
        handle = claims.payload.handle
        version, verified = instance.claims_by_slot[handle.slot]
        if version != handle.version:
            raise ValueError("the claims of another token")
        verified = {**verified, "keys_are_stale": getattr(claims.payload, "keys-are-stale")}
    else:
        raise ValueError("unknown claims")
    own = {**verified, "groups": list(verified["groups"]), "scopes": list(verified["scopes"])}
    # The lists of rules of a route have no names.
    own |= {"payload": json.loads(verified["payload"]), "fits": []}
    return Claims(**{claim.name: own[claim.name] for claim in fields(Claims)})
