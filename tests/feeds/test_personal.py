"""Personal feeds: under names that the database does not hold, on no list, and gone once they are rotated."""

from pathlib import Path

import pytest
from sqlalchemy import insert, select, text, update

from feeds.links import Opens, ensure_link, list_links, rotate_link
from feeds.publish import publish
from feeds.writing import PublishSummary
from models import Delivery, Event, Follow, Link, Person, Target
from models.errors import UsageError
from models.people import OWNER_ID
from models.vault import Vault
from tests.feeds.world import BASE_URL, NOON, Publishing


class Household:
    """A world with a key file, whose owner has personal feeds."""

    def __init__(self, world: Publishing, folder: Path) -> None:
        self.world = world
        self.key_file = folder / "key"
        self.vault = Vault.open(self.key_file)

    def link(self, opens: Opens, subject_id: int | None = None) -> str:
        """Return the folder of a link, below that of all links."""
        with self.world.engine.begin() as connection:
            return ensure_link(connection, self.vault, opens, NOON, subject_id=subject_id, title=f"My {opens}")

    def rotate(self) -> str:
        with self.world.engine.begin() as connection:
            (line,) = list_links(connection, live=True)
            return rotate_link(connection, self.vault, line.id, NOON)

    def publish(self) -> PublishSummary:
        world = self.world
        return publish(world.engine, world.root, BASE_URL, world.now, vault=lambda: Vault.open(self.key_file))

    def titles(self, folder: str, opens: Opens) -> list[str]:
        items = self.world.text(f"{folder}/{opens}.rss.xml").split("<item>")[1:]
        return [item.partition("<title>")[2].partition("</title>")[0] for item in items]


@pytest.fixture
def household(world: Publishing, tmp_path: Path) -> Household:
    return Household(world, tmp_path)


def target(world: Publishing, name: str = "phone") -> int:
    return world.add(Target, name=name, url_encrypted=b"", label="a phone", created_at=NOON)


def deliver(world: Publishing, event_id: int, target_id: int) -> None:
    row = {"event_id": event_id, "target_id": target_id, "subscription_ids": [], "created_at": NOON}
    with world.engine.begin() as connection:
        connection.execute(insert(Delivery).values(row | {"next_attempt_at": NOON}))


def test_what_a_person_follows_is_on_a_feed_of_their_own_with_what_was_there_before(household: Household) -> None:
    world = household.world
    followed, other, channel = world.game("Gloomtide"), world.game("Frostbarrow"), world.channel()
    world.add(Follow, kind="game", game_id=followed, created_at=NOON)
    world.add(Follow, kind="channel", channel_id=channel, created_at=NOON)
    world.event("before", game_id=followed)
    household.publish()

    folder = household.link("followed")
    world.event("of another", game_id=other)
    world.event("of the game", game_id=followed)
    world.event("live", kind="stream.online", channel_id=channel)
    world.event("a title", kind="stream.title_changed", channel_id=channel)
    household.publish()

    assert household.titles(folder, "followed") == ["live", "of the game", "before"]
    assert {path.suffix for path in (world.root / folder).iterdir()} == {".xml", ".json", ".ics", ".html"}


def test_sounds_of_followed_channels_are_on_the_feed_of_whom_they_belong_to(household: Household) -> None:
    world = household.world
    channel = world.channel()
    ada = world.add(Person, name="ada", created_at=NOON)
    for person_id in (OWNER_ID, ada):
        world.add(Follow, kind="channel", channel_id=channel, person_id=person_id, created_at=NOON)
    before = world.event("before", kind="sound.ready", channel_id=channel)
    hers = world.event("ada's", kind="sound.ready", channel_id=channel)
    of_nobody = world.event("of no channel", kind="sound.ready")
    with world.engine.begin() as connection:
        for event_id, person_id in ((before, OWNER_ID), (hers, ada), (of_nobody, OWNER_ID)):
            connection.execute(update(Event).where(Event.id == event_id).values(person_id=person_id))
    household.publish()
    folder = household.link("followed")
    after = world.event("after", kind="sound.ready", channel_id=channel)
    with world.engine.begin() as connection:
        connection.execute(update(Event).where(Event.id == after).values(person_id=OWNER_ID))

    household.publish()

    assert household.titles(folder, "followed") == ["after", "before"]


