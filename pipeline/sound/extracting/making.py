"""The stages that make a sound of what was fetched, have it rendered, and publish it."""

from collections import Counter
from datetime import timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import select

from feeds.podcasts.marking import mark_sounds
from models import Rendition
from pipeline.events.append import append_events
from pipeline.sound.details import ready_event
from pipeline.sound.downloading import FetchTroubled
from pipeline.sound.extracting.keeping import digest_of, keep_file, place_of
from pipeline.sound.extracting.working import PutOff, Work
from pipeline.sound.extracting.workspaces import Note, noted_download
from pipeline.sound.media.inspecting import inspect
from pipeline.sound.media.running import MediaFailed
from pipeline.sound.media.saying import Media
from pipeline.sound.records import MediaInfo, Muted, Trouble
from pipeline.sound.rendering.artwork import square_of_picture, square_of_title
from pipeline.sound.rendering.due import render_due
from pipeline.sound.store import renditions
from pipeline.sound.store.charges import settle_extraction
from pipeline.sound.store.episodes import note_sound, shows_wanting
from pipeline.sound.store.extractions import Claimed, begin_stage, complete
from pipeline.sound.store.showing import Recording, recording_of, shown_sound
from pipeline.sound.store.sounds import NewSound, change_sound, keep_sound, load_sound

# Another process renders it.
BUSY_PAUSE = timedelta(seconds=15)
_ARTWORK, _TRANSCRIPTS, _ORIGINALS = "artwork", "transcripts", "originals"


def make_sound(work: Work) -> Claimed | None:
    """Keep what was fetched as a sound: by its bytes, with its picture and transcripts, and wanting its rendition."""
    note, info = noted_download(work.folder), work.claimed.info
    with work.around.engine.begin() as connection:
        if note is None or info is None:
            # The workspace is lost: fetch it again.
            return begin_stage(connection, work.claimed, "probe" if info is None else "download")
    path = work.folder / note.name
    digest = digest_of(path, work.holding.beat)
    media = inspect(work.around.ffmpeg(), path)
    original = place_of(_ORIGINALS, digest, note.extension)
    keep_file(path, work.around.data_dir, original)
    artwork = _keep_artwork(work, note, info, digest)
    transcripts = _keep_transcripts(work, note, digest)
    now, claimed = work.around.clock(), work.claimed
    with work.around.engine.begin() as connection:
        recording = recording_of(connection, claimed, info, media.seconds)
        sound = keep_sound(connection, _new_sound(work, info, media, recording, digest, original), now)
        missing = load_sound(connection, sound.id)
        change_sound(
            connection,
            sound.id,
            original=missing.original or original,
            artwork=missing.artwork or artwork,
            transcripts=missing.transcripts or transcripts,
        )
        renditions.want(connection, [sound.id], claimed.profile, now)
        return begin_stage(connection, claimed, "render", sound_id=sound.id, video_id=recording.video_id)


def _new_sound(
    work: Work, info: MediaInfo, media: Media, recording: Recording, digest: bytes, original: str
) -> NewSound:
    claimed = work.claimed
    return NewSound(
        kind=claimed.kind,
        sha256=digest,
        size=(work.around.data_dir / original).stat().st_size,
        title=info.title,
        seconds=media.seconds if media.seconds is not None else info.seconds,
        codec=media.codec,
        original=original,
        service=info.service,
        external_id=info.external_id,
        webpage_url=info.webpage_url,
        artist=info.artist or info.channel,
        description=info.description,
        language=info.language,
        channel_id=recording.channel_id,
        video_id=recording.video_id,
        published_at=info.published_at or recording.published_at,
        chapters=recording.chapters or info.chapters,
        muted=_muted(info, recording),
        person_id=claimed.person_id,
    )


def _muted(info: MediaInfo, recording: Recording) -> tuple[Muted, ...] | None:
    """Return which parts are silent: what was fetched before Twitch muted it has none, whatever Twitch says later."""
    if info.muted is not None:
        return info.muted
    return recording.muted or None if info.is_muted else ()


