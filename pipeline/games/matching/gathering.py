"""Find the candidates of many titles at once: the steps of `candidates.find_candidates`, each one statement for all.

A statement of its own for each step of each title costs more than what it finds.
"""

from collections.abc import Iterable, Mapping, Sequence

import msgspec
from sqlalchemy import Connection, TextClause, text

from pipeline.games.matching.candidates import (
    BY_INDEX,
    ENOUGH,
    LAST,
    MOST_TITLES,
    Matches,
    best_matches,
    count_words,
    forms_of,
    read_entries,
    wishes_of,
)
from pipeline.games.matching.normalise import Title
from pipeline.games.matching.records import MOST_CANDIDATES, Candidate, FoundTitle

# No title holds it: what cannot be printed is read as a space.
_BETWEEN = "\x1f"
_STEP = """
    SELECT wish.place, match.igdb_id, match.title, match.kind
    FROM unnest(CAST(:places AS int[]), CAST(:wishes AS text[])) AS wish (place, wishes) CROSS JOIN LATERAL (
        SELECT igdb_id, title, kind FROM game_titles WHERE {condition} ORDER BY {order} LIMIT :most
    ) AS match
"""
_WISHES = "string_to_array(wish.wishes, E'\\x1f')"
_IN_ORDER = 'igdb_id + 0, key COLLATE "C"'
_BY_KEY = text(_STEP.format(condition=f"key = ANY({_WISHES})", order=_IN_ORDER))
_BY_ALL = text(_STEP.format(condition=f"words @> {_WISHES}", order=_IN_ORDER))
_BY_ANY = text(_STEP.format(condition=f"words && {_WISHES}", order=_IN_ORDER))
_BY_FIRST_WORD = text(
    _STEP.format(
        condition=f"words @> {_WISHES} AND key >= wish.wishes AND key < wish.wishes || '{LAST}'", order="key, igdb_id"
    )
)
Wish = tuple[int, Sequence[str]]


def find_for_many(connection: Connection, titles: Sequence[Title]) -> list[list[Candidate]]:
    """Return the candidates of each title, in their order, as `find_candidates` would; nothing is written."""
    matches: list[Matches] = [{} for _ in titles]
    connection.execute(BY_INDEX, {"value": "off"})
    forms = [forms_of(title) for title in titles]
    counts = count_words(connection, (word for some in forms for word in some.words))
    wishes = [wishes_of(some, counts) for some in forms]
    _add(connection, matches, _BY_KEY, ((n, some.keys) for n, some in enumerate(wishes)))
    _add(connection, matches, _BY_ANY, ((n, some.halves) for n, some in enumerate(wishes)))
    _add(connection, matches, _BY_ALL, ((n, words) for n, some in enumerate(wishes) for words in some.ways))
    _add(connection, matches, _BY_ANY, ((n, some.sought) for n, some in enumerate(wishes)))
    _add(connection, matches, _BY_FIRST_WORD, ((n, (word,)) for n, some in enumerate(wishes) for word in some.starts))
    vague = [n for n in range(len(titles)) if len(matches[n]) < ENOUGH]
    _add(connection, matches, _BY_ALL, ((n, pair) for n in vague for pair in wishes[n].pairs))
    connection.execute(BY_INDEX, {"value": "on"})
    return _read(connection, [best_matches(title, some) for title, some in zip(titles, matches, strict=True)])


def find_by_words(connection: Connection, titles: Sequence[Title]) -> list[dict[int, list[FoundTitle]]]:
    """Return the entries with the titles that hold all words of each, where any is spelled as it is; else none.

    They are those that `find_candidates` would find by key, by all words, or beginning with a common word; more than it
    would keep are left out. Nothing is written.
    """
    matches: list[Matches] = [{} for _ in titles]
    forms = [forms_of(title) for title in titles]
    connection.execute(BY_INDEX, {"value": "off"})
    _add(connection, matches, _BY_KEY, ((n, some.keys) for n, some in enumerate(forms)))
    spelled = [n for n, some in enumerate(matches) if some]
    alone = (way[0] for n in spelled for way in forms[n].ways if len(way) == 1)
    counts = count_words(connection, alone)
    wishes = {n: wishes_of(forms[n], counts) for n in spelled}
    _add(connection, matches, _BY_ALL, ((n, words) for n, some in wishes.items() for words in some.ways))
    _add(connection, matches, _BY_FIRST_WORD, ((n, (word,)) for n, some in wishes.items() for word in some.starts))
    connection.execute(BY_INDEX, {"value": "on"})
    return [_by_entry(some) for some in matches]


def _by_entry(matches: Matches) -> dict[int, list[FoundTitle]]:
    titles: dict[int, list[FoundTitle]] = {}
    for (igdb_id, _), match in matches.items():
        titles.setdefault(igdb_id, []).append(match)
    return titles if len(titles) < MOST_CANDIDATES else {}


def _add(connection: Connection, matches: Sequence[Matches], step: TextClause, wishes: Iterable[Wish]) -> None:
    wanted = [(place, _BETWEEN.join(words)) for place, words in wishes if words]
    if not wanted:
        return
    places, joined = zip(*wanted, strict=True)
    values = {"places": list(places), "wishes": list(joined), "most": MOST_TITLES}
    for place, igdb_id, title, kind in connection.execute(step, values).all():
        matches[place][igdb_id, title] = FoundTitle(title, kind)


def _read(connection: Connection, best: Sequence[Mapping[int, Iterable[FoundTitle]]]) -> list[list[Candidate]]:
    entries = read_entries(connection, set().union(*best))
    return [
        [msgspec.structs.replace(entries[key], titles=tuple(some)) for key, some in titles.items() if key in entries]
        for titles in best
    ]
