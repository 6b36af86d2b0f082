"""Hold in memory the titles that those of a long list may mean, with an index of what they are looked for by.

Reading them takes a second or two; then a title's candidates are found in a fraction of a millisecond, while for the
database each of a dozen steps is a search of its own.
"""

from array import array
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from itertools import chain
from sys import intern

from rapidfuzz import fuzz, process
from sqlalchemy import Connection, text

from pipeline.games.matching.candidates import BY_INDEX, ENOUGH, LAST, MOST_TITLES, Wishes, is_common
from pipeline.games.matching.normalise import Title, is_executable
from pipeline.games.matching.records import MOST_CANDIDATES, FoundTitle
from pipeline.games.matching.words import letters_of, without_marks
from pipeline.services.igdb.titles import title_key

_ROWS_AT_ONCE = 5000
# What no title is looked for by: what cannot be printed is read as a space. An array would be read much more slowly.
_BETWEEN = "\x1f"
# Those with any of some words or keys, and the first ones that hold all of some common words, or begin with one; in the
# order in which a step brings the first of many.
_TITLES = text(f"""
    WITH places AS (
        SELECT title.ctid FROM unnest(CAST(:words AS text[])) AS wish (word) CROSS JOIN LATERAL (
            SELECT ctid FROM game_titles WHERE words @> ARRAY[wish.word]
        ) AS title
        UNION SELECT title.ctid FROM unnest(CAST(:keys AS text[])) AS wish (key) CROSS JOIN LATERAL (
            SELECT ctid FROM game_titles WHERE key = wish.key
        ) AS title
        UNION SELECT title.ctid FROM unnest(CAST(:together AS text[])) AS wish (words) CROSS JOIN LATERAL (
            SELECT ctid FROM game_titles WHERE words @> string_to_array(wish.words, E'\\x1f')
            ORDER BY igdb_id + 0, key COLLATE "C" LIMIT :most
        ) AS title
        UNION SELECT title.ctid FROM unnest(CAST(:starts AS text[])) AS wish (word) CROSS JOIN LATERAL (
            SELECT ctid FROM game_titles
            WHERE words @> ARRAY[wish.word] AND key >= wish.word AND key < wish.word || '{LAST}'
            ORDER BY key, igdb_id LIMIT :most
        ) AS title
    )
    SELECT igdb_id, title, kind, key, array_to_string(words, E'\\x1f')
    FROM places JOIN game_titles ON game_titles.ctid = places.ctid
    ORDER BY igdb_id, key COLLATE "C"
""")  # noqa: S608 - the last letter is ours
# The most common words have tens of thousands of places each.
_SETS, _PAIRS, _SEARCHES = 512, 4096, 4096
Place = int


