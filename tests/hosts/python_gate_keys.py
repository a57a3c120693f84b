"""`python_gate_keys.py COMPONENT`: tests the keys of the gate of the example, with a server of keys and tokens of its own."""

import asyncio
import base64
import hashlib
import json
import math
import os
import random
import socket
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import key_server
from asgi import GateMiddleware
from gate import Admission, Gate, Guest, Rejection, RequestHead
from wsgi import GateMiddleware as WsgiMiddleware

NOW = 1_700_000_000
# The prefix of a SHA-256 hash in RSASSA-PKCS1-v1_5 (RFC 8017 section 9.2, note 1).
DIGEST_INFO = bytes.fromhex("3031300d060960864801650304020105000420")
# A candidate with a factor below 1,000 is not tested further.
SMALL_FACTORS = math.prod(range(3, 1000, 2))
DOCUMENT = "/.well-known/openid-configuration"


class Key:
    """An RSA key for tokens of these tests."""

    def __init__(self, kid: str) -> None:
        self.kid, p, q = kid, prime(), prime()
        self.n, self.d = p * q, pow(65537, -1, (p - 1) * (q - 1))
        self.jwk = {"kty": "RSA", "kid": kid, "alg": "RS256", "use": "sig", "n": encoded(number(self.n)), "e": "AQAB"}

    def token(self, **claims) -> str:
        payload = {"iss": origin, "sub": "a", "aud": "api", "iat": now - 60, "exp": now + 3540, "groups": ["readers"], **claims}
        text = ".".join(encoded(json.dumps(part).encode()) for part in ({"alg": "RS256", "kid": self.kid}, payload))
        suffix = b"\0" + DIGEST_INFO + hashlib.sha256(text.encode()).digest()
        message = b"\0\1" + suffix.rjust(254, b"\xff")
        return f"{text}.{encoded(number(pow(int.from_bytes(message, 'big'), self.d, self.n)))}"


def prime() -> int:
    """Returns a prime of 1,024 bits, such that a product of two has 2,048 (FIPS 186-5 appendix A.1.3)."""
    while True:
        candidate = random.getrandbits(1024) | 3 << 1022 | 1
        if math.gcd(candidate, SMALL_FACTORS) > 1 or candidate % 65537 == 1:
            continue
        if all(pow(base, candidate - 1, candidate) == 1 for base in (2, 3, 5, 7)):
            return candidate


def number(value: int) -> bytes:
    return value.to_bytes(256, "big")


def encoded(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


class KeyServer(BaseHTTPRequestHandler):
    """Counts the requests for each path, and holds its responses back while it has an event in `held`."""

    answers: dict[str, str] = {}
    asked: dict[str, int] = {}
    held: dict[str, threading.Event] = {}

    def do_GET(self) -> None:
        self.asked[self.path] = self.asked.get(self.path, 0) + 1
        if self.path in self.held and not self.held[self.path].wait(20):
            return
        body = self.answers.get(self.path, "").encode()
        self.send_response(200 if body else 404)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        try:
            self.wfile.write(body)
        except OSError:
            pass  # The gate did not wait.

    def log_message(self, *_) -> None:
        pass


def configuration(keys, **more) -> str:
    return json.dumps({
        "pools": [{"name": "main", "issuer": origin, "client_ids": ["api"], "token_use": "unchecked", "keys": keys}],
        "policies": [{"name": "admins", "claims": [{"claim": "groups", "any_of": ["admins"]}]}],
        "routes": [
            {"prefix": "/public", "public": True},
            {"prefix": "/reported", "authenticated": True, "report_only": True},
            {"prefix": "/api/admin", "any_of": ["admins"]},
            {"prefix": "/", "authenticated": True},
        ],
        "claims_to_headers": [{"claim": "sub", "header": "x-user"}],
        **more,
    })


def clock() -> float:
    if is_failing:
        raise RuntimeError("a clock that fails")
    return now


def made(keys, **more) -> Gate:
    return Gate(guest, configuration(keys, **more), clock=clock)


def get(target: str, token: "str | None" = None) -> RequestHead:
    return RequestHead("GET", target, "app.example.com", [("authorization", f"Bearer {token}".encode())] if token else [])


def rejection(decision) -> "tuple[int, str]":
    assert isinstance(decision, Rejection), decision
    return decision.status, decision.reason


def until(condition) -> None:
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.01)


def refused(text: str) -> str:
    try:
        Gate(guest, text)
    except ValueError as error:
        return str(error)
    raise AssertionError("it was taken")


def key_sets(*keys: Key) -> str:
    return json.dumps({"keys": [key.jwk for key in keys]})


