"""The Python SDK, version 1 or 2: `sse_client` and the Streamable HTTP client, as the documentation uses them."""

import asyncio
import json
import sys
from importlib.metadata import version

from mcp import ClientSession
from mcp.client import streamable_http
from mcp.client.sse import sse_client
from mcp.types import CreateMessageResult, ElicitResult, TextContent


def http_client(url: str):
    # Version 2 has the name without the underscore that version 1 deprecates.
    connect = getattr(streamable_http, "streamable_http_client", None) or streamable_http.streamablehttp_client
    return connect(url)


async def elicit(_context, _params) -> ElicitResult:
    return ElicitResult(action="accept", content={"answer": "blue"})


async def sample(_context, _params) -> CreateMessageResult:
    return CreateMessageResult(role="assistant", model="test", content=TextContent(type="text", text="tides"))


async def main(url: str, lane: str) -> None:
    progress: list[float] = []

    async def on_progress(part: float, _total: float | None, _message: str | None) -> None:
        progress.append(part)

    connect = sse_client if lane == "sse" else http_client
    async with connect(url) as streams:
        read, write = streams[0], streams[1]
        async with ClientSession(read, write, elicitation_callback=elicit, sampling_callback=sample) as session:
            await session.initialize()

            async def call(name: str, arguments: dict, **options) -> str:
                return (await session.call_tool(name, arguments, **options)).content[0].text

            sighting = {
                "version": version("mcp"),
                "tools": [tool.name for tool in (await session.list_tools()).tools],
                "sum": await call("add", {"a": 25, "b": 25}),
                "countdown": await call("countdown", {"from": 3, "stepMs": 50}, progress_callback=on_progress),
                "progress": progress,
                "answer": await call("ask", {"question": "Which colour?"}),
                "sampled": await call("sample", {"prompt": "What moves the sea?"}),
            }
    print(json.dumps(sighting))


asyncio.run(main(*sys.argv[-2:]))
