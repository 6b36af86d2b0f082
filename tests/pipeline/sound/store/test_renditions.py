"""Renditions are claimed with a lease and a fence, and nobody with an older fence writes anything."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Connection, Engine, update

from models import Rendition, Sound
from pipeline.sound.records import Loudness, Rendered, Trouble
from pipeline.sound.store import renditions
from pipeline.sound.store.renditions import LEASE, MOST_ATTEMPTS, Claim
from tests.pipeline.sound.rows import NOON, add_sound, rendition

BEFORE = Loudness(integrated=-22.5, true_peak=-6, range=5, threshold=-32)
AFTER = Loudness(integrated=-16, true_peak=-2, range=5, threshold=-26)
MADE = Rendered(size=10, digest=b"d" * 32, seconds=60, codec="mp3", kbps=128, mode="linear", before=BEFORE, after=AFTER)
DISK = Trouble(kind="disk", reason="the disk is full", way_out="free some space")
SOON = NOON + timedelta(seconds=10)


@pytest.fixture
def connection(engine: Engine) -> Iterator[Connection]:
    with engine.begin() as connection:
        yield connection


@pytest.fixture
def due(connection: Connection, tmp_path: Path) -> int:
    sound_id = add_sound(connection, tmp_path, None)
    assert renditions.want(connection, [sound_id], "podcast", NOON) == 1
    return renditions.due(connection, NOON)[0]


def claimed(connection: Connection, rendition_id: int, at: timedelta = timedelta()) -> Claim:
    claim = renditions.claim(connection, rendition_id, NOON + at)
    assert claim is not None
    return claim


def test_a_rendition_is_wanted_once(connection: Connection, due: int) -> None:
    claim = claimed(connection, due)

    assert renditions.want(connection, [claim.sound_id, claim.sound_id], "podcast", NOON) == 0
    assert renditions.want(connection, [claim.sound_id], "ebu", NOON) == 1
    assert renditions.want(connection, [], "ebu", NOON) == 0


def test_only_one_has_it_at_hand_until_its_lease_runs_out(connection: Connection, due: int) -> None:
    first = claimed(connection, due)

    assert renditions.claim(connection, due, SOON) is None
    assert due not in renditions.due(connection, SOON)
    second = claimed(connection, due, LEASE + timedelta(seconds=1))
    assert (first.fence, second.fence, second.attempts) == (1, 2, 2)
    for write in (
        renditions.renew(connection, first, SOON),
        renditions.note_measured(connection, first, BEFORE, 60.0),
        renditions.settle(connection, first, MADE, "x", SOON),
        renditions.put_off(connection, first, DISK, SOON, is_passing=True),
        renditions.release(connection, first, SOON),
    ):
        assert not write
    assert renditions.settle(connection, second, MADE, "sounds/renditions/x.mp3", SOON)


def test_a_lease_is_renewed(connection: Connection, due: int) -> None:
    claim = claimed(connection, due)

    assert renditions.renew(connection, claim, NOON + LEASE)
    assert renditions.claim(connection, due, NOON + LEASE + timedelta(seconds=1)) is None


def test_one_that_is_made_has_what_was_measured_and_is_due_no_more(connection: Connection, due: int) -> None:
    renditions.settle(connection, claimed(connection, due), MADE, "sounds/renditions/x.mp3", SOON)

    row = rendition(connection, due)
    assert (row.state, row.mode, row.codec, row.bitrate, row.path) == (
        "ready", "linear", "mp3", 128, "sounds/renditions/x.mp3",
    )  # fmt: skip
    assert (row.integrated_before, row.threshold_before, row.integrated_after, row.true_peak_after) == (
        -22.5,
        -32,
        -16,
        -2,
    )
    assert (row.lease_until, row.lease_token, row.rendered_at) == (None, None, SOON)
    assert renditions.claim(connection, due, SOON) is None


def test_what_was_measured_is_known_after_a_crash_and_to_other_profiles(connection: Connection, due: int) -> None:
    first = claimed(connection, due)
    assert first.before is None
    assert renditions.note_measured(connection, first, BEFORE, 60.0)

    assert claimed(connection, due, LEASE + timedelta(seconds=1)).before == BEFORE
    renditions.want(connection, [first.sound_id], "ebu", NOON)
    other = next(number for number in renditions.due(connection, SOON) if number != due)
    assert claimed(connection, other, timedelta(seconds=10)).before == BEFORE


def test_a_trouble_that_may_pass_is_tried_again_later_and_not_for_ever(connection: Connection, due: int) -> None:
    pauses = []
    at = NOON
    for _ in range(MOST_ATTEMPTS):
        claim = renditions.claim(connection, due, at)
        assert claim is not None
        assert renditions.put_off(connection, claim, DISK, at, is_passing=True)
        row = rendition(connection, due)
        pauses.append((row.next_due_at - at).total_seconds())
        assert row.error == "the disk is full: free some space"
        at = row.next_due_at

    assert pauses[:4] == [60, 120, 240, 480]
    assert max(pauses) == 3600
    assert row.state == "failed"
    assert renditions.due(connection, at) == []


def test_a_trouble_that_does_not_pass_ends_it_until_it_is_wanted_anew(connection: Connection, due: int) -> None:
    claim = claimed(connection, due)
    renditions.note_measured(connection, claim, BEFORE, 60.0)
    renditions.put_off(connection, claim, Trouble(kind="broken", reason="no sound"), NOON, is_passing=False)

    assert rendition(connection, due).state == "failed"
    assert renditions.want(connection, [claim.sound_id], "podcast", SOON) == 0
    assert renditions.want(connection, [claim.sound_id], "podcast", SOON, anew=True) == 1
    again = claimed(connection, due, timedelta(seconds=10))
    assert (again.attempts, again.before) == (1, None)


def test_one_wanted_anew_is_lost_to_whoever_has_it_and_its_old_file_stays(connection: Connection, due: int) -> None:
    renditions.settle(connection, claimed(connection, due), MADE, "old.mp3", NOON)
    sound_id = rendition(connection, due).sound_id
    renditions.want(connection, [sound_id], "podcast", NOON, anew=True)
    held = claimed(connection, due)
    renditions.want(connection, [sound_id], "podcast", NOON, anew=True)

    assert not renditions.settle(connection, held, MADE, "new.mp3", NOON)
    row = rendition(connection, due)
    assert (row.state, row.path) == ("pending", "old.mp3")


def test_a_claim_given_back_was_no_attempt(connection: Connection, due: int) -> None:
    assert renditions.release(connection, claimed(connection, due), NOON)
    assert claimed(connection, due).attempts == 1


def test_a_sound_let_go_has_nothing_due(connection: Connection, due: int) -> None:
    connection.execute(update(Sound).values(removed_at=NOON))

    assert renditions.due(connection, NOON) == []


def test_a_clock_set_back_does_not_keep_a_rendition_waiting(connection: Connection, due: int) -> None:
    connection.execute(update(Rendition).values(next_due_at=NOON + timedelta(days=400)))

    assert renditions.due(connection, NOON) == [due]
