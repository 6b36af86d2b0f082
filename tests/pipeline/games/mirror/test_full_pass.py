"""The full mirror of IGDB: whole, in order, resumed where it ended, and believed only where it adds up."""

from datetime import timedelta

import msgspec
import pytest
from sqlalchemy import select, text, update

from models import GameMetadata, QuarantinedPayload, Source
from models.locks import hold
from pipeline.errors import SourceUnavailable
from pipeline.games.mirror.full_pass import PAUSES, patiently
from pipeline.games.mirror.state import MIRROR, Busy, MirrorState, alone, is_kept
from pipeline.games.status import Status, load_status
from pipeline.ingest.fetching import fetch_source, source_lock
from pipeline.runtime.runtime import utc_now
from pipeline.services.igdb.apicalypse import MOST_ROWS
from tests.igdb import LocalIgdb
from tests.igdb.games import game, games
from tests.paths import RECORDINGS
from tests.pipeline.games.syncing import FAST, Syncing

IGDB = RECORDINGS / "igdb"


def fill(syncing: Syncing, last: int) -> None:
    syncing.setting.igdb.put(*games(1, last))


def test_every_game_is_mirrored_page_by_page(syncing: Syncing) -> None:
    fill(syncing, 1250)

    steps = syncing.mirror()

    assert syncing.games() == {key: f"Game {key}" for key in range(1, 1251)}
    assert [(step.done, step.total) for step in steps] == [(500, 1250), (1000, 1250), (1250, 1250)]
    ends = [f"where id > {after}; sort id asc; limit 500;" for after in (0, 500, 1000)]
    assert syncing.queries() == ends


def test_a_slow_igdb_is_asked_for_several_pages_side_by_side(syncing: Syncing) -> None:
    fill(syncing, 6000)
    syncing.setting.igdb.latency = 0.05

    steps = syncing.mirror(interval=FAST)

    assert len(syncing.games()) == 6000
    assert [step.done for step in steps][:12] == list(range(500, 6500, 500))
    assert syncing.setting.igdb.limits.peak > 2
    # The first page, ten that were cut with one request, and those after them; none twice.
    assert len(set(syncing.queries())) == len(syncing.queries()) <= 14
    assert len(syncing.queries("/multiquery")) <= 2


def test_when_it_is_complete_changes_are_swept_from_where_it_began(syncing: Syncing) -> None:
    fill(syncing, 3)
    before = syncing.setting.clock()
    syncing.mirror()

    state, row = syncing.state(), syncing.source(MIRROR)
    assert state.began_at is None
    assert state.swept_to is not None
    assert state.completed_at is not None
    assert before <= state.swept_to <= state.completed_at
    assert (row["enabled"], row["service"], row["lease_until"]) == (True, "igdb", None)


def test_the_first_pass_is_silent_but_for_games_that_were_known(syncing: Syncing) -> None:
    fill(syncing, 3)
    syncing.want(2)
    syncing.fetch(syncing.wanted)
    syncing.news.clear()
    syncing.setting.igdb.put(game(2, "Renamed"))

    syncing.mirror()
    assert syncing.news == [("added", [1, 3], True), ("changed", [2], False)]

    syncing.news.clear()
    fill(syncing, 4)
    syncing.mirror()
    assert syncing.news == [("added", [4], False), ("changed", [2], False)]


def test_an_interrupted_pass_goes_on_behind_the_last_page_that_was_stored(syncing: Syncing) -> None:
    fill(syncing, 1800)
    running = syncing.mirroring().run()
    next(running)
    next(running)
    running.close()
    row = syncing.source(MIRROR)
    assert (row["lease_until"], row["enabled"], syncing.state().after) == (None, False, 1000)
    queries_before = len(syncing.queries())

    [step, last] = syncing.mirror()
    assert (step.resumed_at, step.done, step.total, last.done) == (1000, 1500, 1800, 1800)
    assert syncing.queries()[queries_before:] == [
        f"where id > {after}; sort id asc; limit 500;" for after in (1000, 1500)
    ]
    assert len(syncing.games()) == 1800


