"""An installation that is looked after once a minute, by a clock and with programs that a test stops."""

import shutil
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from pydantic import SecretStr
from sqlalchemy import Engine, select, update

from models import Delivery, Event, Incident, Target
from models.details import CampaignDetail
from models.events import EventKind
from models.vault import Vault
from notifiers.settings import change_settings
from notifiers.subscriptions import add_subscription
from notifiers.targets import add_target
from notifiers.timing.settings import Digest
from pipeline.demo.sinks import WebhookSink
from pipeline.events.append import NewEvent, append_events
from pipeline.programs.operating.looking import PROGRAMS
from pipeline.programs.operating.minute import Minute, look_after
from pipeline.runtime import heartbeat
from pipeline.runtime.settings import Settings
from tests.sending import deliver_due

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


@dataclass
class Operated:
    """It is noon; the clock ticks, and all programs take up work but for those that are `stopped`."""

    engine: Engine
    vault: Vault
    settings: Settings
    now: datetime = NOON
    stopped: set[str] = field(default_factory=set)
    is_clock_doubted: bool = False
    # Whether all messages are taken as time passes, without a sender.
    takes_messages: bool = False
    _news: int = 0

    def clock(self) -> datetime:
        return self.now

    def look(self) -> Minute:
        """Look after it as the tick does."""
        return look_after(self.engine, self.settings, self.clock, is_clock_doubted=lambda: self.is_clock_doubted)

    def passes(self, span: timedelta) -> Minute:
        """Let time pass, in which the clock ticked and programs worked, and look."""
        self.now += span
        for program in (*PROGRAMS, heartbeat.CLOCK):
            if program not in self.stopped:
                heartbeat.beat(self.engine, self.now - timedelta(seconds=20), program)
        if self.takes_messages:
            with self.engine.begin() as connection:
                connection.execute(update(Delivery).values(state="sent", sent_at=self.now))
        return self.look()

    def was_off(self, span: timedelta) -> Minute:
        """Let time pass in which nothing ran, and look."""
        self.now += span
        minute = self.look()
        # The clock's own tick may come later than the look.
        heartbeat.beat_clock(self.engine, self.now)
        return minute

    def minutes(self, count: int) -> None:
        for _ in range(count):
            self.passes(MINUTE)

    def target(
        self, sink: WebhookSink | None = None, name: str = "admin", *, heartbeat: Digest | None = None, **options: Any
    ) -> None:
        """Add a target, an operator's unless its role is given."""
        url = f"json{sink.url.removeprefix('http')}" if sink else "json://127.0.0.1:9/x"
        options = {"role": "operator"} | options
        with self.engine.begin() as connection:
            add_target(connection, self.vault, name, url, self.now, private=True, **options)
            if heartbeat:
                change_settings(connection, name, {"heartbeat": heartbeat}, self.now)

    def subscribe(self, target: str, *kinds: str) -> None:
        with self.engine.begin() as connection:
            add_subscription(connection, target, self.now, kinds=kinds)

    def campaign(self) -> None:
        """Append an event for whoever subscribed to it."""
        self._news += 1
        detail = CampaignDetail(name=f"Week {self._news}")
        event = NewEvent(kind=EventKind.CAMPAIGN_ADDED, subject=str(self._news), occurred_at=self.now, detail=detail)
        with self.engine.begin() as connection:
            append_events(connection, [event], source_id=None, silent=False, now=self.now)

    def deliver(self) -> None:
        deliver_due(self.engine, self.vault, self.clock)

    def titles(self, target: str = "admin") -> list[str]:
        """The headlines of all that is in a target's outbox, the oldest first."""
        query = select(Event.title).join(Delivery).join(Target).where(Target.name == target).order_by(Delivery.id)
        with self.engine.connect() as connection:
            return list(connection.scalars(query))

    def block_publishing(self) -> None:
        """Let a file be where the published folder should be, which stops root too."""
        shutil.rmtree(self.settings.published, ignore_errors=True)
        self.settings.published.write_text("in the way")

    def let_publish(self) -> None:
        self.settings.published.unlink()

    def incidents(self) -> list[Any]:
        with self.engine.connect() as connection:
            return list(connection.execute(select(Incident)))


def operated(engine: Engine, vault: Vault, folder: Any, *, ping: str | None = None) -> Operated:
    """Return an installation whose clock has ticked for a long time."""
    (folder / "data").mkdir(exist_ok=True)
    settings = Settings(data_dir=folder / "data", ping_url=SecretStr(ping) if ping else None)
    world = Operated(engine, vault, settings)
    heartbeat.beat(engine, NOON - 30 * DAY, heartbeat.CLOCK_SINCE)
    for program in (*PROGRAMS, heartbeat.CLOCK):
        heartbeat.beat(engine, NOON, program)
    return world
