"""Podcasts in the published folder: their files lie beside them, private ones under names that nobody can guess."""

import json
import shutil
import tempfile
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select, text, update

from feeds.links import ensure_link, find_link, list_links, rotate_link
from feeds.podcasts.addresses import public_page
from feeds.podcasts.marking import mark_sounds
from feeds.podcasts.standing import ensure_podcast
from models import Feed, Playlist, Show, Sound
from models.errors import UsageError
from models.vault import Vault
from tests.feeds.podcasts.station import Station, enclosures, picture, tone
from tests.feeds.world import BASE_URL, NOON

VTT = b"WEBVTT\n\n00:00.000 --> 00:01.500\nAhoy &amp; welcome\n"
CHAPTERS = [
    {"start": 0, "title": "Harbour", "url": "https://example.com/harbour", "image_url": "https://example.com/h.jpg"},
    {"start": 3723.5, "title": "Open sea"},
]


def test_a_public_show_lies_in_the_open_with_all_that_it_leads_to(station: Station) -> None:
    sound = station.sound(
        chapters=CHAPTERS,
        transcripts=[{"language": "en", "format": "vtt", "path": station.file("transcripts/a.vtt", VTT)}],
        artwork=station.file("artwork/a.jpg", picture()),
    )
    station.show("Captain Brine", sound)

    assert station.publish().failures == []

    (feed,) = station.feeds()
    assert feed.startswith("shows/captain-brine-")
    folder = feed.removesuffix(".rss.xml")
    names = station.files(folder)
    (enclosure,) = enclosures(station.feed())
    assert (station.world.root / enclosure).read_bytes() == tone(pitch=301)
    assert enclosure.rpartition("/")[0] == folder
    endings = sorted(name.partition(".")[2] for name in names)
    assert endings == ["chapters.json", "en.srt", "en.vtt", "html", "jpg", "jpg", "mp3"]
    assert f"{folder}.html" in station.world.files()
    chapters = json.loads(next(data for name, data in names.items() if name.endswith(".chapters.json")))
    assert [(part["startTime"], part["title"]) for part in chapters["chapters"]] == [
        (0, "Harbour"),
        (3723.5, "Open sea"),
    ]
    srt = next(data for name, data in names.items() if name.endswith(".srt")).decode()
    assert srt.startswith("1\n00:00:00,000 --> 00:00:01,500\nAhoy & welcome")
    assert f"{feed}" in station.world.text("feeds.opml")
    assert folder in station.world.text("feeds.html")


def test_the_page_of_a_sound_has_an_address_where_a_podcast_that_has_it_is_public(station: Station) -> None:
    hidden, listed, shown = (station.sound(title) for title in ("Hidden", "Listed", "Shown"))
    station.show("Diary", hidden, listed, shown, is_public=False)
    station.playlist("Best", listed, shown)
    station.show("Captain Brine", shown)
    station.publish()
    with station.world.engine.connect() as connection:
        pages = [public_page(connection, BASE_URL, sound) for sound in (hidden, listed, shown)]
    assert pages[0] is None
    assert [(page or "").removeprefix(BASE_URL).split("/")[1] for page in pages[1:]] == ["playlists", "shows"]
    paths = [(page or "").removeprefix(f"{BASE_URL}/") for page in pages[1:]]
    assert all((station.world.root / path).is_file() for path in paths)


def test_a_sound_is_linked_and_not_copied_and_others_may_read_it(station: Station) -> None:
    station.show("Captain Brine", station.sound())

    station.publish()

    (enclosure,) = enclosures(station.feed())
    status = (station.world.root / enclosure).stat()
    assert (status.st_nlink, status.st_mode & 0o777) == (2, 0o644)


def test_a_private_show_stands_in_no_list_and_its_name_in_no_row(station: Station) -> None:
    show = station.show("Captain Brine", station.sound(), is_public=False)

    station.publish()

    (feed,) = station.feeds()
    name = feed.split("/")[1]
    assert feed.startswith("private/")
    assert feed.endswith("/show.rss.xml")
    assert [each.get("href") for each in station.feed().iter("{*}block")] == [None, None]
    for path in ("feeds.opml", "feeds.html", "search.json", "index.html"):
        assert "captain-brine" not in station.world.text(path)
        assert name not in station.world.text(path)
    with station.world.engine.connect() as connection:
        assert connection.scalars(select(Feed.path).where(Feed.show_id == show)).one() == "private/show-1"
        assert find_link(connection, "captain brine") == find_link(connection, "show")


