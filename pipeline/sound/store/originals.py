"""The original of a sound, and what its renditions say of themselves: where it lies, tags, chapters, cover."""

import os
from pathlib import Path

import msgspec
from sqlalchemy import Connection, select

from models import Sound, SoundFile, SoundFolder
from pipeline.sound.media.metadata import Tags
from pipeline.sound.records import Chapter


class Original(msgspec.Struct, frozen=True, kw_only=True):
    """An original's file, None where there is none; `seconds` as far as they are known."""

    path: Path | None
    seconds: float | None
    tags: Tags
    chapters: tuple[Chapter, ...]
    cover: Path | None


def original_of(connection: Connection, sound_id: int, data_dir: Path) -> Original:
    """Return the original of a sound, below the data directory or in a person's own folder."""
    sound = connection.execute(select(Sound.__table__).where(Sound.id == sound_id)).one()
    day = sound.published_at or sound.added_at
    tags = Tags(
        title=sound.title,
        artist=sound.artist,
        album=sound.artist if sound.kind == "episode" else None,
        date=f"{day:%Y-%m-%d}",
        genre="Podcast" if sound.kind == "episode" else None,
        comment=sound.description,
    )
    path = data_dir / sound.original if sound.original is not None else _in_a_folder(connection, sound_id)
    return Original(
        path=None if sound.removed_at is not None else path,
        seconds=sound.seconds,
        tags=tags,
        chapters=tuple(msgspec.convert(sound.chapters, list[Chapter])),
        cover=data_dir / sound.artwork if sound.artwork is not None else None,
    )


def _in_a_folder(connection: Connection, sound_id: int) -> Path | None:
    row = connection.execute(
        select(SoundFolder.path, SoundFile.path.label("name"))
        .join(SoundFile, SoundFile.folder_id == SoundFolder.id)
        .where(SoundFile.sound_id == sound_id, SoundFile.missing_since.is_(None), SoundFolder.removed_at.is_(None))
        .order_by(SoundFile.id)
        .limit(1)
    ).one_or_none()
    return None if row is None else Path(os.fsdecode(row.path)) / os.fsdecode(row.name)
