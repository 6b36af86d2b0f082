"""Each change of a release date in IGDB's answers becomes one event, for wanted games alone."""

from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, insert, select, update

from feeds.publish import take_in_all
from models import Event, Feed, Game, GameMetadata
from models.details import CampaignDetail
from models.events import EventKind
from models.names import name_key
from pipeline.events.append import NewEvent, append_events
from pipeline.games.releases.news import introduce
from pipeline.games.store.links import Link, link
from tests.examples import examples
from tests.pipeline.games.documents import doc, game
from tests.pipeline.games.releases.releasing import DAY, HOUR, NOON, PC, PS5, Q4, SWITCH, TBD, YEAR, Installation, dated

LAST = date(2026, 12, 31)
NAME = "Lanterns of Aldmoor"


@pytest.fixture
def installation(engine: Engine, tmp_path: Path) -> Installation:
    return Installation(engine, tmp_path)


def test_the_first_time_a_game_is_seen_is_published_and_told_to_nobody(installation: Installation) -> None:
    installation.target()
    installation.want(1)

    events = installation.sync(dated(1, LAST, Q4), dated(2, date(2020, 1, 1), platform=PS5))

    assert events == {EventKind.GAME_ADDED: 1, EventKind.RELEASE_ANNOUNCED: 1}
    assert installation.titles(silent=True) == [f"New game: {NAME}", f"{NAME}: release announced for Q4 2026 (PC)"]
    assert installation.titles() == []
    assert installation.due() == {}
    # A game that was stored before it was wanted is introduced; this one already is.
    with installation.engine.begin() as connection:
        assert introduce(connection, [1], installation.now + timedelta(days=60)) == {}


def test_a_game_that_nobody_wants_has_no_events(installation: Installation) -> None:
    assert installation.sync(dated(1, LAST, Q4)) == {}
    assert installation.sync(dated(1, LAST, DAY), dated(2, None, TBD, PS5)) == {}
    assert installation.tick(NOON.replace(month=12, day=31)) == {}


def test_what_changed_before_somebody_wanted_the_game_is_told_to_nobody(installation: Installation) -> None:
    installation.sync(dated(1, LAST, YEAR))
    installation.want(1)
    installation.sync(dated(1, LAST, Q4))
    installation.sync(dated(1, LAST, DAY))

    assert installation.titles(silent=True) == [f"{NAME}: release now dated Q4 2026, was 2026 (PC)"]
    assert installation.titles() == [f"{NAME}: release now dated 31 December 2026, was Q4 2026 (PC)"]


def test_a_day_a_quarter_and_a_year_of_one_date_are_told_as_three_things(installation: Installation) -> None:
    installation.follow()

    installation.sync(dated(1, LAST, DAY), dated(2, LAST, Q4, PS5), dated(3, LAST, YEAR, SWITCH))

    assert installation.titles() == [
        f"{NAME}: release announced for 31 December 2026 (PC)",
        f"{NAME}: release announced for Q4 2026 (PlayStation 5)",
        f"{NAME}: release announced for 2026 (Nintendo Switch)",
    ]


def test_what_happens_to_several_platforms_and_regions_at_once_is_one_event(installation: Installation) -> None:
    before = [dated(key, LAST, Q4, platform, release_region=8) for key, platform in ((1, PC), (2, PS5))]
    installation.follow(*before, dated(3, LAST, Q4, PS5, release_region=5))
    after = [row | {"date": row["date"] - 20 * 86400, "date_format": DAY} for row in before]

    installation.sync(*after, dated(3, LAST, DAY, PS5, release_region=5))

    assert installation.titles() == [
        f"{NAME}: release now dated 11 December 2026, was Q4 2026 (PC, PlayStation 5)",
        f"{NAME}: release now dated 31 December 2026, was Q4 2026 (PlayStation 5 (Japan))",
    ]


