"""Each format but gamelist.xml, as bytes in and bytes out."""

import json
from datetime import UTC, date, datetime
from typing import Any

import pytest

from models.platforms import PLATFORMS
from pipeline.roms.exports.discs import DiscList, find_discs
from pipeline.roms.exports.discs import listed as disc_listed
from pipeline.roms.exports.exporting import list_game, merge_file
from pipeline.roms.exports.markup import Unreadable
from pipeline.roms.exports.merging import Merged, Remembered, merge
from pipeline.roms.exports.records import Format, GameToExport
from pipeline.roms.exports.romm import as_csv, as_lines, check_plan, plan, writable
from tests.pipeline.roms.exports.collection import game

WHOLE: dict[str, Any] = {
    "description": "Run.\n\nAnd run on.",
    "released_on": date(1995, 9, 9),
    "developer": "Maker",
    "publisher": "Seller",
    "genres": ["Racing", "Arcade"],
    "players": "1-4",
    "rating": 85.0,
    "is_favourite": True,
    "regions": ["USA"],
    "languages": ["en"],
    "crc32": 0xABCD,
    "sha1": b"\x01" * 20,
    "size": 10,
}


def brought(
    format_: Format, existing: bytes | None, *games: GameToExport, memory: tuple[Remembered, ...] = ()
) -> Merged:
    """A file after these ROMs were brought into it."""
    listed = []
    for each in games:
        tail = each.path.decode().removeprefix("/roms/psx/")
        listed.append(list_game(format_, each, tail if format_ == "pegasus" else each.path.decode(), tail))
    return merge_file(format_, existing, listed, memory, PLATFORMS["psx"])


# LaunchBox


def test_a_new_file_of_launchbox_has_what_is_known() -> None:
    written = brought("launchbox", None, game(**WHOLE)).data.decode()

    assert written.startswith('<?xml version="1.0" standalone="yes"?>\n<LaunchBox>\n  <Game>\n    <ApplicationPath>')
    for part in (
        "<ApplicationPath>/roms/psx/Moss Runner (USA).chd</ApplicationPath>",
        "<Title>Moss Runner</Title>",
        "<Notes>Run.\n\nAnd run on.</Notes>",
        "<ReleaseDate>1995-09-09T00:00:00</ReleaseDate>",
        "<Genre>Racing; Arcade</Genre>",
        "<MaxPlayers>4</MaxPlayers>",
        "<StarRatingFloat>4.2</StarRatingFloat>",
        "<Favorite>true</Favorite>",
        "<Platform>Sony Playstation</Platform>",
    ):
        assert part in written, part


def test_a_file_of_launchbox_on_another_machine_keeps_its_paths_and_gets_new_ones_like_them() -> None:
    before = (
        b"<LaunchBox>\r\n  <Game>\r\n    <ApplicationPath>D:\\Games\\PSX\\Moss Runner (USA).chd</ApplicationPath>\r\n"
        b"    <Favorite>false</Favorite>\r\n    <PlayCount>3</PlayCount>\r\n  </Game>\r\n  <AlternateName>\r\n"
        b"    <Name>x</Name>\r\n  </AlternateName>\r\n</LaunchBox>"
    )

    merged = brought("launchbox", before, game(is_favourite=True), game(2, "/roms/psx/sub/Other.chd", title="Other"))

    assert (merged.added, merged.changed) == (1, 1)
    assert b"PSX\\Moss Runner (USA).chd</ApplicationPath>\r\n    <Favorite>true</Favorite>\r\n" in merged.data
    assert (
        b"  </Game>\r\n  <Game>\r\n    <ApplicationPath>D:\\Games\\PSX\\sub\\Other.chd</ApplicationPath>\r\n"
        in merged.data
    )
    assert merged.data.endswith(b"</AlternateName>\r\n</LaunchBox>")

    renamed = brought(
        "launchbox",
        merged.data,
        game(1, "/roms/psx/new/Moss.chd", is_favourite=True),
        game(2, "/roms/psx/sub/Other.chd", title="Other"),
        memory=merged.memory,
    )
    assert renamed.data == merged.data.replace(b"PSX\\Moss Runner (USA).chd", b"PSX\\new\\Moss.chd")


def test_a_file_that_launchbox_says_is_no_favourite_any_more_stays_so() -> None:
    first = brought("launchbox", None, game(is_favourite=True))
    theirs = first.data.replace(b"<Favorite>true", b"<Favorite>false")

    assert brought("launchbox", theirs, game(is_favourite=True), memory=first.memory).data == theirs


