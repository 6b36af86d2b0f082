"""Read campaigns back as records, and write the differences that a comparison shows."""

import functools
import itertools
import operator
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import (
    ARRAY,
    BigInteger,
    Connection,
    DateTime,
    Select,
    Table,
    Update,
    and_,
    bindparam,
    func,
    select,
    tuple_,
)
from sqlalchemy.dialects.postgresql import Insert
from sqlalchemy.sql.dml import ReturningInsert

from models import (
    AllowedChannel,
    Channel,
    DropBenefitEdge,
    DropCampaign,
    Event,
    Game,
    GameExternalId,
    Organization,
    TimeBasedDrop,
)
from models.events import EventKind
from pipeline.catalogue.records import ChannelRecord, GameRecord, OrganizationRecord
from pipeline.catalogue.storing import TEXTS, store_channels, store_games, store_organizations
from pipeline.database.bulk import execute_rows, insert_rows, rows_as_table
from pipeline.drops.compare import CAMPAIGN_FIELDS, DROP_FIELDS, CampaignDiff
from pipeline.drops.records import BenefitRecord, CampaignRecord, DropRecord
from pipeline.drops.store.benefits import BENEFIT_FIELDS, BENEFITS, store_benefits
from pipeline.drops.store.deadlines import DEADLINES_VERSION

CAMPAIGNS: Table = DropCampaign.__table__  # type: ignore[assignment]
DROPS: Table = TimeBasedDrop.__table__  # type: ignore[assignment]
EDGES: Table = DropBenefitEdge.__table__  # type: ignore[assignment]
ALLOWED: Table = AllowedChannel.__table__  # type: ignore[assignment]

_IDS = func.any(bindparam("ids", type_=ARRAY(BigInteger)))
_EXTERNAL_IDS = func.any(bindparam("external_ids", type_=TEXTS))
_OF_SERVICE = and_(CAMPAIGNS.c.service == bindparam("service"), CAMPAIGNS.c.external_id == _EXTERNAL_IDS)
_KNOWN = select(CAMPAIGNS.c.external_id).where(_OF_SERVICE)
_OPEN = select(CAMPAIGNS.c.external_id, CAMPAIGNS.c.end_at).where(
    _OF_SERVICE, CAMPAIGNS.c.ended_at.is_(None), CAMPAIGNS.c.withdrawn_at.is_(None)
)
_GAME_EXTERNAL_ID = (
    select(func.min(GameExternalId.external_id))
    .where(GameExternalId.game_id == Game.id, GameExternalId.service == CAMPAIGNS.c.service)
    .scalar_subquery()
)
_RETURNED_AT = (
    select(func.max(Event.occurred_at))
    .where(Event.campaign_id == CAMPAIGNS.c.id, Event.kind == EventKind.CAMPAIGN_RETURNED)
    .scalar_subquery()
)
_CAMPAIGN = (
    select(
        CAMPAIGNS,
        _RETURNED_AT.label("returned_at"),
        Organization.external_id.label("organization_external_id"),
        Organization.name.label("organization_name"),
        _GAME_EXTERNAL_ID.label("game_external_id"),
        Game.name.label("game_name"),
        Game.box_art_url,
    )
    .outerjoin(Organization, Organization.id == CAMPAIGNS.c.organization_id)
    .outerjoin(Game, Game.id == CAMPAIGNS.c.game_id)
)
_BY_EXTERNAL_ID = _CAMPAIGN.where(_OF_SERVICE)
_BY_ID = _CAMPAIGN.where(CAMPAIGNS.c.id == _IDS)
_BENEFIT_NAMES = ("external_id", *BENEFIT_FIELDS)
_DROPS_OF = (
    select(
        DROPS.c.id,
        DROPS.c.campaign_id,
        DROPS.c.external_id,
        *[DROPS.c[name] for name in DROP_FIELDS],
        EDGES.c.entitlement_limit,
        *[BENEFITS.c[name].label(f"benefit_{name}") for name in _BENEFIT_NAMES],
    )
    .outerjoin(EDGES, and_(EDGES.c.drop_id == DROPS.c.id, EDGES.c.last_seen_at.is_(None)))
    .outerjoin(BENEFITS, BENEFITS.c.id == EDGES.c.benefit_id)
    .where(DROPS.c.campaign_id == _IDS, DROPS.c.last_seen_at.is_(None))
    .order_by(DROPS.c.id, EDGES.c.benefit_id)
)
_STEPS_OF = (
    select(DROPS.c.campaign_id, DROPS.c.external_id, *[DROPS.c[name] for name in DROP_FIELDS])
    .where(DROPS.c.campaign_id == _IDS, DROPS.c.last_seen_at.is_(None))
    .order_by(DROPS.c.id)
)
# As arrays: a row for each of the thousands of channels that a campaign may name costs twice as much.
_CHANNELS_OF = (
    select(
        ALLOWED.c.campaign_id,
        func.array_agg(Channel.external_id),
        func.array_agg(Channel.login),
        func.array_agg(Channel.display_name),
    )
    .join(Channel, Channel.id == ALLOWED.c.channel_id)
    .where(ALLOWED.c.campaign_id == _IDS, ALLOWED.c.last_seen_at.is_(None))
    .group_by(ALLOWED.c.campaign_id)
)
_ENDED = (
    CAMPAIGNS.update()
    .values(ended_at=CAMPAIGNS.c.end_at, last_seen_at=CAMPAIGNS.c.end_at)
    .where(CAMPAIGNS.c.id == _IDS)
)


