"""What time and room bring about: shows let go of what they do not keep, after they have said so."""

from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime

from sqlalchemy import Connection, Engine

from feeds.podcasts.marking import mark_shows, mark_sounds
from pipeline.events.append import append_events
from pipeline.events.event import NewEvent
from pipeline.sound.details import expiring_event
from pipeline.sound.following.keeping import Kept, Leaving, leaving
from pipeline.sound.records import Keep
from pipeline.sound.store.episodes import EpisodeRow, keep_out, load_episodes, note_expiring, unwanted
from pipeline.sound.store.showing import shown_sound
from pipeline.sound.store.shows import ShowRow, list_shows
from pipeline.sound.store.sounds import load_sound, remove_sounds, take_over_muted

PageOf = Callable[[Connection, int], str | None]


def _no_page(_connection: Connection, _sound_id: int) -> str | None:
    return None


def advance(engine: Engine, now: datetime, page_of: PageOf = _no_page) -> tuple[Counter[str], Sequence[int]]:
    """Say what shows will let go of, and let go of what is due; returns the events by kind, and the sounds let go.

    `page_of` gives the address of a sound's page. A sound that another show or a playlist has stays. Its files are
    freed by a sweep. Safe to call twice.
    """
    with engine.begin() as connection:
        events: list[NewEvent] = []
        let_go: set[int] = set()
        for show in list_shows(connection):
            if (show.keep_count, show.keep_days, show.keep_mb) == (None, None, None):
                continue
            events += _advance_show(connection, show, now, let_go, page_of)
        take_over_muted(connection)
        removed = remove_sounds(connection, unwanted(connection, sorted(let_go)), now)
        mark_sounds(connection, removed)
        return append_events(connection, events, source_id=None, silent=False, now=now), removed


def _advance_show(
    connection: Connection, show: ShowRow, now: datetime, let_go: set[int], page_of: PageOf
) -> list[NewEvent]:
    episodes = {episode.extraction_id: episode for episode in load_episodes(connection, show.id)}
    kept = [
        Kept(
            id=episode.extraction_id,
            published_at=episode.published_at,
            size=episode.size,
            expiring_at=episode.expiring_at,
        )
        for episode in episodes.values()
    ]
    keep = Keep(count=show.keep_count, days=show.keep_days, mb=show.keep_mb)
    plan = {each.id: each for each in leaving(kept, keep, now)}
    events = []
    for extraction_id, episode in episodes.items():
        leaves = plan.get(extraction_id)
        if leaves is None:
            if episode.expiring_at is not None:
                note_expiring(connection, show.id, extraction_id, None)
        elif leaves.at <= now and episode.expiring_at is not None:
            keep_out(connection, show.id, extraction_id, now)
            let_go.add(episode.sound_id)
            mark_shows(connection, [show.id])
        elif episode.expiring_at is None:
            note_expiring(connection, show.id, extraction_id, leaves.at)
            url = page_of(connection, episode.sound_id)
            events.append(_expiring(connection, show, episode, leaves, now, url))
    return events


def _expiring(
    connection: Connection, show: ShowRow, episode: EpisodeRow, leaves: Leaving, now: datetime, url: str | None
) -> NewEvent:
    sound = load_sound(connection, episode.sound_id)
    shown = shown_sound(connection, sound, url=url, show=show.title)
    return expiring_event(shown, sound.public_id, show.id, leaves.at, now, leaves.reason)
