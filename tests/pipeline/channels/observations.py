"""Observations of channels, made with few words: streams that polls list, and messages of EventSub."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from pipeline.catalogue.records import ChannelRecord, GameRecord
from pipeline.channels.streams.observations import Polled, Updated, WentLive, WentOffline
from pipeline.services.twitch.records import ChannelInfoRecord, StreamRecord

NOON = datetime(2031, 3, 4, 12, tzinfo=UTC)
FLAP = timedelta(minutes=10)
LIGHTS, RUNNER, ORBIT = "7001", "7002", "7003"
# Twitch's own.
SPECIAL_EVENTS, IRL = "509663", "509672"
GAMES = {
    LIGHTS: "Harbour Lights",
    RUNNER: "Moss Runner",
    ORBIT: "Quiet Orbit",
    SPECIAL_EVENTS: "Special Events",
    IRL: "IRL",
}
ANN = "501"


def at(minutes: float) -> datetime:
    """So many minutes after noon."""
    return NOON + timedelta(minutes=minutes)


def channel(key: str = ANN, login: str | None = None) -> ChannelRecord:
    return ChannelRecord(external_id=key, login=login or f"keeper{key}", display_name=f"Keeper {key}")


def game(key: str | None) -> GameRecord | None:
    return None if key is None else GameRecord(external_id=key, name=GAMES[key])


def stream(
    key: str = ANN,
    stream_id: str = "s1",
    start: float = 0,
    *,
    playing: str | None = LIGHTS,
    title: str | None = "Lamps",
    viewers: int | None = 100,
    **fields: Any,
) -> StreamRecord:
    """A stream as it is listed; it started so many minutes after noon."""
    usual = {"language": "en", "tags": ("cosy",), "thumbnail_url": "https://art.example.org/live-{width}x{height}.jpg"}
    return StreamRecord(
        stream_id=stream_id,
        channel=channel(key),
        started_at=at(start),
        game=game(playing),
        title=title,
        viewers=viewers,
        **(usual | fields),
    )


def polled(minutes: float, *live: StreamRecord, channels: Iterable[str] = (ANN,)) -> Polled:
    """A round of polling so many minutes after noon."""
    return Polled(channels=frozenset(channels), live=live, at=at(minutes))


def live(
    minutes: float, stream_id: str = "s1", *, key: str = ANN, start: float | None = None, **fields: Any
) -> WentLive:
    """The message that a channel went live; `fields` are the rest of it (info, type)."""
    started = minutes if start is None else start
    return WentLive(channel=channel(key), stream_id=stream_id, started_at=at(started), at=at(minutes), **fields)


def offline(minutes: float, key: str = ANN) -> WentOffline:
    """The message that a channel went offline."""
    return WentOffline(channel=channel(key), at=at(minutes))


def info(title: str | None = "Lamps", playing: str | None = LIGHTS, key: str = ANN) -> ChannelInfoRecord:
    """A channel's own title and category, as GET /channels answers them."""
    return ChannelInfoRecord(channel=channel(key), game=game(playing), title=title, language="en")


def updated(minutes: float, title: str | None = "Lamps", playing: str | None = LIGHTS, key: str = ANN) -> Updated:
    """The message that a channel changed."""
    return Updated(info=info(title, playing, key), at=at(minutes))
