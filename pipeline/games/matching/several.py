"""Match many titles at once, with the answers that each would get alone.

Most titles of a list are written as the catalogue writes them. Such a one is settled by what has its key and what holds
all its words, which two statements bring for hundreds of titles: nothing else can come so near that it would matter.
What that leaves open has all its candidates looked for, step by step, for many titles at once.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice

import msgspec
from sqlalchemy import ARRAY, Connection, Text, bindparam, func, select, text

from models import GameTitle
from pipeline.games.matching.candidates import (
    ENTRIES,
    MOST_CANDIDATES,
    MOST_TITLES,
    Matches,
    candidate,
    load_frequencies,
)
from pipeline.games.matching.decide import MARGIN, decide, is_main
from pipeline.games.matching.gathering import BY_INDEX, find_for_many
from pipeline.games.matching.normalise import LAST_WORDS, keys_of, word_sets
from pipeline.games.matching.records import Candidate, Decision, FoundTitle, Scored, Wanted
from pipeline.games.matching.score import POPULARITY, SAME_PLATFORM, SAME_YEAR, rank
from pipeline.games.matching.similarity import MOST_RESEMBLING, SAME_BUT_EDITION, SAME_SPELLING
from pipeline.games.matching.words import ARTICLES, EDITIONS, EDITIONS_ALONE, PLATFORMS, REWORKS
from pipeline.services.igdb.titles import title_key, title_words

AT_ONCE = 500
# Each may bring thousands of titles.
SEARCHED_AT_ONCE = 50
_TEXTS = ARRAY(Text)
_OF_EDITIONS = frozenset({"and", "goty", *LAST_WORDS, *ARTICLES, *EDITIONS, *PLATFORMS, *REWORKS}).union(
    *EDITIONS_ALONE
)
_BY_KEYS = select(GameTitle.key, GameTitle.igdb_id, GameTitle.title, GameTitle.kind).where(
    GameTitle.key == func.any(bindparam("keys", type_=_TEXTS))
)
# One more than a title alone would be given, which shows that it is not all.
_BY_WORDS = text("""
    SELECT wish.place, match.igdb_id, match.title, match.kind
    FROM unnest(CAST(:places AS int[]), CAST(:words AS text[])) AS wish (place, words) CROSS JOIN LATERAL (
        SELECT igdb_id, title, kind FROM game_titles
        WHERE game_titles.words @> string_to_array(wish.words, ' ') LIMIT :most
    ) AS match
