"""The thread that keeps the subscriptions as we want them, and looks whether our conduit still delivers to us."""

import logging
import threading
import time
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

import msgspec
from sqlalchemy import Engine
from sqlalchemy.exc import OperationalError

from models.errors import LootwireError
from pipeline.channels.eventsub.conduit import ShardState, look_at_shard
from pipeline.channels.eventsub.reconcile import Wanted, wanted_for
from pipeline.channels.eventsub.source_row import Health, Memory, load_memory, remember
from pipeline.channels.eventsub.subscriptions import Reconciled, Settling, put_right
from pipeline.channels.eventsub.timing import Timing
from pipeline.channels.following.watched import SERVICE, watched
from pipeline.errors import SourceUnavailable
from pipeline.fetch.http import Client
from pipeline.ingest.service_time import present
from pipeline.runtime.problems import explain
from pipeline.services.twitch.helix import Helix
from pipeline.services.twitch.helix_eventsub import Transport

logger = logging.getLogger(__name__)
PART = "subscriptions"
TICK = 0.25
# Of channels that find no room so many ids are remembered; all of them are counted.
LEFT_OUT_KEPT = 200


class Route(msgspec.Struct, frozen=True, kw_only=True):
    """How messages come to us now. `session_id` is that of the websocket behind a conduit.

    `secret` is the fingerprint of the secret that webhooks are signed with.
    """

    transport: Transport
    session_id: str | None = None
    secret: str | None = None