class StoredCampaign(msgspec.Struct, frozen=True, kw_only=True):
    """A campaign as the database holds it: the record it amounts to, and the row's own state."""

    id: int
    record: CampaignRecord
    game_id: int | None
    organization_id: int | None
    started_at: datetime | None
    ended_at: datetime | None
    withdrawn_at: datetime | None
    channels_empty_count: int
    # When an event last said that it is back.
    returned_at: datetime | None = None

    @property
    def open(self) -> bool:
        """Neither ended nor withdrawn."""
        return self.ended_at is None and self.withdrawn_at is None

    @property
    def listed(self) -> bool:
        """Not withdrawn."""
        return self.withdrawn_at is None


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """A known campaign, the record that a source lists now, and the difference."""

    stored: StoredCampaign
    record: CampaignRecord
    diff: CampaignDiff


def known_campaigns(connection: Connection, service: str, external_ids: Sequence[str]) -> set[str]:
    """Return those of the ids that are stored."""
    return set(connection.scalars(_KNOWN, {"service": service, "external_ids": external_ids}))


def load_open_campaigns(
    connection: Connection, service: str, external_ids: Sequence[str]
) -> dict[str, datetime | None]:
    """Return those of the ids that are neither ended nor withdrawn, with the end that the source gave."""
    return dict(connection.execute(_OPEN, {"service": service, "external_ids": external_ids}).all())


def load_campaigns(connection: Connection, service: str, external_ids: Sequence[str]) -> dict[str, StoredCampaign]:
    """Return the known ones of these campaigns with their current drops, benefits and channels."""
    if not external_ids:
        return {}
    return _load(connection, _BY_EXTERNAL_ID, {"service": service, "external_ids": external_ids})


def load_campaigns_by_id(connection: Connection, ids: Sequence[int]) -> list[StoredCampaign]:
    """Return campaigns by row id, in that order."""
    if not ids:
        return []
    loaded = {stored.id: stored for stored in _load(connection, _BY_ID, {"ids": ids}).values()}
    return [loaded[row_id] for row_id in ids if row_id in loaded]


def _load(connection: Connection, query: Select[Any], parameters: Mapping[str, Any]) -> dict[str, StoredCampaign]:
    rows = connection.execute(query, parameters).mappings().all()
    if not rows:
        return {}
    ids = [row["id"] for row in rows]
    drops = _load_drops(connection, ids)
    channels = _load_channels(connection, ids)
    return {row["external_id"]: _stored(row, drops[row["id"]], channels[row["id"]]) for row in rows}


def _stored(row: Mapping[Any, Any], drops: list[DropRecord], channels: list[ChannelRecord]) -> StoredCampaign:
    organization = game = None
    if row["organization_external_id"]:
        organization = OrganizationRecord(external_id=row["organization_external_id"], name=row["organization_name"])
    if row["game_external_id"]:
        game = GameRecord(external_id=row["game_external_id"], name=row["game_name"], box_art_url=row["box_art_url"])
    return StoredCampaign(
        id=row["id"],
        record=CampaignRecord(
            service=row["service"],
            external_id=row["external_id"],
            organization=organization,
            game=game,
            drops=tuple(drops),
            channels=tuple(channels) if row["channels_known"] else None,
            **{name: row[name] for name in CAMPAIGN_FIELDS},
        ),
        game_id=row["game_id"],
        organization_id=row["organization_id"],
        started_at=row["started_at"],
        ended_at=row["ended_at"],
        withdrawn_at=row["withdrawn_at"],
        channels_empty_count=row["channels_empty_count"],
        returned_at=row["returned_at"],
    )


