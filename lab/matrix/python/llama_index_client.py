"""LlamaIndex's tools from an MCP server."""

import asyncio
import sys
from importlib.metadata import version

from calls import make_calls, report
from llama_index.tools.mcp import BasicMCPClient, McpToolSpec
from mcp.types import CreateMessageResult, TextContent


async def sample(_context, _params) -> CreateMessageResult:
    return CreateMessageResult(role="assistant", model="test", content=TextContent(type="text", text="tides"))


async def main(url: str, _lane: str) -> None:
    # It tells the transport by the end of the path.
    client = BasicMCPClient(url, sampling_callback=sample)
    tools = {tool.metadata.name: tool for tool in await McpToolSpec(client).to_tool_list_async()}

    async def call(name: str, arguments: dict) -> str:
        return (await tools[name].acall(**arguments)).raw_output.content[0].text

    report(
        {
            "version": version("llama-index-tools-mcp"),
            "tools": list(tools),
            **await make_calls(call, samples=True),
        }
    )


asyncio.run(main(*sys.argv[-2:]))
