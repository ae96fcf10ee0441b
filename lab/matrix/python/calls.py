"""The calls that each client makes, and how it says what came of them."""

import asyncio
import json
from collections.abc import Awaitable, Callable

# What the server says after its answer to `later`, and for how many seconds to wait for it: far longer than it takes.
NEWS = "one more thing"
NEWS_PATIENCE = 10
# The revision without sessions, in which nothing can be said after an answer.
STATELESS = "2026-07-28"

Call = Callable[[str, dict], Awaitable[str]]


async def make_calls(
    call: Call, *, asks: bool = False, samples: bool = False, heard: list[str] | None = None
) -> dict:
    """`call` gives the text of a tool's result; an error that the tool gives may be raised.

    `heard` is where the client puts what log messages say, if it shows them.
    """
    seen = {
        "revision": await call("revision", {}),
        "sum": await call("add", {"a": 25, "b": 25}),
        "countdown": await call("countdown", {"from": 3, "stepMs": 50}),
        "later": await call("later", {}),
    }
    if heard is not None:
        if seen["revision"] != STATELESS:
            await _until_heard(heard)
        seen["heard"] = heard
    await _refusable(call("remember", {"key": "colour", "value": "green"}))
    seen["recalled"] = await _refusable(call("recall", {"key": "colour"}))
    if asks:
        seen["answer"] = await call("ask", {"question": "Which colour?"})
    if samples:
        seen["sampled"] = await call("sample", {"prompt": "What moves the sea?"})
    return seen


async def _refusable(call: Awaitable[str]) -> str:
    """Where nothing can be remembered the tool says so by an error, which most clients raise."""
    try:
        return await call
    except Exception as error:
        return str(error)


async def _until_heard(heard: list[str]) -> None:
    for _ in range(NEWS_PATIENCE * 50):
        if NEWS in heard:
            return
        await asyncio.sleep(0.02)


def report(sighting: dict) -> None:
    print(json.dumps(sighting))
