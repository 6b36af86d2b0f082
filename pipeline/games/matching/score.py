"""Score candidates by their titles and by what else is known, so that the score explains itself. Pure."""

import math
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache

from models.names import name_key
from pipeline.games.matching.normalise import Title, is_acronym, is_executable, read_title
from pipeline.games.matching.records import GAME_TYPES, MAIN_GAME, Candidate, FoundTitle, Part, Scored, Wanted
from pipeline.games.matching.similarity import Similarity, compare_titles

# What a title of another kind than the name is worth: translators and players agree less than publishers.
KINDS = {"name": 0.0, "localized": 0.01, "slug": 0.02, "alternative": 0.04}
# An acronym or another name that several games share says something only together with something else.
SHARED_AT_MOST = 0.7
# By IGDB's game types; a title alone seldom means an entry that is no game of its own.
TYPES = {
    1: 0.06,
    2: 0.06,
    3: 0.10,
    5: 0.10,
    6: 0.06,
    7: 0.06,
    8: 0.02,
    9: 0.03,
    10: 0.02,
    11: 0.06,
    12: 0.08,
    13: 0.10,
    14: 0.10,
}
VERSION = 0.06
SAME_YEAR, NEXT_YEAR, ANOTHER_YEAR = 0.05, 0.02, -0.10
SAME_PLATFORM, ANOTHER_PLATFORM = 0.03, -0.05
# A tie-break, less than the least difference of titles: as many points as a game known by all.
POPULARITY = 0.004
KNOWN_BY_ALL = 5000
_LOG_OF_ALL = math.log1p(KNOWN_BY_ALL)


def score(query: Wanted, candidate: Candidate) -> Scored:
    """Return a candidate's score, 0 to 1, with what gave it."""
    return score_by(query, candidate, {title: compare_by_kind(query, title) for title in candidate.titles})


def score_by(query: Wanted, candidate: Candidate, alike: Mapping[FoundTitle, Similarity]) -> Scored:
    """Return a candidate's score where it is known how much its titles are alike."""
    # In which order titles were found is chance.
    title = min(candidate.titles, key=lambda title: (-alike[title].score, title.text))
    parts = [Part(alike[title].why, alike[title].score), *_about(query, candidate)]
    total = max(0.0, min(1.0, sum(part.points for part in parts)))
    return Scored(candidate=candidate, title=title, likeness=alike[title].score, parts=tuple(parts), score=total)


def points_of(query: Wanted, candidate: Candidate, likeness: float) -> float:
    """Return the points of a candidate whose likest title is alike by so much, the same as `score` gives it."""
    return sum((likeness, *_points_about(query, candidate)))


def most_about(query: Wanted) -> float:
    """Return the most points that an entry can have besides the likeness of its title."""
    return (SAME_YEAR if query.year is not None else 0.0) + (SAME_PLATFORM if query.platforms else 0.0) + POPULARITY


def rank(query: Wanted, candidates: Iterable[Candidate]) -> list[Scored]:
    """Return the candidates with their scores, best first; of equals those that more people know, then the older."""
    scored = [score(query, candidate) for candidate in candidates]
    return sorted(scored, key=lambda s: (-s.points, -s.candidate.rating_count, s.candidate.igdb_id))


def compare_by_kind(query: Wanted, title: FoundTitle, read: Callable[[str], Title] = read_title) -> Similarity:
    """Return how alike an entry's title is, and what its kind takes from that; `read` may remember more titles."""
    if title.kind == "alternative" and is_executable(title.text):
        return Similarity(0.0, "a program's file")
    similarity = compare_titles(query.title, read(title.text))
    if title.kind == "alternative" and is_acronym(title.text):
        return Similarity(min(similarity.score, SHARED_AT_MOST), f"{similarity.why}, a short name that games share")
    worth = similarity.score * (1 - KINDS.get(title.kind, 0.0))
    return Similarity(worth, similarity.why)


def _about(query: Wanted, candidate: Candidate) -> list[Part]:
    points = _points_about(query, candidate)
    is_edition = candidate.version_parent_igdb_id is not None
    words = (
        "an edition of another entry" if is_edition else GAME_TYPES.get(candidate.game_type or MAIN_GAME, ""),
        f"first released in {candidate.year}",
        "on that platform" if points[2] > 0 else "not on that platform",
        "known to players",
    )
    return [Part(what, given) for what, given in zip(words, points, strict=True) if given]


def _points_about(query: Wanted, candidate: Candidate) -> tuple[float, float, float, float]:
    """Return the points for the kind of game, the year, the platform and how well players know it; 0 is no part."""
    known = _popularity(candidate.rating_count)
    return _kind_of_game(query, candidate), _year(query, candidate), _platform(query, candidate), known


@lru_cache(maxsize=4096)
def _popularity(rating_count: int) -> float:
    return POPULARITY * min(1.0, math.log1p(max(0, rating_count)) / _LOG_OF_ALL)


def _kind_of_game(query: Wanted, candidate: Candidate) -> float:
    if candidate.version_parent_igdb_id is not None:
        return 0.0 if query.title.edition else -VERSION
    return -TYPES.get(candidate.game_type or MAIN_GAME, 0.0)


def _year(query: Wanted, candidate: Candidate) -> float:
    if query.year is None or candidate.year is None:
        return 0.0
    apart = abs(query.year - candidate.year)
    return (SAME_YEAR, NEXT_YEAR)[apart] if apart < 2 else ANOTHER_YEAR


def _platform(query: Wanted, candidate: Candidate) -> float:
    if not query.platforms or not candidate.platforms:
        return 0.0
    return SAME_PLATFORM if _is_for_any(query.platforms, candidate.platforms) else ANOTHER_PLATFORM


# Many thousand games run on the same platforms, and a list is mostly of games for one.
@lru_cache(maxsize=4096)
def _is_for_any(platforms: tuple[str, ...], of_game: tuple[str, ...]) -> bool:
    wanted, has = {name_key(p) for p in platforms}, [name_key(p) for p in of_game]
    # "PC" for "PC (Microsoft Windows)".
    return any(key and (key in known or known in key) for key in wanted for known in has)