""")


def match_titles(connection: Connection, queries: Iterable[Wanted]) -> Iterator[Decision]:
    """Yield which entry each title means and how sure that is, in their order, as `match_title` would.

    A decision that is sure may rank fewer candidates than that: those that settled it.
    """
    waiting, frequencies = iter(queries), load_frequencies(connection)
    while part := list(islice(waiting, AT_ONCE)):
        settled = _settle(connection, part)
        open_queries = dict.fromkeys(query for place, query in enumerate(part) if place not in settled)
        decisions = _decide(connection, list(open_queries), frequencies)
        answers: dict[Wanted, Decision] = {}
        for place, query in enumerate(part):
            # Found only when it is its turn, so that whoever waits sees it go on; what is equal is looked for once.
            while place not in settled and query not in answers:
                answers |= [next(decisions)]
            yield settled.get(place) or answers[query]


def _decide(
    connection: Connection, queries: Sequence[Wanted], frequencies: Mapping[str, float]
) -> Iterator[tuple[Wanted, Decision]]:
    """Yield the decision of each query among all its candidates."""
    for start in range(0, len(queries), SEARCHED_AT_ONCE):
        part = queries[start : start + SEARCHED_AT_ONCE]
        candidates_of_each = find_for_many(connection, [query.title for query in part], frequencies)
        for query, candidates in zip(part, candidates_of_each, strict=True):
            yield query, decide(query, rank(query, candidates))


def _settle(connection: Connection, queries: Sequence[Wanted]) -> dict[int, Decision]:
    """Return the decisions that equal titles settle, by the place of their query."""
    matches = _by_keys(connection, queries)
    hopeful = {n: titles for n, titles in matches.items() if _is_exact(queries[n], titles)}
    crowded = _add_by_words(connection, queries, hopeful) | {n for n, titles in hopeful.items() if _is_too_much(titles)}
    entries = _read(connection, [titles for n, titles in hopeful.items() if n not in crowded])
    decisions = {}
    for place, titles in hopeful.items():
        if place not in crowded:
            query = queries[place]
            decision = decide(query, rank(query, _candidates(titles, entries)))
            if _is_settled(query, decision):
                decisions[place] = decision
    return decisions


def _by_keys(connection: Connection, queries: Sequence[Wanted]) -> dict[int, Matches]:
    places: dict[str, list[int]] = {}
    for place, query in enumerate(queries):
        for key in keys_of(query.title):
            places.setdefault(key, []).append(place)
    matches: dict[int, Matches] = {}
    for key, igdb_id, title, kind in connection.execute(_BY_KEYS, {"keys": list(places)}):
        for place in places[key]:
            matches.setdefault(place, {})[igdb_id, title] = FoundTitle(title, kind)
    return {place: titles for place, titles in matches.items() if len(titles) <= MOST_TITLES}


def _is_exact(query: Wanted, titles: Matches) -> bool:
    """Whether an entry's name is the title itself, but for capitals and punctuation.

    Of two numerals a title may write one in digits and the other not, which no way to look for words foresees.
    """
    key = query.title.key if len(query.title.numbers) < 2 else None
    return any(match.kind == "name" and title_key(match.text) == key for match in titles.values())


def _is_too_much(titles: Matches) -> bool:
    """Whether so many entries may be meant that only some of them are looked at."""
    return len({igdb_id for igdb_id, _ in titles}) > MOST_CANDIDATES


def _add_by_words(connection: Connection, queries: Sequence[Wanted], matches: Mapping[int, Matches]) -> set[int]:
    """Add the titles that hold the same words; returns the places of those titles that have too many of them."""
    ways = [(place, " ".join(words)) for place in matches for words in _ways(queries[place])]
    if not ways:
        return set()
    connection.execute(BY_INDEX, {"value": "off"})
    places, wishes = zip(*ways, strict=True)
    rows = connection.execute(_BY_WORDS, {"places": list(places), "words": list(wishes), "most": MOST_TITLES + 1}).all()
    connection.execute(BY_INDEX, {"value": "on"})
    counts: dict[int, int] = {}
    words = {place: _words_of(queries[place]) for place in matches}
    for place, igdb_id, title, kind in rows:
        counts[place] = counts.get(place, 0) + 1
        if all(word in words[place] or _is_year(word) for word in title_words(title)):
            matches[place][igdb_id, title] = FoundTitle(title, kind)
    return {place for place, count in counts.items() if count > MOST_TITLES}


def _ways(query: Wanted) -> set[tuple[str, ...]]:
    """Return the words to look for together, also as the catalogue reads them: "S.T.A.L.K.E.R." is many there."""
    own = tuple(word for word in title_words(query.title.text) if word not in ARTICLES and word != "and")
    return {*word_sets(query.title), *([own] if own else [])}


def _words_of(query: Wanted) -> frozenset[str]:
    """Return the words that a title may hold which means the same, or an edition of it, however it writes numerals."""
    return _OF_EDITIONS.union(title_words(query.title.text), *word_sets(query.title))


def _is_year(word: str) -> bool:
    return len(word) == 4 and word.isdigit()


def _read(connection: Connection, matches: Iterable[Matches]) -> dict[int, Candidate]:
    ids = sorted({igdb_id for titles in matches for igdb_id, _ in titles})
    rows = connection.execute(ENTRIES, {"ids": ids}) if ids else ()
    return {row.igdb_id: candidate(row, ()) for row in rows}


def _candidates(matches: Matches, entries: Mapping[int, Candidate]) -> Iterator[Candidate]:
    titles: dict[int, list[FoundTitle]] = {}
    for (igdb_id, _), match in matches.items():
        titles.setdefault(igdb_id, []).append(match)
    return (msgspec.structs.replace(entries[key], titles=tuple(some)) for key, some in titles.items() if key in entries)


def _is_settled(query: Wanted, decision: Decision) -> bool:
    """Whether no title of other words could change a decision, however well it fits all else that is known."""
    best = decision.best
    if decision.verdict != "sure" or best is None or not _is_alone(best):
        return False
    # A title that names an edition may have an original, which lacks some of its words.
    unseen = SAME_BUT_EDITION if query.title.edition else MOST_RESEMBLING
    hints = SAME_YEAR * (query.year is not None) + SAME_PLATFORM * bool(query.platforms)
    return best.points - MARGIN > unseen + POPULARITY + hints and (is_main(best) or not query.title.edition)


def _is_alone(best: Scored) -> bool:
    """Whether an entry is meant by its own name, and is no part of another that may be meant instead."""
    entry = best.candidate
    is_part = entry.parent_igdb_id is not None or entry.version_parent_igdb_id is not None
    return not is_part and best.title.kind == "name" and best.likeness >= SAME_SPELLING
