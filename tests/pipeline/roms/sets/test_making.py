import pytest

from pipeline.roms.records import Container, FoundFile, Layout, RomSet
from pipeline.roms.sets import make_sets

CONTAINERS: dict[str, Container] = {
    "zip": "zip",
    "dosz": "zip",
    "7z": "7z",
    "rar": "rar",
    "tar": "tar",
    "gz": "gz",
    "chd": "chd",
}


def found(path: str, number: int, *sheet: str) -> FoundFile:
    container = CONTAINERS.get(path.rpartition(".")[2], "plain")
    return FoundFile(id=number, path=path.encode(), size=1, container=container, sheet=sheet)


def sets_of(
    *paths: str | tuple[str, ...], layout: Layout = "auto", platform: str | None = None
) -> list[tuple[str, str, list[str]]]:
    """Return kind, name and files of the sets that these paths make; a tuple is a sheet with what it lists."""
    whole = [(path,) if isinstance(path, str) else path for path in paths]
    files = [found(path, number, *sheet) for number, (path, *sheet) in enumerate(whole)]
    names = [path for path, *_ in whole]
    made = make_sets(files, layout=layout, platform=platform)
    return [(each.kind, each.written, [names[number] for number in each.file_ids]) for each in made]


def platforms_of(*paths: str, layout: Layout = "auto", platform: str | None = None) -> list[str | None]:
    files = [found(path, number) for number, path in enumerate(paths)]
    return [each.platform for each in make_sets(files, layout=layout, platform=platform)]


def test_a_file_and_an_archive_are_sets_by_themselves() -> None:
    assert sets_of("snes/A (USA).sfc", "snes/B (v1.2).zip", "snes/C.sfc.gz", "snes/Dr. Mario", "snes/E v1.2") == [
        ("file", "A (USA)", ["snes/A (USA).sfc"]),
        ("archive", "B (v1.2)", ["snes/B (v1.2).zip"]),
        ("file", "C", ["snes/C.sfc.gz"]),
        ("file", "Dr. Mario", ["snes/Dr. Mario"]),
        ("file", "E v1.2", ["snes/E v1.2"]),
    ]


@pytest.mark.parametrize(
    "path",
    [
        "a.srm",
        "a.SAV",
        "a.state",
        "a.png",
        "a.txt",
        "a.nfo",
        "gamelist.xml",
        "a.tmp",
        ".hidden.sfc",
        ".git/a.sfc",
        "n64/bios/a.bin",
        "bios/b.bin",
        "a.ips",
        "dosbox.conf",
        "SETUP.EXE",
    ],
)
def test_what_is_no_rom_is_in_no_set(path: str) -> None:
    assert sets_of(path) == []


def test_a_cue_sheet_and_its_tracks_are_one_set_whatever_their_case() -> None:
    assert sets_of(("psx/Game.cue", "GAME (track 1).BIN", "music.mp3"), "psx/Game (Track 1).bin", "psx/Music.mp3") == [
        ("cue", "Game", ["psx/Game.cue", "psx/Game (Track 1).bin", "psx/Music.mp3"])
    ]


def test_accents_count_however_they_are_spelled() -> None:
    composed, parted = "Pok\u00e9mon.bin", "Poke\u0301mon.bin"

    assert len(sets_of(("a.cue", composed), parted)) == 1


def test_a_sheet_that_was_not_renamed_with_its_tracks_finds_them_by_its_own_name() -> None:
    assert sets_of(("Game.cue", "old name.bin"), "Game.bin") == [("cue", "Game", ["Game.cue", "Game.bin"])]


def test_a_sheet_whose_name_says_nothing_is_called_as_its_folder_is() -> None:
    in_folder = ("dreamcast/Crazy Taxi (USA)/disc.gdi", "track01.bin")

    assert sets_of(in_folder, "dreamcast/Crazy Taxi (USA)/track01.bin", ("dreamcast/disc.gdi",), ("game.cue",)) == [
        ("gdi", "Crazy Taxi (USA)", ["dreamcast/Crazy Taxi (USA)/disc.gdi", "dreamcast/Crazy Taxi (USA)/track01.bin"]),
        ("gdi", "disc", ["dreamcast/disc.gdi"]),
        ("cue", "game", ["game.cue"]),
    ]


def test_a_gdi_and_its_tracks_are_one_set() -> None:
    assert sets_of(("a.gdi", "track01.bin", "track02.raw"), "track01.bin", "track02.raw") == [
        ("gdi", "a", ["a.gdi", "track01.bin", "track02.raw"])
    ]


