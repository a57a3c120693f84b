"""Key sets whose URL is in the discovery document of an issuer (OpenID Connect Discovery 1.0 section 4).

The component asks for the key set at the URL of the document. docs/discovery.md has the rules for a document, and what happens when it changes.
"""

from __future__ import annotations

import json
import logging
import re
import threading
from dataclasses import dataclass
from typing import Any, Callable, Sequence
from urllib.parse import urlsplit

from key_server import LOOPBACK

Get = Callable[[str, "str | None", int], "tuple[Any, int | None]"]
"""Makes a request for this URL with this ETag, for at most so many bytes. Returns what `key_server.get` returns."""

DOCUMENT_LIMIT = 65_536
# The lifetime of a document, and the time between two requests for it, in seconds.
LIFETIME = 86_400
ASK_AGAIN = 300
# Visible ASCII without a fragment, a user name, or a backslash, which some readers take for a slash.
URL = re.compile(r"[!-~]+")
LOGGER = logging.getLogger("poolgate")


class DocumentError(Exception):
    """The document is not used. The text is the error of docs/discovery.md."""


@dataclass
class Document:
    """A discovery document, and where its keys were found. `key_url` is in use; `next_url` was named later, and has not been judged."""

    url: str
    issuers: Sequence[str]
    key_hosts: Sequence[str]
    key_url: str | None = None
    next_url: str | None = None
    has_keys: bool = False
    fetched_at: int = 0
    lifetime: int = 0
    asked_at: int | None = None
    delivered: str | None = None

    def __post_init__(self) -> None:
        self.lock = threading.Lock()
        self.hosts = {*map(host_in, self.issuers), *(host.lower() for host in self.key_hosts)} - {None}

    def fetch_keys(self, etag: str | None, get: Get, limit: int, depth: int, min_lifetime: int, now: int) -> Any:
        """Returns the result of `key_server.fetch_keys`. It makes at most four requests."""
        with self.lock:
            self.delivered = None
            if self.key_url is None or (abs(now - self.fetched_at) >= self.lifetime and self._may_ask(now)):
                error = self._ask(get, depth, min_lifetime, now)
                if self.key_url is None:
                    return error
            if self.next_url is not None:
                outcome, _ = self._key_set(self.next_url, None, get, limit)
                if not isinstance(outcome, str):
                    return outcome
            assert self.key_url is not None
            # An ETag is that of one URL (RFC 9110 section 8.8.3).
            outcome, status = self._key_set(self.key_url, etag if self.has_keys else None, get, limit)
            if status in (404, 410) and self._may_ask(now) and self._ask(get, depth, min_lifetime, now) is None:
                newest = self.next_url or self.key_url
                outcome, _ = self._key_set(newest, None, get, limit)
            return outcome

    def judge(self, is_accepted: bool) -> None:
        """Records whether the key set that was fetched last is in use. Only then a new URL takes effect."""
        with self.lock:
            delivered, self.delivered = self.delivered, None
            if delivered is None:
                return
            if delivered == self.next_url:
                self.next_url = None
                if not is_accepted:
                    LOGGER.warning("the key set at the new jwks_uri of %s has no usable key; the earlier one stays in use", self.url)
                    return
                self.key_url = delivered
            self.has_keys |= is_accepted and delivered == self.key_url

    def _key_set(self, url: str, etag: str | None, get: Get, limit: int) -> tuple[Any, int | None]:
        outcome, status = get(url, etag, limit)
        if status == 304 and etag is None:
            return "bad-status", status
        if not isinstance(outcome, str):
            self.delivered = url
        return outcome, status

    def _may_ask(self, now: int) -> bool:
        # A clock that is set back counts as time that has passed.
        return self.asked_at is None or abs(now - self.asked_at) >= ASK_AGAIN

    def _ask(self, get: Get, depth: int, min_lifetime: int, now: int) -> str | None:
        """Fetches the document. Returns the name of a `fetch-error` if it is not used; the last one stays in use then."""
        self.asked_at = now
        outcome, _ = get(self.url, None, DOCUMENT_LIMIT)
        error = outcome if isinstance(outcome, str) else "bad-status" if outcome.body is None else None
        if error is None:
            try:
                key_url = self.jwks_uri(outcome.body, depth)
            except DocumentError as problem:
                LOGGER.warning("the discovery document %s is not used: %s", self.url, problem)
                return "refused"
            stated = getattr(outcome, "max-age")
            self.fetched_at, self.lifetime = now, min(LIFETIME, max(min_lifetime, LIFETIME if stated is None else stated))
            self.next_url = key_url if self.has_keys and key_url != self.key_url else None
            self.key_url = self.key_url if self.has_keys else key_url
        else:
            LOGGER.warning("the discovery document %s could not be fetched: %s", self.url, error)
        return error

    def jwks_uri(self, body: bytes, depth: int) -> str:
        """Checks a document, and returns the URL of its key set (Discovery sections 3 and 4.3)."""
        members = json_object(body, depth)
        for name in ("issuer", "jwks_uri"):
            if not isinstance(members.get(name), str):
                raise DocumentError("member")
        if members["issuer"] not in self.issuers:
            raise DocumentError("issuer-mismatch")
        url: str = members["jwks_uri"]
        host = host_in(url)
        is_plain_http = url[:5].lower() == "http:"
        if host is None or (is_plain_http and not (host in LOOPBACK and self.url.startswith("http:"))):
            raise DocumentError("jwks-uri")
        if host not in self.hosts:
            raise DocumentError("jwks-uri-host")
        return url


def host_in(url: str) -> str | None:
    """Returns the host of an `https` or `http` URL, in lower case. `None` if there is none, or if the URL could be read in two ways."""
    try:
        parts = urlsplit(url)
        parts.port  # Raises if it is no number.
    except ValueError:
        return None
    is_plain = URL.fullmatch(url) and not re.search(r"[#\\]", url) and re.fullmatch(r"[A-Za-z0-9.:\[\]-]+", parts.netloc)
    return parts.hostname if is_plain and parts.scheme in ("https", "http") else None


def json_object(body: bytes, depth: int) -> dict[str, Any]:
    """Parses one JSON object in UTF-8, nested at most `depth` levels deep, without members of the same name."""

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        if len(dict(pairs)) < len(pairs):
            raise DocumentError("duplicate-member")
        return dict(pairs)

    def no_constant(_: str) -> None:
        raise ValueError("NaN and Infinity are not JSON")

    try:
        value = json.loads(body.decode(), object_pairs_hook=unique, parse_constant=no_constant)
    except (ValueError, RecursionError):
        raise DocumentError("malformed") from None
    if not isinstance(value, dict) or depth_of(value, depth) > depth:
        raise DocumentError("malformed")
    return value


def depth_of(value: Any, limit: int) -> int:
    """Returns the number of levels of arrays and objects, or more than `limit`."""
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else None
    if inner is None:
        return 0
    return 1 + (max((depth_of(it, limit - 1) for it in inner), default=0) if limit > 0 else 0)
