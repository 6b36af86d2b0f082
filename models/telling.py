"""Messages: targets, subscriptions with their keys, and the outbox of deliveries."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, BigId


class DeliveryState(StrEnum):
    """Where a delivery stands; `pending` covers one that waits for its next attempt, or is held.

    What became pointless while it was held is `dropped`; its `last_error` says why.
    """

    PENDING = "pending"
    SENDING = "sending"
    SENT = "sent"
    DEAD = "dead"
    DROPPED = "dropped"


class Target(Base):
    """A place to send a person's messages to: one Apprise URL, encrypted, and a label that may be shown.

    `timezone` is a name of the IANA database; a message about a release waits for its day there. `settings` is JSON
    of `notifiers.timing.settings.TargetSettings`. One whose `role` is `operator` hears how the installation is, without
    any subscription; `heartbeat_at` is when its last heartbeat was due. `origin` names the file of rules that it came
    from. `rests_until` is when the service wants the next message, where it asked for a rest. A target that is paused
    has a `disabled_at`; one that was removed stays, without its address, for what was sent to it.

    `due_at` is when to look for something to send, reckoned at `looked_at` from the deliveries (`notifiers.due`): null
    where nothing waits. A target `is_quick` that took its last message soon and has none that failed.
    `failures` counts messages that failed in a row; after some, nothing at all is tried until `broken_until`.
    """

    __tablename__ = "targets"
    __table_args__ = (
        Index("uq_targets_name", "person_id", "name", unique=True, postgresql_where=text("removed_at IS NULL")),
        Index("ix_targets_due", "is_quick", "due_at", "id", postgresql_where=text("disabled_at IS NULL")),
        Index(None, "looked_at"),
    )

    id: Mapped[BigId]
    person_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("people.id"), server_default=text("1"))
    name: Mapped[str]
    url_encrypted: Mapped[bytes]
    label: Mapped[str]
    timezone: Mapped[str] = mapped_column(server_default=text("'UTC'"))
    settings: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'"))
    role: Mapped[str | None]
    heartbeat_at: Mapped[datetime | None]
    origin: Mapped[str | None]
    created_at: Mapped[datetime]
    rests_until: Mapped[datetime | None]
    disabled_at: Mapped[datetime | None]
    removed_at: Mapped[datetime | None]
    due_at: Mapped[datetime | None]
    looked_at: Mapped[datetime | None]
    is_quick: Mapped[bool] = mapped_column(server_default=text("false"))
    failures: Mapped[int] = mapped_column(server_default=text("0"))
    broken_until: Mapped[datetime | None]


class Wake(Base):
    """A target that something may be due at sooner than its row says, as of a time.

    Triggers write it with every delivery that is new, or due sooner than before. It holds no lock that anybody else
    needs, so that a long transaction which appends events keeps nobody from sending.
    """

    __tablename__ = "wakes"

    id: Mapped[BigId]
    target_id: Mapped[int] = mapped_column(BigInteger)
    at: Mapped[datetime]


class Mute(Base):
    """A target that is told nothing until a time: nothing of a game where one is named, else nothing at all."""

    __tablename__ = "mutes"
    __table_args__ = (UniqueConstraint("target_id", "game_key", postgresql_nulls_not_distinct=True),)

    id: Mapped[BigId]
    target_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("targets.id", ondelete="CASCADE"))
    game: Mapped[str | None]
    game_key: Mapped[str | None]
    until: Mapped[datetime]
    created_at: Mapped[datetime]


class Subscription(Base):
    """A wish to hear of events at a target of a person, with a name that none of the person's others has.

    `conditions` is JSON of `notifiers.conditions.conditions.Conditions`; its keys stand in `subscription_keys`, and an
    exact subscription has no condition beside them. `origin` names the file of rules that it came from.
    """

    __tablename__ = "subscriptions"
    __table_args__ = (UniqueConstraint("person_id", "name"), Index(None, "target_id"))

    id: Mapped[BigId]
    person_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("people.id"), server_default=text("1"))
    target_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("targets.id", ondelete="CASCADE"))
    name: Mapped[str]
    conditions: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'"))
    is_exact: Mapped[bool]
    origin: Mapped[str | None]
    created_at: Mapped[datetime]


class SubscriptionKey(Base):
    """Something that an event must have for a subscription to want it: `campaign.added|game|rust`.

    An event is looked up by all the keys that it has; see `notifiers.conditions.keys`.
    """

    __tablename__ = "subscription_keys"
    __table_args__ = (Index(None, "subscription_id"),)

    key: Mapped[str] = mapped_column(primary_key=True)
    subscription_id: Mapped[int] = mapped_column(
        BigInteger, ForeignKey("subscriptions.id", ondelete="CASCADE"), primary_key=True
    )


class Delivery(Base):
    """One event for one target, whichever subscriptions asked for it; the row is the work.

    `lease_until` and `lease_token` belong to the worker that is sending it; when the lease runs out, another may.
    `unanswered` counts the attempts in which the target took the whole message and never answered. `held_for` says in a
    word what a delivery waits for that nobody has tried to send: `day`, `quiet`, `digest`, `burst`, `progress`, `mute`
    or `quota`.
    `asks_to_link` is set where its message says that the account is not linked.
    """

    __tablename__ = "deliveries"
    __table_args__ = (
        UniqueConstraint("event_id", "target_id"),
        Index(
            "ix_deliveries_due",
            "target_id",
            "next_attempt_at",
            "attempts",
            "event_id",
            postgresql_where=text("state = 'pending'"),
        ),
        Index("ix_deliveries_failed", "target_id", postgresql_where=text("state = 'pending' AND attempts > 0")),
        Index("ix_deliveries_sending", "target_id", postgresql_where=text("state = 'sending'")),
        Index("ix_deliveries_dead", "id", postgresql_where=text("state = 'dead'")),
        Index("ix_deliveries_dead_at", "target_id", "dead_at", postgresql_where=text("state = 'dead'")),
        Index(None, "target_id"),
    )

    id: Mapped[BigId]
    event_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("events.id"))
    target_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("targets.id", ondelete="CASCADE"))
    subscription_ids: Mapped[list[int]]
    state: Mapped[str] = mapped_column(server_default=text("'pending'"))
    created_at: Mapped[datetime]
    next_attempt_at: Mapped[datetime]
    attempts: Mapped[int] = mapped_column(server_default=text("0"))
    unanswered: Mapped[int] = mapped_column(server_default=text("0"))
    first_attempt_at: Mapped[datetime | None]
    lease_until: Mapped[datetime | None]
    lease_token: Mapped[str | None]
    sent_at: Mapped[datetime | None]
    # When it was given up; null where its target was removed, or a version before 0012 gave it up.
    dead_at: Mapped[datetime | None]
    held_for: Mapped[str | None]
    asks_to_link: Mapped[bool | None]
    last_error: Mapped[str | None]
