"""Decide among candidates as `decide(query, rank(query, candidates))` does, explaining only what it looks at. Pure.

A score that explains itself costs far more than its points, and most candidates are never looked at.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence

import msgspec

from pipeline.games.matching.decide import MARGIN, decide, is_main, parents_of, rival_of
from pipeline.games.matching.normalise import Title, read_title
from pipeline.games.matching.records import Candidate, Decision, FoundTitle, Scored, Wanted
from pipeline.games.matching.score import compare_by_kind, most_about, points_of, score_by
from pipeline.games.matching.similarity import MOST_RESEMBLING, Similarity

# More than anybody is shown.
FOREMOST = 8
Titles = Mapping[int, Sequence[FoundTitle]]


def decide_among(
    query: Wanted, titles: Titles, entries: Mapping[int, Candidate], read: Callable[[str], Title] = read_title
) -> Decision:
    """Return the decision on the entries with these titles; `entries` lacks those that IGDB no longer has.

    Its `ranked` are the foremost candidates, eight where there are so many.
    """
    # Namesakes share their titles.
    distinct = {title for some in titles.values() for title in some}
    alike = {title: compare_by_kind(query, title, read) for title in distinct}
    order = _in_order(query, titles, entries, alike)

    def ranked(ids: Iterable[int]) -> list[Scored]:
        candidates = (msgspec.structs.replace(entries[igdb_id], titles=tuple(titles[igdb_id])) for igdb_id in ids)
        return [score_by(query, candidate, alike) for candidate in candidates]

    foremost, others = ranked(order[:FOREMOST]), order[FOREMOST:]
    decision = decide(query, foremost)
    if not _is_final(query, decision, others):
        decision = decide(query, [*foremost, *ranked(others)])
    return msgspec.structs.replace(decision, ranked=decision.ranked[:FOREMOST])


def decide_by_words(
    query: Wanted, titles: Titles, entries: Mapping[int, Candidate], read: Callable[[str], Title] = read_title
) -> Decision | None:
    """Return the decision on the entries whose titles hold all words of one that `is_said_in_words`, where it is sure.

    It is the one on all candidates: others only resemble it, too little to be as likely. Else None.
    """
    decision = decide_among(query, titles, entries, read)
    best = decision.best
    if best is None or decision.verdict != "sure" or best is not decision.ranked[0]:
        return None
    return decision if best.points - (MOST_RESEMBLING + most_about(query)) >= MARGIN else None


def _in_order(
    query: Wanted, titles: Titles, entries: Mapping[int, Candidate], alike: Mapping[FoundTitle, Similarity]
) -> list[int]:
    """Return the entries as `rank` orders them: by points, of equals those that more people know, then the older."""
    places = []
    for igdb_id, some in titles.items():
        if (entry := entries.get(igdb_id)) is not None:
            likeness = alike[some[0]].score if len(some) == 1 else max([alike[title].score for title in some])
            places.append((-points_of(query, entry, likeness), -entry.rating_count, igdb_id))
    return [igdb_id for *_, igdb_id in sorted(places)]


def _is_final(query: Wanted, decision: Decision, others: Iterable[int]) -> bool:
    """Whether none of the others, who are all behind the ranked, could change a decision."""
    left, best = set(others), decision.best
    if not left or best is None or decision.verdict == "none":
        return True
    first, last = decision.ranked[0], decision.ranked[-1]
    # The first may be a port of one of the others, or all of the ranked may be kin.
    if not parents_of(first).isdisjoint(left) or rival_of(best, decision.ranked) is None:
        return False
    return bool(query.title.edition) or is_main(best) or best.points - last.points >= MARGIN
