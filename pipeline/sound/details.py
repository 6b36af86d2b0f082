"""What events of sounds show. Pure."""

from collections.abc import Sequence
from datetime import datetime

import msgspec

from models.details import SoundDetail
from models.events import EventKind
from pipeline.events.event import NewEvent
from pipeline.sound.records import Chapter, Muted, Trouble

# A message names fewer; a page has them all.
CHAPTERS_AT_MOST = 50


class Shown(msgspec.Struct, frozen=True, kw_only=True):
    """A sound, or what was to become one, as its events show it."""

    person_id: int
    title: str | None
    url: str | None
    show: str | None = None
    channel: str | None = None
    channel_login: str | None = None
    channel_id: int | None = None
    image_url: str | None = None
    seconds: float | None = None
    chapters: Sequence[Chapter] = ()
    muted: Sequence[Muted] = ()


def ready_event(sound: Shown, public_id: str, now: datetime) -> NewEvent:
    """Return the event of a sound that can be heard; it happens once for a sound, however often it is rendered."""
    return _event(EventKind.SOUND_READY, f"sound/{public_id}", sound, _detail(sound), now)


def failed_event(sound: Shown, extraction_id: int, fence: int, trouble: Trouble, now: datetime) -> NewEvent:
    """Return the event of an extraction that time will not cure; each try that a person asked for has its own."""
    detail = msgspec.structs.replace(
        _detail(sound), error_kind=trouble.kind, reason=trouble.reason, way_out=trouble.way_out
    )
    return _event(EventKind.SOUND_FAILED, f"extraction/{extraction_id}", sound, detail, now, identity=fence)


def expiring_event(
    sound: Shown, public_id: str, show_id: int, expires_at: datetime, now: datetime, reason: str
) -> NewEvent:
    """Return the event that a show will let a sound go at a time."""
    detail = msgspec.structs.replace(_detail(sound), expires_at=expires_at, reason=reason)
    identity = [show_id, expires_at.isoformat()]
    return _event(EventKind.SOUND_EXPIRING, f"sound/{public_id}", sound, detail, now, identity=identity)


def _detail(sound: Shown) -> SoundDetail:
    muted = round(sum(part.seconds for part in sound.muted))
    return SoundDetail(
        name=sound.title,
        url=sound.url,
        show=sound.show,
        channel=sound.channel,
        channel_login=sound.channel_login,
        image_url=sound.image_url,
        seconds=None if sound.seconds is None else round(sound.seconds),
        chapters=tuple(chapter.title for chapter in sound.chapters[:CHAPTERS_AT_MOST]),
        muted_seconds=muted or None,
    )


def _event(
    kind: EventKind,
    subject: str,
    sound: Shown,
    detail: SoundDetail,
    now: datetime,
    identity: object = None,
) -> NewEvent:
    return NewEvent(
        kind=kind,
        subject=subject,
        identity=identity,
        occurred_at=now,
        detail=detail,
        channel_id=sound.channel_id,
        person_id=sound.person_id,
    )
