"""The program of EventSub: its threads bring messages in and keep the subscriptions."""

import logging
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from datetime import datetime, timedelta
from pathlib import Path
from typing import Self

from models.errors import LootwireError
from pipeline.channels.eventsub import keeper, source_row
from pipeline.channels.eventsub.close_codes import Backoff
from pipeline.channels.eventsub.conduit import ShardState
from pipeline.channels.eventsub.intake import Hints, Intake
from pipeline.channels.eventsub.keeper import Keeper, Route
from pipeline.channels.eventsub.listener import HELIX_DEADLINE, ConduitListener
from pipeline.channels.eventsub.lookup import PATIENCE, ImpatientLookUp
from pipeline.channels.eventsub.overseer import Overseer, Part
from pipeline.channels.eventsub.reader import Reader
from pipeline.channels.eventsub.secret import fingerprint, load_secret
from pipeline.channels.eventsub.timing import Timing
from pipeline.channels.eventsub.writer import Writer
from pipeline.database.ringing import Bell
from pipeline.fetch.http import Client
from pipeline.runtime.celery_app import hint, make_app
from pipeline.runtime.heartbeat import last_beat
from pipeline.runtime.runtime import Runtime, utc_now
from pipeline.runtime.wake import WakeListener
from pipeline.services.twitch.helix import Helix
from pipeline.services.twitch.helix_eventsub import Transport

logger = logging.getLogger(__name__)
PROGRAM = "eventsub"
RECEIVER = "receiver"
END_WITHIN = timedelta(seconds=5)
RECEIVER_FRESH = timedelta(seconds=60)


class Program:
    """Brings messages in, by websocket or by webhook as the settings have it. Use it as a context manager."""

    def __init__(
        self,
        runtime: Runtime,
        *,
        timing: Timing | None = None,
        backoff: Backoff | None = None,
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        settings, self._engine = runtime.settings, runtime.engine
        self._timing = timing or Timing()
        self._now = now
        self._app = make_app(runtime.redis_url)
        self._writer = Writer()
        self._health = source_row.Health(self._engine, now, unheard=[keeper.PART])
        self._webhook = _webhook(settings.eventsub_callback_url, settings.data_dir)
        flap = timedelta(seconds=settings.stream_flap_seconds)
        open_helix: Callable[[Client], Helix] = runtime.needed_helix
        self._clients = ExitStack()
        self._look_up = ImpatientLookUp(self._clients.enter_context(Client(deadline=PATIENCE, attempts=1)), open_helix)
        self.intake = Intake(self._engine, self._look_up, Hints(self._app), flap=flap, now=now, timing=self._timing)
        self.keeper = Keeper(
            self._engine,
            open_helix,
            settings.twitch_client_id or "",
            self._route,
            self._health,
            now=now,
            timing=self._timing,
            lost=self._lost,
            check=self._check_receiver,
        )
        self.listener = ConduitListener(
            self._engine,
            self._clients.enter_context(Client(deadline=HELIX_DEADLINE, attempts=2)),
            open_helix,
            self.intake,
            self._writer,
            self._health,
            ask=self.keeper.ask,
            poll=lambda: hint(self._app, "tick.fetch_due", expires=15),
            now=now,
        )
        self.reader = Reader(settings.eventsub_url, self.listener, self._leads, timing=self._timing, backoff=backoff)
        self._parts = [
            Part("teller", self._writer.run, lambda: self._writer.busy_since),
            Part("intake", self.intake.run, lambda: self.intake.seen_at),
            Part("keeper", self.keeper.run, lambda: self.keeper.seen_at),
        ]
        self._wake_listener = WakeListener(self._engine, Bell.EVENTSUB, self.intake.wake)
        if self._webhook is None:
            self._parts.append(Part("reader", self.reader.run, lambda: self.reader.seen_at))
        else:
            self._parts.append(Part("bell", self._wake_listener.run, lambda: self._wake_listener.seen_at))
        self.overseer = Overseer(self._engine, PROGRAM, self._parts, now=now, timing=self._timing)

    def __enter__(self) -> Self:
        source_row.open_source(self._engine, self._now())
        for part in self._parts:
            part.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """End the threads; one that does not within a moment is left behind, and its work is found in the rows."""
        self.reader.end()
        self._wake_listener.end()
        self.keeper.end()
        self.intake.end()
        self._writer.end()
        until = time.monotonic() + END_WITHIN.total_seconds()
        for part in self._parts:
            part.thread.join(max(until - time.monotonic(), 0))
        self.overseer.end()
        self._look_up.close()
        self._clients.close()
        self._app.close()

    def run_until(self, ends: threading.Event) -> None:
        """Look after the lead and the threads until `ends` is set; raises `Hung`."""
        while not ends.is_set():
            self.overseer.look()
            ends.wait(self._timing.lead.total_seconds())

    def _leads(self) -> bool:
        return self.overseer.leads

    def _route(self) -> Route | None:
        """Return how messages come to us now; None while they do not."""
        if not self.overseer.leads:
            return None
        if self._webhook is not None:
            return self._webhook
        session_id, conduit_id = self.reader.session_id, self.listener.conduit_id
        if session_id is None or conduit_id is None:
            return None
        return Route(transport=Transport(method="conduit", conduit_id=conduit_id), session_id=session_id)

    def _check_receiver(self) -> None:
        """Raise `LootwireError` if no receiver runs, which must answer when Twitch verifies a webhook."""
        if self._webhook is None:
            return
        last = last_beat(self._engine, RECEIVER)
        if last is None or self._now() - last > RECEIVER_FRESH:
            raise LootwireError("the receiver of webhooks does not run; see LOOTWIRE_RECEIVER_PORT")

    def _lost(self, session_id: str, state: ShardState) -> None:
        if not self.overseer.leads:
            return
        self.listener.lost(state)
        self.reader.break_off(session_id, f"our shard is {state}")


def _webhook(callback_url: str | None, data_dir: Path) -> Route | None:
    if callback_url is None:
        return None
    secret = load_secret(data_dir)
    transport = Transport(method="webhook", callback=callback_url, secret=secret.get_secret_value())
    return Route(transport=transport, secret=fingerprint(secret))
