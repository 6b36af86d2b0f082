"""Ask Twitch which channels are live: the safety net below EventSub, and what counts viewers.

Each round is one fetch of a source, so that it has a lease and a pace, and its failures show like any other's.
"""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Literal

import msgspec
from sqlalchemy import ARRAY, BigInteger, Connection, DateTime, Engine, RowMapping, Text, bindparam, func, or_, select
from sqlalchemy import update as update_rows

from models import Channel, Game, GameExternalId, Source, StreamSession
from models.due import CLOCK_TOLERANCE, due
from pipeline.catalogue.records import GameRecord, UserRecord
from pipeline.catalogue.storing import store_games, store_users
from pipeline.channels.following.watched import FollowedCategory, followed_categories, watched
from pipeline.channels.store.streams import look_for_videos
from pipeline.channels.streams.details import SERVICE, category_game
from pipeline.channels.streams.observations import Polled
from pipeline.channels.take_in import take_in
from pipeline.fetch.http import Client
from pipeline.ingest.service_time import present
from pipeline.ingest.source import Answer, Ingested, Validators
from pipeline.services.twitch.helix import Helix
from pipeline.services.twitch.records import StreamRecord

# Renames, names and pictures show in users, which are asked for again after a day, some in each round.
USERS_EVERY = timedelta(days=1)
USERS_AT_ONCE = 200
BOX_ARTS_AT_ONCE = 100
# A round that comes later than that after the one before may have missed short streams: one was left out.
ROUNDS_APART = 2.0


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """The wants of a round, by Twitch ids: streams of channels, the most watched of categories, users, box arts."""

    channels: Sequence[str]
    categories: Sequence[FollowedCategory] = ()
    users: Sequence[str] = ()
    box_arts: Sequence[str] = ()


class Round(msgspec.Struct, frozen=True, kw_only=True):
    """The streams and users of a round, with the channels and users that it asked for."""

    channels: frozenset[str] = msgspec.field(name="asked")
    live: tuple[StreamRecord, ...]
    asked_users: tuple[str, ...] = ()
    users: tuple[UserRecord, ...] = ()
    box_arts: tuple[GameRecord, ...] = ()


_ROUND = msgspec.json.Decoder(Round)


class _StreamPolling:
    """A source of rounds. `clock` returns the present moment, `helix` makes Helix of a client."""

    service: Literal["twitch"] = "twitch"
    asks = "twitch"

    def __init__(
        self,
        engine: Engine,
        helix: Callable[[Client], Helix],
        clock: Callable[[], datetime],
        *,
        poll_every: timedelta,
        flap: timedelta,
    ) -> None:
        self._engine = engine
        self._helix = helix
        self._clock = clock
        self._poll_every = poll_every
        self._flap = flap

    def fetch(self, client: Client, validators: Validators) -> Answer:  # noqa: ARG002 - each round asks for all
        """Ask which of the watched channels are live; raises `SourceError`.

        The answer is taken to be as old as the request: EventSub may know better what happened meanwhile.
        """
        asked_at = self._clock()
        with self._engine.connect() as connection:
            wanted = self._wanted(connection, present(connection, SERVICE, asked_at))
        polled = self._ask(self._helix(client), wanted)
        return Answer(payload=msgspec.json.encode(polled), taken_at=asked_at, refresh_after=self._poll_every)

    def take_in(self, connection: Connection, row: RowMapping, answer: Answer, now: datetime) -> Ingested:
        """Store the results of a round: sessions, snapshots, events, and the users' present names."""
        polled = _ROUND.decode(answer.payload or b"")
        store_users(connection, polled.users, now)
        _note_asked(connection, polled.asked_users, now)
        store_games(connection, SERVICE, polled.box_arts)
        connection.execute(update_rows(Source).where(Source.id == row["id"]).values(last_snapshot_at=now))
        asked_at, judged_at = self._by_their_clock(connection, now)
        observed = Polled(channels=polled.channels, live=polled.live, at=asked_at)
        events = take_in(connection, [observed], judged_at, source_id=row["id"], flap=self._flap)
        return Ingested(
            outcome="ok" if events else "unchanged",
            items=len(polled.live),
            changed=events.total(),
            events=events,
            quarantined=self._unseen(connection, row, polled, now),
        )

    def _by_their_clock(self, connection: Connection, asked_at: datetime) -> tuple[datetime, datetime]:
        """Return when was asked, and the present, by Twitch's clock.

        What Twitch says of its streams is judged by it, as its messages are: ours may be a day ahead.
        """
        clock = self._clock()
        # While Twitch was asked: a round is over sooner.
        was_set = abs(clock - asked_at) > CLOCK_TOLERANCE
        ours = clock if was_set else max(asked_at, clock)
        ahead = present(connection, SERVICE, ours) - ours
        return (ours if was_set else asked_at) + ahead, ours + ahead

    def _unseen(
        self, connection: Connection, row: RowMapping, polled: Round, now: datetime
    ) -> Sequence[tuple[str, str]]:
        """Return what to say of the time since the last round, where that is longer than it should be."""
        raise NotImplementedError

    def _wanted(self, connection: Connection, now: datetime) -> Wanted:
        raise NotImplementedError

    @staticmethod
    def _ask(helix: Helix, wanted: Wanted) -> Round:
        live = {stream.channel.external_id: stream for stream in helix.streams(user_ids=wanted.channels)}
        for category in wanted.categories:
            for stream in helix.streams(game_ids=[category.external_id], limit=category.top):
                live.setdefault(stream.channel.external_id, stream)
        return Round(
            channels=frozenset(wanted.channels),
            live=tuple(live.values()),
            asked_users=tuple(wanted.users),
            users=tuple(helix.users(ids=wanted.users)),
            box_arts=tuple(map(category_game, helix.categories(ids=wanted.box_arts))),
        )


