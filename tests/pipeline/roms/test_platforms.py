"""Platforms by all their names."""

import pytest

from pipeline.games.platforms import called
from pipeline.roms.platforms import PLATFORMS, platform_called, platform_of_extension

NAMES = {
    "snes": "snes",
    "SFC": "sfc",
    "md": "megadrive",
    "Genesis": "megadrive",
    "Sega Mega Drive": "megadrive",
    "Sega - Mega Drive - Genesis": "megadrive",
    "psx": "psx",
    "PS1": "psx",
    "dos": "dos",
    "pc": "dos",
    "DOS (PC)": "dos",
    "MS-DOS": "dos",
    "Windows": "windows",
    "pc98": "pc98",
    "NEC - PC-98 series - Datfile (50) (2020-01-01 00-00-00)": "pc98",
    "NEC PC-9801 - Games - [FDD] (TOSEC-v2020-01-01)": "pc98",
    "Nintendo - Super Nintendo Entertainment System (Parent-Clone) (20240317-134803)": "snes",
    "Nintendo - Nintendo Entertainment System (Headered)": "nes",
    "Sony - PlayStation - Datfile (10830) (2024-01-02 03-04-05)": "psx",
    "Non-Redump - Sega - Dreamcast": "dreamcast",
    "Commodore Amiga - Games - [ADF]": "amiga",
    "Atari ST": "atarist",
    "  neo   geo POCKET color ": "ngpc",
    "SNK Neo Geo": "neogeo",
    "Pokémon Mini": "pokemini",
}


@pytest.mark.parametrize("written", NAMES)
def test_a_platform_is_known_by_each_of_its_names(written: str) -> None:
    platform = platform_called(written)

    assert platform is not None
    assert platform.slug == NAMES[written]


@pytest.mark.parametrize("written", ["", "Games", "Sony", "My holiday pictures", "(", "x" * 100_000])
def test_what_is_no_platform_is_none(written: str) -> None:
    assert platform_called(written) is None


def test_a_hundred_and_twenty_platforms_are_known_at_least_each_by_its_slug_and_folders() -> None:
    assert len(PLATFORMS) >= 120
    for platform in PLATFORMS.values():
        for folder in (platform.slug, *platform.folders, *platform.dats):
            known = platform_called(folder)
            assert known is platform, folder


def test_events_and_the_library_call_a_platform_as_the_table_does() -> None:
    assert {platform.name for platform in PLATFORMS.values()} == {
        called(platform.name) for platform in PLATFORMS.values()
    }


def test_an_ending_says_a_platform_only_where_no_other_has_it() -> None:
    known = {ending: platform_of_extension(ending) for ending in (".sfc", ".Z64", ".bin", ".iso", ".zip", "")}

    assert {ending: platform.slug for ending, platform in known.items() if platform} == {".sfc": "snes", ".Z64": "n64"}


def test_each_ending_is_of_one_platform() -> None:
    endings = [ending for platform in PLATFORMS.values() for ending in platform.extensions]

    assert len(endings) == len(set(endings))


def test_front_ends_have_their_own_spelling() -> None:
    snes = PLATFORMS["snes"]

    assert (snes.playlist, snes.esde) == ("Nintendo - Super Nintendo Entertainment System", "snes")
    assert PLATFORMS["psx"].launchbox == "Sony Playstation"


def test_names_of_playlists_are_names_of_files() -> None:
    assert not [platform.slug for platform in PLATFORMS.values() if "/" in platform.playlist]
