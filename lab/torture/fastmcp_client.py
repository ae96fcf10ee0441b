"""FastMCP's client with its tasks, told what to do by lines of JSON on stdin.

What FastMCP 4.1 leaves to a program that has a task, and this one does:

* Nothing that was cut is asked again, and the first POST that is cut ends the connection of its client: all that waits
  there is told "Connection closed". A connection is opened again here, and a task that is known is asked for again.
* The next connection costs a TLS context of its own (some 50 ms of CPU, also for http) and `server/discover`, while
  everything else waits: 16 cuts in a row took 16 s on a busy machine. Here it has those of the first one.
* `ToolTask.result` waits for as long as it takes, and 300 s for one answer. What is asked here says how long it may take.
"""

import asyncio
import json
import os
import ssl
import sys

import anyio
import httpx2
from fastmcp import Client
from fastmcp.exceptions import ToolError
from fastmcp_tasks.client import ToolTask, call_tool_task
from mcp import MCPError
from mcp_types import CONNECTION_CLOSED

# A call of at least this many milliseconds is a task by then. `call_tool_task` refuses what was answered before.
TASK_MS = 300
# How long it waits after a question that was cut, seconds.
AGAIN = 0.2
# What FastMCP says of a connection that ended, by CONNECTION_CLOSED and as a RuntimeError.
CLOSED = ("Connection closed", "SSE stream ended without a response")
ENDED = ("Client is not connected", "Session task completed unexpectedly")


def is_cut(error: BaseException | None) -> bool:
    """Whether it says that a connection has ended, and no more. An error that was answered is none, nor is silence."""
    if isinstance(error, MCPError):
        return error.code == CONNECTION_CLOSED and error.message in CLOSED
    if isinstance(error, httpx2.TransportError):
        return not isinstance(error, httpx2.TimeoutException)
    return isinstance(error, RuntimeError) and (str(error).startswith(ENDED) or is_cut(error.__cause__))


async def elicit(message, response_type, _params, _context):
    return response_type(n=message)


class Tasks:
    """One client, and the tasks that it knows of."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.client: Client | None = None
        self.tasks: dict[str, ToolTask] = {}
        self.opening = asyncio.Lock()
        self.tls = ssl.create_default_context()
        self.negotiated: dict = {}

    async def connected(self) -> Client:
        async with self.opening:
            if self.client is None or not self.client.is_connected():
                client = Client(self.url, elicitation_handler=elicit, verify=self.tls, **self.negotiated)
                await client.__aenter__()
                discovered = client.session.discover_result
                if discovered is not None:
                    self.negotiated = {"mode": client.protocol_version, "prior_discover": discovered}
                self.client = client
            return self.client

    async def begin(self, name: str, args: dict) -> dict:
        try:
            client = await self.connected()
            if name == "session" or args["ms"] < TASK_MS:
                return {"text": text_of(await client.call_tool(name, args))}
            task = await call_tool_task(client, name, args)
        except Exception as error:
            if is_cut(error):
                return {"cut": repr(error)}
            raise
        self.tasks[task.task_id] = task
        return {"taskId": task.task_id}

    async def insist(self, asked: dict, ask):
        """What a cut ended is asked again."""
        while True:
            try:
                return await ask(await self.task(asked["taskId"]))
            except Exception as error:
                if not is_cut(error):
                    raise
                asked["cuts"] = asked.get("cuts", 0) + 1
                await asyncio.sleep(AGAIN)

    async def task(self, task_id: str) -> ToolTask:
        """It belongs to a connection: once that has ended, to the next."""
        client = await self.connected()
        task = self.tasks[task_id]
        if task._client is not client:
            self.tasks[task_id] = task = ToolTask(client, task._tool_name, task.create_result)
        return task

    async def settle(self, asked: dict) -> dict:
        try:
            return {"text": text_of(await self.insist(asked, lambda task: task.result()))}
        except ToolError as error:
            if str(error).endswith("was cancelled"):
                return {"text": "cancelled"}
            raise

    async def do(self, asked: dict) -> dict:
        match asked["do"]:
            case "connect":
                await self.connected()
                return {}
            case "begin":
                return await self.begin(asked["name"], asked["args"])
            case "cancel":
                await self.insist(asked, lambda task: task.cancel())
                return {}
            case "settle":
                return await self.settle(asked)
        raise ValueError(asked["do"])


def text_of(result) -> str:
    return result.content[0].text


async def main(url: str) -> None:
    tasks = Tasks(url)
    doing = set()

    async def answer(asked: dict) -> None:
        said = {}
        with anyio.move_on_after(asked["timeoutMs"] / 1000) as bound:
            try:
                said = await tasks.do(asked)
            except Exception as error:
                said = {"error": f"{type(error).__name__}: {error}"}
        if bound.cancelled_caught:
            said = {"error": f"{asked['do']} timed out after {asked.get('cuts', 0)} cuts"}
        print(json.dumps({"id": asked["id"], **said}), flush=True)

    while line := await asyncio.to_thread(sys.stdin.readline):
        task = asyncio.ensure_future(answer(json.loads(line)))
        doing.add(task)
        task.add_done_callback(doing.discard)
    # Its connection may be dead: nobody waits for its end.
    sys.stdout.flush()
    os._exit(0)


asyncio.run(main(sys.argv[1]))
