"""The installation that the tests of the tasks work with."""

import base64
import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import redis
from celery import Celery
from sqlalchemy import func, insert, select, text, update

from models import Base, Delivery, Event, Source
from notifiers.match import fan_out
from notifiers.subscriptions import add_subscription
from notifiers.targets import add_target
from pipeline.demo.sinks import WebhookSink
from pipeline.runtime.celery_app import QUEUES
from pipeline.runtime.runtime import Runtime, utc_now
from pipeline.services.twitch.account import sign_in
from pipeline.services.twitch.sign_in import Tokens, Viewer
from tasks import surroundings
from tests.twitch.dashboard import Grant


@dataclass(frozen=True)
class Hint:
    """A message in the broker."""

    task: str
    args: tuple[Any, ...]
    expires: datetime | None
    eta: datetime | None


class AtWork:
    """A runtime with its broker, and shortcuts for what tests read and change."""

    def __init__(self, runtime: Runtime, broker: redis.Redis, app: Celery) -> None:
        self.runtime = runtime
        self.engine = runtime.engine
        self.app = app
        self._broker = broker

    @staticmethod
    def reopen() -> None:
        """Let the tasks read their settings again at their next call."""
        if surroundings.sender.cache_info().currsize:
            surroundings.sender().finish()
            surroundings.sender.cache_clear()
        if surroundings.runtime.cache_info().currsize:
            surroundings.runtime().engine.dispose()
            surroundings.runtime.cache_clear()

    def hints(self, task: str | None = None) -> list[Hint]:
        """Return the messages that wait in the broker, only those of a task if it is named."""
        waiting = [_hint(raw) for queue in QUEUES for raw in self._broker.lrange(queue, 0, -1)]
        return [hint for hint in waiting if task in {None, hint.task}]

    def forget_hints(self) -> None:
        """Delete all messages from the broker, as a crash may."""
        self._broker.flushdb()

    def count(self, table: type[Base], *conditions: Any) -> int:
        """How many rows there are."""
        with self.engine.connect() as connection:
            return connection.scalar(select(func.count()).select_from(table).where(*conditions)) or 0

    def event_keys(self) -> list[str]:
        """The keys of all events, in order."""
        with self.engine.connect() as connection:
            return sorted(connection.scalars(select(Event.event_key)))

    def subscribe(self, hook: WebhookSink) -> None:
        """Subscribe a webhook to everything."""
        self.add_target(f"json{hook.url.removeprefix('http')}")

    def add_target(self, url: str, name: str = "hook") -> None:
        """Add a target with this address and subscribe it to everything."""
        with self.engine.begin() as connection:
            add_target(connection, self.runtime.vault, name, url, utc_now(), private=True)
            add_subscription(connection, name, utc_now())

    def append_event(self, title: str) -> None:
        """Append an event that all targets get."""
        now = utc_now()
        row: dict[str, Any] = {"kind": "campaign.added", "event_key": title, "title": title, "silent": False}
        row |= {"occurred_at": now, "recorded_at": now, "detail": {}}
        with self.engine.begin() as connection:
            event_id = connection.execute(insert(Event).values(row).returning(Event.id)).scalar_one()
            fan_out(connection, [event_id], now)

    def sign_in(self, granted: Grant) -> None:
        """Keep a sign-in at Twitch that was last validated an hour ago."""
        viewer = Viewer(granted.client_id, "lamplighter", "424242", granted.expires_in)
        tokens = Tokens(granted.access_token, granted.refresh_token)
        sign_in(self.engine, self.runtime.vault, tokens, viewer, utc_now() - timedelta(hours=1))

    def make_due(self, *names: str) -> None:
        """Make these sources due."""
        with self.engine.begin() as connection:
            connection.execute(update(Source).where(Source.name.in_(names)).values(next_due_at=utc_now()))

    def let_leases_pass(self) -> None:
        """Let the leases of all deliveries run out."""
        past = utc_now() - timedelta(seconds=1)
        with self.engine.begin() as connection:
            connection.execute(update(Delivery).where(Delivery.state == "sending").values(lease_until=past))

    def waits_for_a_lock(self) -> bool:
        """Return whether any process waits for a lock."""
        query = text(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
        )
        with self.engine.connect() as connection:
            return bool(connection.scalar(query))


def _hint(raw: bytes | str) -> Hint:
    message = json.loads(raw)
    headers = message["headers"]
    args, _, _ = json.loads(base64.b64decode(message["body"]))
    return Hint(headers["task"], tuple(args), _time(headers["expires"]), _time(headers["eta"]))


def _time(value: str | None) -> datetime | None:
    return datetime.fromisoformat(value) if value else None
