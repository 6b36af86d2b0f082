"""Programs that poll what is published over HTTP, through rebuilds, a restored database and another address.

`reader` (https://reader.readthedocs.io) stands for feed readers; what a calendar program does is done here.
"""

import contextlib
import random
import shutil
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from icalendar import Calendar
from reader import Reader, make_reader
from sqlalchemy import Engine, insert, select
from starlette.routing import Mount
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from feeds.formats import ATOM_ENDING, JSON_ENDING, RSS_ENDING
from feeds.item import guid
from feeds.publish import publish
from models import Event, GameExternalId
from models.details import BenefitLine, CampaignDetail, DropLine, FieldChange, ReleaseDetail, StreamDetail
from pipeline.export.writing import export
from pipeline.importer.run import import_paths
from pipeline.importer.times import time_parser
from pipeline.web.application import Application
from pipeline.web.static import Published
from tests.databases import Databases
from tests.examples import examples, is_campaign
from tests.feeds.world import NOON, Publishing
from tests.pipeline.web.serving import answering

pytestmark = pytest.mark.long

ENDINGS = (RSS_ENDING, ATOM_ENDING, JSON_ENDING)


class Counting:
    """Counts the answers of an application by their status."""

    def __init__(self, application: ASGIApp) -> None:
        self._application = application
        self.answers: Counter[int] = Counter()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def count(message: Message) -> None:
            if message["type"] == "http.response.start":
                self.answers[message["status"]] += 1
            await send(message)

        await self._application(scope, receive, count)


@contextlib.contextmanager
def served(root: Path) -> Iterator[tuple[str, Counting]]:
    application = Counting(Published(root))

    @contextlib.asynccontextmanager
    async def opened() -> AsyncIterator[Application]:
        yield Application([Mount("/", application)])

    with answering(opened) as address:
        yield address, application


