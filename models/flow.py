"""The flow of data: sources, fetches, sightings, quarantine, events and pictures."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, BigId, Xid8


class Source(Base):
    """Something that is polled, with its health, its HTTP validators and the time of its next fetch.

    `lease_until` and `fence` let one worker at a time fetch it: a claim raises the fence, and only the holder of
    the newest fence may store.
    """

    __tablename__ = "sources"
    __table_args__ = (UniqueConstraint("name"),)

    id: Mapped[BigId]
    name: Mapped[str]
    service: Mapped[str]
    enabled: Mapped[bool] = mapped_column(server_default=text("true"))
    next_due_at: Mapped[datetime]
    lease_until: Mapped[datetime | None]
    fence: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    etag: Mapped[str | None]
    last_modified: Mapped[str | None]
    refresh_seconds: Mapped[int | None]
    # What a source needs to remember between fetches (CHZZK: the highest campaign number known).
    cursor: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'"))
    consecutive_failures: Mapped[int] = mapped_column(server_default=text("0"))
    failing_since: Mapped[datetime | None]
    changed_since: Mapped[datetime | None]
    # Since when it is stale, as an event says: no worker fetches it, or it gives only old answers.
    stale_since: Mapped[datetime | None]
    last_error: Mapped[str | None]
    last_success_at: Mapped[datetime | None]
    # Time of the newest snapshot that listed anything or was believed, by the service's clock where it gives the time.
    last_snapshot_at: Mapped[datetime | None]
    last_snapshot_digest: Mapped[bytes | None]
    first_fetched_at: Mapped[datetime | None]
    # Time of its first snapshot; null where a version before 0007 took that in.
    known_since: Mapped[datetime | None]
    # By day (ISO 8601, UTC): for how many seconds things were missing that came back on it, the last days only.
    returns: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'"))


class Heartbeat(Base):
    """When a worker last carried out a tick: the proof that beat, broker, worker and database work together."""

    __tablename__ = "heartbeats"

    name: Mapped[str] = mapped_column(primary_key=True)
    at: Mapped[datetime]


class Incident(Base):
    """Something that is wrong with the installation, or was lately: what operators hear of, once.

    `kind` is that of its events, `subject` tells it from others of its kind, `host` is the machine that it is on, or
    nothing. It is open until `recovered_at`, which is written when it was not seen for long enough; where it comes
    again soon, `flaps` counts that, and it has to be away for longer.
    """

    __tablename__ = "incidents"

    kind: Mapped[str] = mapped_column(primary_key=True)
    subject: Mapped[str] = mapped_column(primary_key=True)
    host: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str | None]
    reason: Mapped[str | None]
    since: Mapped[datetime]
    seen_at: Mapped[datetime]
    # How often it was seen since it began.
    times: Mapped[int]
    told_at: Mapped[datetime | None]
    recovered_at: Mapped[datetime | None]
    flaps: Mapped[int] = mapped_column(server_default=text("0"))


class FetchRun(Base):
    """One row per fetch: how it went, what it brought, how long it took."""

    __tablename__ = "fetch_runs"
    __table_args__ = (Index(None, "source_id", "started_at"), Index(None, "started_at"))

    id: Mapped[BigId]
    source_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("sources.id"))
    started_at: Mapped[datetime]
    seconds: Mapped[float]
    # ok, unchanged, late, quarantined, failed, gave way
    outcome: Mapped[str]
    snapshot_at: Mapped[datetime | None]
    size: Mapped[int | None]
    items: Mapped[int | None]
    changed: Mapped[int | None]
    invalid: Mapped[int | None]
    events: Mapped[int | None]
    error: Mapped[str | None]


class QuarantinedPayload(Base):
    """A payload, or one item of it, that could not be read or was not believed; kept with its reason."""

    __tablename__ = "quarantined_payloads"
    __table_args__ = (
        UniqueConstraint("source_id", "digest", "reason"),
        Index(None, "source_id", "last_seen_at"),
    )

    id: Mapped[BigId]
    source_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("sources.id"))
    digest: Mapped[bytes]
    # empty, shrunken, unreadable, invalid_item, too_many_invalid
    reason: Mapped[str]
    detail: Mapped[str]
    origin: Mapped[str]
    payload_gzip: Mapped[bytes]
    first_seen_at: Mapped[datetime]
    last_seen_at: Mapped[datetime]
    times_seen: Mapped[int] = mapped_column(server_default=text("1"))


class Sighting(Base):
    """One source's view of one thing: since when it is listed, the digest of its raw bytes, since when it is missing.

    `closed_at` is set once the thing is ended or withdrawn as far as this source knows, so that the steady state
    reads only the open ones.
    """

    __tablename__ = "sightings"
    __table_args__ = (Index("ix_sightings_open", "source_id", postgresql_where=text("closed_at IS NULL")),)

    source_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("sources.id"), primary_key=True)
    external_id: Mapped[str] = mapped_column(primary_key=True)
    digest: Mapped[bytes]
    # The game's external id, to recognise a group that came empty.
    group_id: Mapped[str | None]
    first_seen_at: Mapped[datetime]
    # Null while listed, also while only answers that are doubted miss it; else the last snapshot that had it.
    last_seen_at: Mapped[datetime | None]
    # In how many answers it was missed, as far as that matters; the first of them, and the last that counted.
    absent_count: Mapped[int] = mapped_column(server_default=text("0"))
    absent_since: Mapped[datetime | None]
    absent_counted_at: Mapped[datetime | None]
    closed_at: Mapped[datetime | None]


class Event(Base):
    """A fact that something changed; never updated, unique by `event_key`.

    `detail` holds everything a message or a feed item shows, so that neither changes when the catalogue does.
    `change_key` names the change without its time: it damps values that flap. A silent event is published, but
    no target is notified of it. One with a `person_id` is of that person's library, and nobody else hears of it; one
    that `is_private` is on no public feed or page. `xact` is the transaction that appended it: a reader that goes by it
    and by the id misses none that commits late (`pipeline.realtime`). It is 0 where it was there before.
    """

    __tablename__ = "events"
    __table_args__ = (
        UniqueConstraint("event_key"),
        Index(None, "occurred_at"),
        Index(None, "xact", "id"),
        Index(None, "game_id", "occurred_at"),
        Index(None, "channel_id", "occurred_at"),
        Index(None, "change_key", "occurred_at"),
        Index(None, "campaign_id"),
        Index(None, "reward_campaign_id"),
        Index("ix_events_person_id", "person_id", "id", postgresql_where=text("person_id IS NOT NULL")),
        # Whether a campaign is the first of its game or its organization.
        Index("ix_events_first_of_game", "game_id", "id", postgresql_where=text("kind = 'campaign.added'")),
        Index(
            "ix_events_first_of_organization",
            "organization_id",
            "id",
            postgresql_where=text("kind = 'campaign.added'"),
        ),
    )

    id: Mapped[BigId]
    kind: Mapped[str]
    event_key: Mapped[str]
    change_key: Mapped[str | None]
    occurred_at: Mapped[datetime]
    recorded_at: Mapped[datetime]
    title: Mapped[str]
    service: Mapped[str | None]
    source_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("sources.id"))
    campaign_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("drop_campaigns.id"))
    reward_campaign_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("reward_campaigns.id"))
    game_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("games.id"))
    organization_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("organizations.id"))
    channel_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("channels.id"))
    silent: Mapped[bool]
    person_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("people.id"))
    is_private: Mapped[bool] = mapped_column(server_default=text("false"))
    xact: Mapped[str] = mapped_column(Xid8(), server_default=text("pg_current_xact_id()"))
    detail: Mapped[dict[str, Any]]


class RealtimeState(Base):
    """The epoch in which cursors of the event log mean something: a single row.

    `cluster` is PostgreSQL's own name of where the database was when the epoch began. `published` is the cursor of what
    was last published to Redis.
    """

    __tablename__ = "realtime_state"
    __table_args__ = (CheckConstraint("id = 1", name="a_single_row"),)

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    epoch: Mapped[str]
    cluster: Mapped[str]
    published: Mapped[str | None]


class HeldChange(Base):
    """A change that damping holds back: something is other than the last event said, and an event is due to say so.

    `family` is that of its events, `subject` as their keys have it; `item` names what differs (a field, `channel:301`),
    and `announced` is its value by the last event, null where there was none. `silent` is what the event would have
    been. The row goes with the event that says how things stand, or when they are as announced again.
    """

    __tablename__ = "held_changes"
    __table_args__ = (Index(None, "family", "due_at"),)

    family: Mapped[str] = mapped_column(primary_key=True)
    subject: Mapped[str] = mapped_column(primary_key=True)
    item: Mapped[str] = mapped_column(primary_key=True)
    announced: Mapped[Any | None] = mapped_column(JSONB(none_as_null=True))
    silent: Mapped[bool]
    held_at: Mapped[datetime]
    due_at: Mapped[datetime]


class Picture(Base):
    """A picture that feeds or pages show, by its address, and its copy in the published folder.

    `path` is null while there is no copy. `next_due_at` is null once the picture is copied, or given up: then `error`
    says why.
    """

    __tablename__ = "pictures"
    __table_args__ = (
        UniqueConstraint("address"),
        Index("ix_pictures_due", "next_due_at", postgresql_where=text("next_due_at IS NOT NULL")),
    )

    id: Mapped[BigId]
    address: Mapped[str]
    # Below the published folder; its ending is that of its type.
    path: Mapped[str | None]
    size: Mapped[int | None]
    fetched_at: Mapped[datetime | None]
    attempts: Mapped[int] = mapped_column(server_default=text("0"))
    next_due_at: Mapped[datetime | None]
    error: Mapped[str | None]
    # Kept to the day: it need not move whenever something is written.
    last_wanted_at: Mapped[datetime]
