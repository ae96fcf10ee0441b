"""The Python SDK, version 1 or 2: `sse_client` and the Streamable HTTP client, as the documentation uses them."""

import asyncio
import sys
from contextlib import asynccontextmanager
from importlib.metadata import version

from calls import make_calls, report
from mcp import ClientSession
from mcp.client import streamable_http
from mcp.client.sse import sse_client
from mcp.types import CreateMessageResult, ElicitResult, TextContent

# As a gateway adds it, or a user: on every request, the first included.
VERSION_HEADER = {"MCP-Protocol-Version": "2025-06-18"}


@asynccontextmanager
async def http_client(url: str, headers: dict[str, str] | None):
    if hasattr(streamable_http, "streamablehttp_client"):
        async with streamable_http.streamablehttp_client(url, headers=headers) as streams:
            yield streams
        return
    # Version 2 takes a client of httpx instead of its headers.
    from mcp.shared._httpx_utils import create_mcp_http_client

    async with (
        create_mcp_http_client(headers=headers) as client,
        streamable_http.streamable_http_client(url, http_client=client) as streams,
    ):
        yield streams


async def elicit(_context, _params) -> ElicitResult:
    return ElicitResult(action="accept", content={"answer": "blue"})


async def sample(_context, _params) -> CreateMessageResult:
    return CreateMessageResult(role="assistant", model="test", content=TextContent(type="text", text="tides"))


async def main(url: str, lane: str) -> None:
    progress: list[float] = []
    heard: list[str] = []
    headers = VERSION_HEADER if "version-header" in sys.argv else None

    async def on_progress(part: float, _total: float | None, _message: str | None) -> None:
        progress.append(part)

    async def on_log(params) -> None:
        heard.append(params.data)

    connect = sse_client if lane == "sse" else http_client
    async with connect(url, headers=headers) as streams:
        read, write = streams[0], streams[1]
        async with ClientSession(
            read, write, elicitation_callback=elicit, sampling_callback=sample, logging_callback=on_log
        ) as session:
            await session.initialize()

            async def call(name: str, arguments: dict) -> str:
                return (await session.call_tool(name, arguments, progress_callback=on_progress)).content[0].text

            sighting = {
                "version": version("mcp"),
                "tools": [tool.name for tool in (await session.list_tools()).tools],
                **await make_calls(call, asks=True, samples=True, heard=heard),
                "progress": progress,
            }
    report(sighting)


asyncio.run(main(*sys.argv[-2:]))