is_failing, now = False, NOW
server = ThreadingHTTPServer(("127.0.0.1", 0), KeyServer)
server.daemon_threads = True
threading.Thread(target=server.serve_forever, daemon=True).start()
origin = f"http://127.0.0.1:{server.server_port}"
answers, asked, held = KeyServer.answers, KeyServer.asked, KeyServer.held
first, second = Key("first"), Key("second")
guest = Guest(sys.argv[1])

# Many waiters cause one fetch. An unknown key ID causes another one at once.
answers["/keys"], held["/keys"] = key_sets(first), threading.Event()
gate = made({"url": f"{origin}/keys"})
with ThreadPoolExecutor(8) as threads:
    waiting = [threads.submit(gate.decide, get("/", first.token())) for _ in range(8)]
    until(lambda: asked.get("/keys"))
    held["/keys"].set()
    assert {it.result().claims.subject for it in waiting} == {"a"}
assert asked["/keys"] == 1
answers["/keys"] = key_sets(first, second)
assert asyncio.run(gate.decide_async(get("/", second.token()))).claims.subject == "a"
assert asked["/keys"] == 2
third = Key("third")
assert rejection(gate.decide(get("/", third.token()))) == (401, "key-unknown")

# Each request has claims of its own, also those of a cached token.
same = get("/", first.token(sub="b"))
claims = gate.decide(same).claims
claims.payload["groups"].append("admins")
claims.groups.append("admins")
claims = gate.decide(same).claims
assert (claims.subject, claims.payload["groups"], claims.groups, claims.expires_at) == ("b", ["readers"], [], NOW + 3540)

# A trap is a rejection. The next instance fetches its keys again, and knows the claims of no token.
is_failing = True
assert rejection(gate.decide(same)) == (503, "sandbox-failed")
assert rejection(gate.decide(get("/public"))) == (503, "sandbox-failed")
assert rejection(asyncio.run(gate.decide_async(same))) == (503, "sandbox-failed")
is_failing, before = False, asked["/keys"]
assert gate.decide(same).claims.subject == "b"
assert asked["/keys"] == before + 1

# If the keys do not arrive in time, the request is decided without them. Some routes do not need them.
held["/held"] = threading.Event()
answers["/held"] = key_sets(first)
slow = made({"url": f"{origin}/held"}, limits={"wait_ms": 200, "waiting_requests": 2})
started = time.monotonic()
with ThreadPoolExecutor(8) as threads:
    decisions = list(threads.map(slow.decide, [get(it, first.token()) for it in ("/", "/reported", "/", "/public", "/")]))
assert [rejection(decisions[index]) for index in (0, 2, 4)] == [(503, "keys-unavailable")] * 3
assert (decisions[1].reported, decisions[1].claims, decisions[3].claims) == ("keys-unavailable", None, None)


async def cancelled() -> None:
    task = asyncio.create_task(slow.decide_async(get("/", first.token())))
    await asyncio.sleep(0.05)
    task.cancel()
    await asyncio.wait([task])
    assert task.cancelled()


# A request that goes away does not take its place with it, and does not end the fetch of the others.
for _ in range(3):
    asyncio.run(cancelled())
assert time.monotonic() - started < 5, "the wait has an end"
held["/held"].set()
slow.refresh_keys()
assert isinstance(slow.decide(get("/", first.token())), Admission)
assert asked["/held"] == 1

# A server that sends a byte now and then does not keep a thread.
dripping = socket.create_server(("127.0.0.1", 0))


def drip() -> None:
    connection, _ = dripping.accept()
    try:
        connection.sendall(b"HTTP/1.1 200 OK\r\nX-Long: ")
        while True:
            connection.sendall(b"a")
            time.sleep(0.05)
    except OSError:
        pass  # The gate has ended the connection.


threading.Thread(target=drip, daemon=True).start()
assert key_server.get(f"http://127.0.0.1:{dripping.getsockname()[1]}/", None, timeout=0.5) == ("timed-out", None)

# After a fork the child works, also if a thread of the parent was fetching: here, a discovery document.
answers[DOCUMENT] = json.dumps({"issuer": origin, "jwks_uri": f"{origin}/keys"})
held[DOCUMENT] = threading.Event()
discovered = made({"discover": True}, limits={"wait_ms": 10_000})
discovered.keep_keys_fresh()
until(lambda: asked.get(DOCUMENT))
child = os.fork()
if child == 0:
    decision = discovered.decide(get("/", first.token()))
    os._exit(0 if isinstance(decision, Admission) and decision.claims.subject == "a" else 1)
until(lambda: asked[DOCUMENT] == 2)
held[DOCUMENT].set()
assert os.waitpid(child, 0)[1] == 0, "the child of a fork does not get its keys"
assert isinstance(discovered.decide(get("/", first.token())), Admission)
discovered.close()

