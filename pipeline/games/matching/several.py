"""Match many titles at once, with the answers that each would get alone.

A short list is looked for in the database, step by step for many titles. Of a long one most titles are decided by the
entries of the same words; all that the others may mean is read into memory, where it is found much faster.
"""

import gc
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import islice
from math import ceil

from sqlalchemy import Connection, exists, select

from models import GameTitle
from pipeline.games.matching.candidates import count_words, forms_of, read_entries, wishes_of
from pipeline.games.matching.catalogue import Catalogue
from pipeline.games.matching.decide import decide
from pipeline.games.matching.foremost import decide_among, decide_by_words
from pipeline.games.matching.forks import MOST_FORKS, in_forks
from pipeline.games.matching.gathering import find_by_words, find_for_many
from pipeline.games.matching.normalise import is_said_in_words, read_title
from pipeline.games.matching.records import Candidate, Decision, Wanted
from pipeline.games.matching.score import rank

# For fewer titles, reading the catalogue costs more than it saves.
WORTH_LOADING = 500
AT_ONCE = 20_000
# Each may bring thousands of titles out of the database.
SEARCHED_AT_ONCE = 50
DECIDED_AT_ONCE = 500
BY_WORDS_AT_ONCE = 2_000
# While a long list is matched; for ever it would be too much memory.
_TITLES_READ = 65_536
_IS_ANY = select(exists(select(GameTitle.igdb_id)))


def match_titles(
    connection: Connection, queries: Iterable[Wanted], *, worth_loading: int = WORTH_LOADING
) -> Iterator[Decision]:
    """Yield which entry each title means and how sure that is, in their order, as `match_title` would.

    From `worth_loading` different titles on what they may mean is read into memory, up to a few hundred megabytes.
    A decision may rank fewer candidates than `match_title` would: the foremost, and of a sure one those of the same
    words, so that its margin may be larger.
    """
    waiting = iter(queries)
    while part := list(islice(waiting, AT_ONCE)):
        left = Counter(part)
        decide_all = _decide_long if len(left) >= worth_loading else _decide
        # Whoever has no IGDB is not kept waiting for it.
        decisions = (decide_all if connection.scalar(_IS_ANY) else _decide_none)(connection, list(left))
        answers: dict[Wanted, Decision] = {}
        for query in part:
            # Found only when it is its turn, so that whoever waits sees it go on; what is equal is looked for once.
            while query not in answers:
                answers |= [next(decisions)]
            left[query] -= 1
            yield answers[query] if left[query] else answers.pop(query)


def _decide_none(_: Connection, queries: Sequence[Wanted]) -> Iterator[tuple[Wanted, Decision]]:
    """Yield the decision of each query where the catalogue has no entry at all."""
    for query in queries:
        yield query, decide(query, [])


def _decide(connection: Connection, queries: Sequence[Wanted]) -> Iterator[tuple[Wanted, Decision]]:
    """Yield the decision of each query among the candidates that the database finds."""
    for start in range(0, len(queries), SEARCHED_AT_ONCE):
        part = queries[start : start + SEARCHED_AT_ONCE]
        candidates_of_each = find_for_many(connection, [query.title for query in part])
        for query, candidates in zip(part, candidates_of_each, strict=True):
            yield query, decide(query, rank(query, candidates))


def _decide_long(connection: Connection, queries: Sequence[Wanted]) -> Iterator[tuple[Wanted, Decision]]:
    """Yield the decision of each query: of most by their words alone, of the others among all that resemble them."""
    decided = _decide_by_words(connection, queries)
    left = [query for query in queries if query not in decided]
    others = _decide_in_memory(connection, left) if left else iter(())
    for query in queries:
        yield query, decided[query] if query in decided else next(others)


def _decide_by_words(connection: Connection, queries: Sequence[Wanted]) -> dict[Wanted, Decision]:
    """Return the decisions on those queries that entries of the same words are sure for."""
    decided: dict[Wanted, Decision] = {}
    said = [query for query in queries if is_said_in_words(query.title)]
    for start in range(0, len(said), BY_WORDS_AT_ONCE):
        part = said[start : start + BY_WORDS_AT_ONCE]
        titles = find_by_words(connection, [query.title for query in part])
        entries = read_entries(connection, set().union(*titles))
        for query, some in zip(part, titles, strict=True):
            if (decision := decide_by_words(query, some, entries)) is not None:
                decided[query] = decision
    return decided


def _decide_in_memory(connection: Connection, queries: Sequence[Wanted]) -> Iterator[Decision]:
    """Yield the decision of each query among the candidates that are found in memory, by all processors."""
    forms = [forms_of(query.title) for query in queries]
    counts = count_words(connection, (word for some in forms for word in some.words))
    wishes = [wishes_of(some, counts) for some in forms]
    catalogue = Catalogue(wishes, counts)
    catalogue.load(connection)
    # To look through all of it for garbage, again and again, would take an eighth of the time.
    gc.freeze()
    entries: dict[int, Candidate] = {}
    read = lru_cache(_TITLES_READ)(read_title.__wrapped__)

    def decide_part(part: slice, read_missing: Callable[[set[int]], dict[int, Candidate]]) -> list[Decision]:
        asked = queries[part]
        titles = [catalogue.find(query.title, some) for query, some in zip(asked, wishes[part], strict=True)]
        entries.update(read_missing(set().union(*titles) - entries.keys()))
        return [decide_among(query, some, entries, read) for query, some in zip(asked, titles, strict=True)]

    at_once = min(DECIDED_AT_ONCE, ceil(len(queries) / MOST_FORKS))
    parts = [slice(start, start + at_once) for start in range(0, len(queries), at_once)]
    return in_forks(parts, decide_part, lambda missing: read_entries(connection, missing))
