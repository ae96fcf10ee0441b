"""The Python SDK, version 1 or 2: its `OAuthClientProvider`, and a browser that agrees."""

import asyncio
import sys
from contextlib import asynccontextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from urllib.parse import parse_qs, urlsplit
import webbrowser

from mcp import ClientSession
from mcp.client import streamable_http
from mcp.client.auth import OAuthClientProvider
from mcp.client.sse import sse_client
from mcp.shared.auth import OAuthClientMetadata


class Memory:
    """Where the SDK keeps its tokens and who it is."""

    def __init__(self) -> None:
        self.tokens = None
        self.client = None

    async def get_tokens(self):
        return self.tokens

    async def set_tokens(self, tokens) -> None:
        self.tokens = tokens

    async def get_client_info(self):
        return self.client

    async def set_client_info(self, client) -> None:
        self.client = client


class Callback:
    """The address that the browser is sent back to."""

    def __init__(self) -> None:
        self.query: dict[str, list[str]] = {}
        callback = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                callback.query = parse_qs(urlsplit(self.path).query)
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_arguments) -> None:
                pass

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/callback"

    async def wait(self):
        await asyncio.to_thread(self.server.handle_request)
        code, state, issuer = (self.query.get(name, [None])[0] for name in ("code", "state", "iss"))
        try:
            from mcp.client.auth import AuthorizationCodeResult
        except ImportError:
            return code, state
        return AuthorizationCodeResult(code=code, state=state, iss=issuer)


async def open_browser(url: str) -> None:
    webbrowser.open(url)


@asynccontextmanager
async def http_client(url: str, auth):
    if hasattr(streamable_http, "streamablehttp_client"):
        async with streamable_http.streamablehttp_client(url, auth=auth) as streams:
            yield streams
        return
    # Version 2 takes a client of httpx instead.
    from mcp.shared._httpx_utils import create_mcp_http_client

    async with (
        create_mcp_http_client(auth=auth) as client,
        streamable_http.streamable_http_client(url, http_client=client) as streams,
    ):
        yield streams


async def main(url: str, lane: str) -> None:
    callback = Callback()
    metadata = OAuthClientMetadata(
        client_name="Python SDK",
        redirect_uris=[callback.url],
        grant_types=["authorization_code", "refresh_token"],
        response_types=["code"],
        token_endpoint_auth_method="none",
    )
    auth = OAuthClientProvider(url, metadata, Memory(), open_browser, callback.wait)
    connect = sse_client if lane == "sse" else http_client
    async with connect(url, auth=auth) as streams, ClientSession(streams[0], streams[1]) as session:
        await session.initialize()
        result = await session.call_tool("add", {"a": 25, "b": 25})
    print(result.content[0].text)


asyncio.run(main(*sys.argv[-2:]))