# A document that breaks a rule is not used.
for change in ({"issuer": f"{origin}/"}, {"jwks_uri": "https://evil.example/keys"}, {"jwks_uri": f"{origin}/keys#x"}, {"jwks_uri": 1}):
    answers[DOCUMENT] = json.dumps({"issuer": origin, "jwks_uri": f"{origin}/keys", **change})
    assert rejection(made({"discover": True}).decide(get("/", first.token()))) == (503, "keys-unavailable"), change

# A head that is too large does not reach the sandbox. What is no head is an error.
for headers in ([("x", b"a" * 1024 * 1024)], [("x", b"")] * 257):
    assert rejection(gate.decide(RequestHead("GET", "/public", None, headers))) == (431, "head-too-large")
assert rejection(gate.decide(get("/\ud800"))) == (400, "malformed-path")
assert rejection(gate.decide(RequestHead("GET", "/public", None, [("x y", b"")]))) == (400, "malformed-head")
every_byte = RequestHead("GET", "/", None, [("authorization", b"Bearer " + bytes(range(256)))])
assert rejection(gate.decide(every_byte)) == (401, "token-not-three-parts")
for head in (RequestHead("GET", 1), RequestHead("GET", "/", None, [("a", "b")])):  # type: ignore
    try:
        gate.decide(head)
    except TypeError:
        continue
    raise AssertionError("it was decided about")

# An invalid configuration is an error with its position.
routes = [{"prefix": "/", "metods": ["GET"], "public": True}]
assert refused(configuration({"url": f"{origin}/keys"}, routes=routes)).startswith('routes[0].metods: unknown field')
assert "https" in refused(configuration({"url": "http://keys.example.com/"}))
refused("{")
warned = made({"url": f"{origin}/keys"}, report_only=True)
assert warned.warnings and all(it.message for it in warned.warnings)
assert (warned.claim_headers, warned.forwards_tokens) == (["x-user"], True)


# The prefix of an application is a part of the path, also if the application has it in its own settings.
class Application:
    # As FastAPI has them. Other frameworks have a folder in `root_path`.
    root_path, root_path_in_servers = "", True

    async def __call__(self, scope, receive, send) -> None:
        names = {name: value for name, value in scope["headers"]}
        await send({"type": "http.response.start", "status": 200, "headers": [(b"x-seen", names.get(b"x-user", b""))]})
        await send({"type": "http.response.body", "body": b""})


def status_of(middleware: GateMiddleware, path: str) -> int:
    async def called() -> int:
        sent: list = []

        async def send(message) -> None:
            sent.append(message)

        headers = [(b"authorization", f"Bearer {first.token()}".encode()), (b"host", b"a")]
        scope = {"type": "http", "method": "GET", "path": path, "raw_path": path.encode(), "query_string": b"", "headers": headers}
        await middleware(scope, None, send)
        return sent[0]["status"]

    return asyncio.run(called())


application = Application()
assert [status_of(GateMiddleware(application, gate), path) for path in ("/admin", "/api/admin")] == [200, 403]
assert [status_of(GateMiddleware(application, gate, root_path="/api"), path) for path in ("/admin", "/api/admin", "/x")] == [403, 403, 200]
application.root_path = "/api"
try:
    GateMiddleware(application, gate)
    raise AssertionError("it was taken")
except ValueError as error:
    assert "root_path='/api'" in str(error)

# The application does not receive a token that was offered as a subprotocol of a WebSocket.
subprotocols: list = []


async def offered() -> None:
    location = {"header": "sec-websocket-protocol", "element_prefix": "bearer."}
    hidden = made({"url": f"{origin}/keys"}, tokens={"from": [location], "forward": False})
    protocols = ["chat", f"bearer.{first.token()}", "chat2"]
    scope = {"type": "websocket", "path": "/", "query_string": b"", "subprotocols": protocols}

    async def received(changed, *_) -> None:
        subprotocols.append(changed["subprotocols"])

    for headers in ([(b"sec-websocket-protocol", ", ".join(protocols).encode())], []):
        await GateMiddleware(received, hidden)({**scope, "headers": headers}, None, None)


asyncio.run(offered())
assert subprotocols == [["chat", "chat2"]] * 2, "a token was passed on"

# A client's variable that has the name of a claim header is not passed on, and the token stays if the configuration does not say otherwise.
environ = {"REQUEST_METHOD": "GET", "PATH_INFO": "/x", "HTTP_X_USER": "root", "HTTP_AUTHORIZATION": f"Bearer {first.token()}", "HTTP_HOST": "a"}
seen = WsgiMiddleware(lambda environ, _: [environ["HTTP_X_USER"].encode(), environ["poolgate"].subject.encode()], gate)(environ, None)
assert seen == [b"a", b"a"], seen
