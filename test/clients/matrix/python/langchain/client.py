"""LangChain's adapters for Python."""

import asyncio
import json
import sys
from importlib.metadata import version

from langchain_mcp_adapters.callbacks import Callbacks
from langchain_mcp_adapters.client import MultiServerMCPClient
from mcp.types import ElicitResult


async def elicit(_context, _params, _callback_context) -> ElicitResult:
    return ElicitResult(action="accept", content={"answer": "blue"})


async def main(url: str, lane: str) -> None:
    progress: list[float] = []

    async def on_progress(part, _total, _message, _callback_context) -> None:
        progress.append(part)

    client = MultiServerMCPClient(
        {"edge": {"transport": "sse" if lane == "sse" else "streamable_http", "url": url}},
        callbacks=Callbacks(on_progress=on_progress, on_elicitation=elicit),
    )
    tools = {tool.name: tool for tool in await client.get_tools()}

    async def call(name: str, arguments: dict) -> str:
        return (await tools[name].ainvoke(arguments))[0]["text"]

    sighting = {
        "version": version("langchain-mcp-adapters"),
        "tools": list(tools),
        "sum": await call("add", {"a": 25, "b": 25}),
        "countdown": await call("countdown", {"from": 3, "stepMs": 50}),
        "progress": progress,
        "answer": await call("ask", {"question": "Which colour?"}),
    }
    print(json.dumps(sighting))


asyncio.run(main(*sys.argv[-2:]))
