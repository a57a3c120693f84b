"""Calls a tool of an MCP server, and gets a token like any client of the official SDK: it discovers the authorization server.

The argument is a JSON object with `url` (of the MCP server), `mode` (of the SDK's client), `client_id`, and `token` (from an earlier session, or
null). Prints a JSON object with what the client has learned, or with `error`.
"""

import asyncio
import json
import sys
from urllib.parse import parse_qs, urlsplit

import httpx2
from mcp.client import Client
from mcp.client.auth import OAuthClientProvider
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.auth import AuthorizationCodeResult, OAuthClientInformationFull, OAuthClientMetadata, OAuthToken

REDIRECT_URI = "http://127.0.0.1:1/callback"


class Memory:
    """The storage of a client that was registered before, as with Cognito."""

    def __init__(self, client_id, token):
        registered = {"client_id": client_id, "redirect_uris": [REDIRECT_URI], "token_endpoint_auth_method": "none"}
        self.client = OAuthClientInformationFull.model_validate(registered)
        self.token = OAuthToken.model_validate(token) if token else None

    async def get_tokens(self):
        return self.token

    async def set_tokens(self, token):
        self.token = token

    async def get_client_info(self):
        return self.client

    async def set_client_info(self, client):
        self.client = client


class Browser:
    """Signs the user in: follows the authorization request, and returns the parameters of the redirect."""

    def __init__(self):
        self.requests = []
        self.location = None

    async def open(self, url):
        self.requests.append({name: values for name, values in parse_qs(urlsplit(url).query).items()})
        async with httpx2.AsyncClient(follow_redirects=False) as client:
            self.location = (await client.get(url)).headers["location"]

    async def come_back(self):
        parameters = {name: values[0] for name, values in parse_qs(urlsplit(self.location).query).items()}
        return AuthorizationCodeResult.model_validate(parameters)


async def main(url, mode, client_id, token):
    memory, browser, responses = Memory(client_id, token), Browser(), []

    async def note(response):
        responses.append([response.request.method, response.request.url.path, response.status_code])

    metadata = {"client_name": "test", "redirect_uris": [REDIRECT_URI], "token_endpoint_auth_method": "none"}
    provider = OAuthClientProvider(
        url, OAuthClientMetadata.model_validate(metadata), memory, browser.open, browser.come_back
    )
    result = {"tools": [], "text": None, "error": None}
    hooks = {"response": [note]}
    try:
        async with httpx2.AsyncClient(auth=provider, event_hooks=hooks, timeout=60) as http:
            async with Client(streamable_http_client(url, http_client=http), mode=mode) as client:
                result["tools"] = [tool.name for tool in (await client.list_tools()).tools]
                result["text"] = (await client.call_tool("add", {"a": 2, "b": 3})).content[0].text
    except BaseException as error:
        result["error"] = describe(error)
    resource = provider.context.protected_resource_metadata
    return result | {
        "responses": responses,
        "resource": resource.model_dump(mode="json", exclude_none=True) if resource else None,
        "authorization_requests": browser.requests,
        "token": memory.token.model_dump(mode="json") if memory.token else None,
    }


def describe(error):
    if isinstance(error, BaseExceptionGroup):
        return "; ".join(describe(inner) for inner in error.exceptions)
    return f"{type(error).__name__}: {error}"


print(json.dumps(asyncio.run(main(**json.loads(sys.argv[1])))))
