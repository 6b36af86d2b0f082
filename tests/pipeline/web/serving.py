"""Applications as real servers on free ports, in threads of the test."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractAsyncContextManager, contextmanager

from pipeline.programs.ports import HOST, listen
from pipeline.web.application import Application
from tests.waiting import wait_for


@contextmanager
def answering(opened: Callable[[], AbstractAsyncContextManager[Application]]) -> Iterator[str]:
    """Serve an application in a thread, opened in the loop that serves it; yield its address."""
    listening = listen(0, "a setting")
    address = f"http://{HOST}:{listening.getsockname()[1]}"
    ends = asyncio.Event()
    loops: list[asyncio.AbstractEventLoop] = []

    async def serve() -> None:
        async with opened() as application:
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
