"""Reads from the database what events have that conditions may ask for."""

from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any

import msgspec
from sqlalchemy import ARRAY, BigInteger, ColumnElement, Connection, Select, bindparam, exists, func, select, true

from models import (
    AccountLink,
    Channel,
    DropCampaign,
    Event,
    Follow,
    Game,
    GameList,
    GameListEntry,
    GameMetadata,
    Organization,
    StreamSession,
)
from models.details import CampaignDetail, EventDetail, ReleaseDetail, StreamDetail, detail_from_json, detail_type
from models.events import EventKind
from models.names import name_key
from notifiers.account_links import is_linked
from notifiers.conditions.facts import EventFacts


def load_facts(connection: Connection, event_ids: Sequence[int]) -> list[EventFacts]:
    """Return what events have, in the order of their numbers; but for `with_followers`, which keys don't ask for."""
    rows = connection.execute(_events(), {"event_ids": list(event_ids)}).all()
    games = list({row.game_id for row in rows if row.game_id is not None})
    lists: dict[int, list[str]] = dict(connection.execute(_lists(), {"games": games}).all()) if games else {}
    return [_facts(row, lists.get(row.game_id, ())) for row in rows]


def with_followers(connection: Connection, facts: Sequence[EventFacts]) -> list[EventFacts]:
    """Return facts with who follows the game and the channel, and whether the channel is live."""
    rows = connection.execute(_followers(), {"event_ids": [each.event_id for each in facts]})
    by_id = {row.id: row for row in rows}
    return [
        msgspec.structs.replace(
            each,
            game_followers=frozenset(by_id[each.event_id].game_followers or ()),
            channel_followers=frozenset(by_id[each.event_id].channel_followers or ()),
            is_live=by_id[each.event_id].is_live,
        )
        for each in facts
    ]


def with_links(connection: Connection, facts: Sequence[EventFacts]) -> list[EventFacts]:
    """Return facts with whose accounts are linked with the campaign's game, as far as that is known."""
    known: dict[tuple[int, bool], set[int]] = {}
    for row in connection.execute(_links(), {"event_ids": [each.event_id for each in facts]}):
        if row.is_linked is not None:
            known.setdefault((row.event_id, row.is_linked), set()).add(row.person_id)
    return [
        msgspec.structs.replace(
            each,
            linked=frozenset(known.get((each.event_id, True), ())),
            unlinked=frozenset(known.get((each.event_id, False), ())),
        )
        for each in facts
    ]


@cache
def _links() -> Select[*tuple[Any, ...]]:
    of_campaign = DropCampaign.id == Event.campaign_id
    people = select(AccountLink.person_id).distinct().subquery("people_with_accounts")
    return (
        select(Event.id.label("event_id"), people.c.person_id, is_linked(people.c.person_id).label("is_linked"))
        .select_from(Event)
        .join(DropCampaign, of_campaign)
        .join(people, true())
        .where(_is_one_of())
    )


@cache
def _events() -> Select[*tuple[Any, ...]]:
    """Built once, as the others: they run with every snapshot, and building costs more than running them."""
    return (
        select(
            Event.id,
            Event.kind,
            Event.service,
            Event.title,
            Event.detail,
            Event.game_id,
            Event.person_id,
            Game.name.label("game"),
            Game.name_key.label("game_key"),
            Organization.name_key.label("organization_key"),
            func.lower(Channel.login).label("login"),
            Channel.former_logins,
        )
        .outerjoin(Game, Game.id == Event.game_id)
        .outerjoin(Organization, Organization.id == Event.organization_id)
        .outerjoin(Channel, Channel.id == Event.channel_id)
        .where(_is_one_of())
        .order_by(Event.id)
    )


@cache
def _lists() -> Select[*tuple[Any, ...]]:
    return (
        select(GameMetadata.game_id, func.array_agg(GameList.name.distinct()))
        .join(GameListEntry, GameListEntry.igdb_id == GameMetadata.igdb_id)
        .join(GameList, GameList.id == GameListEntry.list_id)
        .where(GameMetadata.game_id == func.any(bindparam("games", type_=ARRAY(BigInteger))))
        .group_by(GameMetadata.game_id)
    )


@cache
def _followers() -> Select[*tuple[Any, ...]]:
    of_game = select(func.array_agg(Follow.person_id)).where(Follow.kind == "game", Follow.game_id == Event.game_id)
    of_channel = select(func.array_agg(Follow.person_id)).where(
        Follow.kind == "channel", Follow.channel_id == Event.channel_id
    )
    is_on = (StreamSession.channel_id == Event.channel_id) & StreamSession.ended_at.is_(None)
    return select(
        Event.id,
        of_game.correlate(Event).scalar_subquery().label("game_followers"),
        of_channel.correlate(Event).scalar_subquery().label("channel_followers"),
        exists().where(is_on).correlate(Event).label("is_live"),
    ).where(_is_one_of())


def _is_one_of() -> ColumnElement[bool]:
    return Event.id == func.any(bindparam("event_ids", type_=ARRAY(BigInteger)))


def _facts(row: Any, lists: Iterable[str]) -> EventFacts:
    facts = EventFacts(
        event_id=row.id,
        kind=row.kind,
        service=row.service,
        person_id=row.person_id,
        game_key=row.game_key,
        organization_key=row.organization_key,
        channel_logins=(row.login, *row.former_logins) if row.login else (),
        list_keys=frozenset(map(name_key, lists)),
        texts=_texts(row.title, row.game),
        is_rerun=row.kind == EventKind.STREAM_RERUN,
    )
    return _with_detail(facts, _detail(row))


def _detail(row: Any) -> EventDetail:
    try:
        return detail_from_json(row.kind, row.detail)
    except msgspec.ValidationError:
        return detail_type(row.kind)()


def _minutes(detail: CampaignDetail) -> int | None:
    """Return for how long a campaign has to be watched: for its longest drop, as Twitch counts all of them together."""
    if detail.required_minutes is not None:
        return detail.required_minutes
    return max((drop.required_minutes for drop in detail.drops if drop.required_minutes), default=None)


def _has_to_be_bought(detail: CampaignDetail) -> bool:
    """Return whether nothing of a campaign is earned by watching alone."""
    if detail.required_subs or detail.required_turbo_subs:
        return True
    return bool(detail.drops) and all(drop.required_subs or drop.required_turbo_subs for drop in detail.drops)


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
                minutes=_minutes(detail),
                needs_subscriptions=_has_to_be_bought(detail),
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