def test_a_move_says_by_how_much_and_whether_it_is_a_delay(installation: Installation) -> None:
    installation.follow(
        dated(1, date(2026, 12, 1)), url="https://www.igdb.com/games/lanterns", cover={"id": 5, "image_id": "co1"}
    )

    installation.sync(
        dated(1, date(2026, 12, 4)), url="https://www.igdb.com/games/lanterns", cover={"id": 5, "image_id": "co1"}
    )
    installation.sync(dated(1, date(2027, 2, 1)), url="https://www.igdb.com/games/lanterns")
    installation.sync(dated(1, None, TBD))
    installation.sync(dated(1, LAST, Q4))

    assert installation.titles() == [
        f"{NAME}: release moved by 3 days to 4 December 2026, was 1 December 2026 (PC)",
        f"{NAME}: release delayed by 59 days to 1 February 2027, was 4 December 2026 (PC)",
        f"{NAME}: release postponed, date to be determined, was 1 February 2027 (PC)",
        f"{NAME}: release now dated Q4 2026 (PC)",
    ]
    first, delay, lost, _ = installation.details()
    assert (first.days, first.is_delay, delay.days, delay.is_delay) == (3, False, 59, True)
    assert (first.when, first.when_before, first.platforms) == ("2026-12-04", "2026-12-01", ("PC",))
    assert (lost.days, lost.is_delay) == (None, True)
    assert first.url == "https://www.igdb.com/games/lanterns"
    assert first.box_art_url == "https://images.igdb.com/igdb/image/upload/t_cover_big/co1.jpg"
    assert delay.box_art_url is None


def test_a_release_is_cancelled_by_its_status_or_with_its_game(installation: Installation) -> None:
    rows = [dated(1, LAST, Q4, status=6), dated(2, LAST, Q4, PS5, status=3)]
    installation.follow(*rows)

    installation.sync(rows[0], rows[1] | {"status": 5})
    installation.sync(rows[0] | {"status": 5}, rows[1] | {"status": 5}, game_status=6)

    assert installation.titles() == [
        f"{NAME}: release cancelled, was planned for Q4 2026 (PlayStation 5)",
        f"{NAME}: release cancelled",
    ]


def test_a_date_that_is_gone_for_a_day_means_that_the_release_is_off(installation: Installation) -> None:
    rows = [dated(1, LAST, Q4), dated(2, LAST, Q4, PS5)]
    installation.follow(*rows)
    installation.sync(rows[0])

    assert installation.titles() == []
    assert installation.tick(installation.now + timedelta(hours=30)) == {}, "nobody asked IGDB since"
    installation.sync(rows[0])
    assert installation.tick() == {EventKind.RELEASE_CANCELLED: 1}
    assert installation.tick() == {}

    assert installation.titles() == [f"{NAME}: release no longer listed, was planned for Q4 2026 (PlayStation 5)"]
    assert installation.details()[0].reason == "IGDB no longer lists it"
    # The row comes back, goes again, and is cancelled again.
    installation.later(timedelta(days=2))
    assert installation.sync(*rows) == {EventKind.RELEASE_ANNOUNCED: 1}
    installation.sync(rows[0])
    installation.later(timedelta(days=2))
    installation.sync(rows[0])
    assert installation.tick() == {EventKind.RELEASE_CANCELLED: 1}


def test_a_row_that_editors_write_anew_is_neither_off_nor_announced(installation: Installation) -> None:
    installation.follow(dated(1, LAST, Q4))
    installation.sync()
    installation.later(5 * HOUR)
    installation.sync(dated(2, LAST, Q4))
    installation.later(timedelta(days=2))
    installation.sync(dated(2, LAST, Q4), summary="anew")

    assert installation.tick() == {}
    assert installation.titles() == []


def test_an_entry_that_is_new_and_belongs_to_a_wanted_game_is_told(installation: Installation) -> None:
    installation.follow()
    child = game(2, "Lanterns of Aldmoor: Depths", parent_game=1, game_type=1)
    mod = game(3, "Lanterns of Aldmoor: Modded", parent_game=1, game_type=5)

    events = installation.store(*[doc(row.pop("id"), row.pop("name"), **row) for row in (child, mod)])

    assert events == {EventKind.GAME_ADDED: 1}
    assert installation.titles() == ["New DLC: Lanterns of Aldmoor: Depths"]
    # What was there before we looked is no news.
    old = game(4, "Lanterns of Aldmoor: Ashes", parent_game=1, game_type=2)
    assert installation.store(doc(old.pop("id"), old.pop("name"), **old), silent=True) == {}


def test_a_change_is_told_by_the_game_that_the_entry_belongs_to(installation: Installation) -> None:
    installation.follow(dated(1, LAST, Q4), cover={"id": 1, "image_id": "co1"})
    with installation.engine.begin() as connection:
        row = {"name": NAME, "name_key": name_key(NAME), "public_id": "aaaa"}
        game_id = connection.execute(insert(Game).values(row).returning(Game.id)).scalar_one()
        connection.execute(update(GameMetadata).values(game_id=game_id))

    installation.sync(dated(1, LAST, DAY), cover={"id": 1, "image_id": "co1"})

    assert [event.game_id for event in installation.events()] == [game_id]
    take_in_all(installation.engine)
    assert {row.scope for row in installation.rows(Feed)} >= {"all", "releases", "game"}
    (painted,) = installation.rows(Game)
    assert painted.box_art_url == "https://images.igdb.com/igdb/image/upload/t_cover_big/co1.jpg"