def test_images_of_clonecd_are_one_set() -> None:
    assert sets_of("Game.ccd", "Game.img", "Game.sub", "Other.mds", "Other.mdf") == [
        ("cue", "Game", ["Game.ccd", "Game.img", "Game.sub"]),
        ("cue", "Other", ["Other.mds", "Other.mdf"]),
    ]


def test_a_playlist_its_discs_and_their_tracks_are_one_set() -> None:
    assert sets_of(
        ("psx/Game.m3u", "Game (Disc 1).cue", ".\\discs\\Game (Disc 2).cue", "gone.cue"),
        ("psx/Game (Disc 1).cue", "Game (Disc 1).bin"),
        "psx/Game (Disc 1).bin",
        ("psx/discs/Game (Disc 2).cue", "Game (Disc 2).bin"),
        "psx/discs/Game (Disc 2).bin",
        "psx/Game (Disc 3).chd",
    ) == [
        ("file", "Game (Disc 3)", ["psx/Game (Disc 3).chd"]),
        (
            "m3u",
            "Game",
            [
                "psx/Game.m3u",
                "psx/Game (Disc 1).cue",
                "psx/Game (Disc 1).bin",
                "psx/discs/Game (Disc 2).cue",
                "psx/discs/Game (Disc 2).bin",
            ],
        ),
    ]


def test_playlists_that_list_each_other_end() -> None:
    assert sets_of(("a.m3u", "b.m3u", "a.m3u"), ("b.m3u", "a.m3u")) == [("m3u", "a", ["a.m3u", "b.m3u"])]


def test_a_playlist_of_nothing_that_is_there_is_no_game_and_leads_nowhere() -> None:
    assert sets_of(("psx/a.m3u", "../../../etc/passwd", "gone.cue")) == []


def test_a_cue_without_its_tracks_is_still_a_game() -> None:
    assert sets_of(("a.cue", "a.bin")) == [("cue", "a", ["a.cue"])]


@pytest.mark.parametrize(
    ("written", "parts"),
    [
        ("Game", ["Game.7z.001", "Game.7z.002", "Game.7z.010"]),
        ("Game", ["Game.part1.rar", "Game.part2.rar", "Game.part10.rar"]),
        ("Game", ["Game.rar", "Game.r00", "Game.r01"]),
        ("Game", ["Game.zip", "Game.z01", "Game.z02"]),
        ("Game", ["Game.bin.000", "Game.bin.001"]),
        ("Game", ["Game.001", "Game.002"]),
    ],
)
def test_the_parts_of_a_split_file_are_one_set(written: str, parts: list[str]) -> None:
    assert sets_of(*reversed(parts)) == [("split", written, parts)]


def test_a_cartridge_of_the_nintendo_64_is_no_part() -> None:
    assert sets_of("n64/A.z64") == [("file", "A", ["n64/A.z64"])]


def test_a_folder_in_romms_layout_is_one_game() -> None:
    assert sets_of(
        "n64/roms/Game/Game [Part 2].z64",
        "n64/roms/Game/Game [Part 1].z64",
        "n64/roms/Game/sub/a.z64",
        "n64/roms/b.n64",
    ) == [
        (
            "folder",
            "Game",
            ["n64/roms/Game/Game [Part 1].z64", "n64/roms/Game/Game [Part 2].z64", "n64/roms/Game/sub/a.z64"],
        ),
        ("file", "b", ["n64/roms/b.n64"]),
    ]


def test_romms_other_layout_takes_a_persons_word() -> None:
    paths = ("roms/n64/Game/a.z64", "roms/n64/Game/b.z64")

    assert [kind for kind, *_ in sets_of(*paths)] == ["file", "file"]
    assert [kind for kind, *_ in sets_of(*paths, layout="romm")] == ["folder"]


def test_a_folder_that_is_named_like_a_playlist_is_one_game() -> None:
    assert sets_of(("psx/Game.m3u/Game.m3u", "a.chd", "b.chd"), "psx/Game.m3u/a.chd", "psx/Game.m3u/b.chd") == [
        ("m3u", "Game", ["psx/Game.m3u/Game.m3u", "psx/Game.m3u/a.chd", "psx/Game.m3u/b.chd"])
    ]


def test_folders_that_only_sort_are_no_games() -> None:
    assert [name for _, name, _ in sets_of("snes/A-F/a.sfc", "snes/A-F/b.sfc", "x/c.sfc", layout="esde")] == [
        "a",
        "b",
        "c",
    ]


