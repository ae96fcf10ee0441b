"""Pydantic AI: an agent whose model, played here, calls the tools of its MCP toolset."""

import asyncio
import sys
from importlib.metadata import version

from calls import make_calls, report
from fastmcp.client.transports import SSETransport, StreamableHttpTransport
from pydantic_ai import Agent, ModelResponse, TextPart, ToolCallPart
from pydantic_ai.mcp import MCPToolset
from pydantic_ai.messages import RetryPromptPart, ToolReturnPart
from pydantic_ai.models.function import FunctionModel


async def elicit(_message, response_type, _params, _context):
    return response_type(answer="blue")


async def sample(_messages, _params, _context) -> str:
    return "tides"


async def main(url: str, lane: str) -> None:
    progress: list[float] = []
    heard: list[str] = []
    names: list[str] = []

    async def on_progress(part: float, _total: float | None, _message: str | None) -> None:
        progress.append(part)

    async def on_log(message) -> None:
        heard.append(message.data)

    toolset = MCPToolset(
        SSETransport(url) if lane == "sse" else StreamableHttpTransport(url),
        elicitation_handler=elicit,
        sampling_handler=sample,
        progress_handler=on_progress,
        log_handler=on_log,
    )
    agent = Agent(toolsets=[toolset])

    async def call(name: str, arguments: dict) -> str:
        def play(messages, info) -> ModelResponse:
            names[:] = [tool.name for tool in info.function_tools]
            last = messages[-1].parts[-1]
            if isinstance(last, ToolReturnPart | RetryPromptPart):
                return ModelResponse(parts=[TextPart(str(last.content))])
            return ModelResponse(parts=[ToolCallPart(name, arguments)])

        return (await agent.run("Call it.", model=FunctionModel(play))).output

    async with agent:
        calls = await make_calls(call, asks=True, samples=True, heard=heard)
    report({"version": version("pydantic-ai-slim"), "tools": names, **calls, "progress": progress})


asyncio.run(main(*sys.argv[-2:]))
