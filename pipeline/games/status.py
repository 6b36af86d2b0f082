"""The status of IGDB's data here: what is kept and wanted, how far the mirror is, when IGDB was last asked."""

from datetime import datetime

import msgspec
from sqlalchemy import Connection, func, select

from models import GameMetadata, Source, WantedGame
from models.due import due
from models.moments import Moment
from pipeline.games.mirror.state import MIRROR, is_under_way, read_state
from pipeline.games.sources.wanted import IgdbWanted
from pipeline.games.store.wanted import MONTH


class Status(msgspec.Struct, frozen=True, kw_only=True):
    """`games` does not count what is `removed`. `mirror` is `none`, `incomplete` or `complete`."""

    games: int
    removed: int
    wanted: int
    due: int
    mirror: str
    pass_under_way: bool
    pass_listed: int
    pass_total: int | None
    completed_at: Moment | None
    swept_to: Moment | None
    wanted_asked_at: Moment | None
    last_error: str | None


def load_status(connection: Connection, now: datetime) -> Status:
    """Return the status as of now."""
    sources = {
        row["name"]: row
        for row in connection.execute(
            select(*Source.__table__.c).where(Source.name.in_([MIRROR, IgdbWanted.name]))
        ).mappings()
    }
    state = read_state(sources[MIRROR]["cursor"] if MIRROR in sources else {})
    removed = connection.scalar(select(func.count()).where(GameMetadata.removed_at.is_not(None))) or 0
    wanted = select(func.count()).select_from(WantedGame)
    return Status(
        games=(connection.scalar(select(func.count()).select_from(GameMetadata)) or 0) - removed,
        removed=removed,
        wanted=connection.scalar(wanted) or 0,
        due=connection.scalar(wanted.where(due(WantedGame.next_due_at, now, MONTH))) or 0,
        mirror="complete" if state.completed_at else "incomplete" if state.began_at else "none",
        pass_under_way=is_under_way(connection),
        pass_listed=state.listed if state.began_at else 0,
        pass_total=state.total if state.began_at else None,
        completed_at=state.completed_at,
        swept_to=state.swept_to,
        wanted_asked_at=sources[IgdbWanted.name]["last_success_at"] if IgdbWanted.name in sources else None,
        last_error=next((row["last_error"] for row in sources.values() if row["last_error"]), None),
    )
