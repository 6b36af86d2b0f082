"""IGDB's documents become rows: new, unchanged, changed, late, gone and back."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, select, text, update

from models import Base, ExternalGame, Game, GameMetadata, GameTitle, Platform, ReleaseDate
from pipeline.games.store.games import (
    StoredGames,
    known_ids_between,
    load_known,
    remove_games,
    store_games,
    store_platforms,
)
from pipeline.games.store.releases import load_releases
from pipeline.games.take_in import Intake, append_nothing
from pipeline.services.igdb.documents import Document, split_documents
from pipeline.services.igdb.records import PlatformRecord
from tests.pipeline.games.documents import doc, release
from tests.waiting import wait_for

NOON = datetime(2026, 10, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


class Mirror:
    """A database that documents are stored in, hour by hour."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.now = NOON

    def store(self, *documents: Document, at: datetime | None = None) -> StoredGames:
        self.now += HOUR
        with self.engine.begin() as connection:
            return store_games(connection, documents, at or self.now)

    def rows(self, model: type[Base]) -> Sequence[Any]:
        with self.engine.connect() as connection:
            return connection.execute(select(model).order_by(*model.__table__.primary_key)).all()

    def game(self, igdb_id: int = 1) -> Any:
        (row,) = [row for row in self.rows(GameMetadata) if row.igdb_id == igdb_id]
        return row


@pytest.fixture
def mirror(engine: Engine) -> Mirror:
    return Mirror(engine)


def test_a_new_game_is_written_with_all_that_hangs_on_it(mirror: Mirror) -> None:
    names = [{"id": 1, "name": 'Tab\there \\ "quoted", {braced}\nline'}, {"id": 2, "name": "灯"}]
    stored = mirror.store(
        doc(
            genres=[{"id": 1, "name": 'A "b", \\c'}, {"id": 2, "name": "Indie"}],
            alternative_names=names,
            external_games=[{"id": 1, "external_game_source": 14, "uid": "115977"}],
            platforms=[{"id": 6, "name": "PC (Microsoft Windows)", "abbreviation": "PC"}],
            release_dates=[release(7, status=6, release_region=8)],
            summary="one\ntwo\\three",
            total_rating=81.5,
        )
    )

    game = mirror.game()
    assert (game.name, game.name_key, game.slug) == ("Lanterns of Aldmoor", "lanternsofaldmoor", "game-1")
    assert (game.summary, game.rating, game.genres) == ("one\ntwo\\three", 81.5, ['A "b", \\c', "Indie"])
    assert game.raw["alternative_names"] == names
    assert (game.synced_at, game.removed_at, game.game_id) == (mirror.now, None, None)
    assert {row.title for row in mirror.rows(GameTitle)} == {"Lanterns of Aldmoor", names[0]["name"], "灯", "game-1"}
    assert [(row.source, row.uid, row.igdb_id) for row in mirror.rows(ExternalGame)] == [(14, "115977", 1)]
    assert [(row.igdb_id, row.abbreviation) for row in mirror.rows(Platform)] == [(6, "PC")]
    (only,) = mirror.rows(ReleaseDate)
    assert (only.game_igdb_id, only.igdb_id, only.precision, only.date) == (1, 7, "day", date(2026, 12, 31))
    assert (only.first_seen_at, only.last_seen_at, only.told_at) == (mirror.now, None, None)
    (added,) = stored.added
    assert added.before is None
    assert added.releases_before == ()
    assert [stored_release.release.igdb_id for stored_release in added.releases_after] == [7]


def test_an_unchanged_document_writes_nothing_at_all(mirror: Mirror) -> None:
    mirror.store(doc(release_dates=[release(1)]), doc(2))

    def state() -> list[Any]:
        tables = ("game_metadata", "game_titles", "release_dates")
        with mirror.engine.connect() as connection:
            return [connection.execute(text(f"SELECT xmin, * FROM {table}")).all() for table in tables]  # noqa: S608

    before = state()
    stored = mirror.store(doc(release_dates=[release(1)]), doc(2))

    assert (stored.unchanged, stored.added, stored.changed) == (2, [], [])
    assert state() == before