@dataclass
class Story:
    """Things that happen to a few games, a campaign, a channel and release dates, by a die that always falls alike."""

    world: Publishing
    dice: random.Random = field(default_factory=lambda: random.Random(13))  # noqa: S311 - the same each time
    number: int = 0
    campaigns: list[tuple[int, int, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.games = [self._game(name) for name in ("Gloomtide", "Rook & <Rapier>", "대항해")]
        self.channel = self.world.channel()

    def _game(self, name: str) -> int:
        game = self.world.game(name)
        known_as = {"service": "twitch", "external_id": name, "game_id": game}
        with self.world.engine.begin() as connection:
            connection.execute(insert(GameExternalId).values(known_as))
        return game

    def goes_on(self) -> None:
        self.number += 1
        self.world.now = NOON + timedelta(minutes=7 * self.number)
        what = self.dice.choice([self._begin, self._change, self._withdraw, self._stream, self._release])
        what()

    def _detail(self, name: str, **changed: Any) -> CampaignDetail:
        values: dict[str, Any] = {
            "name": name,
            "game": "Gloomtide",
            "url": "https://example.com/details",
            "start_at": NOON,
            "end_at": NOON + timedelta(days=9, minutes=self.number),
            "drops": (DropLine(required_minutes=60, benefits=(BenefitLine(name=f"Lantern & {self.number}"),)),),
        }
        return CampaignDetail(**values | changed)

    def _begin(self) -> None:
        name = f"Trawl {self.number}"
        game = self.dice.choice(self.games)
        campaign = self.world.campaign(name, game_id=game)
        self.campaigns.append((campaign, game, name))
        self.world.event(name, campaign_id=campaign, game_id=game, detail=self._detail(name))

    def _a_campaign(self) -> tuple[int, int, str]:
        if not self.campaigns:
            self.campaigns.append((self.world.campaign("The first", game_id=self.games[0]), self.games[0], "The first"))
        return self.dice.choice(self.campaigns)

    def _change(self) -> None:
        campaign, game, name = self._a_campaign()
        change = FieldChange(field="end_at", old="2026-11-29T12:00:00+00:00", new="2026-11-29T13:00:00+00:00")
        detail = self._detail(name, changes=(change,))
        self.world.event(name, kind="campaign.changed", campaign_id=campaign, game_id=game, detail=detail)

    def _withdraw(self) -> None:
        campaign, game, name = self._a_campaign()
        kind = self.dice.choice(["campaign.withdrawn", "campaign.returned"])
        self.world.event(name, kind=kind, campaign_id=campaign, game_id=game, detail=self._detail(name))

    def _stream(self) -> None:
        detail = StreamDetail(channel="Capt. Brine", channel_login="captbrine", name=f"Stream {self.number}")
        kind = self.dice.choice(["stream.online", "stream.offline"])
        self.world.event(f"Live {self.number}", kind=kind, channel_id=self.channel, detail=detail)

    def _release(self) -> None:
        self.world.event(
            f"Release {self.number}",
            kind="release.moved",
            service="igdb",
            game_id=self.games[0],
            key=f"release.moved:igdb/5:{self.number}",
            detail=ReleaseDetail(
                game="Gloomtide", platforms=("PC",), when=f"2027-01-{1 + self.number % 28:02}", when_before="2027"
            ),
        )


class CalendarProgram:
    """Keeps the entries of a calendar by their UID, and takes what it gets for an update if the SEQUENCE has grown."""

    def __init__(self) -> None:
        self.entries: dict[str, tuple[int, bytes]] = {}

    def take(self, data: bytes) -> None:
        # Its types allow each property to be of any kind.
        events: list[Any] = list(Calendar.from_ical(data).walk("VEVENT"))
        assert len({event["UID"] for event in events}) == len(events), "the same entry twice"
        for event in events:
            sequence, written = int(event["SEQUENCE"]), event.to_ical()
            before, known = self.entries.get(str(event["UID"]), (-1, b""))
            # What has changed is newer, and what is as old is the same.
            assert (sequence > before) if written != known else (sequence == before), event
            self.entries[str(event["UID"])] = (sequence, written)
        assert self.entries.keys() == {str(event["UID"]) for event in events}, "an entry has gone"


class Subscriber:
    """A person with a feed reader, who has subscribed to a feed in each format, and with a calendar."""

    def __init__(self, reader: Reader, address: str, path: str) -> None:
        self.reader, self.path, self.address = reader, path, address
        self.seen: dict[str, Counter[str]] = {ending: Counter() for ending in ENDINGS}
        self.calendar = CalendarProgram()
        for ending in ENDINGS:
            reader.add_feed(self._url(ending))

    def _url(self, ending: str) -> str:
        return f"{self.address}/{self.path}{ending}"

    def polls(self) -> int:
        """Ask for every format; returns how many new entries there were, as many in each."""
        new = set()
        for ending in ENDINGS:
            url = self._url(ending)
            before = {entry.id for entry in self.reader.get_entries(feed=url)}
            update = self.reader.update_feed(url)
            assert self.reader.get_feed(url).last_exception is None
            after = {entry.id for entry in self.reader.get_entries(feed=url)}
            self.seen[ending].update(after - before)
            assert len(after - before) == (update.new if update else 0)
            new.add(len(after - before))
        self.calendar.take(httpx.get(self._url(".ics"), timeout=60).content)
        [count] = new
        return count

    def moves_to(self, address: str) -> None:
        for ending in ENDINGS:
            old = self._url(ending)
            self.reader.change_feed_url(old, f"{address}/{self.path}{ending}")
        self.address = address


def guids(engine: Engine) -> set[str]:
    with engine.connect() as connection:
        return {guid(key) for key in connection.scalars(select(Event.event_key))}


@contextlib.contextmanager
def restored(world: Publishing, databases: Databases, folder: Path) -> Iterator[None]:
    """Export everything and import it into another database, whose engine the world then has."""
    path = folder / "catalogue.jsonl"
    export(world.engine, "jsonl", path, world.now)
    with databases.new() as engine:
        [*_, summary] = import_paths(engine, (), [path], parse_time=time_parser(), now=lambda: world.now)
        assert not summary.quarantined
        world.engine = engine
        yield


def test_each_change_is_seen_once_through_rebuilds_a_restore_and_another_address(
    world: Publishing, databases: Databases, tmp_path: Path
) -> None:
    story = Story(world)
    # Each is published and asked for: a few are enough where all else is tried as well.
    rebuilds = examples(200) if is_campaign() else 16
    moved_root = tmp_path / "elsewhere"
    with (
        served(world.root) as (address, application),
        served(moved_root) as (new_address, _),
        make_reader(str(tmp_path / "reader.sqlite")) as reader,
    ):

        def rebuild() -> None:
            summary = publish(world.engine, world.root, subscriber.address, world.now)
            assert not summary.failures

        publish(world.engine, world.root, address, world.now)
        subscriber = Subscriber(reader, address, "all")
        assert subscriber.polls() == 0
        application.answers.clear()
        asked = 0
        for number in range(rebuilds):
            happens = number % 4
            for _ in range(happens):
                story.goes_on()
            rebuild()
            assert subscriber.polls() == happens
            asked += happens == 0
        # Three feeds each time; of what nothing happened to, nothing is sent.
        assert application.answers[304] == len(ENDINGS) * asked
        before = guids(world.engine)

        with restored(world, databases, tmp_path):
            shutil.rmtree(world.root)
            rebuild()
            assert subscriber.polls() == 0

            world.root = moved_root
            subscriber.moves_to(new_address)
            rebuild()
            assert subscriber.polls() == 0

        for ending in ENDINGS:
            assert subscriber.seen[ending] == Counter(before), ending
