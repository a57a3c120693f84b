"""The target of a request: the path and the query, as the client sent them, if the server passes them on, and otherwise as the application sees them.

Three paths must be the same page, or the gate would decide about another page than the one that the application serves: the one in the request line
(`raw`), the one that the application takes for the prefix of its own address (`root`: `SCRIPT_NAME`, `root_path`), and the rest, by which it chooses the
page (`rest`). `root` and `rest` are decoded.

If the server does not pass the path of the request line on, `root` and `rest` are encoded again. Nothing is lost that a client could use. The
application has the decoded path only, so it can't tell `%2F` from `/` either, and serves the same page for both. A `%` of the decoded path is encoded
as `%25`, so `/%2561dmin`, decoded to `/%61dmin`, is `/%2561dmin` again; the component also reads it decoded once and twice, as it reads a
path that the client has encoded twice, and refuses it if that chooses another rule.
"""

from __future__ import annotations

from urllib.parse import quote_from_bytes, unquote_to_bytes

from head import RequestHead

# RFC 3986 section 3.3: the characters that may stand in a path as they are.
PATH_CHARACTERS = "/!$&'()*+,;=:@"
# Headers from which a server or a piece of middleware takes the prefix: see docs/paths.md.
PREFIX_HEADERS = ("script_name", "x_script_name")


class TargetError(Exception):
    """The gate can't decide about the target. `reason` is malformed-path or ambiguous-path."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def encoded(path: bytes) -> str:
    return quote_from_bytes(path, safe=PATH_CHARACTERS)


def path_of(raw: bytes | None, root: bytes, rest: bytes) -> str:
    """Returns the path that the gate decides about. Raises a `TargetError` if it is not clear which page the request is for.

    If only `root` was not in the request line, it is added, because the application serves the same page with and without it.
    """
    if root and rest and not rest.startswith(b"/"):
        # `/apiadmin` with the prefix `/api`: frameworks add the slash, and serve `/admin`.
        raise TargetError("ambiguous-path")
    if raw is None:
        return encoded(root + rest)
    decoded = unquote_to_bytes(raw)
    try:
        text = raw.decode()
        decoded.decode()
    except UnicodeDecodeError:
        # Servers put other characters in place of these bytes.
        raise TargetError("malformed-path") from None
    # waitress and wsgiref make one slash of several at the start, which the component does, too.
    one_slash = b"/" + decoded.lstrip(b"/") if decoded.startswith(b"/") else decoded
    if root + rest in (decoded, one_slash):
        return text
    if rest in (decoded, one_slash):
        return encoded(root) + text
    # Something between the server and the gate has changed the path.
    raise TargetError("ambiguous-path")


def has_prefix_header(head_names: list[str]) -> bool:
    """Returns whether a client may have set the prefix."""
    return any(name.lower().replace("-", "_").replace(".", "_") in PREFIX_HEADERS for name in head_names)


def new_query(head: RequestHead, target: str) -> str | None:
    """Returns the query of a changed target, or `None` if not only the query has changed, which no configuration asks for."""
    path, _, query = target.partition("?")
    return query if path == head.target.partition("?")[0] else None
