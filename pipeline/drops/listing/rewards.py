"""Read reward campaigns as commands and the API show them."""

import functools
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Literal

import msgspec
from sqlalchemy import (
    ARRAY,
    BigInteger,
    ColumnElement,
    Connection,
    DateTime,
    Select,
    Text,
    any_,
    bindparam,
    case,
    func,
    literal,
    or_,
    select,
)

from models import Game, Reward, RewardCampaign
from models.moments import Moment
from models.names import name_key
from pipeline.drops.listing.subjects import Subject, is_named, subject_of

State = Literal["upcoming", "running", "ended"]
_NOW = bindparam("now", type_=DateTime(timezone=True))
_STATE = case(
    (or_(RewardCampaign.ended_at.is_not(None), RewardCampaign.end_at <= _NOW), literal("ended")),
    (RewardCampaign.start_at > _NOW, literal("upcoming")),
    else_=literal("running"),
)
_IS_BOUGHT = or_(func.coalesce(RewardCampaign.required_subs, 0) > 0, RewardCampaign.required_turbo_subs > 0)
_HAS_SUBSCRIPTION = func.coalesce(_IS_BOUGHT, literal(value=False))
_GIVEN = (
    select(Reward)
    .where(
        Reward.reward_campaign_id == any_(bindparam("ids", type_=ARRAY(BigInteger))),
        Reward.last_seen_at.is_(None),
    )
    .order_by(Reward.required_minutes.asc().nulls_last(), Reward.id)
)


class RewardAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What a reward campaign gives; what it asks for is null where it is what its campaign asks for."""

    id: int
    external_id: str
    name: str
    image_url: str | None
    required_minutes: int | None
    required_subs: int | None
    required_turbo_subs: int | None
    earnable_until: Moment | None
    redemption_url: str | None
    redemption_instructions: str | None


class RewardCampaignAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """A reward campaign: what a brand gives for watching, or for subscriptions, anywhere or in one game."""

    id: int
    service: str
    external_id: str
    name: str
    state: State
    brand: str | None
    game: Subject | None
    summary: str | None
    instructions: str | None
    url: str | None
    image_url: str | None
    is_sitewide: bool | None
    required_minutes: int | None
    required_subs: int | None
    required_turbo_subs: int | None
    has_subscription: bool
    start_at: Moment | None
    end_at: Moment | None
    ended_at: Moment | None
    first_seen_at: Moment
    rewards: list[RewardAnswer]


class RewardFilter(msgspec.Struct, frozen=True, kw_only=True):
    """Which reward campaigns are wanted; what is not given is any. A game is named, or by public id."""

    state: State | None = None
    service: str | None = None
    game: str | None = None
    has_subscription: bool | None = None


def list_rewards(
    connection: Connection, wanted: RewardFilter, now: datetime, *, before: int | None = None, limit: int | None = None
) -> list[RewardCampaignAnswer]:
    """Return reward campaigns, those that became known last first, behind the one with the id `before`."""
    values = {
        "state": wanted.state,
        "service": wanted.service,
        "game": wanted.game,
        "has_subscription": wanted.has_subscription,
        "before": before,
    }
    given = {name: value for name, value in values.items() if value is not None}
    keys = {"game_key": name_key(wanted.game)} if wanted.game is not None else {}
    return _load(connection, frozenset(given), {**given, **keys, "now": now, "most": limit})


def find_reward(connection: Connection, written: str, now: datetime) -> RewardCampaignAnswer | None:
    """Return the reward campaign with this number, or with this id of its service."""
    if written.isascii() and written.isdigit() and len(written) < 19:
        parameters = {"id": int(written), "now": now, "most": 1}
        if by_number := _load(connection, frozenset({"id"}), parameters):
            return by_number[0]
    by_id = _load(connection, frozenset({"external_id"}), {"external_id": written, "now": now, "most": 1})
    return by_id[0] if by_id else None


def _load(connection: Connection, given: frozenset[str], parameters: Mapping[str, Any]) -> list[RewardCampaignAnswer]:
    rows = connection.execute(_query(given), parameters).all()
    rewards = _load_rewards(connection, [row.id for row in rows])
    return [_answer(row, rewards.get(row.id, [])) for row in rows]


@functools.cache
def _query(given: frozenset[str]) -> Select[Any]:
    return (
        select(
            *RewardCampaign.__table__.c,
            _STATE.label("state"),
            _HAS_SUBSCRIPTION.label("has_subscription"),
            Game.name.label("game"),
            Game.public_id.label("game_public_id"),
        )
        .outerjoin(Game, Game.id == RewardCampaign.game_id)
        .where(*_conditions(given))
        .order_by(RewardCampaign.id.desc())
        .limit(bindparam("most", type_=BigInteger))
    )


def _conditions(given: frozenset[str]) -> Iterator[ColumnElement[bool]]:
    if "id" in given:
        yield RewardCampaign.id == bindparam("id", type_=BigInteger)
    if "external_id" in given:
        yield RewardCampaign.external_id == bindparam("external_id", type_=Text)
    if "state" in given:
        yield bindparam("state", type_=Text) == _STATE
    if "service" in given:
        yield RewardCampaign.service == bindparam("service", type_=Text)
    if "game" in given:
        yield is_named(Game, "game")
    if "has_subscription" in given:
        yield bindparam("has_subscription") == _HAS_SUBSCRIPTION
    if "before" in given:
        yield RewardCampaign.id < bindparam("before", type_=BigInteger)


def _load_rewards(connection: Connection, campaign_ids: Sequence[int]) -> Mapping[int, list[RewardAnswer]]:
    rewards: dict[int, list[RewardAnswer]] = defaultdict(list)
    for row in connection.execute(_GIVEN, {"ids": list(campaign_ids)}) if campaign_ids else ():
        fields = {name: getattr(row, name) for name in RewardAnswer.__struct_fields__}
        rewards[row.reward_campaign_id].append(RewardAnswer(**fields))
    return rewards


def _answer(row: Any, rewards: list[RewardAnswer]) -> RewardCampaignAnswer:
    made = {"game": subject_of(row.game, row.game_public_id), "url": row.external_url or row.about_url}
    kept = {
        name: getattr(row, name) for name in RewardCampaignAnswer.__struct_fields__ if name not in {"rewards", *made}
    }
    return RewardCampaignAnswer(**kept, **made, rewards=rewards)
