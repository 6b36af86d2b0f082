"""The listener that the websocket's reader serves: it attaches our conduit, and gives the messages to the intake."""

import logging
from collections.abc import Callable
from datetime import datetime, timedelta

from sqlalchemy import Engine, update

from models import Source
from models.errors import LootwireError
from pipeline.channels.eventsub import source_row
from pipeline.channels.eventsub.conduit import ConduitGone, ShardState, attach, ensure_conduit
from pipeline.channels.eventsub.intake import Intake, Unread
from pipeline.channels.eventsub.messages import Notification, Revocation
from pipeline.channels.eventsub.writer import Writer
from pipeline.fetch.http import Client
from pipeline.services.twitch.helix import Helix

logger = logging.getLogger(__name__)
PART = "websocket"
# Attaching must be done within ten seconds of the welcome.
HELIX_DEADLINE = timedelta(seconds=4)
# Twitch does not repeat the messages of a time without a session: these sources see the state after it.
POLLING = "twitch.streams%"

OpenHelix = Callable[[Client], Helix]


class ConduitListener:
    """Implements `reader.Listener`. `ask` makes the keeper look at the subscriptions, `poll` wakes the pollers."""

    def __init__(
        self,
        engine: Engine,
        client: Client,
        open_helix: OpenHelix,
        intake: Intake,
        writer: Writer,
        well: source_row.Health,
        *,
        ask: Callable[[], object],
        poll: Callable[[], object],
        now: Callable[[], datetime],
    ) -> None:
        self._engine = engine
        self._open_helix = open_helix
        self._client = client
        self._intake = intake
        self._writer = writer
        self._health = well
        self._ask = ask
        self._poll = poll
        self._now = now
        self.conduit_id: str | None = None

    def prepare(self) -> None:
        """Find our conduit, or make one and remember it."""
        with self._engine.connect() as connection:
            remembered = source_row.load_memory(connection).conduit_id
        self.conduit_id = ensure_conduit(self._open_helix(self._client), remembered)
        if self.conduit_id != remembered:
            self._remember(self.conduit_id)

    def attach(self, session_id: str) -> None:
        """Let the conduit deliver to a session."""
        try:
            attach(self._open_helix(self._client), self.conduit_id or "", session_id)
        except ConduitGone:
            self._remember(None)
            raise

    def opened(self, *, anew: bool) -> None:
        """Say that all is well; where messages may have been missed, ask for subscriptions and polls."""
        self._writer.put(lambda: self._health.well(PART))
        if anew:
            self._ask()
            self._writer.put(self._catch_up)

    def failed(self, error: LootwireError, retry_in: timedelta) -> None:
        """Count a failure, of which the operator hears if it lasts."""
        self._writer.put(lambda: self._health.failed(PART, error, retry_in))

    def take(self, message: Notification | Unread) -> None:
        """Give a message to the intake."""
        self._intake.put(message)

    def revoked(self, revocation: Revocation) -> None:
        """Write the end of a subscription down, and ask for a look at all of them."""
        self._writer.put(lambda: note_revocation(self._engine, revocation, self._now))

    def lost(self, state: ShardState) -> None:
        """Act on the shard's state. A program that has taken it may keep it, with the conduit: we make another one."""
        if state in {"taken", "gone"}:
            logger.warning("our conduit is %s; there will be a new one", state, extra={"conduit": self.conduit_id})
            self._remember(None)

    def _remember(self, conduit_id: str | None) -> None:
        with self._engine.begin() as connection:
            source_row.remember(connection, conduit_id=conduit_id)

    def _catch_up(self) -> None:
        make_polls_due(self._engine, self._now())
        self._poll()


def make_polls_due(engine: Engine, now: datetime) -> None:
    """Make the sources of streams due now; one that fails, or has to wait, keeps its time."""
    sources = Source.name.like(POLLING), Source.enabled, Source.consecutive_failures == 0, Source.next_due_at > now
    with engine.begin() as connection:
        connection.execute(update(Source).where(*sources).values(next_due_at=now))


def note_revocation(engine: Engine, revocation: Revocation, now: Callable[[], datetime]) -> None:
    """Remember and log that Twitch has ended a subscription."""
    ended = revocation.subscription
    logger.warning("Twitch has ended a subscription", extra={"type": ended.type, "status": ended.status})
    with engine.begin() as connection:
        source_row.note_revocation(connection, ended, now())
