"""Finds what shows want: videos of their channels, clips, and what their addresses list.

A video that a channel published is looked for in the rows that `channels` stores: no message can be lost on the way.
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, and_, func, or_, select

from models import Channel, Episode, Extraction, GameExternalId, Show, StreamSegment, StreamSession, Video
from models.errors import LootwireError
from pipeline.fetch.http import Client
from pipeline.services.twitch.helix import Helix
from pipeline.services.twitch.records import ClipRecord
from pipeline.sound.downloading import Entry, FetchTroubled, Job, Limits, Listing, probe
from pipeline.sound.downloading.updating import newest
from pipeline.sound.following.wanting import Wish, wants_clip, wants_entry
from pipeline.sound.records import MediaInfo
from pipeline.sound.store.episodes import add_episode
from pipeline.sound.store.extractions import add_extraction
from pipeline.sound.store.hosts import host_of, let_rest, note_fetched, take_turn
from pipeline.sound.store.shows import ShowRow, change_show, claim_list, due_lists

logger = logging.getLogger(__name__)
SERVICE = "twitch"
# Twitch needs some minutes to finish an archive; muting begins a quarter of an hour after the end.
AFTER_THE_END = timedelta(minutes=3)
# Twitch keeps archives for so long at least; partners have 60 days (https://help.twitch.tv, "Video on Demand").
KEPT_FOR = timedelta(days=7)
# A list's newest entries; older ones were seen at an earlier look.
ENTRIES = 50
CLIPS = 100
# Twitch lists clips by views, with a delay: each look asks for those of two days.
CLIPS_OF = timedelta(days=2)
# While its host rests or is busy, a list waits so long.
BUSY_PAUSE = timedelta(minutes=2)


@dataclass(frozen=True)
class Listed:
    """What a look at a show brought: how many sounds it wants from now on, or what was wrong."""

    show: str
    wanted: int = 0
    problem: str | None = None


def want_videos(connection: Connection, now: datetime) -> int:
    """Have the videos fetched that shows want and have no extraction of; returns how many.

    Of a video that another show of the same person has, or that they added by its address, there is no second
    extraction.
    """
    rows = connection.execute(_wanted(now)).all()
    for row in rows:
        added = add_extraction(
            connection,
            row.url,
            now=now,
            person_id=row.person_id,
            kind="episode",
            profile=row.profile,
            service=SERVICE,
            external_id=row.external_id,
            video_id=row.id,
            title=row.title,
            expires_at=row.published_at + KEPT_FOR if row.type == "archive" else None,
            due_at=now + AFTER_THE_END if row.type == "archive" and row.first_seen_at > now - AFTER_THE_END else now,
        )
        add_episode(connection, row.show_id, added.id, now)
    return len(rows)


def _wanted(now: datetime) -> Any:
    has_it = (
        select(Episode.show_id)
        .join(Extraction, Extraction.id == Episode.extraction_id)
        .where(Episode.show_id == Show.id, Extraction.service == SERVICE, Extraction.external_id == Video.external_id)
    )
    played = (
        select(StreamSegment.session_id)
        .join(StreamSession, StreamSession.id == StreamSegment.session_id)
        .where(
            StreamSession.channel_id == Video.channel_id,
            StreamSession.stream_id == Video.stream_id,
            StreamSegment.game_id == Show.game_id,
        )
    )
    return (
        select(
            Video.id,
            Video.external_id,
            Video.url,
            Video.title,
            Video.type,
            Video.published_at,
            Video.first_seen_at,
            Show.id.label("show_id"),
            Show.person_id,
            Show.profile,
        )
        .join(Channel, and_(Channel.id == Video.channel_id, Channel.service == SERVICE))
        .join(Show, Show.channel_id == Video.channel_id)
        .where(
            Show.removed_at.is_(None),
            Video.type == func.any(Show.kinds),
            # When it was first seen counts as well: an archive is published, as Twitch says it, when its stream begins.
            or_(Video.published_at >= Show.since, Video.first_seen_at >= Show.since),
            Video.published_at >= Show.since - timedelta(days=2),
            or_(Show.title_has.is_(None), func.strpos(func.lower(Video.title), func.lower(Show.title_has)) > 0),
            or_(Show.longer_than.is_(None), Video.seconds >= Show.longer_than),
            or_(Show.game_id.is_(None), played.exists()),
            or_(Show.keep_days.is_(None), Video.published_at > now - func.make_interval(0, 0, 0, Show.keep_days)),
            ~has_it.exists(),
        )
        .order_by(Video.published_at, Show.id)
    )


def look_at_lists(
    engine: Engine,
    data_dir: Path,
    clock: Callable[[], datetime],
    *,
    pause: timedelta,
    open_helix: Callable[[Client], Helix] | None = None,
    limits: Limits = Limits(),  # noqa: B008 - it is frozen
    is_stopping: Callable[[], bool] = lambda: False,
) -> Sequence[Listed]:
    """Ask for the lists that are due: addresses of shows, and clips of their channels; returns what each brought.

    A list is asked for as a download is: one at a time of a host, with pauses, and not while it rests.
    """
    with engine.connect() as connection:
        due = due_lists(connection, clock())
    looked = []
    for show_id in due:
        if is_stopping():
            break
        with engine.begin() as connection:
            show = claim_list(connection, show_id, clock())
            if show is None:
                continue
            if show.url is not None and not take_turn(connection, host_of(show.url), clock(), pause=pause):
                change_show(connection, show.id, next_due_at=clock() + BUSY_PAUSE)
                continue
        if show.url is not None:
            looked.append(_look_at_address(engine, data_dir, show, show.url, clock, limits))
        elif open_helix is None:
            looked.append(_note(engine, show, Listed(show.name, problem="clips need TWITCH_CLIENT_ID and its secret")))
        else:
            looked.append(_look_at_clips(engine, show, clock, open_helix))
    return looked


def _look_at_address(
    engine: Engine, data_dir: Path, show: ShowRow, url: str, clock: Callable[[], datetime], limits: Limits
) -> Listed:
    extractors = newest(data_dir)
    folder = data_dir / "sounds" / "work" / f"show-{show.id}"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    job = Job(
        url=url,
        workspace=folder,
        extractors=None if extractors is None else extractors.folder,
        limits=limits,
        entries=ENTRIES,
    )
    host = host_of(url)
    try:
        answer = probe(job)
    except FetchTroubled as error:
        with engine.begin() as connection:
            if error.trouble.kind == "rate":
                wait = None if error.trouble.retry_after is None else timedelta(seconds=error.trouble.retry_after)
                let_rest(connection, host, clock(), reason=error.trouble.reason, retry_after=wait)
        return _note(engine, show, Listed(show.name, problem=error.trouble.reason))
    if not isinstance(answer, Listing):
        entry = Entry(
            service=answer.service, external_id=answer.external_id, url=answer.webpage_url or url, title=answer.title
        )
        answer = Listing(title=answer.title, service=answer.service, entries=(entry,))
    now = clock()
    with engine.begin() as connection:
        note_fetched(connection, host, now, works=True)
        wanted = [entry for entry in answer.entries if wants_entry(_wish(show), entry)]
        count = sum(_want(connection, show, entry, now) for entry in wanted)
    return _note(engine, show, Listed(show.name, wanted=count))


def _want(connection: Connection, show: ShowRow, entry: Entry, now: datetime) -> bool:
    is_it = and_(Extraction.service == entry.service, Extraction.external_id == entry.external_id)
    had = (
        select(Episode.show_id)
        .join(Extraction, Extraction.id == Episode.extraction_id)
        .where(Episode.show_id == show.id, or_(Extraction.url == entry.url, is_it))
    )
    if connection.scalar(select(had.exists())):
        # Also what failed for good, or was let go, while the list has it still.
        return False
    added = add_extraction(
        connection,
        entry.url,
        now=now,
        person_id=show.person_id,
        kind="episode",
        profile=show.profile,
        service=entry.service,
        external_id=entry.external_id,
        title=entry.title,
        info=_as_listed(entry),
    )
    return add_episode(connection, show.id, added.id, now)


def _as_listed(entry: Entry) -> MediaInfo | None:
    """Return what a list alone knows: a feed has titles and dates, of which the bare files that it names have none."""
    if entry.title is None:
        return None
    return MediaInfo(
        service=entry.service, external_id=entry.external_id, title=entry.title, published_at=entry.published_at
    )


def _look_at_clips(
    engine: Engine, show: ShowRow, clock: Callable[[], datetime], open_helix: Callable[[Client], Helix]
) -> Listed:
    with engine.connect() as connection:
        external_id = connection.scalar(select(Channel.external_id).where(Channel.id == show.channel_id))
        game = connection.scalar(
            select(GameExternalId.external_id).where(
                GameExternalId.game_id == show.game_id, GameExternalId.service == SERVICE
            )
        )
    since = max(show.since, clock() - CLIPS_OF)
    try:
        with Client() as client:
            clips = open_helix(client).clips(external_id or "", since=since, limit=CLIPS)
    except LootwireError as error:
        return _note(engine, show, Listed(show.name, problem=str(error)))
    now = clock()
    with engine.begin() as connection:
        wish = _wish(show, game)
        count = sum(_want_clip(connection, show, clip, now) for clip in clips if wants_clip(wish, clip))
    return _note(engine, show, Listed(show.name, wanted=count))


def _wish(show: ShowRow, twitch_game_id: str | None = None) -> Wish:
    return Wish(
        kinds=show.kinds,
        since=show.since,
        title_has=show.title_has,
        longer_than=show.longer_than,
        twitch_game_id=twitch_game_id,
        is_of_a_game=show.game_id is not None,
    )


def _want_clip(connection: Connection, show: ShowRow, clip: ClipRecord, now: datetime) -> bool:
    # Its probe gives it the id that it has there: by its address it is known until then.
    is_it = (Extraction.url == clip.url, Extraction.person_id == show.person_id)
    fetched = select(Extraction.id).where(*is_it).order_by(Extraction.id.desc()).limit(1)
    extraction_id = connection.scalar(fetched)
    if extraction_id is None:
        added = add_extraction(
            connection,
            clip.url,
            now=now,
            person_id=show.person_id,
            kind="clip",
            profile=show.profile,
            title=clip.title,
        )
        extraction_id = added.id
    return add_episode(connection, show.id, extraction_id, now)


def _note(engine: Engine, show: ShowRow, listed: Listed) -> Listed:
    if show.problem != listed.problem:
        with engine.begin() as connection:
            change_show(connection, show.id, problem=listed.problem)
    return listed
