import errno
import itertools
import os
import textwrap
import threading
from datetime import timedelta
from pathlib import Path

import feedparser
import pytest
from lxml.html import document_fromstring
from sqlalchemy import Engine, text, update
from sqlalchemy.event import listen

from feeds import publish as publishing
from feeds.catalog import mark_all
from feeds.content import Scope, SourceOff
from feeds.formats import formats_of
from feeds.pages.registry import ASSETS_OF_PAGES
from feeds.publish import PublishSummary, publish
from feeds.take_in import TURN
from feeds.write import PublishError
from models import Feed, Source
from models.details import CampaignDetail
from models.locks import hold
from models.names import public_id
from tests.feeds.world import BASE_URL, NOON, OF_CAMPAIGNS, Publishing
from tests.processes import kill_when
from tests.waiting import wait_for

GLOOMTIDE = f"games/gloomtide-{public_id('twitch', 'Gloomtide')}"
PAGES = {
    "index.html",
    "changes.html",
    "releases.html",
    "rewards.html",
    "rewards-index.json",
    "feeds.html",
    "search.json",
}
SITE = {"feeds.opml", *PAGES, *ASSETS_OF_PAGES}


def files_of(*paths: str) -> set[str]:
    """Return the files of the feeds at these paths, in every format, and the pages beside them."""
    scopes: dict[str, Scope] = {"all": "all", "services": "service", "games": "game"}
    return {
        file
        for path in paths
        for file in (
            *(f"{path}{each.ending}" for each in formats_of(scopes.get(path.partition("/")[0], "no_subscriptions"))),
            f"{path}.html",
        )
    }


def test_a_first_run_writes_every_feed_the_page_and_what_it_needs(world: Publishing) -> None:
    world.event(game_id=world.game())

    summary = world.publish()

    feeds = files_of("all", "services/twitch", GLOOMTIDE, "games-first-seen", *OF_CAMPAIGNS)
    assert set(world.files()) == feeds | SITE
    assert summary == PublishSummary(feeds=5, pages=5, written=len(feeds | SITE))
    assert world.marked() == set()


def test_a_second_run_has_nothing_to_do(world: Publishing) -> None:
    world.event(game_id=world.game())
    world.publish()
    before = {path: path.stat().st_mtime_ns for path in world.root.rglob("*")}

    assert world.publish() == PublishSummary()

    assert {path: path.stat().st_mtime_ns for path in world.root.rglob("*")} == before


def test_only_the_feeds_that_an_event_touched_are_rendered(world: Publishing) -> None:
    gloomtide, frostbarrow = world.game("Gloomtide"), world.game("Frostbarrow")
    world.event(game_id=gloomtide)
    world.event(game_id=frostbarrow, service="kick")
    world.publish()
    before = world.files()

    world.event("One more", game_id=gloomtide)
    summary = world.publish()

    changed = {path for path, data in world.files().items() if data != before[path]}
    assert summary.feeds == 4
    touched = files_of("all", "services/twitch", GLOOMTIDE, *OF_CAMPAIGNS)
    # No campaign with an end is there, which is all that calendars show.
    assert changed == {file for file in touched if not file.endswith(".ics")} | {"index.html", "changes.html"}


def test_a_file_whose_bytes_would_not_change_is_left_untouched(world: Publishing) -> None:
    world.event()
    world.publish()
    before = {path: path.stat().st_mtime_ns for path in world.root.rglob("*.xml")}
    with world.engine.begin() as connection:
        mark_all(connection)

    summary = world.publish()

    files = files_of("all", "services/twitch", *OF_CAMPAIGNS)
    # The pages whose state is what it was are not even rendered.
    rendered = files | {"feeds.opml", "index.html"} | set(ASSETS_OF_PAGES)
    assert (summary.feeds, summary.written, summary.unchanged) == (3, 0, len(rendered))
    assert {path: path.stat().st_mtime_ns for path in world.root.rglob("*.xml")} == before


def test_the_same_rows_give_the_same_files_in_another_folder(world: Publishing, tmp_path: Path) -> None:
    for number in range(3):
        world.event(str(number), game_id=world.game(f"Game {number}"))
    world.campaign()
    world.publish()
    first = world.files()

    world.root = tmp_path / "elsewhere"
    world.publish()

    assert world.files() == first


