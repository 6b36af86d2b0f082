"""A row in every table of sounds that an export has."""

from datetime import timedelta
from uuid import UUID

from sqlalchemy import insert

from models import (
    Channel,
    Episode,
    Extraction,
    Play,
    Playlist,
    PlaylistSound,
    Rendition,
    Show,
    Sound,
    Video,
)
from tests.feeds.world import NOON, Publishing

STREAM = UUID(int=1)
HORN = UUID(int=2)
SHOW = UUID(int=3)
PLAYLIST = UUID(int=4)


def add_sounds(world: Publishing, game_id: int, own_id: int, person_id: int) -> None:
    """Add a show with an episode of a video, and an effect of a person on a playlist; nobody public names `own_id`."""
    channel_id = world.add(Channel, service="twitch", external_id="501", login="ann", first_seen_at=NOON)
    muted = [{"start": 60, "seconds": 360}]
    about = {"type": "archive", "title": "Wipe day", "url": "https://v.example/1", "seconds": 9000, "muted": muted}
    times = {"published_at": NOON, "first_seen_at": NOON}
    video_id = world.add(Video, channel_id=channel_id, external_id="v1", **about, **times)
    stream = world.add(
        Sound, public_id=str(STREAM), kind="episode", sha256=b"\x01" * 32, size=9, seconds=9000.5, codec="aac",
        original="sounds/originals/01/01.m4a", service="twitch", external_id="v1", title="Wipe day",
        channel_id=channel_id, video_id=video_id, published_at=NOON, muted=muted, added_at=NOON,
        chapters=[
            {"start": 0, "title": "Gloomtide", "game_id": game_id},
            {"start": 60, "title": "Elderquay", "game_id": own_id},
            {"start": 90, "title": "Chatting"},
        ],
        transcripts=[{"language": "en", "format": "srt", "path": "sounds/transcripts/01.srt"}],
    )  # fmt: skip
    horn = world.add(
        Sound, public_id=str(HORN), person_id=person_id, kind="effect", sha256=b"\x02" * 32, size=3, title="Horn",
        tags=["loud"], aliases=["Air horn"], added_at=NOON, missing_at=NOON,
    )  # fmt: skip
    world.add(
        Rendition, sound_id=stream, profile="podcast", state="ready", mode="linear", codec="mp3", bitrate=128,
        path="sounds/renditions/03/03.mp3", size=7, digest=b"\x03" * 32, seconds=9000.5, integrated_before=-20.5,
        integrated_after=-16.0, next_due_at=NOON, rendered_at=NOON, attempts=2, fence=3,
    )  # fmt: skip
    world.add(Rendition, sound_id=horn, profile="effects", state="rendering", next_due_at=NOON, fence=1)
    world.add(Play, sound_id=horn, person_id=person_id, origin="command", at=NOON)
    done = world.add(
        Extraction, url="https://v.example/1", host="v.example", service="twitch", external_id="v1", video_id=video_id,
        kind="episode", state="completed", stage="publish", progress=1, title="Wipe day", info={"a": "secret of work"},
        added_at=NOON, next_due_at=NOON, sound_id=stream, finished_at=NOON,
    )  # fmt: skip
    world.add(
        Extraction, person_id=person_id, url="https://v.example/2", host="v.example", state="processing",
        stage="download", added_at=NOON, next_due_at=NOON, lease_until=NOON, lease_token=str(UUID(int=9)), fence=4,
    )  # fmt: skip
    show = world.add(
        Show, public_id=str(SHOW), name="Ann", name_key="ann", title="Ann, last night", channel_id=channel_id,
        game_id=game_id, keep_days=30, since=NOON - timedelta(days=1), added_at=NOON,
    )  # fmt: skip
    drive = {"name": "For the Drive", "name_key": "forthedrive", "person_id": person_id}
    playlist = world.add(Playlist, public_id=str(PLAYLIST), added_at=NOON, **drive)
    with world.engine.begin() as connection:
        connection.execute(
            insert(Episode).values(show_id=show, extraction_id=done, sound_id=stream, added_at=NOON, expiring_at=NOON)
        )
        rows = [
            {"playlist_id": playlist, "sound_id": sound_id, "position": position, "added_at": NOON}
            for sound_id, position in ((horn, "V0"), (stream, "U0"))
        ]
        connection.execute(insert(PlaylistSound), rows)
