"""How Helix writes users, streams and channels, and the records that are made of it.

https://dev.twitch.tv/docs/api/reference/. "" is how Helix says that there is nothing. Addresses of pictures that come
in any size are templates, which hold `{width}` and `{height}`, also where Helix wrote one size or another spelling.
"""

import re
from collections.abc import Iterator, Sequence

import msgspec

from pipeline.catalogue.records import ChannelRecord, GameRecord, UserRecord
from pipeline.errors import InvalidItem
from pipeline.fetch.shapes import MOST, Count, Time, clean, identity, required, required_id, required_utc
from pipeline.services.twitch.records import (
    BadgeRecord,
    CategoryRecord,
    ChannelInfoRecord,
    ClipRecord,
    MutedRecord,
    StreamRecord,
    VideoRecord,
)

_SIZE = re.compile(r"-\d+x\d+(?=\.\w+$)")
_DURATION = re.compile(r"(?:(\d{1,4})d)?(?:(\d{1,5})h)?(?:(\d{1,7})m)?(?:(\d{1,9})s)?")


class _User(msgspec.Struct):
    id: str
    login: str
    display_name: str | None = None
    description: str | None = None
    profile_image_url: str | None = None


class _Stream(msgspec.Struct):
    id: str
    user_id: str
    user_login: str
    started_at: Time
    user_name: str | None = None
    game_id: str | None = None
    game_name: str | None = None
    title: str | None = None
    viewer_count: Count | None = None
    language: str | None = None
    tags: list[str] | None = None
    thumbnail_url: str | None = None
    type: str | None = None


class _Channel(msgspec.Struct):
    broadcaster_id: str
    broadcaster_login: str
    broadcaster_name: str | None = None
    broadcaster_language: str | None = None
    game_id: str | None = None
    game_name: str | None = None
    title: str | None = None
    tags: list[str] | None = None


class _Category(msgspec.Struct):
    id: str
    name: str
    box_art_url: str | None = None
    # A search leaves it out.
    igdb_id: str | None = None


class _MutedSegment(msgspec.Struct):
    offset: Count
    duration: Count


class _Video(msgspec.Struct):
    id: str
    user_id: str
    title: str
    url: str
    published_at: Time
    duration: str
    type: str
    stream_id: str | None = None
    thumbnail_url: str | None = None
    # null says that none is.
    muted_segments: list[_MutedSegment] | msgspec.UnsetType | None = msgspec.UNSET


class _Clip(msgspec.Struct):
    id: str
    url: str
    broadcaster_id: str
    created_at: Time
    title: str | None = None
    game_id: str | None = None
    duration: float = 0.0


class _BadgeVersion(msgspec.Struct):
    id: str
    title: str
    description: str | None = None
    image_url_1x: str | None = None
    image_url_2x: str | None = None
    image_url_4x: str | None = None
    click_url: str | None = None


class _BadgeSet(msgspec.Struct):
    set_id: str
    versions: Sequence[_BadgeVersion]


_USER = msgspec.json.Decoder(_User)
_STREAM = msgspec.json.Decoder(_Stream)
_CHANNEL = msgspec.json.Decoder(_Channel)
_CATEGORY = msgspec.json.Decoder(_Category)
_VIDEO = msgspec.json.Decoder(_Video)
_CLIP = msgspec.json.Decoder(_Clip)
_BADGES = msgspec.json.Decoder(_BadgeSet)


def parse_user(row: msgspec.Raw) -> UserRecord:
    """Return a row of /users."""
    user = _USER.decode(row)
    return UserRecord(
        external_id=required_id(user.id, "id"),
        login=required_id(user.login, "login"),
        display_name=clean(user.display_name),
        description=clean(user.description),
        profile_image_url=clean(user.profile_image_url),
    )


def parse_stream(row: msgspec.Raw) -> StreamRecord:
    """Return a row of /streams."""
    stream = _STREAM.decode(row)
    return StreamRecord(
        stream_id=required_id(stream.id, "id"),
        channel=_channel(stream.user_id, stream.user_login, stream.user_name, "user"),
        started_at=required_utc(stream.started_at),
        game=_game(stream.game_id, stream.game_name),
        title=clean(stream.title),
        viewers=stream.viewer_count,
        language=clean(stream.language),
        tags=_tags(stream.tags),
        thumbnail_url=any_size(stream.thumbnail_url),
        type=clean(stream.type),
    )


