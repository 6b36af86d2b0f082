"""Rows for the tests of notifications, made with few words, and a clock that a test sets."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Engine, insert, select, update

from models import Channel, Delivery, Event, Game, Organization, Person, Target
from models.details import BenefitLine, DropLine, EventDetail, detail_to_json, detail_type
from models.names import name_key
from models.people import OWNER_ID
from models.vault import Vault
from notifiers import match, outbox, targets
from notifiers.deliver import DeliverySummary
from notifiers.subscriptions import add_subscription
from notifiers.view import EventText
from pipeline.demo.sinks import MailSink, WebhookSink
from tests.sending import deliver_due

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)

HOSTILE = (
    "@everyone @here <!channel> <@123> <script>alert(1)</script> <img src=x onerror=y> **bold** _it_ `code` ~~no~~ "
    "||spoiler|| [click](https://evil.example) &lt;b&gt; {{ 7*7 }} {% for %} \x00\x07\x1b[31m \u202ereversed \ud800 "
    "\r\nBcc: victim@example.org\u2028next \\"
)


@dataclass
class Notifying:
    """A database in which it is noon until a test moves the clock."""

    engine: Engine
    vault: Vault
    now: datetime = NOON
    _numbers: "itertools.count[int]" = field(default_factory=lambda: itertools.count(1))

    def clock(self) -> datetime:
        return self.now

    def later(self, **duration: float) -> None:
        self.now += timedelta(**duration)

    def target(
        self,
        name: str = "phone",
        url: str = "json://127.0.0.1:9/x",
        *,
        person_id: int = OWNER_ID,
        called: str | None = None,
        **subscription: Any,
    ) -> None:
        """Add a target that gets every event, or those that the subscription names, which may be `called` otherwise."""
        with self.engine.begin() as connection:
            targets.add_target(connection, self.vault, name, url, self.now, private=True, person_id=person_id)
        self.subscribe(name, name=called, person_id=person_id, **subscription)

    def subscribe(self, target: str = "phone", **subscription: Any) -> int:
        with self.engine.begin() as connection:
            return add_subscription(connection, target, self.now, **subscription).id

    def event(
        self,
        title: str = "New campaign",
        *,
        kind: str = "campaign.added",
        service: str | None = "twitch",
        game: str | None = None,
        organization: str | None = None,
        channel: str | None = None,
        former_logins: Sequence[str] = (),
        silent: bool = False,
        detail: EventDetail | None = None,
        game_id: int | None = None,
        person_id: int | None = None,
        is_private: bool = False,
    ) -> int:
        """Append an event, and put it into the outbox in the same transaction; returns its id."""
        number = next(self._numbers)
        with self.engine.begin() as connection:
            row = {
                "kind": kind,
                "event_key": f"key-{number}",
                "occurred_at": self.now,
                "recorded_at": self.now,
                "title": title,
                "service": service,
                "silent": silent,
                "detail": detail_to_json(detail or detail_type(kind)()),
                "game_id": game_id or self._game(connection, game, number),
                "person_id": person_id,
                "is_private": is_private or person_id is not None,
                "organization_id": self._organization(connection, organization, number),
                "channel_id": self._channel(connection, channel, former_logins, number),
            }
            event_id = connection.execute(insert(Event).values(row).returning(Event.id)).scalar_one()
            match.fan_out(connection, [event_id], self.now)
        return event_id

    def deliver(self, **options: Any) -> DeliverySummary:
        return deliver_due(self.engine, self.vault, self.clock, **options)

    def claim(self, limit: int = 1, lease_seconds: float = outbox.LEASE_SECONDS) -> list[outbox.ClaimedMessage]:
        with self.engine.begin() as connection:
            return outbox.claim(connection, self.now, lease_seconds, limit)

    def fail(
        self, claimed: outbox.ClaimedMessage, *, permanent: bool = False, unanswered: bool = False, jitter: float = 1.0
    ) -> int:
        with self.engine.begin() as connection:
            return outbox.settle_failed(
                connection,
                claimed,
                self.now,
                "HTTP 500",
                permanent=permanent,
                unanswered=unanswered,
                jitter=lambda: jitter,
            )

    def event_ids(self, target: str = "phone") -> list[int]:
        """The ids of the events in a target's outbox."""
        query = select(Delivery.event_id).join(Target).where(Target.name == target).order_by(Delivery.id)
        with self.engine.begin() as connection:
            return list(connection.scalars(query))

    def deliveries(self) -> list[Any]:
        """All rows of the outbox, the oldest first."""
        with self.engine.begin() as connection:
            return list(connection.execute(select(Delivery).order_by(Delivery.id)))

    def change_target(self, name: str, **values: Any) -> None:
        with self.engine.begin() as connection:
            connection.execute(update(Target).where(Target.name == name).values(values))

    def disable(self, person_id: int) -> None:
        """Have a person hear nothing until they are enabled again."""
        self._person(person_id, disabled_at=self.now)

    def enable(self, person_id: int) -> None:
        self._person(person_id, disabled_at=None)

    def _person(self, person_id: int, **values: Any) -> None:
        with self.engine.begin() as connection:
            connection.execute(update(Person).where(Person.id == person_id).values(values))

    def _game(self, connection: Any, name: str | None, number: int) -> int | None:
        if name is None:
            return None
        row = {"name": name, "name_key": name_key(name), "public_id": f"g{number}"}
        game_id: int = connection.execute(insert(Game).values(row).returning(Game.id)).scalar_one()
        return game_id

    def _organization(self, connection: Any, name: str | None, number: int) -> int | None:
        if name is None:
            return None
        row = {"service": "twitch", "external_id": str(number), "name": name, "name_key": name_key(name)}
        row["public_id"] = f"o{number}"
        added = insert(Organization).values(row).returning(Organization.id)
        organization_id: int = connection.execute(added).scalar_one()
        return organization_id

    def _channel(self, connection: Any, login: str | None, former: Sequence[str], number: int) -> int | None:
        if login is None:
            return None
        row = {
            "service": "twitch",
            "external_id": str(number),
            "login": login,
            "former_logins": list(former),
            "first_seen_at": self.now,
        }
        channel_id: int = connection.execute(insert(Channel).values(row).returning(Channel.id)).scalar_one()
        return channel_id