def test_a_name_that_is_rotated_gives_nothing_any_more(station: Station) -> None:
    station.show("Captain Brine", station.sound(), is_public=False)
    station.publish()
    before, guids = station.feeds(), station.feed().xpath("//guid/text()")
    folder = station.world.root / before[0].rpartition("/")[0]

    with station.world.engine.begin() as connection:
        (line,) = list_links(connection, live=True)
        assert (line.opens, line.show) == ("show", "Captain Brine")
        rotate_link(connection, Vault.open(station.key_file), line.id, NOON)
    station.publish()

    assert not folder.exists()
    assert station.feeds() != before
    assert station.feed().xpath("//guid/text()") == guids


def test_a_show_that_becomes_private_leaves_nothing_in_the_open_and_is_the_same_podcast(station: Station) -> None:
    show = station.show("Captain Brine", station.sound())
    station.publish()
    guid = station.feed().findtext("channel/{*}guid")
    station.world.add(Show, public_id="00000000-0000-4000-8000-00000000ffff", name="b", name_key="b", title="b",
                      is_public=True, since=NOON, added_at=NOON)  # fmt: skip

    station.change(Show, show, is_public=False)
    station.publish(packings=("gzip",))
    assert [path for path in station.world.files() if path.startswith("shows/captain")] == []
    private = next(path for path in station.feeds() if path.startswith("private/"))

    station.change(Show, show, is_public=True)
    station.publish()
    assert not (station.world.root / private).exists()
    assert not (station.world.root / private).parent.exists()
    station.change(Show, show, is_public=False)
    station.publish()
    again = next(path for path in station.feeds() if path.startswith("private/"))
    assert again != private
    assert f"<podcast:guid>{guid}</podcast:guid>" in station.world.text(again)


@pytest.mark.parametrize("is_public", [True, False])
def test_a_show_that_is_removed_is_gone_with_its_files(station: Station, is_public: bool) -> None:
    show = station.show("Captain Brine", station.sound(), is_public=is_public)
    station.publish()

    station.change(Show, show, removed_at=NOON)
    station.publish()

    assert station.feeds() == []
    assert [path for path in station.world.files() if path.startswith(("shows/", "private/"))] == []
    with station.world.engine.connect() as connection:
        assert list_links(connection, live=True) == []
        with pytest.raises(UsageError, match="no show"):
            ensure_podcast(connection, lambda: Vault.open(station.key_file), "show", show, NOON)


def test_an_episode_that_is_let_go_takes_its_files_along(station: Station) -> None:
    first, second = station.sound("First"), station.sound("Second", at=NOON + timedelta(hours=1), chapters=CHAPTERS)
    show = station.show("Captain Brine", first, second)
    station.publish()
    gone = next(enclosures(station.feed()))

    station.let_go(show, second)
    station.publish()

    assert station.feed().xpath("//item/title/text()") == ["First"]
    assert not (station.world.root / gone).exists()
    folder = gone.rpartition("/")[0]
    assert not [name for name in station.files(folder) if name.endswith(".chapters.json")]


def test_new_bytes_get_a_new_address_and_the_episode_keeps_its_guid(station: Station) -> None:
    sound = station.sound()
    station.show("Captain Brine", sound)
    station.publish()
    (before,), guids = enclosures(station.feed()), station.feed().xpath("//guid/text()")

    station.render(sound, tone(pitch=900))
    station.publish()

    (after,) = enclosures(station.feed())
    assert before != after
    assert not (station.world.root / before).exists()
    assert station.feed().xpath("//item/enclosure/@length") == [str(len(tone(pitch=900)))]
    assert station.feed().xpath("//guid/text()") == guids


def test_a_sound_whose_file_is_gone_is_left_out_until_it_is_back(station: Station) -> None:
    sound = station.sound("Lost")
    station.show("Captain Brine", sound, station.sound("Kept"))
    (lost,) = station.data.glob(f"sounds/renditions/*/{_digest(station, sound)}.mp3")
    kept = lost.read_bytes()
    lost.unlink()

    assert station.publish().failures == []
    assert station.feed().xpath("//item/title/text()") == ["Kept"]

    lost.write_bytes(kept)
    station.change(Sound, sound, title="Found again")
    station.publish()
    assert sorted(station.feed().xpath("//item/title/text()")) == ["Found again", "Kept"]