def parse_channel(row: msgspec.Raw) -> ChannelInfoRecord:
    """Return a row of /channels."""
    channel = _CHANNEL.decode(row)
    return ChannelInfoRecord(
        channel=_channel(channel.broadcaster_id, channel.broadcaster_login, channel.broadcaster_name, "broadcaster"),
        game=_game(channel.game_id, channel.game_name),
        title=clean(channel.title),
        language=clean(channel.broadcaster_language),
        tags=_tags(channel.tags),
    )


def parse_followed(row: msgspec.Raw) -> ChannelRecord:
    """Return a row of /channels/followed."""
    return parse_channel(row).channel


def parse_category(row: msgspec.Raw) -> CategoryRecord:
    """Return a row of /games or of /search/categories."""
    category = _CATEGORY.decode(row)
    return CategoryRecord(
        external_id=required_id(category.id, "id"),
        name=required(category.name, "name"),
        box_art_url=any_size(category.box_art_url),
        igdb_id=clean(category.igdb_id),
    )


def parse_video(row: msgspec.Raw) -> VideoRecord:
    """Return a row of /videos."""
    video = _VIDEO.decode(row)
    return VideoRecord(
        external_id=required_id(video.id, "id"),
        channel_id=required_id(video.user_id, "user_id"),
        # A video may be published without a title.
        title=clean(video.title) or "",
        url=required(video.url, "url"),
        published_at=required_utc(video.published_at),
        seconds=seconds_of(video.duration),
        type=required(video.type, "type"),
        stream_id=clean(video.stream_id),
        thumbnail_url=any_size(video.thumbnail_url),
        muted=_muted(video.muted_segments),
    )


def _muted(segments: Sequence[_MutedSegment] | msgspec.UnsetType | None) -> tuple[MutedRecord, ...] | None:
    if segments is msgspec.UNSET:
        return None
    return tuple(MutedRecord(segment.offset, segment.duration) for segment in segments or ())


def parse_clip(row: msgspec.Raw) -> ClipRecord:
    """Return a row of /clips."""
    clip = _CLIP.decode(row)
    return ClipRecord(
        external_id=required(clip.id, "id"),
        channel_id=required_id(clip.broadcaster_id, "broadcaster_id"),
        title=clean(clip.title) or "",
        url=required(clip.url, "url"),
        created_at=required_utc(clip.created_at),
        seconds=clip.duration,
        game_id=clean(clip.game_id),
    )


def parse_badges(row: msgspec.Raw) -> list[BadgeRecord]:
    """Return the versions of a badge, as a row of /chat/badges/global lists them."""
    badge = _BADGES.decode(row)
    return [
        BadgeRecord(
            set_id=required_id(badge.set_id, "set_id"),
            version=required_id(version.id, "id"),
            title=required(version.title, "title"),
            description=clean(version.description),
            image_url=clean(version.image_url_4x or version.image_url_2x or version.image_url_1x),
            click_url=clean(version.click_url),
        )
        for version in badge.versions
    ]


def seconds_of(duration: str) -> int:
    """Return the seconds of a duration that is written like 3h8m33s; raises `InvalidItem`."""
    match = _DURATION.fullmatch(duration)
    if not duration or match is None:
        raise InvalidItem(f"not a duration: {duration[:40]!r}")
    days, hours, minutes, seconds = (int(number or 0) for number in match.groups())
    total = ((days * 24 + hours) * 60 + minutes) * 60 + seconds
    if total > MOST:
        raise InvalidItem(f"not a duration: {duration[:40]!r}")
    return total


def any_size(url: str | None) -> str | None:
    """Return the address of a picture with {width} and {height} in place of a size."""
    cleaned = clean(url)
    if cleaned is None:
        return None
    return _SIZE.sub("-{width}x{height}", cleaned.replace("%{width}x%{height}", "{width}x{height}"))


def _channel(external_id: str, login: str, name: str | None, field: str) -> ChannelRecord:
    return ChannelRecord(
        external_id=required_id(external_id, f"{field}_id"),
        login=required_id(login, f"{field}_login"),
        display_name=clean(name),
    )


def _game(external_id: str | None, name: str | None) -> GameRecord | None:
    key, called = identity(external_id), clean(name)
    return None if key is None or called is None else GameRecord(external_id=key, name=called)


def _tags(tags: Sequence[str] | None) -> tuple[str, ...] | None:
    return None if tags is None else tuple(_cleaned(tags))


def _cleaned(texts: Sequence[str]) -> Iterator[str]:
    for text in texts:
        if (cleaned := clean(text)) is not None:
            yield cleaned
