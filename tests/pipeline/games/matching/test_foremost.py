"""Deciding among many candidates is the same as deciding among all of them, and explains a few alone."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec
import pytest

from pipeline.games.matching.decide import decide
from pipeline.games.matching.foremost import FOREMOST, decide_among, decide_by_words
from pipeline.games.matching.records import Candidate, Decision, FoundTitle, wanted
from pipeline.games.matching.score import rank

# Of as many as are explained at first, and further ones.
SEVERAL = range(100, 100 + FOREMOST + 4)


def entry(igdb_id: int, name: str, *others: str, **fields: Any) -> Candidate:
    titles = (FoundTitle(name, "name"), *[FoundTitle(other, "alternative") for other in others])
    return Candidate(igdb_id=igdb_id, name=name, titles=titles, **fields)


def apart(candidates: Iterable[Candidate]) -> tuple[Mapping[int, Sequence[FoundTitle]], Mapping[int, Candidate]]:
    """Return the titles and the entries of candidates, as the catalogue is read."""
    listed = list(candidates)
    return (
        {each.igdb_id: each.titles for each in listed},
        {each.igdb_id: msgspec.structs.replace(each, titles=()) for each in listed},
    )


def among(text: str, *candidates: Candidate, **hints: Any) -> Decision:
    return decide_among(wanted(text, **hints), *apart(candidates))


def among_all(text: str, *candidates: Candidate, **hints: Any) -> Decision:
    query = wanted(text, **hints)
    return decide(query, rank(query, candidates))


def gist(decision: Decision) -> object:
    return decision.verdict, decision.igdb_id, decision.why, decision.margin, decision.ranked[:FOREMOST]


# Of each another reason says whether those behind the foremost must be looked at.
CASES: Mapping[str, tuple[str, dict[str, Any], list[Candidate]]] = {
    "a game among others": (
        "Moss Keepers",
        {},
        [entry(1, "Moss Keepers"), *(entry(n, f"Moss {n}") for n in SEVERAL)],
    ),
    "namesakes that everybody knows": (
        "Moss Keepers",
        {},
        [entry(n, "Moss Keepers", rating_count=10_000 + n) for n in SEVERAL],
    ),
    "a port in front of many, and its game behind them": (
        "Moss Keepers",
        {"year": 2016},
        [
            entry(1, "Moss Keepers", year=2000),
            entry(2, "Moss Keepers", game_type=11, parent_igdb_id=1, year=2016),
            *(entry(n, "Moss Keepers: Deluxe Edition") for n in SEVERAL),
        ],
    ),
    "ports of one game alone in front": (
        "Moss Keepers",
        {},
        [
            entry(1, "Moss Keepers"),
            entry(2, "Moss Keepers Chronicles"),
            *(entry(n, "Moss Keepers", game_type=11, parent_igdb_id=1) for n in SEVERAL),
        ],
    ),
    "remakes, and close behind them a game": (
        "Moss Keepers",
        {},
        [entry(1, "The Moss Keepers"), *(entry(n, "Moss Keepers", game_type=8) for n in SEVERAL)],
    ),
    "an edition that is named": (
        "Moss Keepers: Deluxe Edition",
        {},
        [
            entry(1, "Moss Keepers"),
            *(entry(n, f"Moss Keepers: Deluxe Edition {n}", version_parent_igdb_id=1) for n in SEVERAL),
        ],
    ),
    "nothing like it": ("Hollow Harbor", {}, [entry(n, f"Moss {n}") for n in SEVERAL]),
}


@pytest.mark.parametrize("name", CASES)
def test_the_decision_is_that_on_all_candidates(name: str) -> None:
    text, hints, candidates = CASES[name]

    assert gist(among(text, *candidates, **hints)) == gist(among_all(text, *candidates, **hints))
    assert gist(among(text, *reversed(candidates), **hints)) == gist(among_all(text, *candidates, **hints))


def test_no_more_candidates_are_shown_than_anybody_reads() -> None:
    remakes = [entry(n, "Moss Keepers", game_type=8) for n in SEVERAL]

    assert len(among("Moss Keepers", entry(1, "The Moss Keepers"), *remakes).ranked) == FOREMOST
    assert len(among("Moss Keepers", entry(1, "Moss Keepers"), entry(2, "Moss")).ranked) == 2


def test_without_candidates_there_is_nothing_like_it() -> None:
    decision = among("Moss Keepers")

    assert (decision.verdict, decision.best, decision.ranked) == ("none", None, ())


def test_an_entry_that_igdb_no_longer_has_is_no_candidate() -> None:
    titles, entries = apart([entry(1, "Moss Keepers"), entry(2, "Moss Keepers II")])

    decision = decide_among(wanted("Moss Keepers"), titles, {2: entries[2]})

    assert [scored.candidate.igdb_id for scored in decision.ranked] == [2]


def test_the_game_is_meant_though_many_stand_between_it_and_its_port() -> None:
    text, hints, candidates = CASES["a port in front of many, and its game behind them"]

    decision = among(text, *candidates, **hints)

    assert decision.ranked[0].candidate.igdb_id == 2
    assert decision.best is not None
    assert decision.best.candidate.igdb_id == 1


def test_of_many_titles_of_an_entry_the_likest_says_where_it_stands() -> None:
    decision = among("Mystic Quest", entry(1, "Adventure", "Mystic Quest"), entry(2, "Mystic Quest Two"))

    assert [scored.candidate.igdb_id for scored in decision.ranked] == [1, 2]
    assert decision.ranked[0].title.text == "Mystic Quest"


def test_of_equals_that_is_first_which_more_people_know_and_then_the_older() -> None:
    namesakes = [entry(2, "Moss"), entry(1, "Moss"), entry(3, "Moss", rating_count=9)]

    assert [scored.candidate.igdb_id for scored in among("Moss", *namesakes).ranked] == [3, 1, 2]


def test_a_title_whose_words_name_one_game_needs_no_others() -> None:
    decision = decide_by_words(wanted("Moss Keepers"), *apart([entry(1, "Moss Keepers")]))

    assert decision is not None
    assert decision.igdb_id == 1


@pytest.mark.parametrize(
    "candidates",
    [
        [entry(1, "Moss Keepers", rating_count=3), entry(2, "Moss Keepers", rating_count=3)],
        [entry(1, "The Moss Keepers of Aldmoor")],
        [],
    ],
)
def test_a_title_whose_words_say_not_for_sure_what_is_meant_is_looked_for_otherwise(
    candidates: list[Candidate],
) -> None:
    assert decide_by_words(wanted("Moss Keepers"), *apart(candidates)) is None


def test_where_hints_might_speak_for_a_title_that_only_resembles_it_all_are_looked_at() -> None:
    candidates = apart([entry(1, "Moss Keepers")])

    assert decide_by_words(wanted("Moss Keepers", year=2016, platforms=("PC",)), *candidates) is None
