"""`python -m pipeline.eventsub.serving`: serve webhooks and /health on 127.0.0.1 until the supervisor ends it."""

import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Self

import uvicorn

from pipeline import upkeep
from pipeline.eventsub import health, standing
from pipeline.eventsub.inbox import keep_all
from pipeline.eventsub.listener import note_revocation
from pipeline.eventsub.messages import Notification
from pipeline.eventsub.receiver import Kept, Receiver, make_application
from pipeline.eventsub.secret import load_secret
from pipeline.eventsub.teller import Teller
from pipeline.igdb.receiving import igdb_routes
from pipeline.logs import configure_logging
from pipeline.problems import explain, run_program
from pipeline.runtime import Runtime, open_runtime, utc_now
from pipeline.settings import load_settings
from pipeline.static_server import HOST

PROGRAM = "receiver"
VIA = "webhook"
BEAT_EVERY = 10.0
END_WITHIN = 3


class Serving:
    """The receiver with its threads; use it as a context manager, and let a server run `server()`."""

    def __init__(self, runtime: Runtime, *, now: Callable[[], datetime] = utc_now) -> None:
        settings = runtime.settings
        self._runtime = runtime
        self._engine = runtime.engine
        self._now = now
        self._streams = settings.twitch_client_id is not None and settings.twitch_client_secret is not None
        self._ends = threading.Event()
        self._teller = Teller()
        called_back = settings.eventsub_callback_url is not None and self._streams
        secret = load_secret(settings.data_dir) if called_back else None
        self._of_igdb = igdb_routes(self._engine, secret, now) if secret is not None else []
        self._receiver = Receiver(
            Kept(self._keep),
            lambda revocation: self._teller.put(lambda: note_revocation(self._engine, revocation, now)),
            self._health,
            secret=secret,
            now=now,
        )
        self._threads = [
            threading.Thread(target=self._beat, name="beat", daemon=True),
            threading.Thread(target=self._teller.run, name="teller", daemon=True),
        ]

    def __enter__(self) -> Self:
        if not self._streams:
            health.close_source(self._engine)
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ends.set()
        self._teller.end()
        for thread in self._threads:
            thread.join(END_WITHIN)

    def server(self, port: int) -> uvicorn.Server:
        """Return the server, to be run in the main thread."""
        config = uvicorn.Config(
            make_application(self._receiver, more=self._of_igdb),
            host=HOST,
            port=port,
            # Who asked what is for the web server in front to write down.
            access_log=False,
            log_config=None,
            log_level="warning",
            server_header=False,
            timeout_graceful_shutdown=END_WITHIN,
            lifespan="on",
        )
        return uvicorn.Server(config)

    def _keep(self, messages: Sequence[Notification]) -> None:
        keep_all(self._engine, messages, via=VIA, now=self._now())

    def _health(self) -> tuple[bool, Mapping[str, Any]]:
        return standing.look(self._engine, self._runtime.redis_url, self._now(), streams=self._streams)

    def _beat(self) -> None:
        while not self._ends.is_set():
            try:
                upkeep.beat(self._engine, self._now(), PROGRAM)
            except Exception as error:
                if explain(error) is None:
                    raise
            self._ends.wait(BEAT_EVERY)


def main() -> None:
    """Serve until SIGTERM or Ctrl-C."""
    settings = load_settings().settings
    configure_logging(settings.log_level)
    with Serving(open_runtime(settings)) as serving:
        serving.server(settings.receiver_port).run()


if __name__ == "__main__":
    sys.exit(run_program(main))
