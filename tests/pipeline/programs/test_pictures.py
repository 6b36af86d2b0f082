"""Copies of pictures: writers ask for them, a tick fetches them, and pages show them from then on."""

import os
import random
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from sqlalchemy import Engine, delete, select, update

from feeds.publish import PublishSummary, publish
from feeds.write import DRAFTS
from models import Channel, Event, FeedItem, Picture
from models.details import BenefitLine, CampaignDetail, DropLine
from pipeline.fetch.addresses import Rules
from pipeline.programs.pictures import POSTPONED, TRIES, UNWANTED, Copied, copy_due, picture_type
from tests.feeds.world import BASE_URL, NOON, Publishing
from tests.pipeline.fetch.local_service import Answer, LocalService
from tests.processes import kill_when

PNG = b"\x89PNG\r\n\x1a\n" + b"pixels"
ANYWHERE = Rules(allowed=lambda _: True, ports=None)
LIMIT = 500_000_000


@pytest.fixture
def world(engine: Engine, tmp_path: Path) -> Publishing:
    return Publishing(engine, tmp_path / "public")


def write(world: Publishing, *, pictures: bool = True) -> PublishSummary:
    return publish(world.engine, world.root, BASE_URL, world.now, pictures=pictures)


def copy(world: Publishing, *, rules: Rules = ANYWHERE, limit: int = LIMIT) -> Copied:
    return copy_due(world.engine, world.root, lambda: world.now, limit=limit, within=timedelta(minutes=1), rules=rules)


def rows(world: Publishing) -> list[Any]:
    with world.engine.connect() as connection:
        return list(connection.execute(select(Picture).order_by(Picture.id)))


def copies(world: Publishing) -> list[str]:
    return [path for path in world.files() if path.startswith("pictures/")]


def tell(world: Publishing, address: str) -> None:
    world.event(detail=CampaignDetail(name="Winter Trawl", box_art_url=address))


