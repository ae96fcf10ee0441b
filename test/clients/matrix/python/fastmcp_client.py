"""FastMCP's client."""

import asyncio
import json
import sys
from importlib.metadata import version

from fastmcp import Client
from fastmcp.client.transports import SSETransport, StreamableHttpTransport


async def elicit(_message, response_type, _params, _context):
    return response_type(answer="blue")


async def sample(_messages, _params, _context) -> str:
    return "tides"


async def main(url: str, lane: str) -> None:
    progress: list[float] = []

    async def on_progress(part: float, _total: float | None, _message: str | None) -> None:
        progress.append(part)

    transport = SSETransport(url) if lane == "sse" else StreamableHttpTransport(url)
    async with Client(transport, elicitation_handler=elicit, sampling_handler=sample) as client:

        async def call(name: str, arguments: dict, **options) -> str:
            return (await client.call_tool(name, arguments, **options)).content[0].text

        sighting = {
            "version": version("fastmcp"),
            "tools": [tool.name for tool in await client.list_tools()],
            "sum": await call("add", {"a": 25, "b": 25}),
            "countdown": await call("countdown", {"from": 3, "stepMs": 50}, progress_handler=on_progress),
            "progress": progress,
            "answer": await call("ask", {"question": "Which colour?"}),
            "sampled": await call("sample", {"prompt": "What moves the sea?"}),
        }
    print(json.dumps(sighting))


asyncio.run(main(*sys.argv[-2:]))