def _load_drops(connection: Connection, campaign_ids: Sequence[int]) -> dict[int, list[DropRecord]]:
    rows = connection.execute(_DROPS_OF, {"ids": campaign_ids}).mappings().all()
    drops: dict[int, list[DropRecord]] = defaultdict(list)
    for _, listed in itertools.groupby(rows, key=operator.itemgetter("id")):
        first, *others = listed
        benefits = tuple(_benefit(row) for row in (first, *others) if row["benefit_external_id"] is not None)
        drops[first["campaign_id"]].append(_drop(first, benefits))
    return drops


def load_steps(connection: Connection, campaign_ids: Iterable[int]) -> dict[int, list[DropRecord]]:
    """Return the current drops of campaigns by row id, without their benefits: what they ask for, and when."""
    steps: dict[int, list[DropRecord]] = defaultdict(list)
    for row in connection.execute(_STEPS_OF, {"ids": list(campaign_ids)}).mappings():
        steps[row["campaign_id"]].append(_drop(row, ()))
    return steps


def _drop(row: Mapping[Any, Any], benefits: tuple[BenefitRecord, ...]) -> DropRecord:
    fields = {name: row[name] for name in DROP_FIELDS}
    preconditions = row["precondition_drop_ids"]
    fields["precondition_drop_ids"] = None if preconditions is None else tuple(preconditions)
    return DropRecord(external_id=row["external_id"], benefits=benefits, **fields)


def _benefit(row: Mapping[Any, Any]) -> BenefitRecord:
    fields = {name: row[f"benefit_{name}"] for name in _BENEFIT_NAMES}
    return BenefitRecord(entitlement_limit=row["entitlement_limit"], **fields)


def _load_channels(connection: Connection, campaign_ids: Sequence[int]) -> dict[int, list[ChannelRecord]]:
    channels: dict[int, list[ChannelRecord]] = defaultdict(list)
    for campaign_id, *columns in connection.execute(_CHANNELS_OF, {"ids": campaign_ids}).all():
        channels[campaign_id] = [
            ChannelRecord(external_id=external_id, login=login, display_name=display_name)
            for external_id, login, display_name in zip(*columns, strict=True)
        ]
        channels[campaign_id].sort(key=operator.attrgetter("login"))
    return channels


def add_campaigns(
    connection: Connection, records: Sequence[CampaignRecord], *, seen_at: datetime, ended: Mapping[str, datetime]
) -> dict[str, StoredCampaign]:
    """Insert new campaigns with their drops and channels; `ended` holds the end of those that are over already."""
    service = records[0].service
    organizations = store_organizations(connection, service, (r.organization for r in records if r.organization))
    games = store_games(connection, service, (r.game for r in records if r.game))
    rows = [
        {
            "service": service,
            "external_id": record.external_id,
            **{name: getattr(record, name) for name in CAMPAIGN_FIELDS},
            "organization_id": organizations[record.organization.external_id] if record.organization else None,
            "game_id": games[record.game.external_id] if record.game else None,
            "channels_known": record.channels is not None,
            "deadlines_version": DEADLINES_VERSION,
            "first_seen_at": seen_at,
            "started_at": _started_at(record, seen_at),
            "ended_at": ended.get(record.external_id),
        }
        for record in records
    ]
    ids: dict[str, int] = dict(execute_rows(connection, _added(tuple(rows[0])), rows).all())
    store_drops(connection, service, {ids[r.external_id]: r.drops or () for r in records}, seen_at, new=True)
    allow_channels(connection, service, {ids[r.external_id]: r.channels or () for r in records}, seen_at)
    return {
        record.external_id: StoredCampaign(
            id=ids[record.external_id],
            record=record,
            game_id=row["game_id"],
            organization_id=row["organization_id"],
            started_at=row["started_at"],
            ended_at=row["ended_at"],
            withdrawn_at=None,
            channels_empty_count=0,
        )
        for record, row in zip(records, rows, strict=True)
    }


