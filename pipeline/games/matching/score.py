"""Score candidates by their titles and by what else is known, so that the score explains itself. Pure."""

import math
from collections.abc import Iterable

from models.names import name_key
from pipeline.games.matching.normalise import is_acronym, is_executable, read_title
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


def score(query: Wanted, candidate: Candidate) -> Scored:
    """Return a candidate's score, 0 to 1, with what gave it."""
    similarity, title = max(
        ((_by_kind(query, title), title) for title in candidate.titles), key=lambda pair: pair[0].score
    )
    parts = [Part(similarity.why, similarity.score), *_about(query, candidate)]
    total = max(0.0, min(1.0, sum(part.points for part in parts)))
    return Scored(candidate=candidate, title=title, likeness=similarity.score, parts=tuple(parts), score=total)


def rank(query: Wanted, candidates: Iterable[Candidate]) -> list[Scored]:
    """Return the candidates with their scores, best first; of equals those that more people know, then the older."""
    scored = [score(query, candidate) for candidate in candidates]
    return sorted(scored, key=lambda s: (-s.points, -s.candidate.rating_count, s.candidate.igdb_id))


def _by_kind(query: Wanted, title: FoundTitle) -> Similarity:
    similarity = compare_titles(query.title, read_title(title.text))
    if title.kind == "alternative" and is_executable(title.text):
        return Similarity(0.0, "a program's file")
    if title.kind == "alternative" and is_acronym(title.text):
        return Similarity(min(similarity.score, SHARED_AT_MOST), f"{similarity.why}, a short name that games share")
    worth = similarity.score * (1 - KINDS.get(title.kind, 0.0))
    return Similarity(worth, similarity.why)


def _about(query: Wanted, candidate: Candidate) -> list[Part]:
    parts = [_kind_of_game(query, candidate), _year(query, candidate), _platform(query, candidate)]
    known = min(1.0, math.log1p(max(0, candidate.rating_count)) / math.log1p(KNOWN_BY_ALL))
    parts.append(Part("known to players", POPULARITY * known) if known else None)
    return [part for part in parts if part is not None]


def _kind_of_game(query: Wanted, candidate: Candidate) -> Part | None:
    if candidate.version_parent_igdb_id is not None:
        return None if query.title.edition else Part("an edition of another entry", -VERSION)
    kind = candidate.game_type or MAIN_GAME
    return Part(GAME_TYPES[kind], -TYPES[kind]) if kind in TYPES else None


def _year(query: Wanted, candidate: Candidate) -> Part | None:
    if query.year is None or candidate.year is None:
        return None
    apart = abs(query.year - candidate.year)
    points = (SAME_YEAR, NEXT_YEAR)[apart] if apart < 2 else ANOTHER_YEAR
    return Part(f"first released in {candidate.year}", points)


def _platform(query: Wanted, candidate: Candidate) -> Part | None:
    if not query.platforms or not candidate.platforms:
        return None
    wanted, has = {name_key(p) for p in query.platforms}, [name_key(p) for p in candidate.platforms]
    # "PC" for "PC (Microsoft Windows)".
    if any(key and (key in known or known in key) for key in wanted for known in has):
        return Part("on that platform", SAME_PLATFORM)
    return Part("not on that platform", ANOTHER_PLATFORM)