# Pegasus


PEGASUS = b"""\
# Mine.
collection: PlayStation
shortname: psx
launch: emulator "{file.path}"

game: My Moss
file: Moss Runner (USA).chd
x-odd: kept
description:
  One
  two.

# Of Nintendo.
collection: NES
shortname: nes

game: Other
files:
  o1.nes
  o2.nes
"""


def test_a_new_file_of_pegasus_has_a_collection_and_what_is_known() -> None:
    assert brought("pegasus", None, game(**WHOLE)).data.decode() == (
        "collection: PlayStation\nshortname: psx\n\ngame: Moss Runner\nfile: Moss Runner (USA).chd\n"
        "developer: Maker\npublisher: Seller\ngenre: Racing, Arcade\nplayers: 1-4\nrelease: 1995-09-09\nrating: 85%\n"
        "description: Run.\n  .\n  And run on.\n"
    )


def test_a_file_of_pegasus_gets_fields_where_its_game_is_and_games_where_their_collection_is() -> None:
    merged = brought("pegasus", PEGASUS, game(**WHOLE), game(2, "/roms/psx/b.cue", title="B"))

    text = merged.data.decode()
    assert "  One\n  two.\ndeveloper: Maker\npublisher: Seller\n" in text
    assert "rating: 85%\n\ngame: B\nfile: b.cue\n\n# Of Nintendo.\ncollection: NES\n" in text
    assert [line for line in PEGASUS.decode().splitlines() if line not in text.splitlines()] == []
    assert (
        brought("pegasus", merged.data, game(**WHOLE), game(2, "/roms/psx/b.cue", title="B"), memory=merged.memory).data
        == merged.data
    )


def test_a_game_of_pegasus_keeps_its_fields_when_its_file_is_renamed() -> None:
    merged = brought("pegasus", PEGASUS, game())

    renamed = brought("pegasus", merged.data, game(1, "/roms/psx/new.chd"), memory=merged.memory)

    assert renamed.data == PEGASUS.replace(b"file: Moss Runner (USA).chd", b"file: new.chd")


def test_a_further_file_of_a_game_is_no_game_of_its_own() -> None:
    before = b"collection: PlayStation\r\nshortname: psx\r\ngame: Moss\r\nfiles:\r\n  d1.cue\r\n  d2.cue"

    merged = brought("pegasus", before, game(1, "/roms/psx/d1.cue"), game(2, "/roms/psx/d2.cue"))
    renamed = brought("pegasus", merged.data, game(1, "/roms/psx/x1.cue"), memory=merged.memory)

    assert merged.data == before
    assert renamed.data == before.replace(b"  d1.cue", b"  x1.cue") + b"\r\n"


def test_a_description_of_ours_is_written_anew() -> None:
    first = brought("pegasus", None, game(description="One.\nTwo.\nThree."))

    second = brought("pegasus", first.data, game(description="Four."), memory=first.memory)

    assert second.data.endswith(b"file: Moss Runner (USA).chd\ndescription: Four.\n")


def test_a_file_of_pegasus_without_the_collection_gets_it_at_its_end() -> None:
    merged = brought("pegasus", b"collection: NES\nshortname: nes\n\ngame: Other\nfile: o.nes", game())

    assert merged.data.decode().endswith(
        "file: o.nes\n\ncollection: PlayStation\nshortname: psx\n\ngame: Moss Runner\nfile: Moss Runner (USA).chd\n"
    )


# RetroArch


def test_a_new_playlist_has_labels_of_dats_and_paths_into_archives() -> None:
    rom = game(1, "/roms/psx/a.zip", member="Moss Runner (USA).bin", **{**WHOLE, "crc32": 0xABCD})

    whole = json.loads(brought("retroarch", None, rom).data)

    assert whole["items"] == [
        {
            "path": "/roms/psx/a.zip#Moss Runner (USA).bin",
            "label": "Moss Runner (USA)",
            "core_path": "DETECT",
            "core_name": "DETECT",
            "crc32": "0000ABCD|crc",
            "db_name": "Sony - PlayStation.lpl",
        }
    ]


PLAYLIST = (
    '{\n  "version": "1.5",\n  "odd": [1.50, null],\n  "items": [\n    {\n'
    '      "path": "C:\\\\Roms\\\\a.zip#x.bin",\n      "label": "M\u00e4in",\n      "core_path": "C:\\\\core.dll",\n'
    '      "crc32": "0000ABCD|crc"\n    }\n  ]\n}\n'
).encode()


