"""Worlds with a history: rows in every exported table."""

from collections import Counter
from datetime import timedelta

from sqlalchemy import Engine, insert, select

from models import Channel, Follow, Game, Source
from models import Link as PersonalLink
from pipeline.catalogue.records import UserRecord
from pipeline.catalogue.storing import store_users
from pipeline.channels import clock
from pipeline.channels.following.follows import follow, follow_category, follow_drops
from pipeline.channels.store.videos import note_looked, store_videos
from pipeline.channels.streams.observations import Observation
from pipeline.channels.take_in import take_in
from pipeline.drops.badges import BadgeSubjects
from pipeline.events.append import append_events
from pipeline.games.store.links import Link, link
from pipeline.services.twitch.records import BadgeRecord, VideoRecord
from tests.pipeline.builders import (
    END,
    NOON,
    campaign,
    campaigns,
    channel,
    chzzk,
    drop,
    drops,
    encode,
    kick,
    kick_campaign,
    quest,
)
from tests.pipeline.channels.observations import (
    ANN,
    FLAP,
    LIGHTS,
    ORBIT,
    RUNNER,
    at,
    game,
    info,
    live,
    offline,
    polled,
    stream,
    updated,
)
from tests.pipeline.world import CHZZK, KICK, REWARDS, Ingesting

BOB, STRANGER = "502", "503"
MOSS = {"id": "org-moss", "name": "Moss & Co"}


def live_through_campaigns(world: Ingesting) -> None:
    """Campaigns of all services come, change, are withdrawn and end."""
    d = campaign("d", channels=[1, 2, 3], drops=[drop("one", 30, "Hat"), drop("two", 90, "Hat", "Coat")])
    world.ingest(drops(d, *campaigns("a", "b", "c"), campaign("e", end=NOON + timedelta(hours=2))))
    fewer = campaign("d", channels=[2, channel(4, "näme", None)], drops=[drop("one", 30, "Scarf")], name="Другое")
    world.ingest(drops(fewer, *campaigns("a", "b"), campaign("e", end=NOON + timedelta(hours=2))), hours=1)
    world.ingest(drops(fewer, *campaigns("a", "b", game_id="7002")), hours=2)
    world.ingest(drops(fewer, *campaigns("a", "b", "c")), hours=1)
    # What came back is forgotten, so that what goes is believed to be gone.
    world.set_source(returns={})
    for _ in range(4):
        world.ingest(drops(fewer, *campaigns("a", "c", owner=MOSS)), hours=1)
    world.set_source(returns={NOON.date().isoformat(): 3600})
    world.ingest(encode([quest(), quest("over", end=NOON + timedelta(hours=9))]), source=REWARDS)
    world.ingest(encode([quest()]), source=REWARDS, hours=2)
    world.ingest(kick(kick_campaign(), kick_campaign("soon", status="upcoming", start=END)), source=KICK, minutes=5)
    world.ingest(chzzk(categoryId="BrassHarbour", categoryValue="항구의 등불"), source=CHZZK, minutes=5)
    world.set_source("chzzk.drops", cursor={"highest": 1201})


def live_through_streams(world: Ingesting) -> None:
    """Ann's first stream breaks off and goes on, Bob's title flaps, a stranger's is listed for its category."""
    _follow_all(world)
    hear(world, 0, live(0, info=info()))
    hear(world, 5, polled(5, stream(viewers=120), channels=[ANN, BOB]))
    hear(world, 10, updated(10, "Lamps & moths", ORBIT))
    hear(world, 15, polled(15, stream(title="Lamps & moths", playing=ORBIT, viewers=80), channels=[ANN, BOB]))
    hear(world, 20, offline(20))
    hear(world, 25, live(25, "s2"))
    hear(world, 30, polled(30, stream(stream_id="s2", start=25, playing=None, viewers=None, tags=None)))
    hear(world, 35, polled(35, stream(stream_id="s2", start=25, viewers=150)))
    hear(world, 60, offline(60))
    advance_streams(world.engine, 80)
    hear(world, 90, polled(90, stream(STRANGER, "s3", 60, playing=RUNNER, viewers=9000), channels=[]))
    hear(world, 200, polled(200, stream(BOB, "s9", 180, title=None, viewers=7), channels=[ANN, BOB]))
    hear(world, 210, *[updated(210 + number, title, key=BOB) for number, title in enumerate(("A", "B", "A", "B"))])
    _record_videos(world)


