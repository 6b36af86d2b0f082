"""Reading how people name games, one by one and in lists."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.errors import LootwireError
from pipeline.games.finding.names import MOST_ENTRIES, GameName, read_games, read_name


@pytest.mark.parametrize(
    ("written", "igdb_id", "slug"),
    [
        ("igdb:1020", 1020, None),
        ("IGDB: 1020", 1020, None),
        ("1020", 1020, None),
        ("https://www.igdb.com/games/grand-theft-auto-v", None, "grand-theft-auto-v"),
        ("igdb.com/games/Doom--1/?utm=1", None, "doom--1"),
        ("Hades II", None, None),
        ("https://evil.example/games/hades", None, None),
        ("1" * 30, None, None),
    ],
)
def test_a_game_is_named_by_title_id_or_address(written: str, igdb_id: int | None, slug: str | None) -> None:
    game = read_name(written, number_is_id=True)

    assert (game.igdb_id, game.slug) == (igdb_id, slug)


def titles(data: str) -> list[str]:
    return [game.written for game in read_games(data.encode()).games]


@pytest.mark.parametrize(
    ("data", "taken_as", "names"),
    [
        (
            "Hades II\n\n# later\n1942\n  Hollow Knight:  Silksong \n",
            "text",
            ["Hades II", "1942", "Hollow Knight: Silksong"],
        ),
        ("Warhammer 40,000: Space Marine 2\nPortal", "text", ["Warhammer 40,000: Space Marine 2", "Portal"]),
        ('\ufefftitle,year\n"Doom, the game",1993\nPortal,\n', "CSV (title)", ["Doom, the game", "Portal"]),
        ("Name;Platform\nPortal;PC\n", "CSV (name)", ["Portal"]),
        ("Game\nPortal\n", "CSV (game)", ["Portal"]),
        ('"Doom, again",x\n"Portal",y\n', "CSV (first column)", ["Doom, again", "Portal"]),
        ("Portal\t2007\nHades\t2020", "CSV (first column)", ["Portal", "Hades"]),
        ('["Portal", "1942", 71]', "JSON", ["Portal", "1942", "71"]),
        ('{"owner": {"name": "Ann"}, "games": [{"name": "Portal"}, {"title": "Hades"}]}', "JSON", ["Portal", "Hades"]),
        ('{"a": {"title": "Portal"}}', "JSON", ["Portal"]),
    ],
)
def test_a_list_is_read_as_what_it_is(data: str, taken_as: str, names: list[str]) -> None:
    game_list = read_games(data.encode())

    assert game_list.taken_as == taken_as
    assert [game.written for game in game_list.games] == names


def test_the_fields_beside_a_title_say_which_game_is_meant() -> None:
    rows = [
        {"title": "Doom", "year": "1993", "platforms": ["PC", "SNES"]},
        {"title": "Doom", "igdb_id": 7351},
        {"name": "Doom", "url": "https://www.igdb.com/games/doom--1"},
        # Ids and slugs of other shops say nothing at IGDB.
        {"id": 379720, "name": "Doom", "slug": "doom", "url": "https://store.example/379720"},
        {"title": "Doom", "release_date": "13 May 2016", "platform": "PC / PS4"},
    ]

    assert read_games(json.dumps(rows).encode()).games == (
        GameName(written="Doom", year=1993, platforms=("PC", "SNES")),
        GameName(written="Doom", igdb_id=7351),
        GameName(written="Doom", slug="doom--1"),
        GameName(written="Doom"),
        GameName(written="Doom", year=2016, platforms=("PC", "PS4")),
    )


def test_a_game_that_is_listed_twice_is_listed_once() -> None:
    assert titles("Portal\nPortal\nHades") == ["Portal", "Hades"]


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"\xff\xfe", "not text in UTF-8"),
        (b"", "names no games"),
        (b"# nothing\n", "names no games"),
        (b"[", "cannot be read as such"),
        (b"[" * 30 + b"]" * 30, "nested too deeply"),
        (b"[" * 100_000, "cannot be read as such"),
        (b"x" * (16 * 1024 * 1024 + 1), "16 MB at most"),
        ("\n".join(map(str, range(MOST_ENTRIES + 1))).encode(), "20,000 at most"),
        (b'title,x\n"' + b"a" * 200_000 + b'",1', "cannot be read as such"),
    ],
)
def test_what_is_no_list_is_refused_with_its_reason(data: bytes, reason: str) -> None:
    with pytest.raises(LootwireError, match=reason):
        read_games(data)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(["games", "name", "id", "x"]), inner),
    max_leaves=12,
)


@given(st.one_of(st.binary(max_size=200), st.text(max_size=200).map(str.encode), JSON.map(json.dumps).map(str.encode)))
def test_whatever_is_handed_in_is_read_or_refused(data: bytes) -> None:
    try:
        game_list = read_games(data)
    except LootwireError:
        return

    assert all(game.written == " ".join(game.written.split()) != "" for game in game_list.games)