@pytest.mark.parametrize(
    ("body", "ending"),
    [
        (PNG, "png"),
        (b"\xff\xd8\xff\xe0\x00\x10JFIF", "jpg"),
        (b"GIF89a...", "gif"),
        (b"RIFF\x00\x00\x00\x00WEBPVP8 ", "webp"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>", None),
        (b"<!DOCTYPE html><p>Not found", None),
        (b"RIFF\x00\x00\x00\x00WAVEfmt ", None),
        (b"", None),
    ],
)
def test_what_a_picture_is_its_bytes_tell(body: bytes, ending: str | None) -> None:
    assert picture_type(body) == ending


def test_a_copy_is_shown_by_what_is_written_next(world: Publishing, service: LocalService) -> None:
    service.answers("/box.png", PNG)
    service.answers("/lantern.png", PNG + b"2")
    address = f"{service.url}/box.png"
    line = DropLine(name="Lantern", benefits=(BenefitLine(name="Lantern", image_url=f"{service.url}/lantern.png"),))
    detail = CampaignDetail(name="Winter Trawl", box_art_url=address, drops=(line,))
    campaign = world.campaign(game_id=world.game(box_art_url=address), image_url=f"{service.url}/not-shown.png")
    world.drop(campaign, image_url=f"{service.url}/lantern.png")
    service.answers("/not-shown.png", Answer(status=404))

    world.event(detail=detail)
    write(world)
    assert address in world.text("all.rss.xml")
    assert copy(world).copied == 2
    assert service.requests[0].headers["User-Agent"].startswith("Lootwire/")

    world.event("More", detail=detail)
    write(world)
    # The page has a campaign's box art alone; what is earned is on the campaign's own.
    for name, least in (("all.rss.xml", 2), ("all.atom.xml", 2), ("index.html", 1)):
        written = world.text(name)
        assert written.count(f"{BASE_URL}/pictures/") >= least
        assert service.url not in written.replace(f"{service.url}/not-shown.png", "")
    assert sorted(world.files()[path] for path in copies(world)) == [PNG, PNG + b"2"]
    assert copy(world) == Copied()


def test_the_page_of_a_channel_shows_the_copy_of_its_picture(world: Publishing, service: LocalService) -> None:
    service.answers("/face.png", PNG)
    channel = world.channel()
    with world.engine.begin() as connection:
        connection.execute(update(Channel).values(profile_image_url=f"{service.url}/face.png"))
    for _ in range(2):
        world.event(kind="stream.online", channel_id=channel)
        write(world)
        copy(world)
    (page,) = (path for path in world.files() if path.startswith("channels/") and path.endswith(".html"))
    assert f'<img src="{BASE_URL}/{copies(world)[0]}"' in world.text(page)


def test_off_by_default_nothing_is_wanted(world: Publishing, service: LocalService) -> None:
    tell(world, f"{service.url}/box.png")
    world.publish()
    assert rows(world) == []
    assert copy(world) == Copied()


def test_switching_it_off_shows_the_services_pictures_again(world: Publishing, service: LocalService) -> None:
    service.answers("/box.png", PNG)
    tell(world, f"{service.url}/box.png")
    write(world)
    copy(world)
    write(world, pictures=False)
    assert f"{service.url}/box.png" in world.text("all.rss.xml")
    write(world)
    assert f"{BASE_URL}/pictures/" in world.text("all.rss.xml")


def test_a_second_run_finds_nothing_to_do(world: Publishing, service: LocalService) -> None:
    service.answers("/box.png", PNG)
    tell(world, f"{service.url}/box.png")
    write(world)
    assert (copy(world), copy(world)) == (Copied(copied=1), Copied())
    assert service.paths() == ["/box.png"]


def test_a_run_that_is_killed_is_made_good_by_the_next(world: Publishing, service: LocalService) -> None:
    service.answers("/box.png", PNG)
    service.hold_back("/box.png")
    tell(world, f"{service.url}/box.png")
    write(world)
    script = (
        "import sys; from datetime import datetime, timedelta; from pathlib import Path;"
        "from pipeline.database.connecting import connect; from pipeline.fetch.addresses import Rules;"
        "from pipeline.programs.pictures import copy_due;"
        "copy_due(connect(sys.argv[1]), Path(sys.argv[2]), lambda: datetime.fromisoformat(sys.argv[3]),"
        " limit=10**9, within=timedelta(minutes=1), rules=Rules(lambda _: True, None))"
    )
    url = world.engine.url.render_as_string(hide_password=False)
    kill_when(service.arrived.is_set, script, url, world.root, world.now.isoformat())
    service.hold = None

    assert copy(world) == Copied()  # its attempt stands
    world.now += timedelta(minutes=1)
    assert copy(world) == Copied(copied=1)
    assert len(copies(world)) == 1


def test_two_at_once_copy_each_picture_once(world: Publishing, service: LocalService) -> None:
    for number in range(12):
        service.answers(f"/{number}.png", PNG)
        tell(world, f"{service.url}/{number}.png")
    write(world)
    with ThreadPoolExecutor(2) as pool:
        done = [future.result() for future in [pool.submit(copy, world) for _ in range(2)]]
    assert sum(outcome.copied for outcome in done) == 12
    assert len(service.paths()) == 12


def test_what_fails_is_tried_again_ever_later_and_given_up(world: Publishing, service: LocalService) -> None:
    service.answers("/box.png", Answer(status=500))
    tell(world, f"{service.url}/box.png")
    write(world)
    waits = []
    for _ in range(TRIES - 1):
        assert copy(world) == Copied(failed=1)
        (row,) = rows(world)
        waits.append((row.next_due_at - world.now) // timedelta(minutes=1))
        world.now = row.next_due_at
    assert waits == [1, 4, 16, 64, 256]
    assert copy(world) == Copied(failed=1, given_up=[f"{service.url}/box.png: 127.0.0.1 answered 500"])
    (row,) = rows(world)
    assert (row.next_due_at, row.error, row.path) == (None, "127.0.0.1 answered 500", None)


@pytest.mark.parametrize(
    "answer", [Answer(b"<svg xmlns='http://www.w3.org/2000/svg'/>"), Answer(b"<p>Hello"), Answer(status=404)]
)
def test_what_is_no_picture_is_given_up_at_once(world: Publishing, service: LocalService, answer: Answer) -> None:
    service.answers("/box.png", answer)
    tell(world, f"{service.url}/box.png")
    write(world)
    assert len(copy(world).given_up) == 1
    assert (copies(world), copy(world)) == ([], Copied())


def test_a_payload_cannot_make_us_ask_the_machines_around_us(world: Publishing, service: LocalService) -> None:
    service.answers("/box.png", PNG)
    tell(world, f"{service.url}/box.png")
    tell(world, "http://127.0.0.1/box.png")
    write(world)
    summary = copy_due(world.engine, world.root, lambda: world.now, limit=LIMIT, within=timedelta(minutes=1))
    assert len(summary.given_up) == 2
    assert service.paths() == []


def test_what_is_still_shown_a_day_later_is_fetched_anew(world: Publishing, service: LocalService) -> None:
    service.answers("/live.png", PNG, PNG + b"later")
    tell(world, f"{service.url}/live.png")
    write(world)
    copy(world)
    world.now += timedelta(days=1, seconds=1)
    tell(world, f"{service.url}/live.png")
    write(world)
    assert f"{BASE_URL}/pictures/" in world.text("all.rss.xml")
    assert copy(world).copied == 1
    assert [world.files()[path] for path in copies(world)] == [PNG + b"later"]


def test_a_copy_that_somebody_removed_is_made_again(world: Publishing, service: LocalService) -> None:
    service.answers("/box.png", PNG)
    tell(world, f"{service.url}/box.png")
    write(world)
    copy(world)
    (path,) = copies(world)
    (world.root / path).unlink()
    tell(world, f"{service.url}/box.png")
    write(world)
    assert f"{service.url}/box.png" in world.text("all.rss.xml")
    assert copy(world).copied == 1
    assert copies(world) == [path]


def test_when_there_is_no_room_what_nothing_shows_any_more_goes(world: Publishing, service: LocalService) -> None:
    for name in ("old", "new"):
        service.answers(f"/{name}.png", PNG)
    old = world.event(detail=CampaignDetail(name="Old", box_art_url=f"{service.url}/old.png"))
    write(world)
    copy(world)
    full = 5 * 1024 * 1024 + len(PNG) - 1

    tell(world, f"{service.url}/new.png")
    write(world)
    assert copy(world, limit=full) == Copied(postponed=1)

    with world.engine.begin() as connection:
        connection.execute(update(Picture).values(last_wanted_at=NOON))
        connection.execute(delete(FeedItem).where(FeedItem.event_id == old))
        connection.execute(delete(Event).where(Event.id == old))
    world.now += UNWANTED + POSTPONED
    tell(world, f"{service.url}/new.png")
    write(world)
    summary = copy(world, limit=full)
    assert (summary.removed, summary.copied) == (1, 1)
    assert world.marked() != set()
    write(world)
    assert [row.address for row in rows(world)] == [f"{service.url}/new.png"]
    assert len(copies(world)) == 1


def test_a_publisher_leaves_alone_what_is_being_copied(world: Publishing) -> None:
    folder = world.root / DRAFTS
    folder.mkdir(parents=True)
    young, old = folder / "pictures-young.tmp", folder / "pictures-old.tmp"
    for file in (young, old):
        file.write_bytes(PNG)
    os.utime(old, (0, 0))
    world.event()
    assert write(world).swept == 1
    assert young.exists()


def test_an_address_that_is_too_long_to_be_kept_is_shown_and_keeps_no_page_from_being_written(
    world: Publishing,
) -> None:
    # Each letter takes nine characters in an address. Not compressible, as an index would compress it.
    hangul = "".join(chr(random.Random(n).randrange(0xAC00, 0xD7A3)) for n in range(1500))  # noqa: S311
    address = f"https://art.example.org/{hangul}"
    tell(world, address)

    write(world)

    assert rows(world) == []
    assert any(quote(address, safe=":/").encode() in page for page in world.files().values())
