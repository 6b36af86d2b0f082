"""Finding candidates in the catalogue, and matching titles with them."""

from datetime import UTC, datetime

import pytest
from sqlalchemy import Connection, Engine, text

from pipeline.games.matching.candidates import (
    COMMON,
    MOST_RARE,
    Wishes,
    find_candidates,
    forms_of,
    halves_near,
    rarest_first,
    wishes_of,
)
from pipeline.games.matching.foremost import FOREMOST
from pipeline.games.matching.matching import match_title, search_titles
from pipeline.games.matching.normalise import read_title
from pipeline.games.matching.records import wanted
from pipeline.games.matching.several import match_titles
from pipeline.games.store.games import remove_games, store_games
from pipeline.services.igdb.titles import key_halves
from tests.pipeline.games.documents import doc

T0 = datetime(2026, 10, 1, tzinfo=UTC)
NAMES = {
    1: "Valorant",
    2: "Lanterns of Aldmoor",
    3: "The Dark Kingdom",
    4: "Torchlight II",
    5: "포털 2",
    6: "Ratchet & Clank",
    7: "S.T.A.L.K.E.R.: Shadow of Chernobyl",
    8: "!?",
}


@pytest.fixture
def catalogue(engine: Engine) -> Engine:
    with engine.begin() as connection:
        store_games(connection, [doc(igdb_id, name) for igdb_id, name in NAMES.items()], T0)
        store_games(
            connection,
            [
                doc(
                    20,
                    "Pillars of Eternity",
                    alternative_names=[{"id": 1, "name": "PoE"}, {"id": 2, "name": "Game.exe"}],
                ),
                doc(21, "Path of Exile", alternative_names=[{"id": 3, "name": "PoE"}], total_rating_count=900),
                doc(22, "Path of Exile: Gold", version_parent=21, game_type=3),
            ],
            T0,
        )
    return engine


def matching_ids(connection: Connection, title: str, *, beginnings: bool = False) -> set[int]:
    return {candidate.igdb_id for candidate in find_candidates(connection, read_title(title), beginnings=beginnings)}


@pytest.mark.parametrize(
    ("title", "igdb_id"),
    [
        ("VALORANT", 1),
        ("Torchlight 2", 4),
        ("포털 II", 5),
        ("ratchet and clank", 6),
        ("STALKER Shadow of Chernobyl", 7),
        ("Dark Kingdom", 3),
        ("Aldmoor", 2),
        ("!?", 8),
        ("Valorant: Deluxe Edition", 1),
    ],
)
def test_a_game_is_found_however_its_title_is_written(catalogue: Engine, title: str, igdb_id: int) -> None:
    with catalogue.connect() as connection:
        assert igdb_id in matching_ids(connection, title)


@pytest.mark.parametrize("typed", ["Valornat", "Valornt", "Valorrant", "Walorant", "Valorand", "Valroant", "alorant"])
def test_a_mistyped_letter_still_finds_the_game(catalogue: Engine, typed: str) -> None:
    with catalogue.connect() as connection:
        decision = match_title(connection, wanted(typed))
        assert decision.best is not None
        assert decision.best.candidate.igdb_id == 1
        assert decision.verdict == "unsure"


def test_a_beginning_is_found_only_where_it_is_asked_for(catalogue: Engine) -> None:
    with catalogue.connect() as connection:
        assert 2 not in matching_ids(connection, "lanter")
        assert 2 in matching_ids(connection, "lanter", beginnings=True)
        assert [scored.candidate.igdb_id for scored in search_titles(connection, wanted("lanter"))] == [2]


def test_programs_are_no_match_and_shared_acronyms_decide_nothing(catalogue: Engine) -> None:
    with catalogue.connect() as connection:
        assert match_title(connection, wanted("Game.exe")).verdict == "none"
        decision = match_title(connection, wanted("PoE"))
        assert decision.verdict == "unsure"
        assert {scored.candidate.igdb_id for scored in decision.ranked[:2]} == {20, 21}


def test_what_igdb_no_longer_has_is_not_found(catalogue: Engine) -> None:
    with catalogue.begin() as connection:
        remove_games(connection, [1], T0)
        assert matching_ids(connection, "Valorant") == set()


