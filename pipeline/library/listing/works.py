"""What a person's library is, work by work: as `library list`, statistics, exports and pages read it."""

# ruff: noqa: S608 - statements are put together of our own parts, and values are parameters.

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Literal

import msgspec
from sqlalchemy import Connection, TextClause, text

from models.names import name_key

Order = Literal["name", "hours", "rating", "last-played", "added"]

# A work is of a library where it is anything to its person, or they rated, noted or tagged it. What they forgot keeps
# that, and says so by a status that is nobody's but theirs (pipeline/library/journal/entries.py: forget_work).
# As one text of JSON: twenty thousand rows with six lists each would take the driver three times as long.
_OF_PERSON = """
    WITH entries AS (
        SELECT games.work_id, min(entry.first_seen_at) AS added_at, bool_and(entry.hidden_at IS NOT NULL) AS is_hidden,
            bool_or(entry.last_seen_at IS NULL) AS is_listed
        FROM library_entries AS entry JOIN games ON games.id = entry.game_id
        WHERE entry.person_id = :person AND entry.removed_at IS NULL
            AND (CAST(:work AS bigint) IS NULL OR games.work_id = :work)
        GROUP BY games.work_id
    ), played AS (
        SELECT games.work_id, count(*) AS playthroughs,
            max(through.finished) FILTER (WHERE through.status <> 'abandoned') AS finished,
            count(*) FILTER (WHERE through.status IN ('finished', 'mastered')
                OR (through.finished IS NOT NULL AND through.status <> 'abandoned')) AS finishes,
            min(through.created_at) AS added_at,
            (array_agg(through.rating ORDER BY through.id DESC) FILTER (WHERE through.rating IS NOT NULL))[1] AS rating,
            (array_agg(through.rating_scale ORDER BY through.id DESC) FILTER (WHERE through.rating IS NOT NULL))[1]
                AS rating_scale
        FROM playthroughs AS through JOIN games ON games.id = through.game_id
        WHERE through.person_id = :person AND through.removed_at IS NULL
            AND (CAST(:work AS bigint) IS NULL OR games.work_id = :work)
        GROUP BY games.work_id
    ), states AS (
        SELECT * FROM game_states WHERE person_id = :person AND (CAST(:work AS bigint) IS NULL OR work_id = :work)
            AND NOT (status IS NULL AND set_by ? 'status')
    ), listed AS (
        SELECT work_id FROM entries WHERE is_listed UNION SELECT work_id FROM played
        UNION SELECT work_id FROM states WHERE status IS NOT NULL OR rating IS NOT NULL OR notes IS NOT NULL
            OR is_favourite OR tags <> '{}'
    ), every AS (
    SELECT work.id AS work_id, coalesce(state.name, work.name) AS name, work.root_igdb_id AS igdb_id,
        coalesce(state.year, CAST(extract(year FROM entry.first_release_at) AS integer)) AS year,
        coalesce(state.series, work.series) AS series, coalesce(state.genres, entry.genres, '{}') AS genres,
        coalesce(person_work.words, '{}') AS words, person_work.status, coalesce(person_work.stores, '{}') AS stores,
        coalesce(person_work.platforms, '{}') AS platforms, person_work.seconds, person_work.last_played_at,
        coalesce(state.rating, played.rating) AS rating,
        CASE WHEN state.rating IS NULL THEN played.rating_scale ELSE state.rating_scale END AS rating_scale,
        coalesce(state.is_favourite, false) AS is_favourite, coalesce(state.tags, '{}') AS tags,
        coalesce(entries.added_at, played.added_at, state.updated_at) AS added_at,
        coalesce(played.playthroughs, 0) AS playthroughs, coalesce(played.finishes, 0) AS finishes, played.finished,
        coalesce(entries.is_hidden, false) AS is_hidden, state.notes, coalesce(state.cover_url, entry.cover_id) AS cover
    FROM listed JOIN works AS work ON work.id = listed.work_id
    LEFT JOIN entries ON entries.work_id = work.id
    LEFT JOIN played ON played.work_id = work.id
    LEFT JOIN states AS state ON state.work_id = work.id
    LEFT JOIN person_works AS person_work ON person_work.work_id = work.id AND person_work.person_id = :person
    LEFT JOIN game_metadata AS entry ON entry.igdb_id = work.root_igdb_id
    )
"""
_WORKS = text(f"""{_OF_PERSON}
    SELECT CAST(json_agg(row_to_json(each)) AS text) FROM (SELECT * FROM every ORDER BY work_id) AS each
""")
# `rank` and `called` are what a page is in the order of, so that it can begin behind any work of the one before.
_CHOSEN = text(f"""{_OF_PERSON}, wished AS (
        SELECT every.*, lower(name) COLLATE "C" AS called, CASE :order
                WHEN 'hours' THEN -CAST(coalesce(seconds, 0) AS double precision)
                WHEN 'rating' THEN -CAST(coalesce(rating, -1) AS double precision)
                WHEN 'last-played' THEN -CAST(coalesce(extract(epoch FROM last_played_at), -1e12) AS double precision)
                WHEN 'added' THEN -CAST(coalesce(extract(epoch FROM added_at), -1e12) AS double precision)
                ELSE 0 END AS rank
        FROM every
        WHERE is_hidden = :hidden
            AND (CAST(:statuses AS text[]) IS NULL OR status = ANY(CAST(:statuses AS text[]))
                OR words && CAST(:statuses AS text[]))
            AND (CAST(:stores AS text[]) IS NULL OR stores && CAST(:stores AS text[]))
            AND (CAST(:platforms AS text[]) IS NULL OR platforms && CAST(:platforms AS text[]))
            AND (CAST(:tags AS text[]) IS NULL OR tags && CAST(:tags AS text[]))
            AND (CAST(:series AS text[]) IS NULL OR series = ANY(CAST(:series AS text[])))
            AND (NOT :favourites OR is_favourite)
            AND (NOT :never_played OR ('owned' = ANY(words) AND coalesce(seconds, 0) = 0 AND last_played_at IS NULL
                AND playthroughs = 0))
    )
    SELECT CAST(json_agg(row_to_json(each)) AS text) FROM (
        SELECT * FROM wished
        WHERE CAST(:work_after AS bigint) IS NULL OR (rank, called, work_id)
            > (CAST(:rank AS double precision), CAST(:called AS text) COLLATE "C", CAST(:work_after AS bigint))
        ORDER BY rank, called, work_id
        LIMIT :limit
    ) AS each
""")
# What of a library is called by names that a person may spell otherwise.
_PLATFORMS = text("SELECT DISTINCT unnest(platforms) FROM person_works WHERE person_id = :person")
_TAGS = text("SELECT DISTINCT unnest(tags) FROM game_states WHERE person_id = :person")
_SERIES = text("""
    SELECT works.series FROM works JOIN person_works AS mine ON mine.work_id = works.id WHERE mine.person_id = :person
    UNION SELECT works.series FROM works JOIN game_states AS mine ON mine.work_id = works.id
        WHERE mine.person_id = :person
    UNION SELECT series FROM game_states WHERE person_id = :person
""")


