"""FastMCP's client, whose call is cut: URL, lane, mode, and the headers of its login as JSON."""

import asyncio
import json
import sys

from fastmcp import Client
from fastmcp.client.transports import SSETransport, StreamableHttpTransport

try:
    # With it, a client reads tasks.
    import fastmcp_tasks.client  # noqa: F401
except ImportError:
    pass


async def main(url: str, lane: str, mode: str, headers: str, arguments: str) -> None:
    transport = (SSETransport if lane == "sse" else StreamableHttpTransport)(url, headers=json.loads(headers))

    async def tried(call) -> str:
        try:
            return (await asyncio.wait_for(call, 40)).content[0].text
        except Exception as error:
            return f"failed: {type(error).__name__}: {error}"

    async with Client(transport, mode=mode) as client:
        said = {"revision": str(client.session.protocol_version)}
        await tried(client.call_tool("remember", {"key": "colour", "value": "green"}))
        said["recalled"] = await tried(client.call_tool("recall", {"key": "colour"}))
        print("calling", flush=True)
        said["cut"] = await tried(client.call_tool("countdown", json.loads(arguments)))
        print(json.dumps(said), flush=True)
        import os

        os._exit(0)


asyncio.run(main(*sys.argv[1:]))