def test_a_playlist_of_another_machine_keeps_its_paths_cores_and_labels() -> None:
    same = brought("retroarch", PLAYLIST, game(1, "/roms/psx/a.zip", crc32=0xABCD))
    renamed = brought("retroarch", PLAYLIST, game(1, "/roms/psx/b.zip", crc32=0xABCD), memory=same.memory)

    assert same.data == PLAYLIST
    assert json.loads(renamed.data) == json.loads(PLAYLIST.replace(b"a.zip", b"b.zip"))
    assert b'\n      "path": "C:\\\\Roms\\\\b.zip#x.bin",\n      "label": "M\xc3\xa4in",\n' in renamed.data


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"/a.zip\nLabel\nDETECT\nDETECT\nx\ny\n", "old playlist"),
        (b'{\n"items": [}', "line 2: it is no JSON"),
        (b'{"items": {}}', "`items` is no list"),
        (b'{"items": [], "a": 1, "a": 2}', "has 'a' twice"),
        (b"{" + b'"a":{' * 100_000, "it is no"),
        (b"\xff", "line 1: it is not UTF-8"),
    ],
)
def test_what_is_no_playlist_is_refused(data: bytes, reason: str) -> None:
    with pytest.raises(Unreadable, match=reason):
        brought("retroarch", data, game())


# CSV


def test_a_table_has_a_row_for_each_rom() -> None:
    played: dict[str, Any] = {"seconds": 5400, "last_played_at": datetime(2026, 1, 2, tzinfo=UTC), "status": "playing"}

    head, row, *rest = brought("csv", None, game(**WHOLE, **played)).data.decode().splitlines()

    assert head.startswith("path,title,platform,year,released,")
    assert row.startswith("/roms/psx/Moss Runner (USA).chd,Moss Runner,PlayStation,,1995-09-09,Maker,Seller,")
    assert ",8.5,yes,playing,1.50,2026-01-02,USA,en,,Moss Runner (USA),unknown,10,0000abcd,,0101" in row
    assert rest == ["", 'And run on."']


def test_a_table_keeps_columns_rows_and_cells_that_are_not_ours() -> None:
    before = b"\xef\xbb\xbfpath;mine;title;hours\r\n/roms/psx/Moss Runner (USA).chd;x;Mine;\r\n/gone;y;;2\r\n"

    merged = brought("csv", before, game(seconds=3600), game(2, "/roms/psx/b.cue", title="B"))
    later = brought("csv", merged.data, game(seconds=7200), game(2, "/roms/psx/b.cue", title="B"), memory=merged.memory)

    assert merged.data == (
        b"\xef\xbb\xbfpath;mine;title;hours\r\n/roms/psx/Moss Runner (USA).chd;x;Mine;1.00\r\n/gone;y;;2\r\n"
        b"/roms/psx/b.cue;;B;\r\n"
    )
    assert later.data == merged.data.replace(b";1.00", b";2.00")
    assert (
        brought("csv", later.data, game(seconds=7200), game(2, "/roms/psx/b.cue", title="B"), memory=later.memory).data
        == later.data
    )


@pytest.mark.parametrize(
    ("data", "reason"),
    [(b"title,hours\n", "no column 'path'"), (b'path\n"x', "it is no CSV"), (b"path\n\xe4", "line 2: it is not UTF-8")],
)
def test_what_is_no_table_of_ours_is_refused(data: bytes, reason: str) -> None:
    with pytest.raises(Unreadable, match=reason):
        brought("csv", data, game())


# M3U


def discs(*paths: str) -> list[GameToExport]:
    return [game(number, f"/roms/psx/{path}", disc=number) for number, path in enumerate(paths, 1)]


def test_discs_of_one_game_are_found_by_their_names() -> None:
    games = [
        *discs("Moss (USA) (Disc 1).chd", "Moss (USA) (Disc 2) (Alt).chd"),
        *discs("Moss (USA) (Disc 1).cue", "Moss (USA) (Disc 2).cue"),
        game(9, "/roms/psx/One.chd"),
        game(10, "/roms/psx/Lone (Disc 2).chd", disc=2),
        game(11, "/roms/psx/All.m3u", kind="m3u", disc=1),
    ]

    found, twice = find_discs(games)

    assert [(each.name, [disc.path.decode()[10:] for disc in each.games]) for each in found] == [
        ("Moss (USA)", ["Moss (USA) (Disc 1).chd", "Moss (USA) (Disc 2).cue"])
    ]
    assert [each.shown for each in twice] == ["/roms/psx/Moss (USA) (Disc 1).cue"]


