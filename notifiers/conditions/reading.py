"""Reads from the database what events have that conditions may ask for."""

from collections.abc import Sequence
from functools import cache
from typing import Any

import msgspec
from sqlalchemy import ARRAY, BigInteger, Connection, Select, bindparam, exists, func, select

from models import Channel, Event, Follow, Game, GameList, GameListEntry, GameMetadata, Organization, StreamSession
from models.details import CampaignDetail, EventDetail, ReleaseDetail, StreamDetail, detail_from_json, detail_type
from models.events import EventKind
from models.names import name_key
from notifiers.conditions.facts import EventFacts


def load_facts(connection: Connection, event_ids: Sequence[int]) -> list[EventFacts]:
    """Return what events have, in the order of their numbers."""
    return [_facts(row) for row in connection.execute(_statement(), {"event_ids": list(event_ids)})]


@cache
def _statement() -> Select[*tuple[Any, ...]]:
    """Built once: it runs with every snapshot, and building costs more than running it."""
    lists = (
        select(func.array_agg(GameList.name))
        .join(GameListEntry, GameListEntry.list_id == GameList.id)
        .join(GameMetadata, GameMetadata.igdb_id == GameListEntry.igdb_id)
        .where(GameMetadata.game_id == Event.game_id)
        .correlate(Event)
    )
    game_followers = select(func.array_agg(Follow.person_id)).where(
        Follow.kind == "game", Follow.game_id == Event.game_id
    )
    channel_followers = select(func.array_agg(Follow.person_id)).where(
        Follow.kind == "channel", Follow.channel_id == Event.channel_id
    )
    is_on = (StreamSession.channel_id == Event.channel_id) & StreamSession.ended_at.is_(None)
    return (
        select(
            Event.id,
            Event.kind,
            Event.service,
            Event.title,
            Event.detail,
            Game.name.label("game"),
            Game.name_key.label("game_key"),
            Organization.name_key.label("organization_key"),
            func.lower(Channel.login).label("login"),
            Channel.former_logins,
            lists.scalar_subquery().label("lists"),
            game_followers.correlate(Event).scalar_subquery().label("game_followers"),
            channel_followers.correlate(Event).scalar_subquery().label("channel_followers"),
            exists().where(is_on).correlate(Event).label("is_live"),
        )
        .outerjoin(Game, Game.id == Event.game_id)
        .outerjoin(Organization, Organization.id == Event.organization_id)
        .outerjoin(Channel, Channel.id == Event.channel_id)
        .where(Event.id == func.any(bindparam("event_ids", type_=ARRAY(BigInteger))))
        .order_by(Event.id)
    )


def _facts(row: Any) -> EventFacts:
    facts = EventFacts(
        event_id=row.id,
        kind=row.kind,
        service=row.service,
        game_key=row.game_key,
        organization_key=row.organization_key,
        channel_logins=(row.login, *row.former_logins) if row.login else (),
        list_keys=frozenset(map(name_key, row.lists or ())),
        texts=_texts(row.title, row.game),
        game_followers=frozenset(row.game_followers or ()),
        channel_followers=frozenset(row.channel_followers or ()),
        is_live=row.is_live,
        is_rerun=row.kind == EventKind.STREAM_RERUN,
    )
    return _with_detail(facts, _detail(row))


def _detail(row: Any) -> EventDetail:
    try:
        return detail_from_json(row.kind, row.detail)
    except msgspec.ValidationError:
        return detail_type(row.kind)()


def _with_detail(facts: EventFacts, detail: EventDetail) -> EventFacts:
    match detail:
        case CampaignDetail():
            rewards = [benefit for drop in detail.drops for benefit in drop.benefits]
            return msgspec.structs.replace(
                facts,
                texts=(
                    *facts.texts,
                    *_texts(detail.name, *(drop.name for drop in detail.drops), *(b.name for b in rewards)),
                ),
                minutes=detail.required_minutes,
                needs_subscriptions=bool(detail.required_subs or detail.required_turbo_subs),
                reward_kinds=frozenset(_reward_kind(benefit.distribution_type) for benefit in rewards),
            )
        case StreamDetail():
            return msgspec.structs.replace(
                facts,
                texts=(*facts.texts, *_texts(detail.name)),
                language=detail.language,
                is_rerun=facts.is_rerun or detail.type is not None,
            )
        case ReleaseDetail():
            platforms = frozenset(name_key(platform.partition(" (")[0]) for platform in detail.platforms)
            return msgspec.structs.replace(facts, texts=(*facts.texts, *_texts(detail.name)), platform_keys=platforms)
    return facts


def _reward_kind(distribution_type: str | None) -> str:
    """Return what kind of reward Twitch's DropType names; services without one give items."""
    return {"BADGE": "badge", "EMOTE": "emote"}.get((distribution_type or "").upper(), "item")


def _texts(*texts: str | None) -> tuple[str, ...]:
    return tuple(text for text in texts if text)
