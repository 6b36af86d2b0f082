"""Read the log of events, as commands and the API show it: filtered, in the order in which events were recorded."""

import functools
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Annotated, Any, Literal

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
    cast,
    func,
    literal_column,
    or_,
    select,
)

from feeds.public import is_seen_by
from models import Channel, DropCampaign, Event, Game, Organization, RewardCampaign, Source
from models.events import EventKind
from models.moments import Moment
from models.names import name_key

Order = Literal["newest", "oldest"]
# As it was recorded; the struct of its family in `models.details` describes it.
Detail = Annotated[
    msgspec.Raw,
    msgspec.Meta(
        description="All that a message or a feed item shows of it, as it was then.",
        extra_json_schema={"type": "object"},
    ),
]

_ENDS = (("after", BigInteger), ("since", DateTime(timezone=True)), ("until", DateTime(timezone=True)))
# All that `kind` may name: a kind, or a family.
KINDS: tuple[str, ...] = (*EventKind, *sorted({f"{kind.family}.*" for kind in EventKind}))


class EventSubjects(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What an event is about: names, the ids that its service gives campaigns, a channel's login."""

    game: str | None = None
    organization: str | None = None
    campaign: str | None = None
    reward_campaign: str | None = None
    channel: str | None = None
    service: str | None = None


class EventLine(msgspec.Struct, frozen=True, kw_only=True):
    """An event. `key` is its own for ever; one that is `silent` is on feeds and pages, and was sent to nobody.

    It happened at `occurred_at` and was noticed at `recorded_at`; `source` is what it was read from, if anything.
    """

    id: int
    kind: str
    key: str
    title: str
    occurred_at: Moment
    recorded_at: Moment
    source: str | None
    subjects: EventSubjects
    silent: bool
    detail: Detail


class EventFilter(msgspec.Struct, frozen=True, kw_only=True):
    """Which events are wanted; what is not given is any.

    `kinds` are kinds and families (`campaign.*`). `subject` is a game, organization, campaign or stream by name, a
    campaign's id or a channel's login. Times are by when an event was recorded: from `since` on, before `until`.
    """

    kinds: Sequence[str] = ()
    subject: str | None = None
    service: str | None = None
    game: str | None = None
    channel: str | None = None
    campaign_id: int | None = None
    since: datetime | None = None
    until: datetime | None = None


class Viewer(msgspec.Struct, frozen=True, kw_only=True):
    """The person who reads: of the installation and its sources only an operator sees events."""

    person_id: int
    is_operator: bool = False


def list_events(
    connection: Connection,
    wanted: EventFilter,
    *,
    viewer: Viewer | None,
    order: Order = "newest",
    after: int | None = None,
    limit: int | None = None,
    among: Sequence[int] | None = None,
) -> list[EventLine]:
    """Return events in the order of their ids, from behind the one with the id `after`; without a viewer, all people's.

    With `among` only those of these ids.

    Which condition stands for which filter is fixed, so that the query of each set of filters is built once.
    """
    given = {name: value for name, value in _parameters(wanted, after).items() if value}
    given |= {} if among is None else {"among": list(among)}
    query = _query(frozenset(given), order, "all" if viewer is None else "operator" if viewer.is_operator else "person")
    person = {} if viewer is None else {"person_id": viewer.person_id}
    return [_line(row) for row in connection.execute(query, {**given, **person, "most": limit})]


def version_of_events(
    connection: Connection,
    wanted: EventFilter,
    *,
    viewer: Viewer,
    order: Order,
    after: int | None,
    limit: int,
) -> str | None:
    """Return what changes whenever `list_events` would return something else, without loading any of it.

    It is made of the versions of all rows that are shown; None where there are none.
    """
    given = {name: value for name, value in _parameters(wanted, after).items() if value}
    query = _version_query(frozenset(given), order, "operator" if viewer.is_operator else "person")
    version: str | None = connection.scalar(query, {**given, "person_id": viewer.person_id, "most": limit})
    return version


def find_event(connection: Connection, event_id: int, *, viewer: Viewer | None) -> EventLine | None:
    """Return an event by its id, or None where there is none that this viewer may see."""
    lines = list_events(connection, EventFilter(), viewer=viewer, order="oldest", after=event_id - 1, limit=1)
    return next((line for line in lines if line.id == event_id), None)


def _parameters(wanted: EventFilter, after: int | None) -> dict[str, Any]:
    return {
        "kinds": [kind for kind in wanted.kinds if not kind.endswith(".*")],
        "families": [kind.removesuffix(".*") for kind in wanted.kinds if kind.endswith(".*")],
        "subject": wanted.subject,
        "subject_key": name_key(wanted.subject) if wanted.subject else None,
        "service": wanted.service,
        "game": wanted.game,
        "game_key": name_key(wanted.game) if wanted.game else None,
        "channel": wanted.channel,
        "campaign_id": wanted.campaign_id,
        "since": wanted.since,
        "until": wanted.until,
        "after": after,
    }


@functools.cache
def _query(
    given: frozenset[str], order: Order, seen_by: Literal["all", "operator", "person"]
) -> Select[*tuple[Any, ...]]:
    query = (
        select(
            *(Event.id, Event.kind, Event.event_key, Event.title, Event.occurred_at, Event.recorded_at),
            *(Event.silent, Event.service, cast(Event.detail, Text).label("detail")),
            Source.name.label("source"),
            Game.name.label("game"),
            Organization.name.label("organization"),
            DropCampaign.external_id.label("campaign"),
            RewardCampaign.external_id.label("reward_campaign"),
            Channel.login.label("channel"),
        )
        .outerjoin(Source, Source.id == Event.source_id)
        .outerjoin(Game, Game.id == Event.game_id)
        .outerjoin(Organization, Organization.id == Event.organization_id)
        .outerjoin(DropCampaign, DropCampaign.id == Event.campaign_id)
        .outerjoin(RewardCampaign, RewardCampaign.id == Event.reward_campaign_id)
        .outerjoin(Channel, Channel.id == Event.channel_id)
        .where(*_conditions(given, order))
        .order_by(Event.id if order == "oldest" else Event.id.desc())
        .limit(bindparam("most", type_=BigInteger))
    )
    if "among" in given:
        query = query.where(Event.id == any_(bindparam("among", type_=ARRAY(BigInteger))))
    if seen_by == "all":
        return query
    return query.where(is_seen_by(bindparam("person_id", type_=BigInteger), is_operator=seen_by == "operator"))


@functools.cache
def _version_query(
    given: frozenset[str], order: Order, seen_by: Literal["operator", "person"]
) -> Select[*tuple[Any, ...]]:
    tables = (Event, Source, Game, Organization, DropCampaign, RewardCampaign, Channel)
    row_versions = [literal_column(f"{table.__tablename__}.xmin").cast(Text) for table in tables]
    shown = _query(given, order, seen_by).with_only_columns(
        func.concat_ws(",", Event.id, *(func.coalesce(version, "") for version in row_versions)).label("version")
    )
    return select(func.md5(func.string_agg(shown.subquery().c.version, ";")))


def _conditions(given: frozenset[str], order: Order) -> Iterator[ColumnElement[bool]]:
    after, since, until = (bindparam(name, type_=kind) for name, kind in _ENDS)
    if given & {"kinds", "families"}:
        family = func.split_part(Event.kind, ".", 1)
        lists = {"kinds": Event.kind == _any("kinds"), "families": family == _any("families")}
        yield or_(*(condition for name, condition in lists.items() if name in given))
    if "subject" in given:
        yield _is_about(bindparam("subject", type_=Text), bindparam("subject_key", type_=Text))
    if "service" in given:
        yield Event.service == bindparam("service", type_=Text)
    if "game" in given:
        yield (Game.name_key == bindparam("game_key", type_=Text)) | (Game.public_id == bindparam("game", type_=Text))
    if "channel" in given:
        yield _is_login(bindparam("channel", type_=Text))
    if "campaign_id" in given:
        yield Event.campaign_id == bindparam("campaign_id", type_=BigInteger)
    if "since" in given:
        yield Event.recorded_at >= since
    if "until" in given:
        yield Event.recorded_at < until
    if "after" in given:
        yield Event.id > after if order == "oldest" else Event.id < after


def _is_about(written: ColumnElement[str], key: ColumnElement[str]) -> ColumnElement[bool]:
    return or_(
        Game.name_key == key,
        Organization.name_key == key,
        DropCampaign.external_id == written,
        RewardCampaign.external_id == written,
        Event.detail["name"].astext == written,
        _is_login(written),
    )


def _is_login(written: ColumnElement[str]) -> ColumnElement[bool]:
    return (func.lower(Channel.login) == func.lower(written)) | (func.lower(written) == any_(Channel.former_logins))


def _any(name: str) -> ColumnElement[str]:
    return any_(bindparam(name, type_=ARRAY(Text)))  # type: ignore[return-value]


def _line(row: Any) -> EventLine:
    # A page has hundreds of rows, and to look up fifteen names in each costs more than to build the line.
    event_id, kind, key, title, occurred_at, recorded_at, silent, service, detail, source, *names = row
    game, organization, campaign, reward_campaign, channel = names
    return EventLine(
        id=event_id,
        kind=kind,
        key=key,
        title=title,
        occurred_at=occurred_at,
        recorded_at=recorded_at,
        source=source,
        subjects=EventSubjects(
            game=game,
            organization=organization,
            campaign=campaign,
            reward_campaign=reward_campaign,
            channel=channel,
            service=service,
        ),
        silent=silent,
        detail=msgspec.Raw(detail),
    )
