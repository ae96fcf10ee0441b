"""FastMCP's client with its tasks, told what to do by lines of JSON on stdin."""

import asyncio
import json
import sys
import time

from fastmcp import Client
from fastmcp.exceptions import ToolError
from fastmcp_tasks.client import ToolTask, call_tool_task

# A call of at least this many milliseconds is a task by then. `call_tool_task` refuses what was answered before.
TASK_MS = 300
# How long it waits after a question that was cut, seconds.
AGAIN = 0.2


async def elicit(message, response_type, _params, _context):
    return response_type(n=message)


class Tasks:
    """One client. Its connection is opened again if a cut has ended it, as a program with a task must do."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.client: Client | None = None
        self.tasks: dict[str, ToolTask] = {}
        self.opening = asyncio.Lock()

    async def connected(self) -> Client:
        async with self.opening:
            if self.client is None or not self.client.is_connected():
                client = Client(self.url, elicitation_handler=elicit)
                await client.__aenter__()
                self.client = client
            return self.client

    async def begin(self, name: str, args: dict) -> dict:
        client = await self.connected()
        if name == "session" or args["ms"] < TASK_MS:
            return {"text": text_of(await client.call_tool(name, args))}
        task = await call_tool_task(client, name, args)
        self.tasks[task.task_id] = task
        return {"taskId": task.task_id}

    async def insist(self, task_id: str, ask, timeout: float):
        """What a cut ended is asked again: the client does not do so by itself."""
        ends_at = time.monotonic() + timeout
        while True:
            task = self.tasks[task_id]
            try:
                client = await self.connected()
                if task._client is not client:
                    task = ToolTask(client, task._tool_name, task.create_result)
                    self.tasks[task_id] = task
                return await ask(task)
            except ToolError:
                raise
            except Exception as error:
                if "may or may not" in str(error) or "Task not found" in str(error):
                    raise
                if time.monotonic() > ends_at:
                    raise TimeoutError(f"timed out, at last by {error!r}") from error
                await asyncio.sleep(AGAIN)

    async def do(self, asked: dict) -> dict:
        match asked["do"]:
            case "connect":
                await self.connected()
                return {}
            case "begin":
                return await self.begin(asked["name"], asked["args"])
            case "cancel":
                await self.insist(asked["taskId"], lambda task: task.cancel(), 10)
                return {}
            case "settle":
                try:
                    result = await self.insist(asked["taskId"], lambda task: task.result(), asked["timeoutMs"] / 1000)
                except ToolError as error:
                    if str(error).endswith("was cancelled"):
                        return {"text": "cancelled"}
                    raise
                return {"text": text_of(result)}
        raise ValueError(asked["do"])


def text_of(result) -> str:
    return result.content[0].text


async def main(url: str) -> None:
    tasks = Tasks(url)
    doing = set()

    async def answer(asked: dict) -> None:
        try:
            said = await asyncio.wait_for(tasks.do(asked), 60)
        except Exception as error:
            said = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps({"id": asked["id"], **said}), flush=True)

    while line := await asyncio.to_thread(sys.stdin.readline):
        task = asyncio.ensure_future(answer(json.loads(line)))
        doing.add(task)
        task.add_done_callback(doing.discard)
    # Its connection may be dead: nobody waits for its end.
    sys.stdout.flush()
    import os

    os._exit(0)


asyncio.run(main(sys.argv[1]))
