"""Which directories must be looked at together when some of them changed."""

import pytest

from pipeline.roms.records import FoundFile, Layout
from pipeline.roms.sets.scopes import directories_with, directory_of


def sheet(path: str, *names: str) -> FoundFile:
    return FoundFile(id=1, path=path.encode(), size=1, container="plain", sheet=names)


def reached(
    changed: str, *others: str, sheets: tuple[FoundFile, ...] = (), layout: Layout = "auto", platform: str | None = None
) -> set[str]:
    directories = [other.encode() for other in others]
    reach = directories_with([changed.encode()], directories, sheets, layout=layout, platform=platform)
    return {directory.decode() for directory in reach}


def test_the_directory_of_a_file_ends_with_a_slash_and_that_of_the_folder_itself_is_empty() -> None:
    assert directory_of(b"psx/a/b.bin") == b"psx/a/"
    assert directory_of(b"b.bin") == b""


def test_directories_that_have_nothing_to_do_with_the_changed_one_are_left_alone() -> None:
    assert reached("snes/", "nes/", "snes/more/", "") == {"snes/"}


def test_a_changed_directory_that_is_gone_is_reached_too() -> None:
    assert reached("gone/") == {"gone/"}


def test_where_games_are_folders_all_of_the_platform_are_made_together_and_no_others() -> None:
    assert reached("dos/Keen/data/", "dos/Doom/", "snes/") == {"dos/Keen/data/", "dos/Doom/"}
    assert reached("snes/Keen/data/", "snes/Doom/") == {"snes/Keen/data/"}


def test_a_platform_that_a_person_named_makes_games_of_folders() -> None:
    assert reached("Keen/data/", "Keen/", platform="dos") == {"Keen/", "Keen/data/"}
    assert reached("Keen/data/", "Keen/") == {"Keen/data/"}


def test_a_sheet_reaches_the_directory_of_what_it_lists() -> None:
    lists = sheet("psx/Game.m3u", "discs/Game 1.cue")

    assert reached("psx/", "psx/discs/", "psx/other/", sheets=(lists,)) == {"psx/", "psx/discs/"}
    assert reached("psx/discs/", "psx/", "psx/other/", sheets=(lists,)) == {"psx/", "psx/discs/"}


@pytest.mark.parametrize("name", ["../tracks/Game.bin", "..\\tracks\\Game.bin", "./../tracks//Game.bin"])
def test_a_sheet_reaches_upwards_however_the_way_is_written(name: str) -> None:
    assert reached("psx/cues/", "psx/tracks/", sheets=(sheet("psx/cues/Game.cue", name),)) == {
        "psx/cues/",
        "psx/tracks/",
    }


def test_a_sheet_means_the_same_directory_whatever_the_case_and_the_spelling_of_accents() -> None:
    lists = sheet("psx/Game.m3u", "poke\u0301mon/Game.cue")

    assert reached("psx/", "psx/Pok\u00e9mon/", sheets=(lists,)) == {"psx/", "psx/Pok\u00e9mon/"}


def test_a_way_that_leads_out_of_the_folder_reaches_nothing() -> None:
    assert reached("psx/", "etc/", "", sheets=(sheet("psx/Game.cue", "../../../etc/Game.bin"),)) == {"psx/"}


def test_a_sheet_that_lists_what_is_nowhere_reaches_nothing() -> None:
    assert reached("psx/", "discs/", sheets=(sheet("psx/Game.m3u", "discs/Game.cue"),)) == {"psx/"}


def test_directories_are_reached_from_sheet_to_sheet() -> None:
    chain = (sheet("a/Game.m3u", "../b/Game.cue"), sheet("b/Game.cue", "../c/Game.bin"))

    assert reached("c/", "a/", "b/", "d/", sheets=chain) == {"a/", "b/", "c/"}


def test_directories_of_which_the_names_differ_by_case_alone_may_share_sets() -> None:
    assert reached("psx/Game/", "PSX/game/", "psx/other/") == {"psx/Game/", "PSX/game/"}


def test_a_name_of_an_old_code_page_is_compared_as_it_is_read() -> None:
    old, new = "psx/Pok\u00e9mon/".encode("cp1252"), "psx/Pok\u00e9mon/".encode()

    assert directories_with([old], [new, b"psx/other/"], [], layout="auto", platform=None) == {old, new}


def test_launchers_of_exodos_are_joined_with_the_directory_that_has_their_games() -> None:
    assert reached("Games/!dos/keen/", "Games/", "snes/", layout="exodos") == {"Games/", "Games/!dos/keen/"}
    assert reached("Games/other/keen/", "Games/", layout="exodos") == {"Games/other/keen/"}


def test_what_has_the_name_of_a_file_is_joined_with_the_directory_beside_it_but_in_a_flat_layout() -> None:
    assert reached("psx/Game.m3u/", "psx/", layout="esde") == {"psx/Game.m3u/", "psx/"}
    assert reached("psx/Game.m3u/", "psx/", layout="flat") == {"psx/Game.m3u/"}
