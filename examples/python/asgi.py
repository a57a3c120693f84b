"""ASGI middleware that decides about each request with a gate. It works with every framework and server: Starlette, FastAPI, Django, uvicorn, hypercorn."""

from __future__ import annotations

from typing import Any, Awaitable, Callable, MutableMapping

from decision import Admission, Rejection, Response, Set, is_possible, log, sent, undecided
from gate import Gate
from head import RequestHead, host_of
from target import TargetError, has_prefix_header, new_query, path_of

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

# RFC 6455 section 11.3.4.
SUBPROTOCOLS = "sec-websocket-protocol"


class GateMiddleware:
    """Calls the application with the requests that the gate admits, changed as it says, and responds to all others.

    The claims of the token are at `scope["poolgate"]`, or `None` if the request has none. It must be outside of every router, and of everything that
    changes the path or the headers. `root_path` is the prefix of the application's paths, if the application has it in its own settings, such as
    `FastAPI(root_path=…)`; the rules of the file then have this prefix, too.
    """

    def __init__(self, app: Application, gate: Gate, *, root_path: str | None = None) -> None:
        # FastAPI serves `/api/admin` as `/admin` then, and the gate could choose another rule for it. In Quart, `root_path` is a folder.
        own = getattr(app, "root_path", "") if hasattr(app, "root_path_in_servers") else ""
        if own and own != root_path:
            raise ValueError(f"the application has a root_path: use GateMiddleware(app, gate, root_path={own!r})")
        self._app, self._gate, self._root_path = app, gate, root_path

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            return await self._app(scope, receive, send)
        if scope["type"] not in ("http", "websocket"):
            raise ValueError("the gate decides about HTTP requests and WebSockets only")
        if self._root_path is not None:
            scope = {**scope, "root_path": self._root_path}
        # A WebSocket begins with GET (RFC 6455 section 4.1).
        method = scope["method"] if scope["type"] == "http" else "GET"
        head = head_of(scope, method)
        decision = head if isinstance(head, Rejection) else await self._gate.decide_async(head)
        if isinstance(head, RequestHead) and isinstance(decision, Admission):
            changed = admitted(scope, head, decision)
            if changed is not None:
                log(decision)
                return await self._app(changed, receive, send)
        if isinstance(decision, Admission):
            # The application must not receive what a client could have forged.
            decision = undecided("sandbox-failed")
        log(decision)
        await (respond if scope["type"] == "http" else close)(scope, decision, method, receive, send)


def head_of(scope: Scope, method: str) -> RequestHead | Rejection:
    """Returns the head of a request as the gate reads it, or why it does not decide about it."""
    headers = [(bytes(name).decode("latin-1"), bytes(value)) for name, value in scope["headers"]]
    root, path = scope.get("root_path", ""), scope["path"]
    # As Starlette, Django and others do.
    rest = path[len(root) :] if path.startswith(root) else path
    if root and has_prefix_header([name for name, _ in headers]):
        return undecided("ambiguous-path", 400)
    raw = scope.get("raw_path")
    if raw is None and "\ufffd" in path:
        # The server has put it in place of bytes that are no text.
        return undecided("malformed-path", 400)
    try:
        if scope.get("subprotocols") and not any(name.lower() == SUBPROTOCOLS for name, _ in headers):
            # The server has moved them there: uvicorn with wsproto.
            headers.append((SUBPROTOCOLS, ", ".join(scope["subprotocols"]).encode("latin-1")))
        # Some clients of tests leave the query in it.
        text = path_of(None if raw is None else bytes(raw).partition(b"?")[0], root.encode(), rest.encode())
        query = bytes(scope.get("query_string", b"")).decode()
    except TargetError as error:
        return undecided(error.reason, 400)
    except UnicodeError:
        return undecided("malformed-path", 400)
    host = host_of([value for name, value in headers if name.lower() == "host"])
    return RequestHead(method, f"{text}?{query}" if query else text, host, headers)


def admitted(scope: Scope, head: RequestHead, admission: Admission) -> Scope | None:
    """Returns the scope for the application, or `None` if a change can't be made."""
    headers, query = [(name.lower(), value) for name, value in head.headers], None
    for change in admission.changes:
        if not is_possible(change):
            return None
        name = change.name.lower()
        if name == ":path":
            query = new_query(head, change.value) if isinstance(change, Set) else None
            if query is None:
                return None
            continue
        headers = [field for field in headers if field[0] != name]
        if isinstance(change, Set):
            headers.append((name, change.value.encode()))
    changed = {**scope, "headers": [(name.encode("latin-1"), value) for name, value in headers], "poolgate": admission.claims}
    if query is not None:
        changed["query_string"] = query.encode()
    if "subprotocols" in scope:
        # The server has read them from the headers. One of them may be the token.
        offered = b",".join(value for name, value in headers if name == SUBPROTOCOLS).decode("latin-1")
        changed["subprotocols"] = [each for each in map(str.strip, offered.split(",")) if each]
    return changed


async def respond(scope: Scope, decision: Rejection | Response, method: str, receive: Receive, send: Send) -> None:
    status, headers, body = sent(decision, method)
    if isinstance(decision, Rejection) and decision.grpc is not None and scope.get("http_version") == "2":
        code, message = decision.grpc
        status, body = 200, b""
        headers = [field for field in decision.headers if field[0] != "content-type"]
        headers += [("content-type", b"application/grpc"), ("grpc-status", str(code).encode()), ("grpc-message", message.encode())]
    fields = [(name.encode("latin-1"), value) for name, value in headers]
    await send({"type": "http.response.start", "status": status, "headers": fields})
    await send({"type": "http.response.body", "body": body})


async def close(scope: Scope, decision: Rejection | Response, method: str, receive: Receive, send: Send) -> None:
    """Refuses a WebSocket: with the response, if the server supports that, and otherwise with 403."""
    if (await receive())["type"] != "websocket.connect":
        return
    if "websocket.http.response" not in (scope.get("extensions") or {}):
        await send({"type": "websocket.close", "code": 1008})
        return
    status, headers, body = sent(decision, method)
    fields = [(name.encode("latin-1"), value) for name, value in headers]
    await send({"type": "websocket.http.response.start", "status": status, "headers": fields})
    await send({"type": "websocket.http.response.body", "body": body})
