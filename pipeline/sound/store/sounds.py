"""Sounds: kept by their original's bytes, shown, told apart, let go."""

import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Connection, RowMapping, and_, delete, func, literal, or_, select, text, union_all, update
from sqlalchemy.dialects.postgresql import insert

from models import Extraction, Rendition, Sound, SoundFile, Video
from models.errors import UsageError
from models.people import OWNER_ID
from pipeline.sound.records import Chapter, Muted, SoundKind

_TRANSCRIPTS = text(
    "SELECT transcript ->> 'path' FROM sounds, jsonb_array_elements(transcripts) AS transcript "
    "WHERE transcript ->> 'path' = ANY(:paths)"
)


class NewSound(msgspec.Struct, frozen=True, kw_only=True):
    """A sound about to be kept; `original` is its file below the data directory, None for one of a person's folder."""

    kind: SoundKind
    sha256: bytes
    size: int
    title: str
    seconds: float | None = None
    codec: str | None = None
    original: str | None = None
    service: str | None = None
    external_id: str | None = None
    webpage_url: str | None = None
    artist: str | None = None
    description: str | None = None
    language: str | None = None
    channel_id: int | None = None
    video_id: int | None = None
    published_at: datetime | None = None
    chapters: tuple[Chapter, ...] = ()
    muted: tuple[Muted, ...] | None = None
    person_id: int = OWNER_ID


class Stored(msgspec.Struct, frozen=True):
    """A sound that is kept, and whether its bytes were not known before."""

    id: int
    public_id: str
    is_new: bool


class SoundRow(msgspec.Struct, frozen=True, kw_only=True):
    """A sound as it is stored; `models.sounds.Sound` says what its fields are."""

    id: int
    public_id: str
    person_id: int
    kind: str
    sha256: bytes
    size: int
    seconds: float | None
    codec: str | None
    original: str | None
    service: str | None
    external_id: str | None
    webpage_url: str | None
    title: str
    artist: str | None
    description: str | None
    language: str | None
    tags: list[str]
    aliases: list[str]
    channel_id: int | None
    video_id: int | None
    published_at: datetime | None
    chapters: list[dict[str, Any]]
    muted: list[dict[str, Any]] | None
    transcripts: list[dict[str, Any]]
    artwork: str | None
    added_at: datetime
    missing_at: datetime | None
    removed_at: datetime | None


def keep_sound(connection: Connection, sound: NewSound, now: datetime) -> Stored:
    """Keep a sound. The same bytes are one sound of a person: a further title is an alias, and what was let go is back.

    A service's id goes to the first bytes that came under it; later ones of the same id are a sound without it, unless
    the first was let go: then it is that sound, which is back at its places.
    """
    fields = {name: getattr(sound, name) for name in NewSound.__struct_fields__}
    fields |= {
        "chapters": msgspec.to_builtins(sound.chapters),
        "muted": None if sound.muted is None else msgspec.to_builtins(sound.muted),
    }
    if (again := _let_go_of(connection, sound)) is not None:
        return _replace_bytes(connection, again, fields)
    if sound.external_id is not None and _is_taken(connection, sound):
        fields |= {"service": None, "external_id": None}
    statement = insert(Sound).values(**fields, public_id=str(uuid.uuid4()), added_at=now)
    row = connection.execute(
        statement.on_conflict_do_nothing(index_elements=[Sound.person_id, Sound.sha256]).returning(
            Sound.id, Sound.public_id
        )
    ).one_or_none()
    if row is not None:
        return Stored(row.id, row.public_id, is_new=True)
    is_it = (Sound.sha256 == sound.sha256, Sound.person_id == sound.person_id)
    known = connection.execute(select(Sound).where(*is_it).with_for_update()).mappings().one()
    connection.execute(update(Sound).where(Sound.id == known["id"]).values(_met_again(known, fields)))
    return Stored(known["id"], known["public_id"], is_new=False)


def _let_go_of(connection: Connection, sound: NewSound) -> RowMapping | None:
    """Return the sound of a service's id that its person let go, where its bytes are others by now and nobody's."""
    if sound.external_id is None:
        return None
    is_it = (Sound.person_id == sound.person_id, Sound.service == sound.service)
    known = select(Sound.id).where(Sound.person_id == sound.person_id, Sound.sha256 == sound.sha256)
    let_go = select(Sound.__table__).where(
        *is_it, Sound.external_id == sound.external_id, Sound.removed_at.is_not(None), ~known.exists()
    )
    return connection.execute(let_go.with_for_update()).mappings().one_or_none()


