"""The demo's listener: a show of one streamer's recordings, fetched from this machine, made evenly loud, published.

The recordings are made by ffmpeg when the demo begins; the show is that of `lootwire shows add`; fetching, rendering
and publishing are the real ones.
"""

import importlib.util
import tempfile
import time
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import msgspec
from sqlalchemy import Connection, func, select, update

from models import Channel, Episode, Extraction, Feed, Rendition, Show, Sound, Source, Video
from models.errors import LootwireError
from pipeline.demo.live import RECORDED, RECORDED_SECONDS, RECORDINGS, recording_path
from pipeline.demo.services import DemoServices
from pipeline.programs.sounds import look_for_work
from pipeline.runtime.celery_app import hint, make_app
from pipeline.runtime.runtime import Runtime, utc_now
from pipeline.sound.downloading.fetching import LOOPBACK_PORTS
from pipeline.sound.media.ffmpeg import Ffmpeg, FfmpegMissing, find_ffmpeg
from pipeline.sound.media.running import run
from pipeline.sound.store.extractions import retry_extraction
from pipeline.sound.store.shows import ShowOptions, add_show

SHOW = "Last night at the gate"
_LOOK_SECONDS = 0.5
_LIMIT = timedelta(seconds=60)
# A voice that rises and falls as speech does, and is too quiet by far; cheap to make.
_VOICE = "sine=frequency={pitch}:sample_rate=22050:duration={seconds},tremolo=f=3:d=0.7,volume=-12dB"


class Heard(msgspec.Struct, frozen=True, kw_only=True):
    """What came of the show: its episodes with their chapters, how loud they were and are, and where its podcast is.

    Loudness is in LUFS. `lacking` says why there is none.
    """

    episodes: tuple[str, ...] = ()
    chapters: tuple[str, ...] = ()
    before: float | None = None
    after: float | None = None
    path: str | None = None
    lacking: str | None = None


def prepare(runtime: Runtime, services: DemoServices, now: datetime) -> str | None:
    """Make the recordings and the show, before anything runs; returns why it cannot be, where the group is left out."""
    try:
        ffmpeg = find_ffmpeg(runtime.settings.ffmpeg)
    except FfmpegMissing as missing:
        return str(missing)
    if importlib.util.find_spec("yt_dlp") is None:
        return "the group `sound` is not installed: uv sync --group sound"
    services.recordings.update(_recordings(ffmpeg))
    with runtime.engine.begin() as connection:
        channel_id = connection.scalars(select(Channel.id).where(Channel.login == RECORDED)).one()
        kinds = ShowOptions(kinds=("archive", "highlight"), is_public=True, profile="podcast", author="Coal Tit Sam")
        since = now - timedelta(days=7)
        add_show(connection, SHOW, now=now, channel_id=channel_id, options=kinds, since=since)
    return None


def variables(services: DemoServices) -> Mapping[str, str]:
    """Return the variables by which sounds are fetched from the demo's own server, which is inside of this machine."""
    return {LOOPBACK_PORTS: str(urlsplit(services.base_url).port), "LOOTWIRE_SOUND_PAUSE_SECONDS": "0"}


def listen(runtime: Runtime, is_over: Callable[[], bool]) -> Heard:
    """Wait until the show has both recordings, evenly loud, and its podcast is written; `is_over` ends the patience."""
    hurried: set[int] = set()
    while not _is_ready(runtime):
        if is_over():
            return Heard(lacking=_why_not(runtime))
        now, is_new = utc_now(), False
        _let_twitch_finish(runtime, now)
        look_for_work(runtime, now)
        with runtime.engine.begin() as connection:
            # Somebody who does not wait for the minutes that Twitch needs for an archive: `lootwire sounds retry`.
            waiting = select(Extraction.id).where(Extraction.state == "pending", Extraction.next_due_at > now)
            for extraction_id in set(connection.scalars(waiting)) - hurried:
                retry_extraction(connection, extraction_id, now)
                hurried.add(extraction_id)
                is_new = True
        if is_new:
            # As the tick does that comes every fifteen seconds.
            with make_app(runtime.redis_url) as app:
                hint(app, "sound.due", expires=15)
        time.sleep(_LOOK_SECONDS)
    with runtime.engine.connect() as connection:
        return _heard(connection)


def _recordings(ffmpeg: Ffmpeg) -> Mapping[str, bytes]:
    made = {}
    with tempfile.TemporaryDirectory(prefix="lootwire-") as folder:
        for number, title in enumerate(RECORDINGS):
            file = Path(folder) / f"{number}.m4a"
            source = _VOICE.format(pitch=180 + 60 * number, seconds=RECORDED_SECONDS)
            arguments = ("-f", "lavfi", "-i", source, "-c:a", "aac", "-b:a", "64k", "-movflags", "+faststart", file)
            run(ffmpeg.path, arguments, limit=_LIMIT)
            made[recording_path(title)] = file.read_bytes()
    return made


def _let_twitch_finish(runtime: Runtime, now: datetime) -> None:
    """Have the minutes pass after which an archive is looked for, and the next look at videos come now."""
    with runtime.engine.begin() as connection:
        archive = select(Video.id).where(Video.type == "archive")
        soon = update(Channel).where(Channel.login == RECORDED, Channel.videos_due_at > now, ~archive.exists())
        if connection.execute(soon.values(videos_due_at=now)).rowcount:
            connection.execute(update(Source).where(Source.name == "twitch.videos").values(next_due_at=now))


def _is_ready(runtime: Runtime) -> bool:
    with runtime.engine.connect() as connection:
        ready = connection.scalar(
            select(func.count())
            .select_from(Episode)
            .join(Rendition, Rendition.sound_id == Episode.sound_id)
            .where(Rendition.state == "ready")
        )
        written = select(Feed.id).where(Feed.show_id.is_not(None), Feed.version == Feed.written_version)
        return ready == len(RECORDINGS) and connection.scalar(written) is not None


def _why_not(runtime: Runtime) -> str:
    with runtime.engine.connect() as connection:
        errors = connection.scalars(select(Extraction.error).where(Extraction.error.is_not(None))).all()
        states = connection.scalars(select(Extraction.state)).all()
    return "; ".join(map(str, errors)) or f"its recordings are {', '.join(states) or 'not listed'}"


def _heard(connection: Connection) -> Heard:
    rows = connection.execute(
        select(Sound.title, Sound.chapters, Rendition.integrated_before, Rendition.integrated_after)
        .join(Episode, Episode.sound_id == Sound.id)
        .join(Rendition, Rendition.sound_id == Sound.id)
        .order_by(Sound.published_at, Sound.id)
    ).all()
    path = connection.scalar(select(Feed.path).join(Show, Show.id == Feed.show_id))
    if path is None:
        raise LootwireError("the demo's show has no podcast")
    return Heard(
        episodes=tuple(row.title for row in rows),
        chapters=tuple(chapter["title"] for row in rows for chapter in row.chapters),
        before=rows[-1].integrated_before,
        after=rows[-1].integrated_after,
        path=path,
    )
