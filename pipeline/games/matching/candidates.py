"""Find the entries of the catalogue that a title may mean: by key, by halves of a key, by words, by beginning.

Each step is an index scan of game_titles, and brings a bounded number of them, so that "The Dark Kingdom" costs no more
than a unique name; the titles are sorted by likeness here before more is read of the best.
"""

from collections.abc import Iterable, Mapping
from functools import lru_cache
from itertools import combinations
from typing import NamedTuple

import msgspec
from rapidfuzz import fuzz
from sqlalchemy import ARRAY, BigInteger, Connection, Select, Text, bindparam, func, select, text

from models import GameMetadata, GameTitle
from pipeline.games.matching.normalise import Title, is_executable, keys_of, word_sets
from pipeline.games.matching.records import MOST_CANDIDATES, Candidate, FoundTitle
from pipeline.games.matching.words import letters_of, without_marks
from pipeline.services.igdb.titles import key_halves, title_words

# How many titles a step may bring.
MOST_TITLES = 400
# With so many titles found, words that go together are not looked for two by two.
ENOUGH = 150
# A word of so many titles is looked for only together with another one, and alone only where titles begin with it.
COMMON = 400
MOST_RARE = 4
_WORDS = bindparam("words", type_=ARRAY(Text))
_COLUMNS = (GameTitle.igdb_id, GameTitle.title, GameTitle.kind)
_KEY = GameTitle.key.collate("C")
# Of more titles than a step brings the same ones each time, whichever way PostgreSQL reads them: sorted, since walking
# the primary key may mean to read it all.
_IN_ORDER = (GameTitle.igdb_id + 0, _KEY)
_BY_KEY = (
    select(*_COLUMNS)
    .where(GameTitle.key == func.any(bindparam("keys", type_=ARRAY(Text))))
    .order_by(*_IN_ORDER)
    .limit(MOST_TITLES)
)
_BY_ALL = select(*_COLUMNS).where(GameTitle.words.contains(_WORDS)).order_by(*_IN_ORDER).limit(MOST_TITLES)
_BY_ANY = select(*_COLUMNS).where(GameTitle.words.overlap(_WORDS)).order_by(*_IN_ORDER).limit(MOST_TITLES)
_BY_BEGINNING = (
    select(*_COLUMNS)
    .where(GameTitle.key >= bindparam("start"), GameTitle.key < bindparam("end"))
    .order_by(GameTitle.key, GameTitle.igdb_id)
    .limit(MOST_TITLES)
)
_BY_FIRST_WORD = _BY_BEGINNING.where(GameTitle.words.contains(_WORDS))
# How many titles hold a word, counted no further than `common`. What PostgreSQL's sample holds four times as often is
# common for sure, and costs most to count; so it never depends on the sample what is found.
_COUNTS = text("""
    WITH sampled AS (
        SELECT word FROM (
            SELECT unnest(CAST(CAST(most_common_elems AS text) AS text[])) AS word,
                unnest(most_common_elem_freqs) AS frequency,
                (SELECT reltuples FROM pg_class WHERE oid = CAST('game_titles' AS regclass)) AS total
            FROM pg_stats
            WHERE schemaname = current_schema() AND tablename = 'game_titles' AND attname = 'words'
        ) AS known
        WHERE word = ANY(CAST(:words AS text[])) AND frequency * total >= 4 * :common
    )
    SELECT word, :common FROM sampled
    UNION ALL
    SELECT word, (
        SELECT count(*) FROM (SELECT FROM game_titles WHERE words @> ARRAY[word] LIMIT :common) AS held
    ) FROM unnest(CAST(:words AS text[])) AS word WHERE word NOT IN (SELECT word FROM sampled)
""")
# Guessing that any array holds few rows, PostgreSQL would read the table for each title.
BY_INDEX = text("SELECT set_config('enable_seqscan', :value, true)")
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
# No key holds it, so that all that begin with a text come before the text with it.
LAST = "\U0010ffff"


def find_candidates(connection: Connection, title: Title, *, beginnings: bool = False) -> list[Candidate]:
    """Return the entries that a title may mean, the likeliest 40; with `beginnings` also those that only begin so.

    `gathering.find_for_many` finds the same for many titles at once.
    Nothing is written. Raises nothing: no text is too odd to be looked for.
    """
    matches: Matches = {}
    forms = forms_of(title)
    wishes = wishes_of(forms, count_words(connection, forms.words))
    _add(matches, connection, _BY_KEY, keys=list(wishes.keys))
    if wishes.halves:
        _add(matches, connection, _BY_ANY, words=wishes.halves)
    for words in wishes.ways:
        _add(matches, connection, _BY_ALL, words=list(words))
    if wishes.sought:
        _add(matches, connection, _BY_ANY, words=wishes.sought)
    for start in wishes.starts:
        _add(matches, connection, _BY_FIRST_WORD, words=[start], start=start, end=start + LAST)
    for pair in wishes.pairs if len(matches) < ENOUGH else ():
        _add(matches, connection, _BY_ALL, words=list(pair))
    if beginnings and title.key:
        _add(matches, connection, _BY_BEGINNING, start=title.key, end=title.key + LAST)
    return _read(connection, best_matches(title, matches))


def _add(matches: Matches, connection: Connection, query: Select[int, str, str], **values: object) -> None:
    for igdb_id, title, kind in connection.execute(query, values):
        matches[igdb_id, title] = FoundTitle(title, kind)


