"""Reads what the games of events are to people, as of now."""

from collections.abc import Iterable

from sqlalchemy import BigInteger, Connection, bindparam, func, select, true
from sqlalchemy.dialects.postgresql import ARRAY

from models import Event, Game, PersonWork, Playthrough
from models.words.holdings import Holding

# Of a person, by the number, and an event.
Pair = tuple[int, int]
_FINISHED = ("finished", "mastered")

_asked = (
    func.unnest(bindparam("people", type_=ARRAY(BigInteger)), bindparam("event_ids", type_=ARRAY(BigInteger)))
    .table_valued("person_id", "event_id", name="asked")
    .render_derived()
)
_edition = Game.__table__.alias("edition")
_finish = (
    select(func.max(Playthrough.finished).label("finished"))
    .join(_edition, _edition.c.id == Playthrough.game_id)
    .where(_edition.c.work_id == PersonWork.work_id, Playthrough.person_id == PersonWork.person_id)
    .where(Playthrough.removed_at.is_(None), Playthrough.status.in_(_FINISHED))
    .correlate(PersonWork)
    .lateral("finish")
)
# Made once: that costs as much as asking. What is of a person's library says itself what the game is to them.
_HOLDINGS = (
    select(
        _asked.c.person_id,
        _asked.c.event_id,
        *(PersonWork.words, PersonWork.status, PersonWork.stores, PersonWork.platforms),
        *(PersonWork.seconds, PersonWork.last_played_at),
        _finish.c.finished,
    )
    .join(Event, Event.id == _asked.c.event_id)
    .join(Game, Game.id == Event.game_id)
    .join(PersonWork, (PersonWork.work_id == Game.work_id) & (PersonWork.person_id == _asked.c.person_id))
    .join(_finish, true())
    .where(Event.person_id.is_(None))
)


def load_holdings(connection: Connection, pairs: Iterable[Pair]) -> dict[Pair, Holding]:
    """Return what the games of events are to people, by the numbers of person and event; without what is nothing."""
    asked = sorted(set(pairs))
    if not asked:
        return {}
    values = {"people": [person_id for person_id, _ in asked], "event_ids": [event_id for _, event_id in asked]}
    return {
        (row.person_id, row.event_id): Holding(
            words=tuple(row.words),
            status=row.status,
            stores=tuple(row.stores),
            platforms=tuple(row.platforms),
            seconds=row.seconds,
            last_played_at=row.last_played_at,
            finished=row.finished,
        )
        for row in connection.execute(_HOLDINGS, values)
    }
