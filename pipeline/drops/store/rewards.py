"""Read reward campaigns back as records, and insert or update them with their rewards."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import ARRAY, Connection, Table, Text, and_, bindparam, func, select

from models import Game, GameExternalId, Reward, RewardCampaign
from pipeline.catalogue.records import GameRecord
from pipeline.catalogue.storing import store_games
from pipeline.database.bulk import execute_rows, insert_rows
from pipeline.drops.records import RewardCampaignRecord, RewardRecord

CAMPAIGNS: Table = RewardCampaign.__table__  # type: ignore[assignment]
REWARDS: Table = Reward.__table__  # type: ignore[assignment]
FIELDS = (
    "name", "brand", "summary", "instructions", "about_url", "external_url", "image_url", "is_sitewide",
    "required_minutes", "required_subs", "required_turbo_subs", "start_at", "end_at",
)  # fmt: skip
_OPEN = select(CAMPAIGNS.c.external_id, CAMPAIGNS.c.end_at).where(
    CAMPAIGNS.c.service == bindparam("service"),
    CAMPAIGNS.c.external_id == func.any(bindparam("external_ids", type_=ARRAY(Text))),
    CAMPAIGNS.c.ended_at.is_(None),
)
REWARD_FIELDS = (
    "name", "image_url", "required_minutes", "required_subs", "required_turbo_subs", "earnable_until",
    "redemption_url", "redemption_instructions",
)  # fmt: skip


class StoredReward(msgspec.Struct, frozen=True, kw_only=True):
    """A reward campaign as the database holds it."""

    id: int
    record: RewardCampaignRecord
    game_id: int | None
    ended_at: datetime | None


def load_rewards(connection: Connection, service: str, external_ids: Sequence[str]) -> dict[str, StoredReward]:
    """Return the known ones of these reward campaigns with their rewards."""
    return _load(connection, and_(CAMPAIGNS.c.service == service, CAMPAIGNS.c.external_id == func.any(external_ids)))


def load_open_rewards(connection: Connection, service: str, external_ids: Sequence[str]) -> dict[str, datetime | None]:
    """Return those of the ids that have not ended, with the end that the source gave."""
    return dict(connection.execute(_OPEN, {"service": service, "external_ids": external_ids}).all())


def load_rewards_by_id(connection: Connection, ids: Sequence[int]) -> list[StoredReward]:
    """Return reward campaigns by row id, in that order."""
    if not ids:
        return []
    loaded = {stored.id: stored for stored in _load(connection, CAMPAIGNS.c.id == func.any(ids)).values()}
    return [loaded[row_id] for row_id in ids if row_id in loaded]


def _load(connection: Connection, condition: Any) -> dict[str, StoredReward]:
    game_id = (
        select(func.min(GameExternalId.external_id))
        .where(GameExternalId.game_id == Game.id, GameExternalId.service == CAMPAIGNS.c.service)
        .scalar_subquery()
    )
    query = (
        select(CAMPAIGNS, game_id.label("game_external_id"), Game.name.label("game_name"))
        .outerjoin(Game, Game.id == CAMPAIGNS.c.game_id)
        .where(condition)
    )
    rows = connection.execute(query).mappings().all()
    listed = select(REWARDS).where(REWARDS.c.reward_campaign_id == func.any([row["id"] for row in rows]))
    rewards: dict[int, list[RewardRecord]] = defaultdict(list)
    for row in connection.execute(listed.order_by(REWARDS.c.id)).mappings():
        fields = {name: row[name] for name in REWARD_FIELDS}
        rewards[row["reward_campaign_id"]].append(RewardRecord(external_id=row["external_id"], **fields))
    return {
        row["external_id"]: StoredReward(
            id=row["id"],
            record=RewardCampaignRecord(
                service=row["service"],
                external_id=row["external_id"],
                game=GameRecord(external_id=row["game_external_id"], name=row["game_name"])
                if row["game_external_id"]
                else None,
                rewards=tuple(rewards[row["id"]]),
                **{name: row[name] for name in FIELDS},
            ),
            game_id=row["game_id"],
            ended_at=row["ended_at"],
        )
        for row in rows
    }


def store_rewards(
    connection: Connection, records: Sequence[RewardCampaignRecord], *, seen_at: datetime
) -> dict[str, StoredReward]:
    """Insert or update reward campaigns and their rewards; a missing value leaves the known one."""
    service = records[0].service
    games = store_games(connection, service, (r.game for r in records if r.game))
    rows = [
        {
            "service": service,
            "external_id": record.external_id,
            **{name: getattr(record, name) for name in FIELDS},
            "game_id": games[record.game.external_id] if record.game else None,
            "first_seen_at": seen_at,
        }
        for record in records
    ]
    statement = insert_rows(CAMPAIGNS, tuple(rows[0]))
    filled = (*FIELDS, "game_id")
    upsert = statement.on_conflict_do_update(
        index_elements=[CAMPAIGNS.c.service, CAMPAIGNS.c.external_id],
        set_={name: func.coalesce(statement.excluded[name], CAMPAIGNS.c[name]) for name in filled},
    ).returning(CAMPAIGNS.c.external_id, CAMPAIGNS.c.id)
    ids: dict[str, int] = dict(execute_rows(connection, upsert, rows).all())
    _store_rewards_of(connection, {ids[record.external_id]: record for record in records}, seen_at)
    return load_rewards(connection, service, list(ids))


def _store_rewards_of(connection: Connection, records: dict[int, RewardCampaignRecord], seen_at: datetime) -> None:
    rows = [
        {
            "reward_campaign_id": campaign_id,
            "external_id": reward.external_id,
            **{name: getattr(reward, name) for name in REWARD_FIELDS},
            "first_seen_at": seen_at,
        }
        for campaign_id, record in records.items()
        for reward in {r.external_id: r for r in record.rewards}.values()
    ]
    if not rows:
        return
    statement = insert_rows(REWARDS, tuple(rows[0]))
    execute_rows(
        connection,
        statement.on_conflict_do_update(
            index_elements=[REWARDS.c.reward_campaign_id, REWARDS.c.external_id],
            set_={name: func.coalesce(statement.excluded[name], REWARDS.c[name]) for name in REWARD_FIELDS},
        ),
        rows,
    )


def end_rewards(connection: Connection, ids: Sequence[int]) -> None:
    """Mark reward campaigns as ended at their own end time."""
    if ids:
        ended = CAMPAIGNS.update().values(ended_at=CAMPAIGNS.c.end_at).where(CAMPAIGNS.c.id == func.any(ids))
        connection.execute(ended)
