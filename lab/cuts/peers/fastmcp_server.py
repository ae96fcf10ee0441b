"""The calls of this lab in FastMCP's own server, under Uvicorn. The port is the first argument."""

import asyncio
import sys

import uvicorn
from fastmcp import Context, FastMCP

mcp = FastMCP("fastmcp")


@mcp.tool(name="countdown")
async def count(stepMs: int) -> str:
    await asyncio.sleep(60 * stepMs / 1000)
    return "Counted down from 60."


@mcp.tool
async def remember(key: str, value: str, ctx: Context) -> str:
    await ctx.set_state(key, value)
    return f"Remembered {key}."


@mcp.tool
async def recall(key: str, ctx: Context) -> str:
    return await ctx.get_state(key) or f"Nothing is remembered for {key}."


transport = sys.argv[2]
app = mcp.http_app(transport="sse" if transport == "sse" else "http", path=f"/{transport}")
uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[1]), log_level="warning")