def test_a_date_that_flaps_is_told_once_each_way(installation: Installation) -> None:
    installation.follow(dated(1, date(2026, 12, 1)))

    for _ in range(3):
        installation.sync(dated(1, date(2026, 12, 20)))
        installation.sync(dated(1, date(2026, 12, 1)))

    assert installation.titles() == [
        f"{NAME}: release delayed by 19 days to 20 December 2026, was 1 December 2026 (PC)",
        f"{NAME}: release moved forward by 19 days to 1 December 2026, was 20 December 2026 (PC)",
    ]


ROWS = st.lists(
    st.builds(
        dated,
        st.integers(1, 3),
        st.sampled_from([date(2026, 11, 22), date(2026, 12, 5), LAST, date(2027, 6, 30), date(2020, 1, 1)]),
        st.sampled_from([DAY, YEAR, Q4, TBD]),
        st.sampled_from([PC, PS5]),
        status=st.sampled_from([None, 3, 5, 6]),
    ),
    max_size=3,
    unique_by=lambda row: row["id"],
)


@settings(max_examples=examples(12), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(ROWS, min_size=2, max_size=4))
def test_the_same_documents_once_more_make_no_event_twice(
    engine: Engine, tmp_path_factory: pytest.TempPathFactory, documents: list[list[dict[str, object]]]
) -> None:
    installation = _anew(engine, tmp_path_factory)
    installation.follow()
    for _ in range(2):
        for rows in documents:
            installation.sync(*rows)
            installation.sync(*rows)

    keys = [(event.kind, event.title) for event in installation.events()]

    assert len(keys) == len(set(keys))
    installation.tick(NOON + timedelta(days=2))
    assert installation.tick() == {}


def _anew(engine: Engine, folders: pytest.TempPathFactory) -> Installation:
    with engine.begin() as connection:
        for table in ("events", "release_dates", "game_metadata", "wanted_games", "feeds", "sources", "game_titles"):
            connection.exec_driver_sql(f"TRUNCATE {table} CASCADE")
    return Installation(engine, folders.mktemp("here"))


def test_an_event_without_box_art_shows_that_of_its_game(installation: Installation) -> None:
    with installation.engine.begin() as connection:
        row = {
            "name": NAME,
            "name_key": name_key(NAME),
            "public_id": "aaaa",
            "box_art_url": "https://a.example/x-{width}x{height}.jpg",
        }
        game_id = connection.execute(insert(Game).values(row).returning(Game.id)).scalar_one()
        events = [
            NewEvent(kind=EventKind.CAMPAIGN_ADDED, subject=key, occurred_at=NOON, detail=detail, game_id=owner_id)
            for key, owner_id, detail in (
                ("1", game_id, CampaignDetail(name="Lantern Week")),
                ("2", game_id, CampaignDetail(name="Lantern Week", box_art_url="https://a.example/own.jpg")),
                ("3", None, CampaignDetail(name="Lantern Week")),
            )
        ]
        append_events(connection, events, source_id=None, silent=False, now=NOON)

    assert [event.detail.get("box_art_url") for event in installation.events()] == [
        "https://a.example/x-285x380.jpg",
        "https://a.example/own.jpg",
        None,
    ]


def test_a_game_that_was_stored_before_it_was_wanted_is_introduced_by_the_clock(installation: Installation) -> None:
    installation.sync(dated(1, LAST, Q4))
    installation.want(1)

    assert installation.tick() == {EventKind.GAME_ADDED: 1, EventKind.RELEASE_ANNOUNCED: 1}
    assert installation.tick() == {}
    assert installation.titles() == []


def test_a_game_that_was_linked_before_it_was_stored_is_told_on_its_own_feed(installation: Installation) -> None:
    with installation.engine.begin() as connection:
        row = {"name": NAME, "name_key": name_key(NAME), "public_id": "aaaa"}
        game_id = connection.execute(insert(Game).values(row).returning(Game.id)).scalar_one()
        link(connection, [Link(game_id=game_id, igdb_id=1, how="igdb_id")])

    installation.follow(dated(1, LAST, Q4))

    assert {event.game_id for event in installation.events(silent=True)} == {game_id}