def halves_near(key: str, ending: int = 0) -> list[str]:
    """Return the halves of the keys that differ from this one by a letter: of its length, one more and one less.

    None is of the last `ending` letters alone, which say nothing.
    """
    halves: set[str] = set()
    for length in (len(key) - 1, len(key), len(key) + 1):
        # A title of that length which differs in its second half has the same first one, and the other way round.
        first, second = length // 2, length - length // 2
        halves |= {"<" + key[:first], ">" + key[-second:]} if length > 3 else set()
    # Two letters that changed places across the middle are in both halves.
    middle = len(key) // 2
    if 0 < middle < len(key):
        halves |= set(key_halves(key[: middle - 1] + key[middle] + key[middle - 1] + key[middle + 1 :]))
    return sorted(half for half in halves if not half.startswith(">") or len(half) - 1 > ending)


def count_words(connection: Connection, words: Iterable[str]) -> Mapping[str, int]:
    """Return how many of the catalogue's titles hold each word; `COMMON` stands for that many and more."""
    asked = sorted(set(words))
    return dict(connection.execute(_COUNTS, {"words": asked, "common": COMMON}).all()) if asked else {}


class Forms(NamedTuple):
    """The forms of a title that it may be looked for by; `words` are all that are in any of the `ways` to write it.

    Those of the `edition` say which edition or platform it is for, and nothing of the game.
    """

    keys: tuple[str, ...]
    halves: list[str]
    ways: tuple[tuple[str, ...], ...]
    words: list[str]
    edition: frozenset[str]


def forms_of(title: Title) -> Forms:
    """Return what a title may be looked for by; the catalogue's words: "Dante's" is one, "S.T.A.L.K.E.R." many."""
    ways = word_sets(title)
    words = list(dict.fromkeys([*title_words(title.text), *(word for way in ways for word in way)]))
    edition = frozenset(title.words).difference(title.base)
    ending = sum(len(word) for word in title.words if word in edition)
    return Forms(keys_of(title), halves_near(title.key, ending), ways, words, edition)


class Wishes(NamedTuple):
    """What a title is looked for by: any of some keys or words, all of some words, or a first word.

    In this order each step brings titles, at most `MOST_TITLES`; `pairs` only if little was found before.
    """

    keys: tuple[str, ...]
    halves: list[str]
    ways: tuple[tuple[str, ...], ...]
    sought: list[str]
    starts: tuple[str, ...]
    pairs: tuple[tuple[str, ...], ...]


def wishes_of(forms: Forms, counts: Mapping[str, int]) -> Wishes:
    """Return what a title is looked for by, where so many titles hold each word, as `count_words` says."""
    words = rarest_first(forms.words, counts, forms.edition)
    alone = [way[0] for way in (*forms.ways, forms.words) if len(way) == 1]
    return Wishes(
        keys=forms.keys,
        halves=forms.halves,
        ways=tuple(way for way in forms.ways if len(way) > 1 or not is_common(way[0], counts)),
        sought=words.sought,
        starts=tuple(dict.fromkeys(word for word in alone if is_common(word, counts))),
        pairs=() if words.are_telling else words.pairs,
    )


def is_common(word: str, counts: Mapping[str, int]) -> bool:
    """Return whether too many titles hold a word to look for it alone."""
    return counts.get(word, 0) >= COMMON


class SoughtWords(NamedTuple):
    """Words of which one suffices, whether they tell enough by themselves, and pairs that do together."""

    sought: list[str]
    are_telling: bool
    pairs: tuple[tuple[str, str], ...]


def rarest_first(known: Iterable[str], counts: Mapping[str, int], edition: frozenset[str]) -> SoughtWords:
    """Return how to look for words that so many titles hold: each rare one, and the rarest two by two.

    Of common words the longer one counts as the rarer one. Those of an edition are paired only where a title has hardly
    any other: thousands have "Definitive Edition" in common.
    """
    words = sorted(known, key=lambda word: (min(counts.get(word, 0), COMMON), -len(word), word))
    rare = [word for word in words if not is_common(word, counts)][:MOST_RARE]
    telling = [word for word in words if word not in edition]
    foremost = telling[:2] if edition and len(telling) > 1 else words[:3]
    pairs = tuple(pair for pair in combinations(foremost, 2) if not edition.issuperset(pair))
    return SoughtWords(rare, len(rare) > 1, pairs)


def best_matches(title: Title, matches: Matches) -> dict[int, list[FoundTitle]]:
    """Return the entries whose titles look most like the given one, with all their titles that were found."""
    wanted = letters_of(without_marks(title.text))
    likeness: dict[int, float] = {}
    for (igdb_id, written), match in matches.items():
        if match.kind == "alternative" and is_executable(written):
            continue
        spelled = letters_of(written)
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
    return {row[0]: _candidate(*row) for row in rows}


def _candidate(
    igdb_id: int,
    name: str,
    game_type: int | None,
    parent_igdb_id: int | None,
    version_parent_igdb_id: int | None,
    year: float | None,
    platforms: list[str],
    rating_count: int,
) -> Candidate:
    return Candidate(
        igdb_id=igdb_id,
        name=name,
        titles=(),
        game_type=game_type,
        parent_igdb_id=parent_igdb_id,
        version_parent_igdb_id=version_parent_igdb_id,
        year=None if year is None else int(year),
        platforms=_platforms(tuple(platforms)),
        rating_count=rating_count,
    )


@lru_cache(maxsize=4096)
def _platforms(names: tuple[str, ...]) -> tuple[str, ...]:
    """Return equal lists as one: many thousand games run on the same platforms."""
    return names
