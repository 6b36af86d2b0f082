"""What is published goes further: into a bucket, and to hubs."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from pydantic import SecretStr
from sqlalchemy import Engine, insert, update

from feeds.write import write_file
from models import Feed, Link
from models.vault import Vault
from pipeline.programs.spreading import TOPICS, Copied, Heard, Pinged, copy_to_bucket, ping_hubs
from pipeline.runtime.settings import Settings
from tests.feeds.s3 import S3, serving_s3
from tests.pipeline.programs.hub import Hub, serving_hub
from tests.pipeline.programs.operating.world import MINUTE, NOON, Operated, operated
from tests.processes import free_port

BASE_URL = "https://drops.example.org"
LONG = timedelta(minutes=5)


@pytest.fixture(scope="module")
def server() -> Iterator[S3]:
    with serving_s3() as s3:
        yield s3


@pytest.fixture
def s3(server: S3) -> S3:
    server.begin()
    return server


@pytest.fixture
def hub() -> Iterator[Hub]:
    with serving_hub() as running:
        yield running


@pytest.fixture
def installation(engine: Engine, vault: Vault, tmp_path: Path) -> Operated:
    return operated(engine, vault, tmp_path)


def copy(installation: Operated) -> Copied:
    return copy_to_bucket(installation.engine, installation.settings, within=LONG, clock=installation.clock)


def with_bucket(installation: Operated, s3: S3) -> None:
    update = {
        "bucket_url": s3.access.url,
        "bucket_key_id": s3.access.key_id,
        "bucket_secret_key": SecretStr(s3.access.secret_key),
    }
    installation.settings = installation.settings.model_copy(update=update)


class Telling:
    """Feeds in the database, and hubs that are told of them."""

    def __init__(self, installation: Operated, *hubs: str) -> None:
        self.installation, self.heard = installation, Heard()
        update = {"websub_hubs": hubs, "public_url": BASE_URL}
        self.settings: Settings = installation.settings.model_copy(update=update)

    def feed(self, path: str, *, minutes: int = 0, **columns: object) -> None:
        values = {"scope": "service", "service": path, "path": path, "title": path, "version": 1, "written_version": 1}
        written_at = {"written_at": NOON + timedelta(minutes=minutes)}
        with self.installation.engine.begin() as connection:
            connection.execute(insert(Feed).values(**values | written_at | columns))

    def write(self, path: str) -> None:
        raised = {"version": Feed.version + 1, "written_version": Feed.version + 1}
        with self.installation.engine.begin() as connection:
            connection.execute(update(Feed).where(Feed.path == path).values(**raised))

    def ping(self, within: timedelta = LONG) -> Pinged:
        engine, clock = self.installation.engine, self.installation.clock
        return ping_hubs(engine, self.settings, self.heard, within=within, clock=clock)


def topics(path: str) -> list[str]:
    return [f"{BASE_URL}/{path}{ending}" for ending in TOPICS]


def test_without_a_bucket_nothing_is_copied(installation: Operated) -> None:
    assert copy(installation) == Copied()
    assert not installation.settings.bucket_manifest.exists()


def test_the_published_folder_is_copied_to_the_bucket(installation: Operated, s3: S3) -> None:
    with_bucket(installation, s3)
    write_file(installation.settings.published, "all.rss.xml", b"<rss/>")
    assert copy(installation) == Copied(uploaded=1)
    assert copy(installation) == Copied()
    assert s3.files() == {"site/all.rss.xml": b"<rss/>"}


def test_a_bucket_that_refuses_us_is_told_to_operators_once_stops_nothing_and_is_tried_again(
    installation: Operated, s3: S3
) -> None:
    installation.target()
    with_bucket(installation, s3)
    write_file(installation.settings.published, "private/7hk2/all.rss.xml", b"<rss/>")
    s3.refuses()
    for _ in range(3):
        refused = copy(installation)
        assert refused.problem is not None
        minute = installation.passes(MINUTE)
    (title,) = installation.titles()
    assert title.startswith(f"The bucket {s3.access.url} cannot be written: InvalidAccessKeyId")
    assert not {"hunter2", "7hk2"} & set(title.replace("-", " ").split())
    (trouble,) = minute.troubles
    assert not trouble.stops_work

    s3.refuses(after=float("inf"))
    assert copy(installation) == Copied(uploaded=1)
    installation.minutes(15)
    assert installation.titles() == [title, f"Over: {title}"]


def test_a_manifest_that_cannot_be_kept_is_told_to_operators(installation: Operated, s3: S3) -> None:
    installation.target()
    with_bucket(installation, s3)
    installation.settings.bucket_manifest.mkdir()
    assert "bucket.sqlite3" in (copy(installation).problem or "")
    assert "bucket.sqlite3" in installation.titles()[0]


def test_each_format_of_a_feed_that_changed_is_told_to_each_hub_once(installation: Operated, hub: Hub) -> None:
    with serving_hub() as other:
        telling = Telling(installation, hub.url, other.url)
        telling.feed("all")
        telling.feed("games/rust", minutes=1)
        assert telling.ping() == Pinged(feeds=2)
        # The newest change first.
        assert hub.forget() == other.forget() == [*topics("games/rust"), *topics("all")]
        assert telling.ping() == Pinged()
        telling.write("all")
        assert telling.ping() == Pinged(feeds=1)
        assert hub.forget() == other.forget() == topics("all")


def test_a_feed_that_is_not_on_disk_yet_or_private_is_not_told(installation: Operated, hub: Hub) -> None:
    telling = Telling(installation, hub.url)
    telling.feed("all", version=2, written_version=0)
    with installation.engine.begin() as connection:
        row = insert(Link).values(opens="health", seed=b"0", digest=b"0", made_at=NOON).returning(Link.id)
        link = connection.execute(row).scalar_one()
    telling.feed("private/health", link_id=link)
    assert telling.ping() == Pinged()
    assert hub.topics == []


def test_a_hub_that_is_away_is_told_later_and_the_other_not_twice(installation: Operated, hub: Hub) -> None:
    with serving_hub() as other:
        telling = Telling(installation, other.url, hub.url)
        telling.feed("all")
        telling.feed("games/rust", minutes=-1)
        hub.status = 503
        away = telling.ping()
        assert (away.feeds, away.left, list(away.problems)) == (0, 2, [hub.url])
        assert other.forget() == [*topics("all"), *topics("games/rust")]
        hub.status = 204
        assert telling.ping() == Pinged(feeds=2)
        assert hub.forget() == [*topics("all"), *topics("games/rust")]
        assert other.forget() == []


def test_hubs_hear_of_the_one_format_that_a_podcast_has(installation: Operated, hub: Hub) -> None:
    telling = Telling(installation, hub.url)
    telling.feed("shows/brine", scope="show", service=None)
    assert telling.ping() == Pinged(feeds=1)
    assert hub.topics == topics("shows/brine")[:1]


def test_pings_that_a_dead_process_left_are_made_by_the_next(installation: Operated, hub: Hub) -> None:
    telling = Telling(installation, hub.url)
    telling.feed("all")
    assert telling.ping(within=timedelta(0)) == Pinged(left=1)
    assert Telling(installation, hub.url).ping() == Pinged(feeds=1)
    assert hub.topics == topics("all")


def test_a_feed_that_a_hub_refuses_does_not_keep_it_from_the_others(
    installation: Operated, hub: Hub, caplog: pytest.LogCaptureFixture
) -> None:
    hub.refused = "rust"
    telling = Telling(installation, hub.url)
    telling.feed("games/rust", minutes=1)
    telling.feed("all")
    refused = telling.ping()
    assert (refused.feeds, refused.left) == (2, 0)
    assert "422" in refused.problems[hub.url]
    assert hub.topics == topics("all")
    assert "games/rust.rss.xml" in caplog.text
    assert "hunter2" not in caplog.text


@pytest.mark.parametrize("status", [401, 404, 307, None])
def test_a_hub_that_does_not_take_us_is_told_to_operators_by_its_host_and_tried_again(
    installation: Operated, hub: Hub, status: int | None
) -> None:
    installation.target()
    address = hub.url if status else f"http://127.0.0.1:{free_port()}/hub?key=hunter2"
    telling = Telling(installation, address)
    telling.feed("all")
    hub.status = status or 204
    # Not for a moment of somebody else's network.
    for passed in range(3):
        assert telling.ping().left == 1
        installation.now += timedelta(minutes=1 if passed else 15)
    assert telling.ping().problems
    (title,) = installation.titles()
    assert title.startswith("The ping to the hub 127.0.0.1 is not taken: 127.0.0.1")
    assert "hunter2" not in title


def test_without_a_hub_nothing_is_told(installation: Operated) -> None:
    telling = Telling(installation)
    telling.feed("all")
    assert telling.ping() == Pinged()
