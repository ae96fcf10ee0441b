"""The OpenAI Agents SDK: an agent whose model, played here, calls the tools of its MCP server."""

import asyncio
import json
import sys
from importlib.metadata import version

from agents import Agent, Model, ModelResponse, Runner, RunConfig, Usage
from agents.mcp import MCPServerSse, MCPServerStreamableHttp
from calls import make_calls, report
from openai.types.responses import ResponseFunctionToolCall, ResponseOutputMessage, ResponseOutputText


class ScriptedModel(Model):
    """Calls one tool, and says what it gave."""

    def __init__(self, name: str, arguments: dict) -> None:
        self.name = name
        self.arguments = json.dumps(arguments)

    async def get_response(self, *, input, **_options) -> ModelResponse:
        items = [] if isinstance(input, str) else input
        given = [item["output"] for item in items if item.get("type") == "function_call_output"]
        if not given:
            output = ResponseFunctionToolCall(
                type="function_call", call_id="1", name=self.name, arguments=self.arguments
            )
        else:
            said = ResponseOutputText(type="output_text", text=_text_in(given[-1]), annotations=[])
            output = ResponseOutputMessage(
                type="message", id="2", role="assistant", status="completed", content=[said]
            )
        return ModelResponse(output=[output], usage=Usage(), response_id=None)

    def stream_response(self, *_args, **_options):
        raise NotImplementedError


def _text_in(output) -> str:
    return output if isinstance(output, str) else output[0]["text"]


async def main(url: str, lane: str) -> None:
    connect = MCPServerSse if lane == "sse" else MCPServerStreamableHttp
    async with connect(params={"url": url}) as server:
        agent = Agent(name="matrix", mcp_servers=[server])

        async def call(name: str, arguments: dict) -> str:
            run = RunConfig(model=ScriptedModel(name, arguments), tracing_disabled=True)
            return str((await Runner.run(agent, "Call it.", run_config=run)).final_output)

        report(
            {
                "version": version("openai-agents"),
                "tools": [tool.name for tool in await server.list_tools()],
                **await make_calls(call),
            }
        )


asyncio.run(main(*sys.argv[-2:]))
