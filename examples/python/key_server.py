"""Fetches a JWK Set over the network: the import `key-source` of wit/key-source.wit."""

from __future__ import annotations

import re
import urllib.error
import urllib.request
from email.message import Message
from typing import Any
from urllib.parse import urlsplit

from checks import record
from deadline import Deadline, Handler

TIMEOUT = 5.0
BODY_LIMIT = 262_144
LOOPBACK = ("localhost", "127.0.0.1", "::1")


class NoRedirects(urllib.request.HTTPRedirectHandler):
    """Treats a redirect as any other status that is not 200."""

    def redirect_request(self, *_: Any) -> None:
        return None


def is_allowed(url: str) -> bool:
    """Returns whether keys may be fetched from this URL: https, or http on this machine, which emulators use."""
    try:
        parts = urlsplit(url)
        return parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in LOOPBACK)
    except ValueError:
        return False


def fetch_keys(url: str, etag: str | None) -> Any:
    """Returns a `key-response`, or the name of a `fetch-error`. It never raises, and ends after `TIMEOUT` or soon after."""
    return get(url, etag)[0]


def get(url: str, etag: str | None, timeout: float = TIMEOUT, limit: int = BODY_LIMIT) -> tuple[Any, int | None]:
    """Like `fetch_keys`, with the status of the response, if there is one. `timeout` is in seconds, and `limit` in bytes."""
    try:
        with Deadline(timeout) as deadline:
            result = response_of(url, etag, deadline, timeout, limit)
        # What was read by then may be incomplete.
        return ("timed-out", None) if deadline.has_passed else result
    except Exception:
        return "unreachable", None


def response_of(url: str, etag: str | None, deadline: Deadline, timeout: float, limit: int) -> tuple[Any, int | None]:
    handlers: list[Any] = [NoRedirects(), Handler(deadline)]
    if urlsplit(url).hostname in LOOPBACK:
        # Ignores `http_proxy` and the like: a proxy has another loopback address, and could send other keys.
        handlers.append(urllib.request.ProxyHandler({}))
    request = urllib.request.Request(url, headers={"If-None-Match": etag} if etag else {})
    try:
        with urllib.request.build_opener(*handlers).open(request, timeout=timeout) as response:
            if response.status != 200:
                return "bad-status", response.status
            body = read(response, limit)
            return body if isinstance(body, str) else key_response(body, response.headers), response.status
    except urllib.error.HTTPError as error:
        with error:
            return key_response(None, error.headers) if error.code == 304 else "bad-status", error.code
    except TimeoutError:
        return "timed-out", None
    except Exception as error:
        is_late = isinstance(getattr(error, "reason", None), TimeoutError)
        return "timed-out" if is_late else "unreachable", None


def read(response: Any, limit: int) -> bytes | str:
    body = bytearray()
    while chunk := response.read1(16_384):
        body += chunk
        if len(body) > limit:
            return "too-large"
    # `length` is the number of bytes still missing when the connection ended, or `None` without `Content-Length`.
    return "unreachable" if response.length else bytes(body)


def key_response(body: bytes | None, headers: Message) -> Any:
    return record(body=body, max_age=max_age(headers), etag=headers.get("ETag"))


def max_age(headers: Message) -> int | None:
    """Returns the remaining freshness lifetime in seconds (RFC 9111 section 4.2), from `Cache-Control` and `Age`."""
    control = ",".join(headers.get_all("Cache-Control", [])).lower()
    if re.search(r"(^|[\s,])no-(store|cache)([\s,=]|$)", control):
        return 0
    match = re.search(r'(^|[\s,])max-age="?([0-9]{1,10})', control)
    if not match:
        return None
    age = headers.get("Age", "")
    return max(0, int(match[2]) - (int(age) if re.fullmatch("[0-9]{1,10}", age) else 0))