def test_a_date_that_flaps_and_rests_is_told_as_it_is_when_the_day_is_over(installation: Installation) -> None:
    first, second = dated(1, LAST, DAY), dated(1, LAST - timedelta(days=1), DAY)
    installation.follow(first)
    for row in (second, first, second):
        installation.sync(row)
    there_and_back = [("2026-12-31", "2026-12-30"), ("2026-12-30", "2026-12-31")]
    assert moves(installation) == there_and_back

    due = installation.now + timedelta(hours=22)
    assert installation.tick(due - timedelta(minutes=1)) == {}
    assert installation.tick(due) == {EventKind.RELEASE_MOVED: 1}
    assert installation.tick() == {}
    assert moves(installation) == [*there_and_back, there_and_back[0]]


def test_dates_that_move_on_are_told_from_what_was_told_last_of_each(installation: Installation) -> None:
    days = [LAST - timedelta(days=number) for number in range(3)]
    installation.follow(dated(1, days[0], DAY), dated(2, days[0], DAY, PS5))
    for pc, ps5 in ((1, 0), (0, 0), (1, 0), (1, 1), (2, 2)):
        installation.sync(dated(1, days[pc], DAY), dated(2, days[ps5], DAY, PS5))
    installation.tick(installation.now + timedelta(days=1))

    assert [(event.platforms, event.when_before, event.when) for event in installation.details()[-2:]] == [
        (("PC",), "2026-12-31", "2026-12-29"),
        (("PlayStation 5",), "2026-12-30", "2026-12-29"),
    ]


def test_a_release_that_is_cancelled_again_is_told_to_be_off(installation: Installation) -> None:
    installation.follow(dated(1, LAST, DAY))
    for status in (5, None, 5):
        installation.sync(dated(1, LAST, DAY, status=status))
    installation.tick(installation.now + timedelta(days=1))

    kinds = [event.kind for event in installation.events()]
    assert kinds[-3:] == [EventKind.RELEASE_CANCELLED, EventKind.RELEASE_ANNOUNCED, EventKind.RELEASE_CANCELLED]


def moves(installation: Installation) -> list[tuple[str | None, str | None]]:
    return [(event.when_before, event.when) for event in installation.details()]


def test_a_game_that_is_wanted_for_a_library_alone_has_private_events(installation: Installation) -> None:
    installation.want(1, reason="library")
    installation.sync(dated(1, LAST, Q4))
    installation.sync(dated(1, LAST, DAY))
    installation.store(doc(2, name="Lanterns of Aldmoor: The Fen", game_type=1, parent_game=1))
    installation.tick(NOON.replace(month=12, day=31))

    events = [*installation.events(silent=True), *installation.events()]
    assert {event.kind for event in events} == {
        *("game.added", "release.announced", "release.precised", "release.out"),
    }
    assert len(events) == 5
    assert all(event.is_private for event in events)
    with installation.engine.begin() as connection:
        take_in_all(installation.engine)
        assert connection.scalars(select(Feed.path)).all() == []


def test_what_was_private_is_public_once_the_game_is_wanted_for_another_reason_too(installation: Installation) -> None:
    installation.want(1, reason="library")
    installation.want(2, reason="library")
    for igdb_id in (1, 2):
        installation.sync(dated(igdb_id, LAST, Q4), igdb_id=igdb_id)
    with installation.engine.begin() as connection:
        for igdb_id in (1, 2):
            game_id = connection.scalar(
                insert(Game)
                .values(name=f"{NAME} {igdb_id}", name_key=f"lanterns{igdb_id}", public_id=f"0000000{igdb_id}")
                .returning(Game.id)
            )
            link(connection, [Link(game_id=game_id or 0, igdb_id=igdb_id, how="hand")])
            connection.execute(update(Event).where(Event.event_key.contains(f"igdb/{igdb_id}")).values(game_id=game_id))
    installation.tick()
    assert all(event.is_private for event in installation.events(silent=True))

    installation.want(1, reason="list")
    installation.tick()

    private = {event.event_key.split(":")[1] for event in installation.events(silent=True) if event.is_private}
    assert private == {"igdb/2"}
    take_in_all(installation.engine)
    with installation.engine.connect() as connection:
        assert connection.scalars(select(Feed.path).where(Feed.scope == "game")).all() == [
            "games/lanterns-of-aldmoor-1-00000001"
        ]