def test_a_changed_document_is_told_with_what_was_there_before(mirror: Mirror) -> None:
    mirror.store(doc(release_dates=[release(1)], game_status=4))
    first = mirror.now

    stored = mirror.store(doc(release_dates=[release(1, 1801353600), release(2, date_format=7)], game_status=6))

    (changed,) = stored.changed
    assert changed.before is not None
    assert (changed.before.game_status, changed.record.game_status) == (4, 6)
    assert [stored_release.release.date for stored_release in changed.releases_before] == [date(2026, 12, 31)]
    assert [
        (stored_release.release.igdb_id, stored_release.release.date, stored_release.first_seen_at)
        for stored_release in changed.releases_after
    ] == [
        (1, date(2027, 1, 31), first),
        (2, None, mirror.now),
    ]
    with mirror.engine.connect() as connection:
        assert load_releases(connection, [1]) == {1: changed.releases_after}


def test_what_a_document_no_longer_says_is_gone_but_a_release_date_is_kept_as_gone(mirror: Mirror) -> None:
    mirror.store(
        doc(
            first_release_date=1798675200,
            summary="Soon.",
            genres=[{"id": 1, "name": "Puzzle"}],
            alternative_names=[{"id": 1, "name": "Aldmoor"}],
            external_games=[{"id": 1, "external_game_source": 1, "uid": "77"}],
            release_dates=[release(1), release(2)],
        )
    )

    stored = mirror.store(doc(release_dates=[release(2)]))

    game = mirror.game()
    assert (game.first_release_at, game.summary, game.genres) == (None, None, [])
    assert {row.title for row in mirror.rows(GameTitle)} == {"Lanterns of Aldmoor", "game-1"}
    assert mirror.rows(ExternalGame) == []
    assert [(row.igdb_id, row.last_seen_at) for row in mirror.rows(ReleaseDate)] == [(1, mirror.now), (2, None)]
    assert [stored_release.last_seen_at for stored_release in stored.changed[0].releases_after] == [mirror.now, None]


def test_a_release_date_that_comes_back_is_the_same_one(mirror: Mirror) -> None:
    mirror.store(doc(release_dates=[release(1)]))
    first = mirror.now
    with mirror.engine.begin() as connection:
        connection.execute(update(ReleaseDate).values(told_at=first))
    mirror.store(doc())

    mirror.store(doc(release_dates=[release(1)]))

    (only,) = mirror.rows(ReleaseDate)
    assert (only.first_seen_at, only.last_seen_at, only.told_at) == (first, None, first)


def test_parts_that_a_document_names_by_bare_ids_stay_as_they_were(mirror: Mirror) -> None:
    mirror.store(
        doc(
            cover={"id": 5, "image_id": "co1abc"},
            genres=[{"id": 1, "name": "Puzzle"}],
            alternative_names=[{"id": 1, "name": "Aldmoor"}],
            external_games=[{"id": 1, "external_game_source": 1, "uid": "77"}],
            release_dates=[release(1)],
        )
    )

    stored = mirror.store(doc(cover=5, genres=[1], alternative_names=[1], external_games=[1], release_dates=[1]))

    game = mirror.game()
    assert (game.cover_id, game.genres) == ("co1abc", ["Puzzle"])
    assert {row.title for row in mirror.rows(GameTitle)} == {"Lanterns of Aldmoor", "Aldmoor", "game-1"}
    assert [row.uid for row in mirror.rows(ExternalGame)] == ["77"]
    assert [row.last_seen_at for row in mirror.rows(ReleaseDate)] == [None]
    assert stored.changed[0].record.genres == ("Puzzle",)
    assert stored.changed[0].releases_before == stored.changed[0].releases_after


