"""WSGI middleware that decides about each request with a gate. It works with every framework and server: Flask, Django, gunicorn, waitress, uWSGI."""

from __future__ import annotations

import re
from http import HTTPStatus
from typing import Any, Callable, Iterable

from decision import Admission, Rejection, Response, Set, is_possible, log, sent, undecided
from gate import Gate
from head import RequestHead, host_of
from target import TargetError, has_prefix_header, new_query, path_of

Environ = dict[str, Any]
StartResponse = Callable[..., Any]
Application = Callable[[Environ, StartResponse], Iterable[bytes]]

# Where servers put the target of the request line: gunicorn and Werkzeug; uWSGI, mod_wsgi and waitress.
RAW_TARGETS = ("RAW_URI", "REQUEST_URI")
# Fields without the prefix `HTTP_` (PEP 3333).
PLAIN = ("CONTENT_TYPE", "CONTENT_LENGTH")
# RFC 9112 section 3.2.2.
ABSOLUTE_FORM = re.compile(r"https?://([^/?#]*)(.*)", re.IGNORECASE | re.DOTALL)


class GateMiddleware:
    """Calls the application with the requests that the gate admits, changed as it says, and responds to all others.

    The claims of the token are at `environ["poolgate"]`, or `None` if the request has none. It must be outside of everything that changes the path
    or the headers. `script_name` is the prefix of the application's paths, if a trusted proxy sets it in a header: every request must have it.
    """

    def __init__(self, app: Application, gate: Gate, *, script_name: str | None = None) -> None:
        self._app, self._gate, self._script_name = app, gate, script_name

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        head = head_of(environ, self._script_name)
        decision = head if isinstance(head, Rejection) else self._gate.decide(head)
        if isinstance(head, RequestHead) and isinstance(decision, Admission):
            changed = admitted(environ, head, decision)
            if changed is not None:
                log(decision)
                return self._app(changed, start_response)
        if isinstance(decision, Admission):
            # The application must not receive what a client could have forged.
            decision = undecided("sandbox-failed")
        log(decision)
        status, headers, body = sent(decision, environ["REQUEST_METHOD"])
        start_response(f"{status} {phrase(status)}", [(name, value.decode("latin-1")) for name, value in headers])
        return [body] if body else []


def head_of(environ: Environ, script_name: str | None) -> RequestHead | Rejection:
    """Returns the head of a request as the gate reads it, or why it does not decide about it."""
    try:
        headers = [(field_name(key), value.encode("latin-1")) for key, value in environ.items() if is_field(key, value)]
        root, rest = (environ.get(key, "").encode("latin-1") for key in ("SCRIPT_NAME", "PATH_INFO"))
        raw, authority = raw_path(environ)
        query = environ.get("QUERY_STRING", "").encode("latin-1").decode()
    except UnicodeError:
        return undecided("malformed-head", 400)
    if script_name is not None:
        is_own_root = root == script_name.encode()
    else:
        # gunicorn takes `SCRIPT_NAME` from a header, and a client could choose the page with it.
        is_own_root = not root or not has_prefix_header([name for name, _ in headers])
    try:
        path = path_of(raw, root, rest)
    except TargetError as error:
        return undecided(error.reason, 400)
    if not is_own_root:
        return undecided("ambiguous-path", 400)
    host = host_of([value for name, value in headers if name == "host"], authority)
    return RequestHead(environ["REQUEST_METHOD"], f"{path}?{query}" if query else path, host, headers)


def raw_path(environ: Environ) -> tuple[bytes | None, str | None]:
    """Returns the path of the request line, and its authority if it has one."""
    target = next((environ[key] for key in RAW_TARGETS if environ.get(key)), None)
    if target is None:
        return None, None
    absolute = ABSOLUTE_FORM.fullmatch(target)
    authority, target = (absolute[1], absolute[2]) if absolute else (None, target)
    path = target.partition("?")[0]
    # RFC 9110 section 4.2.3: an empty path is `/`.
    return (path or "/" if absolute else path).encode("latin-1"), authority


def admitted(environ: Environ, head: RequestHead, admission: Admission) -> Environ | None:
    """Returns the environment for the application, or `None` if a change can't be made."""
    changed = {**environ, "poolgate": admission.claims}
    for change in admission.changes:
        if not is_possible(change):
            return None
        if change.name == ":path":
            query = new_query(head, change.value) if isinstance(change, Set) else None
            if query is None:
                return None
            changed["QUERY_STRING"] = query.encode().decode("latin-1")
            for key in RAW_TARGETS:
                if changed.get(key):
                    changed[key] = changed[key].partition("?")[0] + ("?" + changed["QUERY_STRING"] if query else "")
            continue
        # Several names are one variable, such as `X-User` and `X_User`.
        alike = [key for key in changed if is_field(key, changed[key]) and plain(field_name(key)) == plain(change.name)]
        for key in alike:
            del changed[key]
        if isinstance(change, Set):
            # PEP 3333: bytes as Latin-1.
            changed[key_of(change.name)] = change.value.encode().decode("latin-1")
    return changed


def is_field(key: str, value: Any) -> bool:
    return isinstance(value, str) and (key.startswith("HTTP_") or (key in PLAIN and value != ""))


def field_name(key: str) -> str:
    return (key if key in PLAIN else key[len("HTTP_") :]).replace("_", "-").lower()


def key_of(name: str) -> str:
    key = plain(name).upper()
    return key if key in PLAIN else "HTTP_" + key


def plain(name: str) -> str:
    """Returns the name as servers write it that make a variable of it (RFC 3875 section 4.1.18)."""
    return re.sub("[^0-9a-z]", "_", name.lower())


def phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Status"
