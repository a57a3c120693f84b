"""An MCP server with one tool, for the tests: the application behind poolgate. It knows nothing of tokens.

Prints its port when it accepts connections, and ends with its standard input.
"""

import asyncio
import socket
import sys
import threading

import uvicorn
from mcp.server.mcpserver import MCPServer
from mcp.server.transport_security import TransportSecuritySettings

server = MCPServer("sums")


@server.tool()
def add(a: int, b: int) -> str:
    return str(a + b)


# The host of a request is that of the proxy.
security = TransportSecuritySettings(enable_dns_rebinding_protection=False)
protocol = server.streamable_http_app(transport_security=security)


async def application(scope, receive, send):
    """Serves the same tools at /mcp and /mcp/write. Reports a token that it should not have received."""
    if scope["type"] == "http":
        if any(name == b"authorization" for name, _ in scope["headers"]):
            print("a token reached the application", file=sys.stderr, flush=True)
            await send({"type": "http.response.start", "status": 500, "headers": []})
            await send({"type": "http.response.body", "body": b""})
            return
        scope = scope | {"path": "/mcp", "raw_path": b"/mcp"}
    await protocol(scope, receive, send)


async def main():
    running = uvicorn.Server(uvicorn.Config(application, log_level="warning"))
    listener = socket.create_server(("127.0.0.1", 0))

    def stop():
        sys.stdin.read()
        running.should_exit = running.force_exit = True

    threading.Thread(target=stop, daemon=True).start()
    print(f"port {listener.getsockname()[1]}", flush=True)
    await running.serve(sockets=[listener])


asyncio.run(main())
