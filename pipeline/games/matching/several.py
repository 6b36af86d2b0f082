"""Match many titles at once, with the answers that each would get alone.

A short list is looked for in the database, step by step for many titles. For a long one all titles of the catalogue
are read into memory, where what each title may mean is found much faster.
"""

import gc
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import islice
from math import ceil

from sqlalchemy import Connection

from pipeline.games.matching.candidates import forms_of, read_entries
from pipeline.games.matching.catalogue import Catalogue
from pipeline.games.matching.decide import decide
from pipeline.games.matching.foremost import decide_among
from pipeline.games.matching.forks import MOST_FORKS, in_forks
from pipeline.games.matching.gathering import find_for_many
from pipeline.games.matching.normalise import read_title
from pipeline.games.matching.records import Candidate, Decision, Wanted
from pipeline.games.matching.score import rank

# For fewer titles, reading the catalogue costs more than it saves.
WORTH_LOADING = 500
AT_ONCE = 20_000
# Each may bring thousands of titles out of the database.
SEARCHED_AT_ONCE = 50
DECIDED_AT_ONCE = 500
# While a long list is matched; for ever it would be too much memory.
_TITLES_READ = 65_536


def match_titles(
    connection: Connection, queries: Iterable[Wanted], *, worth_loading: int = WORTH_LOADING
) -> Iterator[Decision]:
    """Yield which entry each title means and how sure that is, in their order, as `match_title` would.

    From `worth_loading` different titles on the catalogue is read into memory, a few hundred megabytes for all of IGDB.
    A decision may rank fewer candidates than `match_title` would: the foremost.
    """
    waiting = iter(queries)
    while part := list(islice(waiting, AT_ONCE)):
        left = Counter(part)
        is_long = len(left) >= worth_loading
        decisions = (_decide_in_memory if is_long else _decide)(connection, list(left))
        answers: dict[Wanted, Decision] = {}
        for query in part:
            # Found only when it is its turn, so that whoever waits sees it go on; what is equal is looked for once.
            while query not in answers:
                answers |= [next(decisions)]
            left[query] -= 1
            yield answers[query] if left[query] else answers.pop(query)


def _decide(connection: Connection, queries: Sequence[Wanted]) -> Iterator[tuple[Wanted, Decision]]:
    """Yield the decision of each query among the candidates that the database finds."""
    for start in range(0, len(queries), SEARCHED_AT_ONCE):
        part = queries[start : start + SEARCHED_AT_ONCE]
        candidates_of_each = find_for_many(connection, [query.title for query in part])
        for query, candidates in zip(part, candidates_of_each, strict=True):
            yield query, decide(query, rank(query, candidates))


def _decide_in_memory(connection: Connection, queries: Sequence[Wanted]) -> Iterator[tuple[Wanted, Decision]]:
    """Yield the decision of each query among the candidates that are found in memory, by all processors."""
    forms = [forms_of(query.title) for query in queries]
    catalogue = Catalogue(forms)
    catalogue.load(connection)
    # To look through all of it for garbage, again and again, would take an eighth of the time.
    gc.freeze()
    entries: dict[int, Candidate] = {}
    read = lru_cache(_TITLES_READ)(read_title.__wrapped__)

    def decide_part(part: slice, read_missing: Callable[[set[int]], dict[int, Candidate]]) -> list[Decision]:
        asked = queries[part]
        titles = [catalogue.find(query.title, some) for query, some in zip(asked, forms[part], strict=True)]
        entries.update(read_missing(set().union(*titles) - entries.keys()))
        return [decide_among(query, some, entries, read) for query, some in zip(asked, titles, strict=True)]

    at_once = min(DECIDED_AT_ONCE, ceil(len(queries) / MOST_FORKS))
    parts = [slice(start, start + at_once) for start in range(0, len(queries), at_once)]
    return zip(queries, in_forks(parts, decide_part, lambda missing: read_entries(connection, missing)), strict=True)
