"""Syncing what an account earned at RetroAchievements: what was begun and finished, on which console and when."""

from models import LibraryEntry, PersonWork, Playthrough
from tests.pipeline.library.sources.syncing import DAY, HOUR, Syncing

ULID = "01HZZZZZZZZZZZZZZZZZZZZZZ1"


def test_what_is_beaten_becomes_a_finished_playthrough_that_is_told_once(syncing: Syncing) -> None:
    player = syncing.shops.add_player()
    syncing.sign_in(ULID, service="retroachievements", name="Wicktrimmer")
    player.earn(7, "Glowmoor", "Game Boy", syncing.now)
    first = syncing.round(HOUR, "retroachievements")
    assert (first.outcome, first.items, syncing.events()) == ("ok", 1, [])
    assert [row["status"] for row in syncing.rows(Playthrough)] == ["paused"]
    assert syncing.account(ULID)["next_due_at"] == syncing.now + HOUR

    player.earn(7, "Glowmoor", "Game Boy", syncing.now, award="beaten-hardcore")
    syncing.round(HOUR, "retroachievements")
    syncing.round(HOUR, "retroachievements")

    (playthrough,) = syncing.rows(Playthrough)
    assert (playthrough["status"], playthrough["completion"]) == ("finished", "main")
    assert playthrough["finished"] == f"{syncing.now:%Y-%m-%d}"
    assert syncing.events() == ["play.finished"]
    assert ["finished" in row["words"] for row in syncing.rows(PersonWork)] == [True]
    # Who plays a game on an emulator need not own it.
    assert syncing.rows(LibraryEntry) == []


def test_an_account_that_is_gone_changes_nothing_and_says_so(syncing: Syncing) -> None:
    player = syncing.shops.add_player()
    syncing.sign_in(ULID, service="retroachievements")
    player.earn(7, "Glowmoor", "Game Boy", syncing.now, award="mastered")
    syncing.round(HOUR, "retroachievements")
    before = syncing.rows(Playthrough)
    syncing.shops.players.clear()

    fetched = syncing.round(DAY, "retroachievements")

    assert "RetroAchievements knows no account" in (fetched.error or "")
    assert (syncing.rows(Playthrough), syncing.events()) == (before, ["source.failing"])
