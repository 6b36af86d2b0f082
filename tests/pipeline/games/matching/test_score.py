"""How alike titles are, and which of several entries is meant."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.games.matching.decide import SURE, decide
from pipeline.games.matching.normalise import read_title
from pipeline.games.matching.records import Candidate, Decision, FoundTitle, wanted
from pipeline.games.matching.score import rank
from pipeline.games.matching.similarity import compare_titles
from tests.pipeline.games.matching.test_normalise import TITLES


def entry(igdb_id: int, name: str, *others: str, **fields: object) -> Candidate:
    titles = (FoundTitle(name, "name"), *[FoundTitle(other, "alternative") for other in others])
    return Candidate(igdb_id=igdb_id, name=name, titles=titles, **fields)  # type: ignore[arg-type]


def match(text: str, *candidates: Candidate, **hints: object) -> Decision:
    query = wanted(text, **hints)  # type: ignore[arg-type]
    return decide(query, rank(query, candidates))


@given(TITLES, TITLES)
def test_two_titles_are_as_alike_in_either_order(title: str, other: str) -> None:
    forward = compare_titles(read_title(title), read_title(other))
    backward = compare_titles(read_title(other), read_title(title))
    assert forward == backward
    assert 0 <= forward.score <= 1


@given(TITLES)
def test_a_title_is_wholly_like_itself(text: str) -> None:
    assert compare_titles(read_title(text), read_title(text)).score == 1


@given(TITLES, st.lists(TITLES, max_size=4))
def test_any_text_gets_a_decision_that_explains_itself(text: str, names: list[str]) -> None:
    decision = match(text, *[entry(n, name) for n, name in enumerate(names)])
    assert decision.why
    assert (decision.igdb_id is not None) == (decision.verdict == "sure")
    assert all(0 <= scored.score <= 1 for scored in decision.ranked)


@pytest.mark.parametrize(
    ("title", "name"),
    [
        ("FIFA 22", "FIFA 23"),
        ("Portal", "Portal 2"),
        ("Torchlight II", "Torchlight III"),
        ("Left 4 Dead 2", "Left 4 Dead"),
        ("Anno 1800", "Anno 2070"),
    ],
)
def test_titles_with_other_numbers_are_other_games(title: str, name: str) -> None:
    assert match(title, entry(1, name)).verdict != "sure"
    assert compare_titles(read_title(title), read_title(name)).score < 0.65


@pytest.mark.parametrize(
    ("title", "name"),
    [
        ("Mega Man X", "Mega Man 10"),
        ("Moss Keepers Remastered", "Moss Keepers"),
        ("Devil May Cry 3", "Devil May Cry 3: Dante's Awakening"),
        ("Valornat", "Valorant"),
        ("Moss Keepers: Gold Edition", "Moss Keepers: Deluxe Edition"),
    ],
)
def test_what_only_resembles_is_told_and_left_to_a_person(title: str, name: str) -> None:
    decision = match(title, entry(1, name))
    assert decision.verdict == "unsure"
    assert decision.best is not None
    assert decision.igdb_id is None


@pytest.mark.parametrize(
    ("title", "name"),
    [
        ("VALORANT", "Valorant"),
        ("Final Fantasy 14 Online", "Final Fantasy XIV Online"),
        ("Ratchet and Clank", "Ratchet & Clank"),
        ("Moss Keepers: Deluxe Edition", "Moss Keepers"),
        ("Moss Keepers (PC)", "Moss Keepers"),
    ],
)
def test_another_spelling_is_the_same_game(title: str, name: str) -> None:
    assert match(title, entry(1, name)).igdb_id == 1


@pytest.mark.parametrize("other", ["Game.exe", "PoE", "HM"])
def test_programs_and_acronyms_are_never_a_match_by_themselves(other: str) -> None:
    assert match(other, entry(1, "Pillars of the Empire", other)).verdict != "sure"


def test_another_name_is_a_match_unless_two_games_share_it() -> None:
    adventure, legend = (
        entry(1, "Final Fantasy Adventure", "Mystic Quest"),
        entry(2, "Mystic Quest Legend", "Mystic Quest"),
    )
    assert match("Mystic Quest", adventure).igdb_id == 1
    assert match("Mystic Quest", adventure, legend).verdict == "unsure"


def test_an_entry_of_that_name_goes_before_another_name_of_the_same_kind() -> None:
    assert match("Mystic Quest", entry(1, "Adventure", "Mystic Quest"), entry(2, "Mystic Quest Two")).igdb_id == 1


def test_the_game_goes_before_its_bundle_and_its_edition_of_the_same_name() -> None:
    decision = match("Moss Keepers", entry(1, "Moss Keepers", game_type=3), entry(2, "Moss Keepers", game_type=0))
    assert decision.igdb_id == 2
    edition = entry(4, "Moss Keepers", version_parent_igdb_id=2)
    assert match("Moss Keepers", edition, entry(2, "Moss Keepers")).igdb_id == 2


def test_an_expansion_is_found_by_its_own_name() -> None:
    game, expansion = entry(1, "Fallow 4"), entry(2, "Fallow 4: Far Shore", game_type=1, parent_igdb_id=1)
    assert match("Fallow 4: Far Shore", game, expansion).igdb_id == 2
    assert match("Fallow 4", game, expansion).igdb_id == 1


def test_a_port_that_bears_the_games_name_leads_to_the_game() -> None:
    game = entry(1, "Blockwork: Java Edition", game_type=0, rating_count=900)
    assert match("Blockwork", entry(2, "Blockwork", game_type=11, parent_igdb_id=1), game).igdb_id == 1
    stranger = match("Blockwork", entry(2, "Blockwork", game_type=11), game)
    assert stranger.verdict == "unsure"
    assert "Java Edition" in stranger.why


def test_a_remake_of_the_same_name_is_a_game_of_its_own() -> None:
    old = entry(1, "Gloom", game_type=0, year=1993, rating_count=300)
    new = entry(2, "Gloom", game_type=8, parent_igdb_id=1, year=2023, rating_count=200)
    assert match("Gloom", old, new).verdict == "unsure"
    assert match("Gloom (2023)", old, new).igdb_id == 2


def test_of_two_games_of_one_name_the_far_better_known_is_meant() -> None:
    popular, obscure = entry(1, "Rust", rating_count=800), entry(2, "Rust", rating_count=3)
    assert match("Rust", popular, obscure).igdb_id == 1
    assert match("Rust", popular, entry(2, "Rust", rating_count=500)).verdict == "unsure"


def test_a_year_tells_two_games_of_one_name_apart() -> None:
    old, new = entry(1, "Gloom", year=1993, rating_count=900), entry(2, "Gloom", year=2016, rating_count=1000)
    assert match("Gloom", old, new).verdict == "unsure"
    assert match("Gloom (1993)", old, new).igdb_id == 1
    assert match("Gloom", old, new, year=2016).igdb_id == 2


def test_a_platform_tells_two_games_of_one_name_apart() -> None:
    on_pc = entry(1, "Gloom", platforms=("PC (Microsoft Windows)",))
    on_snes = entry(2, "Gloom", platforms=("Super Nintendo Entertainment System",))
    assert match("Gloom", on_pc, on_snes, platforms=("PC",)).igdb_id == 1
    assert match("Gloom", on_pc, on_snes).verdict == "unsure"


def test_small_differences_count_where_a_service_gave_the_title() -> None:
    popular, obscure = entry(1, "Casino!", rating_count=500), entry(2, "Casino")
    assert match("Casino", popular, obscure).verdict == "unsure"
    assert match("Casino", popular, obscure, official=True).igdb_id == 2


def test_a_score_says_what_gave_it() -> None:
    decision = match("Gloom (2016)", entry(1, "Gloom", year=2016, game_type=1))
    assert decision.best is not None
    assert [part.what for part in decision.best.parts] == ["the same title", "DLC", "first released in 2016"]
    assert sum(part.points for part in decision.best.parts) == pytest.approx(0.99)
    assert decision.best.explanation == "Gloom: the same title +1.00; DLC -0.06; first released in 2016 +0.05"


def test_nothing_found_is_none() -> None:
    assert match("Gloom").verdict == "none"
    assert match("Gloom", entry(1, "Orchard Tycoon")).verdict == "none"
    assert SURE > 0.88