def test_a_targets_feed_has_what_is_sent_to_it(household: Household) -> None:
    world = household.world
    phone, mail = target(world), target(world, "mail")
    deliver(world, world.event("before"), phone)
    household.publish()
    folder = household.link("target", phone)
    deliver(world, world.event("to the phone"), phone)
    deliver(world, world.event("to the mailbox"), mail)
    world.event("to nobody")

    household.publish()

    assert household.titles(folder, "target") == ["to the phone", "before"]


def test_the_health_of_sources_is_on_a_feed_of_its_own_and_on_no_public_one(household: Household) -> None:
    world = household.world
    world.event("failing", kind="source.failing")
    household.publish()
    folder = household.link("health")
    world.event("recovered", kind="source.recovered")

    household.publish()

    assert household.titles(folder, "health") == ["recovered", "failing"]
    public = [data for path, data in world.files().items() if not path.startswith("private/")]
    assert not any(b"recovered" in data for data in public if b"<rss" in data)


def test_no_list_names_a_personal_feed(household: Household) -> None:
    world = household.world
    world.event()
    folder = household.link("followed")
    world.event("more")

    household.publish()

    name = folder.removeprefix("private/").encode()
    public = {path: data for path, data in world.files().items() if not path.startswith("private/")}
    assert [path for path, data in public.items() if name in data or b"private/" in data] == []


def test_the_database_does_not_hold_the_name(household: Household) -> None:
    name = household.link("followed").removeprefix("private/")

    assert len(name) >= 26
    with household.world.engine.connect() as connection:
        for table in ("links", "feeds"):
            rows = connection.execute(text(f"SELECT {table}::text FROM {table}")).scalars().all()  # noqa: S608
            assert rows
            assert not any(name in row for row in rows)
    assert household.link("followed") == f"private/{name}"


def test_rotating_moves_the_feed_and_deletes_the_files_under_the_old_name(household: Household) -> None:
    world = household.world
    world.add(Follow, kind="game", game_id=(game := world.game()), created_at=NOON)
    old = household.link("followed")
    world.event("news", game_id=game)
    household.publish()
    assert (world.root / old).is_dir()

    new = household.rotate()
    household.publish()

    assert new != old
    assert not (world.root / old).exists()
    assert household.titles(new, "followed") == ["news"]


def test_the_feed_of_a_target_that_was_removed_is_gone(household: Household) -> None:
    world = household.world
    phone = target(world)
    folder = household.link("target", phone)
    household.publish()
    assert (world.root / folder).is_dir()

    with world.engine.begin() as connection:
        connection.execute(Target.__table__.update().values(removed_at=NOON))  # type: ignore[attr-defined]
    household.publish()

    assert not (world.root / folder).exists()
    with world.engine.begin() as connection:
        assert list_links(connection, live=True) == []
        (line,) = list_links(connection)
        with pytest.raises(UsageError, match="no live link"):
            rotate_link(connection, household.vault, line.id, NOON)


def test_with_another_key_file_public_feeds_are_written_and_the_problem_is_named(household: Household) -> None:
    world = household.world
    folder = household.link("followed")
    household.key_file.unlink()
    world.event("public")

    summary = household.publish()

    (failure,) = summary.failures
    assert "put the key file back" in failure.reason
    assert folder.removeprefix("private/") not in failure.reason
    assert "public" in world.text("all.rss.xml")
    assert world.marked() == {path for path in world.marked() if path.startswith("private/")}


def test_a_publish_that_fails_there_names_no_secret(household: Household, caplog: pytest.LogCaptureFixture) -> None:
    world = household.world
    folder = household.link("followed")
    (world.root / folder / "followed.rss.xml").mkdir(parents=True)

    summary = household.publish()

    name = folder.removeprefix("private/")
    assert summary.failures
    assert name not in caplog.text
    assert not any(name in failure.path + failure.reason for failure in summary.failures)


def test_a_link_is_made_once_for_the_same_thing(household: Household) -> None:
    phone = target(household.world)
    folders = [household.link("followed"), household.link("followed"), household.link("target", phone)]

    assert folders[0] == folders[1] != folders[2]
    with household.world.engine.connect() as connection:
        assert connection.scalars(select(Link.opens).order_by(Link.id)).all() == ["followed", "target"]
