"""Hold the titles of the whole catalogue in memory, with an index of what a long list looks for.

Reading them takes a second or two; then a title's candidates are found in a fraction of a millisecond, while for the
database each of a dozen steps is a search of its own.
"""

from array import array
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from itertools import chain, groupby
from operator import itemgetter
from sys import intern

from rapidfuzz import fuzz
from sqlalchemy import Connection, text

from pipeline.games.matching.candidates import ENOUGH, MOST_CANDIDATES, MOST_TITLES, Wishes
from pipeline.games.matching.normalise import Title, is_executable
from pipeline.games.matching.records import FoundTitle
from pipeline.games.matching.words import without_marks

_ROWS_AT_ONCE = 5000
# What no title is looked for by: what cannot be printed is read as a space. An array would be read much more slowly.
_BETWEEN = "\x1f"
_TITLES = text("SELECT igdb_id, title, kind, key, array_to_string(words, E'\\x1f') FROM game_titles")
# A search that stops after so many titles gives the first of the table; a scan may begin anywhere else.
_FROM_THE_FIRST = text("SELECT set_config('synchronize_seqscans', :value, true)")
# The most common words have tens of thousands of places each.
_SETS, _PAIRS, _SEARCHES = 512, 4096, 4096
Place = int


class Catalogue:
    """All titles by their place in the table, and the places of those that some wishes may mean.

    It is as the database was when it was loaded.
    """

    def __init__(self, wishes: Iterable[Wishes]) -> None:
        self._wanted_keys: set[str] = set()
        self._wanted_words: set[str] = set()
        for wish in wishes:
            self._wanted_keys.update(wish.keys)
            self._wanted_words.update(wish.halves, wish.sought, *wish.ways, *wish.pairs)
        # Of each place the entry, and the number of its title: many entries share one.
        self._ids, self._numbers = array("q"), array("i")
        self._titles: list[FoundTitle] = []
        self._programs: set[int] = set()
        self._by_key: dict[str, list[Place]] = {}
        self._by_word: dict[str, list[Place]] = {}
        self._set_of = lru_cache(_SETS)(lambda word: frozenset(self._by_word[word]))
        self._both = lru_cache(_PAIRS)(lambda word, other: self._set_of(word) & self._set_of(other))
        self._all_of = lru_cache(_SEARCHES)(self._search_all_of)

    def load(self, connection: Connection) -> None:
        """Read all titles; nothing is written."""
        connection.execute(_FROM_THE_FIRST, {"value": "off"})
        by_kind: dict[str, dict[str, int]] = {}
        rows = connection.execute(_TITLES, execution_options={"yield_per": _ROWS_AT_ONCE})
        for place, (igdb_id, title, kind, key, words) in enumerate(rows):
            numbers = by_kind.setdefault(kind, {})
            if (number := numbers.get(title)) is None:
                number = numbers[title] = self._add_title(title, kind)
            self._ids.append(igdb_id)
            self._numbers.append(number)
            self._index(place, key, words.split(_BETWEEN))
        connection.execute(_FROM_THE_FIRST, {"value": "on"})

    def _add_title(self, title: str, kind: str) -> int:
        number = len(self._titles)
        self._titles.append(FoundTitle(title, intern(kind)))
        if kind == "alternative" and is_executable(title):
            self._programs.add(number)
        return number

    def _index(self, place: Place, key: str, words: Iterable[str]) -> None:
        if key in self._wanted_keys:
            self._by_key.setdefault(key, []).append(place)
        by_word = self._by_word
        for word in self._wanted_words.intersection(words):
            if word in by_word:
                by_word[word].append(place)
            else:
                by_word[word] = [place]

    def find(self, title: Title, wishes: Wishes) -> dict[int, list[FoundTitle]]:
        """Return the entries that a title may mean with their titles, as `best_matches` of a search's steps would."""
        places = self._places_of(wishes)
        ids, numbers = list(map(self._ids.__getitem__, places)), list(map(self._numbers.__getitem__, places))
        best = self._best_entries(title, ids, numbers)
        titles: dict[int, list[FoundTitle]] = {igdb_id: [] for igdb_id in best}
        for igdb_id, number in zip(ids, numbers, strict=True):
            if igdb_id in best:
                titles[igdb_id].append(self._titles[number])
        return titles

    def _places_of(self, wishes: Wishes) -> set[Place]:
        places = set(_any_of(self._by_key, wishes.keys))
        places.update(_any_of(self._by_word, wishes.halves), *map(self._all_of, wishes.ways))
        places.update(_any_of(self._by_word, wishes.sought))
        for pair in wishes.pairs if len(places) < ENOUGH else ():
            places.update(self._all_of(pair))
        return places

    def _search_all_of(self, words: Sequence[str]) -> list[Place]:
        """Return the first places of titles that hold all of some words."""
        if any(word not in self._by_word for word in words):
            return []
        rarest, *others = sorted(words, key=lambda word: (len(self._by_word[word]), word))
        if not others:
            return self._by_word[rarest][:MOST_TITLES]
        both = self._both(rarest, others[0])
        return sorted(both.intersection(*map(self._set_of, others[1:])) if both else both)[:MOST_TITLES]

    def _best_entries(self, title: Title, ids: Sequence[int], numbers: Sequence[int]) -> set[int]:
        """Return the entries whose titles look most like the given one, of equals the older.

        A program's file looks like none.
        """
        entries: dict[int, list[int]] = {}
        for igdb_id, number in zip(ids, numbers, strict=True):
            if number in entries:
                entries[number].append(igdb_id)
            elif number not in self._programs:
                entries[number] = [igdb_id]
        best = set(chain.from_iterable(entries.values()))
        if len(best) <= MOST_CANDIDATES:
            return best
        best.clear()
        for _, equals in groupby(self._by_likeness(title, entries), key=itemgetter(0)):
            level = {igdb_id for _, number in equals for igdb_id in entries[number]} - best
            best.update(sorted(level)[: MOST_CANDIDATES - len(best)])
            if len(best) == MOST_CANDIDATES:
                break
        return best

    def _by_likeness(self, title: Title, numbers: Iterable[int]) -> list[tuple[float, int]]:
        wanted = without_marks(title.text).casefold()
        spelled = ((self._titles[number].text.casefold(), number) for number in numbers)
        alike = [(fuzz.ratio(wanted, text) + fuzz.token_set_ratio(wanted, text), number) for text, number in spelled]
        return sorted(alike, reverse=True)


def _any_of(index: Mapping[str, Sequence[Place]], wishes: Iterable[str]) -> Sequence[Place]:
    """Return the first places under any of some wishes."""
    lists = [index[wish] for wish in wishes if wish in index]
    if len(lists) == 1:
        return lists[0][:MOST_TITLES]
    return sorted(set().union(*lists))[:MOST_TITLES]
