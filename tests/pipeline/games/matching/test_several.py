"""Matching many titles at once gives each the answer that it would get alone."""

import random
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import Engine, event, text

from pipeline.games.matching.foremost import FOREMOST
from pipeline.games.matching.matching import match_title
from pipeline.games.matching.records import Decision, Wanted, wanted
from pipeline.games.matching.several import match_titles
from pipeline.games.store.games import store_games
from tests.pipeline.games.documents import doc

# From how many titles on the catalogue is read: for any list, and for none of these.
IN_MEMORY, IN_THE_DATABASE = 1, 10_000
T0 = datetime(2026, 10, 1, tzinfo=UTC)
FIRST = (
    "Dark",
    "Iron",
    "The Silent",
    "Hollow",
    "A Golden",
    "Super",
    "S.T.A.L.",
    "Pokémon",
    "灯の",
    "Dante's",
    "Rock & Roll",
)
SECOND = ("Kingdom", "Harbor", "Legends", "of the Vale", "X", "and the Crown", "100%", "Kingdom Kingdom", "Ⅲ")
THIRD = (
    "",
    "",
    " II",
    " 2",
    " III",
    " VII",
    ": Remastered",
    ": Deluxe Edition",
    " - The Lost Chapter",
    " (2016)",
    " Online",
)
DECORATIONS = (
    *("{}", "{}", "{}", "{}", "The {}", "{} Edition", "{}: Deluxe Edition", "{} (2016)", "{} GOTY", "{} 2", "{} II"),
    *("{}!", "  {} ", "{} HD", "{} - PC", "{} Remastered"),
)
ODD = ("", " ", "\x00", "\ud800", "'; DROP TABLE games --", "%_\\", "a" * 5000, "💥", "ß" * 40, "!?", "the", "and")


def games(dice: random.Random, count: int) -> Iterator[dict[str, Any]]:
    """Yield games of few words, so that many are alike: namesakes, editions, ports, parts, other names, years."""
    for igdb_id in range(1, count + 1):
        name = " ".join((dice.choice(FIRST), dice.choice(SECOND))) + dice.choice(THIRD)
        game: dict[str, Any] = {"game_type": dice.choices((0, 1, 3, 8, 11), (75, 8, 5, 4, 8))[0]}
        if dice.random() < 0.3:
            other = " ".join((dice.choice(FIRST), dice.choice(SECOND))) + dice.choice(THIRD)
            game["alternative_names"] = [{"id": igdb_id, "name": other, "comment": "Other"}]
        if dice.random() < 0.15:
            game["parent_game"] = dice.randrange(1, count)
        if dice.random() < 0.1:
            game["version_parent"] = dice.randrange(1, count)
        if dice.random() < 0.6:
            game["first_release_date"] = dice.randrange(1_000_000_000, 1_700_000_000)
        if dice.random() < 0.3:
            game["total_rating_count"] = dice.choice((1, 20, 300, 4000))
        yield {**game, "name": name, "igdb_id": igdb_id}


def queries(dice: random.Random, names: Sequence[str], count: int) -> Iterator[Wanted]:
    """Yield titles as they are and written otherwise, with and without hints."""
    for name in dice.choices(names, k=count):
        written = dice.choice(DECORATIONS).format(name)
        written = dice.choice((written, written, written, written.upper(), written.lower(), written[:-1]))
        year = dice.choice((None, None, 2005, 2016))
        platforms = dice.choice(((), (), ("PC",)))
        yield wanted(written, year=year, platforms=platforms, official=dice.random() < 0.2)
    yield from map(wanted, ODD)


def answer(decision: Decision) -> tuple[object, ...]:
    """Return all that a decision says; of a sure one not what is behind it, of another not what is far behind."""
    best = decision.best
    if decision.verdict == "sure":
        return decision.verdict, decision.igdb_id, decision.why, best and (best.candidate.name, best.score)
    ranked = tuple((s.candidate.igdb_id, s.title, s.parts) for s in decision.ranked[:FOREMOST])
    return (
        decision.verdict,
        decision.igdb_id,
        decision.why,
        best and (best.candidate.name, best.score),
        decision.margin,
        ranked,
    )


