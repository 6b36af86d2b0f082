"""What commands show of shows: how many episodes they have, and what they wait for."""

from typing import Any

from sqlalchemy import Connection, Integer, cast, func, select

from models import Channel, Episode, Extraction, Game, Show, Sound


def load_shows(connection: Connection, person_id: int) -> list[dict[str, Any]]:
    """Return a person's shows by name, each with what it takes, how many episodes it has, and how many it waits for."""
    kept = Episode.kept_out_at.is_(None)
    counts = (
        select(
            Episode.show_id,
            func.sum(cast(kept & Sound.id.is_not(None), Integer)).label("episodes"),
            func.sum(cast(kept & Extraction.state.in_(["pending", "processing"]), Integer)).label("waiting"),
            func.sum(cast(kept & (Extraction.state == "failed"), Integer)).label("failed"),
            func.max(func.coalesce(Sound.published_at, Sound.added_at)).filter(kept).label("newest_at"),
        )
        .join(Extraction, Extraction.id == Episode.extraction_id)
        .outerjoin(Sound, (Sound.id == Episode.sound_id) & Sound.removed_at.is_(None))
        .group_by(Episode.show_id)
        .subquery()
    )
    query = (
        select(
            Show.__table__,
            func.coalesce(Channel.display_name, Channel.login).label("channel"),
            Game.name.label("game"),
            *(func.coalesce(counts.c[name], 0).label(name) for name in ("episodes", "waiting", "failed")),
            counts.c.newest_at,
        )
        .outerjoin(Channel, Channel.id == Show.channel_id)
        .outerjoin(Game, Game.id == Show.game_id)
        .outerjoin(counts, counts.c.show_id == Show.id)
        .where(Show.person_id == person_id, Show.removed_at.is_(None))
        .order_by(Show.name_key, Show.id)
    )
    left_out = {"name_key", "person_id", "removed_at", "channel_id", "game_id"}
    return [
        {name: int(value) if name in _COUNTS else value for name, value in row.items() if name not in left_out}
        for row in connection.execute(query).mappings()
    ]


_COUNTS = frozenset({"episodes", "waiting", "failed"})
