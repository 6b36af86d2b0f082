"""Episodes: the videos that shows take, first as extractions, then as sounds, until they are let go."""

from collections.abc import Sequence
from datetime import datetime

import msgspec
from sqlalchemy import Connection, Update, func, literal_column, or_, select, update
from sqlalchemy.dialects.postgresql import insert

from models import Episode, Extraction, PlaylistSound, Rendition, Show, Sound


class EpisodeRow(msgspec.Struct, frozen=True, kw_only=True):
    """An episode whose sound is here; `size` counts the bytes of its original and its renditions."""

    show_id: int
    extraction_id: int
    sound_id: int
    published_at: datetime
    size: int
    expiring_at: datetime | None


def add_episode(connection: Connection, show_id: int, extraction_id: int, now: datetime) -> bool:
    """Have a show want an extraction; returns whether it did not yet. One that is completed brings its sound along."""
    sound = select(Extraction.sound_id).where(Extraction.id == extraction_id, Extraction.state == "completed")
    statement = insert(Episode).values(
        show_id=show_id, extraction_id=extraction_id, sound_id=sound.scalar_subquery(), added_at=now
    )
    # The number of rows of an insertion is not always known.
    added = connection.scalar(statement.on_conflict_do_nothing().returning(Episode.show_id))
    return added is not None


def note_sound(connection: Connection, extraction_id: int, sound_id: int) -> Sequence[int]:
    """Give the episodes of an extraction their sound; returns the shows."""
    noted = update(Episode).where(Episode.extraction_id == extraction_id).values(sound_id=sound_id)
    return sorted(connection.scalars(noted.returning(Episode.show_id)))


def shows_wanting(connection: Connection, extraction_id: int) -> Sequence[str]:
    """Return the titles of the shows that want an extraction, the oldest first."""
    return connection.scalars(
        select(Show.title)
        .join(Episode, Episode.show_id == Show.id)
        .where(Episode.extraction_id == extraction_id, Show.removed_at.is_(None))
        .order_by(Show.id)
    ).all()


def load_episodes(connection: Connection, show_id: int) -> Sequence[EpisodeRow]:
    """Return the episodes of a show that it has and keeps, the newest first."""
    renditions = (
        select(func.coalesce(func.sum(Rendition.size), 0))
        .where(Rendition.sound_id == Sound.id, Rendition.path.is_not(None))
        .scalar_subquery()
    )
    published_at = func.coalesce(Sound.published_at, Sound.added_at).label("published_at")
    rows = connection.execute(
        select(
            Episode.show_id,
            Episode.extraction_id,
            Episode.sound_id,
            published_at,
            (Sound.size + renditions).label("size"),
            Episode.expiring_at,
        )
        .join(Sound, Sound.id == Episode.sound_id)
        .where(Episode.show_id == show_id, Episode.kept_out_at.is_(None), Sound.removed_at.is_(None))
        .order_by(published_at.desc(), Sound.id.desc())
    ).mappings()
    return [EpisodeRow(**{**row, "size": int(row["size"])}) for row in rows]


def note_expiring(connection: Connection, show_id: int, extraction_id: int, at: datetime | None) -> None:
    """Note when a show will let an episode go; None where it keeps it after all."""
    connection.execute(_of(show_id, extraction_id).values(expiring_at=at))


def keep_out(connection: Connection, show_id: int, extraction_id: int, now: datetime) -> None:
    """Let an episode of a show go."""
    connection.execute(_of(show_id, extraction_id).values(kept_out_at=now))


def unwanted(connection: Connection, sound_ids: Sequence[int]) -> Sequence[int]:
    """Return which of some sounds no show and no playlist has any more."""
    if not sound_ids:
        return []
    kept = (
        select(literal_column("1"))
        .select_from(Episode)
        .join(Show, Show.id == Episode.show_id)
        .where(Episode.sound_id == Sound.id, Episode.kept_out_at.is_(None), Show.removed_at.is_(None))
        .exists()
    )
    listed = select(literal_column("1")).where(PlaylistSound.sound_id == Sound.id).exists()
    return sorted(connection.scalars(select(Sound.id).where(Sound.id.in_(sound_ids), ~or_(kept, listed))))


def _of(show_id: int, extraction_id: int) -> Update:
    return update(Episode).where(Episode.show_id == show_id, Episode.extraction_id == extraction_id)
