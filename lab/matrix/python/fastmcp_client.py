"""FastMCP's client."""

import asyncio
import sys
from importlib.metadata import version

from calls import make_calls, report
from fastmcp import Client
from fastmcp.client.transports import SSETransport, StreamableHttpTransport


async def elicit(_message, response_type, _params, _context):
    return response_type(answer="blue")


async def sample(_messages, _params, _context) -> str:
    return "tides"


async def main(url: str, lane: str) -> None:
    progress: list[float] = []
    heard: list[str] = []

    async def on_progress(part: float, _total: float | None, _message: str | None) -> None:
        progress.append(part)

    async def on_log(message) -> None:
        heard.append(message.data)

    transport = SSETransport(url) if lane == "sse" else StreamableHttpTransport(url)
    async with Client(
        transport,
        elicitation_handler=elicit,
        sampling_handler=sample,
        progress_handler=on_progress,
        log_handler=on_log,
    ) as client:

        async def call(name: str, arguments: dict) -> str:
            return (await client.call_tool(name, arguments)).content[0].text

        sighting = {
            "version": version("fastmcp"),
            "tools": [tool.name for tool in await client.list_tools()],
            **await make_calls(call, asks=True, samples=True, heard=heard),
            "progress": progress,
        }
    report(sighting)


asyncio.run(main(*sys.argv[-2:]))