@functools.cache
def _added(names: tuple[str, ...]) -> ReturningInsert[str, int]:
    return insert_rows(CAMPAIGNS, names).returning(CAMPAIGNS.c.external_id, CAMPAIGNS.c.id)


def _started_at(record: CampaignRecord, seen_at: datetime) -> datetime | None:
    """Return when a campaign started; None for an upcoming one, whose start will be an event of its own."""
    if record.status == "upcoming" or (record.status is None and record.start_at and record.start_at > seen_at):
        return None
    return record.start_at or seen_at


def store_drops(
    connection: Connection, service: str, drops: Mapping[int, Iterable[DropRecord]], seen_at: datetime, *, new: bool
) -> None:
    """Insert or update drops by campaign row id, with their benefits; a drop that had gone is there again.

    Those of `new` campaigns had no benefits before.
    """
    listed = [(campaign_id, drop) for campaign_id, of_campaign in drops.items() for drop in _once(of_campaign)]
    if not listed:
        return
    rows = [
        {
            "campaign_id": campaign_id,
            "external_id": drop.external_id,
            **{name: getattr(drop, name) for name in DROP_FIELDS},
            "first_seen_at": seen_at,
        }
        for campaign_id, drop in listed
    ]
    stored = execute_rows(connection, _upserted_drops(tuple(rows[0])), rows)
    ids = {(campaign_id, key): row_id for campaign_id, key, row_id in stored}
    by_drop = {ids[campaign_id, drop.external_id]: drop.benefits for campaign_id, drop in listed if drop.benefits}
    _store_edges(connection, service, by_drop, None if new else seen_at)


@functools.cache
def _upserted_drops(names: tuple[str, ...]) -> ReturningInsert[int, str, int]:
    statement = insert_rows(DROPS, names)
    filled = {name: func.coalesce(statement.excluded[name], DROPS.c[name]) for name in DROP_FIELDS}
    return statement.on_conflict_do_update(
        index_elements=[DROPS.c.campaign_id, DROPS.c.external_id], set_={**filled, "last_seen_at": None}
    ).returning(DROPS.c.campaign_id, DROPS.c.external_id, DROPS.c.id)


def _once(drops: Iterable[DropRecord]) -> Iterable[DropRecord]:
    """Return each drop once: a statement cannot write a row twice, and a payload may repeat itself."""
    return {drop.external_id: drop for drop in drops}.values()


def _store_edges(
    connection: Connection, service: str, benefits: Mapping[int, Sequence[BenefitRecord]], retire_at: datetime | None
) -> None:
    """Store the listed benefits of drops; an edge that is listed no more stays, with the time it was last seen.

    `retire_at` is None for new drops, which have no others.
    """
    ids = store_benefits(connection, service, (benefit for listed in benefits.values() for benefit in listed))
    edges = {
        (drop_id, ids[benefit.external_id]): benefit.entitlement_limit
        for drop_id, listed in benefits.items()
        for benefit in listed
    }
    if not edges:
        return
    rows = [{"drop_id": d, "benefit_id": b, "entitlement_limit": limit} for (d, b), limit in edges.items()]
    execute_rows(connection, _upserted_edges(), rows)
    if retire_at is not None:
        execute_rows(connection, _retired_edges(), rows, ids=list(benefits), seen_at=retire_at)


@functools.cache
def _upserted_edges() -> Insert:
    statement = insert_rows(EDGES, ("drop_id", "benefit_id", "entitlement_limit"))
    return statement.on_conflict_do_update(
        index_elements=[EDGES.c.drop_id, EDGES.c.benefit_id],
        set_={
            "entitlement_limit": func.coalesce(statement.excluded.entitlement_limit, EDGES.c.entitlement_limit),
            "last_seen_at": None,
        },
    )


@functools.cache
def _retired_edges() -> Update:
    listed_now = rows_as_table(EDGES, ("drop_id", "benefit_id"))
    return (
        EDGES.update()
        .values(last_seen_at=bindparam("seen_at", type_=DateTime(timezone=True)))
        .where(
            EDGES.c.drop_id == _IDS,
            EDGES.c.last_seen_at.is_(None),
            tuple_(EDGES.c.drop_id, EDGES.c.benefit_id).not_in(listed_now),
        )
    )


