"""Lists of addresses and clips of channels are asked for at their times, and what is new on them is wanted."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, insert, select, update

from models import Channel, Episode, Extraction, Show
from pipeline.embedded import Servers
from pipeline.runtime.runtime import utc_now
from pipeline.sound.downloading import Limits
from pipeline.sound.downloading.fetching import LOOPBACK_PORTS
from pipeline.sound.following.shows import Listed, look_at_lists
from pipeline.sound.store.shows import ShowOptions, add_show
from tests.pipeline.services.twitch.helix_setting import HelixSetting, helix_setting
from tests.pipeline.sound.media_server import MediaServer
from tests.twitch import LocalTwitch
from tests.twitch.world import Clip

FEED = """<?xml version="1.0"?>
<rss version="2.0"><channel><title>Talks</title><link>{url}/talks</link>{items}</channel></rss>
"""
ITEM = "<item><title>Talk {number}</title><link>{url}/{number}.mp3</link></item>"


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[MediaServer]:
    with MediaServer() as running:
        monkeypatch.setenv(LOOPBACK_PORTS, str(running.port))
        yield running


def feed(server: MediaServer, count: int) -> str:
    items = "".join(ITEM.format(number=number, url=server.address) for number in range(count))
    return server.file("/talks.xml", FEED.format(url=server.address, items=items).encode(), "application/rss+xml")


def look(engine: Engine, tmp_path: Path, setting: HelixSetting | None = None) -> list[Listed]:
    return list(
        look_at_lists(
            engine,
            tmp_path,
            utc_now,
            pause=timedelta(0),
            open_helix=None if setting is None else lambda _client: setting.helix,
            limits=Limits(keep_free=0),
        )
    )


def make_due(engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(update(Show).values(next_due_at=utc_now()))


def wanted(engine: Engine) -> list[str]:
    with engine.connect() as connection:
        query = select(Extraction.url).join(Episode, Episode.extraction_id == Extraction.id).order_by(Extraction.url)
        return [url.rpartition("/")[2] for url in connection.scalars(query)]


def test_an_address_is_listed_when_it_is_due_and_each_entry_wanted_once(
    engine: Engine, server: MediaServer, tmp_path: Path
) -> None:
    with engine.begin() as connection:
        add_show(connection, "talks", url=feed(server, 2), now=utc_now())
    assert look(engine, tmp_path) == [Listed("talks", wanted=2)]
    assert look(engine, tmp_path) == []
    feed(server, 3)
    make_due(engine)
    assert look(engine, tmp_path) == [Listed("talks", wanted=1)]
    assert wanted(engine) == ["0.mp3", "1.mp3", "2.mp3"]


def test_what_failed_or_was_let_go_is_not_wanted_anew_while_the_list_has_it(
    engine: Engine, server: MediaServer, tmp_path: Path
) -> None:
    with engine.begin() as connection:
        add_show(connection, "talks", url=feed(server, 1), now=utc_now())
    look(engine, tmp_path)
    with engine.begin() as connection:
        connection.execute(update(Extraction).values(state="failed", is_permanent=True))
    make_due(engine)
    assert look(engine, tmp_path) == [Listed("talks")]
    with engine.connect() as connection:
        assert len(connection.scalars(select(Extraction.id)).all()) == 1


def test_what_is_wrong_with_an_address_is_kept_until_it_works(
    engine: Engine, server: MediaServer, tmp_path: Path
) -> None:
    with engine.begin() as connection:
        add_show(connection, "talks", url=server.status("/talks.xml", 404), now=utc_now())
    [listed] = look(engine, tmp_path)
    assert listed.problem
    with engine.connect() as connection:
        assert connection.scalar(select(Show.problem)) == listed.problem
    feed(server, 1)
    make_due(engine)
    assert look(engine, tmp_path) == [Listed("talks", wanted=1)]
    with engine.connect() as connection:
        assert connection.scalar(select(Show.problem)) is None


@pytest.fixture
def setting(servers: Servers, tmp_path: Path) -> Iterator[HelixSetting]:
    with LocalTwitch() as twitch, helix_setting(twitch, servers, tmp_path) as running:
        yield running


def test_clips_of_a_channel_are_wanted_where_a_show_asks_for_them(
    engine: Engine, setting: HelixSetting, tmp_path: Path
) -> None:
    user = setting.twitch.add_user("ann")
    for number in range(2):
        setting.twitch.add_clip("ann", Clip(f"Clip{number}", f"Ace {number}", utc_now(), 20.0, views=number))
    with engine.begin() as connection:
        row = {"service": "twitch", "external_id": user.id, "login": "ann", "first_seen_at": utc_now()}
        channel_id = connection.execute(insert(Channel).values(row).returning(Channel.id)).scalar_one()
        options = ShowOptions(kinds=("clip",), title_has="ace 1")
        add_show(connection, "aces", channel_id=channel_id, options=options, now=utc_now() - timedelta(minutes=1))
    assert look(engine, tmp_path, setting) == [Listed("aces", wanted=1)]
    assert wanted(engine) == ["Clip1"]
    make_due(engine)
    assert look(engine, tmp_path, setting) == [Listed("aces")]
    make_due(engine)
    assert look(engine, tmp_path)[0].problem == "clips need TWITCH_CLIENT_ID and its secret"


def test_addresses_of_a_list_are_without_the_notes_that_yt_dlp_hides_in_them(
    engine: Engine, server: MediaServer, tmp_path: Path
) -> None:
    item = f'<item><guid>a</guid><title>Talk</title><enclosure url="{server.url("/a.mp3")}" type="audio/mpeg"/></item>'
    url = server.file("/talks.xml", FEED.format(url=server.address, items=item).encode(), "application/rss+xml")
    with engine.begin() as connection:
        add_show(connection, "talks", url=url, now=utc_now())
    look(engine, tmp_path)
    assert wanted(engine) == ["a.mp3"]


def test_what_a_list_says_of_a_bare_file_is_kept_for_its_extraction(
    engine: Engine, server: MediaServer, tmp_path: Path
) -> None:
    item = f"<item><title>Talk</title><link>{server.url('/a.mp3')}</link>{{}}</item>"
    item = item.format("<pubDate>Mon, 23 Nov 2026 10:00:00 GMT</pubDate>")
    url = server.file("/talks.xml", FEED.format(url=server.address, items=item).encode(), "application/rss+xml")
    with engine.begin() as connection:
        add_show(connection, "talks", url=url, now=utc_now(), since=utc_now() - timedelta(days=9))
    look(engine, tmp_path)
    with engine.connect() as connection:
        title, info = connection.execute(select(Extraction.title, Extraction.info)).one()
    assert (title, info["title"], info["published_at"]) == ("Talk", "Talk", "2026-11-23T10:00:00Z")