class Keeper:
    """Looks after the subscriptions; `run` is the body of its thread.

    `route` returns how messages come now, None while they do not. `lost` is called with the state of the conduit's
    shard; `check` raises `LootwireError` where this is no time to subscribe.
    """

    def __init__(
        self,
        engine: Engine,
        open_helix: Callable[[Client], Helix],
        client_id: str,
        route: Callable[[], Route | None],
        health: Health,
        *,
        now: Callable[[], datetime],
        timing: Timing,
        lost: Callable[[str, ShardState], object] = lambda _session, _state: None,
        check: Callable[[], object] = lambda: None,
    ) -> None:
        self._engine = engine
        self._open_helix = open_helix
        self._client_id = client_id
        self._route = route
        self._health = health
        self._now = now
        self._timing = timing
        self._lost = lost
        self._check = check
        self._ends = threading.Event()
        self._asked = threading.Event()
        self._wanted: Sequence[Wanted] | None = None
        self._transport: Transport | None = None
        self._look_at = self._reconcile_at = self._shard_at = 0.0
        self._settling = Settling(timing.verified, timing.reconcile)
        self._is_failing = False
        self.seen_at = time.monotonic()

    def ask(self) -> None:
        """Make the thread look at all subscriptions now."""
        self._asked.set()

    def end(self) -> None:
        """Let `run` return after the request that is under way."""
        self._ends.set()
        self._asked.set()

    def run(self) -> None:
        """Work until the end."""
        with Client() as client:
            while not self._ends.is_set():
                self.seen_at = time.monotonic()
                self._asked.wait(TICK)
                route = self._route()
                if route is not None and not self._ends.is_set():
                    self._look_guarded(client, route)

    def _look_guarded(self, client: Client, route: Route) -> None:
        try:
            self._look(self._open_helix(client), route)
        except OperationalError as error:
            logger.warning("subscriptions are not looked at: %s", explain(error))
            self._pause(self._timing.retry)
        except LootwireError as error:
            logger.warning("subscriptions are not right: %s", error)
            self._fail(error, getattr(error, "retry_after", None))
        except Exception as error:
            logger.exception("subscriptions are not right")
            self._fail(LootwireError(f"subscriptions failed: {type(error).__name__}"), None)

    def _fail(self, error: LootwireError, retry_after: timedelta | None) -> None:
        pause = max(self._timing.retry, retry_after or timedelta(0))
        self._pause(pause)
        try:
            self._health.failed(PART, error, pause)
        except OperationalError as away:
            logger.warning("not written down: %s", explain(away))

    def _pause(self, pause: timedelta) -> None:
        self._asked.clear()
        self._wanted = None
        self._look_at = time.monotonic() + pause.total_seconds()

    def _look(self, helix: Helix, route: Route) -> None:
        now = time.monotonic()
        if self._asked.is_set() or route.transport != self._transport:
            self._asked.clear()
            self._transport, self._wanted = route.transport, None
            self._look_at = 0.0
        if now < self._look_at:
            return
        if route.session_id is not None and now >= self._shard_at:
            self._shard_at = now + self._timing.shard.total_seconds()
            self._look_at_shard(helix, route, route.session_id)
        self._look_at = now + min(self._timing.wanted, self._timing.shard).total_seconds()
        with self._engine.connect() as connection:
            channels = watched(connection, present(connection, SERVICE, self._now()))
            memory = load_memory(connection)
        wanted = wanted_for(channels, client_id=self._client_id, conduit=route.session_id is not None)
        if wanted != self._wanted or memory.is_asked or now >= self._reconcile_at:
            self._reconcile(helix, route, wanted, memory)
        if not self._is_failing:
            self._health.well(PART)

    def _look_at_shard(self, helix: Helix, route: Route, session_id: str) -> None:
        state = look_at_shard(helix, route.transport.conduit_id or "", session_id)
        if state != "ours":
            self._lost(session_id, state)

    def _reconcile(self, helix: Helix, route: Route, wanted: Sequence[Wanted], memory: Memory) -> None:
        began, trusted = self._now(), route.secret is None or route.secret == memory.secret
        self._check()
        done = put_right(helix, wanted, route.transport, trusted=trusted, go_on=lambda: self._goes_on(route))
        if not done.finished:
            return
        self._wanted = wanted
        # Our own address may still refuse a webhook's new subscriptions.
        unverified = route.transport.method == "webhook" and (done.created or done.plan.broken or done.pending)
        pause = self._settling.pause_after(time.monotonic(), settled=not (done.unlisted or unverified))
        self._reconcile_at = time.monotonic() + pause.total_seconds()
        self._write_down(route, wanted, done, began)
        self._judge(wanted, done, pause)

    def _judge(self, wanted: Sequence[Wanted], done: Reconciled, pause: timedelta) -> None:
        """Say that subscriptions fail where half of them are not there: polls go on, and see all but less soon."""
        lacking, reasons = len(done.unlisted), list(done.reasons)
        since = self._settling.since
        if done.pending and since is not None and time.monotonic() - since > self._timing.pending.total_seconds():
            lacking += done.pending
            reasons.append("Twitch has not verified our address")
        self._is_failing = lacking * 2 >= len(wanted) > 0
        if self._is_failing:
            counts = f"{lacking} of {len(wanted)} subscriptions are not there"
            error = SourceUnavailable(f"{counts}: {'; '.join(reasons)}. Streams are polled meanwhile")
            self._health.failed(PART, error, pause)

    def _goes_on(self, route: Route) -> bool:
        """Whether to go on with this round, which may take minutes."""
        self.seen_at = time.monotonic()
        current = self._route()
        return not self._ends.is_set() and current is not None and current.transport == route.transport

    def _write_down(self, route: Route, wanted: Sequence[Wanted], done: Reconciled, began: datetime) -> None:
        refused = set(_channels([*done.refused, *done.unlisted]))
        outside = list(dict.fromkeys([*_channels(done.left_out), *sorted(refused)]))
        with self._engine.begin() as connection:
            remember(
                connection,
                secret=route.secret,
                wanted=len(wanted),
                subscribed=done.subscribed,
                pending=done.pending,
                refused_total=len(refused),
                refusal=next(iter(done.reasons), None),
                left_out=outside[:LEFT_OUT_KEPT],
                left_out_total=len(outside),
                reconciled_at=began,
            )
        if done.created or done.deleted or outside:
            counts = {"wanted": len(wanted), "made": done.created, "deleted": done.deleted, "left_out": len(outside)}
            sentence = "subscriptions are not all there" if refused else "subscriptions are right"
            logger.log(logging.WARNING if outside else logging.INFO, sentence, extra=counts)


def _channels(lacking: Sequence[Wanted]) -> list[str]:
    """Return the ids of channels; the notice of a conduit has the application's id, which nothing polls."""
    return [channel_id for name, channel_id in (want.subject for want in lacking) if name == "broadcaster_user_id"]