def test_an_emptied_folder_is_filled_again(world: Publishing) -> None:
    world.event(game_id=world.game())
    world.publish()
    first = world.files()
    for path in world.root.rglob("*.*"):
        path.unlink()

    world.publish()

    assert world.files() == first


def test_a_page_that_is_missing_is_written_again_alone(world: Publishing) -> None:
    world.event()
    world.publish()
    (world.root / "index.html").unlink()

    assert world.publish() == PublishSummary(written=1)


def test_another_address_renders_every_feed_anew(world: Publishing) -> None:
    world.event(game_id=world.game())
    world.publish()

    summary = publish(world.engine, world.root, "https://loot.example", NOON)

    assert summary.feeds == 5
    assert f"https://loot.example/{GLOOMTIDE}.rss.xml" in world.text(f"{GLOOMTIDE}.rss.xml")
    assert publish(world.engine, world.root, "https://loot.example", NOON) == PublishSummary()


def test_the_page_follows_when_a_source_begins_to_fail(world: Publishing) -> None:
    world.event()
    world.source("kick-api", last_success_at=NOON)
    world.publish()
    assert "failing since" not in world.text("index.html")

    world.fail_source("kick-api")

    assert world.publish().written == 1
    assert "failing since" in world.text("index.html")


def test_the_page_is_written_once_an_hour_for_the_times_it_tells(world: Publishing) -> None:
    world.event()
    world.campaign(end_at=NOON + timedelta(hours=10))
    world.publish()
    assert "ends in 10 hours" in world.text("index.html")

    world.now = NOON + timedelta(minutes=59)
    assert world.publish() == PublishSummary()
    world.now = NOON + timedelta(hours=3)
    world.publish()

    assert "ends in 7 hours" in world.text("index.html")


def test_an_empty_database_has_a_page_that_says_so_and_empty_feeds_that_are_valid(world: Publishing) -> None:
    files = files_of("all") | SITE
    assert world.publish() == PublishSummary(feeds=1, pages=1, written=len(files))
    assert set(world.files()) == files
    for path in ("all.rss.xml", "all.atom.xml"):
        feed = feedparser.parse(world.files()[path])
        assert (bool(feed.bozo), feed.feed.title, feed.entries) == (False, "Lootwire", [])
        assert feed.version in {"rss20", "atom10"}
    assert "/all.rss.xml" in world.text("feeds.opml")
    assert "Nothing has been read yet" in world.text("index.html")
    assert world.publish() == PublishSummary()


def test_a_page_without_campaigns_says_what_it_waits_for_and_why(world: Publishing) -> None:
    world.source("kick.drops")
    world.source("twitch.drops")
    world.source("chzzk.drops", enabled=False)
    off = (SourceOff(names=("twitch.badges", "twitch.streams"), needs="TWITCH_CLIENT_ID"),)

    def waiting() -> list[str]:
        publish(world.engine, world.root, BASE_URL, world.now, off=off)
        page = document_fromstring(world.text("index.html"))
        lines = page.xpath("//*[@class='none'] | //*[@class='waiting']/li")
        texts = (" ".join(line.text_content().split()) for line in lines)
        return [line for line in texts if not line.startswith("Nothing has changed")]

    off_line = "twitch.badges, twitch.streams for want of TWITCH_CLIENT_ID"
    first, *lines = waiting()
    assert first.startswith("Nothing has been read yet")
    assert lines == ["kick.drops not read yet", "twitch.drops not read yet", off_line]

    world.fail_source("twitch.drops")
    _, *lines = waiting()
    assert lines[1] == "twitch.drops has failed since Fri 20 Nov, 12:00 UTC, not read yet; it is tried again"

    with world.engine.begin() as connection:
        connection.execute(update(Source).where(Source.name == "kick.drops").values(last_success_at=NOON))
    first, *lines = waiting()
    assert first.startswith("No campaign is on right now")
    assert [line.partition(" ")[0] for line in lines] == ["twitch.drops", "twitch.badges,"]

    world.campaign()
    world.event()
    assert waiting() == []


