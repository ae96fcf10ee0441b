"""FastMCP (Python) on Starlette under Uvicorn, over SSE. The port is the first argument."""

import sys

import uvicorn
from fastmcp import FastMCP

mcp = FastMCP("fastmcp-python")


@mcp.tool
def add(a: int, b: int) -> str:
    """Add two integers."""
    return str(a + b)


@mcp.tool
def echo(text: str) -> str:
    """Return the text."""
    return text


uvicorn.run(mcp.http_app(transport="sse", path="/sse"), host="127.0.0.1", port=int(sys.argv[1]), log_level="warning")
