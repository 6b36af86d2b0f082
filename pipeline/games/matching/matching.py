"""Match titles with the catalogue: find candidates, score them, decide; each decision explains itself."""

import msgspec
from sqlalchemy import Connection

from models.names import name_key
from pipeline.games.matching.candidates import find_candidates
from pipeline.games.matching.decide import decide
from pipeline.games.matching.records import Decision, Part, Scored, Wanted
from pipeline.games.matching.score import rank
from pipeline.games.matching.similarity import SAME_HEAD

# A search wants what begins so as much as what has a subtitle more.
BEGINS_SO = SAME_HEAD


def match_title(connection: Connection, wanted: Wanted) -> Decision:
    """Return which entry a title means and how sure that is; `records.wanted("Rust", year=2018)` makes the query.

    Of many titles `several.match_titles` finds the same, much faster.
    """
    return decide(wanted, rank(wanted, find_candidates(connection, wanted.title)))


def search_titles(connection: Connection, wanted: Wanted, *, limit: int = 20) -> list[Scored]:
    """Return the entries that a person may look for, best first, also those whose titles only begin with the text."""
    ranked = rank(wanted, find_candidates(connection, wanted.title, beginnings=True))
    lifted = [_lifted(wanted, scored) for scored in ranked]
    best = sorted(lifted, key=lambda s: (-s.points, -s.candidate.rating_count, s.candidate.igdb_id))
    return [scored for scored in best if scored.score > 0][:limit]


def _lifted(wanted: Wanted, scored: Scored) -> Scored:
    """Raise the score of an entry with a title that begins with the words that a person typed."""
    key = wanted.title.key
    if scored.points >= BEGINS_SO or not key:
        return scored
    for title in scored.candidate.titles:
        if name_key(title.text).startswith(key):
            part = Part("begins so", BEGINS_SO - scored.points)
            return msgspec.structs.replace(scored, title=title, parts=(*scored.parts, part), score=BEGINS_SO)
    return scored
