"""Read the events of notifications: what they mean for streams, and for the conduit that carries them."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, TypeVar

import msgspec

from pipeline.catalogue.records import ChannelRecord, GameRecord
from pipeline.channels.streams.observations import Updated, WentLive, WentOffline
from pipeline.errors import InvalidItem
from pipeline.fetch.shapes import Time, clean, identity, required_id, utc
from pipeline.services.twitch.records import ChannelInfoRecord, StreamRecord

ONLINE = ("stream.online", "1")
OFFLINE = ("stream.offline", "1")
UPDATE = ("channel.update", "2")
SHARD_DISABLED = ("conduit.shard.disabled", "1")
# The notifications that we want of each watched channel, the most important first: it stays where not all may.
OF_CHANNELS = (ONLINE, OFFLINE, UPDATE)

Info = StreamRecord | ChannelInfoRecord
Shape = TypeVar("Shape")
_Text = Annotated[str, msgspec.Meta(min_length=1)]


class ShardDisabled(msgspec.Struct, frozen=True):
    """A conduit cannot deliver through one of its shards any more; `session_id` is the session that served it."""

    conduit_id: str
    shard_id: str
    status: str
    session_id: str | None = None


Meaning = WentLive | WentOffline | Updated | ShardDisabled


class _Channel(msgspec.Struct, kw_only=True):
    broadcaster_user_id: _Text
    broadcaster_user_login: _Text
    broadcaster_user_name: str | None = None

    def record(self) -> ChannelRecord:
        return ChannelRecord(
            external_id=required_id(self.broadcaster_user_id, "broadcaster_user_id"),
            login=required_id(self.broadcaster_user_login, "broadcaster_user_login"),
            display_name=clean(self.broadcaster_user_name),
        )


class _Online(_Channel, kw_only=True):
    id: _Text
    started_at: Time
    # live, playlist, watch_party, premiere, rerun:
    # https://dev.twitch.tv/docs/eventsub/eventsub-reference/#stream-online-event
    type: str | None = None


class _Update(_Channel, kw_only=True):
    title: str | None = None
    language: str | None = None
    category_id: str | None = None
    category_name: str | None = None


class _Transport(msgspec.Struct):
    session_id: str | None = None


class _Shard(msgspec.Struct):
    conduit_id: str
    shard_id: str
    status: str
    transport: _Transport | None = None


def is_known(kind: str, version: str) -> bool:
    """Whether we can read such a notification; others are ignored."""
    return (kind, version) in {*OF_CHANNELS, SHARD_DISABLED}


def channel_of(event: Mapping[str, Any]) -> str | None:
    """Return the id of the channel that an event is about."""
    channel_id = event.get("broadcaster_user_id")
    return channel_id if isinstance(channel_id, str) else None


def read_event(
    kind: str, version: str, event: Mapping[str, Any], sent_at: datetime, info: Info | None
) -> Meaning | None:
    """Return what a notification's event means, None where its kind is unknown; `info` is Helix' record of the channel.

    Raises `InvalidItem` that names what is missing.
    """
    match kind, version:
        case "stream.online", "1":
            online = _convert(event, _Online)
            return WentLive(
                channel=online.record(),
                stream_id=required_id(online.id, "id"),
                started_at=utc(online.started_at) or sent_at,
                at=sent_at,
                info=info,
                type=clean(online.type),
            )
        case "stream.offline", "1":
            return WentOffline(channel=_convert(event, _Channel).record(), at=sent_at)
        case "channel.update", "2":
            return Updated(info=_info(_convert(event, _Update)), at=sent_at)
        case "conduit.shard.disabled", "1":
            shard = _convert(event, _Shard)
            session_id = shard.transport.session_id if shard.transport else None
            return ShardDisabled(shard.conduit_id, shard.shard_id, shard.status, session_id)
        case _:
            return None


def _info(update: _Update) -> ChannelInfoRecord:
    category, name = identity(update.category_id), clean(update.category_name)
    return ChannelInfoRecord(
        channel=update.record(),
        game=GameRecord(external_id=category, name=name) if category and name else None,
        title=clean(update.title),
        language=clean(update.language),
    )


def _convert(event: Mapping[str, Any], shape: type[Shape]) -> Shape:
    try:
        return msgspec.convert(event, shape)
    except msgspec.ValidationError as error:
        raise InvalidItem(str(error)) from error
