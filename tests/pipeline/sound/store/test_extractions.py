"""Extractions are claimed once, one at a time of a host, and only their holder writes to them."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Connection, Engine, select, update

from models import Episode, Extraction, SoundHost
from models.errors import UsageError
from pipeline.sound.records import MediaInfo, Trouble
from pipeline.sound.store.extractions import (
    LEASE,
    Claimed,
    ExtractionLost,
    add_extraction,
    begin_stage,
    cancel_extraction,
    claim_next,
    complete,
    count_due,
    fail,
    keep_info,
    list_extractions,
    load_extraction,
    postpone,
    release,
    renew,
    retry_extraction,
    retry_failed,
    with_workspaces,
)
from pipeline.sound.store.hosts import let_rest, note_fetched
from pipeline.sound.store.shows import add_show
from pipeline.sound.store.sounds import NewSound, keep_sound, remove_sounds

NOW = datetime(2026, 11, 30, 3, tzinfo=UTC)
URL = "https://www.twitch.tv/videos/1"
OTHER = "https://cdn.example/a.mp3"
SECOND = timedelta(seconds=1)
PAUSE = timedelta(seconds=5)
GONE = Trouble(kind="gone", reason="it is gone")
BUSY = Trouble(kind="server", reason="HTTP 503")


def info(external_id: str = "1", service: str = "twitch") -> MediaInfo:
    return MediaInfo(service=service, external_id=external_id, title="Wipe day", seconds=60.0)


def add(engine: Engine, url: str = URL, **fields: object) -> int:
    with engine.begin() as connection:
        return add_extraction(connection, url, now=NOW, **fields).id  # type: ignore[arg-type]


def claim(engine: Engine, now: datetime = NOW, only: int | None = None) -> Claimed | None:
    with engine.begin() as connection:
        return claim_next(connection, now, pause=PAUSE, only=only)


def claimed(engine: Engine, now: datetime = NOW) -> Claimed:
    taken = claim(engine, now)
    assert taken is not None
    return taken


def test_the_same_address_is_fetched_once(engine: Engine) -> None:
    with engine.begin() as connection:
        first = add_extraction(connection, URL, now=NOW)
        second = add_extraction(connection, URL, now=NOW)
    assert (first.is_new, second.is_new, second.id) == (True, False, first.id)


def test_the_same_id_of_a_service_is_fetched_once_whatever_its_address(engine: Engine) -> None:
    first = add(engine, URL, service="twitch", external_id="1")
    assert add(engine, "https://m.twitch.tv/videos/1?t=1", service="twitch", external_id="1") == first
    assert add(engine, "https://m.twitch.tv/videos/2", service="twitch", external_id="2") != first


def test_what_failed_may_be_added_anew(engine: Engine) -> None:
    first = add(engine)
    taken = claimed(engine)
    with engine.begin() as connection:
        fail(connection, taken, GONE, NOW)
    assert add(engine) != first


def test_what_is_no_address_of_the_web_is_refused(engine: Engine) -> None:
    for url in ("file:///etc/passwd", "ftp://x.example/a", "twitch.tv/videos/1", "https:///a", "https://x:99999/"):
        with pytest.raises(UsageError):
            add(engine, url)


def test_an_extraction_is_claimed_once_until_its_lease_is_over(engine: Engine) -> None:
    add(engine)
    first = claimed(engine)
    assert claim(engine, NOW + LEASE - SECOND) is None
    second = claimed(engine, NOW + LEASE + SECOND)
    assert (second.id, second.fence, second.attempts) == (first.id, first.fence + 1, 2)


def test_whoever_holds_an_older_fence_writes_nothing(engine: Engine) -> None:
    add(engine)
    old = claimed(engine)
    claimed(engine, NOW + LEASE + SECOND)
    writes: tuple[Callable[[Connection], object], ...] = (
        lambda connection: renew(connection, old, NOW),
        lambda connection: begin_stage(connection, old, "measure"),
        lambda connection: keep_info(connection, old, info()),
        lambda connection: fail(connection, old, GONE, NOW),
        lambda connection: postpone(connection, old, BUSY, NOW),
        lambda connection: complete(connection, old, NOW),
        lambda connection: release(connection, old, NOW),
    )
    for write in writes:
        with engine.begin() as connection, pytest.raises(ExtractionLost):
            write(connection)


def test_a_lease_that_is_renewed_goes_on(engine: Engine) -> None:
    add(engine)
    taken = claimed(engine)
    with engine.begin() as connection:
        renew(connection, taken, NOW + 20 * SECOND, progress=0.5, size=1000, spent=20.0)
    assert claim(engine, NOW + LEASE + SECOND) is None
    with engine.connect() as connection:
        row = load_extraction(connection, taken.id)
    assert (row.progress, row.bytes) == (0.5, 1000)


def test_a_lease_that_a_clock_wrote_which_ran_ahead_holds_nobody(engine: Engine) -> None:
    add(engine)
    claimed(engine, NOW + timedelta(days=300))
    assert claim(engine, NOW) is not None


def test_a_host_is_asked_for_one_thing_at_a_time(engine: Engine) -> None:
    first, _second, elsewhere = add(engine), add(engine, f"{URL}2"), add(engine, OTHER)
    assert claimed(engine).id == first
    assert claimed(engine).id == elsewhere
    assert claim(engine) is None


def test_a_host_is_free_while_what_came_from_it_is_rendered(engine: Engine) -> None:
    add(engine)
    second = add(engine, f"{URL}2")
    first = claimed(engine)
    with engine.begin() as connection:
        begin_stage(connection, first, "measure")
    assert claimed(engine).id == second


def test_between_two_downloads_of_a_host_there_is_a_pause(engine: Engine) -> None:
    add(engine)
    first = claimed(engine)
    with engine.begin() as connection:
        note_fetched(connection, first.host, NOW, works=True)
        begin_stage(connection, first, "measure")
    add(engine, f"{URL}2")
    assert claim(engine, NOW + PAUSE - SECOND) is None
    assert claim(engine, NOW + PAUSE) is not None


def test_a_host_that_rests_is_left_alone_and_others_go_on(engine: Engine) -> None:
    first, elsewhere = add(engine), add(engine, OTHER)
    with engine.begin() as connection:
        until = let_rest(connection, "twitch.tv", NOW, reason="HTTP 429", retry_after=timedelta(minutes=10))
        assert count_due(connection, NOW) == 1
    assert claimed(engine).id == elsewhere
    assert claim(engine, until - SECOND, only=first) is None
    assert claim(engine, until, only=first) is not None


def test_a_host_rests_longer_with_each_refusal_until_it_works(engine: Engine) -> None:
    def rest() -> timedelta:
        with engine.begin() as connection:
            return let_rest(connection, "twitch.tv", NOW, reason="HTTP 429", retry_after=None) - NOW

    assert [rest(), rest(), rest()] == [timedelta(minutes=minutes) for minutes in (2, 4, 8)]
    with engine.begin() as connection:
        note_fetched(connection, "twitch.tv", NOW, works=True)
    assert rest() == timedelta(minutes=2)


def test_what_its_service_deletes_first_comes_first(engine: Engine) -> None:
    add(engine, "https://a.example/1")
    later = add(engine, "https://b.example/2", expires_at=NOW + timedelta(days=7))
    sooner = add(engine, "https://c.example/3", expires_at=NOW + timedelta(days=1))
    assert [claimed(engine).id, claimed(engine).id] == [sooner, later]


def test_one_that_is_not_due_waits(engine: Engine) -> None:
    add(engine, due_at=NOW + timedelta(minutes=3))
    assert claim(engine) is None
    assert claim(engine, NOW + timedelta(minutes=3)) is not None


def test_what_a_probe_says_is_kept_for_the_stages_after_it(engine: Engine) -> None:
    add(engine)
    with engine.begin() as connection:
        kept = keep_info(connection, claim_now(connection), info())
    assert kept is not None
    again = claimed(engine, NOW + LEASE + SECOND)
    assert (again.stage, again.info, again.title) == ("download", info(), "Wipe day")


def claim_now(connection: Connection) -> Claimed:
    taken = claim_next(connection, NOW, pause=PAUSE)
    assert taken is not None
    return taken


def test_two_addresses_of_one_video_become_one_extraction_which_the_show_has(engine: Engine) -> None:
    first = add(engine, "https://a.example/1", service="twitch", external_id="1")
    with engine.begin() as connection:
        second = add_extraction(connection, "https://b.example/1", now=NOW).id
        show = add_show(connection, "Ann", url="https://b.example/list", now=NOW)
        connection.execute(Episode.__table__.insert().values(show_id=show.id, extraction_id=second, added_at=NOW))  # type: ignore[attr-defined]
        taken = claim_next(connection, NOW, pause=PAUSE, only=second)
        assert taken is not None
        assert keep_info(connection, taken, info()) is None
        assert connection.scalars(select(Episode.extraction_id)).all() == [first]
        row = load_extraction(connection, second)
    assert (row.state, row.error) == ("cancelled", f"it is extraction {first} already")


def test_a_cancelled_one_is_lost_to_the_process_that_has_it(engine: Engine) -> None:
    extraction_id = add(engine)
    taken = claimed(engine)
    with engine.begin() as connection:
        cancel_extraction(connection, extraction_id, NOW)
        with pytest.raises(ExtractionLost):
            renew(connection, taken, NOW)
        with pytest.raises(UsageError, match="is cancelled"):
            cancel_extraction(connection, extraction_id, NOW)


def test_a_failed_one_is_tried_again_when_a_person_asks(engine: Engine) -> None:
    extraction_id = add(engine)
    taken = claimed(engine)
    with engine.begin() as connection:
        fail(connection, taken, GONE, NOW)
    assert claim(engine) is None
    with engine.begin() as connection:
        assert load_extraction(connection, extraction_id).is_permanent
        assert retry_failed(connection, NOW) == [extraction_id]
    again = claimed(engine)
    assert (again.id, again.attempts) == (extraction_id, 1)
    assert again.fence > taken.fence


def test_one_is_not_tried_again_while_another_fetches_the_same(engine: Engine) -> None:
    extraction_id = add(engine, service="twitch", external_id="1")
    taken = claimed(engine)
    with engine.begin() as connection:
        fail(connection, taken, GONE, NOW)
    other = add(engine, service="twitch", external_id="1")
    with engine.begin() as connection:
        with pytest.raises(UsageError, match=f"extraction {other} fetches the same"):
            retry_extraction(connection, extraction_id, NOW)
        assert retry_failed(connection, NOW) == []


def test_one_that_waits_is_due_at_once_when_a_person_asks(engine: Engine) -> None:
    extraction_id = add(engine)
    taken = claimed(engine)
    with engine.begin() as connection:
        postpone(connection, taken, BUSY, NOW + timedelta(hours=1))
    assert claim(engine, NOW + PAUSE) is None
    with engine.begin() as connection:
        retry_extraction(connection, extraction_id, NOW)
    assert claim(engine, NOW + PAUSE) is not None


def test_what_was_let_go_is_fetched_again_when_a_person_asks(engine: Engine) -> None:
    extraction_id = add(engine)
    taken = claimed(engine)
    with engine.begin() as connection:
        sound = keep_sound(connection, NewSound(kind="track", sha256=b"1" * 32, size=3, title="Wipe day"), NOW)
        complete(connection, begin_stage(connection, taken, "publish", sound_id=sound.id), NOW)
        assert not add_extraction(connection, URL, now=NOW).is_new
        remove_sounds(connection, [sound.id], NOW)
        assert add_extraction(connection, URL, now=NOW).is_new
    assert claimed(engine, NOW + PAUSE).id == extraction_id


def test_extractions_are_listed_by_their_states_newest_first(engine: Engine) -> None:
    first, second = add(engine), add(engine, OTHER)
    claim(engine, only=first)
    with engine.connect() as connection:
        assert [row.id for row in list_extractions(connection)] == [second, first]
        assert [row.id for row in list_extractions(connection, states=["processing"])] == [first]


def test_workspaces_are_kept_for_what_may_go_on(engine: Engine) -> None:
    ids = [add(engine, f"https://{letter}.example/") for letter in "abcd"]
    troubles = [None, GONE, Trouble(kind="sign_in", reason="sign in"), Trouble(kind="disk", reason="full")]
    for extraction_id, trouble in zip(ids, troubles, strict=True):
        taken = claim(engine, only=extraction_id)
        assert taken is not None
        if trouble is not None:
            with engine.begin() as connection:
                fail(connection, taken, trouble, NOW)
    with engine.connect() as connection:
        assert with_workspaces(connection, [*ids, 999]) == {ids[0], ids[2]}


def test_rests_in_the_far_future_hold_nobody(engine: Engine) -> None:
    add(engine)
    with engine.begin() as connection:
        let_rest(connection, "twitch.tv", NOW, reason="HTTP 429", retry_after=None)
        connection.execute(update(SoundHost).values(until=NOW + timedelta(days=400), last_fetched_at=None))
    assert claim(engine) is not None


def test_no_more_are_claimed_than_there_are(engine: Engine) -> None:
    for letter in "abc":
        add(engine, f"https://{letter}.example/")
    assert len({claimed(engine).id for _ in range(3)}) == 3
    assert claim(engine) is None
    with engine.connect() as connection:
        assert set(connection.scalars(select(Extraction.state))) == {"processing"}


def test_the_seconds_that_a_killed_try_spent_count(engine: Engine) -> None:
    add(engine)
    taken = claimed(engine)
    with engine.begin() as connection:
        renew(connection, begin_stage(connection, taken, "download"), NOW, spent=20.0)
    for number in (1, 2):
        again = claimed(engine, NOW + number * (LEASE + SECOND))
        assert again.spent_seconds == pytest.approx(20 + number * LEASE.total_seconds() / 4)
    with engine.begin() as connection:
        postpone(connection, again, BUSY, NOW, spent=50.0)
    assert claimed(engine, NOW + 4 * LEASE).spent_seconds == 50


def test_what_is_fetched_anew_is_what_the_person_asks_for_now(engine: Engine) -> None:
    extraction_id = add(engine, profile="ebu")
    taken = claimed(engine)
    with engine.begin() as connection:
        sound = keep_sound(connection, NewSound(kind="track", sha256=b"1" * 32, size=3, title="Wipe day"), NOW)
        complete(connection, begin_stage(connection, taken, "publish", sound_id=sound.id), NOW)
        remove_sounds(connection, [sound.id], NOW)
        add_extraction(connection, URL, now=NOW, kind="effect", profile="effects")
        row = load_extraction(connection, extraction_id)
    assert (row.kind, row.profile, row.state) == ("effect", "effects", "pending")