def _digest(station: Station, sound: int) -> str:
    with station.world.engine.connect() as connection:
        return str(
            connection.scalar(text("SELECT encode(digest, 'hex') FROM renditions WHERE sound_id = :id"), {"id": sound})
        )


def test_a_path_that_leads_out_of_the_data_directory_is_published_nowhere(station: Station) -> None:
    secret = station.data.parent / "secret.mp3"
    secret.write_bytes(b"secret")
    sound = station.sound()
    with station.world.engine.begin() as connection:
        connection.execute(text("UPDATE renditions SET path = '../secret.mp3', size = 6"))
    station.show("Captain Brine", sound, artwork="../secret.mp3")
    link = station.sound("A link", artwork="sounds/link.jpg")
    (station.data / "sounds/link.jpg").symlink_to(secret)
    station.show("Another", link)

    station.publish()

    assert [path for path, data in station.world.files().items() if data == b"secret"] == []


def test_a_playlist_has_its_order_and_moves_with_its_rows(station: Station) -> None:
    old, new = station.sound("Old", at=NOON - timedelta(days=1)), station.sound("New")
    playlist = station.playlist("Sea shanties", old, new)
    station.publish()

    assert station.feed().xpath("//item/title/text()") == ["Old", "New"]
    assert station.feed().findtext("channel/{http://www.itunes.com/dtds/podcast-1.0.dtd}type") == "serial"

    station.change(Playlist, playlist, name="Shanties")
    station.publish()
    assert station.feeds()[0].startswith("playlists/sea-shanties-")
    assert station.feed().findtext("channel/title") == "Shanties"


def test_all_sounds_of_a_person_have_a_feed_of_their_own(station: Station) -> None:
    station.sound("An episode")
    effect = station.sound("An effect", kind="effect", at=NOON - timedelta(hours=1))
    with station.world.engine.begin() as connection:
        connection.execute(text("UPDATE renditions SET profile = 'effects' WHERE sound_id = :id"), {"id": effect})
        folder = ensure_link(connection, Vault.open(station.key_file), "sounds", NOON, title="My sounds")
    station.publish()

    assert station.feeds() == [f"{folder}/sounds.rss.xml"]
    assert station.feed().xpath("//item/title/text()") == ["An episode", "An effect"]

    station.sound("A third", at=NOON + timedelta(hours=1))
    station.publish()
    assert station.feed().xpath("//item/title/text()")[0] == "A third"


def test_a_second_publish_writes_nothing(station: Station) -> None:
    station.show("Captain Brine", station.sound(chapters=CHAPTERS), is_public=False)
    station.show("In the open", station.sound())
    station.publish()
    before = station.world.files()

    summary = station.publish(everything=True)

    assert station.world.files() == before
    assert summary.failures == []
    assert station.publish().written == 0


@pytest.fixture
def elsewhere(station: Station) -> Iterator[Path]:
    """A folder on another file system than the published one."""
    here = station.data.stat().st_dev
    other = [folder for folder in ("/dev/shm", "/var/tmp", "/tmp") if Path(folder).is_dir()]
    other = [folder for folder in other if Path(folder).stat().st_dev != here]
    if not other:
        pytest.skip("this machine has one file system")
    with tempfile.TemporaryDirectory(dir=other[0]) as folder:
        yield Path(folder)


def test_sounds_on_another_disk_are_copied_with_their_time(station: Station, elsewhere: Path) -> None:
    station.show("Captain Brine", station.sound())
    shutil.copytree(station.data, elsewhere, dirs_exist_ok=True)
    station.data = elsewhere

    assert station.publish().failures == []

    (enclosure,) = enclosures(station.feed())
    published = station.world.root / enclosure
    (original,) = station.data.glob("sounds/renditions/*/*.mp3")
    assert published.read_bytes() == original.read_bytes()
    assert (published.stat().st_nlink, published.stat().st_mode & 0o777) == (1, 0o644)
    assert published.stat().st_mtime_ns == original.stat().st_mtime_ns
    assert station.publish(everything=True).failures == []


