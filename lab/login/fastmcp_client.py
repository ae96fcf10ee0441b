"""FastMCP's client, which opens a browser and waits for it by itself."""

import asyncio
import sys

from fastmcp import Client
from fastmcp.client.auth import OAuth
from fastmcp.client.transports import SSETransport, StreamableHttpTransport


async def main(url: str, lane: str) -> None:
    transport = SSETransport if lane == "sse" else StreamableHttpTransport
    async with Client(transport(url, auth=OAuth())) as client:
        result = await client.call_tool("add", {"a": 25, "b": 25})
    print(result.content[0].text)


asyncio.run(main(*sys.argv[-2:]))
