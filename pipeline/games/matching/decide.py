"""Decide which candidate is meant: sure, unsure or none. Pure.

A wrong match is worse than none: a person can settle an unsure one, and does not notice a wrong one.
"""

from collections.abc import Iterable, Sequence

from pipeline.games.matching.records import MAIN_GAME, OWN_GAMES, Decision, Scored, Wanted
from pipeline.games.matching.similarity import SAME_BUT_EDITION, SAME_SPELLING

SURE = 0.90
UNSURE = 0.60
MARGIN = 0.05
# Of two games of one name, that with so many times the other's ratings is meant, if it has enough of them.
TIMES_AS_KNOWN = 5
KNOWN = 20
# Likeness by which two entries have one name: no more apart than a translated title is from a name.
ONE_NAME = 0.04
_EDITION_OF = SAME_BUT_EDITION * (1 - ONE_NAME)


def decide(query: Wanted, ranked: Sequence[Scored]) -> Decision:
    """Return which of the candidates (best first) is meant, and why that is sure or not."""
    if not ranked or ranked[0].score < UNSURE:
        return Decision(
            verdict="none", best=ranked[0] if ranked else None, margin=None, why="nothing like it", ranked=tuple(ranked)
        )
    best = _main_entry(query, ranked)
    rival = rival_of(best, ranked)
    margin = best.points - rival.points if rival is not None else best.points
    problem = _problem(query, best, ranked, rival)
    why = best.explanation if problem is None else f"{problem} ({best.explanation})"
    return Decision(
        verdict="unsure" if problem else "sure", best=best, margin=round(margin, 4), why=why, ranked=tuple(ranked)
    )


def _main_entry(query: Wanted, ranked: Sequence[Scored]) -> Scored:
    """Return the game itself where the best candidate is a port, or an edition that the title does not name."""
    best = ranked[0]
    parents = parents_of(best)
    if query.title.edition or not parents:
        return best
    same = (other for other in ranked if other.candidate.igdb_id in parents and other.likeness >= _EDITION_OF)
    return next(same, best)


def rival_of(best: Scored, ranked: Iterable[Scored]) -> Scored | None:
    """Return the first of the other candidates that is no port, edition or expansion of the best one."""
    return next((other for other in ranked if other is not best and not _are_kin(best, other)), None)


def _are_kin(scored: Scored, other: Scored) -> bool:
    """Return whether one entry is a port, an edition or an expansion of the other, or both are of a third."""
    families = [{s.candidate.igdb_id} | parents_of(s) for s in (scored, other)]
    return not families[0].isdisjoint(families[1])


def parents_of(scored: Scored) -> set[int]:
    """Return the entries that one belongs to. A remake belongs to none: its name may mean either game."""
    candidate = scored.candidate
    parent = None if candidate.game_type in OWN_GAMES else candidate.parent_igdb_id
    return {igdb_id for igdb_id in (parent, candidate.version_parent_igdb_id) if igdb_id is not None}


def _problem(query: Wanted, best: Scored, ranked: Sequence[Scored], rival: Scored | None) -> str | None:
    """Return why it is not sure that `best` is meant, or None."""
    if best.score < SURE:
        return "not like enough"
    if query.whole and best.likeness < _EDITION_OF:
        return "not the same title"
    if not query.title.edition and (main := _overshadowing(best, ranked)) is not None:
        return f"a part or port, while there is {_named(main)}"
    if rival is None or best.points - rival.points >= MARGIN:
        return None
    if _outshines(best, rival) or (query.official and best.likeness > max(rival.likeness, SAME_SPELLING)):
        return None
    return f"{_named(rival)} is as likely"


def _overshadowing(best: Scored, ranked: Sequence[Scored]) -> Scored | None:
    """Return a main game of the same name, but for an edition, that is almost as likely."""
    if is_main(best):
        return None
    near = (other for other in ranked if best.points - other.points < MARGIN and is_main(other))
    return next((other for other in near if other.likeness >= _EDITION_OF), None)


def _outshines(best: Scored, rival: Scored) -> bool:
    """Return whether far more people rated `best` than a rival of the same name."""
    if best.likeness < rival.likeness:
        return False
    count, other = best.candidate.rating_count, rival.candidate.rating_count
    return count >= KNOWN and count >= TIMES_AS_KNOWN * max(1, other)


def is_main(scored: Scored) -> bool:
    """Whether an entry is a game, and neither a part, a port nor an edition of one."""
    candidate = scored.candidate
    return (candidate.game_type or MAIN_GAME) == MAIN_GAME and candidate.version_parent_igdb_id is None


def _named(scored: Scored) -> str:
    year = f", {scored.candidate.year}" if scored.candidate.year else ""
    return f"`{scored.candidate.name}` (IGDB {scored.candidate.igdb_id}{year})"
