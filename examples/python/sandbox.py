"""The instance in use, and the life of its keys: which fetches run, and when they have ended. A verifier and a gate have one each."""

from __future__ import annotations

import itertools
import os
import threading
import weakref
from concurrent.futures import Future, wait
from typing import Any, Callable, TypeVar

from instance import VERIFIER, Guest, Instance

Result = TypeVar("Result")
Fetch = Callable[[str, "str | None"], Any]
"""Returns a `key-response`, or the name of a `fetch-error`. Its arguments are a URL and an ETag."""

# The maximum time that a call waits for the instance, in seconds.
QUEUE_DEADLINE = 1.0
# The maximum number of fetches at a time. The component starts one for a URL.
FETCH_LIMIT = 32
# The maximum time that `refresh_keys` waits, in seconds.
REFRESH_DEADLINE = 60.0

_all: weakref.WeakSet[Sandbox] = weakref.WeakSet()


class SandboxError(Exception):
    """The sandbox has no result. `reason` is sandbox-failed, sandbox-timeout or overloaded."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Sandbox:
    """One instance, which is replaced after a trap. Any thread may use it.

    `start` configures a new instance. `clock` returns the seconds since the Unix epoch. `judged` is told whether the key set of a URL was
    accepted. After a fork, the child starts with a new instance, because a thread of the parent may have been in the old one.
    """

    def __init__(
        self,
        guest: Guest,
        clock: Callable[[], float],
        start: Callable[[Instance], None],
        fetch: Fetch,
        judged: Callable[[str, bool], None] = lambda url, is_accepted: None,
    ) -> None:
        self._guest, self._clock, self._start, self._fetch_keys, self._judged = guest, clock, start, fetch, judged
        # The logical time of the contract: numbers requests as they are received, and fetches as they start.
        self._logical_time = itertools.count(1)
        self._keeps_fresh = False
        self._abandoned: list[Instance | None] = []
        self._reset()
        _all.add(self)
        with self._lock:
            self._running()

    def _reset(self) -> None:
        # This lock is not held during a fetch.
        self._lock = threading.RLock()
        self._closing = threading.Event()
        self._instance: Instance | None = None
        self._fetches: dict[str, Future[None]] = {}
        self._running_fetches = 0
        self._refresher: threading.Thread | None = None

    def forget_parent(self) -> None:
        """Called in the child after a fork: locks may be held, and threads do not exist any more."""
        was_closed = self._closing.is_set()
        # It is not freed: a thread of the parent may have been using it.
        self._abandoned.append(self._instance)
        self._reset()
        if was_closed:
            self._closing.set()

    def tick(self) -> int:
        """Returns the next logical time."""
        return next(self._logical_time)

    def call(self, function: str, *arguments: Any) -> Any:
        """Calls a function of the interface `verifier`. Raises a `SandboxError`."""
        return self.run(lambda instance: instance.call(VERIFIER, function, *arguments))

    def run(self, use: Callable[[Instance], Result]) -> Result:
        """Runs `use` with the instance. If it raises, the instance is not used any more, and this raises a `SandboxError`."""
        if not self._lock.acquire(timeout=QUEUE_DEADLINE):
            raise SandboxError("overloaded")
        try:
            return use(self._running())
        except Exception:
            is_late = self._instance is not None and self._instance.is_out_of_fuel()
            reason = "sandbox-timeout" if is_late else "sandbox-failed"
            self._instance = None
        except BaseException:
            self._instance = None
            raise
        finally:
            self._lock.release()
        # Not in the `except` block: the error would have the cause, which could contain parts of a token.
        raise SandboxError(reason)

    def try_lock(self) -> bool:
        """Reserves the instance for this thread, if it is free. Call `unlock` afterwards."""
        return self._lock.acquire(blocking=False)

    def unlock(self) -> None:
        self._lock.release()

    def fetch_in_progress(self, url: str) -> Future[None] | None:
        """Returns the fetch from this URL. Its result has been applied when it is done."""
        return self._fetches.get(url)

    def refresh_keys(self) -> None:
        """Starts the fetches that are due, and waits for them."""
        self.call("maintain")
        wait(list(self._fetches.values()), timeout=REFRESH_DEADLINE)

    def keep_keys_fresh(self) -> None:
        """Starts the due fetches once per second, in a thread, until `close` is called. After a fork, the child starts its own thread."""
        self._keeps_fresh = True
        if self._closing.is_set():
            self._closing, self._refresher = threading.Event(), None
        self.run(lambda instance: None)

    def close(self) -> None:
        """Stops the thread of `keep_keys_fresh`."""
        self._closing.set()

    def _running(self) -> Instance:
        if self._keeps_fresh and self._refresher is None and not self._closing.is_set():
            self._refresher = threading.Thread(target=self._refresh, args=(self._closing,), name="poolgate-refresh", daemon=True)
            self._refresher.start()
        if self._instance is None:
            instance = Instance(self._guest, self._clock, self._start_fetch)
            self._start(instance)
            self._instance = instance
        return self._instance

    def _refresh(self, closing: threading.Event) -> None:
        while not closing.wait(1.0):
            try:
                self.call("maintain")
            except Exception:
                pass  # The instance failed; the next call starts a new one.

    def _start_fetch(self, url: str, key_id: str | None, etag: str | None) -> bool:
        """Starts a fetch, and returns whether it has started. The component calls this within a call of ours, so the lock is held."""
        if self._running_fetches >= FETCH_LIMIT:
            return False
        instance, fetch = self._instance, Future[None]()
        # A waiter that is cancelled must not cancel the fetch of the others.
        fetch.set_running_or_notify_cancel()
        thread = threading.Thread(target=self._fetch, args=(instance, fetch, url, key_id, etag), name="poolgate-keys", daemon=True)
        try:
            thread.start()
        except RuntimeError:
            return False  # The process has too many threads.
        self._running_fetches += 1
        self._fetches[url] = fetch
        return True

    def _fetch(self, instance: Instance | None, fetch: Future[None], url: str, key_id: str | None, etag: str | None) -> None:
        started_at = self.tick()
        try:
            outcome = self._fetch_keys(url, etag)
        except Exception:
            outcome = "unreachable"
        is_accepted = False
        try:
            with self._lock:
                self._running_fetches -= 1
                if self._fetches.get(url) is fetch:
                    del self._fetches[url]
                if instance is not None and instance is self._instance:
                    # If the key set is rejected, the previous one stays, and the key report has the error.
                    error = self.call("keys-fetched", url, key_id, started_at, int(self._clock()), outcome)
                    is_accepted = error is None and not isinstance(outcome, str)
            self._judged(url, is_accepted)
        except Exception:
            pass  # The instance failed; the next call starts a new one.
        finally:
            fetch.set_result(None)


def _after_fork() -> None:
    for sandbox in list(_all):
        sandbox.forget_parent()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
