"""Reads from the database what events have that conditions may ask for."""

from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any

import msgspec
from sqlalchemy import (
    ARRAY,
    BigInteger,
    ColumnElement,
    Connection,
    Select,
    bindparam,
    exists,
    func,
    select,
    true,
    union,
)

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
    Person,
    PersonWork,
    StreamSession,
)
from models.details import CampaignDetail, EventDetail, ReleaseDetail, StreamDetail, detail_from_json, detail_type
from models.events import EventKind
from models.names import name_key
from notifiers.account_links import is_linked
from notifiers.conditions.facts import EventFacts

# By the number of a game or a work: people, by theirs, each with a word of theirs for it.
_OfGames = dict[int, list[tuple[int, str]]]


def load_facts(connection: Connection, event_ids: Sequence[int]) -> list[EventFacts]:
    """Return what events have, in the order of their numbers, but for what `complete` adds: no key asks for that."""
    rows = connection.execute(_events(), {"event_ids": list(event_ids)}).all()
    games = list({row.game_id for row in rows if row.game_id is not None})
    lists: _OfGames = _of_games(connection, _lists(), games)
    works = list({row.work_id for row in rows if row.work_id is not None})
    words: _OfGames = _of_games(connection, _libraries(), works)
    return [_facts(row, lists.get(row.game_id, ()), words.get(row.work_id, ())) for row in rows]


def complete(connection: Connection, facts: Sequence[EventFacts]) -> list[EventFacts]:
    """Return facts with all that conditions may ask for."""
    return with_platforms(connection, with_links(connection, with_followers(connection, facts)))


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


def with_platforms(connection: Connection, facts: Sequence[EventFacts]) -> list[EventFacts]:
    """Return facts with who plays on one of their platforms; who has named no platform plays on any."""
    if not any(each.platform_keys for each in facts):
        return list(facts)
    people = {row.id: frozenset(map(_platform_key, row.platforms)) for row in connection.execute(_platforms())}
    return [
        msgspec.structs.replace(
            each,
            platform_people=frozenset(
                person_id for person_id, keys in people.items() if not keys or keys & each.platform_keys
            ),
        )
        for each in facts
    ]


def _of_games(connection: Connection, query: Select[*tuple[Any, ...]], ids: Sequence[int]) -> _OfGames:
    of_each: _OfGames = {}
    for id_, person_id, words in connection.execute(query, {"ids": list(ids)}) if ids else ():
        of_each.setdefault(id_, []).extend((person_id, word) for word in words)
    return of_each


@cache
def _platforms() -> Select[*tuple[Any, ...]]:
    return select(Person.id, Person.platforms)


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
            Event.is_private,
            Game.work_id,
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
    """Return the query for the lists that games are on: by an entry of theirs, or another edition of their work."""
    by_entry = select(GameMetadata.game_id, GameListEntry.list_id)
    by_entry = by_entry.join(GameListEntry, GameListEntry.igdb_id == GameMetadata.igdb_id)
    by_work = select(Game.id, GameListEntry.list_id).join(GameListEntry, GameListEntry.work_id == Game.work_id)
    on = union(by_entry.where(_is_of(GameMetadata.game_id)), by_work.where(_is_of(Game.id))).subquery("on_lists")
    return (
        select(on.c.game_id, GameList.person_id, func.array_agg(GameList.name))
        .join(GameList, GameList.id == on.c.list_id)
        .group_by(on.c.game_id, GameList.person_id)
    )


@cache
def _libraries() -> Select[*tuple[Any, ...]]:
    return select(PersonWork.work_id, PersonWork.person_id, PersonWork.words).where(_is_of(PersonWork.work_id))


def _is_of(column: Any) -> ColumnElement[bool]:
    of_some: ColumnElement[bool] = column == func.any(bindparam("ids", type_=ARRAY(BigInteger)))
    return of_some


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


def _facts(row: Any, lists: Iterable[tuple[int, str]], library: Iterable[tuple[int, str]]) -> EventFacts:
    facts = EventFacts(
        event_id=row.id,
        kind=row.kind,
        service=row.service,
        person_id=row.person_id,
        is_private=row.is_private,
        game_key=row.game_key,
        organization_key=row.organization_key,
        channel_logins=(row.login, *row.former_logins) if row.login else (),
        list_keys=frozenset((person_id, name_key(name)) for person_id, name in lists),
        library=frozenset(library),
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
            platforms = frozenset(map(_platform_key, detail.platforms))
            return msgspec.structs.replace(facts, texts=(*facts.texts, *_texts(detail.name)), platform_keys=platforms)
    return facts


def _platform_key(platform: str) -> str:
    """Return the key of a platform's name; a region or a maker stands in parentheses behind it."""
    return name_key(platform.partition(" (")[0])


def _reward_kind(distribution_type: str | None) -> str:
    """Return what kind of reward Twitch's DropType names; services without one give items."""
    return {"BADGE": "badge", "EMOTE": "emote"}.get((distribution_type or "").upper(), "item")


def _texts(*texts: str | None) -> tuple[str, ...]:
    return tuple(text for text in texts if text)