def test_a_match_tells_the_entry_and_why(catalogue: Engine) -> None:
    with catalogue.connect() as connection:
        decision = match_title(connection, wanted("path of exile"))
    assert decision.igdb_id == 21
    assert "the same but for capitals" in decision.why


def test_words_that_thousands_of_titles_hold_are_looked_for_together(engine: Engine) -> None:
    rows = text(
        "INSERT INTO game_titles (igdb_id, key, title, kind, words) SELECT n, 'dark' || n, 'Dark ' || n, 'name',"
        " ARRAY['dark', n::text] FROM generate_series(1000, 4000) n"
    )
    with engine.begin() as connection:
        store_games(connection, [doc(1, "The Dark Kingdom of Aldmoor")], T0)
        connection.execute(rows)
        connection.execute(text("ANALYZE game_titles"))
        assert matching_ids(connection, "Kingdom: Dark") == {1}


@pytest.mark.parametrize(
    "odd", ["", " ", "\x00", "\ud800", "'; DROP TABLE games --", "%_\\", "a" * 5000, "💥", "ß" * 40]
)
def test_no_text_is_too_odd_to_be_looked_for(catalogue: Engine, odd: str) -> None:
    with catalogue.connect() as connection:
        match_title(connection, wanted(odd))
        search_titles(connection, wanted(odd))


def test_halves_of_keys_are_no_words_of_any_title() -> None:
    assert key_halves("valorant") == ("<valo", ">rant")
    assert key_halves("abcde") == ("<ab", ">cde")
    assert key_halves("abc") == ()


def wishes(title: str, *common: str) -> Wishes:
    """Return what a title is looked for by, where these words are common and all others rare."""
    return wishes_of(forms_of(read_title(title)), dict.fromkeys(common, COMMON))


def test_a_mistyped_letter_leaves_a_half_that_the_right_key_has() -> None:
    for typed in ("valornat", "valornt", "valorrant", "walorant", "valroant", "alorant"):
        assert not set(key_halves("valorant")).isdisjoint(halves_near(typed)), typed
    assert set(key_halves("valorant")).isdisjoint(halves_near("fallout"))
    assert halves_near("ab") == []


def test_a_half_of_the_ending_alone_is_left_out_and_one_that_begins_before_it_is_not() -> None:
    assert {">efgh", ">dfgh"} <= set(halves_near("abcdefgh"))
    assert [half for half in halves_near("abcdefgh", ending=4) if half.startswith(">")] == [">defgh"]
    assert halves_near("abcdefgh", ending=3) == halves_near("abcdefgh")


def test_no_half_that_a_title_is_looked_for_by_is_of_its_edition_alone() -> None:
    halves = forms_of(read_title("Horizon: Definitive Edition")).halves

    assert halves
    assert all(half.startswith("<horizon") for half in halves)
    assert any(half.startswith(">") for half in forms_of(read_title("Horizon of the Ancients")).halves)


def test_words_of_an_edition_are_those_at_the_end_that_the_game_itself_has_not() -> None:
    assert forms_of(read_title("The Dark Kingdom: Definitive Edition")).edition == {"definitive", "edition"}
    assert forms_of(read_title("Gold Rush: Gold Edition")).edition == {"edition"}
    assert forms_of(read_title("Deluxe Edition")).edition == frozenset()


def test_words_of_an_edition_are_no_pair_to_look_for() -> None:
    title = "The Dark Kingdom: Definitive Edition"

    assert wishes(title, "the", "dark", "kingdom", "definitive", "edition").pairs == (("kingdom", "dark"),)


def test_the_only_word_of_a_game_is_paired_with_those_of_its_edition() -> None:
    pairs = wishes("Horizon: Definitive Edition", "horizon", "definitive", "edition").pairs

    assert {frozenset(pair) for pair in pairs} == {
        frozenset({"horizon", "definitive"}),
        frozenset({"horizon", "edition"}),
    }


def test_a_title_without_an_edition_pairs_its_three_rarest_words() -> None:
    words = ("the", "dark", "kingdom", "aldmoor")

    assert wishes("The Dark Kingdom Aldmoor", *words).pairs == (
        ("aldmoor", "kingdom"),
        ("aldmoor", "dark"),
        ("kingdom", "dark"),
    )


