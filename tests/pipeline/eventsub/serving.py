"""The receiver as a real server on a free port, in a thread of the test."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import httpx

from pipeline.programs.web.ports import HOST, listen
from pipeline.programs.web.receiver import receiving
from pipeline.runtime import Runtime
from tests.waiting import wait_for


@contextmanager
def serving(runtime: Runtime) -> Iterator[str]:
    """The address of a receiver."""
    listening = listen(0, "LOOTWIRE_RECEIVER_PORT")
    address = f"http://{HOST}:{listening.getsockname()[1]}"
    ends = asyncio.Event()
    loops: list[asyncio.AbstractEventLoop] = []

    async def serve() -> None:
        async with receiving(runtime.settings, lambda: runtime) as application:
            loops.append(asyncio.get_running_loop())
            await application.serve(listening, ends)

    thread = threading.Thread(target=asyncio.run, args=(serve(),))
    thread.start()
    try:
        wait_for(lambda: bool(loops))
        yield address
    finally:
        loops[0].call_soon_threadsafe(ends.set)
        thread.join()


def post(url: str, message: tuple[dict[str, str], bytes]) -> httpx.Response:
    """Post a signed message."""
    headers, body = message
    return httpx.post(f"{url}/eventsub", headers=headers, content=body)
