"""Names of ROMs: sixty hard ones, and any text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.roms.names.parsing import parse_name
from pipeline.roms.names.tags import FLAGS, LANGUAGES, REGIONS
from pipeline.roms.records import RomName

THIS_YEAR = 2026
# What a name says beside its title.
HARD: dict[str, tuple[str, dict[str, object]]] = {
    # No-Intro
    "Lantern Quest (USA)": ("Lantern Quest", {"regions": ("USA",)}),
    "Lantern Quest, The (Europe) (En,Fr,De)": (
        "The Lantern Quest",
        {"regions": ("Europe",), "languages": ("en", "fr", "de")},
    ),
    "Song of Moss, The - A Path to the Sea (USA, Europe) (Rev 1)": (
        "The Song of Moss - A Path to the Sea",
        {"regions": ("USA", "Europe"), "revision": "1"},
    ),
    "Ring, The - Tower, The (Japan)": ("The Ring - The Tower", {"regions": ("Japan",)}),
    "Schtroumpfeurs, Les (France)": ("Les Schtroumpfeurs", {"regions": ("France",)}),
    "Odyssee, L' - Le Retour (France)": ("L'Odyssee - Le Retour", {"regions": ("France",)}),
    "Hase, Der (Germany)": ("Der Hase", {"regions": ("Germany",)}),
    "Sirenetta, La (Italy) (It)": ("La Sirenetta", {"regions": ("Italy",), "languages": ("it",)}),
    "Barco, El (Spain) (Es)": ("El Barco", {"regions": ("Spain",), "languages": ("es",)}),
    "[BIOS] Handheld Boot (Japan) (En)": (
        "Handheld Boot",
        {"regions": ("Japan",), "languages": ("en",), "flags": ("bios",)},
    ),
    "Kite (World) (Demo) (Kiosk)": ("Kite", {"regions": ("World",), "flags": ("demo", "kiosk")}),
    "Kite (Japan) (Beta 2)": ("Kite", {"regions": ("Japan",), "flags": ("beta",), "tags": ("Beta 2",)}),
    "Kite (USA) (Proto) (1994-05-14)": (
        "Kite",
        {"regions": ("USA",), "flags": ("proto",), "year": 1994, "tags": ("1994-05-14",)},
    ),
    "Kite (World) (Aftermarket) (Unl)": ("Kite", {"regions": ("World",), "flags": ("aftermarket", "unlicensed")}),
    "Kite (Taiwan) (En) (Pirate)": (
        "Kite",
        {"regions": ("Taiwan",), "languages": ("en",), "flags": ("pirate",)},
    ),
    "Kite (Europe) (Alt 1)": ("Kite", {"regions": ("Europe",), "flags": ("alternate",), "tags": ("Alt 1",)}),
    "Kite (USA) (Virtual Console, Switch Online)": (
        "Kite",
        {"regions": ("USA",), "flags": ("reissue",), "tags": ("Virtual Console, Switch Online",)},
    ),
    "Kite (China) (Zh-Hans,Zh-Hant)": ("Kite", {"regions": ("China",), "languages": ("zh",)}),
    "Kite (Europe) (En+Fr) (v1.1)": (
        "Kite",
        {"regions": ("Europe",), "languages": ("en", "fr"), "revision": "v1.1"},
    ),
    "Kite (USA) (SGB Enhanced)": ("Kite", {"regions": ("USA",), "tags": ("SGB Enhanced",)}),
    "Kite (USA) (Test Program)": ("Kite", {"regions": ("USA",), "flags": ("program",)}),
    # Redump
    "Moss Diary (Japan) (Disc 2) (Rev B)": ("Moss Diary", {"regions": ("Japan",), "disc": 2, "revision": "B"}),
    "Moss Diary (USA) (Disc A)": ("Moss Diary", {"regions": ("USA",), "disc": 1}),
    "Moss Diary (USA) (R) (Track 01)": ("Moss Diary", {"regions": ("USA",), "tags": ("R", "Track 01")}),
    "Moss Sampler (Future) 94 (Europe)": ("Moss Sampler (Future) 94", {"regions": ("Europe",)}),
    "Album (Mune Kyun) - Midori (Japan)": ("Album (Mune Kyun) - Midori", {"regions": ("Japan",)}),
    # TOSEC
    "Harbour Lights (1994)(Elf)(JP)(Disk 2 of 5)(Disk B)": (
        "Harbour Lights",
        {"year": 1994, "regions": ("Japan",), "disc": 2, "tags": ("Elf", "Disk B")},
    ),
    "Harbour Lights (1993-05-14)(Tern)(EU-US)(en-fr)": (
        "Harbour Lights",
        {
            "year": 1993,
            "regions": ("Europe", "USA"),
            "languages": ("en", "fr"),
            "tags": ("1993-05-14", "Tern"),
        },
    ),
    "Harbour Lights v1.2 (19xx)(-)[a2]": (
        "Harbour Lights",
        {"revision": "v1.2", "flags": ("alternate",), "tags": ("19xx", "-")},
    ),
    "Harbour Lights Rev 0 (1992-10)(Tern)[t +3][tr ru]": (
        "Harbour Lights",
        {
            "revision": "0",
            "year": 1992,
            "flags": ("trained", "translation"),
            "languages": ("ru",),
            "tags": ("1992-10", "Tern", "t +3", "tr ru"),
        },
    ),
    "Harbour Lights (demo) (1991)(Japan)": (
        "Harbour Lights",
        {"flags": ("demo",), "year": 1991, "tags": ("Japan",)},
    ),
    "Harbour Lights (1990)(PD Soft)(PD)(de)[cr Otter][b]": (
        "Harbour Lights",
        {
            "year": 1990,
            "languages": ("de",),
            "flags": ("public-domain", "cracked", "bad"),
            "tags": ("PD Soft", "cr Otter"),
        },
    ),
    "Harbour Lights (1989)(Tern)(pt-br)(Side A)": (
        "Harbour Lights",
        {"year": 1989, "languages": ("pt",), "tags": ("Tern", "Side A")},
    ),
    # GoodTools
    "Otter Run (U) [!]": ("Otter Run", {"regions": ("USA",), "flags": ("verified",)}),
    "Otter Run (J) [h1]": ("Otter Run", {"regions": ("Japan",), "flags": ("hack",)}),
    "Otter Run (W) [b1][o2]": ("Otter Run", {"regions": ("World",), "flags": ("bad", "overdump")}),
    "Otter Run (JUE) (REV01) [f1+C]": (
        "Otter Run",
        {"regions": ("Japan", "USA", "Europe"), "revision": "01", "flags": ("fixed",)},
    ),
    "Otter Run (E) [T+Fre1.0_Brook]": (
        "Otter Run",
        {"regions": ("Europe",), "flags": ("translation",), "languages": ("fr",), "tags": ("T+Fre1.0_Brook",)},
    ),
    "Otter Run (4) (PD)": ("Otter Run", {"regions": ("USA", "Brazil"), "flags": ("public-domain",)}),
    "Otter_Run_(U)_(V1.1)_[!]": (
        "Otter Run",
        {"regions": ("USA",), "revision": "V1.1", "flags": ("verified",)},
    ),
    "Otter Run (EU) [T]": ("Otter Run", {"regions": ("Europe",), "flags": ("translation",)}),
    "Otter Run (USA) (Rev 1) [En,Fr] [Odd]": (
        "Otter Run",
        {"regions": ("USA",), "revision": "1", "languages": ("en", "fr"), "tags": ("Odd",)},
    ),
    "Otter Run (M3)": ("Otter Run", {"tags": ("M3",)}),
    # eXoDOS
    "Seven Harbours of Tin, The (1985)": ("The Seven Harbours of Tin", {"year": 1985}),
    "Fable of Ink, A (1985)": ("A Fable of Ink", {"year": 1985}),
    "Ink Chronicles, The - Volume One - Mira's Bane (1994)": (
        "The Ink Chronicles - Volume One - Mira's Bane",
        {"year": 1994},
    ),
    "Inkwell (198x)": ("Inkwell", {"tags": ("198x",)}),
    "Inkwell (1996)(Two Owls)": ("Inkwell", {"year": 1996, "tags": ("Two Owls",)}),
    "Inkwell (Owl)(1983)": ("Inkwell", {"year": 1983, "tags": ("Owl",)}),
    "Inkwell (Deluxe Edition) (1998)": ("Inkwell", {"year": 1998, "tags": ("Deluxe Edition",)}),
    "Inkwell II, The (1991 edition) (1991)": ("The Inkwell II", {"year": 1991, "tags": ("1991 edition",)}),
    "1942 Over Ink (1994)": ("1942 Over Ink", {"year": 1994}),
    "+I (1996)": ("+I", {"year": 1996}),
    "Ink 2049 (2049)": ("Ink 2049", {"tags": ("2049",)}),
    "Ink 1949 (1949)": ("Ink 1949", {"tags": ("1949",)}),
    "Next Ink (2027)": ("Next Ink", {"year": 2027}),
    # Groups and the rest
    "Tin.Soldiers.2.v1.02-BRoOK": ("Tin Soldiers 2", {"revision": "v1.02", "tags": ("BRoOK",)}),
    "Tin.Soldiers.PROPER.MULTI5-T1N": ("Tin Soldiers", {"tags": ("PROPER", "MULTI5", "T1N")}),
    "Tin-Man.Returns.The.Sequel": ("Tin-Man Returns The Sequel", {}),
    "T.I.N.S.Shadow.of.Rust-OWL7": ("T.I.N.S Shadow of Rust", {"tags": ("OWL7",)}),
    "tin_soldiers": ("tin soldiers", {}),
    "Tin 2.0": ("Tin 2.0", {}),
    "(1942)": ("(1942)", {"tags": ("1942",)}),
    "Tin (unclosed": ("Tin (unclosed", {}),
    "Tin (Owl (and Son)) (USA)": ("Tin", {"regions": ("USA",), "tags": ("Owl (and Son)",)}),
    "Пламя (Russia) (Ru)": ("Пламя", {"regions": ("Russia",), "languages": ("ru",)}),
}


@pytest.mark.parametrize("written", HARD)
def test_a_hard_name_says_what_it_says(written: str) -> None:
    title, rest = HARD[written]

    assert parse_name(written, this_year=THIS_YEAR) == RomName(title=title, **rest)  # type: ignore[arg-type]


def test_the_hard_names_are_sixty_at_least() -> None:
    assert len(HARD) >= 60


_PIECES = st.sampled_from(
    ["(", ")", "[", "]", " - ", ", The", "_", ".", "(USA)", "(1994)", "[!]", "(Disc 2)", "v1.0", "-GRP", "(En,Fr)", "é"]
)


@given(st.lists(_PIECES | st.text(max_size=8), max_size=12).map("".join))
def test_any_text_is_a_name(written: str) -> None:
    name = parse_name(written, this_year=THIS_YEAR)

    assert bool(name.title.strip()) == bool(written.strip())
    assert name.year is None or 1950 <= name.year <= THIS_YEAR + 1
    assert REGIONS.issuperset(name.regions)
    assert LANGUAGES.issuperset(name.languages)
    assert FLAGS.keys() >= set(name.flags)


def test_all_of_a_name_that_nobody_knows_is_kept() -> None:
    name = parse_name("Kite (Curious) [odd thing] (USA) (Rev 1) (Rev 2) (Disc 1) (Disc B)", this_year=THIS_YEAR)

    assert name.tags == ("Curious", "odd thing", "Rev 2", "Disc B")


def test_a_name_of_any_length_is_read_in_the_time_of_its_first_thousand_characters() -> None:
    name = parse_name("(" * 1_000_000, this_year=THIS_YEAR)

    assert name.title == "(" * 1000