def test_words_that_are_rare_enough_by_themselves_need_no_pairs() -> None:
    assert wishes("The Dark Kingdom", "the", "dark").pairs != ()
    assert wishes("The Dark Kingdom", "the").pairs == ()


def test_a_common_word_that_is_a_whole_title_is_looked_for_at_the_beginning_of_titles_alone() -> None:
    common, rare = wishes("Valorant", "valorant"), wishes("Valorant")

    assert (common.starts, common.ways, common.sought) == (("valorant",), (), [])
    assert (rare.starts, rare.ways, rare.sought) == ((), (("valorant",),), ["valorant"])


def test_each_way_to_write_a_numeral_is_looked_for() -> None:
    forms = forms_of(read_title("Torchlight 2"))

    assert forms.ways == (("torchlight", "2"), ("torchlight", "ii"))
    assert set(forms.words) == {"torchlight", "2", "ii"}
    assert {"torchlight2", "torchlightii"} <= set(forms.keys)


def test_the_rarest_words_are_looked_for_one_by_one_and_of_common_ones_the_longer_is_rarer() -> None:
    counts = {"of": 9000, "kingdom": 2000, "a": 1, "b": 2, "c": 3, "d": 4, "e": 5}

    words = rarest_first(counts, counts, frozenset())

    assert words.sought == ["a", "b", "c", "d"][:MOST_RARE]
    assert rarest_first(["of", "kingdom"], counts, frozenset()).pairs == (("kingdom", "of"),)


def test_what_postgresql_has_gathered_decides_nothing(engine: Engine) -> None:
    titles = ("Kingdom: Hollow", "Hollow", "The Hollow Kingdom", "Hollow 1400", "Hollow Harbor")
    with engine.begin() as connection:
        store_games(connection, [doc(n, f"{n} Hollow Night{n}") for n in range(1000, 1600)], T0)
        store_games(connection, [doc(1, "The Hollow Kingdom of Aldmoor"), doc(2, "Harbor")], T0)
        before = [match_title(connection, wanted(title)) for title in titles]
        connection.execute(text("ANALYZE game_titles"))
        assert [match_title(connection, wanted(title)) for title in titles] == before


@pytest.mark.parametrize("worth_loading", [1, 10_000])
def test_of_more_titles_than_a_step_brings_the_order_of_rows_decides_nothing(
    engine: Engine, worth_loading: int
) -> None:
    moved = text("UPDATE game_titles SET kind = kind WHERE igdb_id < 1150")
    with engine.begin() as connection:
        store_games(connection, [doc(n, f"Hollow {n} Harbor") for n in range(1000, 1600)], T0)
        asked = [wanted(title) for title in ("Hollow Harbor", "Harbor of the Hollow", "Hollow", "Harbor", "Hollow X")]
        before = [match_title(connection, query) for query in asked]
        assert any(decision.ranked for decision in before)
        connection.execute(moved)
        assert [match_title(connection, query) for query in asked] == before
        together = list(match_titles(connection, asked, worth_loading=worth_loading))
    assert [(each.verdict, each.why, each.ranked[:FOREMOST]) for each in together] == [
        (each.verdict, each.why, each.ranked[:FOREMOST]) for each in before
    ]


@pytest.mark.parametrize("worth_loading", [1, 10_000])
@pytest.mark.parametrize("meant", ["Hárböúr", "Harbour: Sea"])
def test_accents_and_signs_put_no_title_behind_many_others_that_only_resemble_it(
    engine: Engine, meant: str, worth_loading: int
) -> None:
    alike = [name.format(letter) for letter in "bcdefgijklmnopqstvwxyz" for name in ("Harbou{}", "{}arbour")]
    with engine.begin() as connection:
        store_games(connection, [doc(n, name) for n, name in enumerate([*alike, meant], 1)], T0)
        query = wanted("Harbour")
        (decision,) = match_titles(connection, [query], worth_loading=worth_loading)
        assert match_title(connection, query).why == decision.why
    assert decision.best is not None
    assert decision.best.candidate.name == meant
