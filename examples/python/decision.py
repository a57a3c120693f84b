"""The decision about a request."""

from __future__ import annotations

import json
import logging
import re
from dataclasses import dataclass, field
from typing import Union

from head import TOKEN
from poolgate import Claims


@dataclass(frozen=True)
class Remove:
    """Remove every header of this name, in any case."""

    name: str


@dataclass(frozen=True)
class Set:
    """Set this header to this value, and remove all others of its name. If the name is `:path`, set the path and the query."""

    name: str
    # A claim, a cookie or a query is nobody else's business.
    value: str = field(repr=False)


HeaderChange = Union[Remove, Set]
Headers = list[tuple[str, bytes]]


@dataclass(frozen=True)
class Admission:
    """Forward the request, after all changes have been made, in their order. **Without them, it has the headers that a client has forged.**

    `claims` is `None` if the route is public, if its token is optional and absent, or if the route only reports. `reported` is the reason for which
    the request would have been rejected, if the route only reports.
    """

    claims: Claims | None = field(repr=False)
    changes: list[HeaderChange]
    reported: str | None = None


@dataclass(frozen=True)
class Rejection:
    """Respond to the request; the application must not receive it. The headers are without `Content-Length`.

    `reason` is for logs and metrics: a reason code of docs/reasons.md, or one of docs/gate.md. `log` is a line for the operator's log, which names
    rules of the configuration. `grpc` has the status and the message of the gRPC response, if the client expects one: send them over HTTP/2 only.
    """

    status: int
    headers: Headers
    body: bytes
    reason: str
    log: str | None = None
    grpc: tuple[int, str] | None = None


@dataclass(frozen=True)
class Response:
    """Respond to the request, which asks for the metadata of the protected resource (RFC 9728). The headers are without `Content-Length`."""

    status: int
    headers: Headers
    body: bytes


Decision = Union[Admission, Rejection, Response]

# Claims are in ASCII. A cookie may have other characters, which stay; U+FFFD stands for bytes that were no text, and are lost.
CHANGED_VALUE = re.compile(r"[\t\x20-\x7e\u00a0-\ud7ff\ue000-\ufffc\U00010000-\U0010ffff]*")
LOGGER = logging.getLogger("poolgate")
TITLES = {400: "Bad Request", 431: "Request Header Fields Too Large", 503: "Service Unavailable"}


def undecided(reason: str, status: int = 503) -> Rejection:
    """The rejection of a request that the sandbox has not decided about, or whose decision can't be carried out."""
    headers = [("cache-control", b"no-store"), ("content-type", b"application/problem+json")]
    if status == 503:
        headers.append(("retry-after", b"1"))
    body = json.dumps({"title": TITLES[status], "status": status}, separators=(",", ":"))
    return Rejection(status, headers, body.encode(), reason)


def log(decision: Decision) -> None:
    """Logs what the operator must know (level warning and info), and the reason of each rejection (level debug)."""
    if isinstance(decision, Admission) and decision.reported is not None:
        LOGGER.info("a route that only reports admits a request: %s", decision.reported)
    if isinstance(decision, Rejection):
        LOGGER.debug("a request is rejected: %s %s", decision.status, decision.reason)
        if decision.log is not None:
            LOGGER.warning("%s", decision.log)


def is_possible(change: HeaderChange) -> bool:
    """Returns whether HTTP allows a change. If not, the request must be rejected."""
    if change.name == ":path":
        return isinstance(change, Set)
    return bool(TOKEN.fullmatch(change.name)) and (isinstance(change, Remove) or bool(CHANGED_VALUE.fullmatch(change.value)))


def sent(decision: Rejection | Response, method: str) -> tuple[int, Headers, bytes]:
    """Returns the status, the headers and the body of the response over HTTP."""
    allowed = [(name, value) for name, value in decision.headers if is_field(name, value)]
    if decision.status in (204, 304):
        return decision.status, allowed, b""
    # The response to HEAD has the length of the body, but not the body itself (RFC 9110 section 9.3.2).
    headers = [*allowed, ("content-length", str(len(decision.body)).encode())]
    return decision.status, headers, b"" if method.upper() == "HEAD" else decision.body


def is_field(name: str, value: bytes) -> bool:
    """The component writes no header that HTTP does not allow. A server would respond with 500 to one."""
    return bool(TOKEN.fullmatch(name)) and not any(byte < 0x20 and byte != 0x09 or byte == 0x7F for byte in value)