def test_a_failure_keeps_what_was_stored(syncing: Syncing) -> None:
    fill(syncing, 700)
    running = syncing.mirroring().run()
    next(running)
    syncing.setting.igdb.fail("/games", 503, "down", times=3)

    with pytest.raises(SourceUnavailable):
        next(running)
    assert syncing.source(MIRROR)["last_error"].endswith("503")
    syncing.mirror()
    assert len(syncing.games()) == 700


def test_a_pass_waits_a_while_for_an_igdb_that_does_not_answer(syncing: Syncing) -> None:
    fill(syncing, 1200)
    waits: list[tuple[str, timedelta]] = []
    syncing.setting.igdb.shorten(0, *[500] * 3)

    steps = list(patiently(syncing.mirroring(), lambda why, pause: waits.append((why, pause))))
    assert [step.done for step in steps] == [500, 1000, 1200]
    assert [pause for _, pause in waits] == [PAUSES[0]]
    syncing.setting.igdb.shorten(*[500] * 12)
    with pytest.raises(SourceUnavailable, match="shows 0"):
        list(patiently(syncing.mirroring(), lambda why, pause: waits.append((why, pause))))
    assert [pause for _, pause in waits[1:]] == list(PAUSES)


def test_two_passes_at_a_time_are_one_too_many(syncing: Syncing) -> None:
    fill(syncing, 600)
    running = syncing.mirroring().run()
    next(running)

    with pytest.raises(Busy, match="another `lootwire igdb sync --all` is under way"):
        syncing.mirror()
    running.close()
    syncing.mirror()


def test_a_pass_waits_for_no_worker_that_sweeps(syncing: Syncing) -> None:
    fill(syncing, 3)
    syncing.mirror()
    locked = hold(syncing.engine, source_lock(syncing.source(MIRROR)["id"]))
    with locked, pytest.raises(Busy, match="a worker is just sweeping"):
        syncing.mirror()
    syncing.mirror()


def test_a_worker_does_not_sweep_while_a_pass_is_under_way(syncing: Syncing) -> None:
    fill(syncing, 600)
    syncing.mirror()
    running = syncing.mirroring().run()
    next(running)
    with syncing.engine.begin() as connection:
        connection.execute(update(Source).where(Source.name == MIRROR).values(next_due_at=utc_now()))

    swept = fetch_source(syncing.engine, syncing.sweep, utc_now)
    running.close()
    assert swept is None
    assert syncing.source(MIRROR)["consecutive_failures"] == 0


def test_the_lease_of_a_pass_that_was_killed_keeps_nobody_waiting(syncing: Syncing) -> None:
    fill(syncing, 600)
    running = syncing.mirroring().run()
    next(running)
    # What a kill leaves: the session's lock is gone, all rows are as they were.
    with syncing.engine.connect() as connection:
        rows = connection.execute(text("SELECT cursor, lease_until FROM sources WHERE name = 'igdb.mirror'")).one()
    running.close()
    with syncing.engine.begin() as connection:
        left = update(Source).where(Source.name == MIRROR)
        connection.execute(left.values(cursor=rows.cursor, lease_until=rows.lease_until))
    assert syncing.state().holder

    syncing.mirror()
    assert len(syncing.games()) == 600


def test_how_it_stands_tells_a_pass_that_runs_from_one_that_was_interrupted(syncing: Syncing) -> None:
    fill(syncing, 600)
    running = syncing.mirroring().run()
    next(running)

    def standing() -> Status:
        with syncing.engine.connect() as connection:
            return load_status(connection, syncing.setting.clock())

    assert (standing().pass_under_way, standing().pass_listed, standing().pass_total) == (True, 500, 600)
    running.close()
    assert (standing().pass_under_way, standing().mirror, standing().games) == (False, "incomplete", 500)


def test_a_pass_that_another_one_took_over_stores_nothing_more(syncing: Syncing) -> None:
    fill(syncing, 1100)
    running = syncing.mirroring().run()
    next(running)
    with syncing.engine.begin() as connection:
        connection.execute(update(Source).where(Source.name == MIRROR).values(fence=Source.fence + 1))

    with pytest.raises(Busy, match="taken the mirror over"):
        next(running)
    assert len(syncing.games()) == 500


