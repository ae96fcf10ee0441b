"""mcp-use: its client as it comes, and the LangChain tools that its agent uses."""

import asyncio
import os
import sys
from importlib.metadata import version

os.environ["MCP_USE_ANONYMIZED_TELEMETRY"] = "false"

from calls import make_calls, report
from mcp.types import CreateMessageResult, ElicitResult, TextContent
from mcp_use import MCPClient
from mcp_use.agents.adapters import LangChainAdapter


async def elicit(_context, _params) -> ElicitResult:
    return ElicitResult(action="accept", content={"answer": "blue"})


async def sample(_context, _params) -> CreateMessageResult:
    return CreateMessageResult(role="assistant", model="test", content=TextContent(type="text", text="tides"))


async def main(url: str, _lane: str) -> None:
    heard: list[str] = []

    async def on_log(params) -> None:
        heard.append(params.data)

    client = MCPClient(
        {"mcpServers": {"edge": {"url": url}}},
        elicitation_callback=elicit,
        sampling_callback=sample,
        logging_callback=on_log,
    )
    await client.create_all_sessions()
    adapter = LangChainAdapter()
    tools = {tool.name: tool for tool in await adapter.create_tools(client)}

    async def call(name: str, arguments: dict) -> str:
        return str(await tools[name].ainvoke(arguments))

    sighting = {
        "version": version("mcp-use"),
        "tools": list(tools),
        **await make_calls(call, asks=True, samples=True, heard=heard),
    }
    await client.close_all_sessions()
    report(sighting)


asyncio.run(main(*sys.argv[-2:]))
