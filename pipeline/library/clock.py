"""Keep what works are to people up to date where no write of theirs does: as time passes, and as games change works."""

from collections import defaultdict
from datetime import datetime

from sqlalchemy import Connection, Engine, exists, select, text

from models import PersonWork
from pipeline.games.store.wanted import begin_wanting
from pipeline.ingest.turn import take_turn
from pipeline.library.store.person_works import renew, renew_due, renew_wanted

# The rows that there should be: an entry, a playthrough or a status makes one, as `standing_of` says.
_DISAGREE = text("""
    WITH expected AS (
        SELECT entry.person_id, games.work_id FROM library_entries AS entry JOIN games ON games.id = entry.game_id
        WHERE entry.removed_at IS NULL AND entry.hidden_at IS NULL AND entry.last_seen_at IS NULL AND (
            entry.ownership IN ('owned', 'subscription', 'shared', 'wished') OR entry.playtime_seconds > 0)
        UNION SELECT through.person_id, games.work_id FROM playthroughs AS through
            JOIN games ON games.id = through.game_id
        WHERE through.removed_at IS NULL
        UNION SELECT person_id, work_id FROM game_states WHERE status IS NOT NULL
    ), present AS (SELECT person_id, work_id FROM person_works)
    (SELECT * FROM expected WHERE work_id IS NOT NULL EXCEPT SELECT * FROM present)
    UNION ALL
    (SELECT * FROM present WHERE NOT EXISTS (SELECT FROM games WHERE games.work_id = present.work_id)
        EXCEPT SELECT * FROM expected)
    ORDER BY person_id, work_id LIMIT 20000
""")


def advance(engine: Engine, now: datetime) -> int:
    """Renew what works are to people where time alone has changed it, or a game belongs to another work now.

    Returns how many rows that were. Safe to call twice, and late; where nothing is due nobody waits for a turn.
    """
    with engine.connect() as connection:
        if not _is_any_due(connection, now):
            return 0
    with engine.begin() as connection:
        take_turn(connection)
        count = renew_due(connection, now)
        by_person: defaultdict[int, list[int]] = defaultdict(list)
        for person_id, work_id in connection.execute(_DISAGREE):
            by_person[person_id].append(work_id)
        for person_id, work_ids in by_person.items():
            renew(connection, person_id, work_ids, now)
        if renew_wanted(connection, now):
            begin_wanting(connection, now)
        return count + sum(map(len, by_person.values()))


def _is_any_due(connection: Connection, now: datetime) -> bool:
    due = select(exists(select(PersonWork.work_id).where(PersonWork.changes_at <= now)))
    return bool(connection.scalar(due)) or connection.execute(_DISAGREE).first() is not None
