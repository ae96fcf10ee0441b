"""LangChain's adapters for Python."""

import asyncio
import sys
from importlib.metadata import version

from calls import make_calls, report
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

    report(
        {
            "version": version("langchain-mcp-adapters"),
            "tools": list(tools),
            **await make_calls(call, asks=True),
            "progress": progress,
        }
    )


asyncio.run(main(*sys.argv[-2:]))