def live_through_the_rest(world: Ingesting) -> None:
    """Badges come and go, games are linked with IGDB, and sources keep cursors that an export leaves out."""
    badges = [
        BadgeRecord(set_id="lamp", version=version, title=f"Lamp {version}", image_url="https://art.example.org/lamp")
        for version in ("1", "2")
    ]
    with world.engine.begin() as connection:
        subjects = BadgeSubjects(connection, "twitch")
        stored = subjects.store(badges, NOON)
        append_events(connection, stored.events, source_id=None, silent=True, now=NOON)
        subjects.withdraw(["lamp/2"], at(300))
        games = dict(connection.execute(select(Game.name, Game.id)).all())
        links = [
            Link(game_id=games["Harbour Lights"], igdb_id=1020, how="name", confidence=0.75),
            Link(game_id=games["항구의 등불"], igdb_id=1020, how="hand", pinned_at=NOON),
            Link(game_id=games["Moss Runner"], igdb_id=None, how="hand", pinned_at=NOON),
        ]
        link(connection, links)
        # Of a personal feed; without its key file it opens nothing.
        link_row = {"opens": "health", "seed": b"seed", "digest": b"digest", "made_at": NOON}
        connection.execute(insert(PersonalLink).values(link_row))
        times = {"next_due_at": NOON, "first_fetched_at": NOON, "last_snapshot_at": NOON}
        connection.execute(
            insert(Source),
            [
                {"name": "igdb.mirror", "service": "igdb", "cursor": {"completed_at": "2031-03-04T12:00:00Z"}, **times},
                {"name": "twitch.eventsub", "service": "twitch", "cursor": {"secret": "fingerprint"}, **times},
            ],
        )


def hear(world: Ingesting, minutes: float, *observations: Observation) -> Counter[str]:
    """Take in observations of streams so many minutes after noon."""
    with world.engine.begin() as connection:
        source_id = connection.scalars(select(Source.id).where(Source.name == "twitch.streams")).one()
        return take_in(connection, observations, at(minutes), source_id=source_id, flap=FLAP)


def advance_streams(engine: Engine, minutes: float) -> Counter[str]:
    """Advance the clock of streams to so many minutes after noon."""
    return clock.advance(engine, at(minutes), FLAP)


def _follow_all(world: Ingesting) -> None:
    yesterday = NOON - timedelta(days=1)
    lights, runner = game(LIGHTS), game(RUNNER)
    assert lights is not None
    assert runner is not None
    with world.engine.begin() as connection:
        connection.execute(insert(Source).values(name="twitch.streams", service="twitch", next_due_at=NOON))
        ann = UserRecord(
            external_id=ANN, login="lampkeeper", description="Lamps.", profile_image_url="https://a.example"
        )
        follow(connection, [ann, UserRecord(external_id=BOB, login="keeper502")], yesterday)
        # Her login has changed since.
        store_users(connection, [UserRecord(external_id=ANN, login="keeper501")], yesterday)
        follow_drops(connection, yesterday)
        follow_category(connection, runner, 5, yesterday)
        lights_id = connection.scalars(select(Game.id).where(Game.name == lights.name)).one()
        connection.execute(insert(Follow).values(kind="game", game_id=lights_id, created_at=yesterday))


def _record_videos(world: Ingesting) -> None:
    videos = [
        VideoRecord(
            external_id=key,
            channel_id=ANN,
            title=f"Video {key}",
            url=f"https://www.twitch.tv/videos/{key}",
            published_at=at(70),
            seconds=3600,
            type="archive" if stream_id else "upload",
            stream_id=stream_id,
        )
        for key, stream_id in (("v2", "s2"), ("v1", None))
    ]
    with world.engine.begin() as connection:
        ids = dict(connection.execute(select(Channel.external_id, Channel.id).where(Channel.service == "twitch")).all())
        store_videos(connection, videos, ids, at(100))
        note_looked(connection, [ids[ANN]], at(100), again_at=at(1540))