def hook_url(sink: WebhookSink, path: str = "/hook") -> str:
    """The Apprise URL of a web hook sink."""
    return sink.url.replace("http://", "json://") + path


def mail_url(sink: MailSink) -> str:
    """The Apprise URL of a mail sink."""
    return f"mailto://{sink.host}:{sink.port}/?from=lootwire@example.org&to=ann@example.org&mode=insecure"


def event_text(title: str = "New campaign", kind: str = "campaign.added", **detail: Any) -> EventText:
    """An event as the renderer takes it."""
    return EventText(kind=kind, title=title, occurred_at=NOON, service="twitch", detail=detail_type(kind)(**detail))


def full_event() -> EventText:
    """A campaign with every field that a message shows."""
    return event_text(
        "New drops: Rust 40",
        name="Rust 40",
        url="https://www.twitch.tv/drops/campaigns?dropID=a&x=1",
        account_link_url="https://id.example.org/link",
        game="Rust",
        organization="Facepunch",
        description="Watch and get loot.",
        start_at=NOON,
        end_at=NOON + timedelta(days=7),
        drops=(
            DropLine(name="Hat", required_minutes=60, benefits=(BenefitLine(name="Cool hat"),)),
            DropLine(name="Cap", required_minutes=240, benefits=(BenefitLine(name="Cap"),)),
            DropLine(required_subs=2, benefits=(BenefitLine(name="Coat"),)),
        ),
        channels_total=30,
        channels=("ann", "bob_b"),
    )
