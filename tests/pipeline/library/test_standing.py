"""What a work is to a person, by what shops say and what the person says."""

from datetime import UTC, datetime, timedelta

from pipeline.library.standing import PLAYING_FOR, Owned, Played, standing_of

NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)
HOUR = 3600


def owned(game_id: int = 1, **changes: object) -> Owned:
    values: dict[str, object] = {"store": "steam", "platform": "PC", "ownership": "owned", **changes}
    return Owned(game_id=game_id, **values)  # type: ignore[arg-type]


def test_a_game_that_is_owned_and_never_played_waits() -> None:
    standing = standing_of(None, [owned()], [], NOW)

    assert (standing.words, standing.status, standing.changes_at) == (("owned", "backlog"), "backlog", None)


def test_who_played_lately_is_playing_until_fourteen_days_have_passed() -> None:
    played = owned(last_played_at=NOW - timedelta(days=3), playtime_seconds=HOUR)

    lately = standing_of(None, [played], [], NOW)
    later = standing_of(None, [played], [], NOW - timedelta(days=3) + PLAYING_FOR)

    assert (lately.words, lately.changes_at) == (("owned", "playing"), NOW - timedelta(days=3) + PLAYING_FOR)
    assert (later.words, later.status, later.changes_at) == (("owned",), "paused", None)


def test_a_playthrough_with_an_end_is_finished_though_it_was_played_yesterday() -> None:
    entry = owned(last_played_at=NOW - timedelta(days=1))

    standing = standing_of(None, [entry], [Played(game_id=1, status="finished", finished="2026-11")], NOW)

    assert standing.words == ("owned", "finished")


def test_a_persons_word_stands_over_what_follows_from_playing() -> None:
    standing = standing_of("abandoned", [owned(last_played_at=NOW)], [], NOW)

    assert (standing.words, standing.status, standing.changes_at) == (("owned", "abandoned"), "abandoned", None)


def test_a_wished_game_is_not_owned_until_another_store_has_it() -> None:
    wished = owned(ownership="wished", store="gog")

    assert standing_of(None, [wished], [], NOW).words == ("wished",)
    assert standing_of(None, [wished, owned(store="epic")], [], NOW).stores == ("epic",)


def test_hours_are_the_greater_of_shop_and_journal_for_each_edition_and_their_sum() -> None:
    entries = [
        owned(1, playtime_seconds=10 * HOUR),
        owned(1, store="gog", playtime_seconds=HOUR),
        owned(2, playtime_seconds=5 * HOUR),
    ]
    played = [Played(game_id=1, status="finished", seconds=8 * HOUR), Played(game_id=3, status="paused", seconds=HOUR)]

    assert standing_of(None, entries, played, NOW).seconds == (11 + 5 + 1) * HOUR


def test_a_sold_game_is_nothing_more() -> None:
    assert standing_of(None, [owned(ownership="sold")], [], NOW).words == ()


def test_the_day_on_which_somebody_gave_up_is_no_end() -> None:
    given_up = Played(game_id=1, status="abandoned", finished="2019")

    assert standing_of(None, [owned()], [given_up], NOW).words == ("owned", "abandoned")


def test_a_game_of_which_a_rom_is_there_is_owned_but_not_on_the_backlog() -> None:
    rom = Owned(game_id=1, store="rom", platform="Super Nintendo", ownership="owned")

    assert standing_of(None, [rom], [], NOW).words == ("owned", "rom")
    assert standing_of(None, [rom, owned()], [], NOW).words == ("owned", "backlog", "rom")