def test_a_part_that_cannot_be_read_keeps_what_is_stored_of_it(mirror: Mirror) -> None:
    mirror.store(doc(total_rating=70, first_release_date=0, release_dates=[release(1), release(2)]))

    stored = mirror.store(doc(total_rating="high", release_dates=[release(1), {"id": 2, "date": "soon"}]))

    game = mirror.game()
    assert (game.rating, game.first_release_at) == (70, None)
    assert [row.last_seen_at for row in mirror.rows(ReleaseDate)] == [None, None]
    assert [(key, fault.field) for key, fault in stored.faults] == [(1, "total_rating"), (1, "release_dates")]


def test_a_title_that_becomes_the_name_changes_its_kind(mirror: Mirror) -> None:
    mirror.store(doc(name="Aldmoor", alternative_names=[{"id": 1, "name": "Lanterns"}]))

    mirror.store(doc(name="Lanterns", alternative_names=[{"id": 1, "name": "Aldmoor"}]))

    assert {(row.key, row.kind) for row in mirror.rows(GameTitle)} == {
        ("lanterns", "name"),
        ("aldmoor", "alternative"),
        ("game1", "slug"),
    }


def test_an_answer_that_was_asked_for_earlier_does_not_replace_a_later_one(mirror: Mirror) -> None:
    mirror.store(doc(summary="later"))
    late = mirror.store(doc(summary="earlier"), at=NOON)

    assert (late.late, late.changed, late.unchanged) == (1, [], 0)
    assert mirror.game().summary == "later"


def test_an_answer_that_was_asked_for_before_a_game_was_removed_does_not_bring_it_back(mirror: Mirror) -> None:
    mirror.store(doc())
    asked_at = mirror.now + HOUR
    with mirror.engine.begin() as connection:
        remove_games(connection, [1], asked_at + HOUR)

    assert mirror.store(doc(), at=asked_at).late == 1
    assert mirror.game().removed_at == asked_at + HOUR


def test_two_workers_that_store_the_same_new_game_at_once_add_it_once(mirror: Mirror) -> None:
    waiting = text("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted")
    with ThreadPoolExecutor(1) as pool:
        with mirror.engine.begin() as connection:
            first = store_games(connection, [doc()], NOON)
            second = pool.submit(mirror.store, doc())
            wait_for(lambda: connection.scalar(waiting) == 1)

        assert len(first.added) == 1
        assert second.result().unchanged == 1
    assert len(mirror.rows(GameMetadata)) == 1


def test_a_document_without_a_name_is_refused_and_the_others_land(mirror: Mirror) -> None:
    stored = mirror.store(doc(1, None), doc(2))

    assert stored.refused == [(1, "`name` is missing")]
    assert [row.igdb_id for row in mirror.rows(GameMetadata)] == [2]


def test_a_document_with_what_postgresql_cannot_keep_lands_without_it(mirror: Mirror) -> None:
    mirror.store(doc(name="Nul\0l", storyline="a\0b", tags={"a\0": "\ud83d"}))

    assert mirror.game().name == "Null"
    assert mirror.game().raw["storyline"] == "ab"


def test_old_names_are_counted_by_the_documents_that_use_them(mirror: Mirror) -> None:
    stored = mirror.store(doc(1, category=0), doc(2, category=3, status=6), doc(3, game_type=0))

    assert stored.old_names == {"category": 2, "status": 1}
    assert mirror.game(2).game_status == 6


def test_a_game_that_igdb_removed_stays_and_can_come_back(mirror: Mirror) -> None:
    mirror.store(doc(1), doc(2))

    with mirror.engine.begin() as connection:
        removed = remove_games(connection, [1, 3], mirror.now)
        assert remove_games(connection, [1], mirror.now + HOUR) == []
        assert known_ids_between(connection, 0, 2) == {2}
    assert [removed_game.igdb_id for removed_game in removed] == [1]
    assert mirror.game().removed_at == mirror.now

    stored = mirror.store(doc(1))

    assert [game.before is not None and game.before.removed_at for game in stored.changed] == [mirror.now - HOUR]
    assert mirror.game().removed_at is None