def _keep_artwork(work: Work, note: Note, info: MediaInfo, digest: bytes) -> str | None:
    """Keep a square picture of the service's, or of the title; None where ffmpeg can make neither."""
    ffmpeg, to = work.around.ffmpeg(), work.folder / "artwork.jpg"
    work.holding.beat()
    try:
        _square(work, note, to)
    except MediaFailed:
        try:
            square_of_title(ffmpeg, info.title, to)
        except MediaFailed:
            return None
    place = place_of(_ARTWORK, digest, "jpg")
    keep_file(to, work.around.data_dir, place)
    return place


def _square(work: Work, note: Note, to: Path) -> None:
    if note.thumbnail is None:
        raise MediaFailed(Trouble(kind="broken", reason="there is no picture"))
    square_of_picture(work.around.ffmpeg(), work.folder / note.thumbnail, to)


def _keep_transcripts(work: Work, note: Note, digest: bytes) -> list[dict[str, str]]:
    kept = []
    for name, language, kind in note.subtitles:
        if not (work.folder / name).is_file():
            continue
        place = place_of(_TRANSCRIPTS, digest, f"{language}.{kind}")
        keep_file(work.folder / name, work.around.data_dir, place)
        kept.append({"language": language, "format": kind, "path": place})
    return kept


def render_sound(work: Work) -> Claimed | None:
    """Have the sound rendered with the profile that is wanted, where it is not yet."""
    around, claimed = work.around, work.claimed
    row = _rendition(work)
    if row.state in {"pending", "rendering"}:
        render_due(
            around.engine,
            row.id,
            ffmpeg=around.ffmpeg(),
            profiles=around.profiles,
            data_dir=around.data_dir,
            clock=around.clock,
            on_progress=work.holding.beat,
        )
        row = _rendition(work)
    if row.state == "failed":
        raise FetchTroubled(Trouble(kind="broken", reason=row.error or "it cannot be rendered"))
    if row.state != "ready":
        # Another process has it, or it is put off: not before that time.
        raise PutOff(max(BUSY_PAUSE, row.next_due_at - around.clock()) if row.lease_until is None else BUSY_PAUSE)
    with around.engine.begin() as connection:
        return begin_stage(connection, claimed, "publish")


def _rendition(work: Work) -> Any:
    with work.around.engine.begin() as connection:
        columns = (Rendition.id, Rendition.state, Rendition.error, Rendition.next_due_at, Rendition.lease_until)
        is_it = (Rendition.sound_id == work.claimed.sound_id, Rendition.profile == work.claimed.profile)
        row = connection.execute(select(*columns).where(*is_it)).one_or_none()
        if row is None:
            # It was removed meanwhile.
            renditions.want(connection, [work.claimed.sound_id or 0], work.claimed.profile, work.around.clock())
            row = connection.execute(select(*columns).where(*is_it)).one()
        return row


def publish_sound(work: Work) -> Counter[str]:
    """Give the sound to the shows that want it, have feeds written, append its event and complete the extraction."""
    around, claimed = work.around, work.claimed
    sound_id = claimed.sound_id
    if sound_id is None:
        raise FetchTroubled(Trouble(kind="tool", reason="its sound is gone", way_out="`lootwire sounds retry`"))
    now = around.clock()
    with around.engine.begin() as connection:
        note_sound(connection, claimed.id, sound_id)
        complete(connection, claimed, now)
        mark_sounds(connection, [sound_id])
        show = next(iter(shows_wanting(connection, claimed.id)), None)
        sound = load_sound(connection, sound_id)
        shown = shown_sound(connection, sound, url=around.page_of(connection, sound_id), show=show)
        event = ready_event(shown, sound.public_id, now)
        events = append_events(connection, [event], source_id=None, silent=False, now=now)
        settle_extraction(connection, claimed.id, sound.seconds, now)
        return events