class ListedWork(msgspec.Struct, frozen=True):
    """A work of a person's library; times are UTC, `seconds` how long it was played, a rating goes from 0 to 100.

    `words` are those of `pipeline.library.standing`; `status` is what the person says, or what follows where they say
    nothing. `finished` is the last end that is known, as `models.periods` writes it. Name, year, genres and series are
    the person's where they set them, and else IGDB's. `cover` is an address, or a picture's name at IGDB.
    """

    work_id: int
    name: str
    igdb_id: int | None
    year: int | None
    series: str | None
    genres: list[str]
    words: list[str]
    status: str | None
    stores: list[str]
    platforms: list[str]
    seconds: int | None
    last_played_at: datetime | None
    rating: float | None
    rating_scale: int | None
    is_favourite: bool
    tags: list[str]
    added_at: datetime | None
    playthroughs: int
    finishes: int
    finished: str | None
    is_hidden: bool
    notes: str | None
    cover: str | None

    @property
    def is_owned(self) -> bool:
        """Whether the person has it, in a shop or on a shelf."""
        return "owned" in self.words

    @property
    def is_never_played(self) -> bool:
        """Whether nothing says that the person ever played what they have."""
        return self.is_owned and not self.seconds and self.last_played_at is None and not self.playthroughs


_DECODER = msgspec.json.Decoder(list[ListedWork])


class Filter(msgspec.Struct, frozen=True, kw_only=True):
    """Which works of a library are asked for: all that fit each condition, any of its values; empty ones fit all.

    A status is also a word such as `wished` or `owned`. Names of platforms, tags and series are compared without case
    and signs.
    """

    statuses: tuple[str, ...] = ()
    platforms: tuple[str, ...] = ()
    stores: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    series: str | None = None
    never_played: bool = False
    favourites: bool = False
    hidden: bool = False


def load_works(connection: Connection, person_id: int, work_id: int | None = None) -> list[ListedWork]:
    """Return the works of a person's library, hidden ones too, or one of them."""
    listed = connection.scalar(_WORKS, {"person": person_id, "work": work_id})
    return [] if listed is None else _DECODER.decode(listed)


class WorkKey(msgspec.Struct, frozen=True):
    """Where a work stands in an order: by `rank`, then by its name in small letters, then by its number."""

    rank: float
    called: str
    work_id: int


_KEY_DECODER = msgspec.json.Decoder(list[WorkKey])


def choose_works(
    connection: Connection,
    person_id: int,
    wish: Filter,
    order: Order = "name",
    *,
    after: WorkKey | None = None,
    limit: int | None = None,
) -> list[tuple[WorkKey, ListedWork]]:
    """Return the works of a person's library that fit a filter, each with its place; hidden ones if they are wished.

    They are by name, or the most played, the best, the last played or the newest first; behind a place, where that is
    given, and so many at most.
    """
    parameters = {
        "person": person_id,
        "work": None,
        "order": order,
        "hidden": wish.hidden,
        "favourites": wish.favourites,
        "never_played": wish.never_played,
        "statuses": list(wish.statuses) or None,
        "stores": list(wish.stores) or None,
        "platforms": _alike(connection, _PLATFORMS, person_id, wish.platforms, name_key),
        "tags": _alike(connection, _TAGS, person_id, wish.tags, str.casefold),
        "series": _alike(connection, _SERIES, person_id, () if wish.series is None else (wish.series,), name_key),
        "rank": after and after.rank,
        "called": after and after.called,
        "work_after": after and after.work_id,
        "limit": limit,
    }
    chosen = connection.scalar(_CHOSEN, parameters)
    return [] if chosen is None else list(zip(_KEY_DECODER.decode(chosen), _DECODER.decode(chosen), strict=True))


def _alike(
    connection: Connection, query: TextClause, person_id: int, names: Sequence[str], key: Callable[[str], str]
) -> list[str] | None:
    """Return what a library has that is called by one of these names; None without any."""
    if not names:
        return None
    keys = {key(name) for name in names}
    return [name for name in connection.scalars(query, {"person": person_id}) if name and key(name) in keys]