def _replace_bytes(connection: Connection, known: RowMapping, fields: Mapping[str, Any]) -> Stored:
    """Have a sound back with other bytes: its guid, its title, its tags and its places stay."""
    values = {name: fields[name] for name in ("sha256", "size", "seconds", "codec", "original", "muted")}
    values |= {"artwork": None, "transcripts": [], "chapters": fields["chapters"] or known["chapters"]}
    connection.execute(delete(Rendition).where(Rendition.sound_id == known["id"]))
    connection.execute(update(Sound).where(Sound.id == known["id"]).values(_met_again(known, fields) | values))
    return Stored(known["id"], known["public_id"], is_new=False)


def _is_taken(connection: Connection, sound: NewSound) -> bool:
    others = select(Sound.id).where(
        Sound.person_id == sound.person_id,
        Sound.service == sound.service,
        Sound.external_id == sound.external_id,
        Sound.sha256 != sound.sha256,
    )
    return bool(connection.scalar(select(others.exists())))


def _met_again(known: Mapping[Any, Any], fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return what becomes of a sound whose bytes came once more: what it lacked, another title as an alias."""
    values = {name: value for name, value in fields.items() if known[name] is None and value is not None}
    if known["service"] is not None or known["external_id"] is not None:
        values = {name: value for name, value in values.items() if name not in {"service", "external_id"}}
    if not known["chapters"] and fields["chapters"]:
        values["chapters"] = fields["chapters"]
    title = fields["title"]
    if title != known["title"] and title not in known["aliases"]:
        values["aliases"] = [*known["aliases"], title]
    return values | {"removed_at": None, "missing_at": None}


def load_sound(connection: Connection, sound_id: int) -> SoundRow:
    """Return a sound; raises `UsageError` where there is none of this number."""
    columns = [getattr(Sound, name) for name in SoundRow.__struct_fields__]
    row = connection.execute(select(*columns).where(Sound.id == sound_id)).mappings().one_or_none()
    if row is None:
        raise UsageError(f"there is no sound {sound_id}: `lootwire sounds list` lists them")
    return SoundRow(**row)


def sound_by_source(connection: Connection, service: str, external_id: str, *, person_id: int) -> int | None:
    """Return a person's sound of a service's id whose file is here; None without one."""
    sound_id: int | None = connection.scalar(_by_source(service, external_id).where(Sound.person_id == person_id))
    return sound_id


def share_sound(connection: Connection, service: str, external_id: str, person_id: int, now: datetime) -> int | None:
    """Give a person the sound of a service's id that another one has, with its files; None where nobody has it.

    What is rendered of it is rendered for them as well. Tags and what it is on are a person's own.
    """
    of_another = _by_source(service, external_id).where(Sound.original.is_not(None)).with_for_update()
    row = connection.execute(of_another.with_only_columns(Sound.__table__).order_by(Sound.id).limit(1)).mappings()
    shared = row.one_or_none()
    if shared is None:
        return None
    kept = keep_sound(connection, _shared(shared, person_id), now)
    mine = load_sound(connection, kept.id)
    change_sound(
        connection,
        kept.id,
        original=mine.original or shared["original"],
        artwork=mine.artwork or shared["artwork"],
        transcripts=mine.transcripts or shared["transcripts"],
    )
    _share_renditions(connection, shared["id"], kept.id)
    return kept.id


def _shared(sound: Mapping[Any, Any], person_id: int) -> NewSound:
    same = {name: sound[name] for name in NewSound.__struct_fields__}
    chapters = msgspec.convert(sound["chapters"], tuple[Chapter, ...])
    muted = None if sound["muted"] is None else msgspec.convert(sound["muted"], tuple[Muted, ...])
    return NewSound(**(same | {"person_id": person_id, "chapters": chapters, "muted": muted}))


def _share_renditions(connection: Connection, of: int, to: int) -> None:
    own = {"id", "sound_id", "lease_until", "lease_token", "fence"}
    columns = [column for column in Rendition.__table__.c if column.name not in own]
    ready = select(literal(to), *columns).where(Rendition.sound_id == of, Rendition.state == "ready")
    names = ["sound_id", *(column.name for column in columns)]
    connection.execute(insert(Rendition).from_select(names, ready).on_conflict_do_nothing())


def _by_source(service: str, external_id: str) -> Any:
    return select(Sound.id).where(
        Sound.service == service,
        Sound.external_id == external_id,
        Sound.removed_at.is_(None),
        Sound.missing_at.is_(None),
    )


def change_sound(connection: Connection, sound_id: int, **values: Any) -> None:
    """Write columns of a sound."""
    connection.execute(update(Sound).where(Sound.id == sound_id).values(values))


def remove_sounds(connection: Connection, sound_ids: Sequence[int], now: datetime) -> Sequence[int]:
    """Let sounds go: they are on no feed any more, and a sweep frees their files. Returns those that were not yet."""
    if not sound_ids:
        return []
    removed = update(Sound).where(Sound.id.in_(sound_ids), Sound.removed_at.is_(None)).values(removed_at=now)
    return sorted(connection.scalars(removed.returning(Sound.id)))


class Freed(msgspec.Struct, frozen=True):
    """A sound that was let go, with the files that it had, below the data directory."""

    id: int
    paths: tuple[str, ...]


def sounds_to_free(connection: Connection, limit: int = 100) -> Sequence[Freed]:
    """Return sounds that were let go and still name files."""
    has_files = or_(
        Sound.original.is_not(None),
        Sound.artwork.is_not(None),
        func.jsonb_array_length(Sound.transcripts) > 0,
        select(Rendition.id).where(Rendition.sound_id == Sound.id, Rendition.path.is_not(None)).exists(),
    )
    rows = connection.execute(
        select(Sound.id, Sound.original, Sound.artwork, Sound.transcripts)
        .where(Sound.removed_at.is_not(None), has_files)
        .order_by(Sound.id)
        .limit(limit)
    ).all()
    renditions: dict[int, list[str]] = {row.id: [] for row in rows}
    of_sounds = select(Rendition.sound_id, Rendition.path).where(
        Rendition.sound_id.in_(renditions), Rendition.path.is_not(None)
    )
    for sound_id, path in connection.execute(of_sounds):
        renditions[sound_id].append(path or "")
    return [
        Freed(
            row.id,
            tuple(
                path
                for path in (
                    row.original,
                    row.artwork,
                    *(transcript["path"] for transcript in row.transcripts),
                    *renditions[row.id],
                )
                if path
            ),
        )
        for row in rows
    ]


def note_freed(connection: Connection, sound_id: int) -> bool:
    """Note that the files of a sound that was let go are deleted; False where it is wanted again meanwhile.

    The row is locked: call it before the files go, in the transaction that ends when they are gone.
    """
    gone = update(Sound).where(Sound.id == sound_id, Sound.removed_at.is_not(None))
    freed = connection.execute(gone.values(original=None, artwork=None, transcripts=[])).rowcount
    if freed:
        connection.execute(delete(Rendition).where(Rendition.sound_id == sound_id))
    return bool(freed)


def used_bytes(connection: Connection, person_id: int | None = None) -> int:
    """Return how many bytes the originals and renditions take that are here, by their rows: all, or a person's.

    Several people may have the same file: it counts for each of them, and in all once.
    """
    originals = select(Sound.original.label("path"), Sound.size).where(Sound.original.is_not(None))
    rendered = select(Rendition.path, func.coalesce(Rendition.size, 0).label("size")).where(Rendition.path.is_not(None))
    if person_id is not None:
        originals = originals.where(Sound.person_id == person_id)
        rendered = rendered.join(Sound, Sound.id == Rendition.sound_id).where(Sound.person_id == person_id)
    files = union_all(originals, rendered).subquery()
    once = select(files.c.path, func.max(files.c.size).label("size")).group_by(files.c.path).subquery()
    return int(connection.scalar(select(func.coalesce(func.sum(once.c.size), 0))) or 0)


def known_paths(connection: Connection, paths: Sequence[str]) -> set[str]:
    """Return which of some files below the data directory a row names."""
    originals = connection.scalars(select(Sound.original).where(Sound.original.in_(paths)))
    artworks = connection.scalars(select(Sound.artwork).where(Sound.artwork.in_(paths)))
    renditions = connection.scalars(select(Rendition.path).where(Rendition.path.in_(paths)))
    transcripts = connection.scalars(_TRANSCRIPTS, {"paths": list(paths)})
    named = {*originals, *artworks, *renditions, *transcripts}
    return {path for path in paths if path in named}


def take_over_muted(connection: Connection) -> int:
    """Give sounds that are muted nobody knows where what Twitch said of their videos since; returns how many."""
    known = select(Video.muted).where(Video.id == Sound.video_id).scalar_subquery()
    waits = and_(
        Sound.muted.is_(None),
        Sound.removed_at.is_(None),
        Sound.video_id.in_(select(Video.id).where(func.jsonb_array_length(Video.muted) > 0)),
        select(Extraction.id).where(Extraction.sound_id == Sound.id, Extraction.info["is_muted"].as_boolean()).exists(),
    )
    return connection.execute(update(Sound).where(waits).values(muted=known)).rowcount


def is_in_a_folder(connection: Connection, sound_id: int) -> bool:
    """Return whether a file of a person's own folder is this sound."""
    query = select(SoundFile.id).where(SoundFile.sound_id == sound_id, SoundFile.missing_since.is_(None))
    return bool(connection.scalar(select(query.exists())))