def test_without_the_key_file_private_shows_are_reported_and_public_ones_written(station: Station) -> None:
    station.show("Captain Brine", station.sound(), is_public=False)
    station.show("In the open", station.sound())
    station.key_file.write_text("no key")

    summary = station.publish()

    assert [failure.path for failure in summary.failures] == ["private"]
    assert [path.partition("/")[0] for path in station.feeds()] == ["shows"]


def test_a_feed_is_written_only_where_a_sound_of_it_changed(station: Station) -> None:
    sound = station.sound()
    station.show("Captain Brine", sound)
    station.show("Another", station.sound("Other"))
    station.publish()

    station.change(Sound, sound, title="A better title")
    with station.world.engine.connect() as connection:
        marked = list(connection.scalars(select(Feed.title).where(Feed.version != Feed.written_version)))

    assert marked == ["Captain Brine"]


def test_where_it_lies_is_known_as_soon_as_it_is_added(station: Station) -> None:
    public, private = station.show("Captain Brine"), station.show("Hidden", is_public=False)
    with station.world.engine.begin() as connection:
        paths = [
            ensure_podcast(connection, lambda: Vault.open(station.key_file), "show", show, NOON)
            for show in (public, private)
        ]
    station.publish()
    assert sorted(f"{path}.rss.xml" for path in paths) == station.feeds()
    assert f"{BASE_URL}/{paths[0]}.rss.xml" in station.world.text(f"{paths[0]}.rss.xml")


def test_what_opened_a_file_is_shown_nowhere_and_a_language_leads_nowhere(station: Station) -> None:
    vtt = station.file("transcripts/a.vtt", VTT)
    languages = ("../../../x", "en/../..", "en", "x" * 80)
    sound = station.sound(
        service="generic", external_id="1", webpage_url="https://cdn.example/a.mp3?token=hunter2#hunter2",
        transcripts=[{"language": each, "format": "vtt", "path": vtt} for each in languages],
    )  # fmt: skip
    watched = station.sound(
        service="youtube", external_id="2", webpage_url="https://www.youtube.com/watch?v=abc",
        transcripts=[{"language": "de", "format": "vtt", "path": station.file("transcripts/b.vtt", b"<html>")}],
    )  # fmt: skip
    station.show("Captain Brine", sound, watched)

    assert station.publish().failures == []

    assert [path for path, data in station.world.files().items() if b"hunter2" in data] == []
    notes = "".join(station.feed().xpath("//*[local-name()='encoded']/text()"))
    assert "https://cdn.example/a.mp3" in notes
    assert "watch?v=abc" in notes
    assert len(list(station.feed().iter("{*}transcript"))) == 2


def test_chapters_are_in_their_order_and_one_for_each_place(station: Station) -> None:
    parts = [{"start": 60, "title": "Third"}, {"start": 0, "title": "First"}, {"start": 0, "title": "Second"}]
    station.show("Captain Brine", station.sound(chapters=parts, muted=[{"start": 1, "seconds": 2}]))
    station.publish()
    assert station.feed().xpath("//*[local-name()='chapter']/@title") == ["Second", "Third"]


def test_a_sound_that_is_rendered_again_stays_on_the_air_meanwhile(station: Station) -> None:
    station.show("Captain Brine", station.sound())
    with station.world.engine.begin() as connection:
        connection.execute(text("UPDATE renditions SET state = 'pending'"))
    station.publish()
    assert station.feed().xpath("//item/title/text()") == ["Wipe day"]


def test_a_run_that_was_killed_leaves_nothing_and_the_sound_is_whole(station: Station) -> None:
    station.show("Captain Brine", station.sound())
    (original,) = station.data.glob("sounds/renditions/*/*.mp3")
    drafts = station.world.root / ".lootwire-drafts"
    drafts.mkdir(parents=True)
    (drafts / "0123456789abcdef.tmp").hardlink_to(original)
    before = original.read_bytes()

    assert station.publish().swept == 1

    assert original.read_bytes() == before
    assert not drafts.exists()


def test_what_is_removed_is_gone_from_every_podcast(station: Station) -> None:
    sound = station.sound()
    station.show("Captain Brine", sound)
    station.publish()
    with station.world.engine.begin() as connection:
        connection.execute(update(Sound).values(removed_at=NOON))
        mark_sounds(connection, [sound])
    station.publish()
    assert station.feed().xpath("//item") == []