def test_games_that_igdb_no_longer_has_are_gone_and_may_come_back(syncing: Syncing) -> None:
    fill(syncing, 600)
    syncing.mirror()
    syncing.setting.igdb.remove(7, 550, 600)
    steps = syncing.mirror()

    assert set(range(1, 601)) - syncing.games().keys() == {7, 550, 600}
    assert sum(step.taken.removed for step in steps) == 3
    fill(syncing, 600)
    syncing.mirror()
    assert len(syncing.games()) == 600


def test_a_page_that_lacks_games_which_igdb_still_knows_removes_none(syncing: Syncing) -> None:
    fill(syncing, 30)
    syncing.mirror()
    answer = [game(key) for key in range(1, 30) if key not in {4, 5}]
    syncing.setting.igdb.fail("/games", 200, answer, headers={"X-Count": "27"})

    syncing.mirror()
    assert len(syncing.games()) == 30


def test_many_that_vanish_at_once_are_kept_and_told(syncing: Syncing) -> None:
    fill(syncing, 30)
    syncing.mirror()
    syncing.setting.igdb.remove(*range(10, 25))

    [step] = syncing.mirror()
    assert step.doubtful == 15
    assert len(syncing.games()) == 30


def test_an_empty_igdb_removes_nothing(syncing: Syncing) -> None:
    fill(syncing, 30)
    syncing.mirror()
    syncing.setting.igdb.remove(*range(1, 31))

    syncing.mirror()
    assert len(syncing.games()) == 30


def test_a_short_page_is_no_end_and_what_never_comes_is_told(syncing: Syncing) -> None:
    fill(syncing, 1100)
    # The first page stays 20 rows short; the last one is never shown whole, nor is the rest of it.
    syncing.setting.igdb.shorten(20, 20, 20, 0, 10, 10, 10, 10, 10, 10)

    steps = syncing.mirror()
    assert len(syncing.games()) == 1090
    assert steps[-1].missing == 10


def test_rows_that_cannot_be_read_are_kept_aside_with_the_reason(syncing: Syncing) -> None:
    syncing.setting.igdb.put(game(1), {"id": 2, "slug": "nameless"}, game(3))

    [step] = syncing.mirror()
    assert step.taken.set_aside == 1
    assert list(syncing.games()) == [1, 3]
    assert [tuple(row) for row in syncing.rows(select(QuarantinedPayload.reason, QuarantinedPayload.origin))] == [
        ("invalid_item", MIRROR)
    ]


def test_a_second_pass_over_the_same_games_writes_none(syncing: Syncing) -> None:
    fill(syncing, 40)
    syncing.mirror()
    synced = syncing.rows(select(GameMetadata.igdb_id, GameMetadata.synced_at))

    [step] = syncing.mirror()
    assert (step.taken.unchanged, step.taken.written) == (40, 0)
    assert sorted(syncing.rows(select(GameMetadata.igdb_id, GameMetadata.synced_at))) == sorted(synced)


def test_a_cursor_of_another_shape_begins_anew(syncing: Syncing) -> None:
    fill(syncing, 3)
    syncing.mirror()
    with syncing.engine.begin() as connection:
        connection.execute(update(Source).where(Source.name == MIRROR).values(cursor={"after": "x"}))
        assert not is_kept(connection)

    assert syncing.state() == MirrorState()
    syncing.mirror()


def test_the_lock_of_a_pass_does_not_outlast_it(syncing: Syncing) -> None:
    for _ in range(2):
        with alone(syncing.engine):
            pass


@pytest.mark.recordings
@pytest.mark.skipif(not IGDB.is_dir(), reason="the recordings are not here")
def test_recorded_games_are_mirrored(syncing: Syncing) -> None:
    files = ("gamehub_games_50_expanded.json", "recorded_2026-09-28/game_outer_wilds.json")
    rows = [row for name in files for row in msgspec.json.decode((IGDB / name).read_bytes())]
    with LocalIgdb(rows) as igdb:
        igdb.limits.per_second = None
        syncing.setting.igdb = igdb
        syncing.mirror()

    assert syncing.games().keys() == {row["id"] for row in rows}
    assert len(rows) < MOST_ROWS
