"""One release of each game, as a person would choose it."""

from datetime import UTC, datetime
from typing import Any

import pytest

from pipeline.roms.listing.best import Wish, choose_best
from pipeline.roms.listing.collected import CollectedRom

NOW = datetime(2026, 11, 29, tzinfo=UTC)


def rom(number: int, written: str, **changes: Any) -> CollectedRom:
    plain: dict[str, Any] = {
        "id": number,
        "written": written,
        "title": "Rez",
        "platform": "dreamcast",
        "folder": "/roms",
        "folder_id": 1,
        "regions": (),
        "languages": (),
        "flags": (),
        "tags": (),
        "files": (),
        "size": 0,
        "verdict": "unknown",
        **dict.fromkeys(("year", "disc", "revision", "identified_by", "dat", "dat_game", "parent", "right_name")),
        **dict.fromkeys(("game_id", "igdb_id", "game", "how", "confidence", "missing_since")),
        "is_pinned": False,
        "added_at": NOW,
    }
    return CollectedRom(**plain | changes)


def best(*roms: CollectedRom, **wish: Any) -> list[str]:
    return [each.written for each in choose_best(roms, Wish(**wish))]


JAPAN = rom(1, "Rez (Japan)", regions=("Japan",))
EUROPE = rom(2, "Rez (Europe)", regions=("Europe",))
USA = rom(3, "Rez (USA)", regions=("USA",))


@pytest.mark.parametrize(
    ("others", "wish", "expected"),
    [
        ([], {}, "Rez (USA)"),
        ([], {"regions": ("Japan",), "languages": ("ja",)}, "Rez (Japan)"),
        ([], {"regions": ("Europe", "USA")}, "Rez (Europe)"),
        ([rom(4, "Rez (USA) (Rev 2)", regions=("USA",), revision="2")], {}, "Rez (USA) (Rev 2)"),
        ([rom(4, "Rez (World) (Beta)", regions=("World",), flags=("beta",))], {}, "Rez (USA)"),
        ([rom(4, "Rez (World) [b]", regions=("World",), verdict="bad")], {}, "Rez (USA)"),
        ([rom(4, "Rez (World)", regions=("World",), verdict="incomplete")], {}, "Rez (USA)"),
        ([rom(4, "Rez (World)", regions=("World",), missing_since=NOW)], {}, "Rez (USA)"),
        ([rom(4, "Rez (USA) (Alt)", regions=("USA",), flags=("alternate",), verdict="verified")], {}, "Rez (USA)"),
        ([rom(4, "Rez (USA) [!]", regions=("USA",), verdict="verified")], {}, "Rez (USA) [!]"),
    ],
)
def test_of_several_releases_the_one_that_was_wished_for_is_the_best(
    others: list[CollectedRom], wish: dict[str, Any], expected: str
) -> None:
    assert best(JAPAN, EUROPE, USA, *others, **wish) == [expected]
    assert best(*others[::-1], USA, EUROPE, JAPAN, **wish) == [expected]


def test_a_newer_revision_is_better_however_it_is_counted() -> None:
    revisions = [rom(number, f"Rez ({name})", revision=name) for number, name in enumerate(["1.9", "1.10", "1.2"])]
    assert best(*revisions) == ["Rez (1.10)"]
    assert best(rom(1, "a", revision="A"), rom(2, "b", revision="B"), rom(3, "none")) == ["b"]


def test_all_discs_of_the_best_release_are_listed() -> None:
    discs = [
        rom(number, f"Rez ({region}) (Disc {disc})", regions=(region,), disc=disc)
        for number, (region, disc) in enumerate([("USA", 2), ("Japan", 1), ("USA", 1), ("Japan", 2)])
    ]
    assert best(*discs) == ["Rez (USA) (Disc 1)", "Rez (USA) (Disc 2)"]


def test_releases_of_one_game_under_two_titles_count_as_one_and_other_platforms_by_themselves() -> None:
    here = rom(1, "Rockman (Japan)", title="Rockman", regions=("Japan",), game_id=7)
    there = rom(2, "Mega Man (USA)", title="Mega Man", regions=("USA",), game_id=7)
    port = rom(3, "Mega Man (USA) (Saturn)", title="Mega Man", regions=("USA",), platform="saturn", game_id=7)
    assert best(here, there, port) == ["Mega Man (USA)", "Mega Man (USA) (Saturn)"]