class TwitchStreams(_StreamPolling):
    """All channels that are watched, and the most watched streams of the categories that are followed."""

    name = "twitch.streams"

    def _wanted(self, connection: Connection, now: datetime) -> Wanted:
        channels = {channel.external_id: channel.channel_id for channel in watched(connection, now)}
        # A stream that was recorded for its category is asked for until it ends, wherever it ranks.
        on_air = connection.scalars(_ON_AIR)
        users = connection.scalars(_USERS, {"ids": list(channels.values()), "before": now - USERS_EVERY})
        return Wanted(
            channels=list(dict.fromkeys([*channels, *on_air])),
            categories=followed_categories(connection),
            users=users.all(),
            box_arts=connection.scalars(_WITHOUT_BOX_ART).all(),
        )

    def _unseen(
        self, connection: Connection, row: RowMapping, polled: Round, now: datetime
    ) -> Sequence[tuple[str, str]]:
        """Have the channels' videos looked for: they show the streams that began and ended since the last round."""
        before = row["last_snapshot_at"]
        if before is None or now - before <= ROUNDS_APART * self._poll_every or not polled.channels:
            return ()
        look_for_videos(connection, list(polled.channels), now)
        gap = f"{before:%Y-%m-%d %H:%M} to {now:%Y-%m-%d %H:%M} UTC"
        return [("unseen", f"nobody asked from {gap}: of streams within that time only videos and EventSub tell")]


class TwitchStreamsInCampaigns(_StreamPolling):
    """Channels that a running campaign names, of those that are watched: more often than the others."""

    name = "twitch.streams_in_campaigns"

    def _wanted(self, connection: Connection, now: datetime) -> Wanted:
        return Wanted(channels=[channel.external_id for channel in watched(connection, now) if channel.in_campaign])

    def _unseen(
        self,
        connection: Connection,  # noqa: ARG002
        row: RowMapping,  # noqa: ARG002
        polled: Round,  # noqa: ARG002
        now: datetime,  # noqa: ARG002
    ) -> Sequence[tuple[str, str]]:
        """Say nothing: what is missed here, the rounds over all channels tell."""
        return ()


_ON_AIR = (
    select(Channel.external_id)
    .join(StreamSession, StreamSession.channel_id == Channel.id)
    .where(Channel.service == SERVICE, StreamSession.ended_at.is_(None))
)
# A stream names its category, without a box art.
_WITHOUT_BOX_ART = (
    select(GameExternalId.external_id)
    .join(Game, Game.id == GameExternalId.game_id)
    .join(StreamSession, StreamSession.game_id == Game.id)
    .where(GameExternalId.service == SERVICE, Game.box_art_url.is_(None), StreamSession.ended_at.is_(None))
    .distinct()
    .limit(BOX_ARTS_AT_ONCE)
)
_BEFORE = bindparam("before", type_=DateTime(timezone=True))
_USERS = (
    select(Channel.external_id)
    .where(
        Channel.id == func.any(bindparam("ids", type_=ARRAY(BigInteger))),
        or_(Channel.checked_at.is_(None), due(Channel.checked_at, _BEFORE, USERS_EVERY)),
    )
    .order_by(Channel.checked_at.nulls_first(), Channel.id)
    .limit(USERS_AT_ONCE)
)
_CHECKED = (
    update_rows(Channel)
    .where(Channel.service == SERVICE, Channel.external_id == func.any(bindparam("external_ids", type_=ARRAY(Text))))
    .values(checked_at=bindparam("now", type_=DateTime(timezone=True)))
)


def _note_asked(connection: Connection, external_ids: Sequence[str], now: datetime) -> None:
    """Note when users were asked for: one that Twitch does not know (any more) is not asked for in every round."""
    if external_ids:
        connection.execute(_CHECKED, {"external_ids": list(external_ids), "now": now})
