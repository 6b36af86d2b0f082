"""What events of a library show, and when the same thing is no second event."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from models.details import LibraryDetail, LibraryLine
from models.events import EventKind
from pipeline.events.event import NewEvent
from pipeline.library.details import (
    NAMED_AT_MOST,
    Finish,
    Happened,
    happened,
    key_of_finish,
    of_finish,
    of_several,
    of_start,
)

NOW = datetime(2026, 11, 29, 9, tzinfo=UTC)


def thing(number: int, name: str, **fields: Any) -> Happened:
    values: dict[str, Any] = {"identity": f"entry {number}", "game_id": number, "name": name}
    return Happened(**values | fields)


def detail_of(event: NewEvent) -> LibraryDetail:
    assert isinstance(event.detail, LibraryDetail)
    return event.detail


def added(*games: Happened, now: datetime = NOW) -> NewEvent:
    [event] = of_several(EventKind.LIBRARY_ADDED, games, 7, "Steam", now)
    return event


def finish(**fields: Any) -> Finish:
    values: dict[str, Any] = {"identity": "csv:ico", "game_id": 1, "name": "Ico", "platform": "PC"}
    return Finish(**{**values, "finished": "2026-11-20", **fields})


def test_where_nothing_happened_there_is_no_event() -> None:
    assert of_several(EventKind.LIBRARY_ADDED, [], 7, "Steam", NOW) == []


def test_an_event_of_several_games_names_them_in_the_order_of_the_alphabet_each_once() -> None:
    detail = detail_of(added(thing(1, "moss"), thing(2, "Ico"), thing(3, "Moss"), thing(4, "Ico")))

    assert detail.games == (LibraryLine(name="Ico"), LibraryLine(name="moss"), LibraryLine(name="Moss"))
    assert (detail.total, detail.game) == (3, None)


def test_an_event_counts_all_games_and_names_the_first_of_many() -> None:
    detail = detail_of(added(*(thing(n, f"Game {n:03}") for n in range(NAMED_AT_MOST + 5))))

    assert detail.total == NAMED_AT_MOST + 5
    assert [line.name for line in detail.games] == [f"Game {n:03}" for n in range(NAMED_AT_MOST)]


def test_an_event_of_one_game_is_of_that_game_on_however_many_platforms() -> None:
    event = added(thing(1, "Ico"), thing(2, "Ico", game_id=1))

    assert (event.game_id, detail_of(event).game) == (1, "Ico")
    assert added(thing(1, "Ico"), thing(2, "Moss")).game_id is None


def test_an_event_names_a_shop_where_all_games_are_of_it() -> None:
    assert detail_of(added(thing(1, "Ico", store="gog"), thing(2, "Moss", store="gog"))).store == "gog"
    assert detail_of(added(thing(1, "Ico", store="gog"), thing(2, "Moss", store="epic"))).store is None


def test_an_event_of_a_library_is_of_its_person_alone() -> None:
    event = added(thing(1, "Ico"))

    assert (event.person_id, event.subject, detail_of(event).origin) == (7, "person/7", "Steam")


def test_a_game_is_new_once_whenever_and_in_whichever_order_it_comes_again() -> None:
    ico, moss = thing(1, "Ico"), thing(2, "Moss")

    assert added(ico, moss).event_key == added(moss, ico, now=NOW + timedelta(days=1)).event_key
    assert added(ico, moss).event_key != added(ico).event_key


@pytest.mark.parametrize("kind", [EventKind.LIBRARY_GONE, EventKind.LIBRARY_RETURNED])
def test_a_game_may_be_gone_and_back_again(kind: EventKind) -> None:
    [first] = of_several(kind, [thing(1, "Ico")], 7, "Steam", NOW)
    [again] = of_several(kind, [thing(1, "Ico")], 7, "Steam", NOW + timedelta(days=1))

    assert first.event_key != again.event_key


def test_what_happened_to_an_entry_is_told_apart_by_shop_id_and_platform() -> None:
    on_computers, on_a_console = happened(("xbox", "7", "PC"), 1, "Ico"), happened(("xbox", "7", "Xbox One"), 1, "Ico")

    assert (on_computers.store, on_computers.platform, on_computers.name) == ("xbox", "PC", "Ico")
    assert on_computers.identity != on_a_console.identity


def test_the_start_of_a_game_names_where_it_is_played_once_for_all_times() -> None:
    event = of_start(thing(1, "Ico", store="gog", platform="PC"), 7, "GOG", NOW)
    detail = detail_of(event)

    assert (event.kind, event.game_id, event.person_id) == (EventKind.PLAY_STARTED, 1, 7)
    assert (detail.game, detail.store, detail.platform) == ("Ico", "gog", "PC")
    assert of_start(thing(1, "Ico"), 7, "GOG", NOW + timedelta(days=9)).event_key == event.event_key


def test_a_platform_that_is_not_known_is_not_shown() -> None:
    assert detail_of(of_start(thing(1, "Ico"), 7, "GOG", NOW)).platform is None
    assert detail_of(of_finish(finish(platform=""), 7, "csv", NOW)).platform is None


@pytest.mark.parametrize(
    ("finished", "at"),
    [
        ("2026-11-20", datetime(2026, 11, 20, 12, tzinfo=UTC)),
        ("1999-Q3", datetime(1999, 9, 30, 12, tzinfo=UTC)),
        ("2025", datetime(2025, 12, 31, 12, tzinfo=UTC)),
        # What is not over yet, and what is no date.
        ("2026-11-29", NOW),
        ("2026", NOW),
        ("tbd", NOW),
        ("once upon a time", NOW),
    ],
)
def test_an_end_happened_on_the_last_day_that_it_may_have_and_never_in_the_future(finished: str, at: datetime) -> None:
    assert of_finish(finish(finished=finished), 7, "csv", NOW).occurred_at == at


def test_an_end_shows_how_far_how_long_and_how_good_it_was() -> None:
    detail = detail_of(of_finish(finish(completion="all", seconds=3600, rating=66.67), 7, "csv", NOW))

    assert (detail.completion, detail.seconds, detail.rating, detail.finished) == ("all", 3600, 67, "2026-11-20")
    assert detail_of(of_finish(finish(), 7, "csv", NOW)).rating is None
    assert detail_of(of_finish(finish(rating=0.0), 7, "csv", NOW)).rating == 0


def test_the_event_of_an_end_is_found_again_by_its_playthrough_alone() -> None:
    event = of_finish(finish(), 7, "csv", NOW)

    assert key_of_finish(7, "csv:ico") == event.event_key
    assert key_of_finish(8, "csv:ico") != event.event_key
    assert key_of_finish(7, "csv:moss") != event.event_key
