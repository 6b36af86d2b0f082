"""Messages: targets, subscriptions, and the outbox of deliveries."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import BigInteger, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, BigId


class DeliveryState(StrEnum):
    """Where a delivery stands; `pending` covers one that waits for its next attempt."""

    PENDING = "pending"
    SENDING = "sending"
    SENT = "sent"
    DEAD = "dead"


class Target(Base):
    """A place to send messages to: one Apprise URL, encrypted, and a label that may be shown.

    `timezone` is a name of the IANA database; a message about a release waits for its day there. `rests_until` is when
    the service wants the next message, where it asked for a rest. A target that is paused has a `disabled_at`; one that
    was removed stays, without its address, for what was sent to it.
    """

    __tablename__ = "targets"
    __table_args__ = (Index("uq_targets_name", "name", unique=True, postgresql_where=text("removed_at IS NULL")),)

    id: Mapped[BigId]
    name: Mapped[str]
    url_encrypted: Mapped[bytes]
    label: Mapped[str]
    timezone: Mapped[str] = mapped_column(server_default=text("'UTC'"))
    created_at: Mapped[datetime]
    rests_until: Mapped[datetime | None]
    disabled_at: Mapped[datetime | None]
    removed_at: Mapped[datetime | None]


class Subscription(Base):
    """A wish to hear of events at a target; every column that is null matches everything.

    Games, organizations and channels are wished for by name, so that one can subscribe before they are first seen.
    `kinds` holds kinds (`campaign.added`) and families (`campaign.*`).
    """

    __tablename__ = "subscriptions"
    __table_args__ = (Index(None, "target_id"),)

    id: Mapped[BigId]
    target_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("targets.id", ondelete="CASCADE"))
    kinds: Mapped[list[str] | None]
    service: Mapped[str | None]
    game: Mapped[str | None]
    game_key: Mapped[str | None]
    organization: Mapped[str | None]
    organization_key: Mapped[str | None]
    # The channel's login when the subscription was made.
    channel: Mapped[str | None]
    channel_key: Mapped[str | None]
    created_at: Mapped[datetime]


class Delivery(Base):
    """One event for one target, whichever subscriptions asked for it; the row is the work.

    `lease_until` and `lease_token` belong to the worker that is sending it; when the lease runs out, another may.
    `unanswered` counts the attempts in which the target took the whole message and never answered.
    """

    __tablename__ = "deliveries"
    __table_args__ = (
        UniqueConstraint("event_id", "target_id"),
        Index(
            "ix_deliveries_due",
            "target_id",
            "next_attempt_at",
            postgresql_where=text("state IN ('pending', 'sending')"),
        ),
        Index("ix_deliveries_dead", "id", postgresql_where=text("state = 'dead'")),
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
    last_error: Mapped[str | None]