def test_a_folder_of_dos_is_one_game_and_helpers_name_nothing() -> None:
    assert sets_of("dos/keen5/DOS4GW.EXE", "dos/keen5/KEEN5E.EXE", "dos/keen5/SETUP.EXE", "dos/keen5/DATA/A.DAT") == [
        (
            "folder",
            "keen5",
            ["dos/keen5/KEEN5E.EXE", "dos/keen5/DATA/A.DAT", "dos/keen5/DOS4GW.EXE", "dos/keen5/SETUP.EXE"],
        )
    ]


def test_shelves_of_dos_games_are_no_games() -> None:
    assert [name for _, name, _ in sets_of("dos/A-C/Abuse/A.EXE", "dos/zips/b.zip", "dos/zips/c.zip")] == [
        "Abuse",
        "b",
        "c",
    ]


def test_a_conf_names_the_game_in_whose_folder_it_is() -> None:
    assert sets_of("duke/DUKE3D.EXE", "duke/Duke Nukem 3D (1996).conf", "duke/dosbox.conf", platform="dos") == [
        (
            "folder",
            "Duke Nukem 3D (1996)",
            ["duke/Duke Nukem 3D (1996).conf", "duke/DUKE3D.EXE", "duke/dosbox.conf"],
        )
    ]


def test_a_conf_belongs_to_the_game_beside_it_of_its_name() -> None:
    assert sets_of("dos/Abuse (1995).conf", "dos/Abuse (1995).zip", "dos/Doom.conf", "dos/Doom/DOOM.EXE") == [
        ("archive", "Abuse (1995)", ["dos/Abuse (1995).zip", "dos/Abuse (1995).conf"]),
        ("folder", "Doom", ["dos/Doom/DOOM.EXE", "dos/Doom.conf"]),
    ]


def test_a_game_of_exodos_has_the_name_of_its_batch_file() -> None:
    assert sets_of(
        "eXoDOS/!dos/1Ton/One Ton (1983).bat",
        "eXoDOS/!dos/1Ton/dosbox.conf",
        "eXoDOS/!dos/1Ton/install.bat",
        "eXoDOS/!dos/abuse/Abuse (1995).bat",
        "eXoDOS/!dos/nothing/dosbox.conf",
        "eXoDOS/one ton (1983).zip",
        "eXoDOS/Other (1990).zip",
    ) == [
        ("folder", "Abuse (1995)", ["eXoDOS/!dos/abuse/Abuse (1995).bat"]),
        ("archive", "Other (1990)", ["eXoDOS/Other (1990).zip"]),
        (
            "archive",
            "One Ton (1983)",
            [
                "eXoDOS/one ton (1983).zip",
                "eXoDOS/!dos/1Ton/One Ton (1983).bat",
                "eXoDOS/!dos/1Ton/dosbox.conf",
                "eXoDOS/!dos/1Ton/install.bat",
            ],
        ),
    ]


def test_a_platform_is_a_persons_word_else_the_folders_else_the_endings() -> None:
    assert platforms_of("snes/a.bin", platform="megadrive") == ["megadrive"]
    assert platforms_of("Sega Saturn/a.bin", "library/n64/roms/b.bin") == ["saturn", "n64"]
    assert platforms_of("mine/a.z64", "mine/b.bin") == ["n64", None]


def test_a_cartridge_of_the_mega_drive_is_no_text_where_its_platform_is_known() -> None:
    paths = ("genesis/Sonic (Europe).md", "genesis/README.md", "snes/Notes of mine.md", "Sonic.md")
    assert sets_of(*paths) == [("file", "Sonic (Europe)", ["genesis/Sonic (Europe).md"])]
    assert sets_of("Sonic.md", platform="megadrive") == [("file", "Sonic", ["Sonic.md"])]
    by_the_folders_own_name = make_sets([found("Sonic.md", 1)], layout="auto", platform=None, otherwise="megadrive")
    assert [each.platform for each in by_the_folders_own_name] == ["megadrive"]


def test_what_is_in_an_archive_says_its_platform() -> None:
    file = FoundFile(id=1, path=b"mine/a.zip", size=1, container="zip", members=("a.z64", "read me.txt"))

    assert [each.platform for each in make_sets([file], layout="auto", platform=None)] == ["n64"]


def test_a_name_that_is_no_utf_8_is_text_and_found_by_its_sheet() -> None:
    files = [
        FoundFile(id=1, path=b"Pok\xe9mon.cue", size=1, container="plain", sheet=("Pokémon.bin",)),
        FoundFile(id=2, path=b"Pok\xe9mon.bin", size=1, container="plain"),
    ]

    assert make_sets(files, layout="auto", platform=None) == [
        RomSet(kind="cue", written="Pokémon", platform=None, file_ids=(1, 2))
    ]