class Catalogue:
    """Titles by their place among the sorted ones, and the places of those that some titles may mean.

    It is as the database was when it was loaded.
    """

    def __init__(self, wishes: Iterable[Wishes], counts: Mapping[str, int]) -> None:
        self._counts = counts
        self._wanted_keys: set[str] = set()
        # What titles are looked for by alone, only together, or only as a beginning, and all of that.
        self._wanted_words: set[str] = set()
        self._together: set[tuple[str, ...]] = set()
        self._starts: set[str] = set()
        self._indexed: set[str] = set()
        for some in wishes:
            self._wanted_keys.update(some.keys)
            self._wanted_words.update(some.halves, some.sought)
            self._starts.update(some.starts)
            for words in (*some.ways, *some.pairs):
                self._indexed.update(words)
                self._want_all(words)
        self._indexed.update(self._wanted_words, self._starts)
        # Of each place the entry, and the number of its title: many entries share one.
        self._ids, self._numbers = array("q"), array("i")
        self._titles: list[FoundTitle] = []
        self._letters: list[str] = []
        self._programs: set[int] = set()
        self._by_key: dict[str, list[Place]] = {}
        self._by_word: dict[str, list[Place]] = {}
        self._set_of = lru_cache(_SETS)(lambda word: frozenset(self._by_word[word]))
        self._both = lru_cache(_PAIRS)(lambda word, other: self._set_of(word) & self._set_of(other))
        self._all_of = lru_cache(_SEARCHES)(self._search_all_of)
        self._first_of = lru_cache(_SEARCHES)(self._search_first_of)

    def _want_all(self, words: Sequence[str]) -> None:
        """Have titles be read that hold all of some words: by one of them that few hold, where there is one."""
        rarest = min(words, key=lambda word: (self._counts.get(word, 0), word))
        if is_common(rarest, self._counts):
            self._together.add(tuple(words))
        else:
            self._wanted_words.add(rarest)

    def load(self, connection: Connection) -> None:
        """Read the titles; nothing is written."""
        numbers_by_kind: defaultdict[str, dict[str, int]] = defaultdict(dict)
        by_word: defaultdict[str, list[Place]] = defaultdict(list)
        wanted_keys, is_wanted = self._wanted_keys, self._indexed.intersection
        asked = {
            "words": sorted(self._wanted_words),
            "keys": sorted(wanted_keys),
            "together": sorted(map(_BETWEEN.join, self._together)),
            "starts": sorted(self._starts),
            "most": MOST_TITLES,
        }
        connection.execute(BY_INDEX, {"value": "off"})
        rows = connection.execute(_TITLES, asked, execution_options={"yield_per": _ROWS_AT_ONCE})
        # A call for each of so many titles would take as long as all that is done here.
        for igdb_id, title, kind, key, words in chain.from_iterable(rows.partitions()):
            numbers = numbers_by_kind[kind]
            if (number := numbers.get(title)) is None:
                number = numbers[title] = self._add_title(title, kind)
            place = len(self._ids)
            self._ids.append(igdb_id)
            self._numbers.append(number)
            if key in wanted_keys:
                self._by_key.setdefault(key, []).append(place)
            for word in is_wanted(words.split(_BETWEEN)):
                by_word[word].append(place)
        self._by_word = dict(by_word)
        connection.execute(BY_INDEX, {"value": "on"})

    def _add_title(self, title: str, kind: str) -> int:
        number = len(self._titles)
        self._titles.append(FoundTitle(title, intern(kind)))
        self._letters.append(letters_of(title))
        if kind == "alternative" and is_executable(title):
            self._programs.add(number)
        return number

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
        places.update(_any_of(self._by_word, wishes.sought), *map(self._first_of, wishes.starts))
        for pair in wishes.pairs if len(places) < ENOUGH else ():
            places.update(self._all_of(pair))
        return places

    def _search_all_of(self, words: Sequence[str]) -> list[Place]:
        """Return the first places of titles that hold all of some words."""
        if any(word not in self._by_word for word in words):
            return []
        rarest, *others = sorted(words, key=lambda word: (len(self._by_word[word]), word))
        places: Iterable[Place] = self._by_word[rarest]
        if others and is_common(rarest, self._counts):
            places = self._both(rarest, others.pop(0))
        for word in others:
            # Only sets of common words are worth keeping: to make one costs more than to look a few places up.
            held = self._set_of(word) if is_common(word, self._counts) else set(self._by_word[word])
            places = held.intersection(places)
        return sorted(places)[:MOST_TITLES]

    def _search_first_of(self, word: str) -> list[Place]:
        """Return the first places of titles that hold a word and begin with it, in the order of their keys."""
        keys = ((title_key(self._titles[self._numbers[place]].text), place) for place in self._by_word.get(word, ()))
        return [place for _, place in sorted(each for each in keys if each[0].startswith(word))[:MOST_TITLES]]

    def _best_entries(self, title: Title, ids: Sequence[int], numbers: Sequence[int]) -> set[int]:
        """Return the entries whose titles look most like the given one, of equals the older.

        A program's file looks like none.
        """
        distinct = set(numbers)
        programs = distinct & self._programs
        if programs:
            shown = [each for each in zip(ids, numbers, strict=True) if each[1] not in programs]
            ids, numbers = [igdb_id for igdb_id, _ in shown], [number for _, number in shown]
        best = set(ids)
        if len(best) <= MOST_CANDIDATES:
            return best
        unlike = self._unlikeness(title, distinct - programs)
        best.clear()
        for _, igdb_id in sorted(zip(map(unlike.__getitem__, numbers), ids, strict=True)):
            best.add(igdb_id)
            if len(best) == MOST_CANDIDATES:
                break
        return best

    def _unlikeness(self, title: Title, numbers: Iterable[int]) -> dict[int, float]:
        """Return how little each title looks like the given one, the likest first: as `best_matches` has it, negated.

        Compared with many at once, the given one is read once.
        """
        wanted, listed = letters_of(without_marks(title.text)), list(numbers)
        spelled = list(map(self._letters.__getitem__, listed))
        ratios, shared = (
            process.extract_iter(wanted, spelled, scorer=scorer) for scorer in (fuzz.ratio, fuzz.token_set_ratio)
        )
        return {
            number: -(ratio + share)
            for number, (_, ratio, _), (_, share, _) in zip(listed, ratios, shared, strict=True)
        }


def _any_of(index: Mapping[str, Sequence[Place]], wishes: Iterable[str]) -> Sequence[Place]:
    """Return the first places under any of some wishes."""
    lists = [index[wish] for wish in wishes if wish in index]
    if len(lists) == 1:
        return lists[0][:MOST_TITLES]
    return sorted(set().union(*lists))[:MOST_TITLES]