def test_a_bad_feed_does_not_keep_the_others_from_being_written(
    world: Publishing, caplog: pytest.LogCaptureFixture
) -> None:
    world.event(game_id=world.game())
    (world.root / f"{GLOOMTIDE}.rss.xml").mkdir(parents=True)  # no file can be written over a folder

    summary = world.publish()

    assert [failure.path for failure in summary.failures] == [f"{GLOOMTIDE}.rss.xml"]
    assert "games/gloomtide" in caplog.text
    assert world.marked() == {GLOOMTIDE}
    assert "services/twitch.rss.xml" in world.files()

    (world.root / f"{GLOOMTIDE}.rss.xml").rmdir()
    assert world.publish().failures == []
    assert world.marked() == set()


def test_a_path_that_leads_out_of_the_folder_is_a_failure_of_that_feed(world: Publishing) -> None:
    world.event()
    world.add(Feed, scope="service", service="evil", path="../evil", title="evil")

    summary = world.publish()

    assert [failure.path for failure in summary.failures] == ["../evil"]
    assert not (world.root.parent / "evil.rss.xml").exists()


def test_a_folder_that_cannot_be_made_is_told_by_name(world: Publishing) -> None:
    world.root.parent.mkdir(exist_ok=True)
    world.root.write_text("a file")

    with pytest.raises(PublishError, match=str(world.root)):
        world.publish()