def test_a_game_that_was_seen_after_the_answer_that_lacks_it_stays(mirror: Mirror) -> None:
    mirror.store(doc())

    with mirror.engine.begin() as connection:
        assert remove_games(connection, [1], mirror.now - HOUR) == []

    assert mirror.game().removed_at is None


def test_an_answer_removes_nothing_that_was_stored_while_it_was_on_its_way(mirror: Mirror) -> None:
    mirror.store(doc())

    with mirror.engine.begin() as connection:
        intake = Intake(
            connection=connection, source_id=0, origin="a page", append_news=append_nothing, now=mirror.now + HOUR
        )
        taken = intake.take(split_documents(b"[]"), mirror.now - HOUR, silent=True, removed=[1])

    assert taken.removed == 0
    assert mirror.game().removed_at is None


def test_known_ids_are_those_above_the_first_and_up_to_the_last(mirror: Mirror) -> None:
    mirror.store(*[doc(number) for number in (3, 5, 8, 9)])

    with mirror.engine.connect() as connection:
        assert known_ids_between(connection, 3, 8) == {5, 8}


def test_storing_a_document_keeps_the_link_and_the_time_at_which_a_release_was_told(mirror: Mirror) -> None:
    mirror.store(doc(release_dates=[release(1)]))
    with mirror.engine.begin() as connection:
        values = {"name": "x", "name_key": "x", "public_id": "x"}
        game_id = connection.scalar(Game.__table__.insert().values(values).returning(Game.id))  # type: ignore[attr-defined]
        connection.execute(update(GameMetadata).values(game_id=game_id))
        connection.execute(update(ReleaseDate).values(told_at=NOON))

    stored = mirror.store(doc(summary="new", release_dates=[release(1, status=6)]))

    assert mirror.game().game_id == game_id
    assert stored.changed[0].before is not None
    assert stored.changed[0].before.game_id == game_id
    assert [row.told_at for row in mirror.rows(ReleaseDate)] == [NOON]


def test_a_platform_is_filled_in_and_never_emptied(mirror: Mirror) -> None:
    records = [PlatformRecord(6, "PC", "PC"), PlatformRecord(6, None, None, "win"), PlatformRecord(48, "PS4")]
    with mirror.engine.begin() as connection:
        for record in records:
            store_platforms(connection, [record])

    assert [tuple(row) for row in mirror.rows(Platform)] == [
        (6, "PC", "PC", "win", None, None),
        (48, "PS4", None, None, None, None),
    ]


def test_entries_that_igdb_merged_hand_their_release_dates_on(mirror: Mirror) -> None:
    mirror.store(doc(1, release_dates=[release(7)]), doc(2))

    mirror.store(doc(1), doc(2, release_dates=[release(7)]))

    rows = [(row.game_igdb_id, row.igdb_id, row.last_seen_at) for row in mirror.rows(ReleaseDate)]
    assert rows == [(1, 7, mirror.now), (2, 7, None)]


def test_the_same_document_twice_in_one_batch_is_one_game(mirror: Mirror) -> None:
    stored = mirror.store(doc(1, summary="first"), doc(1, summary="second"))

    assert len(stored.added) == 1
    assert mirror.game().summary == "second"


def test_titles_are_found_by_any_of_their_words(mirror: Mirror) -> None:
    mirror.store(doc(1, "The Quiet Orchard"), doc(2, "Quiet Please"))

    with mirror.engine.connect() as connection:
        by_words = text("SELECT igdb_id FROM game_titles WHERE words @> ARRAY['quiet', 'orchard']")
        assert connection.scalars(by_words).all() == [1]
        assert set(load_known(connection, [1, 2, 3])) == {1, 2}
