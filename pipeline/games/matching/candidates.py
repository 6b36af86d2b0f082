"""Find the entries of the catalogue that a title may mean: by key, by halves of a key, by words, by beginning.

Each step is an index scan of game_titles, and brings a bounded number of them, so that "The Dark Kingdom" costs no more
than a unique name; the titles are sorted by likeness here before more is read of the best.
"""

from collections.abc import Iterable, Mapping
from functools import lru_cache
from itertools import combinations
from typing import Any, NamedTuple

import msgspec
from rapidfuzz import fuzz
from sqlalchemy import ARRAY, BigInteger, Connection, Select, Text, bindparam, func, select, text

from models import GameMetadata, GameTitle
from pipeline.games.matching.normalise import Title, is_executable, keys_of, word_sets
from pipeline.games.matching.records import Candidate, FoundTitle
from pipeline.games.matching.words import without_marks
from pipeline.services.igdb.titles import key_halves, title_words

# How many titles a step may bring, and of how many entries more is read.
MOST_TITLES = 400
MOST_CANDIDATES = 40
# With so many titles found, words that go together are not looked for two by two.
ENOUGH = 150
# A word of more titles than this is looked for only together with another one.
COMMON = 400
MOST_RARE = 4
_WORDS = bindparam("words", type_=ARRAY(Text))
_COLUMNS = (GameTitle.igdb_id, GameTitle.title, GameTitle.kind)
_BY_KEY = select(*_COLUMNS).where(GameTitle.key == func.any(bindparam("keys", type_=ARRAY(Text)))).limit(MOST_TITLES)
_BY_ALL = select(*_COLUMNS).where(GameTitle.words.contains(_WORDS)).limit(MOST_TITLES)
_BY_ANY = select(*_COLUMNS).where(GameTitle.words.overlap(_WORDS)).limit(MOST_TITLES)
_BY_BEGINNING = (
    select(*_COLUMNS)
    .where(GameTitle.key >= bindparam("start"), GameTitle.key < bindparam("end"))
    .order_by(GameTitle.key)
    .limit(MOST_TITLES)
)
# How often words occur, as far as PostgreSQL gathered: those that it does not list are rarer than all that it does.
_ALL_FREQUENCIES = text(
    "SELECT word, frequency * total FROM ("
    " SELECT unnest(most_common_elems::text::text[]) AS word, unnest(most_common_elem_freqs) AS frequency,"
    " (SELECT reltuples FROM pg_class WHERE oid = 'game_titles'::regclass) AS total"
    " FROM pg_stats WHERE schemaname = current_schema() AND tablename = 'game_titles' AND attname = 'words'"
    ") known"
)
_FREQUENCIES = text(f"{_ALL_FREQUENCIES.text} WHERE word = ANY(:words)")
ENTRIES = (
    select(
        GameMetadata.igdb_id,
        GameMetadata.name,
        GameMetadata.game_type,
        GameMetadata.parent_igdb_id,
        GameMetadata.version_parent_igdb_id,
        func.date_part("year", func.timezone("UTC", GameMetadata.first_release_at)).label("year"),
        GameMetadata.platforms,
        func.coalesce(GameMetadata.rating_count, 0).label("rating_count"),
    )
    .where(GameMetadata.igdb_id == func.any(bindparam("ids", type_=ARRAY(BigInteger))))
    .where(GameMetadata.removed_at.is_(None))
)
Matches = dict[tuple[int, str], FoundTitle]


def find_candidates(connection: Connection, title: Title, *, beginnings: bool = False) -> list[Candidate]:
    """Return the entries that a title may mean, the likeliest 40; with `beginnings` also those that only begin so.

    `gathering.find_for_many` finds the same for many titles at once.
    Nothing is written. Raises nothing: no text is too odd to be looked for.
    """
    matches: Matches = {}
    _add(matches, connection, _BY_KEY, keys=list(keys_of(title)))
    if halves := halves_near(title.key):
        _add(matches, connection, _BY_ANY, words=halves)
    _by_words(matches, connection, title)
    if beginnings and title.key:
        _add(matches, connection, _BY_BEGINNING, start=title.key, end=title.key + "\U0010ffff")
    return _read(connection, best_matches(title, matches))


def _add(matches: Matches, connection: Connection, query: Select[int, str, str], **values: object) -> None:
    for igdb_id, title, kind in connection.execute(query, values):
        matches[igdb_id, title] = FoundTitle(title, kind)


def halves_near(key: str) -> list[str]:
    """Return the halves of the keys that differ from this one by a letter: of its length, one more and one less."""
    halves: set[str] = set()
    for length in (len(key) - 1, len(key), len(key) + 1):
        # A title of that length which differs in its second half has the same first one, and the other way round.
        first, second = length // 2, length - length // 2
        halves |= {"<" + key[:first], ">" + key[-second:]} if length > 3 else set()
    # Two letters that changed places across the middle are in both halves.
    middle = len(key) // 2
    if 0 < middle < len(key):
        halves |= set(key_halves(key[: middle - 1] + key[middle] + key[middle - 1] + key[middle + 1 :]))
    return sorted(halves)