@pytest.mark.parametrize("worth_loading", [IN_MEMORY, IN_THE_DATABASE])
@pytest.mark.parametrize("seed", [1, 2])
def test_each_title_gets_the_answer_that_it_would_get_alone(engine: Engine, seed: int, worth_loading: int) -> None:
    dice = random.Random(seed)  # noqa: S311 - not a secret
    made = list(games(dice, 300))
    with engine.begin() as connection:
        documents = [doc(game.pop("igdb_id"), **game) for game in made]
        store_games(connection, documents, T0)
        connection.execute(text("ANALYZE game_titles"))
    asked = list(queries(dice, [game["name"] for game in made], 200))
    with engine.connect() as connection:
        together = [answer(decision) for decision in match_titles(connection, asked, worth_loading=worth_loading)]
        alone = [answer(match_title(connection, query)) for query in asked]
    assert len(together) == len(asked)
    differing = [(q.title.text, t, a) for q, t, a in zip(asked, together, alone, strict=True) if t != a]
    assert differing == []


def test_titles_as_the_catalogue_writes_them_take_no_statements_of_their_own(engine: Engine) -> None:
    names = [f"{a}{b} of {b}{a}" for a in ("Kar", "Vol", "Mi", "Zu") for b in ("tan", "qui", "lor", "neb")]
    with engine.begin() as connection:
        store_games(connection, [doc(n, name) for n, name in enumerate(names, 1)], T0)
    statements: list[str] = []
    with engine.connect() as connection:
        event.listen(connection, "before_cursor_execute", lambda *args: statements.append(args[2]))
        decisions = list(match_titles(connection, map(wanted, names)))
    assert [decision.igdb_id for decision in decisions] == list(range(1, len(names) + 1))
    assert len(statements) < len(names)


def test_without_a_catalogue_every_title_is_unknown_after_one_statement(engine: Engine) -> None:
    queries = [wanted(f"Hollow Harbor {number}") for number in range(600)]
    statements: list[str] = []
    with engine.connect() as connection:
        event.listen(connection, "before_cursor_execute", lambda *args: statements.append(args[2]))
        decisions = list(match_titles(connection, queries))
        counted = len(statements)
        assert answer(decisions[-1]) == answer(match_title(connection, queries[-1]))
    assert {decision.verdict for decision in decisions} == {"none"}
    assert (len(decisions), counted) == (600, 1)


@pytest.mark.parametrize("worth_loading", [IN_MEMORY, IN_THE_DATABASE])
def test_the_planner_is_left_as_it_was(engine: Engine, worth_loading: int) -> None:
    with engine.begin() as connection:
        store_games(connection, [doc(1, "Valorant")], T0)
        decisions = match_titles(connection, [wanted("Valorant")], worth_loading=worth_loading)
        assert [decision.igdb_id for decision in decisions] == [1]
        assert connection.scalar(text("SHOW enable_seqscan")) == "on"
        assert connection.scalar(text("SHOW synchronize_seqscans")) == "on"


@pytest.mark.parametrize("worth_loading", [IN_MEMORY, IN_THE_DATABASE])
def test_of_more_namesakes_than_are_looked_at_one_by_one_no_others_are_looked_at(
    engine: Engine, worth_loading: int
) -> None:
    with engine.begin() as connection:
        store_games(connection, [doc(n, "Hollow Harbor") for n in range(1, 51)], T0)
        store_games(connection, [doc(51, "Hollow Harbor", total_rating_count=4000)], T0)
        query = wanted("Hollow Harbor")
        decisions = match_titles(connection, [query], worth_loading=worth_loading)
        assert [answer(decision) for decision in decisions] == [answer(match_title(connection, query))]


