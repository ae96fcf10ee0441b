"""Agno's MCP toolkit, whose functions are called as an agent calls them."""

import asyncio
import os
import sys
from importlib.metadata import version

os.environ["AGNO_TELEMETRY"] = "false"

from agno.tools.function import FunctionCall
from agno.tools.mcp import MCPTools
from calls import make_calls, report


async def main(url: str, lane: str) -> None:
    transport = "sse" if lane == "sse" else "streamable-http"
    async with MCPTools(url=url, transport=transport) as toolkit:

        async def call(name: str, arguments: dict) -> str:
            function_call = FunctionCall(function=toolkit.functions[name], arguments=arguments)
            outcome = await function_call.aexecute()
            return str(getattr(outcome.result, "content", outcome.result or outcome.error))

        report(
            {
                "version": version("agno"),
                "tools": list(toolkit.functions),
                **await make_calls(call),
            }
        )


asyncio.run(main(*sys.argv[-2:]))