def test_a_list_of_discs_keeps_its_lines_and_follows_renames() -> None:
    before = b"\xef\xbb\xbf# mine\r\nb2.chd\r\nold.chd"

    def lines(*names: bytes) -> list[object]:
        return [
            disc_listed(each, name, name.decode("latin-1")) for each, name in zip(discs("1", "2"), names, strict=True)
        ]

    merged = merge(DiscList(before), lines(b"b1\xe9.chd", b"b2.chd"), ())  # type: ignore[arg-type]
    renamed = merge(DiscList(merged.data), lines(b"c1.chd", b"b2.chd"), merged.memory)  # type: ignore[arg-type]

    assert merged.data == before + b"\r\nb1\xe9.chd\r\n"
    assert renamed.data == before + b"\r\nc1.chd\r\n"
    assert merge(DiscList(before), [], ()).data == before
    with pytest.raises(Unreadable, match="no list of discs"):
        DiscList(b"a\0b")


# RomM


def test_a_plan_has_a_place_for_each_file() -> None:
    games = [
        game(1, "/roms/psx/a.chd"),
        game(2, "/roms/psx/b/b.cue", kind="cue", files=(b"/roms/psx/b/b.cue", b"/roms/psx/b/b.bin")),
        game(3, "/roms/psx/C/x.exe", kind="folder", files=(b"/roms/psx/C/x.exe", b"/roms/psx/C/d/y.dat")),
        game(4, "/roms/psx/old/a.chd"),
        game(5, "/roms/psx/z.bin", platform=None),
    ]

    steps, left_out = plan(games)

    assert [(step.source.decode()[10:], step.target.decode()) for step in steps] == [
        ("C/x.exe", "psx/roms/C/x.exe"),
        ("C/d/y.dat", "psx/roms/C/d/y.dat"),
        ("a.chd", "psx/roms/a.chd"),
        ("b/b.cue", "psx/roms/b/b.cue"),
        ("b/b.bin", "psx/roms/b/b.bin"),
    ]
    assert [each.reason for each in left_out] == [
        "/roms/psx/a.chd has its place psx/roms/a.chd already",
        "its platform is not known",
    ]
    assert plan(games[:1], roms_first=True)[0][0].target == b"roms/psx/a.chd"


def test_a_plan_is_known_again_and_says_what_it_cannot_hold() -> None:
    steps, left_out = writable(plan([game(1, "/roms/psx/a, b.chd"), game(2, files=(b"/roms/psx/\xe9.chd",))])[0])

    assert [each.shown for each in left_out] == [r"/roms/psx/\xe9.chd"]
    assert as_csv(steps) == b'from,to\n"/roms/psx/a, b.chd","psx/roms/a, b.chd"\n'
    assert json.loads(as_lines(steps)) == {"from": "/roms/psx/a, b.chd", "to": "psx/roms/a, b.chd"}
    for whole in (None, b"", as_csv(steps), as_lines(steps)):
        check_plan(whole)
    for other in (b"notes", b'{"from": 1}\n', b"[]"):
        with pytest.raises(Unreadable, match="no plan"):
            check_plan(other)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (
            b"",
            (
                b'<?xml version="1.0"?>\n'
                b"<gameList>\n\t<game>\n\t\t<path>x</path>\n\t\t<name>X</name>\n\t</game>\n</gameList>\n"
            ),
        ),
        (b"<gameList/>", b"<gameList>\n\t<game>\n\t\t<path>x</path>\n\t\t<name>X</name>\n\t</game>\n</gameList>"),
        (b"<gameList><game/></gameList>", b"<gameList><game/><game><path>x</path><name>X</name></game></gameList>"),
        (
            b"<alternativeEmulator/>\r\n",
            (
                b"<alternativeEmulator/>\r\n<gameList>\r\n\t<game>\r\n\t\t<path>x</path>\r\n\t\t<name>X</name>\r\n"
                b"\t</game>\r\n</gameList>\r\n"
            ),
        ),
        (
            b"<gameList><!-- none --></gameList>",
            b"<gameList><!-- none -->\n\t<game>\n\t\t<path>x</path>\n\t\t<name>X</name>\n\t</game>\n</gameList>",
        ),
    ],
)
def test_a_game_finds_its_place_in_any_gamelist(before: bytes, after: bytes) -> None:
    listed = list_game("gamelist", game(title="X"), "x", "x")

    assert merge_file("gamelist", before, [listed], (), None).data == after
    assert merge_file("gamelist", before, [], (), None).data == before