@pytest.mark.parametrize(("worth_loading", "most"), [(IN_THE_DATABASE, 15), (IN_MEMORY, 10)])
def test_titles_that_nobody_wrote_so_take_few_statements_and_equal_ones_none(
    engine: Engine, worth_loading: int, most: int
) -> None:
    names = [f"{a}{b} of {b}{a}" for a in ("Kar", "Vol", "Mi", "Zu") for b in ("tan", "qui", "lor", "neb")]
    typos = [wanted(name[:4] + "x" + name[4:]) for name in names]
    with engine.begin() as connection:
        store_games(connection, [doc(n, name) for n, name in enumerate(names, 1)], T0)
    statements: list[str] = []
    with engine.connect() as connection:
        event.listen(connection, "before_cursor_execute", lambda *args: statements.append(args[2]))
        decisions = list(match_titles(connection, typos * 3, worth_loading=worth_loading))
        counted = len(statements)
        alone = [answer(match_title(connection, query)) for query in typos]
    assert [answer(decision) for decision in decisions] == alone * 3
    assert {decision.verdict for decision in decisions} != {"none"}
    assert counted <= most < len(typos)


def test_a_part_of_an_entry_far_behind_leads_to_it(engine: Engine) -> None:
    with engine.begin() as connection:
        # Ten ports and a rival, which players know, go before the game that nobody rated.
        ports = [doc(n, "Hollow Harbor", game_type=11, parent_game=99, total_rating_count=5000) for n in range(1, 11)]
        rival = doc(11, "Hollow Harbor", game_type=11, parent_game=98, total_rating_count=5001)
        best = doc(12, "Hollow Harbor", parent_game=99, total_rating_count=5002)
        store_games(connection, [*ports, rival, best, doc(99, "Hollow Harbor Deluxe Edition")], T0)
        queries = [wanted("Hollow Harbor"), wanted("Hollow Harbor Deluxe Edition"), wanted("Holow Harbor")]
        decisions = list(match_titles(connection, queries, worth_loading=IN_MEMORY))
        together = [answer(decision) for decision in decisions]
        assert together == [answer(match_title(connection, query)) for query in queries]
        assert decisions[0].best is not None
        assert decisions[0].best.candidate.igdb_id == 99


def test_a_family_of_many_does_not_hide_its_rival(engine: Engine) -> None:
    with engine.begin() as connection:
        editions = [doc(n, "Hollow Harbor", version_parent=99) for n in range(1, 15)]
        store_games(connection, [*editions, doc(99, "Hollow Harbor"), doc(100, "Hollow Harbour")], T0)
        query = wanted("Hollow Harbor")
        (decision,) = match_titles(connection, [query], worth_loading=IN_MEMORY)
        assert answer(decision) == answer(match_title(connection, query))
        assert decision.igdb_id == 99


def test_a_title_of_many_whose_words_an_entry_has_is_decided_without_looking_for_what_resembles_it(
    engine: Engine,
) -> None:
    names = [f"{a}{b} {b}{a}" for a in ("Kar", "Vol", "Mi", "Zu") for b in ("tan", "qui", "lor", "neb")]
    with engine.begin() as connection:
        store_games(connection, [doc(n, name) for n, name in enumerate(names, 1)], T0)
        store_games(
            connection, [doc(100, "Kartan Tankar", total_rating_count=3), doc(101, "Voltan Deluxe Edition")], T0
        )
    asked = [*map(wanted, names), wanted("Voltan")]
    statements: list[str] = []
    with engine.connect() as connection:
        event.listen(connection, "before_cursor_execute", lambda *args: statements.append(args[2]))
        together = [answer(decision) for decision in match_titles(connection, asked[1:-1], worth_loading=IN_MEMORY)]
        by_words = len(statements)
        twins = [answer(decision) for decision in match_titles(connection, asked, worth_loading=IN_MEMORY)]
        alone = [answer(match_title(connection, query)) for query in asked]
    assert (together, twins) == (alone[1:-1], alone)
    assert [verdict for verdict, *_ in alone].count("unsure") == 1
    assert by_words <= 6