def load_frequencies(connection: Connection) -> Mapping[str, float]:
    """Return how often each common word occurs in the catalogue's titles, as far as PostgreSQL gathered."""
    return dict(connection.execute(_ALL_FREQUENCIES).all())


def _by_words(matches: Matches, connection: Connection, title: Title) -> None:
    ways = word_sets(title)
    for words in ways:
        _add(matches, connection, _BY_ALL, words=list(words))
    known = words_of(title)
    if not known:
        return
    ways_of_some = rarest_first(known, dict(connection.execute(_FREQUENCIES, {"words": known}).all()))
    if ways_of_some.sought:
        _add(matches, connection, _BY_ANY, words=ways_of_some.sought)
    if not ways_of_some.are_telling and len(matches) < ENOUGH:
        for pair in ways_of_some.pairs:
            _add(matches, connection, _BY_ALL, words=list(pair))


def words_of(title: Title) -> list[str]:
    """Return all words that a title is looked for by; the catalogue's own: "Dante's" is one, "S.T.A.L.K.E.R." many."""
    return list(dict.fromkeys([*title_words(title.text), *(word for way in word_sets(title) for word in way)]))


class Wishes(NamedTuple):
    """What a title is looked for by: any of some keys or words, or all of some words; `pairs` only if little is found.

    In this order each step brings titles, at most `MOST_TITLES`.
    """

    keys: tuple[str, ...]
    halves: list[str]
    ways: tuple[tuple[str, ...], ...]
    sought: list[str]
    pairs: tuple[tuple[str, ...], ...]


def wishes_of(title: Title, frequencies: Mapping[str, float]) -> Wishes:
    """Return what a title is looked for by, where words occur as often as `load_frequencies` says."""
    words = rarest_first(words_of(title), frequencies)
    pairs = () if words.are_telling else words.pairs
    return Wishes(keys_of(title), halves_near(title.key), word_sets(title), words.sought, pairs)


class SoughtWords(NamedTuple):
    """Words of which one suffices, whether they tell enough by themselves, and pairs that do together."""

    sought: list[str]
    are_telling: bool
    pairs: tuple[tuple[str, str], ...]


def rarest_first(known: Iterable[str], counts: Mapping[str, float]) -> SoughtWords:
    """Return how to look for words that occur so often: each rare one, and the rarest two by two."""
    words = sorted(known, key=lambda word: counts.get(word, 0))
    rare = [word for word in words if counts.get(word, 0) < COMMON][:MOST_RARE]
    sought = rare or (words if len(words) == 1 else [])
    return SoughtWords(sought, len(rare) > 1, tuple(combinations(words[:3], 2)))


def best_matches(title: Title, matches: Matches) -> dict[int, list[FoundTitle]]:
    """Return the entries whose titles look most like the given one, with all their titles that were found."""
    wanted = without_marks(title.text).casefold()
    likeness: dict[int, float] = {}
    for (igdb_id, written), match in matches.items():
        if match.kind == "alternative" and is_executable(written):
            continue
        spelled = written.casefold()
        alike = fuzz.ratio(wanted, spelled) + fuzz.token_set_ratio(wanted, spelled)
        likeness[igdb_id] = max(alike, likeness.get(igdb_id, 0.0))
    best = set(sorted(likeness, key=lambda igdb_id: (-likeness[igdb_id], igdb_id))[:MOST_CANDIDATES])
    titles: dict[int, list[FoundTitle]] = {}
    for (igdb_id, _), match in matches.items():
        if igdb_id in best:
            titles.setdefault(igdb_id, []).append(match)
    return titles


def _read(connection: Connection, titles: Mapping[int, Iterable[FoundTitle]]) -> list[Candidate]:
    entries = read_entries(connection, titles)
    return [msgspec.structs.replace(entry, titles=tuple(titles[igdb_id])) for igdb_id, entry in entries.items()]


def read_entries(connection: Connection, ids: Iterable[int]) -> dict[int, Candidate]:
    """Return what is known of those entries that IGDB still has, by their id, without titles."""
    wanted = sorted(ids)
    rows = connection.execute(ENTRIES, {"ids": wanted}) if wanted else ()
    return {row.igdb_id: _candidate(row) for row in rows}


def _candidate(row: Any) -> Candidate:
    return Candidate(
        igdb_id=row.igdb_id,
        name=row.name,
        titles=(),
        game_type=row.game_type,
        parent_igdb_id=row.parent_igdb_id,
        version_parent_igdb_id=row.version_parent_igdb_id,
        year=None if row.year is None else int(row.year),
        platforms=_platforms(tuple(row.platforms)),
        rating_count=row.rating_count,
    )


@lru_cache(maxsize=4096)
def _platforms(names: tuple[str, ...]) -> tuple[str, ...]:
    """Return equal lists as one: many thousand games run on the same platforms."""
    return names
