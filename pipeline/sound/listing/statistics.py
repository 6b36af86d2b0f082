"""Adds up the sounds that a person has: how many of which kind, how long, how large, how often played."""

from typing import Any

import msgspec
from sqlalchemy import Connection, func, select

from models import Extraction, Play, Rendition, Sound


class KindStatistics(msgspec.Struct, frozen=True, kw_only=True):
    """Sounds of a kind: `seconds` and `bytes` of the originals, `rendered_bytes` of their renditions, plays of all."""

    kind: str
    sounds: int
    seconds: float
    bytes: int
    rendered: int
    rendered_bytes: int
    missing: int
    plays: int


class Played(msgspec.Struct, frozen=True, kw_only=True):
    """A sound with how often it was played."""

    id: int
    title: str
    plays: int


class SoundStatistics(msgspec.Struct, frozen=True, kw_only=True):
    """What a person has in all, extractions by their state, and the sounds that are played most."""

    kinds: list[KindStatistics]
    extractions: dict[str, int]
    most_played: list[Played]


def load_statistics(connection: Connection, person_id: int, most: int = 5) -> SoundStatistics:
    """Return a person's sounds added up by kind; those that were removed do not count."""
    of_person = (Sound.person_id == person_id, Sound.removed_at.is_(None))
    rendered = (
        select(Rendition.sound_id, func.sum(Rendition.size).label("size"))
        .where(Rendition.state == "ready")
        .group_by(Rendition.sound_id)
        .subquery()
    )
    plays = select(Play.sound_id, func.count().label("count")).group_by(Play.sound_id).subquery()
    kinds = (
        select(
            Sound.kind,
            func.count().label("sounds"),
            func.coalesce(func.sum(Sound.seconds), 0.0).label("seconds"),
            _whole(Sound.size).label("bytes"),
            func.count(rendered.c.sound_id).label("rendered"),
            _whole(rendered.c.size).label("rendered_bytes"),
            func.count(Sound.missing_at).label("missing"),
            _whole(plays.c.count).label("plays"),
        )
        .outerjoin(rendered, rendered.c.sound_id == Sound.id)
        .outerjoin(plays, plays.c.sound_id == Sound.id)
        .where(*of_person)
        .group_by(Sound.kind)
        .order_by(Sound.kind)
    )
    states = select(Extraction.state, func.count()).where(Extraction.person_id == person_id).group_by(Extraction.state)
    played = (
        select(Sound.id, Sound.title, plays.c.count.label("plays"))
        .join(plays, plays.c.sound_id == Sound.id)
        .where(*of_person)
        .order_by(plays.c.count.desc(), Sound.id)
        .limit(most)
    )
    return SoundStatistics(
        kinds=[_kind(row) for row in connection.execute(kinds).mappings()],
        extractions=dict(sorted(connection.execute(states).all())),
        most_played=[Played(**row) for row in connection.execute(played).mappings()],
    )


def _whole(column: Any) -> Any:
    return func.coalesce(func.sum(column), 0)


def _kind(row: Any) -> KindStatistics:
    whole = {name: int(row[name]) for name in ("sounds", "bytes", "rendered", "rendered_bytes", "missing", "plays")}
    return KindStatistics(kind=row["kind"], seconds=float(row["seconds"]), **whole)