def test_a_full_disk_ends_the_run_at_once_and_keeps_what_was_written(
    world: Publishing, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(6):
        world.event(game_id=world.game(f"Game {number}"))
    room = 12
    real, calls = os.fsync, itertools.count(1)

    def fill(descriptor: int) -> None:
        if next(calls) > room:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        real(descriptor)

    monkeypatch.setattr(os, "fsync", fill)
    with pytest.raises(PublishError, match="No space left"):
        world.publish()

    monkeypatch.setattr(os, "fsync", real)
    # Some files more were under way, and no others were begun.
    assert next(calls) < room + 80
    assert len(world.marked()) == 10
    assert len(list(world.root.rglob("*.*"))) >= room
    assert not list(world.root.rglob(".lootwire-*"))
    world.publish()
    assert world.marked() == set()


def test_many_feeds_are_published_over_several_batches(world: Publishing, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(publishing, "BATCH", 3)
    for number in range(7):
        world.event(game_id=world.game(f"Game {number}"))

    assert world.publish().feeds == 11
    assert world.marked() == set()


def test_two_runs_at_once_and_events_meanwhile_end_with_every_item_on_disk(world: Publishing) -> None:
    games = [world.game(f"Game {number}") for number in range(5)]
    failures: list[BaseException] = []
    done = threading.Event()

    def keep_publishing() -> None:
        try:
            while not done.is_set():
                assert world.publish().failures == []
        except BaseException as error:  # noqa: BLE001 - told below
            failures.append(error)

    threads = [threading.Thread(target=keep_publishing) for _ in range(2)]
    for thread in threads:
        thread.start()
    for number in range(40):
        world.event(f"event {number}", game_id=games[number % 5])
    done.set()
    for thread in threads:
        thread.join(60)
    world.publish()

    assert failures == []
    assert world.marked() == set()
    parsed = feedparser.parse((world.root / "all.rss.xml").read_bytes())
    assert {entry.title for entry in parsed.entries} == {f"event {number}" for number in range(40)}


def test_a_run_waits_for_the_one_before_it(world: Publishing, engine: Engine) -> None:
    world.event()
    with hold(engine, TURN):
        second = threading.Thread(target=world.publish)
        second.start()
        wait_for(lambda: _waiting(engine))
        assert not world.root.exists()
    second.join(60)

    assert world.marked() == set()


def _waiting(engine: Engine) -> bool:
    with engine.connect() as connection:
        query = text("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted")
        return bool(connection.execute(query).scalar_one())


def test_a_run_that_should_not_wait_leaves_the_work_to_another(world: Publishing, engine: Engine) -> None:
    world.event()
    with hold(engine, TURN):
        summary = publish(engine, world.root, BASE_URL, world.now, wait=False)
    assert (summary.feeds, summary.written) == (0, 0)
    assert publish(engine, world.root, BASE_URL, world.now, wait=False).feeds > 0


def test_a_run_publishes_events_that_another_run_left_to_it(world: Publishing, engine: Engine) -> None:
    events_left: list[int] = []

    def leave_more(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        # The run reads the health of sources when its feeds are written and it still holds the turn.
        if "failing_since" in statement and not events_left:
            events_left.append(1)
            world.event("the second")
            assert publish(engine, world.root, BASE_URL, world.now, wait=False).feeds == 0

    world.event("the first")
    listen(engine, "before_cursor_execute", leave_more)
    publish(engine, world.root, BASE_URL, world.now, wait=False)

    assert events_left
    assert "the second" in (world.root / "all.rss.xml").read_text()


def test_a_change_of_a_template_a_style_or_a_word_writes_every_file_anew() -> None:
    names = {path.name for path in publishing._files_of_the_look()}

    assert {"item.py", "index.html.j2", "feed.xsl", "style.css", "campaigns.py", "units.py"} <= names


def test_an_error_in_a_run_releases_its_lock(world: Publishing, engine: Engine) -> None:
    with pytest.raises(RuntimeError), hold(engine, TURN):
        raise RuntimeError
    assert world.publish().failures == []


def test_a_run_that_is_killed_is_made_good_by_the_next(world: Publishing, engine: Engine, tmp_path: Path) -> None:
    for number in range(20):
        world.event(f"event {number}", game_id=world.game(f"Game {number}"), detail=CampaignDetail(name="x"))
    script = textwrap.dedent("""
        import os, sys, time
        from datetime import datetime, UTC
        from pathlib import Path
        from sqlalchemy import create_engine
        from feeds import publish
        real, left = os.fsync, [31]
        def fsync(descriptor):
            left[0] -= 1
            if not left[0]:
                Path(sys.argv[4]).touch()
                time.sleep(600)
            real(descriptor)
        os.fsync = fsync
        noon = datetime(2026, 11, 20, 12, tzinfo=UTC)
        publish.publish(create_engine(sys.argv[1]), Path(sys.argv[2]), sys.argv[3], noon)
    """)
    url = engine.url.render_as_string(hide_password=False)
    middle = tmp_path / "in the middle"
    kill_when(middle.exists, script, url, world.root, BASE_URL, middle)
    assert len(world.marked()) == 24

    summary = world.publish()

    # Of the file at which it was killed, and of those that were under way with it.
    assert summary.swept >= 1
    assert summary.unchanged >= 14
    assert world.marked() == set()
    assert len(list(world.root.rglob("*.rss.xml"))) == 24
    assert not list(world.root.rglob(".lootwire-*"))


def test_a_link_in_place_of_a_folder_is_one_failure_however_many_feeds_lie_below_it(
    world: Publishing, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    for name in ("Gloomtide", "Rook & Rapier", "Saltlick"):
        world.event(game_id=world.game(name))
    world.root.mkdir(exist_ok=True)
    (world.root / "games").symlink_to(tmp_path)

    summary = world.publish()

    assert [failure.path for failure in summary.failures] == ["games"]
    assert "put a folder in its place" in summary.failures[0].reason
    assert caplog.text.count("put a folder in its place") == 1
    assert (world.root / "all.rss.xml").exists()


def test_what_was_packed_goes_when_nothing_is_packed_any_more(world: Publishing) -> None:
    world.event()
    publish(world.engine, world.root, BASE_URL, NOON, packings=("gzip", "zstd"))
    # Of a feed that is gone since, which nobody writes again; the last is the operator's own.
    for name in ("games/old.html", "games/old.html.gz", "games/old.html.zst", "backup.gz"):
        path = world.root / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"x")

    publish(world.engine, world.root, BASE_URL, NOON, packings=["zstd"])
    assert [path.name for path in world.root.rglob("*.gz")] == ["backup.gz"]
    assert (world.root / "games/old.html.zst").exists()
    publish(world.engine, world.root, BASE_URL, NOON)

    assert list(world.root.rglob("*.zst")) == []


def test_a_page_of_campaigns_that_were_imported_does_not_say_that_nothing_was_read(world: Publishing) -> None:
    world.source("twitch.drops")
    world.campaign(game_id=world.game(), ended_at=NOON - timedelta(days=400), end_at=NOON - timedelta(days=400))
    world.publish()
    assert "No campaign is on right now." in world.text("index.html")
    assert "Nothing has been read yet" not in world.text("index.html")
