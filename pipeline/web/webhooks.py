"""The webhooks of Twitch and IGDB, kept in the database as they come; imported only where a callback address is set."""

import logging
import threading
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Self

from starlette.routing import Route

from pipeline.channels.eventsub.inbox import keep_all, set_aside_unread
from pipeline.channels.eventsub.listener import note_revocation
from pipeline.channels.eventsub.messages import Notification
from pipeline.channels.eventsub.receiver import Kept, Receiver
from pipeline.channels.eventsub.secret import load_secret
from pipeline.channels.eventsub.writer import Writer
from pipeline.games.receiver import igdb_routes
from pipeline.runtime import heartbeat
from pipeline.runtime.problems import explain
from pipeline.runtime.runtime import Runtime, utc_now

logger = logging.getLogger(__name__)
# The receiver beats under this name; without its beat nothing is subscribed to, for Twitch would get no answer.
BEAT = "receiver"
VIA = "webhook"
BEAT_EVERY = 10.0
END_WITHIN = 3


class Webhooks:
    """The receivers with their threads; use it as a context manager while its `routes` are served."""

    def __init__(self, runtime: Runtime, *, now: Callable[[], datetime] = utc_now) -> None:
        self._engine = runtime.engine
        self._now = now
        self._ends = threading.Event()
        self._writer = Writer()
        secret = load_secret(runtime.settings.data_dir)
        receiver = Receiver(
            Kept(self._keep),
            lambda revocation: self._writer.put(lambda: note_revocation(self._engine, revocation, now)),
            lambda body, reason: self._writer.put(lambda: set_aside_unread(self._engine, body, reason, now())),
            secret=secret,
            now=now,
        )
        self.routes: Sequence[Route] = (receiver.route, *igdb_routes(self._engine, secret, now))
        self._threads = [
            threading.Thread(target=self._beat, name="beat", daemon=True),
            threading.Thread(target=self._writer.run, name="teller", daemon=True),
        ]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ends.set()
        self._writer.end()
        for thread in self._threads:
            thread.join(END_WITHIN)

    def _keep(self, messages: Sequence[Notification]) -> None:
        keep_all(self._engine, messages, via=VIA, now=self._now())

    def _beat(self) -> None:
        while not self._ends.is_set():
            try:
                heartbeat.beat(self._engine, self._now(), BEAT)
            except Exception as error:
                if explain(error) is None:
                    logger.exception("the receiver cannot show that it runs")
            self._ends.wait(BEAT_EVERY)