def allow_channels(
    connection: Connection, service: str, channels: Mapping[int, Sequence[ChannelRecord]], seen_at: datetime
) -> None:
    """Add channels to campaigns by row id; one that had gone is there again, and keeps when it was first seen."""
    ids = store_channels(connection, service, (c for listed in channels.values() for c in listed), seen_at)
    pairs = {(campaign_id, ids[c.external_id]) for campaign_id, listed in channels.items() for c in listed}
    if not pairs:
        return
    rows = [{"campaign_id": a, "channel_id": b, "first_seen_at": seen_at} for a, b in sorted(pairs)]
    execute_rows(connection, _upserted_channels(), rows)


@functools.cache
def _upserted_channels() -> Insert:
    return insert_rows(ALLOWED, ("campaign_id", "channel_id", "first_seen_at")).on_conflict_do_update(
        index_elements=[ALLOWED.c.campaign_id, ALLOWED.c.channel_id], set_={"last_seen_at": None}
    )


def disallow_channels(
    connection: Connection, channels: Mapping[int, Sequence[ChannelRecord]], seen_at: datetime
) -> None:
    """Mark channels as no longer named by their campaigns."""
    for campaign_id, listed in channels.items():
        gone = select(Channel.id).where(Channel.external_id == func.any([c.external_id for c in listed]))
        connection.execute(
            ALLOWED.update()
            .values(last_seen_at=seen_at)
            .where(ALLOWED.c.campaign_id == campaign_id, ALLOWED.c.channel_id.in_(gone))
        )


def apply_changes(connection: Connection, changes: Sequence[Change], *, seen_at: datetime) -> None:
    """Write the differences of known campaigns."""
    if not changes:
        return
    service = changes[0].record.service
    records = [
        c.record for c in changes if c.diff.organization_changed or c.diff.game_changed or c.diff.catalogue_changed
    ]
    organizations = store_organizations(connection, service, [r.organization for r in records if r.organization])
    games = store_games(connection, service, [r.game for r in records if r.game])
    for change in changes:
        _update_fields(connection, change, organizations, games)
    drops = {c.stored.id: (*c.diff.drops_filled, *c.diff.drops_added, *c.diff.drops_changed) for c in changes}
    store_drops(connection, service, drops, seen_at, new=False)
    _retire_drops(connection, changes, seen_at)
    channels = {c.stored.id: (*(c.diff.channels_filled or ()), *c.diff.channels_added) for c in changes}
    allow_channels(connection, service, channels, seen_at)
    disallow_channels(
        connection, {c.stored.id: c.diff.channels_removed for c in changes if c.diff.channels_removed}, seen_at
    )
    store_channels(connection, service, (r for c in changes for r in c.diff.channels_renamed), seen_at)


def _update_fields(
    connection: Connection, change: Change, organizations: Mapping[str, int], games: Mapping[str, int]
) -> None:
    values = dict(change.diff.fields)
    if change.diff.organization_changed and change.record.organization:
        values["organization_id"] = organizations[change.record.organization.external_id]
    if change.diff.game_changed and change.record.game:
        values["game_id"] = games[change.record.game.external_id]
    if change.diff.channels_filled is not None:
        values["channels_known"] = True
    if values:
        connection.execute(CAMPAIGNS.update().values(values).where(CAMPAIGNS.c.id == change.stored.id))


def _retire_drops(connection: Connection, changes: Sequence[Change], seen_at: datetime) -> None:
    rows = [{"campaign": c.stored.id, "drop": drop.external_id} for c in changes for drop in c.diff.drops_gone]
    if rows:
        connection.execute(
            DROPS.update()
            .values(last_seen_at=seen_at)
            .where(DROPS.c.campaign_id == bindparam("campaign"), DROPS.c.external_id == bindparam("drop")),
            rows,
        )


def set_state(connection: Connection, campaign_ids: Sequence[int], **times: datetime | int | None) -> None:
    """Set state columns (`started_at`, `ended_at`, `withdrawn_at`, …) of campaigns by row id."""
    if campaign_ids:
        connection.execute(CAMPAIGNS.update().values(times).where(CAMPAIGNS.c.id == func.any(campaign_ids)))


def end_campaigns(connection: Connection, campaign_ids: Sequence[int]) -> None:
    """Mark campaigns as ended, and last seen, at their own end time."""
    if campaign_ids:
        connection.execute(_ENDED, {"ids": list(campaign_ids)})
