"""`python -m pipeline.web`: serve the published folder, and what services and monitors call."""

import asyncio
import contextlib
import logging
import signal
import sys
import time

from starlette.routing import BaseRoute, Mount, Route

from pipeline.programs.ports import listen
from pipeline.runtime.logs import configure_logging
from pipeline.runtime.problems import explain, run_program
from pipeline.runtime.settings import Settings, load_settings
from pipeline.runtime.supervisor import Backoff
from pipeline.web.api.address import PAGE, PREFIX
from pipeline.web.api.until_asked import Api
from pipeline.web.application import Application, Below
from pipeline.web.invitations import PREFIX as INVITE
from pipeline.web.invitations import Invitations
from pipeline.web.receiver import open_here, receiving
from pipeline.web.static import Published

logger = logging.getLogger(__name__)


async def serve(settings: Settings, ends: asyncio.Event) -> None:
    """Serve both ports until `ends` is set; raises `LootwireError` if the port of the folder is taken.

    A failure on the receiver's port is logged and tried again, while the folder is served.
    """
    if settings.published.is_relative_to(settings.data_dir):
        # Else the published folder would bring it about, open to all.
        settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    published = Published(settings.published, settings.public_url, hubs=settings.websub_hubs)
    parts: list[BaseRoute] = [Mount("/", published)]
    if settings.api:
        api = Api(lambda: open_here(settings))
        invitations = Invitations(lambda: open_here(settings))
        parts = [Below(PREFIX, api), Route(PAGE, api), Below(INVITE, invitations), *parts]
    pages = Application(parts)
    listening = listen(settings.http_port, "LOOTWIRE_HTTP_PORT", host=settings.http_host)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(pages.serve(listening, ends))
        if settings.receiver_port:
            tasks.create_task(_receive(settings, ends))


async def _receive(settings: Settings, ends: asyncio.Event) -> None:
    backoff = Backoff()
    while not ends.is_set():
        began = time.monotonic()
        try:
            async with receiving(settings, lambda: open_here(settings)) as application:
                listening = listen(settings.receiver_port, "LOOTWIRE_RECEIVER_PORT", host=settings.http_host)
                await application.serve(listening, ends)
        except Exception as error:
            pause = backoff.after(time.monotonic() - began)
            if (problem := explain(error)) is None:
                logger.exception("webhooks and /health are not served; trying again in %.0f s", pause)
            else:
                logger.error("webhooks and /health are not served: %s; trying again in %.0f s", problem, pause)  # noqa: TRY400
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(pause):
                    await ends.wait()


async def _serve_until_signal(settings: Settings) -> None:
    ends = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, ends.set)
    await serve(settings, ends)


def main() -> None:
    """Serve until SIGTERM or Ctrl-C."""
    settings = load_settings().settings
    configure_logging(settings.log_level, form=settings.log_format)
    asyncio.run(_serve_until_signal(settings))


if __name__ == "__main__":
    sys.exit(run_program(main))
