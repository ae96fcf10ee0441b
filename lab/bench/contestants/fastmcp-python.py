"""FastMCP (Python) on Starlette under Uvicorn, over SSE. The port is the first argument."""

import asyncio
import sys
from collections import Counter

import uvicorn
from fastmcp import Context, FastMCP

mcp = FastMCP("fastmcp-python")
counts = Counter()


@mcp.tool
def add(a: int, b: int) -> str:
    """Add two integers."""
    return str(a + b)


@mcp.tool
def echo(text: str) -> str:
    """Return the text."""
    return text


@mcp.tool
async def tell(parts: int, bytes: int, ctx: Context) -> str:
    """Tell so many parts."""
    for progress in range(1, parts + 1):
        await ctx.report_progress(progress, parts, "x" * bytes)
    return "told"


@mcp.tool(annotations={"idempotentHint": True})
async def wait(ms: int) -> str:
    """Take some time."""
    await asyncio.sleep(ms / 1000)
    return "waited"


@mcp.tool
def count(ctx: Context) -> str:
    """Count the calls of this session."""
    counts[ctx.session_id] += 1
    return str(counts[ctx.session_id])


uvicorn.run(mcp.http_app(transport="sse", path="/sse"), host="127.0.0.1", port=int(sys.argv[1]), log_level="warning")
