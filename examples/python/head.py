"""The head of a request, and which heads are not passed to the sandbox."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

# The maximum length of a head, in bytes, and the maximum number of its header fields.
HEAD_LIMIT = 1024 * 1024
FIELD_LIMIT = 256
# RFC 9110 section 5.6.2.
TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
# RFC 9110 section 5.5, in ASCII.
FIELD_VALUE = re.compile(r"[\t\x20-\x7e]*")


@dataclass(frozen=True)
class RequestHead:
    """The head of a request, as the client sent it: nothing in it may have been decoded, merged or removed.

    `target` is the path and the query. `authority` is the host, with the port if it was sent, or `None` if there is not exactly one. `headers` are
    the names and the values of all fields, in their order, also of those that occur more than once.
    """

    method: str
    target: str = field(repr=False)
    authority: str | None = field(default=None, repr=False)
    headers: list[tuple[str, bytes]] = field(default_factory=list, repr=False)

    def fault(self) -> tuple[str, int] | None:
        """Returns the reason and the status of the rejection, if the sandbox is not asked about this head.

        Raises `TypeError` if a part has the wrong type.
        """
        method, target, authority, headers = self.method, self.target, self.authority, self.headers
        if not isinstance(method, str) or not isinstance(target, str) or not isinstance(authority, (str, type(None))):
            raise TypeError("the method and the target are strings, and the authority is a string or None")
        if len(headers) > FIELD_LIMIT or len(method) + len(target) + len(authority or "") > HEAD_LIMIT:
            return "head-too-large", 431
        if not all(isinstance(name, str) and isinstance(value, bytes) for name, value in headers):
            raise TypeError("a header is a pair of a string and bytes")
        if sum(len(name) + len(value) for name, value in headers) + len(method) + len(target) > HEAD_LIMIT:
            return "head-too-large", 431
        # A server or an application may take another text for a name. RFC 9110 section 5.1 allows nothing else.
        if not TOKEN.fullmatch(method) or not all(TOKEN.fullmatch(name) for name, _ in headers):
            return "malformed-head", 400
        # Python has strings that are no Unicode text (lone surrogates), which the sandbox does not accept.
        if not is_unicode(target):
            return "malformed-path", 400
        return None if authority is None or is_unicode(authority) else ("ambiguous-host", 400)


def host_of(fields: list[bytes], in_target: str | None = None) -> str | None:
    """Returns the authority: that of the target, or of the only field `Host`. `None` if there are several, or two that differ."""
    if len(fields) > 1:
        return None
    host = fields[0].decode("latin-1") if fields else None
    if host is not None and not FIELD_VALUE.fullmatch(host):
        return None
    if in_target is not None and host is not None and in_target.lower() != host.lower():
        return None
    return in_target if in_target is not None else host


def is_unicode(text: str) -> bool:
    """Returns whether a string has no lone surrogate."""
    try:
        text.encode()
        return True
    except UnicodeEncodeError:
        return False
