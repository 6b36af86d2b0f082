"""Which games are wanted here, why, and when each is asked for again.

A person follows them or has them on a list or in a library (`want`, after `begin_wanting`); or an open campaign or a
live followed channel makes them wanted (`want_what_runs`).
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Literal

import msgspec
from sqlalchemy import BigInteger, Connection, DateTime, bindparam, select, text, update

from models import GameMetadata, Source, WantedGame
from models.due import due
from pipeline.ingest.turn import take_turn

WANTED = "igdb.wanted"
Reason = Literal["follow", "list", "library", "campaign", "channel"]

# Dates move most before a release and settle after it.
DAY, WEEK, MONTH = timedelta(days=1), timedelta(days=7), timedelta(days=30)
FRESH = timedelta(days=365)
JUST_OUT = timedelta(days=14)
# Spread by id, so that games that came together do not come due together for ever.
SPREAD = 0.1

_WANT = text("""
    INSERT INTO wanted_games (igdb_id, reasons, wanted_at, next_due_at)
    SELECT DISTINCT igdb_id, ARRAY[CAST(:reason AS text)], CAST(:now AS timestamptz), CAST(:now AS timestamptz)
    FROM unnest(CAST(:ids AS bigint[])) AS wished (igdb_id)
    ORDER BY igdb_id
    ON CONFLICT (igdb_id) DO UPDATE SET reasons = array_append(wanted_games.reasons, CAST(:reason AS text))
    WHERE NOT wanted_games.reasons @> ARRAY[CAST(:reason AS text)]
    RETURNING wanted_at = CAST(:now AS timestamptz)
""")
_UNWANT = text("""
    UPDATE wanted_games SET reasons = array_remove(reasons, CAST(:reason AS text))
    WHERE igdb_id = ANY(CAST(:ids AS bigint[])) AND reasons @> ARRAY[CAST(:reason AS text)]
""")
_NOT_AMONG = text("""
    SELECT igdb_id FROM wanted_games
    WHERE reasons @> ARRAY[CAST(:reason AS text)] AND NOT igdb_id = ANY(CAST(:ids AS bigint[]))
""")
_FORGET = text("DELETE FROM wanted_games WHERE reasons = '{}'")
# The IGDB ids of games (see pipeline/games/store/links.py); a link that is no number leads nowhere.
_RUNNING: Mapping[Reason, str] = {
    "campaign": """
        SELECT DISTINCT CAST(split_part(link.external_id, '/', 1) AS bigint) FROM game_external_ids AS link
        WHERE link.service = 'igdb' AND link.external_id ~ '^[0-9]{1,18}(/[0-9a-f]+)?$' AND (
            EXISTS (SELECT FROM drop_campaigns AS c
                    WHERE c.game_id = link.game_id AND c.ended_at IS NULL AND c.withdrawn_at IS NULL)
            OR EXISTS (SELECT FROM reward_campaigns AS r WHERE r.game_id = link.game_id AND r.ended_at IS NULL))
    """,
    "channel": """
        SELECT DISTINCT CAST(split_part(link.external_id, '/', 1) AS bigint) FROM stream_sessions AS session
        JOIN game_external_ids AS link ON link.game_id = session.game_id
        WHERE session.ended_at IS NULL AND link.service = 'igdb' AND link.external_id ~ '^[0-9]{1,18}(/[0-9a-f]+)?$'
    """,
}
_NOW = bindparam("now", type_=DateTime(timezone=True))
IS_DUE = due(WantedGame.next_due_at, _NOW, MONTH)
_DUE = (
    select(WantedGame.igdb_id)
    .where(IS_DUE)
    .order_by(WantedGame.next_due_at, WantedGame.igdb_id)
    .limit(bindparam("most", type_=BigInteger))
)
_AGES = select(GameMetadata.igdb_id, GameMetadata.first_release_at, GameMetadata.updated_at, GameMetadata.removed_at)
_NEXT_LOOKS = text("""
    UPDATE wanted_games SET next_due_at = due.at
    FROM unnest(CAST(:ids AS bigint[]), CAST(:times AS timestamptz[])) AS due (igdb_id, at)
    WHERE wanted_games.igdb_id = due.igdb_id
""")


class Age(msgspec.Struct, frozen=True):
    """The times by which we guess how soon a game may change: all None where IGDB does not have it."""

    first_release_at: datetime | None = None
    updated_at: datetime | None = None
    removed_at: datetime | None = None


def begin_wanting(connection: Connection, now: datetime) -> None:
    """Take the turn to store, and make `igdb.wanted` due at once; call it before anything else in the transaction."""
    take_turn(connection)
    connection.execute(update(Source).where(Source.name == WANTED).values(next_due_at=now))


def want(connection: Connection, igdb_ids: Collection[int], reason: Reason, now: datetime) -> int:
    """Want games for a reason, inside the caller's transaction; returns how many were not wanted before.

    Those are asked for within a minute.
    """
    if not igdb_ids:
        return 0
    rows = connection.execute(_WANT, {"ids": sorted(set(igdb_ids)), "reason": reason, "now": now})
    return sum(row[0] for row in rows)


def unwant(connection: Connection, igdb_ids: Collection[int], reason: Reason) -> None:
    """Take a reason away from games; those without another one are kept as they are, and asked for no more."""
    if igdb_ids:
        connection.execute(_UNWANT, {"ids": sorted(set(igdb_ids)), "reason": reason})
        connection.execute(_FORGET)


def want_what_runs(connection: Connection, now: datetime) -> None:
    """Want the games of open campaigns and of live streams; take these reasons away from all other games."""
    for reason, running in _RUNNING.items():
        ids = list(connection.scalars(text(running)))
        want(connection, ids, reason, now)
        unwant(connection, list(connection.scalars(_NOT_AMONG, {"reason": reason, "ids": ids})), reason)


def due_games(connection: Connection, now: datetime, most: int) -> list[int]:
    """Return the wanted games that are due, the longest due first."""
    return list(connection.scalars(_DUE, {"now": now, "most": most}))


def wanted_games(connection: Connection) -> list[int]:
    """Return all wanted games."""
    return list(connection.scalars(select(WantedGame.igdb_id).order_by(WantedGame.igdb_id)))


def note_asked(connection: Connection, igdb_ids: Sequence[int], now: datetime) -> None:
    """Set when to ask again for games that were just asked for."""
    ages = {row[0]: Age(*row[1:]) for row in connection.execute(_AGES.where(GameMetadata.igdb_id.in_(igdb_ids)))}
    times = [next_look(igdb_id, ages.get(igdb_id, Age(removed_at=now)), now) for igdb_id in igdb_ids]
    connection.execute(_NEXT_LOOKS, {"ids": list(igdb_ids), "times": times})


def make_due(connection: Connection, igdb_ids: Collection[int], now: datetime) -> int:
    """Make those of the games due that are wanted; returns how many they are."""
    due = text("UPDATE wanted_games SET next_due_at = :now WHERE igdb_id = ANY(CAST(:ids AS bigint[]))")
    return connection.execute(due, {"ids": list(igdb_ids), "now": now}).rowcount


def next_look(igdb_id: int, age: Age, now: datetime) -> datetime:
    """Return when to ask for a game again: the next day before its release and shortly after, later on less often."""
    if age.removed_at is not None:
        every = MONTH
    elif age.first_release_at is None or age.first_release_at > now - JUST_OUT:
        every = DAY
    elif age.first_release_at > now - FRESH or (age.updated_at is not None and age.updated_at > now - MONTH):
        every = WEEK
    else:
        every = MONTH
    return now + every * (1 - SPREAD * (igdb_id % 97) / 97)
