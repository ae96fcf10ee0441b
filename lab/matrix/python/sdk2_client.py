"""The `Client` of the Python SDK 2, which negotiates the revision by itself."""

import asyncio
import sys
from importlib.metadata import version

from calls import make_calls, report
from mcp.client import Client
from mcp.client.sse import sse_client
from mcp.types import CreateMessageResult, ElicitResult, TextContent


async def elicit(_context, _params) -> ElicitResult:
    return ElicitResult(action="accept", content={"answer": "blue"})


async def sample(_context, _params) -> CreateMessageResult:
    return CreateMessageResult(role="assistant", model="test", content=TextContent(type="text", text="tides"))


async def main(url: str, lane: str) -> None:
    progress: list[float] = []
    heard: list[str] = []

    async def on_progress(part: float, _total: float | None, _message: str | None) -> None:
        progress.append(part)

    async def on_log(params) -> None:
        heard.append(params.data)

    server = sse_client(url) if lane == "sse" else url
    async with Client(
        server, elicitation_callback=elicit, sampling_callback=sample, logging_callback=on_log
    ) as client:

        async def call(name: str, arguments: dict) -> str:
            return (await client.call_tool(name, arguments, progress_callback=on_progress)).content[0].text

        sighting = {
            "version": version("mcp"),
            "tools": [tool.name for tool in (await client.list_tools()).tools],
            **await make_calls(call, asks=True, samples=True, heard=heard),
            "progress": progress,
        }
    report(sighting)


asyncio.run(main(*sys.argv[-2:]))
